/* SPDX-License-Identifier: BSD-2-Clause */
#include "feeds/index.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/feeds/feed_rig.h"

static void add(struct index_builder *b, const char *text, struct mark mark)
{
	struct dns_name name = name_of(text);
	cr_assert_eq(index_builder_add(b, &name, mark), INDEX_ADDED, "%s", text);
}

static struct index *index_of(const char *text, enum mark_scope scope)
{
	struct index_builder *b = index_builder_new(7);
	add(b, text, (struct mark){ .kind = MARK_MALICIOUS, .scope = (uint8_t)scope });
	struct index *index = index_build(b);
	cr_assert(index);
	return index;
}

/* Labels of the hits as digits: "23" is a hit at two labels, then one at three. */
static const char *hits_of(const struct index *index, const char *text)
{
	static char digits[INDEX_HITS_MAX * 3 + 1];
	struct index_hit hit[INDEX_HITS_MAX];
	struct dns_name name = name_of(text);
	size_t count = index_match_name(index, &name, hit);

	digits[0] = '\0';
	for (size_t i = 0; i < count; i++)
		sprintf(digits + strlen(digits), "%u", hit[i].labels);
	return digits;
}

Test(index, each_scope_applies_where_it_says)
{
	static const struct {
		const char *name;
		enum mark_scope scope;
		const char *asked;
		const char *hits;
	} rows[] = {
		{ "suffix, itself", SCOPE_SUFFIX, "evil.example", "2" },
		{ "suffix, below", SCOPE_SUFFIX, "a.b.evil.example", "2" },
		{ "suffix, other case", SCOPE_SUFFIX, "A.Evil.EXAMPLE", "2" },
		{ "suffix, sibling", SCOPE_SUFFIX, "notevil.example", "" },
		{ "suffix, above", SCOPE_SUFFIX, "example", "" },
		{ "suffix, root", SCOPE_SUFFIX, ".", "" },
		{ "exact, itself", SCOPE_EXACT, "evil.example", "2" },
		{ "exact, below", SCOPE_EXACT, "www.evil.example", "" },
		{ "below, itself", SCOPE_BELOW, "evil.example", "" },
		{ "below, below", SCOPE_BELOW, "www.evil.example", "2" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct index *index = index_of("Evil.example", rows[i].scope);
		cr_expect_str_eq(
			hits_of(index, rows[i].asked), rows[i].hits, "%s", rows[i].name);
		index_free(index);
	}
}

Test(index, hits_come_shortest_first_and_the_longest_are_kept)
{
	struct index_builder *b = index_builder_new(1);
	struct mark mark = { .kind = MARK_MALICIOUS };

	add(b, "d.c.b.a", mark);
	add(b, "b.a", mark);
	add(b, "a", mark);
	struct index *index = index_build(b);
	cr_expect_str_eq(hits_of(index, "f.e.d.c.b.a"), "124");
	cr_expect_eq(index_depth(index), 4);
	index_free(index);

	b = index_builder_new(1);
	char text[64] = "1";
	for (char c = '2'; c <= '9'; c++) {
		memmove(text + 2, text, strlen(text) + 1);
		text[0] = c;
		text[1] = '.';
		add(b, text, mark);
	}
	add(b, "1", mark);
	index = index_build(b);
	cr_expect_str_eq(hits_of(index, text), "23456789", "nine apply, the shortest goes");
	index_free(index);
}

Test(index, every_feed_that_lists_a_name_is_reported_once_in_order)
{
	struct index_builder *b = index_builder_new(3);
	struct dns_name name = name_of("host.ddns.example");
	struct mark marks[] = { { .kind = MARK_PROVIDER, .source = 9, .detail = 3 },
		{ .kind = MARK_MALICIOUS, .source = 5 },
		{ .kind = MARK_MALICIOUS, .source = 2 },
		{ .kind = MARK_MALICIOUS, .source = 2, .scope = SCOPE_EXACT } };

	for (size_t i = 0; i < ARRAY_LEN(marks); i++)
		cr_assert_eq(index_builder_add(b, &name, marks[i]), INDEX_ADDED);
	for (size_t i = 0; i < ARRAY_LEN(marks); i++)
		cr_assert_eq(index_builder_add(b, &name, marks[i]), INDEX_DUPLICATE);
	struct index *index = index_build(b);
	struct index_hit hit[INDEX_HITS_MAX];
	size_t count;
	cr_assert_eq(index_match_name(index, &name, hit), 1);
	const struct mark *found = index_marks(index, hit[0].entry, &count);
	cr_assert_eq(count, 4);
	cr_expect(found[0].kind == MARK_MALICIOUS && found[0].source == 2);
	cr_expect(found[1].kind == MARK_MALICIOUS && found[1].source == 2);
	cr_expect_neq(found[0].scope, found[1].scope);
	cr_expect(found[2].kind == MARK_MALICIOUS && found[2].source == 5);
	cr_expect(found[3].kind == MARK_PROVIDER && found[3].detail == 3);

	size_t wire_len;
	const uint8_t *wire = index_entry_name(index, hit[0].entry, &wire_len);
	cr_expect_eq(wire_len, name.wire_len);
	cr_expect_arr_eq(wire, name.wire, wire_len);
	index_free(index);
}

Test(index, names_out_of_range_are_refused_when_added_and_answered_when_asked)
{
	struct index_builder *b = index_builder_new(3);
	char text[DNS_NAME_MAX + 1] = "";
	struct mark mark = { .kind = MARK_MALICIOUS };

	struct dns_name root = name_of(".");
	cr_expect_eq(index_builder_add(b, &root, mark), INDEX_TOO_DEEP);
	for (int i = 0; i < INDEX_LABELS_MAX; i++)
		strcat(text, i ? ".x" : "x");
	struct dns_name deepest = name_of(text);
	cr_expect_eq(index_builder_add(b, &deepest, mark), INDEX_ADDED);
	strcat(text, ".x");
	struct dns_name deeper = name_of(text);
	cr_expect_eq(index_builder_add(b, &deeper, mark), INDEX_TOO_DEEP);
	struct index *index = index_build(b);
	struct index_hit hit[INDEX_HITS_MAX];
	cr_expect_eq(index_match_name(index, &deeper, hit), 1);
	cr_expect_eq(hit[0].labels, INDEX_LABELS_MAX);
	for (int i = INDEX_LABELS_MAX + 1; i < DNS_LABELS_MAX; i++)
		strcat(text, ".x");
	struct dns_name longest = name_of(text);
	cr_expect_eq(longest.label_count, DNS_LABELS_MAX);
	cr_expect_eq(index_match_name(index, &longest, hit), 1);
	cr_expect_eq(index_match_name(index, &root, hit), 0);
	index_free(index);
}

Test(index, an_empty_index_answers_nothing)
{
	struct index *index = index_build(index_builder_new(1));
	struct dns_name name = name_of("www.example.com");
	uint32_t entry;

	cr_assert(index);
	cr_expect_str_eq(hits_of(index, "www.example.com"), "");
	cr_expect_not(index_find(index, &name, &entry));
	cr_expect_eq(index_name_count(index), 0);
	cr_expect_eq(index_depth(index), 0);
	index_free(index);
}

Test(index, find_wants_the_very_name_whatever_its_scope)
{
	struct index *index = index_of("x.example", SCOPE_BELOW);
	struct dns_name name = name_of("x.example");
	struct dns_name below = name_of("a.x.example");
	uint32_t entry;

	cr_expect(index_find(index, &name, &entry));
	cr_expect_not(index_find(index, &below, &entry));
	index_free(index);
}

Test(index, equal_mark_lists_are_stored_once_whatever_their_order)
{
	struct index_builder *b = index_builder_new(3);
	struct mark one = { .kind = MARK_MALICIOUS, .source = 1 };
	struct mark two = { .kind = MARK_ALLOW, .source = 2 };
	struct index_hit hit[INDEX_HITS_MAX];
	const struct mark *marks[2];
	size_t count;

	add(b, "a.example", one);
	add(b, "a.example", two);
	add(b, "b.example", two);
	add(b, "b.example", one);
	struct index *index = index_build(b);
	const char *texts[] = { "a.example", "b.example" };
	for (size_t i = 0; i < 2; i++) {
		struct dns_name name = name_of(texts[i]);
		cr_assert_eq(index_match_name(index, &name, hit), 1);
		marks[i] = index_marks(index, hit[0].entry, &count);
		cr_expect_eq(count, 2);
	}
	cr_expect_eq(marks[0], marks[1]);
	index_free(index);
}

Test(index, many_tenants_with_one_suffix_cost_a_cell_each)
{
	struct index_builder *b = index_builder_new(3);

	for (uint16_t tenant = 0; tenant < 5000; tenant++)
		add(b, "local", (struct mark){ .kind = MARK_SEARCH_SUFFIX, .source = tenant });
	cr_expect_lt(index_builder_memory_bytes(b), 512 * 1024);
	struct index *index = index_build(b);
	cr_expect_lt(index_memory_bytes(index), 64 * 1024);
	cr_expect_str_eq(hits_of(index, "printer.local"), "1");
	index_free(index);
}

/* --- against a naive oracle -------------------------------------------------------------- */

#define ORACLE_NAMES 3000

static struct {
	struct dns_name name;
	struct mark mark;
} listed[ORACLE_NAMES];

static uint64_t random_state = 88172645463325252ull;

static unsigned random_below(unsigned limit)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return (unsigned)(random_state >> 33) % limit;
}

