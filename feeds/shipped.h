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

#endif
