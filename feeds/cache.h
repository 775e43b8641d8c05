/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * cache.h -- a file that holds what was made from others, to be made only once.
 *
 * The file says what it was made from (its identity: any bytes, compared as they are). A reader gets
 * back what was put in, in the same order; whether all of it was undamaged is known at the end, by a
 * checksum of 128 bits over everything. So what is read must be harmless whatever it holds, and is
 * used only after cache_close has said yes.
 *
 * A file of another user, or that others may write, is not read. Writing goes to a new file beside it
 * that takes its place when it is complete: a crash leaves the old one or the new one.
 *
 * The bytes are read, not mapped: nobody can change or cut them while they are in use, and they can
 * lie in huge pages.
 *
 * Owner:    cache_create .. cache_commit, cache_open .. cache_close.  Threads: no shared state.
 * Input:    untrusted file, any bytes.
 */
#ifndef FEEDS_CACHE_H
#define FEEDS_CACHE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sensor/base/error.h"

struct cache_writer;
struct cache_reader;

/* NULL: it cannot be written; `why` says so. Only the owner may read the file: it holds seeds. */
NODISCARD struct cache_writer *cache_create(
	const char *path, const void *identity, size_t identity_len, struct err_ctx *why);
/* A failure is kept for cache_commit. */
void cache_put(struct cache_writer *w, const void *bytes, size_t len);
/* Frees the writer in every case; ERR_FAILED leaves what was there before. */
NODISCARD enum err cache_commit(struct cache_writer *w, struct err_ctx *why);

/*
 * NULL when there is none that can be used; `why` then says what is wrong with the one that is
 * there, or nothing (an empty text) when there is none or it was made from something else.
 */
NODISCARD struct cache_reader *cache_open(
	const char *path, const void *identity, size_t identity_len, struct err_ctx *why);
/* False when it has not so much. */
NODISCARD bool cache_get(struct cache_reader *r, void *bytes, size_t len);
/* Bytes that are still to come: no size that is read from the file can be more. */
uint64_t cache_left(const struct cache_reader *r);
/* Frees the reader. Was all of it read, and undamaged? */
NODISCARD bool cache_close(struct cache_reader *r);

#endif
