/* SPDX-License-Identifier: BSD-2-Clause */
#include "rules/transaction.h"

#include "tests/support/dns_build.h"
#include "tests/unit/rules/observations.h"

#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

/* --- a bench: transactions with one tenant that has the zone corp.example ----------------- */

struct bench {
	struct world *world;
	struct transactions *all;
	struct transaction t; /* the last one told */
	size_t ended;         /* told on ticks */
	uint64_t seq;
};

static struct bench bench_make(size_t memory_bytes)
{
	struct bench bench = { .world = world_new() };
	struct policy *p = world_tenant(bench.world, "acme", "10.0.0.0/8");

	world_zone(p, "corp.example", "10.1.0.53", true);
	world_freeze(bench.world);
	bench.all = transactions_new(memory_bytes, 7);
	cr_assert(bench.all);
	transactions_adopt(bench.all, &bench.world->known);
	return bench;
}

static void bench_free(struct bench *bench)
{
	transactions_free(bench->all);
	world_free(bench->world);
}

struct leg {
	int64_t at_ms;
	const char *client, *server;
	uint16_t id;
	const char *key;  /* of a TSIG; NULL: unsigned */
	unsigned changes; /* hosts registered */
	bool response, bare, tcp;
	uint16_t rcode;
};

static void build_leg(struct dns_build *b, const struct leg *l)
{
	build_start(b, l->id, 0x2800u | (l->response ? 0x8000u : 0) | l->rcode);
	if (l->bare)
		return;
	build_question(b, "corp.example", DNS_TYPE_SOA, DNS_CLASS_IN);
	for (unsigned i = 0; i < l->changes; i++) {
		build_record(
			b, BUILD_AUTHORITY, "pc7.corp.example", DNS_TYPE_A, DNS_CLASS_IN, 60);
		build_u32(b, 0x0a010000 + i);
		build_record_end(b);
	}
	if (!l->key)
		return;
	build_record(b, BUILD_ADDITIONAL, l->key, DNS_TYPE_TSIG, DNS_CLASS_ANY, 0);
	build_name(b, "hmac-sha256");
	build_octets(b, "\0\0\0\0\0\1\0\1\0\0\0\x09\0\0\0\0", 16);
	build_record_end(b);
}

/* Whether a transaction was told; it is in bench->t. */
static bool show(struct bench *bench, const struct leg *l)
{
	static struct dns_build b;

	build_leg(&b, l);
	struct observation *o = message_observe(bench->world,
		&(struct message){ .at_ms = l->at_ms,
			.client = l->client,
			.server = l->server,
			.id = l->id,
			.qname = l->bare ? NULL : "corp.example",
			.qtype = DNS_TYPE_SOA,
			.opcode = DNS_OPCODE_UPDATE,
			.response = l->response,
			.rcode = l->rcode,
			.tcp = l->tcp,
			.signature = l->key != NULL,
			.wire = b.at,
			.wire_len = b.len },
		++bench->seq);
	struct exchange x = { .now = o,
		.tenant = &bench->world->known.policies->tenant[1],
		.tenant_number = 1,
		.seq = o->seq,
		.ts_ns = o->ts_ns };
	bool told = l->response ? transactions_answer(bench->all, &x, &bench->t)
				: transactions_ask(bench->all, &x, &bench->t);
	free(o);
	return told;
}

static void keep_ended(void *arg, const struct exchange *x, const struct transaction *t)
{
	struct bench *bench = arg;

	cr_assert(x->now == NULL && x->tenant->number == 1);
	bench->t = *t;
	bench->ended++;
}

static void wait_until(struct bench *bench, int64_t at_ms)
{
	struct exchange x = { .ts_ns = WORLD_START_NS + at_ms * (NS_PER_S / 1000) };

	transactions_tick(bench->all, &x, keep_ended, bench);
}

static const struct leg request = {
	.client = "10.1.0.7", .server = "10.1.0.53", .id = 9, .changes = 2
};

static struct leg answer_to(const struct leg *l, int64_t after_ms, uint16_t rcode)
{
	struct leg answer = *l;

	answer.at_ms += after_ms;
	answer.response = answer.bare = true;
	answer.rcode = rcode;
	return answer;
}

/* --- joined ------------------------------------------------------------------------------- */

Test(transaction, an_empty_response_and_one_that_echoes_finish_the_request)
{
	for (int bare = 0; bare < 2; bare++) {
		for (int tcp = 0; tcp < 2; tcp++) {
			struct bench bench = bench_make(1 << 20);
			struct leg asked = request;
			asked.tcp = tcp;
			cr_assert(show(&bench, &asked));
			cr_assert(!bench.t.answered && bench.t.request->change_count == 2);
			struct leg answer = answer_to(&asked, 7, DNS_RCODE_REFUSED);
			answer.bare = bare;
			cr_assert(show(&bench, &answer));
			cr_expect(bench.t.answered && bench.t.request_seen && bench.t.readable);
			cr_expect_eq(bench.t.rcode, DNS_RCODE_REFUSED);
			cr_expect_eq(bench.t.latency_ns, 7000000);
			cr_expect_eq(bench.t.request->change_count, 2);
			cr_expect_str_eq(bench.t.request->change[1].rdata, "10.1.0.1");
			cr_expect_str_eq(bench.t.zone->name, "corp.example");
			cr_expect_eq(bench.t.response == NULL, bare);
			bench_free(&bench);
		}
	}
}