/* Few labels, so that names are often above, below or equal to each other. */
static struct dns_name random_name(unsigned labels_max)
{
	char text[DNS_NAME_MAX] = "";
	unsigned labels = 1 + random_below(labels_max);

	for (unsigned i = 0; i < labels; i++)
		sprintf(text + strlen(text), "%s%c%u", i ? "." : "", 'a' + (int)random_below(6),
			random_below(3));
	return name_of(text);
}

static bool oracle_has(
	const struct dns_name *name, uint8_t labels, struct mark *marks, size_t *count)
{
	bool applies = false;

	*count = 0;
	for (size_t i = 0; i < ORACLE_NAMES; i++) {
		if (listed[i].name.label_count != labels ||
			!dns_name_is_under(name, &listed[i].name))
			continue;
		bool known = false;
		for (size_t k = 0; k < *count; k++)
			known = known ||
				memcmp(&marks[k], &listed[i].mark, sizeof(*marks)) == 0;
		if (!known)
			marks[(*count)++] = listed[i].mark;
		applies = applies || mark_applies(&listed[i].mark, labels, name->label_count);
	}
	return applies;
}

static void compare_with_oracle(const struct index *index, const struct dns_name *name)
{
	static struct mark marks[ORACLE_NAMES];
	struct index_hit hit[INDEX_HITS_MAX];
	char text[DNS_NAME_TEXT_MAX];
	size_t next = 0;
	size_t mark_count;
	size_t found_count;
	size_t count = index_match_name(index, name, hit);

	dns_name_format(name, text);
	for (uint8_t labels = 1; labels <= name->label_count; labels++) {
		if (!oracle_has(name, labels, marks, &mark_count))
			continue;
		cr_assert_lt(next, count, "%s: no hit at %u labels", text, labels);
		cr_assert_eq(hit[next].labels, labels, "%s", text);
		const struct mark *found = index_marks(index, hit[next].entry, &found_count);
		cr_assert_eq(found_count, mark_count, "%s at %u labels", text, labels);
		for (size_t i = 1; i < found_count; i++)
			cr_assert_leq(
				found[i - 1].kind, found[i].kind, "%s: sorted by kind", text);
		next++;
	}
	cr_assert_eq(next, count, "%s: hits that are not listed", text);
}

