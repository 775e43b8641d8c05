/* SPDX-License-Identifier: BSD-2-Clause */
#include "rules/judge.h"

#include "sensor/base/hash.h"
#include "tests/unit/rules/observations.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

struct bench {
	struct world *world;
	struct judge *judge;
	struct alerts alerts;
	uint64_t seq;
};

static struct world *world_of(const char *const *tenants, size_t count)
{
	struct world *w = world_new();
	uint16_t bad = world_feed(w, "bad", MARK_MALICIOUS, SEVERITY_HIGH);

	world_list(w, bad, "evil.example", SCOPE_SUFFIX);
	world_provider(w, MARK_PROVIDER, "ddns.net", "no-ip", TIER_A);
	for (size_t i = 0; i < count; i++) {
		struct policy *p = world_tenant(w, tenants[i], NULL);
		cr_assert(ip_set_add(&p->resolvers, "10.1.0.53"));
	}
	world_freeze(w);
	return w;
}

static void bench_init(struct bench *b, size_t memory)
{
	static const char *const tenants[] = { "acme", "beta" };
	*b = (struct bench){ .world = world_of(tenants, 2) };
	struct judge_options options = {
		.memory_bytes = memory, .seed = 5, .sink = alerts_keep, .sink_arg = &b->alerts
	};
	b->judge = judge_new(&options, &b->world->known);
	cr_assert_not_null(b->judge);
}

static void bench_deinit(struct bench *b)
{
	judge_free(b->judge);
	alerts_clear(&b->alerts);
	world_free(b->world);
}

static void see(struct bench *b, const struct message *m)
{
	struct observation *made = message_observe(b->world, m, ++b->seq);
	const struct observation *o = made;
	struct judge_places places;
	judge_prepare(b->judge, &o, &places, 1);
	judge_prefetch(b->judge, &o, &places, 1);
	cr_assert_eq(judge_observe_prepared(b->judge, &o, &places, 1), 1);
	free(made);
}

static void tick(struct bench *b, int64_t ts_ns)
{
	struct observation o = {
		.size = sizeof(o), .kind = OBSERVATION_TICK, .seq = ++b->seq, .ts_ns = ts_ns
	};
	judge_observe(b->judge, &o);
}

static struct judge_stats stats(const struct bench *b)
{
	struct judge_stats s;
	judge_stats(b->judge, &s);
	return s;
}

Test(judge, families_see_messages_in_their_order)
{
	struct bench b;
	bench_init(&b, 8 << 20);
	see(&b, &(struct message){ .qname = "x.evil.example", .server = "8.8.8.8" });
	cr_assert_eq(b.alerts.count, 2);
	cr_assert_eq(b.alerts.alert[0]->rule, RULE_LOOKUP_MALICIOUS);
	cr_assert_eq(b.alerts.alert[1]->rule, RULE_RESOLVER_UNAPPROVED);
	cr_assert_eq(b.alerts.alert[0]->seq, 1);
	bench_deinit(&b);
}

Test(judge, a_response_of_nobody_has_the_tenant_of_its_query)
{
	struct bench b;
	bench_init(&b, 8 << 20);
	see(&b, &(struct message){ .qname = "www.example", .tenant = 2 });
	see(&b, &(struct message){ .at_ms = 9,
			.qname = "www.example",
			.unmapped = true,
			.response = true,
			.name = { { DNS_TYPE_CNAME, "x.evil.example", 60, DNS_ANSWER } } });
	const struct alert *a = alerts_first(&b.alerts, RULE_LOOKUP_MALICIOUS);
	cr_assert_str_eq(alert_get(a, a->tenant_id), "beta");
	uint64_t messages[3];
	cr_assert_eq(judge_tenant_count(b.judge), ARRAY_LEN(messages));
	judge_tenant_messages(b.judge, messages, ARRAY_LEN(messages));
	cr_assert_eq(messages[0], 0);
	cr_assert_eq(messages[1], 0);
	cr_assert_eq(messages[2], 2);
	bench_deinit(&b);
}

Test(judge, the_books_of_pairs_and_tables)
{
	struct bench b;
	bench_init(&b, 8 << 20);
	see(&b, &(struct message){ .qname = "www.example" });
	see(&b, &(struct message){ .qname = "www.example", .response = true });
	see(&b, &(struct message){ .qname = "open.example" });
	see(&b, &(struct message){ .qname = "other.example", .response = true });
	struct judge_stats s = stats(&b);
	cr_assert_eq(s.pairs.matched, 1);
	cr_assert_eq(s.pairs.unsolicited, 1);
	cr_assert_eq(s.pairs.pending, 1);
	cr_assert_geq(s.table_count, 6);
	cr_assert_str_eq(s.table[0].name, "pairs");
	for (size_t i = 0; i < s.table_count; i++)
		for (size_t k = 0; k < i; k++)
			cr_assert_str_neq(s.table[i].name, s.table[k].name);
	bench_deinit(&b);
}

