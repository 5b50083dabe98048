require "json"; require "set"; require "zlib"; require "digest"; require "erb"
rng = Random.new(3)
data = Array.new(6000) { |i| { "id" => i, "name" => "n#{rng.rand(500)}", "tags" => Array.new(3) { rng.rand(90).to_s } } }
text = JSON.generate(data)
puts JSON.parse(text).group_by { |r| r["name"] }.map { |k, v| [k, v.size] }.sort.first(9).inspect
puts Digest::SHA256.hexdigest(Zlib::Inflate.inflate(Zlib::Deflate.deflate(text)))
Node = Struct.new(:left, :right)
def tree(n) = n == 0 ? Node.new : Node.new(tree(n - 1), tree(n - 1))
def count(t) = t.left ? 1 + count(t.left) + count(t.right) : 1
puts 6.times.map { count(tree(13)) }.sum
q = Queue.new
threads = 4.times.map { |t| Thread.new { 500.times { |i| q << "#{t}-#{i}".gsub(/\d/) { |d| (d.to_i * 3 % 10).to_s } } } }
threads.each(&:join)
puts q.size, Array.new(q.size) { q.pop }.sort.hash == 0, Set.new(text.scan(/n\d+/)).size
f = Fiber.new { 1000.times { |i| Fiber.yield "f" * i } }
puts 1000.times.sum { f.resume.size }
puts ERB.new("<% 300.times do |i| %><%= i ** 20 %> <% end %>").result.size
puts (1..200).inject(:*), ("a".."zz").to_a.permutation(2).first(4000).map(&:join).join.size
pid = fork { GC.start; exit!(7) }
Process.wait(pid); puts $?.exitstatus
GC.start; ObjectSpace.each_object(Node).count
