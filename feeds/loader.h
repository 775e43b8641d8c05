/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * loader.h -- reads many feeds with several threads and stores what they give in one order (private
 * to feeds/).
 *
 * The work is cut into tickets, in the order of the feeds and their lines: a block of a feed's lines,
 * or a whole feed where blocks cannot be read apart. Workers take one ticket after the other, read and
 * judge its lines and gather the names; the caller's thread stores the names of each ticket in its
 * turn. A worker can be ahead of it by a few tickets and, within one, by a megabyte or two, so that
 * memory does not grow with the feeds.
 */
#ifndef FEEDS_LOADER_H
#define FEEDS_LOADER_H

#include "feeds/source.h"

#define LOADER_THREADS_MAX 16

/* As feed_load_all; the sources are those of the items, with their details. */
NODISCARD enum err loader_run(struct feed_target *target, struct source *source,
	const struct feed_item *item, size_t count, unsigned threads, size_t *failed,
	struct err_ctx *why);

#endif
