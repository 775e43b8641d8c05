/* SPDX-License-Identifier: BSD-2-Clause */
/* What programs, and the readers here, make of what feeds/writer.h writes. */
#include "feeds/writer.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/feeds/feed_rig.h"
#include "tests/unit/feeds/writer_rig.h"

/* --- what others make of it ----------------------------------------------------------------- */

/*
 * Names of one to four labels over a, b and c below t.example; what is said is said of those over a
 * and b. What a program makes of a name by the rules of the format has to be what the sensor would.
 */
#define SAID_MAX  12
#define LABELS    3
#define NAMES_MAX 400

struct said {
	char name[32];
	enum mark_scope scope;
	enum blocklist_say say;
};

static uint32_t dice_state;

static unsigned dice(unsigned sides)
{
	dice_state = dice_state * 1664525 + 1013904223;
	return (dice_state >> 16) % sides;
}

static size_t roll(struct said said[SAID_MAX])
{
	size_t count = 1 + dice(SAID_MAX);

	for (size_t i = 0; i < count; i++) {
		unsigned labels = 1 + dice(4);
		said[i].name[0] = '\0';
		for (unsigned k = 0; k < labels; k++)
			strcat(said[i].name, dice(2) ? "a." : "b.");
		strcat(said[i].name, "t.example");
		said[i].scope = (enum mark_scope)dice(3);
		said[i].say = dice(2) ? SAY_LISTED : (enum blocklist_say)dice(4);
	}
	return count;
}

static size_t all_names(char name[NAMES_MAX][32])
{
	size_t count = 0, from = 0;

	strcpy(name[count++], "t.example");
	for (int depth = 0; depth < 5; depth++) {
		size_t until = count;
		for (; from < until; from++) {
			for (char c = 'a'; c < 'a' + LABELS; c++)
				snprintf(name[count++], 32, "%c.%.29s", c, name[from]);
		}
	}
	return count;
}

/* Does what is said of `of`, so many octets into the name, hold for the name? */
static bool holds(const struct said *s, const char *name)
{
	size_t len = strlen(name), of = strlen(s->name);

	if (len < of || strcmp(name + len - of, s->name) != 0)
		return false;
	if (len == of)
		return s->scope != SCOPE_BELOW;
	return name[len - of - 1] == '.' && s->scope != SCOPE_EXACT;
}

static bool is_void(
	const struct said *said, size_t count, const struct said *s, const char *name)
{
	for (size_t i = 0; i < count; i++) {
		if (said[i].say == SAY_EXCLUDED && said[i].scope != SCOPE_BELOW &&
			strcmp(said[i].name, s->name) == 0)
			return strcmp(s->name, name) != 0;
	}
	return false;
}

/* As the sensor has it: the deepest that holds; of those at one depth what lets pass. */
static enum blocklist_action wanted(const struct said *said, size_t count, const char *name)
{
	enum blocklist_action action = ACTION_NONE;
	bool own = false;
	size_t deepest = 0;

	for (size_t i = 0; i < count; i++) {
		const struct said *s = &said[i];
		if (!holds(s, name))
			continue;
		if (s->say == SAY_EXCLUDED)
			return ACTION_PASS;
		if (s->say == SAY_LISTED && is_void(said, count, s, name))
			continue;
		bool passes = s->say != SAY_LISTED;
		size_t depth = strlen(s->name);
		if (depth < deepest ||
			(depth == deepest && action == ACTION_PASS && !(passes && !own)))
			continue;
		deepest = depth;
		action = passes ? ACTION_PASS : ACTION_REFUSE;
		own = s->say == SAY_APPROVED;
	}
	/* That an allow feed has it, need not be said. */
	return action == ACTION_PASS && !own ? ACTION_NONE : action;
}

struct record {
	const char *owner;
	bool below;
	enum blocklist_action action;
};

/* "a.b CNAME .|*.a.b CNAME rpz-passthru." taken apart where it stands. */
static size_t read_records(char *zone, struct record record[NAMES_MAX])
{
	size_t count = 0;
	char *rest;

	for (char *line = strtok_r(zone, "|", &rest); line; line = strtok_r(NULL, "|", &rest)) {
		char *target = strstr(line, " CNAME ");
		cr_assert(target && count < NAMES_MAX);
		*target = '\0';
		target += strlen(" CNAME ");
		bool below = strncmp(line, "*.", 2) == 0;
		record[count++] = (struct record){ line + (below ? 2 : 0), below,
			strcmp(target, ".") == 0 ? ACTION_REFUSE : ACTION_PASS };
	}
	return count;
}

static bool is_at_or_above(const char *name, const char *below)
{
	size_t len = strlen(name), below_len = strlen(below);

	return below_len >= len && strcmp(below + below_len - len, name) == 0 &&
	       (below_len == len || below[below_len - len - 1] == '.');
}

