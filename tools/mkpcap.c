/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mkpcap -- makes large, realistic DNS captures for benchmarks and load tests.
 *
 * Every figure that shapes the traffic is an option with a default taken from enterprise
 * networks: popular names are asked for often (Zipf), most queries carry EDNS, answers come
 * after a delay, some answers are CNAME chains into a CDN, some names do not exist, some are
 * dynamic, now and then a host updates its own record. The same options and seed give the same
 * file, byte for byte.
 *
 * Nothing repeats: ids, ports and times differ in every exchange, so flow tables are not
 * flattered.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sensor/base/hash.h"
#include "sensor/base/quantity.h"
#include "sensor/dns/message.h"

#define FRAME_MAX   1600
#define PENDING_MAX 256 /* answers on their way at any time */
#define START_S     INT64_C(1790000000)

enum kind {
	KIND_HOST,    /* ordinary name: A or AAAA */
	KIND_CDN,     /* CNAME into a CDN, then addresses */
	KIND_DYNAMIC, /* dynamic-DNS name, low TTL */
	KIND_MISSING, /* NXDOMAIN */
	KIND_UPDATE,  /* RFC 2136 UPDATE, unsigned, refused */
};

struct options {
	uint64_t packets, clients, tenants, names, seed, records, rate;
	double missing, flood, dynamic, updates, malformed, tcp;
	bool vlans;
	const char *path, *feed_path;
	uint64_t feed_names;
};

struct name {
	uint8_t wire[64];
	uint8_t wire_len;
	uint8_t kind;
	uint16_t ttl;
};

/* One exchange: what is needed to write its query and, later, its answer. */
struct exchange {
	const struct name *name;
	struct name own; /* KIND_MISSING: a name of this exchange alone */
	uint32_t client, tenant;
	uint16_t id, port, qtype;
	uint8_t kind;
	bool edns, tcp;
	uint32_t seq[2]; /* TCP: the next of the client, of the server */
};

struct maker {
	struct options opt;
	FILE *out;
	struct name *name;
	double *zipf; /* cumulative */
	uint64_t state;
	uint64_t written;
	struct exchange pending[PENDING_MAX];
	size_t pending_count;
};

static uint64_t random_u64(struct maker *m)
{
	m->state += HASH_K0;
	return hash_fold(m->state ^ HASH_K2, HASH_K1);
}

static uint64_t below(struct maker *m, uint64_t limit)
{
	return (uint64_t)(((__uint128_t)random_u64(m) * limit) >> 64);
}

static double unit(struct maker *m)
{
	return (double)(random_u64(m) >> 11) * 0x1p-53;
}

/* --- names -------------------------------------------------------------------------------- */

static void name_append(struct name *n, const char *label, size_t len)
{
	n->wire[n->wire_len++] = (uint8_t)len;
	memcpy(n->wire + n->wire_len, label, len);
	n->wire_len = (uint8_t)(n->wire_len + len);
}

static void name_append_text(struct name *n, const char *text)
{
	while (*text) {
		size_t len = strcspn(text, ".");
		name_append(n, text, len);
		text += len + (text[len] == '.');
	}
}

/* A pronounceable label, so that popular names do not look generated. */
static size_t word(uint64_t number, char *out)
{
	static const char consonants[] = "bcdfghklmnprstvw", vowels[] = "aeiou";
	size_t len = 0;
	do {
		out[len++] = consonants[number % 16];
		out[len++] = vowels[number / 16 % 5];
		number /= 80;
	} while (number && len < 14);
	return len;
}

static void name_make(struct maker *m, struct name *n, uint64_t number)
{
	static const char *const top[] = { "com", "net", "org", "de", "io", "example",
		"co.uk" };
	static const char *const host[] = { "www", "api", "cdn", "mail", "static", "login" };
	static const char *const dynamic[] = { "duckdns.org", "ddns.net", "hopto.org",
		"dynv6.net", "no-ip.org", "zapto.org" };
	char label[32];

	*n = (struct name){ .kind = KIND_HOST, .ttl = (uint16_t)(30 + number * 7919 % 3570) };
	double draw = unit(m);
	if (draw < m->opt.dynamic) {
		n->kind = KIND_DYNAMIC;
		n->ttl = 60;
		name_append(n, label, word(number * 2654435761u, label));
		name_append_text(n, dynamic[number % ARRAY_LEN(dynamic)]);
		return;
	}
	if (draw < m->opt.dynamic + 0.25)
		n->kind = KIND_CDN;
	name_append_text(n, host[number % ARRAY_LEN(host)]);
	name_append(n, label, word(number * 2654435761u % 100000007u, label));
	name_append_text(n, top[number % ARRAY_LEN(top)]);
}

