/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * shipped.h -- the lists that come with dynwatch (feeds/lists/), compiled into the program.
 *
 * Each is a feed_spec with its content; load them before any other feed.
 */
#ifndef FEEDS_SHIPPED_H
#define FEEDS_SHIPPED_H

#include <stddef.h>

#include "feeds/feed.h"

extern const struct feed_spec shipped_feeds[];
extern const size_t shipped_feed_count;

/* Names that no malicious feed means: lines as in the lists, "name operator". NUL-terminated. */
extern const char *const shipped_popular_names;

/*
 * The suffixes of the shipped lists of providers and tunnels, as feed_target.provider_suffixes: what
 * must not become malicious as a whole, unless a feed may say so. That holds even where those lists
 * are not in force themselves. With the seed of the index being built it costs the least. ERR_FAILED
 * when out of memory; freed with index_free.
 */
NODISCARD enum err shipped_build_rail(struct index **out, uint64_t seed, struct err_ctx *why);

#endif
