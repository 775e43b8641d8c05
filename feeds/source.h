/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * source.h -- one feed while it is being loaded: its content, its format, and how far it was read
 * (private to feeds/).
 *
 * Most formats say all in one line; blocks of such a feed can be read apart from each other, by
 * several threads. The others (a JSON text, a title that gives the columns, a zone's origin) are
 * read as a whole by one.
 *
 * Owner:    source_close, also after an error.
 * Threads:  one at a time; source_read_block: any number, each with its own intake and block.
 */
#ifndef FEEDS_SOURCE_H
#define FEEDS_SOURCE_H

#include "feeds/content.h"
#include "feeds/intake.h"

struct source {
	const struct feed_spec *spec;
	uint16_t number;
	uint32_t detail; /* of marks whose line has no own provider */
	enum feed_format format;
	bool is_whole;
	bool is_document;
	bool is_open;
	struct content *content;
	int64_t modified_s; /* these two are known when it was closed */
	uint64_t bytes;
};

/* Open the content and choose the format; `scratch` holds nothing that is wanted. */
NODISCARD enum err source_open(struct source *s, struct block *scratch, struct err_ctx *why);
/* Twice is allowed. */
void source_close(struct source *s);

/* The intake for this feed, with nothing read. */
void source_init_intake(const struct source *s, struct intake *in);
/* All lines of one block. */
void source_read_block(struct intake *in, const struct block *b);
/* The feed from its start to its end; `scratch` is used on the way. */
NODISCARD enum err source_read_whole(
	struct source *s, struct intake *in, struct block *scratch, struct err_ctx *why);

#endif
