/* SPDX-License-Identifier: BSD-2-Clause */
#include "sensor/app/collisions.h"

#include <stdio.h>
#include <string.h>

#include "feeds/shipped.h"
#include "rules/verdict.h"
#include "sensor/app/load.h"

#define LINE_MAX_LEN (3 * DNS_NAME_TEXT_MAX)

struct search {
	const struct knowledge *known;
	void (*say)(void *arg, const char *line);
	void *arg;
	size_t found;
	uint64_t unsaid; /* beyond what reports keep */
};

/* What the tenants allow does not matter here, so that nobody's tenant asks. */
static struct verdict verdict_on(const struct knowledge *known, const struct dns_name *name)
{
	const struct ip nobody = { { 0 } };
	const struct verdict_asker who = { .known = known,
		.tenant = &known->policies->tenant[POLICY_UNMAPPED],
		.client = &nobody };
	const struct verdict_name asked = { name->wire, name->wire_len, name->label_count };
	struct index_hit hit[INDEX_HITS_MAX];
	size_t hits = index_match_name(known->index, name, hit);

	return verdict_of(&who, asked, hit, hits);
}

static void check(struct search *s, const char *text, const char *what, const char *whose)
{
	char line[LINE_MAX_LEN], listed[DNS_NAME_TEXT_MAX];
	struct dns_name name;

	if (!dns_name_parse(&name, text))
		return;
	struct verdict v = verdict_on(s->known, &name);
	if (v.feed_count == 0 || s->found++ >= COLLISIONS_SAID_MAX)
		return;
	dns_name_format_suffix(&name, v.listed_labels, listed);
	snprintf(line, sizeof(line),
		"feed %s: its entry %s covers %s, %s%s: every look-up of it is told as "
		"malicious (an allow feed with the name helps)",
		s->known->feed[v.feed[0]].name, listed, text, what, whose);
	s->say(s->arg, line);
}

static void check_tenant(struct search *s, const struct policy *p)
{
	for (size_t i = 0; i < p->zone_count; i++)
		check(s, p->zone[i].name, "a zone of tenant ", p->id);
	for (size_t i = 0; i < p->suffix_count; i++)
		check(s, p->suffix[i], "a search suffix of tenant ", p->id);
}

/* The first word of each line. */
static void check_popular(struct search *s)
{
	for (const char *line = shipped_popular_names; *line;) {
		char name[DNS_NAME_TEXT_MAX];
		size_t len = strcspn(line, " \t\n");
		if (len > 0 && len < sizeof(name) && line[0] != '#') {
			memcpy(name, line, len);
			name[len] = '\0';
			check(s, name, "a name that everybody needs", "");
		}
		line += strcspn(line, "\n");
		line += *line == '\n';
	}
}

/* Is the name below this zone or suffix? Then that is said. */
static bool say_below(struct search *s, const struct knowledge_feed *feed, uint64_t line_number,
	const struct dns_name *name, const char *own, const char *what, const char *whose)
{
	char line[LINE_MAX_LEN], text[DNS_NAME_TEXT_MAX];
	struct dns_name suffix;

	if (!dns_name_parse(&suffix, own) || !dns_name_is_under(name, &suffix))
		return false;
	if (s->found++ < COLLISIONS_SAID_MAX) {
		dns_name_format(name, text);
		snprintf(line, sizeof(line),
			"%s:%llu: feed %s: %s is listed as malicious and is below %s, %s%s",
			feed->path, (unsigned long long)line_number, feed->name, text, own,
			what, whose);
		s->say(s->arg, line);
	}
	return true;
}

static void check_own_name(
	struct search *s, const struct knowledge_feed *feed, const struct feed_own_name *found)
{
	const struct policy_set *all = s->known->policies;
	struct dns_name name;
	bool said = false;

	if (!dns_name_from_wire(&name, found->wire, found->wire_len) ||
		verdict_on(s->known, &name).feed_count == 0)
		return; /* an allow feed has it */
	for (size_t t = 0; t < all->tenant_count && !said; t++) {
		const struct policy *p = &all->tenant[t];
		for (size_t i = 0; i < p->zone_count && !said; i++)
			said = say_below(s, feed, found->line, &name, p->zone[i].name,
				"a zone of tenant ", p->id);
		for (size_t i = 0; i < p->suffix_count && !said; i++)
			said = say_below(s, feed, found->line, &name, p->suffix[i],
				"a search suffix of tenant ", p->id);
	}
}

static void check_own_names(struct search *s, const struct load_report *report)
{
	for (size_t i = 0; i < report->feed_count; i++) {
		const struct feed_report *r = &report->feed[i].report;
		for (uint64_t k = 0; k < r->own_names && k < FEED_SAMPLES_MAX; k++)
			check_own_name(s, &s->known->feed[i], &r->own_name[k]);
		if (r->own_names > FEED_SAMPLES_MAX)
			s->unsaid += r->own_names - FEED_SAMPLES_MAX;
	}
}

void collisions_warn(const struct knowledge *known, const struct load_report *report,
	void (*say)(void *arg, const char *line), void *arg)
{
	struct search s = { .known = known, .say = say, .arg = arg };
	char line[LINE_MAX_LEN];

	for (size_t i = 0; i < known->policies->tenant_count; i++)
		check_tenant(&s, &known->policies->tenant[i]);
	check_popular(&s);
	check_own_names(&s, report);
	if (s.found > COLLISIONS_SAID_MAX)
		s.unsaid += s.found - COLLISIONS_SAID_MAX;
	if (s.unsaid == 0)
		return;
	snprintf(line, sizeof(line),
		"%llu more names of tenants or of everybody are in malicious feeds",
		(unsigned long long)s.unsaid);
	say(arg, line);
}
