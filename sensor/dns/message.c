/* SPDX-License-Identifier: BSD-2-Clause */
#include "sensor/dns/message.h"

#include "sensor/dns/edns.h"
#include "sensor/dns/name_short.h"
#include "sensor/dns/rdata.h"
#include "sensor/dns/walk.h"

#include <string.h>

#define RECORD_FIXED_LEN 10 /* type, class, TTL, RDLENGTH */
#define OPTION_FIXED_LEN 4  /* of an EDNS option: code, length */

/*
 * One pass over the message. `c` stands at the next unread octet; a reason is returned as soon
 * as something does not fit, and nothing after it is looked at.
 */

/* Without a header all of it is zero. In words, of which the first three numbers take one. */
static inline enum dns_error read_header(struct dns_message *out, struct cursor *c)
{
	static const uint8_t zeros[DNS_HEADER_LEN];
	const uint8_t *at = cursor_take(c, DNS_HEADER_LEN);
	struct cursor header = cursor_init(at ? at : zeros, DNS_HEADER_LEN);
	uint64_t first = cursor_be64(&header);
	uint32_t last = cursor_be32(&header);
	unsigned flags = first >> 32 & 0xffff;

	out->id = (uint16_t)(first >> 48);
	out->flags = (uint16_t)flags;
	out->opcode = flags >> 11 & 0xf;
	out->rcode = flags & 0xf;
	out->count[0] = (uint16_t)(first >> 16);
	out->count[1] = (uint16_t)first;
	out->count[2] = (uint16_t)(last >> 16);
	out->count[3] = (uint16_t)last;
	return LIKELY(at) ? DNS_OK : DNS_HEADER_TRUNCATED;
}

/* A question's type and class. */
static inline enum dns_error read_qtype(struct cursor *c, uint16_t *qtype, uint16_t *qclass)
{
	struct cursor fixed = cursor_sub(c, 4);
	uint32_t word = cursor_be32(&fixed);

	*qtype = (uint16_t)(word >> 16);
	*qclass = (uint16_t)word;
	return LIKELY(!fixed.failed) ? DNS_OK : DNS_QUESTION_TRUNCATED;
}

/* Those behind the first. */
OUT_OF_LINE static enum dns_error read_further_questions(
	const struct dns_message *m, struct dns_walk *w, struct cursor *c)
{
	enum dns_error error = DNS_OK;
	uint16_t qtype;
	uint16_t qclass;

	for (unsigned i = 1; i < m->count[0] && !error; i++) {
		error = dns_walk_name(w, c);
		if (!error)
			error = read_qtype(c, &qtype, &qclass);
		if (w->work > DNS_WORK_MAX)
			return DNS_WORK_LIMIT;
	}
	return error;
}

