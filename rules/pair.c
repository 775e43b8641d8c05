/* SPDX-License-Identifier: BSD-2-Clause */
#include "rules/pair.h"

#include "rules/age.h"
#include "rules/policy.h"
#include "rules/table_probe.h"

#include <assert.h>
#include <stdlib.h>

/*
 * What a response always repeats (session.h: both ends, ports, transport, opcode, id) is hashed and
 * decides the bucket. Question and tenant are part of the key but not of the hash: a response
 * may come without a question, or without the tags that told its tenant. So all queries that a
 * response may belong to are in one bucket, and one cache line is enough to choose.
 *
 * Every query seen is in exactly one of: matched, unanswered, repeated, evicted, pending. A
 * query that was repeated stays after its first response, since each repeat may be answered
 * too.
 */

/* A whole pass over the table takes this long, so nothing is kept much longer than the timeout.
 */
#define SWEEP_NS (30 * NS_PER_S)

struct entry {
	/* The key, up to `open`. */
	struct ip client, server;
	uint64_t ends; /* see session.h */
	uint64_t qname_hash;
	uint16_t qtype, tenant;
	uint16_t open; /* queries that may still be answered: the first and its repeats */
	bool answered;
	int64_t asked_ns; /* the first time */
};
static_assert(sizeof(struct entry) == CACHE_LINE, "an entry is one cache line");

#define KEY_BYTES offsetof(struct entry, open)

struct pairs {
	struct table *table;
	struct pair_stats stats;
	int64_t now_ns; /* of the last tick */
	size_t sweep_from;
	bool ticked;
};

static void count_evicted(void *entry, void *arg)
{
	const struct entry *e = entry;
	struct pairs *p = arg;

	if (e->answered)
		return;
	p->stats.evicted++;
	p->stats.pending--;
}

struct pairs *pairs_new(size_t memory_bytes, uint64_t seed)
{
	struct pairs *p = calloc(1, sizeof(*p));

	if (!p)
		return NULL;
	p->table = table_new("pairs", sizeof(struct entry), KEY_BYTES, memory_bytes, seed);
	if (!p->table) {
		free(p);
		return NULL;
	}
	table_on_evict(p->table, count_evicted, p);
	return p;
}

void pairs_free(struct pairs *p)
{
	if (!p)
		return;
	table_free(p->table);
	free(p);
}

void pairs_prepare(const struct pairs *p, const struct session *session)
{
	table_prefetch_bucket(p->table, session->hash);
}

void pairs_prefetch(const struct pairs *p, const struct session *session)
{
	table_prefetch_entry(p->table, session->hash);
}

static bool is_expired(const struct entry *e, int64_t now_ns)
{
	return age_of(e->asked_ns, now_ns) > PAIR_TIMEOUT_NS;
}

/* It goes unanswered, if nobody answered it; the caller takes it out of the table. */
static void count_closed(struct pairs *p, const struct entry *e)
{
	if (e->answered)
		return;
	p->stats.unanswered++;
	p->stats.pending--;
}

/* Words that are zero where there is no difference: one branch decides over all of them. */
static uint64_t differs_in_session(
	const struct entry *e, const struct observation *o, const struct session *session)
{
	return (e->ends ^ session->ends) | !ip_equal(&e->client, &o->client) |
	       !ip_equal(&e->server, &o->server);
}

static uint64_t differs_in_question(const struct entry *e, const struct observation *o)
{
	return (e->qname_hash ^ o->qname_hash) | (uint64_t)(e->qtype ^ o->qtype);
}

/* --- queries ------------------------------------------------------------------------------ */

static void ask(struct pairs *p, struct entry *e, const struct observation *o)
{
	e->asked_ns = o->ts_ns;
	e->answered = false;
	e->open = 1;
	p->stats.pending++;
}

/* The same question was asked before, and is remembered still. */
static void ask_again(struct pairs *p, struct entry *e, const struct observation *o)
{
	bool expired = is_expired(e, o->ts_ns);

	if (expired)
		count_closed(p, e);
	if (expired || e->answered) {
		ask(p, e, o);
		return;
	}
	p->stats.repeated++;
	if (e->open < UINT16_MAX)
		e->open++;
}

static struct entry *find_same(
	struct pairs *p, const struct observation *o, const struct session *session)
{
	struct table_probe at = table_probe(p->table, session->hash);

	for (; at.ways; at.ways &= at.ways - 1) {
		struct entry *e = table_probe_entry(p->table, &at, sizeof(*e));
		if ((differs_in_session(e, o, session) | differs_in_question(e, o) |
			    (uint64_t)(e->tenant ^ o->tenant)) == 0) {
			table_probe_touch(&at);
			return e;
		}
	}
	return NULL;
}

