/* SPDX-License-Identifier: BSD-2-Clause */
#include "sensor/app/collisions.h"

#include <stdio.h>
#include <string.h>

#include "feeds/shipped.h"
#include "rules/verdict.h"

#define LINE_MAX_LEN (3 * DNS_NAME_TEXT_MAX)

struct search {
	const struct knowledge *known;
	void (*say)(void *arg, const char *line);
	void *arg;
	size_t found;
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

void collisions_warn(
	const struct knowledge *known, void (*say)(void *arg, const char *line), void *arg)
{
	struct search s = { .known = known, .say = say, .arg = arg };
	char line[LINE_MAX_LEN];

	for (size_t i = 0; i < known->policies->tenant_count; i++)
		check_tenant(&s, &known->policies->tenant[i]);
	check_popular(&s);
	if (s.found <= COLLISIONS_SAID_MAX)
		return;
	snprintf(line, sizeof(line), "%zu more names that feeds should not cover",
		s.found - COLLISIONS_SAID_MAX);
	say(arg, line);
}
