/* SPDX-License-Identifier: BSD-2-Clause */
/* Streams of real captures ($DYNWATCH_SHARED, when it is there), counted against tshark. */
#include <criterion/criterion.h>
#include <netinet/in.h>
#include <pcap/pcap.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sensor/packet/tcp_stream.h"
#include "tests/unit/packet/decoded.h"

/*
 * Messages that come out of each capture, and tshark's count (dns_tcp of MANIFEST.tsv) with the
 * reason where it is another.
 */
static const struct capture_row {
	const char *file;
	unsigned messages, tshark;
	const char *why;
} rows[] = {
	{ "mercury-emix-samba-ad-gss-tsig-update.pcap", 12, 12, "" },
	{ "suricata-verify-update-tcp-gss-tsig-refused.pcap", 2, 2, "" },
	{ "compactor-root-server-knot-live.pcapng", 186, 186, "" },
	{ "evilfingers-xscan-nessus-update-formerr.pcap", 8, 10,
		"a length of 512 with random bytes, and its echo, are no messages" },
	{ "sidn-tcp-ixfr-tsig.pcap", 2, 2, "" },
	{ "suricata-verify-tcp-20-nxdomain.pcap", 40, 40, "" },
	{ "dnscap-dnso1tcp.pcap", 82, 82, "" },
	{ "dnscap-dnsotcp-many1pkt.pcap", 4, 4, "" },
	{ "dnscap-dnso1tcp-midmiss.pcap", 6, 6, "" },
	{ "dnscollector-tcp.pcap", 10, 10, "" },
	{ "dnscollector-tcp-fastopen.pcap", 8, 8, "" },
	{ "sidn-tcp-many-per-packet.pcap.gz", 1005, 1005, "" },
	{ "pktvisor-udp-tcp-random.pcap", 2880, 2853,
		"tshark does not show 27 answers in segments that were sent again" },
	{ "malcolm-sigred-sigxploit.pcap", 4, 4, "" },
	{ "dnscap-dnso1tcp-bighole.pcap", 76, 41,
		"tshark does not find queries in two segments again after a hole" },
	{ "dnscap-dnsotcp-manyopkts.pcap", 3, 3, "" },
	{ "dnscap-1qtcpnosyn.pcap", 2, 2, "" },
	{ "dnscap-nosyn-nolen.pcap", 3, 2,
		"tshark does not find a query in two segments without the stream's beginning" },
};

static void count_message(void *arg, const struct tcp_message *message)
{
	unsigned *count = arg;
	cr_assert_geq(message->packet.payload_len, 12);
	(*count)++;
}

/* Read over a pipe, so that compressed files need no library here. */
static pcap_t *open_capture(const char *file, FILE **pipe)
{
	const char *shared = getenv("DYNWATCH_SHARED");
	char path[512], command[600], error[PCAP_ERRBUF_SIZE];
	size_t len = strlen(file);

	snprintf(path, sizeof(path), "%s/pcaps/%s", shared ? shared : "../shared", file);
	FILE *there = fopen(path, "rb");
	if (!there)
		return NULL;
	fclose(there);
	bool compressed = len > 3 && strcmp(file + len - 3, ".gz") == 0;
	snprintf(command, sizeof(command), "%s '%s'", compressed ? "gzip -dc" : "cat", path);
	*pipe = popen(command, "r");
	cr_assert(*pipe != NULL);
	pcap_t *pcap = pcap_fopen_offline(*pipe, error);
	cr_assert(pcap != NULL, "%s: %s", file, error);
	return pcap;
}

static unsigned messages_of(pcap_t *pcap, struct tcp_streams_stats *stats)
{
	struct tcp_streams *streams = tcp_streams_new((size_t)8 << 20, 1);
	uint16_t link = (uint16_t)pcap_datalink(pcap);
	const u_char *bytes;
	struct pcap_pkthdr *header;
	unsigned count = 0;

	cr_assert(streams != NULL);
	while (pcap_next_ex(pcap, &header, &bytes) == 1) {
		struct packet p;
		struct frame frame = { .ts_ns = header->ts.tv_sec * INT64_C(1000000000) +
						header->ts.tv_usec * 1000 };
		decoded_bytes(&p, link, bytes, header->caplen, header->len);
		if (p.protocol == IPPROTO_TCP && p.tcp_flags)
			tcp_streams_segment(streams, &p, &frame, count_message, &count);
	}
	tcp_streams_flush(streams, count_message, &count);
	tcp_streams_stats(streams, stats);
	cr_assert_eq(stats->messages, count);
	tcp_streams_free(streams);
	return count;
}

Test(tcp_captures, give_as_many_messages_as_tshark_finds_or_it_is_said_why_not)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct capture_row *row = &rows[i];
		struct tcp_streams_stats stats;
		FILE *pipe;
		pcap_t *pcap = open_capture(row->file, &pipe);
		if (!pcap)
			continue;
		unsigned count = messages_of(pcap, &stats);
		pcap_close(pcap); /* closes the stream, which leaves the child to the end */
		cr_expect_eq(count, row->messages, "%s: %u messages, not %u; %s", row->file,
			count, row->messages, row->why);
		cr_expect((row->messages == row->tshark) == (row->why[0] == '\0'),
			"%s: a difference has a reason", row->file);
	}
}
