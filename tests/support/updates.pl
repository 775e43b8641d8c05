#!/usr/bin/perl
# updates.pl -- a capture of UPDATEs and answers, from lines of text; pcap on standard output.
#
#   SECONDS update CLIENT ZONE KEY RECORD...   an accepted UPDATE and its response; KEY "-" is unsigned;
#                                              RECORD is +NAME=ADDRESS (add A) or -NAME (delete all A)
#   SECONDS answer CLIENT NAME ADDRESS         a query for A and the server's answer; "-" is NXDOMAIN
#
# Names are absolute. The server is 10.1.0.53; seconds count from 2026-08-01T12:00:00Z.
use strict;
use warnings;

binmode STDOUT;
my $server = pack 'C4', 10, 1, 0, 53;
my $id = 0;

sub name { return join('', map { chr(length) . $_ } split /\./, shift) . "\0" }
sub address { return pack 'C4', split /\./, shift }

sub record { # NAME TYPE CLASS TTL RDATA
	my ($name, $type, $class, $ttl, $rdata) = @_;
	return name($name) . pack('nnNn', $type, $class, $ttl, length $rdata) . $rdata;
}

sub tsig { # KEY TIME: the octets of a signature, not a real one
	my ($key, $time) = @_;
	my $mac = "m" x 32;
	return record($key, 250, 255, 0,
		name('hmac-sha256') . pack('nNnn', 0, $time, 300, length $mac) . $mac . pack('nnn', $id, 0, 0));
}

sub packet { # TIME FROM FROM_PORT TO TO_PORT MESSAGE
	my ($time, $from, $from_port, $to, $to_port, $message) = @_;
	my $udp = pack('nnnn', $from_port, $to_port, 8 + length $message, 0) . $message;
	my $ip = pack('CCnnnCCn', 0x45, 0, 20 + length $udp, ++$id & 0xffff, 0, 64, 17, 0) . $from . $to;
	my $frame = pack('H24n', '020000000001020000000002', 0x0800) . $ip . $udp;
	print pack('VVVV', int $time, ($time - int $time) * 1_000_000, length $frame, length $frame), $frame;
}

sub exchange { # TIME CLIENT QUERY RESPONSE
	my ($time, $client, $query, $response) = @_;
	my $port = 20000 + $id % 40000;
	packet($time, address($client), $port, $server, 53, $query);
	packet($time + 0.01, $server, 53, address($client), $port, $response);
}

print pack 'VvvlVVV', 0xa1b2c3d4, 2, 4, 0, 0, 65535, 1;
while (my $line = <STDIN>) {
	my ($time, $what, $client, @rest) = split ' ', $line;
	next if !defined $what || $time =~ /^#/;
	$time += 1785585600;
	my $number = ++$id & 0xffff;
	if ($what eq 'update') {
		my ($zone, $key, @change) = @rest;
		my $records = join '', map {
			/^\+(.*)=(.*)$/ ? record($1, 1, 1, 300, address($2)) : record(substr($_, 1), 1, 255, 0, '')
		} @change;
		my $signature = $key eq '-' ? '' : tsig($key, $time);
		my $body = name($zone) . pack('nn', 6, 1) . $records . $signature;
		my @count = (1, 0, scalar @change, $signature ne '');
		exchange($time, $client, pack('n6', $number, 0x2800, @count) . $body,
			pack('n6', $number, 0xa800, 1, 0, 0, 0) . name($zone) . pack('nn', 6, 1));
	} else {
		my ($name, $address) = @rest;
		my $question = name($name) . pack('nn', 1, 1);
		my $answer = $address eq '-' ? '' : record($name, 1, 1, 300, address($address));
		exchange($time, $client, pack('n6', $number, 0x0100, 1, 0, 0, 0) . $question,
			pack('n6', $number, $address eq '-' ? 0x8583 : 0x8580, 1, $answer ne '', 0, 0) . $question . $answer);
	}
}
