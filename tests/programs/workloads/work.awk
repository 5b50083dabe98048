# Arrays, string building, regular expressions, sorting.
BEGIN {
  seed = 1
  for (i = 0; i < 60000; ++i) {
    seed = (seed * 16807) % 2147483647
    word = "w" (seed % 1009)
    ++count[word]
    text[i % 500] = text[i % 500] " " word
  }
  n = asorti(count, order)
  for (i = 1; i <= n; ++i) total = (total * 31 + count[order[i]]) % 1000000007
  print n, total
  for (i = 0; i < 500; ++i) {
    changed += gsub(/w([0-9])/, "v&", text[i])
    lengths += length(toupper(text[i]))
    m += split(text[i], parts, / +/)
  }
  print changed, lengths, m
  for (i = 0; i < 20000; ++i) { line = sprintf("%s-%05d", substr(text[i % 500], 1, 30), i); seen[line] = line }
  print length(seen)
  exit 5
}