/*
 * Names that do not exist, as in real networks: mostly existing ones with the search suffix
 * appended, some dead names that software keeps asking for.
 */
static void name_make_missing(struct maker *m, struct name *n)
{
	char label[32];
	const struct name *real = &m->name[below(m, m->opt.names)];

	*n = (struct name){ .kind = KIND_MISSING };
	if (unit(m) < 0.7 && real->wire_len < 48) {
		memcpy(n->wire, real->wire, real->wire_len);
		n->wire_len = real->wire_len;
		name_append_text(n, "corp.example");
		return;
	}
	name_append_text(n, "update");
	name_append(n, label, word(50000000 + below(m, 40), label));
	name_append_text(n, "com");
}

/* A random-subdomain flood: every name new, all below one victim. */
static void name_make_flood(struct maker *m, struct name *n)
{
	char label[16];
	uint64_t draw = random_u64(m);

	*n = (struct name){ .kind = KIND_MISSING };
	for (size_t i = 0; i < 12; i++)
		label[i] = (char)('a' + (draw >> (5 * i)) % 26);
	name_append(n, label, 12);
	name_append_text(n, "victim.example");
}

static bool make_names(struct maker *m)
{
	m->name = calloc(m->opt.names, sizeof(*m->name));
	m->zipf = calloc(m->opt.names, sizeof(*m->zipf));
	if (!m->name || !m->zipf)
		return false;
	double sum = 0;
	for (uint64_t i = 0; i < m->opt.names; i++) {
		name_make(m, &m->name[i], i);
		sum += 1.0 / pow((double)(i + 1), 0.9);
		m->zipf[i] = sum;
	}
	return true;
}

static const struct name *popular_name(struct maker *m)
{
	double want = unit(m) * m->zipf[m->opt.names - 1];
	uint64_t low = 0, high = m->opt.names - 1;
	while (low < high) {
		uint64_t mid = (low + high) / 2;
		if (m->zipf[mid] < want)
			low = mid + 1;
		else
			high = mid;
	}
	return &m->name[low];
}

/* --- messages ------------------------------------------------------------------------------
 */

struct wire {
	uint8_t at[FRAME_MAX];
	size_t len;
};

static void put_u8(struct wire *w, unsigned v)
{
	w->at[w->len++] = (uint8_t)v;
}

static void put_u16(struct wire *w, unsigned v)
{
	put_u8(w, v >> 8);
	put_u8(w, v & 255);
}

static void put_u32(struct wire *w, uint32_t v)
{
	put_u16(w, v >> 16);
	put_u16(w, v & 65535);
}

static void put_bytes(struct wire *w, const void *bytes, size_t len)
{
	memcpy(w->at + w->len, bytes, len);
	w->len += len;
}

static void put_name(struct wire *w, const struct name *n)
{
	put_bytes(w, n->wire, n->wire_len);
	put_u8(w, 0);
}

static void put_header(
	struct wire *w, const struct exchange *x, unsigned flags, const unsigned count[4])
{
	put_u16(w, x->id);
	put_u16(w, flags);
	for (int i = 0; i < 4; i++)
		put_u16(w, count[i]);
	put_name(w, x->name);
	put_u16(w, x->qtype);
	put_u16(w, DNS_CLASS_IN);
}

static void put_record(
	struct wire *w, unsigned owner, unsigned type, unsigned class_, uint32_t ttl)
{
	put_u16(w, 0xc000 | owner);
	put_u16(w, type);
	put_u16(w, class_);
	put_u32(w, ttl);
}

static void put_opt(struct wire *w)
{
	put_u8(w, 0);
	put_u16(w, DNS_TYPE_OPT);
	put_u16(w, 1232);
	put_u32(w, 0);
	put_u16(w, 0);
}

static void put_address(struct wire *w, unsigned type, uint64_t number)
{
	if (type == DNS_TYPE_AAAA) {
		put_u16(w, 16);
		put_u32(w, 0x20010db8);
		put_u32(w, (uint32_t)(number >> 32));
		put_u32(w, 0);
		put_u32(w, (uint32_t)number);
	} else {
		put_u16(w, 4);
		put_u32(w, 0x2d000000 | (uint32_t)(number & 0xffffff));
	}
}