/* RFC 4592: the name, else the wildcard of the closest name that exists. */
static enum blocklist_action ask_zone(
	const struct record *record, size_t count, const char *name)
{
	for (size_t i = 0; i < count; i++) {
		if (!record[i].below && strcmp(record[i].owner, name) == 0)
			return record[i].action;
	}
	for (bool is_self = true; name; is_self = false) {
		bool exists = false;
		for (size_t i = 0; i < count; i++) {
			exists = exists || is_at_or_above(name, record[i].owner);
			if (!is_self && record[i].below && strcmp(record[i].owner, name) == 0)
				return record[i].action;
		}
		if (exists)
			break;
		name = strchr(name, '.');
		name = name ? name + 1 : NULL;
	}
	return ACTION_NONE;
}

/* The strongest rule that matches. */
static enum blocklist_action ask_rules(const char *rules, const char *name)
{
	enum blocklist_action action = ACTION_NONE;
	int strongest = -1;
	char *copy = strdup(rules), *rest;

	for (char *rule = strtok_r(copy, "\n", &rest); rule;
		rule = strtok_r(NULL, "\n", &rest)) {
		bool passes = strncmp(rule, "@@", 2) == 0;
		if (rule[0] == '!' || rule[0] == '[')
			continue;
		char *start = rule + (passes ? 2 : 0), *end = strchr(start, '^');
		cr_assert(end && start[0] == '|');
		int strength = 2 * (strcmp(end, "^$important") == 0) + passes;
		*end = '\0';
		bool suffix = start[1] == '|', below = strncmp(start + 2, "*.", 2) == 0;
		const char *of = start + (suffix ? 2 : 1) + (below ? 2 : 0);
		bool matches =
			suffix ? is_at_or_above(of, name) && !(below && strcmp(of, name) == 0)
			       : strcmp(of, name) == 0;
		if (!matches || strength <= strongest)
			continue;
		strongest = strength;
		action = passes ? ACTION_PASS : ACTION_REFUSE;
	}
	free(copy);
	return action;
}

static void expect_same(const char *format, uint32_t seed, const char *name,
	enum blocklist_action got, enum blocklist_action want, bool marks_only)
{
	/* What an allow feed has may be said where it is needed, or not where it is not. */
	bool same = want == ACTION_NONE || (marks_only && want == ACTION_PASS)
			    ? got != ACTION_REFUSE
			    : got == want;
	cr_expect(same, "%s, seed %u, %s: %d instead of %d", format, seed, name, got, want);
}

static struct blocklist *list_of(const struct said *said, size_t count)
{
	struct blocklist *list = blocklist_new();

	for (size_t i = 0; i < count; i++)
		writer_rig_add(list, said[i].name, said[i].scope, said[i].say);
	blocklist_sort(list);
	return list;
}

Test(written, a_resolver_refuses_what_the_sensor_would_report)
{
	static char name[NAMES_MAX][32];
	size_t names = all_names(name);

	for (uint32_t seed = 1; seed <= 400; seed++) {
		struct said said[SAID_MAX];
		struct record record[NAMES_MAX];
		struct writer_options options = writer_rig_options(FEED_RPZ);
		struct writer_counts counts;
		dice_state = seed;
		size_t count = roll(said);
		struct blocklist *list = list_of(said, count);
		char *zone = writer_rig_entries(writer_rig_write(list, &options, &counts));
		size_t records = read_records(zone, record);
		for (size_t i = 0; i < names; i++)
			expect_same("rpz", seed, name[i], ask_zone(record, records, name[i]),
				wanted(said, count, name[i]), false);
		free(zone);
		blocklist_free(list);
	}
}

Test(written, a_filter_refuses_what_the_sensor_would_report)
{
	static char name[NAMES_MAX][32];
	size_t names = all_names(name), judged = 0;

	for (uint32_t seed = 1; seed <= 400; seed++) {
		struct said said[SAID_MAX];
		struct writer_options options = writer_rig_options(FEED_ADBLOCK);
		struct writer_counts counts;
		dice_state = seed;
		size_t count = roll(said);
		struct blocklist *list = list_of(said, count);
		char *rules = writer_rig_write(list, &options, &counts);
		/* Five turns at four labels: that cannot be said. */
		for (size_t i = 0; i < names && counts.unsaid[UNSAID_RANK] == 0; i++, judged++)
			expect_same("adblock", seed, name[i], ask_rules(rules, name[i]),
				wanted(said, count, name[i]), false);
		free(rules);
		blocklist_free(list);
	}
	cr_expect_gt(judged, 300 * names);
}

/* --- what is read back ---------------------------------------------------------------------- */

