/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * content.h -- the bytes of a feed: from a file that may be compressed, or compiled in; as they are
 * or in blocks of whole lines (private to feeds/).
 *
 * Lines end in LF, CR or CR LF. A block never ends inside of one, but for a line that is too long to
 * be taken anyway: of that the middle may be missing.
 *
 * Owner:    content_open .. content_close.  Threads: one at a time.  Input: untrusted, any bytes.
 * Limits:   FEED_BYTES_MAX uncompressed bytes; blocks of CONTENT_BLOCK bytes.
 */
#ifndef FEEDS_CONTENT_H
#define FEEDS_CONTENT_H

#include <stdbool.h>
#include <stdint.h>

#include "feeds/feed.h"
#include "feeds/span.h"
#include "sensor/base/decompress.h"
#include "sensor/base/error.h"

#define CONTENT_BLOCK 131072

struct content {
	const char *path;
	int fd;             /* -1: compiled in */
	struct span inside; /* what of a compiled-in list is still to be read */
	struct decompress decompress;
	struct span held; /* the start of the next block: `keep` or what was given back */
	char keep[CONTENT_BLOCK];
	uint64_t bytes;     /* read, uncompressed */
	uint64_t lines;     /* that ended before the next block */
	int64_t modified_s; /* of the file; 0: compiled in */
	bool ended;
};

struct block {
	char at[CONTENT_BLOCK];
	size_t len;          /* 0: the feed has ended */
	uint64_t first_line; /* lines before it */
};

/* ERR_USAGE when the file cannot be read ("PATH: reason"). */
NODISCARD enum err content_open(
	struct content *c, const struct feed_spec *spec, struct err_ctx *why);
void content_close(struct content *c);

/* The next bytes as they are. */
NODISCARD enum err content_read(struct content *c, struct block *b, struct err_ctx *why);
/* What content_read gave first comes again, from the `from`th byte on. */
void content_give_back(struct content *c, const struct block *b, size_t from);
/* The next whole lines. */
NODISCARD enum err content_read_lines(struct content *c, struct block *b, struct err_ctx *why);

#endif