static void put_soa(struct wire *w)
{
	static const uint8_t rdata[] = { 2, 'n', 's', 0xc0, 12, 4, 'r', 'o', 'o', 't', 0xc0, 12,
		0, 0, 0, 1, 0, 0, 14, 16, 0, 0, 3, 132, 0, 9, 58, 128, 0, 0, 0, 60 };
	put_record(w, 12, DNS_TYPE_SOA, DNS_CLASS_IN, 60);
	put_u16(w, sizeof(rdata));
	put_bytes(w, rdata, sizeof(rdata));
}

/* What a host sends to register itself: delete its A records, add the current one. */
static void put_update(struct wire *w, const struct exchange *x, bool response)
{
	const unsigned count[4] = { 1, 0, response ? 0 : 2, 0 };
	put_header(w, x, response ? 0xa805 : 0x2800, count);
	if (response)
		return;
	put_record(w, 12, DNS_TYPE_A, DNS_CLASS_ANY, 0);
	put_u16(w, 0);
	put_record(w, 12, DNS_TYPE_A, DNS_CLASS_IN, 1200);
	put_address(w, DNS_TYPE_A, x->client);
}

static void put_query(struct wire *w, const struct exchange *x)
{
	const unsigned count[4] = { 1, 0, 0, x->edns };
	if (x->kind == KIND_UPDATE) {
		put_update(w, x, false);
		return;
	}
	put_header(w, x, 0x0100, count);
	if (x->edns)
		put_opt(w);
}

static void put_answer(struct wire *w, const struct exchange *x, uint64_t records)
{
	bool cdn = x->kind == KIND_CDN, missing = x->kind == KIND_MISSING;
	uint64_t name_hash = hash_bytes(0, x->name->wire, x->name->wire_len);
	unsigned addresses = missing   ? 0
			     : records ? (unsigned)records
				       : 1 + (unsigned)(name_hash % 3);
	const unsigned count[4] = { 1, addresses + cdn, missing, x->edns };

	if (x->kind == KIND_UPDATE) {
		put_update(w, x, true);
		return;
	}
	put_header(w, x, missing ? 0x8183 : 0x8180, count);
	unsigned owner = 12;
	if (cdn) {
		static const uint8_t target[] = { 4, 'e', 'd', 'g', 'e', 9, 'c', 'd', 'n', '-',
			'h', 'o', 's', 't', 's', 7, 'e', 'x', 'a', 'm', 'p', 'l', 'e', 0 };
		put_record(w, 12, DNS_TYPE_CNAME, DNS_CLASS_IN, 300);
		put_u16(w, sizeof(target));
		owner = (unsigned)w->len;
		put_bytes(w, target, sizeof(target));
	}
	for (unsigned i = 0; i < addresses; i++) {
		put_record(w, owner, x->qtype, DNS_CLASS_IN, x->name->ttl);
		put_address(w, x->qtype, name_hash + i * 7);
	}
	if (missing)
		put_soa(w);
	if (x->edns)
		put_opt(w);
}

/* --- frames --------------------------------------------------------------------------------
 */

static uint32_t sum16(uint32_t sum, const uint8_t *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++)
		sum += (uint32_t)bytes[i] << (i % 2 ? 0 : 8);
	return sum;
}

static void set_checksum(uint8_t *at, uint32_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	at[0] = (uint8_t)(~sum >> 8);
	at[1] = (uint8_t)~sum;
}

/* Everything below the transport header; returns where the IP header begins. */
static size_t put_ip(struct wire *f, const struct maker *m, const struct exchange *x,
	size_t transport_len, bool from_server)
{
	uint32_t client = 0x0a000000 | (x->tenant & 255) << 16 | (0x0100 + x->client % 65000);
	uint32_t server = 0x0a000000 | (x->tenant & 255) << 16 | 53;

	put_bytes(f, from_server ? "\2\0\0\0\0\2\2\0\0\0\0\1" : "\2\0\0\0\0\1\2\0\0\0\0\2", 12);
	if (m->opt.vlans) {
		put_u16(f, 0x8100);
		put_u16(f, 100 + x->tenant % 3900);
	}
	put_u16(f, 0x0800);
	size_t ip = f->len;
	put_u16(f, 0x4500);
	put_u16(f, (unsigned)(20 + transport_len));
	put_u16(f, x->id ^ 0x5a5a);
	put_u16(f, 0x4000);
	put_u16(f, (from_server ? 64 : 128) << 8 | (x->tcp ? 6 : 17));
	put_u16(f, 0);
	put_u32(f, from_server ? server : client);
	put_u32(f, from_server ? client : server);
	set_checksum(f->at + ip + 10, sum16(0, f->at + ip, 20));
	put_u16(f, from_server ? 53 : x->port);
	put_u16(f, from_server ? x->port : 53);
	return ip;
}

