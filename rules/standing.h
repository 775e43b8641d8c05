/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * standing.h -- what the lists say of the name asked for and of where it leads, for rules about names
 * whose addresses change.
 *
 * Threads: no state.
 */
#ifndef RULES_STANDING_H
#define RULES_STANDING_H

#include <stdbool.h>
#include <stdint.h>

#include "rules/emit.h"

struct standing {
	bool exempt;       /* pool, lookup service, allowed, approved, the tenant's own zone */
	uint32_t provider; /* PROVIDER_NONE: on no provider's list */
	unsigned host_labels; /* labels of the dynamic host: suffix + 1 */
};

/* Of the answer x->now. */
struct standing standing_of(const struct index *index, const struct exchange *x);

#endif
