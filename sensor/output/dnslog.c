/* SPDX-License-Identifier: BSD-2-Clause */
#include "sensor/output/dnslog.h"

#include "sensor/base/clock.h"
#include "sensor/base/json.h"
#include "sensor/base/text.h"
#include "sensor/dns/present.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/*
 * Every message takes some sixty appends, so they are plain copies into room that was reserved
 * beforehand: ROOM_FIXED for what a message or record has apart from its names and data, which
 * reserve for themselves. Names and data are written in place and need escaping only when they
 * hold a quote or a backslash; all else in them is printable ASCII.
 */
#define ROOM_FIXED 512

struct dnslog {
	int fd;
	bool owns_fd;
	int failed_errno; /* of the first failed write; 0 */
	struct text out;
	/* The second that `second_text` tells, for messages of the same one:
	 * "2026-11-22T13:25:36." */
	int64_t second;
	char second_text[CLOCK_TEXT_MAX];
	/* The tenant as a JSON string, for messages of the same one. */
	char *tenant;
	struct text tenant_json;
	/* Where in `out` the question's name of the message at hand is, with its quotes. */
	size_t qname_at;
	size_t qname_len;
};

struct dnslog *dnslog_open(const char *path)
{
	struct dnslog *log = calloc(1, sizeof(*log));

	if (!log)
		return NULL;
	log->second = INT64_MIN;
	log->fd = STDOUT_FILENO;
	log->owns_fd = strcmp(path, "-") != 0;
	if (log->owns_fd)
		log->fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (log->fd == -1 || !text_reserve(&log->out, DNSLOG_BUFFER_BYTES + 65536)) {
		int why = log->fd == -1 ? errno : ENOMEM;
		if (log->owns_fd && log->fd != -1)
			close(log->fd);
		free(log);
		errno = why;
		return NULL;
	}
	return log;
}

/* Wait until a descriptor that does not block takes more. */
static void wait_writable(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLOUT };
	poll(&p, 1, 1000);
}

static void write_out(struct dnslog *log)
{
	const char *at = log->out.at;
	size_t left = log->out.len;

	if (log->out.failed && !log->failed_errno)
		log->failed_errno = ENOMEM;
	while (left > 0 && !log->failed_errno) {
		ssize_t written = write(log->fd, at, left);
		if (written >= 0) {
			at += written;
			left -= (size_t)written;
		} else if (errno == EAGAIN) {
			wait_writable(log->fd);
		} else if (errno != EINTR) {
			log->failed_errno = errno;
		}
	}
	text_clear(&log->out);
}

/* --- appending: the room was reserved --------------------------------------------------------
 */

/*
 * Reserve. Out of memory, what is buffered is dropped, so that the fixed parts of the message
 * at hand still have room; nothing is written any more.
 */
static inline bool room(struct text *t, size_t more)
{
	if (LIKELY(text_reserve(t, more)))
		return true;
	t->len = 0;
	return false;
}

static inline void put(struct text *t, const char *bytes, size_t bytes_len)
{
	memcpy(t->at + t->len, bytes, bytes_len);
	t->len += bytes_len;
}

#define PUT(t, literal) put((t), (literal), sizeof(literal) - 1)

static inline void put_string(struct text *t, const char *string)
{
	put(t, string, strlen(string));
}

static void put_number(struct text *t, uint32_t number)
{
	char digits[10];
	char *at = digits + sizeof(digits);

	do {
		*--at = (char)('0' + number % 10);
		number /= 10;
	} while (number);
	put(t, at, (size_t)(digits + sizeof(digits) - at));
}

/* Exactly nine digits. */
static void put_nanoseconds(struct text *t, uint32_t ns)
{
	char *at = t->at + t->len;

	for (int i = 8; i >= 0; i--) {
		at[i] = (char)('0' + ns % 10);
		ns /= 10;
	}
	t->len += 9;
}

/* Is one of eight octets a quote or a backslash? */
static inline bool any_to_escape(uint64_t octets)
{
	const uint64_t every = UINT64_C(0x0101010101010101);
	uint64_t quote = octets ^ '"' * every;
	uint64_t backslash = octets ^ '\\' * every;
	return (((quote - every) & ~quote) | ((backslash - every) & ~backslash)) & 0x80 * every;
}

static inline bool to_escape(char c)
{
	return c == '"' || c == '\\';
}

