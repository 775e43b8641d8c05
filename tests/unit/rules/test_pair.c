/* SPDX-License-Identifier: BSD-2-Clause */
#include "rules/pair.h"

#include "sensor/base/hash.h"
#include "tests/unit/rules/observations.h"

#include <stdlib.h>

#include <criterion/criterion.h>

#define SEED UINT64_C(0x9a12)

struct bench {
	struct world *world;
	struct pairs *pairs;
};

static struct bench bench_new(size_t memory)
{
	struct bench b = { world_new(), pairs_new(memory, SEED) };
	world_tenant(b.world, "acme", NULL);
	world_tenant(b.world, "beta", NULL);
	world_freeze(b.world);
	cr_assert_not_null(b.pairs);
	return b;
}

static void bench_free(struct bench *b)
{
	pairs_free(b->pairs);
	world_free(b->world);
}

static struct pair_result see(struct bench *b, const struct message *m)
{
	struct observation *o = message_observe(b->world, m, 1);
	struct session session = session_of(SEED, o);
	pairs_prepare(b->pairs, &session);
	pairs_prefetch(b->pairs, &session);
	struct pair_result result = pairs_observe(b->pairs, o, &session);
	free(o);
	return result;
}

static void check_books(const struct bench *b, uint64_t queries, uint64_t responses)
{
	struct pair_stats s = pairs_stats(b->pairs);
	cr_assert_eq(s.queries, queries);
	cr_assert_eq(s.matched + s.unanswered + s.pending + s.evicted + s.repeated, queries);
	cr_assert_eq(s.matched + s.unsolicited + s.repeats_answered, responses);
}

static const struct message query = { .qname = "www.example", .id = 7 };
static const struct message response = {
	.at_ms = 30, .qname = "www.example", .id = 7, .response = true
};

Test(pair, a_response_is_joined_to_its_query_with_the_time_it_took)
{
	struct bench b = bench_new(1 << 20);

	cr_assert_not(see(&b, &query).matched);
	cr_assert_eq(pairs_stats(b.pairs).pending, 1);
	struct pair_result r = see(&b, &response);
	cr_assert(r.matched);
	cr_assert_eq(r.rtt_ns, 30 * NS_PER_MS);
	cr_assert_eq(r.tenant, 1);
	cr_assert_eq(pairs_table(b.pairs).used, 0);
	check_books(&b, 1, 1);
	bench_free(&b);
}

Test(pair, every_part_of_the_key_counts)
{
	static const struct {
		const char *name;
		struct message m;
	} rows[] = {
		{ "client", { .client = "10.1.0.8", .qname = "www.example", .id = 7 } },
		{ "server", { .server = "10.1.0.54", .qname = "www.example", .id = 7 } },
		{ "port", { .client_port = 40001, .qname = "www.example", .id = 7 } },
		{ "id", { .qname = "www.example", .id = 8 } },
		{ "qname", { .qname = "ww2.example", .id = 7 } },
		{ "qtype", { .qname = "www.example", .id = 7, .qtype = DNS_TYPE_AAAA } },
		{ "transport", { .qname = "www.example", .id = 7, .tcp = true } },
		{ "opcode", { .qname = "www.example", .id = 7, .opcode = DNS_OPCODE_NOTIFY } },
		{ "tenant", { .qname = "www.example", .id = 7, .tenant = 2 } },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct bench b = bench_new(1 << 20);
		struct message m = rows[i].m;
		m.response = true;
		see(&b, &query);
		cr_assert_not(see(&b, &m).matched, "%s", rows[i].name);
		cr_assert_eq(pairs_stats(b.pairs).unsolicited, 1, "%s", rows[i].name);
		check_books(&b, 1, 1);
		bench_free(&b);
	}
}

Test(pair, a_response_is_too_late_from_one_nanosecond_over_the_timeout)
{
	static const struct {
		const char *name;
		int64_t ms;
		bool matched;
	} rows[] = {
		{ "before", 59999, true },
		{ "at", 60000, true },
		{ "past", 60001, false },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct bench b = bench_new(1 << 20);
		struct message late = response;
		late.at_ms = rows[i].ms;
		see(&b, &query);
		cr_assert_eq(see(&b, &late).matched, rows[i].matched, "%s", rows[i].name);
		cr_assert_eq(
			pairs_stats(b.pairs).unanswered, !rows[i].matched, "%s", rows[i].name);
		check_books(&b, 1, 1);
		bench_free(&b);
	}
}

