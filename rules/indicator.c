/* SPDX-License-Identifier: BSD-2-Clause */
#include "rules/indicator.h"

#include <stdio.h>

/* So many feeds are reasons of their own; the list of providers has all. */
#define REASONS_MAX 5

_Static_assert(ALERT_INDICATORS_MAX >= VERDICT_FEEDS_MAX, "every feed of a verdict has room");

/* What the feed says besides that it lists it. */
static void add_facts(struct alert *a, const struct knowledge_feed *feed, uint64_t fact_key)
{
	struct alert_indicator *by = &a->indicator_by[a->indicator_count++];
	struct entry_facts e;

	*by = (struct alert_indicator){ .confidence = FACTS_NO_CONFIDENCE };
	by->feed = alert_put(a, feed->name);
	if (!feed->facts || !facts_find(feed->facts, fact_key, &e))
		return;
	by->category = alert_put(a, e.category);
	by->reference = alert_put(a, e.reference);
	by->confidence = e.confidence;
	by->tlp = e.tlp;
	by->tlp_name = alert_put(a, facts_tlp_name((enum facts_tlp)e.tlp));
	by->first_seen_s = e.first_seen_s;
	by->until_s = e.until_s;
}

void indicator_name_feeds(
	struct alert *a, const struct knowledge *known, const struct verdict *v)
{
	char list[512];
	size_t len = 0;

	for (unsigned i = 0; i < v->feed_count && v->feed[i] < known->feed_count; i++) {
		const char *feed = known->feed[v->feed[i]].name;
		int more =
			snprintf(list + len, sizeof(list) - len, "%s%s", len ? ", " : "", feed);
		if (more < 0 || (size_t)more >= sizeof(list) - len)
			break;
		len += (size_t)more;
		if (i < REASONS_MAX)
			alert_why(a, "feed", alert_words(a, feed), alert_none(), alert_none());
	}
	list[len] = '\0';
	for (unsigned i = 0; i < v->feed_count && v->feed[i] < known->feed_count; i++)
		add_facts(a, &known->feed[v->feed[i]], v->fact_key[i]);
	a->indicator_provider = alert_put(a, list);
}

int indicator_score(const struct alert *a, const struct verdict *v)
{
	static const uint8_t score[] = {
		[SEVERITY_INFO] = 30,
		[SEVERITY_LOW] = 45,
		[SEVERITY_MEDIUM] = 65,
		[SEVERITY_HIGH] = 80,
		[SEVERITY_CRITICAL] = 90,
	};

	return score[a->severity] + 5 * (v->feed_count - 1);
}
