# Blocks of the C heap: as Fiddle::Pointer, and as integers alone.
require 'fiddle'
require 'fiddle/import'

addresses = (0...4000).map do |i|
  pointer = Fiddle::Pointer.new(Fiddle.malloc(16 + 8 * (i % 60)))
  pointer[0, 16] = [i, i * i].pack('q2')
  pointer.to_i
end
20.times do
  GC.start
  Fiddle.free(Fiddle.malloc(100_000))
  Array.new(20_000) { |i| "text #{i}" }
end
sum = 0
addresses.each_with_index do |address, i|
  number, square = Fiddle::Pointer.new(address)[0, 16].unpack('q2')
  raise "not the block #{i}" unless number == i
  sum += square
  Fiddle.free(address)
end
puts sum

module Libc
  extend Fiddle::Importer
  dlload Fiddle.dlopen(nil)
  extern 'char* strdup(const char*)'
  extern 'void qsort(void*, size_t, size_t, void*)'
end
copies = (0...2000).map { |i| Libc.strdup("text number #{i}") }
GC.start
puts copies.sum { |copy| copy.to_s.length }
copies.each { |copy| Fiddle.free(copy.to_i) }
compare = Fiddle::Closure::BlockCaller.new(Fiddle::TYPE_INT, [Fiddle::TYPE_VOIDP] * 2) do |a, b|
  Fiddle::Pointer.new(a)[0, 8].unpack1('q') <=> Fiddle::Pointer.new(b)[0, 8].unpack1('q')
end
numbers = (0...500).map { |i| i * 7919 % 503 }.pack('q*')
Libc.qsort(numbers, 500, 8, compare)
puts numbers.unpack('q*').first(5).inspect
