#lang racket/base
; Lists, hashes, closures and continuations; blocks of the C heap that the program alone holds.
(require ffi/unsafe racket/list racket/string)

(define table (make-hash))
(for ([i (in-range 60000)])
  (hash-update! table (number->string (modulo (* i 7919) 5003)) (lambda (l) (cons i l)) '()))
(printf "~a keys, ~a values\n" (hash-count table)
        (for/sum ([(k v) (in-hash table)]) (length v)))

(define (tree depth) (if (zero? depth) '() (cons (tree (- depth 1)) (tree (- depth 1)))))
(define (leaves t) (if (null? t) 1 (+ (leaves (car t)) (leaves (cdr t)))))
(printf "~a leaves\n" (for/sum ([i (in-range 8)]) (leaves (tree 14))))

(define blocks
  (for/list ([i (in-range 3000)])
    (define block (malloc (+ 16 (* 8 (modulo i 50))) 'raw))
    (ptr-set! block _int64 i)
    (ptr-set! block _int64 1 (* i i))
    block))
; As integers, too: Racket's own form of them is all that there is then.
(define addresses (for/vector ([block blocks]) (cast block _pointer _intptr)))
(set! blocks '())
(for ([i (in-range 20)]) (collect-garbage) (free (malloc 100000 'raw)))
(define sum
  (for/sum ([address (in-vector addresses)] [i (in-naturals)])
    (define block (cast address _intptr _pointer))
    (unless (= (ptr-ref block _int64) i) (error "not the block" i))
    (begin0 (ptr-ref block _int64 1) (free block))))
(printf "sum ~a\n" sum)

(define words (for/list ([i (in-range 20000)]) (format "~x" (* i 2654435761))))
(printf "~a ~a\n" (length (remove-duplicates (map (lambda (w) (substring w 0 1)) words)))
        (string-length (string-join (sort words string<?) ",")))
(printf "~a\n" (call/cc (lambda (k) (for ([i (in-range 100)]) (when (= i 42) (k i))))))
