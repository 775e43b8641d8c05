/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * name_short.h -- the short way for names of few octets, which nearly all are; inside dns/ only.
 *
 * A piece of a name is what stands in a row: labels up to the root or to a pointer. If all of it lies
 * within the first few octets, these are folded (RFC 4343) and copied whole, and the chain of lengths is
 * walked through the copy. They are thirty-two of what is asked for, and sixty-four of what an answer
 * leads to: those are hosts of content networks, every other one longer than thirty-two octets. Names for
 * which this is not the way take that of name.c, which gives the same.
 *
 * Threads: no shared state.  Input: untrusted.
 */
#ifndef SENSOR_DNS_NAME_SHORT_H
#define SENSOR_DNS_NAME_SHORT_H

#include <string.h>

#include "sensor/dns/name.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#define NAME_QUESTION_MAX 32
#define NAME_PIECE_MAX    64
#define NAME_POINTER      0xc0

/* Every compiler of ours makes the best of it that the processor has. */
typedef uint8_t name_sixteen __attribute__((vector_size(16)));

/* Sixteen octets with A-Z made lower case; all others, 0x80 and above too, stay. */
static inline void name_fold_sixteen(uint8_t *out, const uint8_t *from)
{
	name_sixteen octets;

	memcpy(&octets, from, 16);
	octets |= (name_sixteen)(octets - 'A' < 26) & 0x20;
	memcpy(out, &octets, 16);
}

/* From each length octet to the next; 0 from what is none: the root, a pointer, a reserved one. */
extern const uint8_t name_step[256];

/*
 * Copy the first `most` octets folded, or what is `left` of them, at least sixteen; returns how many.
 * The end first: the words that are hashed then mostly come out of one store each.
 */
ALWAYS_INLINE static inline size_t name_fold_piece(
	uint8_t *to, const uint8_t *from, size_t left, size_t most)
{
	size_t end = left < most ? left : most;

#pragma GCC unroll 4
	for (size_t at = most; at > 0; at -= 16) {
		size_t start = (at < end ? at : end) - 16;
		name_fold_sixteen(to + start, from + start);
	}
	return end;
}

/*
 * Four steps along the lengths, from out->wire[at], without a branch, for the number of labels is what
 * nobody can predict. They may lead behind the octets that were copied, but not back, and from an `at`
 * below NAME_PIECE_MAX not out of out->wire. Returns where they lead.
 */
ALWAYS_INLINE static inline size_t name_walk_four(
	struct dns_name *out, size_t at, size_t *labels)
{
	size_t count = *labels;

#pragma GCC unroll 4
	for (unsigned i = 0; i < 4; i++) {
		size_t step = name_step[out->wire[at]];
		out->label_at[count] = (uint8_t)at;
		count += step != 0;
		at += step;
	}
	*labels = count;
	return at;
}

/*
 * Append the piece at `from`, of which `left` octets may be read, to the *used octets and *labels labels
 * of `out`; *used is below NAME_PIECE_MAX. On success out->wire[*used] is the octet that ended the
 * piece. False: it is too long, or not all there.
 */
static inline bool name_take_piece(
	struct dns_name *out, size_t *used, size_t *labels, const uint8_t *from, size_t left)
{
	if (UNLIKELY(left < 16))
		return false;
	size_t end = *used + name_fold_piece(out->wire + *used, from, left, NAME_PIECE_MAX);
	size_t at = name_walk_four(out, *used, labels);
	for (size_t step; LIKELY(at < end); at += step) {
		step = name_step[out->wire[at]];
		if (LIKELY(step == 0)) {
			*used = at;
			return true;
		}
		out->label_at[(*labels)++] = (uint8_t)at;
	}
	return false;
}

/* The pointer whose first octet is at `here`: move *at to where it leads. */
static inline enum dns_error name_follow(struct cursor *at, const uint8_t *here,
	const uint8_t *wire, unsigned first, unsigned *target)
{
	*target = (first & ~(unsigned)NAME_POINTER) << 8 | cursor_u8(at);
	if (UNLIKELY(at->failed))
		return DNS_NAME_TRUNCATED;
	if (UNLIKELY(*target >= (size_t)(here - wire)))
		return DNS_POINTER_FORWARD;
	return DNS_OK;
}

/*
 * A name of one short piece, or of two: what most records lead to ends with a pointer into the question.
 * It lies before c->end, as does what it points to; up to `readable`, which is no less, octets may be
 * looked at. False for any other, with the cursor where it was.
 */
static inline bool name_decode_pieces(
	struct dns_name *out, struct cursor *c, const uint8_t *wire, const uint8_t *readable)
{
	const uint8_t *from = c->pos;
	size_t used = 0, labels = 0;

	if (UNLIKELY(!name_take_piece(out, &used, &labels, from, (size_t)(readable - from)) ||
		     used >= cursor_left(c)))
		return false;
	struct cursor behind = cursor_init(from + used, cursor_left(c) - used);
	unsigned first = cursor_u8(&behind);
	if (first != 0) {
		unsigned target;
		if (first < NAME_POINTER ||
			name_follow(&behind, from + used, wire, first, &target))
			return false;
		const uint8_t *rest = wire + target;
		size_t before = used;
		if (!name_take_piece(out, &used, &labels, rest, (size_t)(readable - rest)) ||
			out->wire[used] != 0 || used - before >= (size_t)(c->end - rest))
			return false;
	}
	out->wire_len = (uint8_t)(used + 1);
	out->label_count = (uint8_t)labels;
	c->pos = behind.pos;
	return true;
}

/* Where the first zero of `len` (16..32) octets is; thirty-two without one. */
static inline size_t name_first_zero(const uint8_t *octets, size_t len)
{
#ifdef __SSE2__
	__m128i low = _mm_loadu_si128((const __m128i *)octets);
	__m128i high = _mm_loadu_si128((const __m128i *)(octets + len - 16));
	__m128i zero = _mm_setzero_si128();
	uint64_t in_low = (uint64_t)_mm_movemask_epi8(_mm_cmpeq_epi8(low, zero));
	uint64_t in_high = (uint64_t)_mm_movemask_epi8(_mm_cmpeq_epi8(high, zero));
	return (size_t)__builtin_ctzll(in_low | in_high << (len - 16) | UINT64_C(1) << 32);
#else
	const uint8_t *found = memchr(octets, 0, len);
	return found ? (size_t)(found - octets) : 32;
#endif
}

/*
 * Decode the name at the cursor and step past it. False, with the cursor where it was, when it is no
 * single piece that ends with the root, or has a zero in a label.
 *
 * The first zero is taken for the root, so that what follows the name need not wait for the chain of
 * lengths, which is walked all the same and has to end there.
 */
ALWAYS_INLINE static inline bool name_decode_short(struct dns_name *out, struct cursor *c)
{
	const uint8_t *from = c->pos;
	size_t left = cursor_left(c);

	if (UNLIKELY(left < 16))
		return false;
	size_t end = name_fold_piece(out->wire, from, left, NAME_QUESTION_MAX);
	size_t root = name_first_zero(from, end);
	if (UNLIKELY(root == 32))
		return false;
	size_t labels = 0;
	size_t at = name_walk_four(out, 0, &labels);
	for (; UNLIKELY(at < root); at += 1u + out->wire[at]) {
		if (UNLIKELY(out->wire[at] > DNS_LABEL_MAX))
			return false;
		out->label_at[labels++] = (uint8_t)at;
	}
	if (UNLIKELY(at != root))
		return false;
	out->wire_len = (uint8_t)(root + 1);
	out->label_count = (uint8_t)labels;
	c->pos = from + root + 1;
	return true;
}

#endif