static void put_udp(struct wire *f, const struct maker *m, const struct exchange *x,
	const struct wire *dns, bool response)
{
	put_ip(f, m, x, 8 + dns->len, response);
	put_u16(f, (unsigned)(8 + dns->len));
	put_u16(f, 0); /* no checksum (RFC 768) */
	put_bytes(f, dns->at, dns->len);
}

enum tcp_flag {
	TCP_FIN = 0x01,
	TCP_SYN = 0x02,
	TCP_PUSH = 0x08,
	TCP_ACK = 0x10,
};

static void put_tcp(struct wire *f, const struct maker *m, struct exchange *x,
	const struct wire *dns, bool from_server, unsigned flags)
{
	size_t payload_len = dns ? 2 + dns->len : 0;
	size_t ip = put_ip(f, m, x, 20 + payload_len, from_server);

	put_u32(f, x->seq[from_server]);
	put_u32(f, flags & TCP_ACK ? x->seq[!from_server] : 0);
	put_u16(f, 0x5000 | flags);
	put_u16(f, 65000);
	put_u32(f, 0);
	if (dns) {
		put_u16(f, (unsigned)dns->len);
		put_bytes(f, dns->at, dns->len);
	}
	uint32_t sum = (uint32_t)(6 + 20 + payload_len);
	set_checksum(f->at + ip + 36, sum16(sum, f->at + ip + 12, 8 + 20 + payload_len));
	x->seq[from_server] += (uint32_t)payload_len + !!(flags & (TCP_SYN | TCP_FIN));
}

static bool write_frame(struct maker *m, const struct wire *frame)
{
	uint64_t us = m->written * 1000000 / m->opt.rate;
	uint32_t header[4] = { (uint32_t)(START_S + (int64_t)(us / 1000000)),
		(uint32_t)(us % 1000000), (uint32_t)frame->len, (uint32_t)frame->len };
	m->written++;
	return fwrite(header, sizeof(header), 1, m->out) == 1 &&
	       fwrite(frame->at, frame->len, 1, m->out) == 1;
}

/* The shortest connection there is: opened with the query, closed with the answer. */
static bool write_segments(
	struct maker *m, struct exchange *x, const struct wire *dns, bool response)
{
	static const struct {
		bool from_server, message;
		unsigned flags;
	} parts[2][3] = {
		{ { false, false, TCP_SYN }, { true, false, TCP_SYN | TCP_ACK },
			{ false, true, TCP_PUSH | TCP_ACK } },
		{ { true, true, TCP_PUSH | TCP_ACK }, { true, false, TCP_FIN | TCP_ACK },
			{ false, false, TCP_FIN | TCP_ACK } },
	};
	for (size_t i = 0; i < 3 && m->written < m->opt.packets; i++) {
		struct wire frame = { .len = 0 };
		put_tcp(&frame, m, x, parts[response][i].message ? dns : NULL,
			parts[response][i].from_server, parts[response][i].flags);
		if (!write_frame(m, &frame))
			return false;
	}
	return true;
}

static bool write_message(struct maker *m, struct exchange *x, bool response)
{
	struct wire dns = { .len = 0 }, frame = { .len = 0 };
	if (response)
		put_answer(&dns, x, m->opt.records);
	else
		put_query(&dns, x);
	if (unit(m) < m->opt.malformed)
		dns.len = dns.len > 16 ? 16 : dns.len;
	if (x->tcp)
		return write_segments(m, x, &dns, response);
	put_udp(&frame, m, x, &dns, response);
	return write_frame(m, &frame);
}

