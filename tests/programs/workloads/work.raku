# Hashes, objects, lazy lists, regexes, and blocks of the C heap (NativeCall).
use NativeCall;
sub malloc(size_t --> Pointer) is native {*}
sub free(Pointer) is native {*}

class Node { has $.name; has @.next is rw; }
my %nodes;
for ^3000 -> $i {
    my $node = Node.new(name => "n" ~ $i % 1009);
    %nodes{$node.name} = $node;
    $node.next.push(%nodes{"n" ~ ($i * 7) % 1009} // $node);
}
say %nodes.elems, ' ', [+] %nodes.values.map(*.next.elems);

my @blocks = (^2000).map: -> $i {
    my $block = malloc(16 + 8 * ($i % 50));
    my $words = nativecast(CArray[int64], $block);
    $words[0] = $i;
    $words[1] = $i * $i;
    $block;
};
my @addresses = @blocks.map: { +$_ };
@blocks = ();
(^20).map({ free(malloc(100000)) }).eager;
my $sum = 0;
for @addresses.kv -> $i, $address {
    my $words = nativecast(CArray[int64], Pointer.new($address));
    die "not the block $i" unless $words[0] == $i;
    $sum += $words[1];
    free(Pointer.new($address));
}
say $sum;

my $text = (1..2000).map({ ($_ * 2654435761).base(16) }).join(',');
say $text.comb(/<[A..F]>+/).elems, ' ', $text.split(',').sort.head(3).join(' ');
say (1, 1, * + * ... * > 10 ** 12).tail;
