/* SPDX-License-Identifier: BSD-2-Clause */
#include "feeds/guard.h"

#include <inttypes.h>
#include <stdio.h>

/* Entries that were understood, whether they were new or said twice. */
static uint64_t known_count(const struct feed_report *r)
{
	return feed_report_accepted(r) + r->duplicates;
}

/* What no publisher writes on purpose; an entry of another type is none of that. */
static uint64_t broken_count(const struct feed_report *r)
{
	uint64_t sum = 0;

	for (int i = 0; i < FEED_REJECT_COUNT; i++) {
		if (feed_reject_is_broken((enum feed_reject)i))
			sum += r->rejected[i];
	}
	return sum;
}

static double percent(uint64_t part, uint64_t whole)
{
	return whole > 0 ? 100.0 * (double)part / (double)whole : 0;
}

static bool has_too_many_rejects(
	struct guard_finding *out, unsigned max_rejected, const struct feed_report *now)
{
	uint64_t broken = broken_count(now);
	uint64_t all = known_count(now) + feed_report_rejected(now);

	out->value = percent(broken, all);
	out->limit = max_rejected;
	if (broken < GUARD_BROKEN_MIN || out->value <= max_rejected)
		return false;
	out->reason = GUARD_REJECTED;
	snprintf(out->why, sizeof(out->why),
		"%" PRIu64 " of %" PRIu64 " entries are broken (max_rejected: %u %%)", broken,
		all, max_rejected);
	return true;
}

static bool has_shrunk(struct guard_finding *out, unsigned max_shrink,
	const struct feed_report *now, const struct feed_report *last)
{
	uint64_t before = known_count(last), count = known_count(now);

	if (max_shrink >= 100 || count >= before || (count > 0 && before < GUARD_SMALL))
		return false;
	double shrink = percent(before - count, before);
	if (shrink <= max_shrink)
		return false;
	out->value = shrink;
	out->limit = max_shrink;
	out->reason = count > 0 ? GUARD_SHRUNK : GUARD_EMPTY;
	snprintf(out->why, sizeof(out->why),
		"it shrank from %" PRIu64 " entries to %" PRIu64 " (max_shrink: %u %%)", before,
		count, max_shrink);
	return true;
}

bool guard_accepts(struct guard_finding *out, const struct guard_limits *limits,
	const struct feed_report *now, const struct feed_report *last)
{
	*out = (struct guard_finding){ .reason = GUARD_FINE };
	if (has_too_many_rejects(out, limits->max_rejected, now))
		return false;
	return !last || !has_shrunk(out, limits->max_shrink, now, last);
}
