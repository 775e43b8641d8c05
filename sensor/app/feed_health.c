/* SPDX-License-Identifier: BSD-2-Clause */
#include "sensor/app/feed_health.h"

#include "sensor/app/degraded.h"
#include "sensor/base/clock.h"
#include "sensor/base/quantity.h"

#include <stdio.h>

#define SENTENCE_MAX 512

/* One feed with something to say about it. */
struct sick_feed {
	const struct knowledge_feed *feed;
	const struct load_feed *loaded;
	int64_t now_ns;
	char key[128], message[SENTENCE_MAX];
	struct degraded_finding finding;
};

static void say_age(struct sick_feed *s, int64_t age_ns)
{
	const int64_t minute_ns = 60 * NS_PER_S;
	char age[QUANTITY_TEXT_MAX], max_age[QUANTITY_TEXT_MAX];

	snprintf(s->key, sizeof(s->key), "feed_age %s", s->feed->name);
	snprintf(s->message, sizeof(s->message), "the feed %s is %s old; its max_age is %s",
		s->feed->name, quantity_format_duration(age_ns / minute_ns * minute_ns, age),
		quantity_format_duration(s->loaded->max_age_ns, max_age));
	s->finding.start_ns = s->loaded->report.modified_s * NS_PER_S + s->loaded->max_age_ns;
	s->finding.why[0] = (struct degraded_reason){ "feed_age_s", (double)(age_ns / NS_PER_S),
		true, (double)(s->loaded->max_age_ns / NS_PER_S) };
}

static void say_doubt(struct sick_feed *s)
{
	static const char *const feature[] = {
		[GUARD_FINE] = "feed_empty",
		[GUARD_REJECTED] = "feed_rejected_percent",
		[GUARD_EMPTY] = "feed_shrunk_percent",
		[GUARD_SHRUNK] = "feed_shrunk_percent",
		[GUARD_UNREADABLE] = "feed_unreadable",
	};
	const struct guard_finding *doubt = &s->loaded->doubt;

	snprintf(s->key, sizeof(s->key), "%s %s", feature[doubt->reason], s->feed->name);
	snprintf(s->message, sizeof(s->message), "the feed %s %s: %s; %s", s->feed->name,
		doubt->reason == GUARD_UNREADABLE ? "cannot be read" : "is not to be believed",
		doubt->why,
		s->loaded->kept ? "what was loaded before stays in force"
				: "what could be read is in force");
	s->finding.why[0] = (struct degraded_reason){ feature[doubt->reason], doubt->value,
		true, doubt->limit };
}

static void say_empty(struct sick_feed *s)
{
	snprintf(s->key, sizeof(s->key), "feed_empty %s", s->feed->name);
	snprintf(
		s->message, sizeof(s->message), "the feed %s has nothing in it", s->feed->name);
	s->finding.why[0] = (struct degraded_reason){ "feed_entries", 0, true, 1 };
}

/* False: the feed is well. */
static bool examine(struct sick_feed *s)
{
	const struct load_feed *l = s->loaded;
	int64_t age_ns = s->now_ns - l->report.modified_s * NS_PER_S;

	if (l->at.line == 0)
		return false; /* a shipped list */
	if (l->doubt.reason != GUARD_FINE)
		say_doubt(s);
	else if (s->feed->kind == MARK_MALICIOUS &&
		 feed_report_accepted(&l->report) + l->report.duplicates == 0)
		say_empty(s);
	else if (l->max_age_ns > 0 && age_ns > l->max_age_ns)
		say_age(s, age_ns);
	else
		return false;
	return true;
}

void feed_health_check(const struct knowledge *known, const struct load_report *loaded,
	struct output *output, int64_t now_ns)
{
	const struct policy *unmapped = &known->policies->tenant[POLICY_UNMAPPED];

	for (size_t i = 0; i < loaded->feed_count && i < known->feed_count; i++) {
		struct sick_feed s = {
			.feed = &known->feed[i],
			.loaded = &loaded->feed[i],
			.now_ns = now_ns,
			.finding = { .start_ns = now_ns, .count = 1 },
		};
		s.finding.key = s.key;
		s.finding.message = s.message;
		if (examine(&s))
			degraded_raise(&s.finding, unmapped, output, now_ns);
	}
}
