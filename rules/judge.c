/* SPDX-License-Identifier: BSD-2-Clause */
#include "rules/judge.h"

#include "rules/ledger.h"
#include "rules/sides.h"
#include "sensor/base/prefetch.h"
#include "sensor/dns/message.h"

#include <stdlib.h>
#include <string.h>

/* In the order in which they see each message; alerts of one message come out in this order. */
static const struct family *const families[] = {
	&lookup_family,
	&churn_family,
	&nxdomain_family,
	&update_family,
	&ownership_family,
	&aging_family,
	&resolver_family,
};

_Static_assert(
	ARRAY_LEN(families) <= JUDGE_FAMILIES_MAX, "struct judge_places has room for all");

/* What is not a family's has its part of the memory, too, in the unit of their memory_share. */
#define PAIRS_SHARE  4
#define LEDGER_SHARE 8

struct judge {
	const struct knowledge *known;
	struct emit *emit;
	struct pairs *pairs;
	struct ledger *ledger;
	uint64_t seed;
	void *state[ARRAY_LEN(families)];
	/* Per tenant number. */
	uint64_t *messages;
	struct sides *sides;
	size_t tenant_count;
};

/* `share` of the memory that all shares divide. */
static size_t memory_of(size_t memory_bytes, unsigned share)
{
	unsigned total = PAIRS_SHARE + LEDGER_SHARE;

	for (size_t i = 0; i < ARRAY_LEN(families); i++)
		total += families[i]->memory_share;
	return memory_bytes / total * share;
}

static bool families_new(struct judge *j, const struct judge_options *options)
{
	for (size_t i = 0; i < ARRAY_LEN(families); i++) {
		struct family_env env = {
			.emit = j->emit,
			.ledger = j->ledger,
			.memory_bytes =
				memory_of(options->memory_bytes, families[i]->memory_share),
			.seed = options->seed,
		};
		j->state[i] = families[i]->new (&env);
		if (!j->state[i])
			return false;
	}
	return true;
}

struct judge *judge_new(const struct judge_options *options, const struct knowledge *known)
{
	struct judge *j = calloc(1, sizeof(*j));

	if (!j)
		return NULL;
	j->seed = options->seed;
	j->emit = emit_new(options->sink, options->sink_arg);
	j->pairs = pairs_new(memory_of(options->memory_bytes, PAIRS_SHARE), options->seed);
	j->ledger = ledger_new(memory_of(options->memory_bytes, LEDGER_SHARE), options->seed);
	j->tenant_count = known->policies->tenant_count;
	j->messages = calloc(j->tenant_count, sizeof(*j->messages));
	j->sides = calloc(j->tenant_count, sizeof(*j->sides));
	if (!j->emit || !j->pairs || !j->ledger || !j->messages || !j->sides ||
		!families_new(j, options)) {
		judge_free(j);
		return NULL;
	}
	emit_listen(j->emit, options->kinds);
	judge_adopt(j, known);
	return j;
}

void judge_free(struct judge *j)
{
	if (!j)
		return;
	for (size_t i = 0; i < ARRAY_LEN(families); i++) {
		if (j->state[i])
			families[i]->free(j->state[i]);
	}
	pairs_free(j->pairs);
	ledger_free(j->ledger);
	emit_free(j->emit);
	free(j->messages);
	free(j->sides);
	free(j);
}

/* Room for tenants that are new: those that there were keep their numbers. */
static void make_room(struct judge *j, size_t tenant_count)
{
	if (tenant_count <= j->tenant_count)
		return;
	uint64_t *messages = calloc(tenant_count, sizeof(*messages));
	struct sides *sides = calloc(tenant_count, sizeof(*sides));

	/* Without memory the old counters serve on: tenants beyond their end are not counted. */
	if (!messages || !sides) {
		free(messages);
		free(sides);
		return;
	}
	memcpy(messages, j->messages, j->tenant_count * sizeof(*messages));
	memcpy(sides, j->sides, j->tenant_count * sizeof(*sides));
	free(j->messages);
	free(j->sides);
	j->messages = messages;
	j->sides = sides;
	j->tenant_count = tenant_count;
}

void judge_adopt(struct judge *j, const struct knowledge *known)
{
	make_room(j, known->policies->tenant_count);
	j->known = known;
	emit_adopt(j->emit, known);
	ledger_adopt(j->ledger, known);
	for (size_t i = 0; i < ARRAY_LEN(families); i++) {
		if (families[i]->adopt)
			families[i]->adopt(j->state[i], known);
	}
}

static void observe_tick(struct judge *j, const struct observation *o)
{
	struct exchange x = { .seq = o->seq, .ts_ns = o->ts_ns };

	pairs_tick(j->pairs, o->ts_ns);
	if (o->ts_ns != JUDGE_END_NS)
		ledger_tick(j->ledger, o->ts_ns);
	for (size_t i = 0; i < ARRAY_LEN(families); i++) {
		if (o->ts_ns == JUDGE_END_NS) {
			if (families[i]->end)
				families[i]->end(j->state[i], &x);
		} else if (families[i]->tick) {
			families[i]->tick(j->state[i], &x);
		}
	}
}

/* Count the message for its tenant, and tell whether the other direction is visible there. */
static void count_message(struct judge *j, uint16_t tenant, struct exchange *x)
{
	if (UNLIKELY(tenant >= j->tenant_count))
		return;
	struct sides *sides = &j->sides[tenant];
	j->messages[tenant]++;
	sides_note(sides, x->now->response, x->matched, x->ts_ns);
	if (x->now->response)
		x->queries_hidden = sides_queries_hidden(sides);
	else
		x->responses_hidden = sides_responses_hidden(sides, x->ts_ns);
}