Test(pair, a_repeated_query_keeps_its_first_time_and_both_answers_are_expected)
{
	struct bench b = bench_new(1 << 20);
	struct message again = query, second = response;

	again.at_ms = 10;
	see(&b, &query);
	see(&b, &again);
	struct pair_result r = see(&b, &response);
	cr_assert(r.matched);
	cr_assert_eq(r.rtt_ns, 30 * NS_PER_MS);
	second.at_ms = 40;
	cr_assert(see(&b, &second).matched);
	cr_assert_not(see(&b, &second).matched, "a third one nobody asked for");
	struct pair_stats s = pairs_stats(b.pairs);
	cr_assert_eq(s.matched, 1);
	cr_assert_eq(s.repeated, 1);
	cr_assert_eq(s.repeats_answered, 1);
	cr_assert_eq(s.unsolicited, 1);
	check_books(&b, 2, 3);
	bench_free(&b);
}

Test(pair, the_same_question_after_its_answer_is_a_new_one)
{
	struct bench b = bench_new(1 << 20);
	struct message again = query;

	again.at_ms = 10;
	see(&b, &query);
	see(&b, &again);
	see(&b, &response);
	again.at_ms = 100;
	see(&b, &again);
	struct message second = response;
	second.at_ms = 105;
	struct pair_result r = see(&b, &second);
	cr_assert_eq(r.rtt_ns, 5 * NS_PER_MS);
	cr_assert_eq(pairs_stats(b.pairs).matched, 2);
	check_books(&b, 3, 2);
	bench_free(&b);
}

Test(pair, a_query_repeated_after_the_timeout_is_a_new_one)
{
	struct bench b = bench_new(1 << 20);
	struct message again = query;

	again.at_ms = 60001;
	see(&b, &query);
	see(&b, &again);
	struct pair_stats s = pairs_stats(b.pairs);
	cr_assert_eq(s.unanswered, 1);
	cr_assert_eq(s.pending, 1);
	cr_assert_eq(s.repeated, 0);
	check_books(&b, 2, 0);
	bench_free(&b);
}

Test(pair, tenants_of_both_directions)
{
	static const struct {
		const char *name;
		struct message query, response;
		bool matched;
		uint16_t tenant;
	} rows[] = {
		{ "same", { .tenant = 2 }, { .tenant = 2 }, true, 2 },
		{ "response has none", { .tenant = 2 }, { .unmapped = true }, true, 2 },
		{ "query has none", { .unmapped = true }, { .tenant = 2 }, true, 2 },
		{ "neither", { .unmapped = true }, { .unmapped = true }, true, 0 },
		{ "different", { .tenant = 2 }, { .tenant = 1 }, false, 1 },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct bench b = bench_new(1 << 20);
		struct message q = rows[i].query, r = rows[i].response;
		q.qname = r.qname = "a.example";
		r.response = true;
		see(&b, &q);
		struct pair_result got = see(&b, &r);
		cr_assert_eq(got.matched, rows[i].matched, "%s", rows[i].name);
		cr_assert_eq(got.tenant, rows[i].tenant, "%s", rows[i].name);
		bench_free(&b);
	}
}

Test(pair, equal_queries_of_two_tenants_are_not_confused)
{
	for (uint16_t first = 1; first <= 2; first++) {
		struct bench b = bench_new(1 << 20);
		struct message q = { .qname = "a.example" },
			       r = { .at_ms = 9, .qname = "a.example" };
		r.response = true;
		q.tenant = first;
		see(&b, &q);
		q.tenant = 3 - first;
		q.at_ms = 4;
		see(&b, &q);
		cr_assert_eq(pairs_stats(b.pairs).repeated, 0);
		r.tenant = 3 - first;
		struct pair_result got = see(&b, &r);
		cr_assert_eq(got.tenant, 3 - first);
		cr_assert_eq(got.rtt_ns, 5 * NS_PER_MS);
		r.tenant = first;
		got = see(&b, &r);
		cr_assert_eq(got.tenant, first);
		cr_assert_eq(got.rtt_ns, 9 * NS_PER_MS);
		check_books(&b, 2, 2);
		bench_free(&b);
	}
}

Test(pair, a_response_with_its_own_tenant_prefers_that_tenants_query)
{
	struct bench b = bench_new(1 << 20);
	struct message q = { .qname = "a.example", .unmapped = true };
	struct message r = { .at_ms = 9, .qname = "a.example", .response = true, .tenant = 2 };

	see(&b, &q); /* older, but of nobody */
	q = (struct message){ .qname = "a.example", .tenant = 2, .at_ms = 5 };
	see(&b, &q);
	cr_assert_eq(see(&b, &r).rtt_ns, 4 * NS_PER_MS);
	bench_free(&b);
}

