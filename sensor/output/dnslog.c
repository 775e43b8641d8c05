/* SPDX-License-Identifier: BSD-2-Clause */
#include "sensor/output/dnslog.h"

#include "sensor/base/clock.h"
#include "sensor/base/digits.h"
#include "sensor/base/json.h"
#include "sensor/base/log.h"
#include "sensor/base/text.h"
#include "sensor/dns/present.h"
#include "sensor/dns/present_plain.h"
#include "sensor/output/dnslog_file.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/*
 * A message is 500 octets of some sixty pieces. They are copied to where `at` points, which every
 * function takes and returns moved on; room is looked for once for all that has a fixed size, and
 * more is copied than is there where that is one move: ROOM_FIXED has it. Names and data are plain
 * nearly always (present_plain.h) and go there without a look at their characters; others are
 * written by dns_name_format and present_rdata and escaped where they lie. A name that comes again
 * in the message, by a pointer, is copied from where it was written.
 *
 * 1,870 instructions a message of two records instead of 5,900 when every piece went through its own
 * text (callgrind: replay of mkpcap's mix with --dns-log, less the same without).
 */
#define ROOM_FIXED    1024
#define ROOM_RECORD   (ROOM_FIXED + PRESENT_PLAIN_NAME_MAX + PRESENT_PLAIN_RDATA_MAX)
#define OPT_PLAIN_MAX 256 /* octets of options that are written at once */
#define TENANT_MAX    64  /* longer ids are written by json_string */
#define NAMES         16
#define ADDRESSES     256 /* 16 KiB of those written last */
#define FLAGS_SHIFT   4   /* CD, the lowest flag that has a name */
#define FLAGS_COUNT   128 /* up to AA, the highest */

/* A name that was written, with its quotes. */
struct written_name {
	uint64_t line; /* of the message it belongs to */
	size_t text_at;
	uint16_t name_at; /* its offset in the message */
	uint16_t text_len;
};

/* An address that was written: servers come again in every other message, clients in the response. */
struct written_ip {
	struct ip ip;
	uint8_t text_len; /* 0: none */
	char text[IP_TEXT_MAX + 1];
};

_Static_assert(sizeof(struct written_ip) == CACHE_LINE, "one line of the cache each");

/* The flags of a message that have names, as text. */
struct flags_text {
	uint8_t len;
	char text[31];
};

struct dnslog {
	struct dnslog_file *file;
	int failed_errno; /* of the write that failed; 0 */
	struct text out;
	uint64_t line;
	struct written_name name[NAMES];
	struct written_ip address[ADDRESSES];
	struct flags_text flags[FLAGS_COUNT];
	struct clock_second second;
};

static char *write_flags(char *at, uint16_t flags)
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
	const char *before = at;

	for (size_t i = 0; i < ARRAY_LEN(flag); i++) {
		memcpy(at, flag[i].text, sizeof(flag[i].text));
		at += flags & flag[i].bit ? sizeof(flag[i].text) - 1 : 0;
	}
	return at - (at > before); /* the last comma */
}

static void make_flags(struct flags_text flags[FLAGS_COUNT])
{
	char text[64];

	for (uint16_t i = 0; i < FLAGS_COUNT; i++) {
		flags[i].len =
			(uint8_t)(write_flags(text, (uint16_t)(i << FLAGS_SHIFT)) - text);
		memcpy(flags[i].text, text, flags[i].len);
	}
}

struct dnslog *dnslog_open(const char *path, unsigned how)
{
	const size_t room = DNSLOG_BUFFER_BYTES + 65536;
	struct dnslog *log = calloc(1, sizeof(*log));

	if (!log)
		return NULL;
	make_flags(log->flags);
	log->file = dnslog_file_open(path, how, room);
	if (log->file && text_reserve(&log->out, room))
		return log;
	int why = log->file ? ENOMEM : errno;
	if (log->file)
		(void)dnslog_file_close(log->file);
	free(log);
	errno = why;
	return NULL;
}

