/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bench_dns.c -- nanoseconds per message: decode, decode and hash, log; libldns in the same run.
 *
 *	bench_dns [CAPTURE]   the messages to or from port 53 of an Ethernet capture, or built-in ones
 */
#include "sensor/base/clock.h"
#include "sensor/base/cursor.h"
#include "sensor/dns/message.h"
#include "sensor/output/dnslog.h"

#include <ldns/ldns.h>
#include <pcap/pcap.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MESSAGES_MAX 20000
#define ROUND_NS     (200 * NS_PER_MS)

struct messages {
	const char *name;
	size_t count;
	struct {
		const uint8_t *wire;
		size_t len;
	} at[MESSAGES_MAX];
};

static uint64_t sink; /* so that nothing measured is left out by the compiler */
static struct dns_message decoded;
static struct dnslog *dns_log;

static void decode(const uint8_t *wire, size_t len)
{
	if (dns_message_decode(&decoded, wire, len) == DNS_OK)
		sink += decoded.record_count;
}

static void decode_and_hash(const uint8_t *wire, size_t len)
{
	uint64_t hash[DNS_LABELS_MAX + 1];

	decode(wire, len);
	sink += hash[dns_name_hash_suffixes(&decoded.qname, 1, hash, DNS_LABELS_MAX)];
}

static void decode_and_log(const uint8_t *wire, size_t len)
{
	static const uint8_t client[4] = { 10, 1, 17, 5 };
	static const uint8_t server[4] = { 10, 1, 0, 53 };
	static int64_t ts_ns = 1700000000 * NS_PER_S;

	if (dns_message_decode(&decoded, wire, len) != DNS_OK)
		return;
	ts_ns += 12345;
	struct dnslog_entry entry = {
		.ts_ns = ts_ns,
		.src = ip_from_v4(client),
		.dst = ip_from_v4(server),
		.sport = 40123,
		.dport = 53,
		.tenant = "default",
		.message = &decoded,
	};
	dnslog_write(dns_log, &entry);
}

static void with_libldns(const uint8_t *wire, size_t len)
{
	ldns_pkt *packet;

	if (ldns_wire2pkt(&packet, wire, len) == LDNS_STATUS_OK) {
		sink += ldns_pkt_ancount(packet);
		ldns_pkt_free(packet);
	}
}

/* The best of five rounds. */
static double measure(const struct messages *m, void (*use)(const uint8_t *, size_t))
{
	double best_ns = 1e9;

	for (int round = 0; round < 5; round++) {
		int64_t start = clock_monotonic_ns();
		int64_t now = start;
		size_t done = 0;
		while (now - start < ROUND_NS / 5) {
			for (size_t i = 0; i < m->count; i++)
				use(m->at[i].wire, m->at[i].len);
			done += m->count;
			now = clock_monotonic_ns();
		}
		double ns = (double)(now - start) / (double)done;
		if (ns < best_ns)
			best_ns = ns;
	}
	return best_ns;
}

static void report(const struct messages *m)
{
	if (m->count == 0)
		return;
	printf("%-24s %7zu messages: decode %6.1f ns  +hashes %6.1f ns  decode+log %7.1f ns  "
	       "libldns %8.1f ns\n",
		m->name, m->count, measure(m, decode), measure(m, decode_and_hash),
		measure(m, decode_and_log), measure(m, with_libldns));
}

static void add(struct messages *m, const void *wire, size_t len)
{
	uint8_t *copy = malloc(len + 1);

	if (!copy || m->count == MESSAGES_MAX)
		abort();
	memcpy(copy, wire, len);
	m->at[m->count].wire = copy;
	m->at[m->count++].len = len;
}

static void report_built_in(void)
{
	static struct messages m;
	static const char query[] = "\x1a\x2b\1\0\0\1\0\0\0\0\0\1"
				    "\3www\7example\3com\0\0\1\0\1"
				    "\0\0\x29\4\xd0\0\0\0\0\0\0";
	static const char response[] = "\x1a\x2b\x81\x80\0\1\0\3\0\0\0\1"
				       "\3www\7example\3com\0\0\1\0\1"
				       "\xc0\x0c\0\1\0\1\0\0\1\x2c\0\4\xc0\0\2\1"
				       "\xc0\x0c\0\1\0\1\0\0\1\x2c\0\4\xc0\0\2\2"
				       "\xc0\x0c\0\1\0\1\0\0\1\x2c\0\4\xc0\0\2\3"
				       "\0\0\x29\4\xd0\0\0\0\0\0\0";

	m.name = "query";
	add(&m, query, sizeof(query) - 1);
	report(&m);
	m.name = "response, 3 answers";
	m.count = 0;
	add(&m, response, sizeof(response) - 1);
	report(&m);
}

/* UDP over IPv4 on plain Ethernet is enough to measure with. */
static void add_frame(struct messages *m, const uint8_t *bytes, size_t len)
{
	struct cursor c = cursor_init(bytes, len);

	cursor_take(&c, 12);
	if (cursor_be16(&c) != 0x0800)
		return;
	unsigned first = cursor_u8(&c);
	cursor_take(&c, 8);
	unsigned protocol = cursor_u8(&c);
	cursor_take(&c, 10);
	if (first != 0x45 || protocol != 17)
		return;
	unsigned sport = cursor_be16(&c);
	unsigned dport = cursor_be16(&c);
	size_t udp_len = cursor_be16(&c);
	cursor_be16(&c);
	size_t payload_len = udp_len >= 8 ? udp_len - 8 : 0;
	const uint8_t *payload = cursor_take(&c, payload_len);
	if (payload && payload_len >= 12 && (sport == 53 || dport == 53))
		add(m, payload, payload_len);
}

static int report_capture(const char *path)
{
	static struct messages m;
	char why[PCAP_ERRBUF_SIZE];
	struct pcap_pkthdr *header;
	const u_char *bytes;
	pcap_t *pcap = pcap_open_offline(path, why);

	if (!pcap) {
		fprintf(stderr, "bench_dns: %s\n", why);
		return 3;
	}
	m.name = strrchr(path, '/') ? strrchr(path, '/') + 1 : path;
	while (m.count < MESSAGES_MAX && pcap_next_ex(pcap, &header, &bytes) == 1)
		add_frame(&m, bytes, header->caplen);
	pcap_close(pcap);
	report(&m);
	return 0;
}

int main(int argc, char **argv)
{
	int status = 0;

	dns_log = dnslog_open("/dev/null", 0);
	if (!dns_log)
		return 1;
	if (argc > 1)
		status = report_capture(argv[1]);
	else
		report_built_in();
	return dnslog_close(dns_log) ? 1 : status;
}