Test(index, agrees_with_a_naive_search_of_random_names)
{
	struct index_builder *b = index_builder_new(99);

	for (size_t i = 0; i < ORACLE_NAMES; i++) {
		listed[i].name = random_name(6);
		listed[i].mark = (struct mark){ .kind = (uint8_t)random_below(4),
			.scope = (uint8_t)random_below(3),
			.source = (uint16_t)random_below(3) };
		enum index_added added = index_builder_add(b, &listed[i].name, listed[i].mark);
		cr_assert(added == INDEX_ADDED || added == INDEX_DUPLICATE);
	}
	struct index *index = index_build(b);
	for (size_t i = 0; i < 4000; i++) {
		struct dns_name name = random_name(INDEX_HITS_MAX);
		compare_with_oracle(index, &name);
	}
	index_free(index);
}

Test(index, a_million_names_take_less_than_a_hundred_bytes_each)
{
	enum { NAMES = 1000000 };
	struct index_builder *b = index_builder_new(5);
	struct mark mark = { .kind = MARK_MALICIOUS, .source = 4 };
	struct index_hit hit[INDEX_HITS_MAX];
	char text[64];

	for (unsigned i = 0; i < NAMES; i++) {
		sprintf(text, "host-%x.some-domain%u.example", i * 2654435761u, i % 70000);
		add(b, text, mark);
	}
	cr_expect_lt(index_builder_memory_bytes(b), 100u * NAMES, "while building");
	struct index *index = index_build(b);
	cr_assert_eq(index_name_count(index), NAMES);
	cr_expect_lt(index_memory_bytes(index), 80u * NAMES, "%zu bytes a name",
		index_memory_bytes(index) / NAMES);
	for (unsigned i = 0; i < NAMES; i += 997) {
		sprintf(text, "host-%x.some-domain%u.example", i * 2654435761u, i % 70000);
		struct dns_name name = name_of(text);
		cr_assert_eq(index_match_name(index, &name, hit), 1, "%s", text);
		text[0] = 'g';
		name = name_of(text);
		cr_assert_eq(index_match_name(index, &name, hit), 0, "%s", text);
	}
	index_free(index);
}

Test(index, kinds_of_feeds_are_parsed_and_those_of_policies_are_not)
{
	enum mark_kind kind;

	cr_expect(mark_kind_parse(&kind, "malicious") && kind == MARK_MALICIOUS);
	cr_expect(mark_kind_parse(&kind, "lookup_service") && kind == MARK_LOOKUP_SERVICE);
	cr_expect_not(mark_kind_parse(&kind, "approved"));
	cr_expect_not(mark_kind_parse(&kind, "bad"));
	cr_expect_str_eq(mark_kind_name(MARK_ZONE), "zone");
}