static void observe_query(
	struct pairs *p, const struct observation *o, const struct session *session)
{
	struct entry *e = find_same(p, o, session);

	p->stats.queries++;
	if (UNLIKELY(e != NULL)) {
		ask_again(p, e, o);
		return;
	}
	e = table_take_sized(p->table, session->hash, sizeof(*e));
	*e = (struct entry){
		.client = o->client,
		.server = o->server,
		.ends = session->ends,
		.qname_hash = o->qname_hash,
		.qtype = o->qtype,
		.tenant = o->tenant,
	};
	ask(p, e, o);
}

/* --- responses ---------------------------------------------------------------------------- */

/* How well does the response fit this query? 0: not at all; same tenant beats a missing one. */
static unsigned fitness(
	const struct entry *e, const struct observation *o, const struct session *session)
{
	uint64_t differs = differs_in_session(e, o, session) |
			   (o->has_question ? differs_in_question(e, o) : 0);

	if (differs)
		return 0;
	if (LIKELY(e->tenant == o->tenant))
		return 2;
	return e->tenant == POLICY_UNMAPPED || o->tenant == POLICY_UNMAPPED;
}

/*
 * The query that is answered: the best fit, of equal ones one not answered yet, then the oldest.
 * NULL: none; else *best tells where it is.
 */
static struct entry *find_query(struct pairs *p, const struct observation *o,
	const struct session *session, struct table_probe *best)
{
	struct table_probe at = table_probe(p->table, session->hash);
	struct entry *found = NULL;
	unsigned best_fit = 0;

	for (; at.ways; at.ways &= at.ways - 1) {
		struct entry *e = table_probe_entry(p->table, &at, sizeof(*e));
		unsigned fit = 2 * fitness(e, o, session);
		if (fit == 0)
			continue;
		if (UNLIKELY(is_expired(e, o->ts_ns))) {
			count_closed(p, e);
			table_probe_drop(p->table, &at);
			continue;
		}
		fit += !e->answered;
		if (fit > best_fit || (fit == best_fit && e->asked_ns < found->asked_ns)) {
			found = e;
			best_fit = fit;
			*best = at;
		}
	}
	return found;
}

static struct pair_result observe_response(
	struct pairs *p, const struct observation *o, const struct session *session)
{
	struct table_probe at;
	struct entry *e = find_query(p, o, session, &at);

	if (!e) {
		p->stats.unsolicited++;
		return (struct pair_result){ .tenant = o->tenant };
	}
	struct pair_result result = {
		.matched = true,
		.told_late = e->tenant == POLICY_UNMAPPED && o->tenant != POLICY_UNMAPPED,
		.rtt_ns = o->ts_ns > e->asked_ns ? o->ts_ns - e->asked_ns : 0,
		.tenant = e->tenant != POLICY_UNMAPPED ? e->tenant : o->tenant,
	};
	if (e->answered) {
		p->stats.repeats_answered++;
	} else {
		e->answered = true;
		p->stats.matched++;
		p->stats.pending--;
	}
	if (--e->open == 0)
		table_probe_drop(p->table, &at);
	return result;
}

struct pair_result pairs_observe(
	struct pairs *p, const struct observation *o, const struct session *session)
{
	if (o->response)
		return observe_response(p, o, session);
	observe_query(p, o, session);
	return (struct pair_result){ .tenant = o->tenant };
}

/* --- time --------------------------------------------------------------------------------- */

static void close_if_old(void *entry, void *arg)
{
	struct pairs *p = arg;
	struct entry *e = entry;

	if (!is_expired(e, p->now_ns))
		return;
	count_closed(p, e);
	table_remove(p->table, e);
}

void pairs_tick(struct pairs *p, int64_t ts_ns)
{
	size_t count = table_bucket_count(p->table);
	int64_t passed = p->ticked ? age_of(p->now_ns, ts_ns) : SWEEP_NS;

	p->ticked = true;
	p->now_ns = ts_ns;
	if (passed <= 0)
		return; /* captures may step back in time */
	if (passed < SWEEP_NS)
		count = (size_t)((double)count * (double)passed / (double)SWEEP_NS) + 1;
	table_sweep(p->table, &p->sweep_from, count, close_if_old, p);
}

struct pair_stats pairs_stats(const struct pairs *p)
{
	return p->stats;
}

struct table_stats pairs_table(const struct pairs *p)
{
	return table_stats(p->table);
}
