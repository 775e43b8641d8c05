/* SPDX-License-Identifier: BSD-2-Clause */
#include "rules/judge.h"

#include "rules/ledger.h"
#include "rules/ledger_book.h"
#include "rules/sides.h"
#include "rules/table_probe.h"
#include "rules/tenant_rows.h"
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

/* What is not a family's has its part of the memory, too, in the unit of their memory_share. */
#define PAIRS_SHARE  4
#define LEDGER_SHARE 8

/* What every message of a tenant touches. */
struct traffic {
	uint64_t messages;
	struct sides sides;
};

struct judge {
	const struct knowledge *known;
	struct emit *emit;
	struct pairs *pairs;
	struct ledger *ledger;
	uint64_t seed;
	void *state[ARRAY_LEN(families)];
	struct traffic *traffic; /* per tenant number */
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
	if (j->emit && j->pairs && j->ledger && families_new(j, options)) {
		emit_listen(j->emit, options->kinds);
		judge_adopt(j, known);
		if (j->traffic)
			return j;
	}
	judge_free(j);
	return NULL;
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
	free(j->traffic);
	free(j);
}

void judge_adopt(struct judge *j, const struct knowledge *known)
{
	/* Without memory tenants beyond its end are not counted. */
	j->traffic = tenant_rows_grow(j->traffic, &j->tenant_count,
		known->policies->tenant_count, sizeof(*j->traffic));
	j->known = known;
	emit_adopt(j->emit, known);
	ledger_adopt(j->ledger, known);
	for (size_t i = 0; i < ARRAY_LEN(families); i++) {
		if (families[i]->adopt)
			families[i]->adopt(j->state[i], known);
	}
}

static OUT_OF_LINE void observe_tick(struct judge *j, const struct observation *o)
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

unsigned judge_concerns(const struct observation *o)
{
	unsigned concerns = 0;

	if (UNLIKELY(o->opcode == DNS_OPCODE_UPDATE || o->qtype == DNS_TYPE_TKEY))
		concerns = CONCERN_UPDATE;
	if (UNLIKELY(o->opcode != DNS_OPCODE_QUERY))
		return concerns;
	/* No branches here: each would go either way for any message. */
	bool answer = o->response & o->has_question;
	bool addresses = o->response & (o->address_count > 0) &
			 (o->rcode == DNS_RCODE_NOERROR) &
			 ((o->qtype == DNS_TYPE_A) | (o->qtype == DNS_TYPE_AAAA));
	concerns |= (o->match_count | o->listed_count) ? CONCERN_LISTED : 0;
	concerns |= o->flags & DNS_FLAG_RD ? CONCERN_ASKER : 0;
	concerns |= answer ? CONCERN_ANSWER : 0;
	concerns |= addresses ? CONCERN_ADDRESSES : 0;
	return concerns;
}

/* Families in their order; `concerns` are known to be of these `kinds`, which spares questions. */
static inline ALWAYS_INLINE void tell_families(struct judge *j, struct exchange *x,
	const struct judge_places *places, unsigned concerns, unsigned kinds)
{
	/* So that families that are not concerned cost a comparison, not a call. */
#pragma GCC unroll 16
	for (size_t i = 0; i < ARRAY_LEN(families); i++) {
		const struct family *f = families[i];
		if (!f->observe || !(f->concerns & kinds) || !(f->concerns & concerns))
			continue;
		if (i < JUDGE_PLACES_MAX && f->place)
			x->place = places->place[i];
		f->observe(j->state[i], x);
	}
}

/* Count the message for its tenant, and tell whether the other direction is visible there. */
static inline void count_message(struct judge *j, uint16_t tenant, struct exchange *x)
{
	if (UNLIKELY(tenant >= j->tenant_count))
		return;
	struct traffic *traffic = &j->traffic[tenant];
	bool response = x->now->response;
	traffic->messages++;
	sides_note(&traffic->sides, response, x->matched, x->ts_ns);
	if (response)
		x->queries_hidden = sides_queries_hidden(&traffic->sides);
	else
		x->responses_hidden = sides_responses_hidden(&traffic->sides, x->ts_ns);
}