Test(judge, the_end_closes_pairs_and_decides_nothing)
{
	struct bench b;
	bench_init(&b, 8 << 20);
	/* An unsigned UPDATE, refused: undecided. */
	static const uint8_t wire[] = "\0\1\x28\0\0\1\0\0\0\1\0\0\4corp\0\0\6\0\1"
				      "\2pc\xc0\x0c\0\1\0\1\0\0\0\5\0\4\n\1\0\7";
	struct message m = { .qname = "corp",
		.qtype = DNS_TYPE_SOA,
		.opcode = DNS_OPCODE_UPDATE,
		.wire = wire,
		.wire_len = sizeof(wire) - 1 };
	see(&b, &m);
	m.response = true;
	m.rcode = DNS_RCODE_REFUSED;
	see(&b, &m);
	see(&b, &(struct message){ .at_ms = 5, .qname = "open.example" });
	cr_assert_eq(stats(&b).pending, 1);
	tick(&b, JUDGE_END_NS);
	cr_assert_eq(stats(&b).pairs.pending, 0);
	cr_assert_eq(stats(&b).pairs.unanswered, 1);
	cr_assert_eq(stats(&b).pending, 1);
	cr_assert_eq(b.alerts.count, 0);
	tick(&b, WORLD_START_NS + 61 * NS_PER_S);
	cr_assert_eq(alerts_count(&b.alerts, RULE_UPDATE_UNSIGNED_ATTEMPT), 1);
	cr_assert_eq(b.alerts.alert[0]->seq, b.seq);
	bench_deinit(&b);
}

Test(judge, memory_is_divided_and_not_exceeded)
{
	static const size_t memory[] = { 0, 1 << 20, 64 << 20 };

	for (size_t i = 0; i < ARRAY_LEN(memory); i++) {
		struct bench b;
		bench_init(&b, memory[i]);
		struct judge_stats s = stats(&b);
		for (size_t k = 0; k < s.table_count; k++)
			cr_assert_geq(s.table[k].capacity, 64, "%s", s.table[k].name);
		/* An entry of pairs has a cache line and its part of another. */
		if (memory[i])
			cr_assert_leq(s.table[0].capacity * 72, memory[i]);
		bench_deinit(&b);
	}
}

Test(judge, counts_survive_a_new_version_and_new_tenants_are_counted)
{
	static const char *const more[] = { "acme", "beta", "gamma" };
	struct bench b;
	bench_init(&b, 8 << 20);
	struct world *before = b.world;
	for (int i = 0; i < 3; i++)
		see(&b, &(struct message){ .qname = "a.example", .tenant = 1 });
	see(&b, &(struct message){ .qname = "a.example", .unmapped = true });

	b.world = world_of(more, 3);
	judge_adopt(b.judge, &b.world->known);
	see(&b, &(struct message){ .qname = "a.example", .tenant = 3, .id = 9 });
	judge_adopt(b.judge, &before->known); /* an input that is behind */
	see(&b, &(struct message){ .qname = "a.example", .tenant = 1, .id = 10 });
	judge_adopt(b.judge, &b.world->known);
	static const uint64_t want[] = { 1, 4, 0, 1 };
	uint64_t messages[ARRAY_LEN(want)];
	cr_assert_eq(judge_tenant_count(b.judge), ARRAY_LEN(want));
	judge_tenant_messages(b.judge, messages, ARRAY_LEN(want));
	for (size_t i = 0; i < ARRAY_LEN(want); i++)
		cr_assert_eq(messages[i], want[i], "tenant %zu", i);
	world_free(before);
	bench_deinit(&b);
}

Test(judge, alerts_are_of_the_version_in_force)
{
	static const char *const tenants[] = { "acme", "beta" };
	struct bench b;
	bench_init(&b, 8 << 20);
	struct world *before = b.world;

	see(&b, &(struct message){ .qname = "evil.example", .tenant = 1 });
	b.world = world_of(tenants, 2);
	b.world->known.feed[0].severity = SEVERITY_CRITICAL;
	judge_adopt(b.judge, &b.world->known);
	world_free(before);
	see(&b, &(struct message){ .qname = "evil.example", .tenant = 1, .id = 7 });
	cr_assert_eq(alerts_count(&b.alerts, RULE_LOOKUP_MALICIOUS), 2);
	cr_assert_eq(b.alerts.alert[0]->severity, SEVERITY_HIGH);
	cr_assert_eq(b.alerts.alert[1]->severity, SEVERITY_CRITICAL);
	bench_deinit(&b);
}

