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
 * The first answer that is remembered; all of `g` is written. True when it has to be looked at
 * closely: public and private addresses at once. The caller then sets g->moved, for good.
 */
bool glimpse_first(struct glimpse *g, const struct moves_key *key, const struct observation *o,
	uint32_t now_s);

/*
 * A later answer. glimpse_again takes it in when it is what nearly all are, the same again; false when
 * it is not, and glimpse_note then takes in whatever it is: true when it has to be looked at closely,
 * for other addresses than before or for both kinds at once. The caller then sets g->moved, for good.
 */
bool glimpse_again(
	struct glimpse *g, const struct observation *o, uint32_t now_s, uint32_t window_s);
bool glimpse_note(
	struct glimpse *g, const struct observation *o, uint32_t now_s, uint32_t window_s);

/* Begin the moves of a name with what was glimpsed of it. `m` is fresh from table_add. */
void glimpse_begin(const struct glimpse *g, struct moves *m, const struct geo *geo);

#endif