ALWAYS_INLINE static inline enum dns_error read_questions(
	struct dns_message *out, struct dns_walk *w, struct cursor *c)
{
	if (UNLIKELY(out->count[0] == 0)) {
		out->qname.wire_len = 1;
		out->qname.label_count = 0;
		out->qname.wire[0] = 0;
		return DNS_OK;
	}
	if (UNLIKELY(cursor_left(c) == 0))
		return DNS_QUESTION_TRUNCATED;
	out->has_question = true;
	enum dns_error error;
	bool short_one = name_decode_short(&out->qname, c);
	if (UNLIKELY(!short_one)) {
		struct cursor ahead = *c;
		error = dns_name_decode(&out->qname, &ahead, w->wire);
		*c = ahead;
		if (UNLIKELY(error))
			return error;
	}
	dns_walk_question(w, &out->qname, short_one);
	error = read_qtype(c, &out->qtype, &out->qclass);
	if (UNLIKELY(out->count[0] > 1) && !error) {
		struct cursor ahead = *c;
		error = read_further_questions(out, w, &ahead);
		*c = ahead;
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

/* What stands between owner and RDATA, of which `c` holds RECORD_FIXED_LEN octets: one word and RDLENGTH. */
ALWAYS_INLINE static inline void read_fixed(struct dns_record *r, struct cursor *c)
{
	uint64_t word = cursor_be64(c);

	r->ttl = (uint32_t)word;
	r->class = (uint16_t)(word >> 32);
	r->type = (uint16_t)(word >> 48);
	r->rdata_len = cursor_be16(c);
}

static inline void put_places(struct dns_record *r, size_t owner_at, size_t rdata_at)
{
	r->rdata_at = (uint16_t)rdata_at;
	r->owner_at = (uint16_t)owner_at;
	r->target_at = 0;
}

/* The record at the cursor, all but its section. */
static enum dns_error read_record(
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
	read_fixed(r, &fixed);
	put_places(r, owner_at, (size_t)(c->pos - w->wire));
	const uint8_t *rdata_at = cursor_take(c, r->rdata_len);
	if (UNLIKELY(!rdata_at))
		return DNS_RECORD_TRUNCATED;
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

static inline enum dns_error read_opt(struct dns_message *out, const struct dns_record *r)
{
	if (UNLIKELY(r->section != DNS_ADDITIONAL || out->edns.present))
		return DNS_OPT_MISPLACED;
	out->rcode |= (uint16_t)(dns_edns_read(&out->edns, r, out->wire) << 4);
	return DNS_OK;
}

static inline bool is_address(const struct dns_record *r)
{
	uint32_t shape = (uint32_t)r->type << 16 | r->rdata_len;

	return (shape == (DNS_TYPE_A << 16 | 4)) | (shape == (DNS_TYPE_AAAA << 16 | 16));
}

/*
 * The address of an is_address record, behind whose fixed part it stands. By masks: which family it is of
 * nobody can predict. Of an IPv4 address the twelve octets before it are read too, and covered.
 */
static inline struct ip ip_of(const struct dns_record *r, const uint8_t *wire)
{
	static const uint8_t mapped[16] = { [10] = 0xff, [11] = 0xff };
	const uint64_t six = -(uint64_t)(r->rdata_len == 16);
	const uint8_t *end = wire + r->rdata_at + r->rdata_len;
	uint64_t word[2], prefix[2], mask[2] = { six, six | UINT64_C(0xffffffff) << 32 };
	struct ip ip;

	mask[1] = htole64(mask[1]);
	memcpy(word, end - 16, 16);
	memcpy(prefix, mapped, 16);
	word[0] = (word[0] & mask[0]) | (prefix[0] & ~mask[0]);
	word[1] = (word[1] & mask[1]) | (prefix[1] & ~mask[1]);
	memcpy(ip.bytes, word, 16);
	return ip;
}

/* One of the answer section. */
static inline void keep_address(
	struct dns_message *out, const struct dns_record *r, const uint8_t *wire)
{
	struct dns_address *room = &out->address[out->address_count++];

	room->ip = ip_of(r, wire);
	room->ttl = r->ttl;
}

/*
 * Begin the record at the cursor as if its owner were nothing but a pointer to a name that was just
 * walked, as it mostly is: all three pointers take one branch, for which it is nobody can predict.
 * False, with the cursor where it was, when it is not so; else *c is behind the record.
 */
ALWAYS_INLINE static inline bool begin_record(
	struct dns_record *r, const struct dns_walk *w, struct cursor *c)
{
	struct cursor ahead = *c;
	const uint8_t *at = cursor_take(&ahead, 2 + RECORD_FIXED_LEN);

	if (UNLIKELY(!at))
		return false;
	struct cursor fixed = cursor_init(at, 2 + RECORD_FIXED_LEN);
	unsigned owner = cursor_be16(&fixed);
	read_fixed(r, &fixed);
	if (UNLIKELY(!dns_walk_is_near(w, owner) || !cursor_take(&ahead, r->rdata_len)))
		return false;
	put_places(r, (size_t)(at - w->wire), (size_t)(fixed.pos - w->wire));
	c->pos = ahead.pos;
	return true;
}

/* Types whose RDATA is a name and nothing else. */
static inline bool is_name(const struct dns_record *r)
{
	const uint64_t names = UINT64_C(1) << DNS_TYPE_NS | UINT64_C(1) << DNS_TYPE_CNAME |
			       UINT64_C(1) << DNS_TYPE_PTR | UINT64_C(1) << DNS_TYPE_DNAME;

	return r->type < 64 && names >> r->type & 1;
}

/*
 * Behind begin_record: the first names that an answer leads to are expanded at once, which tells that they
 * are good. False: left to read_any.
 */
ALWAYS_INLINE static inline bool read_name(
	struct dns_message *out, struct dns_record *r, struct dns_walk *w, const uint8_t *end)
{
	unsigned count = out->expanded_count;
	struct cursor rdata = cursor_init(w->wire + r->rdata_at, r->rdata_len);

	if (count == DNS_EXPANDED_MAX ||
		!name_decode_pieces(&out->expanded[count], &rdata, w->wire, end) ||
		cursor_left(&rdata) != 0)
		return false;
	r->target_at = r->rdata_at;
	dns_walk_target(w, r->target_at);
	out->expanded_at[count] = r->target_at;
	out->expanded_count++;
	out->leading_count++;
	return true;
}

/*
 * What nearly all records are: an address or, in an answer, an alias. False, with the cursor where it was,
 * for any other, which read_any then takes or refuses.
 */
ALWAYS_INLINE static inline bool read_usual(struct dns_message *out, struct dns_record *r,
	struct dns_walk *w, struct cursor *c, bool is_answer)
{
	struct cursor ahead = *c;

	if (!begin_record(r, w, &ahead))
		return false;
	if (LIKELY(is_address(r))) {
		if (is_answer)
			keep_address(out, r, w->wire);
	} else if (!is_answer || !is_name(r) || !read_name(out, r, w, ahead.end)) {
		return false;
	}
	c->pos = ahead.pos;
	return true;
}

/*
 * The OPT of most messages: the first in its section, and without options but for one that is not a
 * client subnet (a cookie). False as above.
 */
ALWAYS_INLINE static inline bool read_plain_opt(
	struct dns_message *out, struct dns_record *r, struct cursor *c)
{
	struct cursor ahead = *c;
	const uint8_t *at = cursor_take(&ahead, 1 + RECORD_FIXED_LEN);

	if (UNLIKELY(!at))
		return false;
	struct cursor fixed = cursor_init(at, 1 + RECORD_FIXED_LEN);
	unsigned owner = cursor_u8(&fixed);
	read_fixed(r, &fixed);
	if (UNLIKELY(owner != 0 || r->type != DNS_TYPE_OPT || out->edns.present))
		return false;
	if (UNLIKELY(!cursor_take(&ahead, r->rdata_len)))
		return false;
	/* One branch for an OPT with and without it: where there is none, other octets are looked at. */
	bool empty = r->rdata_len < OPTION_FIXED_LEN;
	struct cursor option =
		cursor_init(fixed.pos - empty * (1 + RECORD_FIXED_LEN), OPTION_FIXED_LEN);
	unsigned code = cursor_be16(&option);
	unsigned len = cursor_be16(&option);
	unsigned odd = (r->rdata_len != 0) & (empty | (code == DNS_OPTION_CLIENT_SUBNET) |
						     (len + OPTION_FIXED_LEN != r->rdata_len));
	OPAQUE(odd);
	if (UNLIKELY(odd))
		return false;
	put_places(r, (size_t)(at - out->wire), (size_t)(fixed.pos - out->wire));
	out->rcode |= (uint16_t)(dns_edns_start(&out->edns, r) << 4);
	c->pos = ahead.pos;
	return true;
}

/* Record number `index` of `m` is in which section? */
static inline uint8_t section_of(const struct dns_message *m, uint32_t index)
{
	uint32_t authority = m->count[1];
	uint32_t additional = authority + m->count[2];

	return (uint8_t)((index >= authority) + (index >= additional));
}

/* Any record, as a part of its message; `last` of all, and in the additional section. */
OUT_OF_LINE static enum dns_error read_any(struct dns_message *out, struct dns_record *r,
	struct dns_walk *w, struct cursor *c, bool last)
{
	enum dns_error error = read_record(out, r, w, c);

	if (UNLIKELY(error))
		return error;
	if (UNLIKELY(w->work > DNS_WORK_MAX))
		return DNS_WORK_LIMIT;
	if (last)
		out->has_tsig = signs_message(r, out->wire);
	return r->type == DNS_TYPE_OPT ? read_opt(out, r) : DNS_OK;
}

/* Those that are not kept. */
OUT_OF_LINE static enum dns_error walk_rest(
	struct dns_message *out, struct dns_walk *w, struct cursor *c, uint32_t total)
{
	uint32_t additional = (uint32_t)out->count[1] + out->count[2];
	struct dns_record r;

	for (uint32_t index = DNS_RECORDS_MAX; index < total; index++) {
		r.section = section_of(out, index);
		enum dns_error error =
			read_any(out, &r, w, c, index + 1 == total && index >= additional);
		if (error)
			return error;
		out->records_omitted++;
	}
	return DNS_OK;
}

/* What read_any has read of an answer. In an UPDATE, of a prerequisite, which may lack its address. */
OUT_OF_LINE static void note_answer(struct dns_message *out, const struct dns_record *r)
{
	if (is_address(r))
		keep_address(out, r, out->wire);
	out->leading_count += dns_leads_on(r);
}

/*
 * The next `count` records, which are of one section. On failure *r is the one that is wrong. Section by
 * section, since what comes next is guessed better so.
 */
ALWAYS_INLINE static inline enum dns_error read_section(struct dns_message *out,
	struct dns_walk *w, struct cursor *c, struct dns_record **r, uint32_t count,
	enum dns_section section, bool has_last)
{
	for (; count > 0; count--, ++*r) {
		(*r)->section = (uint8_t)section;
		if (section == DNS_ADDITIONAL && LIKELY(read_plain_opt(out, *r, c)))
			continue;
		if (LIKELY(read_usual(out, *r, w, c, section == DNS_ANSWER)))
			continue;
		struct cursor ahead = *c;
		enum dns_error error = read_any(out, *r, w, &ahead, has_last && count == 1);
		if (UNLIKELY(error))
			return error;
		if (section == DNS_ANSWER)
			note_answer(out, *r);
		c->pos = ahead.pos;
	}
	return DNS_OK;
}

/* Only the first records are kept. */
static void cut_counts(uint32_t count[3])
{
	uint32_t room = DNS_RECORDS_MAX;

	for (unsigned i = 0; i < 3; i++) {
		count[i] = count[i] < room ? count[i] : room;
		room -= count[i];
	}
}

ALWAYS_INLINE static inline enum dns_error read_kept(struct dns_message *out,
	struct dns_walk *w, struct cursor *from, const uint32_t count[3], bool all)
{
	/* One that has not failed and that no function is shown lives in registers. */
	struct cursor c = cursor_init(from->pos, cursor_left(from));
	struct dns_record *r = out->record;
	enum dns_error error = read_section(out, w, &c, &r, count[0], DNS_ANSWER, false);

	if (LIKELY(!error))
		error = read_section(out, w, &c, &r, count[1], DNS_AUTHORITY, false);
	if (LIKELY(!error))
		error = read_section(out, w, &c, &r, count[2], DNS_ADDITIONAL, all);
	from->pos = c.pos;
	out->record_count = (uint16_t)(r - out->record);
	return error;
}

/* A message with more records than are kept, or perhaps with more addresses. */
OUT_OF_LINE static enum dns_error read_many(
	struct dns_message *out, struct dns_walk *w, struct cursor *c, uint32_t total)
{
	uint32_t count[3] = { out->count[1], out->count[2], out->count[3] };

	cut_counts(count);
	enum dns_error error = read_kept(out, w, c, count, total <= DNS_RECORDS_MAX);
	if (total > DNS_RECORDS_MAX && !error)
		error = walk_rest(out, w, c, total);
	out->addresses_omitted =
		out->address_count > DNS_ADDRESSES_MAX || out->count[1] > DNS_RECORDS_MAX;
	if (out->address_count > DNS_ADDRESSES_MAX)
		out->address_count = DNS_ADDRESSES_MAX;
	return error;
}

ALWAYS_INLINE static inline enum dns_error read_records(
	struct dns_message *out, struct dns_walk *w, struct cursor *c)
{
	const uint32_t count[3] = { out->count[1], out->count[2], out->count[3] };
	uint32_t total = count[0] + count[1] + count[2];

	if (UNLIKELY(total > DNS_ADDRESSES_MAX))
		return read_many(out, w, c, total);
	return read_kept(out, w, c, count, true);
}

/* Header and questions. */
ALWAYS_INLINE static inline enum dns_error read_beginning(struct dns_message *out,
	struct dns_walk *w, struct cursor *c, const uint8_t *wire, size_t wire_len)
{
	/* No transport carries more; what exceeds it can only be trailing octets. */
	if (UNLIKELY(wire_len > UINT16_MAX))
		wire_len = UINT16_MAX;
	*c = cursor_init(wire, wire_len);
	dns_walk_init(w, wire);
	out->wire = wire;
	out->wire_len = (uint16_t)wire_len;
	out->qclass = 0;
	out->qtype = 0;
	out->record_count = 0;
	out->records_omitted = 0;
	out->address_count = 0;
	out->addresses_omitted = false;
	out->leading_count = 0;
	out->expanded_count = 0;
	out->has_question = false;
	out->has_tsig = false;
	out->edns = (struct dns_edns){ 0 };

	enum dns_error error = read_header(out, c);
	if (LIKELY(!error))
		error = read_questions(out, w, c);
	return error;
}

enum dns_error dns_message_decode(struct dns_message *out, const uint8_t *wire, size_t wire_len)
{
	struct dns_walk w;
	struct cursor c;
	enum dns_error error = read_beginning(out, &w, &c, wire, wire_len);

	if (LIKELY(!error))
		error = read_records(out, &w, &c);
	out->trailing_len = (uint16_t)cursor_left(&c);
	return error;
}

enum dns_error dns_message_decode_cut(
	struct dns_message *out, const uint8_t *wire, size_t captured_len)
{
	struct dns_walk w;
	struct cursor c;
	enum dns_error error = read_beginning(out, &w, &c, wire, captured_len);
	bool questions_end = !error;

	if (questions_end)
		error = read_records(out, &w, &c);
	out->trailing_len = (uint16_t)cursor_left(&c);
	if (!questions_end || (error != DNS_RECORD_TRUNCATED && error != DNS_NAME_TRUNCATED))
		return error;
	out->trailing_len = 0;
	out->addresses_omitted |= out->count[1] > out->record_count;
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
	struct dns_walk w;
	dns_walk_init(&w, m->wire);
	if (read_record(m, &it->record, &w, &it->rest))
		return NULL;
	it->record.section = section_of(m, it->index);
	it->index++;
	return &it->record;
}
