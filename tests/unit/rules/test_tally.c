/* SPDX-License-Identifier: BSD-2-Clause */
#include "rules/tally.h"

#include "tests/unit/rules/observations.h"
#include "tests/unit/rules/update_sample.h"

#include <criterion/criterion.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TENANTS 3

struct bench {
	struct world *world;
	struct tally *tally;
	struct tally_row *row;
	size_t count; /* as ranked */
};

static void bench_init(struct bench *b, size_t memory_bytes)
{
	*b = (struct bench){ .world = world_new() };
	world_tenant(b->world, "acme", "10.1.0.0/16");
	world_tenant(b->world, "globex", "10.2.0.0/16");
	world_freeze(b->world);
	b->tally = tally_new(memory_bytes, 1);
	cr_assert_not_null(b->tally);
	tally_adopt(b->tally, &b->world->known);
}

static void bench_deinit(struct bench *b)
{
	free(b->row);
	tally_free(b->tally);
	world_free(b->world);
}

static void rank(struct bench *b)
{
	size_t max = tally_rows_max(b->tally);

	free(b->row);
	b->row = calloc(max, sizeof(*b->row));
	cr_assert_not_null(b->row);
	b->count = tally_read(b->tally, b->row);
	cr_assert_leq(b->count, max);
	b->count = tally_rank(b->row, b->count);
}

/* One UPDATE of `zone`, signed with `key` unless that is NULL, answered so. */
static void note(struct bench *b, uint16_t tenant, const char *zone, const char *key,
	uint16_t rcode, uint16_t tsig_error)
{
	struct update_sample s;

	update_sample_start(&s);
	s.request.zone = zone;
	update_sample_add(&s, zone, "192.0.2.1");
	if (key) {
		update_sample_sign(&s);
		s.request.key_name = key;
	}
	update_sample_answer(&s, rcode, tsig_error);
	update_sample_finish(&s);
	tally_note(b->tally, tenant, &s.t);
}

Test(tally, an_update_counts_for_its_zone_and_its_key_by_how_it_ended)
{
	struct bench b;

	bench_init(&b, 1 << 20);
	note(&b, 1, "corp.example", "k1", DNS_RCODE_NOERROR, 0);
	note(&b, 1, "corp.example", "k1", DNS_RCODE_NOTAUTH, DNS_RCODE_BADKEY);
	note(&b, 1, "corp.example", "k1", DNS_RCODE_NOTAUTH, 4000);
	note(&b, 1, "corp.example", NULL, DNS_RCODE_REFUSED, 0);
	note(&b, 1, "corp.example", NULL, 3000, 0);
	rank(&b);
	cr_assert_eq(b.count, 2);
	const struct tally_counts *zone = &b.row[0].counts, *key = &b.row[1].counts;
	cr_expect_eq(b.row[0].kind, TALLY_ZONE);
	cr_expect_str_eq(b.row[0].name, "corp.example");
	cr_expect_eq(zone->updates, 5);
	cr_expect_eq(zone->accepted, 1);
	cr_expect_eq(zone->signed_, 3);
	cr_expect_eq(zone->unsigned_, 2);
	cr_expect_eq(zone->rcode[DNS_RCODE_NOTAUTH], 2);
	cr_expect_eq(zone->rcode[DNS_RCODE_REFUSED], 1);
	cr_expect_eq(zone->rcode[TALLY_RCODES - 1], 1);
	cr_expect(zone->has_success);
	cr_expect_eq(zone->last_success_ns, UPDATE_SAMPLE_NOON_S * 1000000000 + 1234567);
	cr_expect_eq(b.row[1].kind, TALLY_KEY);
	cr_expect_str_eq(b.row[1].name, "k1");
	cr_expect_eq(key->updates, 3);
	cr_expect_eq(key->tsig_error[DNS_RCODE_BADKEY - TALLY_TSIG_FIRST], 1);
	cr_expect_eq(key->tsig_error[TALLY_TSIG_ERRORS - 1], 1);
	bench_deinit(&b);
}

Test(tally, what_changes_nothing_is_no_success)
{
	struct bench b;
	struct update_sample s;

	bench_init(&b, 1 << 20);
	update_sample_start(&s);
	update_sample_require(&s, UPDATE_NAME_IN_USE, "dc.corp.example");
	update_sample_answer(&s, DNS_RCODE_NOERROR, 0);
	update_sample_finish(&s);
	tally_note(b.tally, 1, &s.t);
	s.t.answered = false;
	tally_note(b.tally, 1, &s.t);
	rank(&b);
	cr_assert_eq(b.count, 1);
	cr_expect_not(b.row[0].counts.has_success);
	cr_expect_eq(b.row[0].counts.accepted, 1);
	cr_expect_eq(b.row[0].counts.unanswered, 1);
	bench_deinit(&b);
}

Test(tally, tenants_are_apart_and_the_busiest_come_first)
{
	struct bench b;

	bench_init(&b, 1 << 20);
	note(&b, 2, "corp.example", NULL, DNS_RCODE_NOERROR, 0);
	for (int i = 0; i < 3; i++)
		note(&b, 1, "busy.example", NULL, DNS_RCODE_NOERROR, 0);
	note(&b, 1, "b.example", NULL, DNS_RCODE_NOERROR, 0);
	note(&b, 1, "a.example", NULL, DNS_RCODE_NOERROR, 0);
	rank(&b);
	static const char *const want[] = { "busy.example", "a.example", "b.example",
		"corp.example" };
	cr_assert_eq(b.count, ARRAY_LEN(want));
	for (size_t i = 0; i < ARRAY_LEN(want); i++)
		cr_expect_str_eq(b.row[i].name, want[i]);
	cr_expect_eq(b.row[3].tenant, 2);
	bench_deinit(&b);
}