ALWAYS_INLINE static inline void observe_message(
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
		.tenant_number = tenant,
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
	if (o->response)
		tell_families(j, &x, places, concerns, ~0u);
	else
		tell_families(j, &x, places, concerns, CONCERN_OF_QUERIES);
}

/* What is asked of a tenant for every message: with thousands of them it is not in the cache. */
static void prefetch_tenant(const struct judge *j, uint16_t tenant)
{
	if (LIKELY(tenant < j->tenant_count))
		prefetch_write(&j->traffic[tenant]);
}

/* Has the i-th family a place for a message that concerns these? */
static inline ALWAYS_INLINE bool has_place(size_t i, unsigned concerns)
{
	return families[i]->place && families[i]->concerns & concerns;
}

static inline void prepare(
	const struct judge *j, const struct observation *o, struct judge_places *places)
{
	places->session = session_of(j->seed, o);
	places->concerns = judge_concerns(o);
	pairs_prepare(j->pairs, &places->session);
	prefetch_tenant(j, o->tenant);
	/* An answer asks, and its query comes before it. */
	ledger_prefetch(j->ledger, o->qname_hash);
#pragma GCC unroll 4
	for (size_t i = 0; i < JUDGE_PLACES_MAX; i++) {
		if (!has_place(i, places->concerns))
			continue;
		places->table[i] =
			families[i]->place(j->state[i], o, &places->session, &places->place[i]);
		table_prefetch_bucket(places->table[i], places->place[i]);
	}
}

void judge_prepare(const struct judge *j, const struct observation *const *o,
	struct judge_places *places, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (LIKELY(o[i]->kind == OBSERVATION_MESSAGE))
			prepare(j, o[i], &places[i]);
	}
}

static inline void prefetch(
	const struct judge *j, const struct observation *o, const struct judge_places *places)
{
	pairs_prefetch(j->pairs, &places->session);
#pragma GCC unroll 4
	for (size_t i = 0; i < JUDGE_PLACES_MAX; i++) {
		if (!has_place(i, places->concerns))
			continue;
		if (families[i]->prefetch)
			families[i]->prefetch(j->state[i], o, places->place[i]);
		else
			table_prefetch_entry(places->table[i], places->place[i]);
	}
#pragma GCC unroll 16
	for (size_t i = 0; i < ARRAY_LEN(families); i++)
		if (families[i]->prefetch && !families[i]->place)
			families[i]->prefetch(j->state[i], o, 0);
}

void judge_prefetch(const struct judge *j, const struct observation *const *o,
	const struct judge_places *places, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (LIKELY(o[i]->kind == OBSERVATION_MESSAGE))
			prefetch(j, o[i], &places[i]);
	}
}

size_t judge_observe_prepared(struct judge *j, const struct observation *const *o,
	const struct judge_places *places, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (UNLIKELY(o[i]->kind == OBSERVATION_TICK)) {
			observe_tick(j, o[i]);
			return i + 1;
		}
		observe_message(j, o[i], &places[i]);
	}
	return count;
}

void judge_observe(struct judge *j, const struct observation *o)
{
	struct judge_places places;

	judge_prepare(j, &o, &places, 1);
	(void)judge_observe_prepared(j, &o, &places, 1);
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

size_t judge_tenant_count(const struct judge *j)
{
	return j->tenant_count;
}

void judge_tenant_messages(const struct judge *j, uint64_t *messages, size_t tenant_count)
{
	for (size_t i = 0; i < tenant_count && i < j->tenant_count; i++)
		messages[i] = j->traffic[i].messages;
}

void judge_stats_add(struct judge_stats *out, struct table_stats table)
{
	if (out->table_count < JUDGE_TABLES_MAX)
		out->table[out->table_count++] = table;
}
