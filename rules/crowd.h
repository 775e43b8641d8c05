/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * crowd.h -- how many of a tenant's clients fail at once, and the present, which is the same for all.
 *
 * Owner: the family nxdomain, one for each tenant.  Threads: one tracker.
 */
#ifndef RULES_CROWD_H
#define RULES_CROWD_H

#include <stdbool.h>
#include <stdint.h>

#include "rules/nxdomain_client.h"

/*
 * Per tenant number: how many clients are active and how many fail, in this and the last window,
 * and the present: the span of capture time in which none of the numbers of minute, slice and
 * window changes, so that they are computed once for all clients and not for every answer.
 */
struct crowd {
	int64_t from_ns;
	uint64_t span_ns; /* 0: not known */
	int32_t slice, minute;
	uint32_t slot; /* of the slice, in nx[] and answers[] */
	uint32_t epoch;
	uint32_t active[2], warm[2];
} __attribute__((aligned(CACHE_LINE))); /* an answer touches one line */

/* The present around ts_ns begins; `window_ns`: the tenant's. */
void crowd_start_present(struct crowd *crowd, int64_t ts_ns, int64_t window_ns);

/* Is ts_ns in the present? */
static inline bool crowd_is_now(const struct crowd *crowd, int64_t ts_ns)
{
	return (uint64_t)ts_ns - (uint64_t)crowd->from_ns < crowd->span_ns;
}

/* The client is active in this window; `warm`: and fails. `crowd` may be NULL. */
static inline void crowd_join(struct crowd *crowd, struct nxdomain_client *c, bool warm)
{
	if (!crowd)
		return;
	if (c->active_epoch != crowd->epoch) {
		c->active_epoch = crowd->epoch;
		crowd->active[0]++;
	}
	if (warm && c->warm_epoch != crowd->epoch) {
		c->warm_epoch = crowd->epoch;
		crowd->warm[0]++;
	}
}

#endif
