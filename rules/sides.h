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

#include "rules/age.h"
#include "sensor/base/attribute.h"
#include "sensor/base/clock.h"

#define SIDES_HALVED_AT 65536 /* a power of two: sides_note looks at both counts at once */
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
static inline void sides_note(struct sides *s, bool response, bool matched, int64_t ts_ns)
{
	if (response) {
		s->responses++;
		s->matched += matched;
	} else {
		if (UNLIKELY(!s->has_query))
			s->first_query_ns = ts_ns;
		s->has_query = true;
		s->queries++;
	}
	if (LIKELY((s->queries | s->responses) < SIDES_HALVED_AT))
		return;
	s->queries /= 2;
	s->responses /= 2;
	s->matched /= 2;
}

/* Hardly any response has its query. */
static inline bool sides_queries_hidden(const struct sides *s)
{
	return s->responses > 0 && s->matched * SIDES_ONE_IN <= s->responses;
}

/* Hardly any query has a response. */
static inline bool sides_responses_hidden(const struct sides *s, int64_t ts_ns)
{
	return s->matched * SIDES_ONE_IN <= s->queries && s->has_query &&
	       age_of(s->first_query_ns, ts_ns) >= SIDES_PATIENCE_NS;
}

#endif
