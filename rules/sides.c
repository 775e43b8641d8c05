/* SPDX-License-Identifier: BSD-2-Clause */
#include "rules/sides.h"

#include "rules/age.h"

void sides_note(struct sides *s, bool response, bool matched, int64_t ts_ns)
{
	if (response) {
		s->responses++;
		s->matched += matched;
	} else {
		if (!s->has_query)
			s->first_query_ns = ts_ns;
		s->has_query = true;
		s->queries++;
	}
	if (s->queries < SIDES_HALVED_AT && s->responses < SIDES_HALVED_AT)
		return;
	s->queries /= 2;
	s->responses /= 2;
	s->matched /= 2;
}

bool sides_queries_hidden(const struct sides *s)
{
	return s->responses > 0 && s->matched * SIDES_ONE_IN <= s->responses;
}

bool sides_responses_hidden(const struct sides *s, int64_t ts_ns)
{
	if (!s->has_query || age_of(s->first_query_ns, ts_ns) < SIDES_PATIENCE_NS)
		return false;
	return s->matched * SIDES_ONE_IN <= s->queries;
}