/* Escape what was appended since `from`, from its end, in place. */
static void escape_in_place(struct text *t, size_t from)
{
	size_t extra = 0;

	for (size_t i = from; i < t->len; i++)
		extra += to_escape(t->at[i]);
	if (extra == 0 || !room(t, extra + ROOM_FIXED))
		return;
	const char *read = t->at + t->len;
	char *write = t->at + t->len + extra;
	t->len += extra;
	while (write != read) {
		char c = *--read;
		*--write = c;
		if (to_escape(c))
			*--write = '\\';
	}
}

static inline void escape_since(struct text *t, size_t from)
{
	uint64_t octets;
	size_t i = from;

	if (UNLIKELY(t->failed))
		return;
	for (; t->len - i >= 8; i += 8) {
		memcpy(&octets, t->at + i, 8);
		if (any_to_escape(octets))
			break;
	}
	while (i < t->len && !to_escape(t->at[i]))
		i++;
	if (i < t->len)
		escape_in_place(t, i);
}

/* --- the parts of a line ---------------------------------------------------------------------
 */

static void put_time(struct dnslog *log, int64_t ts_ns)
{
	int64_t second = ts_ns / NS_PER_S - (ts_ns % NS_PER_S < 0);

	if (second != log->second) {
		clock_format(ts_ns, log->second_text);
		log->second = second;
	}
	/* "YYYY-MM-DDThh:mm:ss." is twenty characters: capture time is between 1677 and 2262.
	 */
	put(&log->out, log->second_text, 20);
	put_nanoseconds(&log->out, (uint32_t)(ts_ns - second * NS_PER_S));
	PUT(&log->out, "Z");
}

static void put_address(struct text *t, const struct ip *ip)
{
	ip_format(ip, t->at + t->len);
	t->len += strlen(t->at + t->len);
}

static void put_vlans(struct text *t, const struct dnslog_entry *e)
{
	PUT(t, ",\"vlan\":[");
	for (size_t i = 0; i < e->vlan_count; i++) {
		if (!room(t, ROOM_FIXED))
			return;
		if (i > 0)
			PUT(t, ",");
		put_number(t, e->vlan[i]);
	}
	PUT(t, "]");
}

/* A tenant's id is the operator's text: any characters. */
static void put_tenant(struct dnslog *log, const char *tenant)
{
	if (!log->tenant || strcmp(log->tenant, tenant) != 0) {
		struct json j = json_start(&log->tenant_json);
		free(log->tenant);
		log->tenant = strdup(tenant);
		text_clear(&log->tenant_json);
		json_string(&j, NULL, tenant);
	}
	if (log->tenant_json.failed)
		log->out.failed = true;
	if (!room(&log->out, log->tenant_json.len + ROOM_FIXED))
		return;
	PUT(&log->out, ",\"tenant\":");
	put(&log->out, log->tenant_json.at, log->tenant_json.len);
}

static void put_flags(struct text *t, uint16_t flags)
{
	static const struct {
		uint16_t bit;
		char text[6];
	} flag[] = {
		{ DNS_FLAG_AA, "\"AA\"," },
		{ DNS_FLAG_TC, "\"TC\"," },
		{ DNS_FLAG_RD, "\"RD\"," },
		{ DNS_FLAG_RA, "\"RA\"," },
		{ DNS_FLAG_AD, "\"AD\"," },
		{ DNS_FLAG_CD, "\"CD\"," },
	};
	size_t before;

	PUT(t, ",\"flags\":[");
	before = t->len;
	for (size_t i = 0; i < ARRAY_LEN(flag); i++) {
		if (flags & flag[i].bit)
			put(t, flag[i].text, 5);
	}
	if (t->len > before)
		t->len--; /* the last comma */
	PUT(t, "]");
}

static void put_name(struct text *t, const struct dns_name *name)
{
	if (!room(t, DNS_NAME_TEXT_MAX + ROOM_FIXED))
		return;
	PUT(t, "\"");
	size_t from = t->len;
	t->len += dns_name_format(name, t->at + t->len);
	escape_since(t, from);
	PUT(t, "\"");
}

static void put_question(struct dnslog *log, const struct dns_message *m)
{
	struct text *t = &log->out;
	char mnemonic[16];

	if (!m->has_question) {
		PUT(t, ",\"qname\":null,\"qtype\":null,\"qclass\":null");
		return;
	}
	PUT(t, ",\"qname\":");
	log->qname_at = t->len;
	put_name(t, &m->qname);
	log->qname_len = t->len - log->qname_at;
	PUT(t, ",\"qtype\":\"");
	put_string(t, dns_type_name(m->qtype, mnemonic));
	PUT(t, "\",\"qclass\":\"");
	put_string(t, dns_class_name(m->qclass, mnemonic));
	PUT(t, "\"");
}

