/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * carry.h -- what one feed said before, put into a new index: for a feed whose file cannot be read
 * or believed now (guard.h).
 *
 * Threads:  as feed_load.
 */
#ifndef FEEDS_CARRY_H
#define FEEDS_CARRY_H

#include <stdint.h>

#include "feeds/feed.h"

/* A feed of a version that is complete. */
struct carry_source {
	const struct index *index;
	const struct address_set *addresses; /* NULL: none */
	const struct provider_registry *providers;
	uint16_t number;
};

/*
 * Everything that feed `from` holds comes into `target` as feed `number`. ERR_FAILED when out of
 * memory. Cost: one look at every name of the index.
 */
NODISCARD enum err feed_carry(struct feed_target *target, const struct carry_source *from,
	uint16_t number, struct err_ctx *why);

#endif
