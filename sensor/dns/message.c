/* SPDX-License-Identifier: BSD-2-Clause */
#include "sensor/dns/message.h"

#include "sensor/dns/edns.h"
#include "sensor/dns/rdata.h"
#include "sensor/dns/walk.h"

#include <string.h>

#define RECORD_FIXED_LEN 10 /* type, class, TTL, RDLENGTH */

/*
 * One pass over the message. `c` stands at the next unread octet; a reason is returned as soon
 * as something does not fit, and nothing after it is looked at.
 */

static enum dns_error read_header(struct dns_message *out, struct cursor *c)
{
	out->id = 0;
	out->flags = 0;
	out->opcode = 0;
	out->rcode = 0;
	const uint8_t *header_at = cursor_take(c, DNS_HEADER_LEN);
	if (UNLIKELY(!header_at))
		return DNS_HEADER_TRUNCATED;
	struct cursor header = cursor_init(header_at, DNS_HEADER_LEN);
	out->id = cursor_be16(&header);
	uint16_t flags = cursor_be16(&header);
	out->flags = flags;
	out->opcode = flags >> 11 & 0xf;
	out->rcode = flags & 0xf;
	out->count[0] = cursor_be16(&header);
	out->count[1] = cursor_be16(&header);
	out->count[2] = cursor_be16(&header);
	out->count[3] = cursor_be16(&header);
	return DNS_OK;
}

/* A question's type and class. */
static inline enum dns_error read_qtype(struct cursor *c, uint16_t *qtype, uint16_t *qclass)
{
	struct cursor fixed = cursor_sub(c, 4);
	*qtype = cursor_be16(&fixed);
	*qclass = cursor_be16(&fixed);
	return LIKELY(!fixed.failed) ? DNS_OK : DNS_QUESTION_TRUNCATED;
}

static enum dns_error read_questions(
	struct dns_message *out, struct dns_walk *w, struct cursor *c)
{
	uint16_t qtype;
	uint16_t qclass;
	enum dns_error error;

	if (UNLIKELY(out->count[0] == 0)) {
		out->qname.wire_len = 1;
		out->qname.label_count = 0;
		out->qname.wire[0] = 0;
		return DNS_OK;
	}
	if (UNLIKELY(cursor_left(c) == 0))
		return DNS_QUESTION_TRUNCATED;
	out->has_question = true;
	error = dns_name_decode(&out->qname, c, w->wire);
	if (UNLIKELY(error))
		return error;
	/* Most names that follow are this one: 0xC00C. */
	dns_walk_remember(w, DNS_HEADER_LEN, out->qname.wire_len);
	error = read_qtype(c, &out->qtype, &out->qclass);
	for (unsigned i = 1; UNLIKELY(i < out->count[0]) && !error; i++) {
		error = dns_walk_name(w, c);
		if (!error)
			error = read_qtype(c, &qtype, &qclass);
		if (w->work > DNS_WORK_MAX)
			return DNS_WORK_LIMIT;
	}
	return error;
}

/*
 * RFC 2136 2.4 and 2.5: "exists", "does not exist" and "delete" are told by class ANY or NONE
 * and have no RDATA, whatever the type.
 */
static bool may_be_empty(const struct dns_message *m, const struct dns_record *r)
{
	return m->opcode == DNS_OPCODE_UPDATE || r->class == DNS_CLASS_ANY ||
	       r->class == DNS_CLASS_NONE;
}