unsigned judge_concerns(const struct observation *o)
{
	unsigned concerns = 0;

	if (UNLIKELY(o->opcode == DNS_OPCODE_UPDATE || o->qtype == DNS_TYPE_TKEY))
		concerns = CONCERN_UPDATE;
	if (UNLIKELY(o->opcode != DNS_OPCODE_QUERY))
		return concerns;
	if (o->match_count | o->listed_count)
		concerns |= CONCERN_LISTED;
	if (o->flags & DNS_FLAG_RD)
		concerns |= CONCERN_ASKER;
	if (!o->response)
		return concerns;
	if (o->has_question)
		concerns |= CONCERN_ANSWER;
	if (o->address_count > 0 && o->rcode == DNS_RCODE_NOERROR &&
		(o->qtype == DNS_TYPE_A || o->qtype == DNS_TYPE_AAAA))
		concerns |= CONCERN_ADDRESSES;
	return concerns;
}

static void observe_message(
	struct judge *j, const struct observation *o, const struct judge_places *places)
{
	const struct policy_set *policies = j->known->policies;
	struct pair_result pair = pairs_observe(j->pairs, o, &places->session);
	/* Between two versions of the policies a number may have lost its tenant. */
	uint16_t tenant = pair.tenant < policies->tenant_count ? pair.tenant : POLICY_UNMAPPED;
	unsigned concerns = places->concerns;
	struct exchange x = {
		.now = o,
		.tenant = &policies->tenant[tenant],
		.matched = pair.matched,
		.told_late = pair.told_late,
		.rtt_ns = pair.rtt_ns,
		.session = &places->session,
		.seq = o->seq,
		.ts_ns = o->ts_ns,
	};

	count_message(j, tenant, &x);
	if (pair.matched && !pair.told_late) /* the query has told it all */
		concerns &= ~(unsigned)CONCERN_ASKER;
#pragma GCC                                                                                    \
	unroll 16 /* so that families that are not concerned cost a comparison, not a call */
	for (size_t i = 0; i < ARRAY_LEN(families); i++) {
		if (!families[i]->observe || !(families[i]->concerns & concerns))
			continue;
		if (families[i]->place)
			x.place = places->family[i];
		families[i]->observe(j->state[i], &x);
	}
}

void judge_observe_prepared(
	struct judge *j, const struct observation *o, const struct judge_places *places)
{
	if (o->kind == OBSERVATION_TICK)
		observe_tick(j, o);
	else
		observe_message(j, o, places);
}

void judge_observe(struct judge *j, const struct observation *o)
{
	struct judge_places places;

	judge_prepare(j, o, &places);
	judge_observe_prepared(j, o, &places);
}

/* What is asked of a tenant for every message: with thousands of them it is not in the cache. */
static void prefetch_tenant(const struct judge *j, uint16_t tenant)
{
	const struct policy_set *policies = j->known->policies;

	if (UNLIKELY(tenant >= j->tenant_count || tenant >= policies->tenant_count))
		return;
	prefetch_write(&j->sides[tenant]);
	prefetch_write(&j->messages[tenant]);
	prefetch_read(&policies->tenant[tenant].number);
	prefetch_read(&policies->tenant[tenant].resolvers);
}

void judge_prepare(
	const struct judge *j, const struct observation *o, struct judge_places *places)
{
	if (o->kind != OBSERVATION_MESSAGE)
		return;
	places->session = session_of(j->seed, o);
	places->concerns = judge_concerns(o);
	pairs_prepare(j->pairs, &places->session);
	prefetch_tenant(j, o->tenant);
#pragma GCC unroll 16
	for (size_t i = 0; i < ARRAY_LEN(families); i++) {
		if (!families[i]->place || !(families[i]->concerns & places->concerns))
			continue;
		places->table[i] = families[i]->place(
			j->state[i], o, &places->session, &places->family[i]);
		if (places->table[i])
			table_prefetch(places->table[i], places->family[i], TABLE_BUCKET);
	}
}

void judge_prefetch(
	const struct judge *j, const struct observation *o, const struct judge_places *places)
{
	if (o->kind != OBSERVATION_MESSAGE)
		return;
	pairs_prefetch(j->pairs, &places->session);
#pragma GCC unroll 16
	for (size_t i = 0; i < ARRAY_LEN(families); i++) {
		if (!families[i]->place || !(families[i]->concerns & places->concerns))
			continue;
		if (families[i]->prefetch)
			families[i]->prefetch(j->state[i], o, places->family[i]);
		else if (places->table[i])
			table_prefetch(places->table[i], places->family[i], TABLE_ENTRY);
	}
}

void judge_stats(const struct judge *j, struct judge_stats *out)
{
	*out = (struct judge_stats){ .pairs = pairs_stats(j->pairs) };
	judge_stats_add(out, pairs_table(j->pairs));
	ledger_stats(j->ledger, out);
	for (size_t i = 0; i < ARRAY_LEN(families); i++) {
		if (families[i]->stats)
			families[i]->stats(j->state[i], out);
	}
}

struct ledger *judge_ledger(struct judge *j)
{
	return j->ledger;
}

const struct tally *judge_tally(struct judge *j)
{
	for (size_t i = 0; i < ARRAY_LEN(families); i++) {
		if (families[i]->tally)
			return families[i]->tally(j->state[i]);
	}
	return NULL;
}

const uint64_t *judge_tenant_messages(const struct judge *j, size_t *tenant_count)
{
	*tenant_count = j->tenant_count;
	return j->messages;
}

void judge_stats_add(struct judge_stats *out, struct table_stats table)
{
	if (out->table_count < JUDGE_TABLES_MAX)
		out->table[out->table_count++] = table;
}
