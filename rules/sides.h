/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sides.h -- which directions of a tenant's traffic are visible.
 *
 * A mirror of one direction shows queries without responses or the other way round. A rule then
 * judges what it can, and its alerts say what could not be seen.
 *
 * Only the recent past counts (the last SIDES_HALVED_AT messages of a direction, about), so that a
 * mirror that is repaired is noticed.
 *
 * Owner:    the caller; zero is the start.  Threads: one.
 */
#ifndef RULES_SIDES_H
#define RULES_SIDES_H

#include <stdbool.h>
#include <stdint.h>

#include "sensor/base/clock.h"

#define SIDES_HALVED_AT 65536
/* When at most one message in so many has its other half, that half is taken for invisible. */
#define SIDES_ONE_IN 10
/* Responses may be under way for so long before they are missed. */
#define SIDES_PATIENCE_NS (5 * NS_PER_S)

struct sides {
	uint32_t queries, responses, matched;
	bool has_query;
	int64_t first_query_ns;
};

/* Count one message; `matched`: a response whose query was seen. */
void sides_note(struct sides *s, bool response, bool matched, int64_t ts_ns);
/* Hardly any response has its query. */
bool sides_queries_hidden(const struct sides *s);
/* Hardly any query has a response. */
bool sides_responses_hidden(const struct sides *s, int64_t ts_ns);

#endif
