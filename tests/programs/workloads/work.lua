local unpack = table.unpack or unpack
local seed = 7
local function random(n) seed = (seed * 16807) % 2147483647; return seed % n end
local t = {}
for i = 1, 30000 do t[#t + 1] = {key = "k" .. random(900), value = i, text = string.rep("x", random(30))} end
table.sort(t, function(a, b) if a.key ~= b.key then return a.key < b.key end return a.value < b.value end)
print(t[1].key, t[15000].value, t[30000].key)
local words = {}
for w in string.gmatch(string.rep("the heap and the stack of the world ", 3000), "%a+") do words[w] = (words[w] or 0) + 1 end
print(words.the, words.heap, words.world)
local function tree(n) if n == 0 then return {} end return {tree(n - 1), tree(n - 1)} end
local function count(x) if x[1] then return 1 + count(x[1]) + count(x[2]) end return 1 end
for _ = 1, 6 do io.write(count(tree(13)), " ") end
local co = coroutine.wrap(function() for i = 1, 20000 do coroutine.yield(("%d:%x"):format(i, i)) end end)
local n = 0
for _ = 1, 20000 do n = n + #co() end
print(n)
local weak = setmetatable({}, {__mode = "v"})
for i = 1, 10000 do weak[i] = {i} end
collectgarbage()
print(next(weak) == nil)
print(select("#", unpack(t, 1, 200)), #table.concat({string.rep("ab", 9000):gsub("a", "ccc")}))