static void put_header(struct dnslog *log, const struct dnslog_entry *e)
{
	struct text *t = &log->out;
	const struct dns_message *m = e->message;
	char mnemonic[16];

	PUT(t, "{\"ts\":\"");
	put_time(log, e->ts_ns);
	PUT(t, "\",\"src\":\"");
	put_address(t, &e->src);
	PUT(t, "\",\"sport\":");
	put_number(t, e->sport);
	PUT(t, ",\"dst\":\"");
	put_address(t, &e->dst);
	PUT(t, "\",\"dport\":");
	put_number(t, e->dport);
	put_string(t, e->tcp ? ",\"proto\":\"tcp\"" : ",\"proto\":\"udp\"");
	put_vlans(t, e);
	put_tenant(log, e->tenant);
	PUT(t, ",\"id\":");
	put_number(t, m->id);
	put_string(t, dns_is_response(m) ? ",\"response\":true" : ",\"response\":false");
	PUT(t, ",\"opcode\":\"");
	put_string(t, dns_opcode_name(m->opcode, mnemonic));
	PUT(t, "\",\"rcode\":");
	if (dns_is_response(m)) {
		PUT(t, "\"");
		put_string(t, dns_rcode_name(m->rcode, mnemonic));
		PUT(t, "\"");
	} else {
		PUT(t, "null");
	}
	put_flags(t, m->flags);
	put_question(log, m);
}

static void put_owner(
	struct dnslog *log, const struct dns_message *m, const struct dns_record *r)
{
	struct text *t = &log->out;
	struct cursor c = cursor_init(m->wire + r->owner_at, 2);
	struct dns_name owner;

	/* A pointer to the question's name: the same text again. */
	if (m->has_question && cursor_be16(&c) == (0xc000 | DNS_HEADER_LEN)) {
		if (room(t, log->qname_len + ROOM_FIXED))
			put(t, t->at + log->qname_at, log->qname_len);
		return;
	}
	dns_message_name(m, r->owner_at, &owner);
	put_name(t, &owner);
}

static void put_record(
	struct dnslog *log, const struct dns_message *m, const struct dns_record *r)
{
	struct text *t = &log->out;
	char mnemonic[16];

	PUT(t, "{\"name\":");
	put_owner(log, m, r);
	PUT(t, ",\"type\":\"");
	put_string(t, dns_type_name(r->type, mnemonic));
	PUT(t, "\",\"class\":\"");
	put_string(t, dns_class_name(r->class, mnemonic));
	PUT(t, "\",\"ttl\":");
	put_number(t, r->ttl);
	PUT(t, ",\"data\":\"");
	size_t from = t->len;
	present_rdata(t, m, r);
	escape_since(t, from);
	if (!room(t, ROOM_FIXED))
		return;
	PUT(t, "\"},");
}

static void put_records(struct dnslog *log, const struct dns_message *m)
{
	static const char *const key[] = {
		[DNS_ANSWER] = ",\"answers\":[",
		[DNS_AUTHORITY] = ",\"authority\":[",
		[DNS_ADDITIONAL] = ",\"additional\":[",
	};
	struct text *t = &log->out;
	struct dns_records it = dns_records_start(m);
	const struct dns_record *r = dns_records_next(&it);

	for (uint8_t section = DNS_ANSWER; section <= DNS_ADDITIONAL; section++) {
		put_string(t, key[section]);
		size_t before = t->len;
		for (; r && r->section == section && !t->failed; r = dns_records_next(&it))
			put_record(log, m, r);
		if (t->len > before)
			t->len--; /* the last comma */
		PUT(t, "]");
	}
}

void dnslog_write(struct dnslog *log, const struct dnslog_entry *entry)
{
	struct text *t = &log->out;

	if (log->failed_errno)
		return;
	if (t->len >= DNSLOG_BUFFER_BYTES)
		write_out(log);
	if (!room(t, ROOM_FIXED))
		return;
	put_header(log, entry);
	put_records(log, entry->message);
	PUT(t, "}\n");
}

int dnslog_flush(struct dnslog *log)
{
	write_out(log);
	return log->failed_errno;
}

int dnslog_close(struct dnslog *log)
{
	if (!log)
		return 0;
	int failed = dnslog_flush(log);
	if (log->owns_fd && close(log->fd) == -1 && !failed)
		failed = errno;
	text_deinit(&log->out);
	text_deinit(&log->tenant_json);
	free(log->tenant);
	free(log);
	return failed;
}