Test(transaction, a_retransmission_and_its_response_are_told_once)
{
	struct bench bench = bench_make(1 << 20);
	struct leg again = request;

	cr_assert(show(&bench, &request));
	again.at_ms = 2000;
	cr_assert_not(show(&bench, &again));
	struct leg answer = answer_to(&request, 2010, 0);
	cr_assert(show(&bench, &answer));
	cr_assert_eq(bench.t.latency_ns, 2010000000, "from the first request");
	answer.at_ms += 5;
	cr_assert_not(show(&bench, &answer));
	wait_until(&bench, 100000);
	cr_assert_eq(bench.ended, 0);
	bench_free(&bench);
}

Test(transaction, the_same_id_again_with_another_content_is_another)
{
	struct bench bench = bench_make(1 << 20);
	struct leg other = request;

	other.changes = 5;
	other.at_ms = 10;
	cr_assert(show(&bench, &request));
	cr_assert(show(&bench, &other));
	struct leg answer = answer_to(&request, 20, 0);
	cr_assert(show(&bench, &answer));
	cr_assert_eq(bench.t.request->change_count, 2, "the oldest first");
	cr_assert(show(&bench, &answer));
	cr_assert_eq(bench.t.request->change_count, 5);
	bench_free(&bench);
}

Test(transaction, what_nobody_answers_is_told_after_a_minute)
{
	struct bench bench = bench_make(1 << 20);

	cr_assert(show(&bench, &request));
	wait_until(&bench, 60000);
	cr_assert_eq(bench.ended, 0);
	wait_until(&bench, 60001);
	cr_assert_eq(bench.ended, 1);
	cr_assert(!bench.t.answered && bench.t.latency_ns == -1);
	cr_assert_eq(bench.t.request->change_count, 2);
	struct leg late = answer_to(&request, 61000, 0);
	cr_assert(show(&bench, &late), "a response of its own now");
	cr_assert_not(bench.t.request_seen);
	bench_free(&bench);
}

Test(transaction, a_response_without_its_request_tells_what_it_repeats)
{
	struct bench bench = bench_make(1 << 20);
	struct leg answer = answer_to(&request, 0, 0);

	answer.bare = false;
	cr_assert(show(&bench, &answer));
	cr_assert(!bench.t.request_seen && !bench.t.request && bench.t.readable);
	cr_assert_eq(transaction_update(&bench.t)->change_count, 2);
	cr_assert_eq(bench.t.change->change_count, 2);
	cr_assert_eq(bench.t.latency_ns, -1);
	bench_free(&bench);
}

/* --- forwarded ---------------------------------------------------------------------------- */

static const struct leg passed_on = {
	.at_ms = 2, .client = "10.1.0.53", .server = "10.1.0.10", .id = 4711, .changes = 2
};

Test(transaction, a_secondary_and_its_primary_are_one)
{
	struct bench bench = bench_make(1 << 20);

	cr_assert(show(&bench, &request));
	cr_assert_not(show(&bench, &passed_on), "the same octets, from who was asked");
	struct leg answer = answer_to(&passed_on, 2, 0);
	cr_assert_not(show(&bench, &answer));
	answer = answer_to(&request, 6, 0);
	cr_assert(show(&bench, &answer));
	cr_assert(bench.t.forwarded);
	struct ip primary;
	cr_assert(ip_parse(&primary, "10.1.0.10") && ip_equal(&primary, &bench.t.primary));
	cr_assert_eq(bench.t.latency_ns, 6000000);
	wait_until(&bench, 100000);
	cr_assert_eq(bench.ended, 0);
	bench_free(&bench);
}

Test(transaction, whose_signature_the_secondary_sends_does_not_matter)
{
	static const struct {
		const char *client, *secondary;
	} keys[] = { { "k1", "k1" }, { "k1", NULL }, { "k1", "k2" }, { NULL, "k2" } };

	for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
		struct bench bench = bench_make(1 << 20);
		struct leg asked = request, leg = passed_on;
		asked.key = keys[i].client;
		leg.key = keys[i].secondary;
		cr_assert(show(&bench, &asked));
		cr_expect_not(show(&bench, &leg), "%zu", i);
		struct leg answer = answer_to(&leg, 2, 0);
		cr_expect_not(show(&bench, &answer), "%zu", i);
		answer = answer_to(&asked, 6, 0);
		cr_expect(show(&bench, &answer), "%zu", i);
		cr_expect(bench.t.forwarded, "%zu", i);
		cr_expect_eq(bench.t.passed_unsigned, keys[i].secondary == NULL, "%zu", i);
		bench_free(&bench);
	}
}