static uint64_t total(const struct bench *b, uint16_t tenant, enum tally_kind kind)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < b->count; i++) {
		if (b->row[i].tenant == tenant && b->row[i].kind == kind)
			sum += b->row[i].counts.updates;
	}
	return sum;
}

Test(tally, beyond_the_list_and_the_table_the_others_keep_the_sum)
{
	static const size_t memories[] = { 16 << 10,
		4 << 20 }; /* the first one is far too small */

	for (size_t m = 0; m < ARRAY_LEN(memories); m++) {
		struct bench b;
		struct judge_stats stats = { .table_count = 0 };
		char zone[32];
		bench_init(&b, memories[m]);
		for (int i = 0; i < 1000; i++) {
			snprintf(zone, sizeof(zone), "z%d.example", i);
			note(&b, (uint16_t)(1 + i % 2), zone, "k", DNS_RCODE_NOERROR, 0);
			note(&b, 1, "busy.example", NULL, DNS_RCODE_NOERROR, 0);
		}
		rank(&b);
		tally_stats(b.tally, &stats);
		cr_expect(m > 0 || stats.table[0].evicted > 900);
		cr_expect_eq(total(&b, 1, TALLY_ZONE), 1500, "%zu", m);
		cr_expect_eq(total(&b, 2, TALLY_ZONE), 500, "%zu", m);
		cr_expect_eq(total(&b, 1, TALLY_KEY), 500, "%zu", m);
		cr_expect_str_eq(b.row[0].name, "busy.example", "%zu", m);
		cr_expect_eq(b.row[0].counts.updates, 1000, "%zu", m);
		cr_expect_leq(b.count, 2 * (TALLY_LISTED_MAX + 1) + 2, "%zu", m);
		for (size_t i = 0; i < b.count; i++) {
			bool last = i + 1 == b.count || b.row[i + 1].kind != b.row[i].kind ||
				    b.row[i + 1].tenant != b.row[i].tenant;
			cr_expect(last || !b.row[i].others, "%zu: %zu", m, i);
			cr_expect_eq(
				b.row[i].others, b.row[i].name[0] == '\0', "%zu: %zu", m, i);
		}
		bench_deinit(&b);
	}
}

Test(tally, rows_of_several_trackers_add_up)
{
	struct tally_row row[] = {
		{ .tenant = 1,
			.name = "a",
			.counts = { .updates = 1, .last_success_ns = 5, .has_success = true } },
		{ .tenant = 1, .name = "b", .counts = { .updates = 2 } },
		{ .tenant = 1, .others = true, .counts = { .updates = 4 } },
		{ .tenant = 1,
			.name = "a",
			.counts = { .updates = 8, .last_success_ns = 3, .has_success = true } },
		{ .tenant = 1, .others = true, .counts = { .updates = 16 } },
	};

	cr_assert_eq(tally_rank(row, ARRAY_LEN(row)), 3);
	cr_expect_str_eq(row[0].name, "a");
	cr_expect_eq(row[0].counts.updates, 9);
	cr_expect_eq(row[0].counts.last_success_ns, 5);
	cr_expect_str_eq(row[1].name, "b");
	cr_expect(row[2].others);
	cr_expect_eq(row[2].counts.updates, 20);
	cr_expect_eq(tally_rank(NULL, 0), 0);
}

Test(tally, delays_go_to_their_zone)
{
	const struct ledger_delay direct = {
		.count = 3, .p50_ns = 1, .p95_ns = 2, .max_ns = 9
	};
	const struct ledger_zone_stats zones[] = {
		{ .tenant = 1, .zone = "corp.example", .authoritative = direct },
		{ .tenant = 2, .zone = "corp.example", .resolved = direct },
		{ .tenant = 1, .zone = "unknown.example", .resolved = direct },
	};
	struct bench b;

	bench_init(&b, 1 << 20);
	note(&b, 1, "corp.example", NULL, DNS_RCODE_NOERROR, 0);
	for (size_t i = 0; i < ARRAY_LEN(zones); i++)
		tally_set_delays(b.tally, &zones[i]);
	rank(&b);
	cr_assert_eq(b.count, 1);
	cr_expect_eq(b.row[0].counts.authoritative.max_ns, 9);
	cr_expect_eq(b.row[0].counts.resolved.count, 0);
	bench_deinit(&b);
}

Test(tally, long_names_are_cut_and_still_apart)
{
	struct bench b;
	char zone[2][DNS_NAME_TEXT_MAX];

	bench_init(&b, 1 << 20);
	for (int i = 0; i < 2; i++) {
		memset(zone[i], 'x', sizeof(zone[i]));
		zone[i][800] = (char)('a' + i);
		zone[i][801] = '\0';
		note(&b, 1, zone[i], NULL, DNS_RCODE_NOERROR, 0);
	}
	/* The same beginning: they are told apart in the table and one in the list. */
	rank(&b);
	cr_assert_eq(b.count, 1);
	cr_expect_eq(b.row[0].counts.updates, 2);
	cr_expect_eq(strlen(b.row[0].name), TALLY_NAME_MAX - 1);
	bench_deinit(&b);
}