Test(pair, an_update_response_without_sections_is_joined)
{
	struct bench b = bench_new(1 << 20);
	struct message q = {
		.qname = "corp.example", .qtype = DNS_TYPE_SOA, .opcode = DNS_OPCODE_UPDATE
	};
	struct message r = { .opcode = DNS_OPCODE_UPDATE, .response = true, .at_ms = 2 };

	see(&b, &q);
	cr_assert(see(&b, &r).matched);
	check_books(&b, 1, 1);
	bench_free(&b);
}

Test(pair, a_response_without_question_takes_the_oldest_query)
{
	struct bench b = bench_new(1 << 20);
	struct message q = { .qname = "b.example", .at_ms = 1 };
	struct message r = { .response = true, .rcode = DNS_RCODE_FORMERR, .at_ms = 10 };

	see(&b, &q);
	q.qname = "a.example";
	q.at_ms = 3;
	see(&b, &q);
	cr_assert_eq(see(&b, &r).rtt_ns, 9 * NS_PER_MS);
	cr_assert_eq(see(&b, &r).rtt_ns, 7 * NS_PER_MS);
	check_books(&b, 2, 2);
	bench_free(&b);
}

Test(pair, ticks_find_what_has_timed_out)
{
	struct bench b = bench_new(1 << 20);

	pairs_tick(b.pairs, WORLD_START_NS);
	see(&b, &query);
	for (int64_t s = 1; s <= 60; s++)
		pairs_tick(b.pairs, WORLD_START_NS + s * NS_PER_S);
	cr_assert_eq(pairs_stats(b.pairs).unanswered, 0);
	for (int64_t s = 61; s <= 92; s++)
		pairs_tick(b.pairs, WORLD_START_NS + s * NS_PER_S);
	cr_assert_eq(pairs_stats(b.pairs).unanswered, 1);
	cr_assert_eq(pairs_stats(b.pairs).pending, 0);
	cr_assert_eq(pairs_table(b.pairs).used, 0);
	bench_free(&b);
}

Test(pair, the_end_of_time_closes_all)
{
	struct bench b = bench_new(4 << 20);

	for (uint16_t id = 1; id <= 5000; id++)
		see(&b, &(struct message){ .qname = "www.example", .id = id });
	pairs_tick(b.pairs, INT64_MAX);
	cr_assert_eq(pairs_stats(b.pairs).pending, 0);
	check_books(&b, 5000, 0);
	pairs_tick(b.pairs, WORLD_START_NS);
	pairs_tick(b.pairs, INT64_MIN);
	pairs_tick(b.pairs, INT64_MAX);
	bench_free(&b);
}

Test(pair, the_books_balance_when_the_table_is_too_small)
{
	struct bench b = bench_new(0);
	uint64_t random = 1, queries = 0, responses = 0;

	for (unsigned i = 0; i < 20000; i++) {
		random = random * UINT64_C(6364136223846793005) + 1442695040888963407;
		struct message m = {
			.at_ms = i * 5,
			.qname = random >> 60 ? "a.example" : "b.example",
			.id = (uint16_t)(1 + (random >> 40) % 200),
			.tenant = (uint16_t)(1 + (random >> 50) % 2),
			.unmapped = (random >> 55) % 7 == 0,
			.response = (random >> 30) % 2,
		};
		see(&b, &m);
		*(m.response ? &responses : &queries) += 1;
		if (i % 200 == 0)
			pairs_tick(b.pairs, WORLD_START_NS + m.at_ms * NS_PER_MS);
	}
	check_books(&b, queries, responses);
	cr_assert_gt(pairs_stats(b.pairs).evicted, 0);
	cr_assert_gt(pairs_stats(b.pairs).matched, 0);
	cr_assert_leq(pairs_table(b.pairs).used, 64);
	bench_free(&b);
}

Test(pair, any_time_at_all_is_taken)
{
	struct bench b = bench_new(1 << 20);
	static const int64_t times[] = { INT64_MIN, -1, 0, INT64_MAX, 5, INT64_MIN };

	for (size_t i = 0; i < ARRAY_LEN(times); i++) {
		struct observation *o = message_observe(b.world, &query, 1);
		o->ts_ns = times[i];
		struct session session = session_of(SEED, o);
		pairs_observe(b.pairs, o, &session);
		o->response = true;
		o->ts_ns = times[ARRAY_LEN(times) - 1 - i];
		pairs_observe(b.pairs, o, &session);
		pairs_tick(b.pairs, times[i]);
		free(o);
	}
	check_books(&b, ARRAY_LEN(times), ARRAY_LEN(times));
	bench_free(&b);
}
