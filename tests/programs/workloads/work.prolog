:- initialization(main).
nrev([], []).
nrev([H|T], R) :- nrev(T, S), append(S, [H], R).
fib(N, N) :- N < 2, !.
fib(N, F) :- A is N - 1, B is N - 2, fib(A, X), fib(B, Y), F is X + Y.
:- dynamic fact/2.
main :- numlist(1, 400, L), nrev(L, R), R = [H|_], writeln(H), fib(19, F), writeln(F),
  forall(between(1, 20000, I), (K is I * 7919 mod 1009, assertz(fact(K, I)))), retractall(fact(7, _)),
  aggregate_all(count, fact(_, _), C), writeln(C), findall(A, (between(1, 5000, X), atom_concat(a, X, A)), As),
  length(As, N), writeln(N), length(Q, 6), findall(Q, (permutation([1,2,3,4,5,6], Q)), Qs), length(Qs, M), writeln(M),
  numlist(1, 50, Ns), concurrent_maplist([P, S]>>(S is P ** 30), Ns, Ss), sum_list(Ss, T), writeln(T), halt.
