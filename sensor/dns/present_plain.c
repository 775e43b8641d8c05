/* SPDX-License-Identifier: BSD-2-Clause */
#include "sensor/dns/present_plain.h"

#include "sensor/base/digits.h"
#include "sensor/dns/rdata.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

enum label_kind {
	LABEL_MAX = 63,
	LABEL_POINTER = 0xc0,
};

#define STEP         16 /* octets at a time */
#define POINTERS_MAX 16 /* more is no name of everyday traffic */

/* The octets that are no text as they are; a label's length may be among them. */
static inline bool is_special(uint8_t octet)
{
	return octet < 0x21 || octet > 0x7e || octet == '.' || octet == '\\' || octet == '"';
}

/* Fewer than STEP octets, or any number where there is no SSE2: a bit for each special one. */
static inline unsigned copy_octets(char *at, const uint8_t *from, unsigned count)
{
	unsigned special = 0;

	for (unsigned i = 0; i < count; i++) {
		uint8_t octet = from[i];
		special |= (unsigned)is_special(octet) << i;
		at[i] = (char)(octet >= 'A' && octet <= 'Z' ? octet | 0x20 : octet);
	}
	return special;
}

/* STEP octets. */
static inline unsigned copy_step(char *at, const uint8_t *from)
{
#ifdef __SSE2__
	__m128i octets = _mm_loadu_si128((const __m128i *)from);
	/* As signed numbers, octets from 0x80 on are below all others. */
	__m128i upper = _mm_and_si128(_mm_cmpgt_epi8(octets, _mm_set1_epi8('A' - 1)),
		_mm_cmplt_epi8(octets, _mm_set1_epi8('Z' + 1)));
	__m128i special = _mm_or_si128(_mm_or_si128(_mm_cmplt_epi8(octets, _mm_set1_epi8(0x21)),
					       _mm_cmpeq_epi8(octets, _mm_set1_epi8(0x7f))),
		_mm_or_si128(_mm_cmpeq_epi8(octets, _mm_set1_epi8('.')),
			_mm_or_si128(_mm_cmpeq_epi8(octets, _mm_set1_epi8('\\')),
				_mm_cmpeq_epi8(octets, _mm_set1_epi8('"')))));
	octets = _mm_or_si128(octets, _mm_and_si128(upper, _mm_set1_epi8(0x20)));
	_mm_storeu_si128((__m128i *)at, octets);
	return (unsigned)_mm_movemask_epi8(special);
#else
	return copy_octets(at, from, STEP);
#endif
}

/*
 * `len` octets of a label: the special ones among them, a bit each. `end` is the message's; behind
 * the label is what belongs to others.
 */
static unsigned copy_label(char *at, const uint8_t *label, unsigned len, const uint8_t *end)
{
	unsigned special = 0;

	for (unsigned done = 0; done < len; done += STEP) {
		unsigned count = len - done < STEP ? len - done : STEP;
		unsigned found = end - label - done >= STEP
					 ? copy_step(at + done, label + done)
					 : copy_octets(at + done, label + done, count);
		special |= found & ((1u << count) - 1);
	}
	return special;
}

/* Where the pointer at `pos` leads; NULL when that is not backwards, or it is no pointer. */
static inline const uint8_t *follow(const uint8_t *pos, const uint8_t *end, const uint8_t *wire)
{
	struct cursor c = cursor_init(pos, (size_t)(end - pos));
	unsigned pointer = cursor_be16(&c);
	unsigned target = pointer & 0x3fff;

	if (UNLIKELY(pointer >> 8 < LABEL_POINTER || target >= (size_t)(pos - wire)))
		return NULL;
	return wire + target;
}

char *present_plain_name(char *at, struct cursor *c, const uint8_t *wire)
{
	const char *start = at;
	const char *latest = at + DNS_NAME_MAX; /* where a label can begin */
	const uint8_t *pos = c->pos;
	const uint8_t *after = NULL; /* behind the first pointer */
	unsigned pointers = 0;

	for (;;) {
		if (UNLIKELY(pos >= c->end))
			return NULL;
		unsigned len = *pos;
		if (len == 0)
			break;
		if (LIKELY(len <= LABEL_MAX)) {
			unsigned special;
			if (UNLIKELY(c->end - pos <= len || at > latest))
				return NULL;
			if (LIKELY(len <= STEP && c->end - pos > STEP))
				special = copy_step(at, pos + 1) & ((1u << len) - 1);
			else
				special = copy_label(at, pos + 1, len, c->end);
			if (UNLIKELY(special))
				return NULL;
			at += len;
			*at++ = '.';
			pos += 1 + len;
			continue;
		}
		if (!after)
			after = pos + 2;
		pos = follow(pos, c->end, wire);
		if (UNLIKELY(!pos || ++pointers > POINTERS_MAX))
			return NULL;
	}
	c->pos = after ? after : pos + 1;
	if (at > start)
		return at - 1; /* the last dot */
	*at++ = '.';
	return at;
}

/*
 * The first length and the root are no text, the other lengths are dots: all octets between are copied
 * as they lie, and each length is overwritten. As far as one word has a bit for each octet.
 */
char *present_plain_expanded(char *at, const struct dns_name *name)
{
	unsigned text_len = name->wire_len - 2u;
	uint64_t special = 0, lengths = 0;

	if (UNLIKELY(name->wire_len <= 2 || text_len > 4 * STEP)) {
		struct cursor c = cursor_init(name->wire, sizeof(name->wire));
		return present_plain_name(at, &c, name->wire);
	}
	for (unsigned i = 0; i < text_len; i += STEP)
		special |= (uint64_t)copy_step(at + i, name->wire + 1 + i) << i;
	for (unsigned i = name->wire[0]; i < text_len; i += 1u + name->wire[i + 1]) {
		at[i] = '.';
		lengths |= UINT64_C(1) << i;
	}
	if (UNLIKELY(special & ~lengths & UINT64_MAX >> (64 - text_len)))
		return NULL;
	return at + text_len;
}

static char *put_u16(char *at, struct cursor *c)
{
	at = digits_put_u32(at, cursor_be16(c));
	*at++ = ' ';
	return at;
}

static char *put_soa(char *at, struct cursor *c, const uint8_t *wire)
{
	for (int i = 0; i < 2; i++) {
		at = present_plain_name(at, c, wire);
		if (!at)
			return NULL;
		*at++ = ' ';
	}
	for (int i = 0; i < 5; i++) {
		at = digits_put_u32(at, cursor_be32(c));
		*at++ = ' ';
	}
	return at - 1;
}

char *present_plain_rdata(char *at, const struct dns_message *m, const struct dns_record *r)
{
	const uint8_t *rdata = m->wire + r->rdata_at;
	/* To the message's end, so that a name that ends it with RDATA can be read in whole steps. */
	struct cursor c = cursor_init(rdata, (size_t)(m->wire_len - r->rdata_at));

	/* "Delete" and "exists" in an UPDATE have none. */
	if (r->rdata_len == 0)
		return at;
	switch (dns_shape_of(r->type)) {
	case SHAPE_A:
		return ip_put_v4(at, rdata);
	case SHAPE_AAAA:
		return ip_put_v6(at, rdata);
	case SHAPE_SRV:
		at = put_u16(at, &c);
		at = put_u16(at, &c);
		/* fall through */
	case SHAPE_MX:
		at = put_u16(at, &c);
		/* fall through */
	case SHAPE_NAME:
		return present_plain_name(at, &c, m->wire);
	case SHAPE_SOA:
		return put_soa(at, &c, m->wire);
	default:
		return NULL;
	}
}
