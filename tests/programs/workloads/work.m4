define(`loop', `ifelse(eval($1 < $2), 1, `$3($1)`'loop(incr($1), $2, `$3')')')dnl
define(`square', `define(`sq$1', eval($1 * $1))patsubst(`heap$1 stack', `\([a-z]\)', `<\1>') ')dnl
loop(0, N, `square')
sq17 len(translit(loop(0, 500, `square'), a-z, A-Z))
loop(0, N, `square')