/* The record at the cursor, all but its section. Inlined, so that the cursor lives in registers. */
ALWAYS_INLINE static inline enum dns_error read_record(
	const struct dns_message *m, struct dns_record *r, struct dns_walk *w, struct cursor *c)
{
	size_t owner_at = (size_t)(c->pos - w->wire);

	if (UNLIKELY(cursor_left(c) == 0))
		return DNS_RECORD_TRUNCATED;
	enum dns_error error = dns_walk_owner(w, c);
	if (UNLIKELY(error))
		return error;
	const uint8_t *fixed_at = cursor_take(c, RECORD_FIXED_LEN);
	if (UNLIKELY(!fixed_at))
		return DNS_RECORD_TRUNCATED;
	struct cursor fixed = cursor_init(fixed_at, RECORD_FIXED_LEN);
	r->owner_at = (uint16_t)owner_at;
	r->target_at = 0;
	r->type = cursor_be16(&fixed);
	r->class = cursor_be16(&fixed);
	r->ttl = cursor_be32(&fixed);
	r->rdata_len = cursor_be16(&fixed);
	r->rdata_at = (uint16_t)(c->pos - w->wire);
	const uint8_t *rdata_at = cursor_take(c, r->rdata_len);
	if (UNLIKELY(!rdata_at))
		return DNS_RECORD_TRUNCATED;
	if (LIKELY(dns_rdata_is_plain(r)))
		return DNS_OK;
	if (UNLIKELY(r->rdata_len == 0) && may_be_empty(m, r))
		return DNS_OK;
	struct cursor rdata = cursor_init(rdata_at, r->rdata_len);
	return dns_rdata_check(w, r, &rdata);
}

/* SIG(0) covers no type (RFC 2931 3). */
static bool signs_message(const struct dns_record *r, const uint8_t *wire)
{
	if (r->type != DNS_TYPE_SIG)
		return r->type == DNS_TYPE_TSIG;
	struct cursor c = cursor_init(wire + r->rdata_at, r->rdata_len);
	return cursor_be16(&c) == 0 && !c.failed;
}

static enum dns_error read_opt(
	struct dns_message *out, const struct dns_record *r, enum dns_section section)
{
	if (section != DNS_ADDITIONAL || out->edns.present)
		return DNS_OPT_MISPLACED;
	out->rcode |= (uint16_t)(dns_edns_read(&out->edns, r, out->wire) << 4);
	return DNS_OK;
}

/* Every record; *count of them were good. */
ALWAYS_INLINE static inline enum dns_error read_each(
	struct dns_message *out, struct dns_walk *w, struct cursor *c, unsigned *count)
{
	struct dns_record spare; /* where records go that are not kept */
	struct dns_record *r = out->record;

	for (unsigned section = DNS_ANSWER; section <= DNS_ADDITIONAL; section++) {
		for (unsigned left = out->count[1 + section]; left > 0; left--) {
			r = LIKELY(*count < DNS_RECORDS_MAX) ? &out->record[*count] : &spare;
			enum dns_error error = read_record(out, r, w, c);
			if (UNLIKELY(error))
				return error;
			if (UNLIKELY(w->work > DNS_WORK_MAX))
				return DNS_WORK_LIMIT;
			r->section = (uint8_t)section;
			++*count;
			if (r->type == DNS_TYPE_OPT)
				error = read_opt(out, r, (enum dns_section)section);
			if (UNLIKELY(error))
				return error;
		}
	}
	if (out->count[3] > 0)
		out->has_tsig = signs_message(r, out->wire);
	return DNS_OK;
}

static inline enum dns_error read_records(
	struct dns_message *out, struct dns_walk *w, struct cursor *from)
{
	struct cursor c = *from;
	unsigned count = 0;
	enum dns_error error = read_each(out, w, &c, &count);
	unsigned kept = count < DNS_RECORDS_MAX ? count : DNS_RECORDS_MAX;

	*from = c;
	out->record_count = (uint16_t)kept;
	out->records_omitted = (uint16_t)(count - kept);
	return error;
}

/* *questions_end tells whether the message is good up to its first record. */
static inline enum dns_error decode(
	struct dns_message *out, const uint8_t *wire, size_t wire_len, bool *questions_end)
{
	struct dns_walk w = { .wire = wire };