Test(transaction, the_same_request_signed_is_another)
{
	struct bench bench = bench_make(1 << 20);
	struct leg again = request;

	again.key = "k1";
	again.at_ms = 5;
	cr_assert(show(&bench, &request));
	cr_assert(show(&bench, &again), "under the same id");
	bench_free(&bench);
}

Test(transaction, what_the_primary_said_stands_when_the_client_was_not_answered)
{
	struct bench bench = bench_make(1 << 20);

	cr_assert(show(&bench, &request));
	cr_assert_not(show(&bench, &passed_on));
	struct leg answer = answer_to(&passed_on, 2, DNS_RCODE_NOTZONE);
	cr_assert_not(show(&bench, &answer));
	wait_until(&bench, 70000);
	cr_assert_eq(bench.ended, 1);
	cr_assert(bench.t.answered && bench.t.forwarded);
	cr_assert_eq(bench.t.rcode, DNS_RCODE_NOTZONE);
	cr_assert_eq(bench.t.client_port, 40000);
	bench_free(&bench);
}

Test(transaction, a_secondary_that_tries_again_and_a_chain_are_still_one)
{
	struct bench bench = bench_make(1 << 20);
	struct leg again = passed_on, further = passed_on;

	cr_assert(show(&bench, &request));
	cr_assert_not(show(&bench, &passed_on));
	again.at_ms = 500;
	again.id = 4712;
	cr_assert_not(show(&bench, &again), "under another id");
	further.at_ms = 510;
	further.client = "10.1.0.10";
	further.server = "10.1.0.11";
	cr_assert_not(show(&bench, &further), "to the primary's primary");
	bench_free(&bench);
}

Test(transaction, the_same_content_by_others_is_theirs)
{
	static const struct {
		const char *name, *client, *server;
		int64_t at_ms;
		unsigned changes;
		bool answered_before;
	} rows[] = {
		{ "another client of the same server", "10.1.0.8", "10.1.0.53", 2, 2, false },
		{ "the server, with another content", "10.1.0.53", "10.1.0.10", 2, 3, false },
		{ "the server, a minute later", "10.1.0.53", "10.1.0.10", 61000, 2, false },
		{ "the server, after its answer", "10.1.0.53", "10.1.0.10", 20, 2, true },
		{ "the client, at another server", "10.1.0.7", "10.1.0.10", 2, 2, false },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct bench bench = bench_make(1 << 20);
		const struct leg other = { .at_ms = rows[i].at_ms,
			.client = rows[i].client,
			.server = rows[i].server,
			.id = 4711,
			.changes = rows[i].changes };
		cr_assert(show(&bench, &request));
		struct leg answer = answer_to(&request, 10, 0);
		if (rows[i].answered_before)
			cr_assert(show(&bench, &answer));
		cr_expect(show(&bench, &other), "%s", rows[i].name);
		cr_expect_not(bench.t.forwarded, "%s", rows[i].name);
		bench_free(&bench);
	}
}

/* --- limits ------------------------------------------------------------------------------- */

Test(transaction, octets_too_large_for_the_store_leave_the_short_form)
{
	struct bench bench = bench_make(0);
	struct leg large = request;

	large.changes = 200;
	cr_assert(show(&bench, &large));
	cr_assert_eq(bench.t.request->change_count, 200);
	struct leg answer = answer_to(&large, 5, 0);
	cr_assert(show(&bench, &answer));
	cr_assert(bench.t.request_lost && !bench.t.request && bench.t.readable);
	cr_assert_eq(bench.t.change->change_count, 200);
	cr_assert_str_eq(change_name(bench.t.change, 0), "pc7.corp.example");
	cr_assert_str_eq(bench.t.zone->name, "corp.example");
	bench_free(&bench);
}

Test(transaction, octets_pushed_out_are_said_to_be_lost)
{
	struct bench bench = bench_make(0);
	struct leg other = request;

	cr_assert(show(&bench, &request));
	for (uint16_t id = 100; id < 150; id++) {
		other.id = id;
		cr_assert(show(&bench, &other));
	}
	struct leg answer = answer_to(&request, 5, 0);
	if (show(&bench, &answer) && bench.t.request_seen)
		cr_assert(bench.t.request_lost && !bench.t.readable && bench.t.change);
	answer = answer_to(&other, 5, 0);
	cr_assert(show(&bench, &answer));
	cr_assert_eq(bench.t.request->change_count, 2, "the newest is there");
	bench_free(&bench);
}

Test(transaction, faults_are_counted_once)
{
	struct bench bench = bench_make(1 << 20);
	struct judge_stats stats = { 0 };
	struct leg bad = request;

	bad.bare = true;
	cr_assert(show(&bench, &bad));
	cr_assert_not(show(&bench, &bad), "a retransmission");
	cr_assert(show(&bench, &request));
	transactions_stats(bench.all, &stats);
	cr_assert_eq(stats.update_faults[UPDATE_FAULT_ZONE_COUNT], 1);
	cr_assert_eq(stats.update_faults[UPDATE_FAULT_NONE], 1);
	bench_free(&bench);
}
