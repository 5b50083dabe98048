# Hashes, closures, regular expressions, sorting, circular references.
use strict;
use warnings;
use Digest::MD5 qw(md5_hex);

my $seed = 12345;
sub noise { $seed = ($seed * 1103515245 + 12345) & 0x7fffffff; return $seed; }

my %count;
my @lines;
for my $i (1 .. 20000) {
    my $line = join ' ', map { 'w' . (noise() % 997) } 1 .. 8;
    $count{$_}++ for split / /, $line;
    push @lines, $line;
}
print scalar(keys %count), ' ', md5_hex(join ',', map { "$_=$count{$_}" } sort keys %count), "\n";

my @closures = map { my $n = $_; sub { return $n * shift } } 1 .. 5000;
my $sum = 0;
$sum += $closures[$_]->($_) for 0 .. $#closures;
print "$sum\n";

my $changed = 0;
for my $line (@lines) {
    $changed += ($line =~ s/w(\d)(\d+)/w$2$1/g);
    $line = reverse $line;
}
print "$changed ", md5_hex(join "\n", sort @lines), "\n";

for my $i (1 .. 30000) {
    my $a = { name => "node$i" };
    my $b = { other => $a, list => [1 .. 5] };
    $a->{other} = $b;    # perl counts references: these are lost
}

open my $child, '-|', $^X, '-e', 'print join(",", map { $_ * $_ } 1 .. 1000)' or die;
print md5_hex(join '', <$child>), "\n";
close $child;
print "exit $?\n";
exit 7;