	/* No transport carries more; what exceeds it can only be trailing octets. */
	if (wire_len > UINT16_MAX)
		wire_len = UINT16_MAX;
	struct cursor c = cursor_init(wire, wire_len);
	out->wire = wire;
	out->wire_len = (uint16_t)wire_len;
	out->has_question = false;
	out->has_tsig = false;
	out->qtype = 0;
	out->qclass = 0;
	out->record_count = 0;
	out->records_omitted = 0;
	out->edns = (struct dns_edns){ 0 };

	enum dns_error error = read_header(out, &c);
	if (LIKELY(!error))
		error = read_questions(out, &w, &c);
	*questions_end = !error;
	if (LIKELY(!error))
		error = read_records(out, &w, &c);
	out->trailing_len = (uint16_t)cursor_left(&c);
	return error;
}

enum dns_error dns_message_decode(struct dns_message *out, const uint8_t *wire, size_t wire_len)
{
	bool questions_end;

	return decode(out, wire, wire_len, &questions_end);
}

enum dns_error dns_message_decode_cut(
	struct dns_message *out, const uint8_t *wire, size_t captured_len)
{
	bool questions_end;
	enum dns_error error = decode(out, wire, captured_len, &questions_end);

	if (!questions_end || (error != DNS_RECORD_TRUNCATED && error != DNS_NAME_TRUNCATED))
		return error;
	out->trailing_len = 0;
	return DNS_SNAPLEN;
}

struct dns_questions dns_questions_start(const struct dns_message *m)
{
	struct dns_questions it = { .message = m, .left = m->count[0] };

	it.rest = cursor_init(m->wire, m->wire_len);
	(void)cursor_take(&it.rest, DNS_HEADER_LEN);
	return it;
}

bool dns_questions_next(struct dns_questions *it)
{
	uint16_t qclass;

	if (it->left == 0)
		return false;
	it->left--;
	return !dns_name_decode(&it->qname, &it->rest, it->message->wire) &&
	       !read_qtype(&it->rest, &it->qtype, &qclass);
}

void dns_message_name(const struct dns_message *m, uint16_t at, struct dns_name *out)
{
	/* Within 64 KiB `at` may lie behind the message; then the name is the root. */
	size_t offset = at < m->wire_len ? at : m->wire_len;
	struct cursor c = cursor_init(m->wire + offset, m->wire_len - offset);
	enum dns_error error = dns_name_decode(out, &c, m->wire);
	(void)error;
}

struct dns_records dns_records_start(const struct dns_message *m)
{
	const struct dns_record *last = m->record + m->record_count - 1;
	struct dns_records it = { .message = m };

	if (m->records_omitted) {
		size_t at = (size_t)last->rdata_at + last->rdata_len;
		it.rest = cursor_init(m->wire + at, m->wire_len - at);
	}
	return it;
}

const struct dns_record *dns_records_next(struct dns_records *it)
{
	const struct dns_message *m = it->message;

	if (it->index < m->record_count)
		return &m->record[it->index++];
	if (it->index >= (uint32_t)m->record_count + m->records_omitted)
		return NULL;
	struct dns_walk w = { .wire = m->wire };
	if (read_record(m, &it->record, &w, &it->rest))
		return NULL;
	uint32_t authority = m->count[1];
	uint32_t additional = authority + m->count[2];
	it->record.section = it->index < authority    ? DNS_ANSWER
			     : it->index < additional ? DNS_AUTHORITY
						      : DNS_ADDITIONAL;
	it->index++;
	return &it->record;
}

bool dns_record_address(const struct dns_message *m, const struct dns_record *r, struct ip *out)
{
	const uint8_t *rdata = m->wire + r->rdata_at;

	if (r->type == DNS_TYPE_A && r->rdata_len == 4)
		*out = ip_from_v4(rdata);
	else if (r->type == DNS_TYPE_AAAA && r->rdata_len == 16)
		*out = ip_from_v6(rdata);
	else
		return false;
	return true;
}
