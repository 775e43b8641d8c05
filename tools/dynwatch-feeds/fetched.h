/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fetched.h -- what is remembered of a file that was fetched: by which marks the server knows it
 * (ETag, Last-Modified), and how to know that it is still the one that was fetched. Kept beside it, as
 * PATH.fetched, one JSON object with a version.
 *
 * The URL is there as a hash, for people put keys into URLs; so is the content. Neither hash is a
 * cryptographic one: who can change the list has no need to deceive this file.
 *
 * Owner:    the caller's structs.  Threads: no shared state.
 * Input:    untrusted: any bytes are a struct fetched or a reason. What a server said is kept only
 *           when it can be said back (fetched_is_etag, fetched_is_date).
 */
#ifndef TOOLS_DYNWATCH_FEEDS_FETCHED_H
#define TOOLS_DYNWATCH_FEEDS_FETCHED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sensor/base/error.h"
#include "sensor/base/text.h"

#define FETCHED_VERSION   1
#define FETCHED_BYTES_MAX 4096
#define FETCHED_ETAG_MAX  256
#define FETCHED_DATE_MAX  40

struct fetched_hash {
	uint64_t word[2];
};

struct fetched {
	struct fetched_hash url, content;
	uint64_t bytes, entries;                                      /* of the content */
	char etag[FETCHED_ETAG_MAX], last_modified[FETCHED_DATE_MAX]; /* "": none */
};

/* False with a reason when it is none of ours. */
NODISCARD bool fetched_parse(
	struct fetched *out, const char *bytes, size_t bytes_len, struct err_ctx *why);
void fetched_format(struct text *out, const struct fetched *f);

/* ERR_INPUT: there is a file, and it cannot be used. `out` is zero after any but ERR_OK. */
NODISCARD enum err fetched_load(struct fetched *out, const char *path, struct err_ctx *why);
NODISCARD enum err fetched_save(const struct fetched *f, const char *path, struct err_ctx *why);

/* An entity tag (RFC 9110 section 8.8.3) that fits. */
bool fetched_is_etag(const char *text);
/* What looks like a date of HTTP and fits; it is only ever said back. */
bool fetched_is_date(const char *text);

struct fetched_hash fetched_hash_start(void);
/* The result depends on how the bytes are cut: in pieces of FETCHED_PIECE but for the last. */
#define FETCHED_PIECE 65536
void fetched_hash_add(struct fetched_hash *h, const void *bytes, size_t bytes_len);
bool fetched_hash_equal(const struct fetched_hash *a, const struct fetched_hash *b);

/* Hash and length of a file from its start; false with errno. */
NODISCARD bool fetched_hash_file(struct fetched_hash *out, uint64_t *bytes, int fd);

#endif
