#!/usr/bin/env escript
tree(0) -> nil;
tree(N) -> {tree(N - 1), tree(N - 1)}.
count(nil) -> 1;
count({A, B}) -> 1 + count(A) + count(B).
main(_) ->
  io:format("~p~n", [count(tree(16))]),
  Self = self(),
  [spawn(fun() -> Self ! {N, erlang:phash2(lists:seq(1, 2000 + N))} end) || N <- lists:seq(1, 500)],
  Sum = lists:sum([receive {N, H} -> H end || N <- lists:seq(1, 500)]),
  M = maps:from_list([{integer_to_binary(I), I} || I <- lists:seq(1, 50000)]),
  io:format("~p ~p ~p~n", [Sum, maps:size(M), byte_size(term_to_binary(M, [compressed]))]),
  T = ets:new(t, [ordered_set]),
  [ets:insert(T, {I * 7919 rem 10007, binary:copy(<<"x">>, I rem 200)}) || I <- lists:seq(1, 30000)],
  io:format("~p ~p~n", [ets:info(T, size), ets:first(T)]),
  io:format("~p~n", [length(re:split(lists:duplicate(3000, "a,b;c"), "[,;]"))]).