static void write_out(struct dnslog *log)
{
	if (log->out.failed && !log->failed_errno)
		log->failed_errno = ENOMEM;
	if (!log->failed_errno)
		log->failed_errno = dnslog_file_put(log->file, &log->out);
	text_clear(&log->out);
}

/* --- appending ------------------------------------------------------------------------------- */

/* Text that lies in the same buffer, before: sixteen octets at a time. */
static inline char *put_again(char *at, const char *text, size_t text_len)
{
	for (size_t i = 0; i < text_len; i += 16)
		memcpy(at + i, text + i, 16);
	return at + text_len;
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
	if (extra == 0 || !text_reserve(t, extra))
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

/* --- the parts of a line -------------------------------------------------------------------- */

static char *put_vlans(struct text *t, char *at, const struct dnslog_entry *e)
{
	for (size_t i = 0; i < e->vlan_count; i++) {
		at = text_room(t, at, ROOM_FIXED);
		at = digits_put_u32(at, e->vlan[i]);
		*at = ',';
		at += i + 1 < e->vlan_count;
	}
	return at;
}

static char *put_odd_tenant(struct text *t, char *at, const char *tenant)
{
	struct json j = json_start(t);

	t->len = (size_t)(at - t->at);
	json_string(&j, NULL, tenant);
	return text_room(t, t->at + t->len, ROOM_FIXED);
}

/* A tenant's id is the operator's text: any characters, but few that are not plain. */
static char *put_tenant(struct text *t, char *at, const char *tenant)
{
	char *to = at;

	*to++ = '"';
	for (size_t i = 0; tenant[i]; i++) {
		char c = tenant[i];
		if (UNLIKELY(i == TENANT_MAX || c < ' ' || c > '~' || to_escape(c)))
			return put_odd_tenant(t, at, tenant);
		*to++ = c;
	}
	*to++ = '"';
	return to;
}

static char *put_flags(const struct dnslog *log, char *at, uint16_t flags)
{
	const struct flags_text *f = &log->flags[flags >> FLAGS_SHIFT & (FLAGS_COUNT - 1)];

	memcpy(at, f->text, sizeof(f->text));
	return at + f->len;
}

static char *put_ip(struct dnslog *log, char *at, const struct ip *ip)
{
	struct written_ip *w = &log->address[ip_hash(0, ip) % ADDRESSES];

	if (UNLIKELY(w->text_len == 0 || !ip_equal(&w->ip, ip))) {
		w->ip = *ip;
		w->text_len = (uint8_t)(ip_put(w->text, ip) - w->text);
	}
	memcpy(at, w->text, sizeof(w->text));
	return at + w->text_len;
}

static char *put_header(struct dnslog *log, char *at, const struct dnslog_entry *e)
{
	struct text *t = &log->out;
	const struct dns_message *m = e->message;

	at = TEXT_PUT(at, "{\"ts\":\"");
	at = clock_put(&log->second, at, e->ts_ns);
	at = TEXT_PUT(at, "\",\"src\":\"");
	at = put_ip(log, at, &e->src);
	at = TEXT_PUT(at, "\",\"sport\":");
	at = digits_put_u32(at, e->sport);
	at = TEXT_PUT(at, ",\"dst\":\"");
	at = put_ip(log, at, &e->dst);
	at = TEXT_PUT(at, "\",\"dport\":");
	at = digits_put_u32(at, e->dport);
	at = TEXT_PUT(at, ",\"proto\":\"");
	at = text_put(at, e->tcp ? "tcp" : "udp", 3);
	at = TEXT_PUT(at, "\",\"vlan\":[");
	at = put_vlans(t, at, e);
	at = TEXT_PUT(at, "],\"tenant\":");
	at = put_tenant(t, at, e->tenant);
	at = TEXT_PUT(at, ",\"id\":");
	at = digits_put_u32(at, m->id);
	if (dns_is_response(m)) {
		at = TEXT_PUT(at, ",\"response\":true,\"opcode\":\"");
		at = dns_opcode_put(at, m->opcode);
		at = TEXT_PUT(at, "\",\"rcode\":\"");
		at = dns_rcode_put(at, m->rcode);
		at = TEXT_PUT(at, "\",\"flags\":[");
	} else {
		at = TEXT_PUT(at, ",\"response\":false,\"opcode\":\"");
		at = dns_opcode_put(at, m->opcode);
		at = TEXT_PUT(at, "\",\"rcode\":null,\"flags\":[");
	}
	return put_flags(log, at, m->flags);
}

/* A name that is not plain, in quotes. */
static char *put_odd_name(
	struct text *t, char *at, const struct dns_message *m, uint16_t name_at)
{
	struct dns_name name;

	dns_message_name(m, name_at, &name);
	at = text_room(t, at, DNS_NAME_TEXT_MAX + 1);
	*at++ = '"';
	t->len = (size_t)(at - t->at);
	size_t from = t->len;
	t->len += dns_name_format(&name, at);
	escape_since(t, from);
	at = text_room(t, t->at + t->len, ROOM_RECORD);
	*at++ = '"';
	return at;
}

/*
 * The name at `name_at` of the message, in quotes: from its first quote, already there, to `end`, which
 * is NULL when it is not plain.
 */
static char *keep_name(
	struct dnslog *log, char *at, char *end, const struct dns_message *m, uint16_t name_at)
{
	struct text *t = &log->out;
	size_t text_at = (size_t)(at - t->at);

	at = LIKELY(end) ? TEXT_PUT(end, "\"") : put_odd_name(t, at, m, name_at);
	log->name[name_at % NAMES] = (struct written_name){
		.line = log->line,
		.text_at = text_at,
		.name_at = name_at,
		.text_len = (uint16_t)((size_t)(at - t->at) - text_at),
	};
	return at;
}

/* The name at an offset of the message, in quotes. */
static char *put_name(
	struct dnslog *log, char *at, const struct dns_message *m, uint16_t name_at)
{
	const struct written_name *n = &log->name[name_at % NAMES];

	if (n->line == log->line && n->name_at == name_at) {
		at = text_room(&log->out, at, ROOM_RECORD + n->text_len);
		return put_again(at, log->out.at + n->text_at, n->text_len);
	}
	struct cursor c = cursor_init(m->wire + name_at, (size_t)(m->wire_len - name_at));
	*at = '"';
	return keep_name(log, at, present_plain_name(at + 1, &c, m->wire), m, name_at);
}

static char *put_question(struct dnslog *log, char *at, const struct dns_message *m)
{
	if (!m->has_question)
		return TEXT_PUT(at, "],\"qname\":null,\"qtype\":null,\"qclass\":null");
	at = TEXT_PUT(at, "],\"qname\":");
	*at = '"';
	char *end = present_plain_expanded(at + 1, &m->qname);
	at = keep_name(log, at, end, m, DNS_HEADER_LEN);
	at = TEXT_PUT(at, ",\"qtype\":\"");
	at = dns_type_put(at, m->qtype);
	at = TEXT_PUT(at, "\",\"qclass\":\"");
	at = dns_class_put(at, m->qclass);
	return TEXT_PUT(at, "\"");
}

static char *put_owner(
	struct dnslog *log, char *at, const struct dns_message *m, const struct dns_record *r)
{
	struct cursor c =
		cursor_init(m->wire + r->owner_at, (size_t)(m->wire_len - r->owner_at));
	unsigned first = cursor_be16(&c);

	/* The root, as an OPT has it. */
	if (first < 0x100)
		return TEXT_PUT(at, "\".\"");
	/* A pointer, as most others are: the name there may have been written before. */
	return put_name(log, at, m, first >= 0xc000 ? first & 0x3fff : r->owner_at);
}

/* RDATA that is not plain. */
static char *put_odd_rdata(
	struct text *t, char *at, const struct dns_message *m, const struct dns_record *r)
{
	t->len = (size_t)(at - t->at);
	size_t from = t->len;
	present_rdata(t, m, r);
	escape_since(t, from);
	return text_room(t, t->at + t->len, ROOM_RECORD);
}

static char *put_rdata(
	struct text *t, char *at, const struct dns_message *m, const struct dns_record *r)
{
	if (r->type == DNS_TYPE_OPT && r->rdata_len > 0 && r->rdata_len <= OPT_PLAIN_MAX) {
		/* As present_rdata writes it, with its one backslash escaped. */
		at = TEXT_PUT(at, "\\\\# ");
		at = digits_put_u32(at, r->rdata_len);
		*at++ = ' ';
		return digits_put_hex(at, m->wire + r->rdata_at, r->rdata_len);
	}
	char *end = present_plain_rdata(at, m, r);
	return LIKELY(end) ? end : put_odd_rdata(t, at, m, r);
}

static char *put_record(
	struct dnslog *log, char *at, const struct dns_message *m, const struct dns_record *r)
{
	struct text *t = &log->out;

	at = text_room(t, at, ROOM_RECORD);
	at = TEXT_PUT(at, "{\"name\":");
	at = put_owner(log, at, m, r);
	at = TEXT_PUT(at, ",\"type\":\"");
	at = dns_type_put(at, r->type);
	at = TEXT_PUT(at, "\",\"class\":\"");
	at = dns_class_put(at, r->class);
	at = TEXT_PUT(at, "\",\"ttl\":");
	at = digits_put_u32(at, r->ttl);
	at = TEXT_PUT(at, ",\"data\":\"");
	at = put_rdata(t, at, m, r);
	return TEXT_PUT(at, "\"}");
}

#define KEY(text)                                                                              \
	{                                                                                      \
		sizeof(text) - 1, text                                                         \
	}

static char *put_records(struct dnslog *log, char *at, const struct dns_message *m)
{
	static const struct {
		uint8_t len;
		char text[17];
	} key[] = {
		[DNS_ANSWER] = KEY(",\"answers\":["),
		[DNS_AUTHORITY] = KEY("],\"authority\":["),
		[DNS_ADDITIONAL] = KEY("],\"additional\":["),
	};
	struct dns_records it = dns_records_start(m);
	const struct dns_record *r = dns_records_next(&it);

	for (uint8_t section = DNS_ANSWER; section <= DNS_ADDITIONAL; section++) {
		at = text_room(&log->out, at, ROOM_FIXED);
		memcpy(at, key[section].text, sizeof(key[section].text));
		at += key[section].len;
		const char *comma = "";
		for (; r && r->section == section; r = dns_records_next(&it)) {
			*at = ',';
			at += *comma == ',';
			comma = ",";
			at = put_record(log, at, m, r);
		}
	}
	return TEXT_PUT(at, "]}\n");
}

bool dnslog_write(struct dnslog *log, const struct dnslog_entry *entry)
{
	struct text *t = &log->out;

	if (UNLIKELY(log->failed_errno))
		return false;
	if (t->len >= DNSLOG_BUFFER_BYTES)
		write_out(log);
	log->line++;
	char *at = text_room(t, t->at + t->len, ROOM_RECORD);
	at = put_header(log, at, entry);
	at = put_question(log, at, entry->message);
	at = put_records(log, at, entry->message);
	t->len = (size_t)(at - t->at);
	return true;
}

void dnslog_keep(struct dnslog *log)
{
	/* What would have to wait may as well be more. */
	if (!dnslog_file_is_busy(log->file))
		write_out(log);
	bool failed = log->failed_errno != 0;
	log->failed_errno = dnslog_file_keep(log->file);
	if (failed && !log->failed_errno)
		log_notice("the DNS log is written again");
}

void dnslog_reopen(struct dnslog *log)
{
	dnslog_file_reopen(log->file);
}

int dnslog_flush(struct dnslog *log)
{
	write_out(log);
	int failed_errno = dnslog_file_flush(log->file);
	if (!log->failed_errno)
		log->failed_errno = failed_errno;
	return log->failed_errno;
}

int dnslog_close(struct dnslog *log)
{
	if (!log)
		return 0;
	int failed = dnslog_flush(log);
	int failed_close = dnslog_file_close(log->file);
	text_deinit(&log->out);
	free(log);
	return failed ? failed : failed_close;
}