static void make_exchange(struct maker *m, struct exchange *x)
{
	uint64_t draw = random_u64(m);
	double share = unit(m);

	*x = (struct exchange){
		.client = (uint32_t)below(m, m->opt.clients),
		.id = (uint16_t)draw,
		.port = (uint16_t)(1024 + (draw >> 16) % 64000),
		.qtype = (draw >> 40 & 3) == 0 ? DNS_TYPE_AAAA : DNS_TYPE_A,
		.edns = (draw >> 48 & 7) < 5,
	};
	x->tenant = (uint32_t)(x->client % m->opt.tenants);
	if (share < m->opt.flood) {
		name_make_flood(m, &x->own);
		x->name = &x->own;
	} else if (share < m->opt.flood + m->opt.missing) {
		name_make_missing(m, &x->own);
		x->name = &x->own;
	} else {
		x->name = popular_name(m);
	}
	x->kind = x->name->kind;
	if (share > 1 - m->opt.updates) {
		x->kind = KIND_UPDATE;
		x->qtype = DNS_TYPE_SOA;
	}
	if (m->opt.tcp > 0) { /* without it the same numbers are drawn as ever */
		x->tcp = unit(m) < m->opt.tcp;
		x->seq[0] = (uint32_t)random_u64(m);
		x->seq[1] = (uint32_t)random_u64(m);
	}
}

static bool write_capture(struct maker *m)
{
	/* Magic, version 2.4, no zone, snaplen 65535, Ethernet; in this machine's byte order.
	 */
	const uint32_t header[6] = { 0xa1b2c3d4, 4 << 16 | 2, 0, 0, 65535, 1 };
	if (fwrite(header, sizeof(header), 1, m->out) != 1)
		return false;
	while (m->written < m->opt.packets) {
		size_t slot = below(m, PENDING_MAX);
		struct exchange *x = &m->pending[slot];
		if (x->name && !write_message(m, x, true))
			return false;
		make_exchange(m, x);
		if (m->written < m->opt.packets && !write_message(m, x, false))
			return false;
	}
	return fflush(m->out) == 0;
}

/* A malicious feed: names that nobody asks for, and one in 100,000 of those that are. */
static bool write_feed(struct maker *m)
{
	FILE *f = fopen(m->opt.feed_path, "w");
	if (!f)
		return false;
	for (uint64_t i = 0; i < m->opt.feed_names; i++) {
		char label[32];
		size_t len = word(i * 2654435761u % 1000000007u, label);
		fprintf(f, "c2-%.*s%llu.%s\n", (int)len, label, (unsigned long long)i,
			i % 3 ? "example.net" : "bad-hosts.org");
	}
	return fclose(f) == 0;
}

/* --- command line --------------------------------------------------------------------------
 */

static const char usage[] =
	"Usage: mkpcap [OPTIONS] -o FILE\n"
	"Make a realistic DNS capture. The same options give the same file.\n"
	"\n"
	"  -o, --output FILE      where to write (- is standard output)\n"
	"  -n, --packets N        packets to write (default 1000000)\n"
	"      --clients N        distinct clients (5000)\n"
	"      --tenants N        tenants the clients are spread over (20): 10.T.0.0/16\n"
	"      --vlans            tag each tenant's frames with VLAN 100 + tenant\n"
	"      --names N          distinct names, asked for by Zipf's law (100000)\n"
	"      --nxdomain SHARE   queries for names that do not exist (0.08)\n"
	"      --flood SHARE      queries for random names below one victim, all NXDOMAIN (0)\n"
	"      --dynamic SHARE    names that are dynamic DNS (0.01)\n"
	"      --updates SHARE    exchanges that are UPDATEs (0.001)\n"
	"      --malformed SHARE  messages cut short (0)\n"
	"      --tcp SHARE        exchanges over TCP, each a connection of six segments (0)\n"
	"      --records N        address records in every answer (0: 1 to 3)\n"
	"      --rate N           packets per second of capture time (100000)\n"
	"      --seed N           another capture of the same kind (1)\n"
	"      --feed FILE        also write a feed of malicious names ...\n"
	"      --feed-names N     ... of so many names (1000000)\n"
	"  -h, --help             this text\n";

enum option_letter {
	OPT_CLIENTS = 256,
	OPT_TENANTS,
	OPT_VLANS,
	OPT_NAMES,
	OPT_NXDOMAIN,
	OPT_FLOOD,
	OPT_DYNAMIC,
	OPT_UPDATES,
	OPT_MALFORMED,
	OPT_TCP,
	OPT_RECORDS,
	OPT_RATE,
	OPT_SEED,
	OPT_FEED,
	OPT_FEED_NAMES
};