/* What was written, read as a feed, as a list again. */
static struct blocklist *read_back(
	const char *text, enum feed_format format, enum mark_scope scope, uint64_t *rejected)
{
	struct blocklist *list = blocklist_new();
	struct feed_rig rig;
	uint32_t entry = 0;

	feed_rig_init(&rig);
	feed_rig_load(&rig,
		(struct feed_spec){ .kind = MARK_MALICIOUS, .format = format, .scope = scope },
		text);
	*rejected = feed_report_rejected(&rig.report);
	feed_rig_build(&rig);
	while (index_next(rig.index, &entry)) {
		size_t marks, len;
		const struct mark *mark = index_marks(rig.index, entry, &marks);
		const uint8_t *wire = index_entry_name(rig.index, entry, &len);
		struct dns_name name;
		cr_assert(dns_name_from_wire(&name, wire, len));
		for (size_t i = 0; i < marks; i++)
			cr_assert(
				blocklist_add_name(list, &name, (enum mark_scope)mark[i].scope,
					mark[i].kind == MARK_ALLOW ? SAY_ALLOWED : SAY_LISTED,
					BLOCKLIST_NO_ORIGIN));
	}
	for (uint32_t i = 0; i < address_set_count(rig.addresses); i++) {
		size_t marks;
		const struct mark *mark = address_set_marks(rig.addresses, i, &marks);
		for (size_t k = 0; k < marks; k++)
			cr_assert(blocklist_add_network(list, address_set_net(rig.addresses, i),
				mark[k].kind == MARK_ALLOW ? SAY_ALLOWED : SAY_LISTED,
				BLOCKLIST_NO_ORIGIN));
	}
	blocklist_sort(list);
	feed_rig_deinit(&rig);
	return list;
}

static void expect_round_trip(
	const struct said *said, size_t count, enum feed_format format, enum mark_scope scope)
{
	struct blocklist *list = list_of(said, count);
	struct writer_options options = writer_rig_options(format);
	struct writer_counts counts;
	uint64_t rejected;
	char *once = writer_rig_write(list, &options, &counts);
	struct blocklist *again = read_back(once, format, scope, &rejected);
	char *first = writer_rig_entries(once);
	char *twice = writer_rig_entries(writer_rig_write(again, &options, &counts));

	cr_expect_eq(rejected, 0, "%s", feed_format_name(format));
	cr_expect_str_eq(twice, first, "%s, seed %u: %s\ninstead of %s",
		feed_format_name(format), dice_state, twice, first);
	free(first);
	free(twice);
	blocklist_free(list);
	blocklist_free(again);
}

Test(written, what_is_written_is_read_back_to_the_same)
{
	static const struct {
		enum feed_format format;
		enum mark_scope scope;
	} rows[] = {
		{ FEED_RPZ, SCOPE_EXACT },
		{ FEED_ADBLOCK, SCOPE_SUFFIX },
		{ FEED_HOSTS, SCOPE_EXACT },
		{ FEED_DOMAINS, SCOPE_EXACT },
		{ FEED_SURICATA, SCOPE_EXACT },
	};

	for (uint32_t seed = 1; seed <= 100; seed++) {
		struct said said[SAID_MAX];
		dice_state = seed;
		size_t count = roll(said);
		/* What tenants say is not in the file as theirs. */
		for (size_t i = 0; i < count; i++)
			said[i].say = said[i].say == SAY_LISTED ? SAY_LISTED : SAY_ALLOWED;
		for (size_t i = 0; i < ARRAY_LEN(rows); i++)
			expect_round_trip(said, count, rows[i].format, rows[i].scope);
	}
}

Test(written, networks_are_read_back_to_the_same)
{
	static const char *const nets[] = { "192.0.2.0/24", "192.0.2.7", "192.0.2.128/25",
		"2001:db8::/32", "2001:db8::1", "2001:db8:0:1::/64", "2001:db8:1:2:3:4:5:6",
		"2001:db8:0:0:1::", "2001:0:0:1::1", "2001:db8:1:0:2:3:4:5",
		"1::", "1:2:3:4:5:6:7::", "198.51.100.0/31", "203.0.113.255" };
	struct blocklist *list = blocklist_new();
	struct writer_options options = writer_rig_options(FEED_RPZ);
	struct writer_counts counts;
	uint64_t rejected;

	for (size_t i = 0; i < ARRAY_LEN(nets); i++)
		writer_rig_add_network(
			list, nets[i], i == 1 || i == 4 ? SAY_ALLOWED : SAY_LISTED);
	blocklist_sort(list);
	char *once = writer_rig_write(list, &options, &counts);
	struct blocklist *again = read_back(once, FEED_RPZ, SCOPE_EXACT, &rejected);
	char *first = writer_rig_entries(once);
	char *twice = writer_rig_entries(writer_rig_write(again, &options, &counts));
	cr_expect_eq(rejected, 0);
	cr_expect_str_eq(twice, first, "%s\ninstead of %s", twice, first);
	free(first);
	free(twice);
	blocklist_free(list);
	blocklist_free(again);
}
