/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * guard.h -- input that ends where its page ends: reading one byte more faults, with or without
 * a sanitizer. (The idea is picohttpparser's.)
 *
 *	struct guard g = { 0 };
 *	for (size_t len = 0; len <= packet_len; len++)
 *		decode(guard_place(&g, packet, len), len);
 *	guard_deinit(&g);
 *
 * Owner: zero-initialised is valid and empty; one guard holds one copy at a time.
 */
#ifndef TESTS_SUPPORT_GUARD_H
#define TESTS_SUPPORT_GUARD_H

#include <stddef.h>
#include <stdint.h>

struct guard {
	uint8_t *map;
	size_t body_bytes; /* readable; one page that is not readable follows */
};

/* Copy `len` bytes to the end of the readable part; the copy before it is gone. Never NULL. */
const uint8_t *guard_place(struct guard *g, const void *bytes, size_t len);
void guard_deinit(struct guard *g);

#endif