static const struct option long_options[] = {
	{ "output", required_argument, NULL, 'o' },
	{ "packets", required_argument, NULL, 'n' },
	{ "clients", required_argument, NULL, OPT_CLIENTS },
	{ "tenants", required_argument, NULL, OPT_TENANTS },
	{ "vlans", no_argument, NULL, OPT_VLANS },
	{ "names", required_argument, NULL, OPT_NAMES },
	{ "nxdomain", required_argument, NULL, OPT_NXDOMAIN },
	{ "flood", required_argument, NULL, OPT_FLOOD },
	{ "dynamic", required_argument, NULL, OPT_DYNAMIC },
	{ "updates", required_argument, NULL, OPT_UPDATES },
	{ "malformed", required_argument, NULL, OPT_MALFORMED },
	{ "tcp", required_argument, NULL, OPT_TCP },
	{ "records", required_argument, NULL, OPT_RECORDS },
	{ "rate", required_argument, NULL, OPT_RATE },
	{ "seed", required_argument, NULL, OPT_SEED },
	{ "feed", required_argument, NULL, OPT_FEED },
	{ "feed-names", required_argument, NULL, OPT_FEED_NAMES },
	{ "help", no_argument, NULL, 'h' },
	{ NULL, 0, NULL, 0 },
};

static bool take_option(struct options *o, int letter, const char *text)
{
	switch (letter) {
	case 'o':
		o->path = text;
		return true;
	case OPT_FEED:
		o->feed_path = text;
		return true;
	case OPT_VLANS:
		o->vlans = true;
		return true;
	case 'n':
		return quantity_parse_count(&o->packets, text);
	case OPT_CLIENTS:
		return quantity_parse_count(&o->clients, text) && o->clients;
	case OPT_TENANTS:
		return quantity_parse_count(&o->tenants, text) && o->tenants;
	case OPT_NAMES:
		return quantity_parse_count(&o->names, text) && o->names;
	case OPT_RECORDS:
		return quantity_parse_count(&o->records, text) && o->records <= 40;
	case OPT_RATE:
		return quantity_parse_count(&o->rate, text) && o->rate;
	case OPT_SEED:
		return quantity_parse_count(&o->seed, text);
	case OPT_FEED_NAMES:
		return quantity_parse_count(&o->feed_names, text);
	case OPT_NXDOMAIN:
		return quantity_parse_number(&o->missing, text);
	case OPT_FLOOD:
		return quantity_parse_number(&o->flood, text);
	case OPT_DYNAMIC:
		return quantity_parse_number(&o->dynamic, text);
	case OPT_UPDATES:
		return quantity_parse_number(&o->updates, text);
	case OPT_MALFORMED:
		return quantity_parse_number(&o->malformed, text);
	case OPT_TCP:
		return quantity_parse_number(&o->tcp, text);
	default:
		return false;
	}
}

int main(int argc, char **argv)
{
	struct maker m = { .opt = { .packets = 1000000,
				   .clients = 5000,
				   .tenants = 20,
				   .names = 100000,
				   .seed = 1,
				   .rate = 100000,
				   .missing = 0.08,
				   .dynamic = 0.01,
				   .updates = 0.001,
				   .feed_names = 1000000 } };
	int letter;
	while ((letter = getopt_long(argc, argv, "o:n:h", long_options, NULL)) != -1) {
		if (letter == 'h') {
			fputs(usage, stdout);
			return 0;
		}
		if (!take_option(&m.opt, letter, optarg)) {
			fprintf(stderr, "mkpcap: bad option or value; see mkpcap --help\n");
			return 2;
		}
	}
	if (!m.opt.path || optind != argc) {
		fputs(usage, stderr);
		return 2;
	}
	m.state = m.opt.seed;
	m.out = strcmp(m.opt.path, "-") == 0 ? stdout : fopen(m.opt.path, "wb");
	if (!m.out || !make_names(&m) || !write_capture(&m) ||
		(m.opt.feed_path && !write_feed(&m)) || fclose(m.out) != 0) {
		fprintf(stderr, "mkpcap: %s: %s\n", m.opt.path, strerror(errno));
		return 1;
	}
	free(m.name);
	free(m.zipf);
	return 0;
}
