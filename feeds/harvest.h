/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * harvest.h -- what was read from a piece of a feed, on its way into the index (private to feeds/).
 *
 * Pieces of feeds are read by several threads at once; each gathers what it finds in a harvest of its
 * own. One thread stores the harvests, in the order of the feeds and their lines: whatever the
 * threads do, the index, the counts and the numbers come out the same.
 *
 * Owner:    harvest_deinit; zero-initialised is valid and empty.
 * Threads:  a harvest belongs to one thread at a time.
 */
#ifndef FEEDS_HARVEST_H
#define FEEDS_HARVEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "feeds/feed.h"

struct harvest {
	uint64_t *word;   /* records, back to back */
	size_t len, size; /* words */
	bool failed;      /* out of memory; stays */
};

/* `hash`: of the name, with the builder's seed. */
void harvest_add_name(
	struct harvest *h, const struct dns_name *name, uint64_t hash, struct mark mark);
/* A network; the mark's scope says nothing. */
void harvest_add_network(struct harvest *h, const struct ip_net *net, struct mark mark);
/* What is said of what was added last. */
void harvest_add_facts(struct harvest *h, const struct entry_facts *facts);
/*
 * Put everything into the target, and count it as accepted or as a duplicate in the item's report.
 * False when out of memory.
 */
NODISCARD bool harvest_store(
	const struct harvest *h, struct feed_target *target, const struct feed_item *item);
/* Empty, keeping the memory. */
static inline void harvest_clear(struct harvest *h)
{
	h->len = 0;
}
void harvest_deinit(struct harvest *h);

#endif
