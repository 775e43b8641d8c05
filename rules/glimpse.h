/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * glimpse.h -- the little that is remembered of a name whose answers have not changed: nearly all
 * names. One cache line instead of the many of struct moves, which is begun from it at the first
 * change.
 *
 * Threads: one tracker.  Time: as moves.h.
 */
#ifndef RULES_GLIMPSE_H
#define RULES_GLIMPSE_H

#include <assert.h>
#include <stdbool.h>
#include <stdint.h>

#include "rules/moves.h"
#include "rules/observation.h"
#include "sensor/base/attribute.h"

struct glimpse {
	struct moves_key key;
	struct ip ip; /* the address, when the answer had just one */
	uint32_t set; /* of the addresses, whatever their order */
	uint32_t ttl_max_s;
	uint32_t first_s, last_s;
	uint8_t set_size; /* 255: that many or more */
	bool has_public;
	bool moved; /* it has changed: struct moves knows the rest */
	uint8_t unused[13];
};
static_assert(sizeof(struct glimpse) == CACHE_LINE, "a glimpse is one cache line");

/* The longest TTL of the addresses. */
uint32_t glimpse_ttl(const struct observation *o);

/*
 * Take in one answer; true when it has to be looked at closely: other addresses than before, or
 * public and private ones at once. The caller then sets g->moved, for good. `g` is fresh from
 * table_add when first_s is 0; `ttl_max_s` is the answer's glimpse_ttl.
 */
bool glimpse_note(struct glimpse *g, const struct observation *o, uint32_t ttl_max_s,
	uint32_t now_s, uint32_t window_s);

/* Begin the moves of a name with what was glimpsed of it. `m` is fresh from table_add. */
void glimpse_begin(const struct glimpse *g, struct moves *m, const struct geo *geo);

#endif