Test(judge, a_number_without_a_tenant_is_nobody)
{
	struct bench b;
	bench_init(&b, 8 << 20);
	see(&b, &(struct message){ .qname = "evil.example", .tenant = 60000 });
	const struct alert *a = alerts_first(&b.alerts, RULE_LOOKUP_MALICIOUS);
	cr_assert_str_eq(alert_get(a, a->tenant_id), "unmapped");
	bench_deinit(&b);
}

static uint64_t digest(const struct alerts *list)
{
	uint64_t hash = 1;

	for (size_t i = 0; i < list->count; i++) {
		const struct alert *a = list->alert[i];
		hash = hash_bytes(hash, alert_get(a, a->key), strlen(alert_get(a, a->key)));
		hash = hash_word(hash, a->seq);
	}
	return hash;
}

Test(judge, the_same_messages_give_the_same_alerts)
{
	uint64_t first = 0;
	char qname[64];

	for (int run = 0; run < 2; run++) {
		struct bench b;
		bench_init(&b, 1 << 20);
		for (int i = 0; i < 3000; i++) {
			snprintf(qname, sizeof(qname), "n%d.%s", i * 7919 % 1000,
				i % 3 ? "ddns.net" : "example.com");
			see(&b, &(struct message){ .at_ms = i * 10,
					.qname = qname,
					.response = i % 2,
					.rcode = i % 5 ? 0 : 3,
					.tenant = (uint16_t)(1 + i % 2) });
			if (i % 100 == 99)
				tick(&b, WORLD_START_NS + (i / 100 + 1) * NS_PER_S);
		}
		cr_assert_gt(b.alerts.count, 100);
		if (run == 0)
			first = digest(&b.alerts);
		cr_assert_eq(digest(&b.alerts), first);
		bench_deinit(&b);
	}
}

Test(judge, what_a_message_concerns)
{
	enum { LISTED = CONCERN_LISTED, ASKER = CONCERN_ASKER, ANSWER = CONCERN_ANSWER };
	static const struct {
		const char *name;
		struct message m;
		unsigned concerns;
	} rows[] = {
		{ "a query", { .qname = "www.example" }, ASKER },
		{ "of an iterator", { .qname = "www.example", .no_rd = true }, 0 },
		{ "of a listed name", { .qname = "x.evil.example", .no_rd = true }, LISTED },
		{ "its response", { .qname = "www.example", .response = true },
			ASKER | ANSWER },
		{ "one without a question", { .response = true, .no_rd = true }, 0 },
		{ "with an address",
			{ .qname = "www.example",
				.response = true,
				.no_rd = true,
				.qtype = DNS_TYPE_AAAA,
				.address = { { "192.0.2.1", 5 } } },
			ANSWER | CONCERN_ADDRESSES },
		{ "with an address that nobody asked for",
			{ .qname = "www.example",
				.response = true,
				.no_rd = true,
				.qtype = DNS_TYPE_MX,
				.address = { { "192.0.2.1", 5 } } },
			ANSWER },
		{ "with an address, and there is none",
			{ .qname = "www.example",
				.response = true,
				.no_rd = true,
				.rcode = DNS_RCODE_NXDOMAIN,
				.address = { { "192.0.2.1", 5 } } },
			ANSWER },
		{ "an UPDATE", { .qname = "x.evil.example", .opcode = DNS_OPCODE_UPDATE },
			CONCERN_UPDATE },
		{ "its response",
			{ .qname = "corp", .opcode = DNS_OPCODE_UPDATE, .response = true },
			CONCERN_UPDATE },
		{ "about a key",
			{ .qname = "key.example",
				.qtype = DNS_TYPE_TKEY,
				.response = true,
				.no_rd = true },
			CONCERN_UPDATE | ANSWER },
		{ "a NOTIFY", { .qname = "x.evil.example", .opcode = DNS_OPCODE_NOTIFY }, 0 },
	};
	struct bench b;

	bench_init(&b, 1 << 20);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct observation *o = message_observe(b.world, &rows[i].m, 1);
		cr_expect_eq(judge_concerns(o), rows[i].concerns, "%s: %x", rows[i].name,
			judge_concerns(o));
		free(o);
	}
	bench_deinit(&b);
}
