/* SPDX-License-Identifier: BSD-2-Clause */
#include "rules/indicator.h"

#include <stdio.h>

/* So many feeds are reasons of their own; the list of providers has all. */
#define REASONS_MAX 5

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
