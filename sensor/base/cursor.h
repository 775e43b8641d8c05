/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * cursor.h -- the only way bytes from outside are read.
 *
 * The error is sticky: the first read that does not fit fails the cursor, every later one gives
 * zero, and one check at the end of a group of reads is enough. A cursor never leaves its
 * bounds, so forgetting the check cannot read out of them.
 *
 * One read per statement: the order in which initializers are evaluated is not specified.
 *
 * Input: untrusted.  Threads: no shared state.
 */
#ifndef SENSOR_BASE_CURSOR_H
#define SENSOR_BASE_CURSOR_H

#include <endian.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct cursor {
	const uint8_t *pos; /* next byte to read */
	const uint8_t *end; /* one past the last readable byte */
	bool failed;        /* sticky */
};

static inline struct cursor cursor_init(const uint8_t *bytes, size_t bytes_len)
{
	return (struct cursor){ .pos = bytes, .end = bytes + bytes_len, .failed = false };
}

static inline size_t cursor_left(const struct cursor *c)
{
	return (size_t)(c->end - c->pos);
}

/* Claim `len` bytes and step over them; NULL and a failed cursor if they are not all there. */
static inline const uint8_t *cursor_take(struct cursor *c, size_t len)
{
	if (__builtin_expect(c->failed || cursor_left(c) < len, 0)) {
		c->failed = true;
		return NULL;
	}
	const uint8_t *at = c->pos;
	c->pos += len;
	return at;
}

static inline uint8_t cursor_u8(struct cursor *c)
{
	const uint8_t *at = cursor_take(c, 1);
	return at ? at[0] : 0;
}

static inline uint16_t cursor_be16(struct cursor *c)
{
	const uint8_t *at = cursor_take(c, 2);
	return at ? (uint16_t)(at[0] << 8 | at[1]) : 0;
}

static inline uint32_t cursor_be32(struct cursor *c)
{
	const uint8_t *at = cursor_take(c, 4);
	if (!at)
		return 0;
	return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

static inline uint64_t cursor_be64(struct cursor *c)
{
	const uint8_t *at = cursor_take(c, 8);
	uint64_t word;

	if (!at)
		return 0;
	memcpy(&word, at, 8);
	return be64toh(word);
}

/* An inner cursor over the next `len` bytes, which the outer one steps over. */
static inline struct cursor cursor_sub(struct cursor *c, size_t len)
{
	const uint8_t *at = cursor_take(c, len);
	return (struct cursor){ .pos = at, .end = at ? at + len : NULL, .failed = at == NULL };
}

#endif
