/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * judge.h -- one shard of tenants: all that is remembered of them and every rule family.
 *
 * Observations go in, in order of capture; alerts come out of the sink. No threads here: the
 * same calls serve the tracker thread, --threads 1 and the tests.
 *
 * Threads: one.  Limits: memory_bytes bounds all tables together.
 */
#ifndef RULES_JUDGE_H
#define RULES_JUDGE_H

#include <stddef.h>
#include <stdint.h>

#include "rules/emit.h"
#include "rules/pair.h"
#include "rules/table.h"
#include "sensor/dns/update.h"

#define JUDGE_TABLES_MAX 48

struct judge_stats {
	struct pair_stats pairs;
	struct table_stats table[JUDGE_TABLES_MAX];
	size_t table_count;
	uint64_t pending; /* undecided when asked: raise nothing, are counted */
	uint64_t update_faults[UPDATE_FAULT_COUNT]; /* UPDATEs by what is wrong with them */
};

struct judge_options {
	size_t memory_bytes;
	uint64_t seed; /* of the tables */
	emit_sink *sink;
	void *sink_arg;
	unsigned kinds; /* that the sink takes besides alerts and ticks: see emit_listen */
};

struct tally;

/* What a family gets at its start. */
struct family_env {
	struct emit *emit;
	struct ledger *ledger; /* shared by those that need it (ledger.h) */
	size_t memory_bytes;   /* its share */
	uint64_t seed;
};

/*
 * What a message is about, as far as its header and the counts in its observation tell: bits,
 * computed once for all families (judge_concerns). Most messages concern one family or two.
 */
enum concern {
	CONCERN_LISTED = 1u << 0, /* look-ups: a listed name or address is in the message */
	/* Look-ups that want recursion: the query, and a response as long as it may be the first
	 * to tell of it (judge_observe_prepared takes it away when the query was seen). */
	CONCERN_ASKER = 1u << 1,
	CONCERN_ANSWER = 1u << 2,    /* look-ups: a response that has its question */
	CONCERN_ADDRESSES = 1u << 3, /* one with addresses, to a question for such */
	CONCERN_UPDATE = 1u << 4,    /* an UPDATE, or about a key to sign one with (TKEY) */
};
/* All that a query can concern. */
#define CONCERN_OF_QUERIES (CONCERN_LISTED | CONCERN_ASKER | CONCERN_UPDATE)
unsigned judge_concerns(const struct observation *o);

/*
 * A rule family: one file that remembers and judges. All functions but new/free may be NULL.
 * memory_share is relative to the other families'.
 */
struct family {
	const char *name;
	unsigned memory_share;
	void *(*new)(const struct family_env *env); /* NULL: out of memory */
	void (*free)(void *state);
	/* A new version of what is known is in force (also called once at the start). */
	void (*adopt)(void *state, const struct knowledge *known);
	/* A message that concerns the family. */
	void (*observe)(void *state, const struct exchange *x);
	unsigned concerns; /* enum concern: any of them */
	/*
	 * The hash by which the family will first look for `o`, which concerns it, so that it is
	 * computed once, and the table in which it will, so that the memory is asked for early
	 * (judge_prepare). observe gets the hash back in x->place, for a key with the tenant that
	 * `o` names. Only for families that come first (JUDGE_PLACES_MAX).
	 */
	const struct table *(*place)(const void *state, const struct observation *o,
		const struct session *session, uint64_t *hash);
	/*
	 * Ask for what lies where the buckets lead; NULL: the entry in place()'s table alone. Of a family
	 * without place(): ask for what any message of o's tenant may need.
	 */
	void (*prefetch)(const void *state, const struct observation *o, uint64_t place);
	void (*tick)(void *state, const struct exchange *x); /* x->now is NULL, x->tenant too */
	/*
	 * The capture has ended; x is as for a tick. What is not decided raises nothing: this is
	 * for records of other kinds.
	 */
	void (*end)(void *state, const struct exchange *x);
	void (*stats)(
		const void *state, struct judge_stats *out); /* append tables, add pending */
	/* UPDATEs counted, up to now; of one family. */
	const struct tally *(*tally)(void *state);
};

extern const struct family lookup_family, churn_family, nxdomain_family, update_family,
	ownership_family, aging_family, resolver_family;

struct judge;

struct judge *judge_new(const struct judge_options *options, const struct knowledge *known);
void judge_free(struct judge *j);
/*
 * What comes next was made with another version (knowledge.h says what two versions have in common).
 * While several inputs change over, it may go back and forth between two. The old version is not
 * looked at again.
 */
void judge_adopt(struct judge *j, const struct knowledge *known);
/*
 * One observation (a message or a tick). A tick at JUDGE_END_NS ends the capture: queries still
 * open are unanswered; what a rule has not decided yet stays undecided (stats.pending).
 */
#define JUDGE_END_NS INT64_MAX
void judge_observe(struct judge *j, const struct observation *o);
/* Where an observation's memory lies: the hashes of its keys, computed once. */
#define JUDGE_PLACES_MAX 3 /* so many families, the first ones, may have a place() */
struct judge_places {
	struct session session;
	unsigned concerns;
	uint64_t place[JUDGE_PLACES_MAX]; /* of the families that it concerns */
	const struct table *table[JUDGE_PLACES_MAX];
};
/*
 * The same in three steps over a batch of observations, so that the misses of a batch overlap:
 * prepare all (buckets are asked for), prefetch all (entries are), then judge them in order.
 * Judging ends behind the first tick, and at the end of the batch: returns how many were judged.
 */
void judge_prepare(const struct judge *j, const struct observation *const *o,
	struct judge_places *places, size_t count);
void judge_prefetch(const struct judge *j, const struct observation *const *o,
	const struct judge_places *places, size_t count);
size_t judge_observe_prepared(struct judge *j, const struct observation *const *o,
	const struct judge_places *places, size_t count);
void judge_stats(const struct judge *j, struct judge_stats *out);
/* Who owns which record (ledger.h). */
struct ledger *judge_ledger(struct judge *j);
/* UPDATEs counted per zone and key. */
const struct tally *judge_tally(struct judge *j);
/* Messages judged, by tenant number: of the first `tenant_count` ones, as many as there are. */
void judge_tenant_messages(const struct judge *j, uint64_t *messages, size_t tenant_count);
size_t judge_tenant_count(const struct judge *j);

/* Append one table's figures (for families). */
void judge_stats_add(struct judge_stats *out, struct table_stats table);

#endif
