;;; Blocks of the C heap: as pointers (saps), and as integers alone.
(defvar *addresses*
  (coerce (loop for i below 4000
                collect (let ((block (sb-alien:make-alien (sb-alien:signed 64) (+ 2 (mod i 60)))))
                          (setf (sb-alien:deref block 0) i
                                (sb-alien:deref block 1) (* i i))
                          (sb-sys:sap-int (sb-alien:alien-sap block))))
          'vector))
(defun block-at (address)
  (sb-alien:sap-alien (sb-sys:int-sap address) (* (sb-alien:signed 64))))
(loop repeat 10 do
  (gc :full t)
  (loop repeat 40 do (sb-alien:free-alien (sb-alien:make-alien (sb-alien:unsigned 8) 60000))))
(let ((sum 0))
  (loop for address across *addresses* for i from 0 do
    (let ((block (block-at address)))
      (assert (= i (sb-alien:deref block 0)))
      (incf sum (sb-alien:deref block 1))
      (sb-alien:free-alien block)))
  (format t "~a~%" sum))
;; Strings that C made.
(sb-alien:define-alien-routine "strdup" (* sb-alien:char) (text sb-alien:c-string))
(let ((copies (loop for i below 2000 collect (strdup (format nil "text number ~a" i)))))
  (gc :full t)
  (format t "~a~%" (loop for copy in copies
                         sum (length (sb-alien:cast copy sb-alien:c-string))
                         do (sb-alien:free-alien copy))))
