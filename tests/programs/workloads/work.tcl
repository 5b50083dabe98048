expr {srand(3)}
proc tree {n} { if {$n == 0} { return {} }; return [list [tree [expr {$n - 1}]] [tree [expr {$n - 1}]]] }
proc count {t} { if {[llength $t] == 0} { return 1 }; expr {1 + [count [lindex $t 0]] + [count [lindex $t 1]]} }
puts [count [tree 13]]
for {set i 0} {$i < 20000} {incr i} { dict lappend d k[expr {int(rand() * 300)}] "value $i" }
puts "[dict size $d] [string length $d]"
foreach k [lsort [dict keys $d]] { append out "$k=[llength [dict get $d $k]] " }
puts $out
puts [string length [regsub -all {(\d)(\d)} $d {\2\1}]]
namespace eval shape { oo::class create S { variable a; constructor {x} { set a $x }; method area {} { expr {$a * $a} } } }
set sum 0
for {set i 0} {$i < 3000} {incr i} { set s [shape::S new $i]; incr sum [$s area]; $s destroy }
puts $sum
proc gen {} { yield; for {set i 0} {$i < 3000} {incr i} { yield [format %08x $i] } }
coroutine c gen
for {set i 0} {$i < 3000} {incr i} { lappend all [c] }
puts [llength [lsort -unique $all]]
puts [string length [zlib inflate [zlib deflate $d]]]
