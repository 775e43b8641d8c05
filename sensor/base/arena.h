/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * arena.h -- many small pieces of memory that are freed together.
 *
 * Out of memory is sticky (`failed`): arena_take gives NULL from then on.
 *
 * Owner: arena_deinit frees every piece; zero-initialised is valid and empty.
 * Threads: no shared state.
 */
#ifndef SENSOR_BASE_ARENA_H
#define SENSOR_BASE_ARENA_H

#include <stdbool.h>
#include <stddef.h>

struct arena_chunk;

struct arena {
	struct arena_chunk *last;
	bool failed;
};

/* Zeroed, aligned for any object. The first piece decides how much is fetched at once: `hint`
 * bytes, or what is needed when that is more. */
void *arena_take(struct arena *a, size_t bytes, size_t hint);
/* A copy of `len` bytes of text with a NUL behind them. */
char *arena_text(struct arena *a, const char *bytes, size_t len);
void arena_deinit(struct arena *a);

#endif