Test(index, every_entry_has_its_turn)
{
	struct index_builder *b = index_builder_new(7);
	bool seen[1000] = { false };
	uint32_t entry = 0;
	size_t count = 0;

	for (unsigned i = 0; i < ARRAY_LEN(seen); i++) {
		char text[64];
		snprintf(text, sizeof(text), "n%u.%s.example", i, i % 3 ? "a" : "longer");
		add(b, text, (struct mark){ .kind = MARK_MALICIOUS, .detail = i });
	}
	struct index *index = index_build(b);
	cr_assert(index);
	for (; index_next(index, &entry); count++) {
		size_t wire_len, marks;
		struct dns_name name;
		uint32_t found;
		const uint8_t *wire = index_entry_name(index, entry, &wire_len);
		cr_assert(dns_name_from_wire(&name, wire, wire_len));
		cr_assert(index_find(index, &name, &found));
		cr_assert_eq(found, entry);
		const struct mark *mark = index_marks(index, entry, &marks);
		cr_assert_eq(marks, 1);
		cr_assert_not(seen[mark->detail], "entry %u comes twice", mark->detail);
		seen[mark->detail] = true;
	}
	cr_assert_eq(count, ARRAY_LEN(seen));
	index_free(index);
}

Test(index, an_empty_index_has_no_entry)
{
	struct index *index = index_build(index_builder_new(7));
	uint32_t entry = 0;

	cr_assert(index);
	cr_assert_not(index_next(index, &entry));
	index_free(index);
}

/* A suffix that all tenants share, of which one has several marks. */
Test(index, each_tenant_finds_its_marks_of_a_suffix_that_all_share)
{
	struct index_builder *b = index_builder_new(7);
	const unsigned tenants = 300, several = 100;

	for (unsigned t = 0; t < tenants; t++)
		for (unsigned detail = 0; detail < (t == several ? 4 : 1); detail++)
			add(b, "shared.example",
				(struct mark){ .kind = MARK_APPROVED,
					.source = (uint16_t)t,
					.detail = detail });
	struct index *index = index_build(b);
	struct dns_name name = name_of("shared.example");
	uint32_t entry;
	cr_assert(index && index_find(index, &name, &entry));

	for (unsigned t = 0; t <= tenants; t++) {
		struct index_concerns it = index_concerns_start(index, entry, (uint16_t)t);
		unsigned own = 0;
		for (const struct mark *m; (m = index_concerns_next(&it));)
			own += m->source == t;
		cr_assert_eq(own, t == several ? 4 : t < tenants, "tenant %u", t);
	}
	index_free(index);
}

/* Of marks in any order, those that concern a tenant are the feeds' and its own. */
Test(index, of_the_tenants_marks_only_ones_own_are_shown)
{
	struct index_builder *b = index_builder_new(7);
	static const struct mark of_feeds[] = {
		{ .kind = MARK_MALICIOUS, .source = 3 },
		{ .kind = MARK_MALICIOUS, .source = 900 },
		{ .kind = MARK_POOL, .source = 0 },
	};
	for (unsigned t = 0; t < 1000; t++) {
		if (t % 3 == 0)
			add(b, "corp.example",
				(struct mark){ .kind = MARK_ZONE, .source = (uint16_t)t });
		if (t % 5 != 1)
			add(b, "corp.example",
				(struct mark){
					.kind = MARK_SEARCH_SUFFIX, .source = (uint16_t)t });
	}
	for (size_t i = 0; i < ARRAY_LEN(of_feeds); i++)
		add(b, "corp.example", of_feeds[i]);
	struct index *index = index_build(b);
	struct dns_name name = name_of("corp.example");
	uint32_t entry;
	cr_assert(index && index_find(index, &name, &entry));

	for (unsigned t = 0; t < 1002; t++) {
		struct index_concerns it = index_concerns_start(index, entry, (uint16_t)t);
		unsigned feeds = 0, zones = 0, suffixes = 0, last_kind = 0;
		for (const struct mark *m; (m = index_concerns_next(&it));) {
			cr_assert_geq(m->kind, last_kind, "tenant %u", t);
			last_kind = m->kind;
			feeds += m->kind == MARK_MALICIOUS || m->kind == MARK_POOL;
			zones += m->kind == MARK_ZONE && m->source == t;
			suffixes += m->kind == MARK_SEARCH_SUFFIX && m->source == t;
		}
		cr_assert_eq(feeds, ARRAY_LEN(of_feeds), "tenant %u", t);
		cr_assert_eq(zones, t < 1000 && t % 3 == 0, "tenant %u", t);
		cr_assert_eq(suffixes, t < 1000 && t % 5 != 1, "tenant %u", t);
	}
	index_free(index);
}
