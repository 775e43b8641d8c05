/* SPDX-License-Identifier: BSD-2-Clause */
#include "rules/tally.h"

#include "rules/table.h"
#include "sensor/base/hash.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct entry {
	struct entry_key {
		uint64_t name; /* its hash: names of any length have keys of one length */
		uint32_t tenant, kind;
	} key;
	struct tally_row row;
};

/* Of one tenant: what has no row. */
struct others {
	struct tally_counts kind[TALLY_KINDS];
};

struct tally {
	struct table *rows;
	struct others *others; /* per tenant number */
	size_t tenant_count;
	uint64_t seed, version;
};

/* --- counts ------------------------------------------------------------------------------ */

static unsigned slot_of(uint16_t number, uint16_t first, unsigned slots)
{
	unsigned slot = (unsigned)(number - first);

	return number < first || slot >= slots ? slots - 1 : slot;
}

static void count(struct tally_counts *c, const struct transaction *t)
{
	c->updates++;
	if (t->readable && t->change->signature == UPDATE_UNSIGNED)
		c->unsigned_++;
	else if (t->readable)
		c->signed_++;
	if (!t->answered) {
		c->unanswered++;
		return;
	}
	c->rcode[slot_of(t->rcode, 0, TALLY_RCODES)]++;
	if (t->tsig_error)
		c->tsig_error[slot_of(t->tsig_error, TALLY_TSIG_FIRST, TALLY_TSIG_ERRORS)]++;
	if (t->rcode != DNS_RCODE_NOERROR)
		return;
	c->accepted++;
	/* Prerequisites alone are no success: nothing was to be changed. */
	if (t->readable && t->change->change_count == 0)
		return;
	int64_t at_ns = t->asked_ns + (t->latency_ns > 0 ? t->latency_ns : 0);
	if (!c->has_success || at_ns > c->last_success_ns)
		c->last_success_ns = at_ns;
	c->has_success = true;
}

static void add_delay(struct ledger_delay *to, const struct ledger_delay *from)
{
	/* Quantiles do not add up: those of the one that has more to tell stand for both. */
	if (from->count > to->count) {
		to->p50_ns = from->p50_ns;
		to->p95_ns = from->p95_ns;
	}
	if (from->max_ns > to->max_ns)
		to->max_ns = from->max_ns;
	to->count += from->count;
}

static void add_counts(struct tally_counts *to, const struct tally_counts *from)
{
	to->updates += from->updates;
	to->accepted += from->accepted;
	to->unanswered += from->unanswered;
	to->signed_ += from->signed_;
	to->unsigned_ += from->unsigned_;
	for (unsigned i = 0; i < TALLY_RCODES; i++)
		to->rcode[i] += from->rcode[i];
	for (unsigned i = 0; i < TALLY_TSIG_ERRORS; i++)
		to->tsig_error[i] += from->tsig_error[i];
	if (from->has_success &&
		(!to->has_success || from->last_success_ns > to->last_success_ns))
		to->last_success_ns = from->last_success_ns;
	to->has_success |= from->has_success;
	add_delay(&to->authoritative, &from->authoritative);
	add_delay(&to->resolved, &from->resolved);
}

/* --- start and end ------------------------------------------------------------------------ */

/* An entry leaves: its counts stay with its tenant. */
static void keep_counts(void *at, void *arg)
{
	const struct entry *e = at;
	struct tally *t = arg;

	if (e->row.tenant < t->tenant_count)
		add_counts(&t->others[e->row.tenant].kind[e->row.kind], &e->row.counts);
}

struct tally *tally_new(size_t memory_bytes, uint64_t seed)
{
	/* Two kinds; the table takes an eighth for itself. */
	const size_t enough = 2 * TALLY_ROWS_MAX * sizeof(struct entry) * 9 / 8;
	struct tally *t = calloc(1, sizeof(*t));

	if (!t)
		return NULL;
	t->seed = seed;
	t->rows = table_new("update_tally", sizeof(struct entry), sizeof(struct entry_key),
		memory_bytes < enough ? memory_bytes : enough, seed);
	if (!t->rows) {
		tally_free(t);
		return NULL;
	}
	table_on_evict(t->rows, keep_counts, t);
	return t;
}

void tally_free(struct tally *t)
{
	if (!t)
		return;
	table_free(t->rows);
	free(t->others);
	free(t);
}

void tally_adopt(struct tally *t, const struct knowledge *known)
{
	size_t tenants = known->policies->tenant_count;

	if (tenants <= t->tenant_count)
		return;
	struct others *more = realloc(t->others, tenants * sizeof(*more));
	/* Without memory new tenants have no others: their rows count all the same. */
	if (!more)
		return;
	memset(more + t->tenant_count, 0, (tenants - t->tenant_count) * sizeof(*more));
	t->others = more;
	t->tenant_count = tenants;
}

/* --- noting ------------------------------------------------------------------------------- */

static struct entry_key key_of(
	const struct tally *t, uint16_t tenant, enum tally_kind kind, const char *name)
{
	return (struct entry_key){
		.name = hash_bytes(t->seed, name, strlen(name)),
		.tenant = tenant,
		.kind = kind,
	};
}

static void note(struct tally *t, uint16_t tenant, enum tally_kind kind, const char *name,
	const struct transaction *done)
{
	struct entry_key key = key_of(t, tenant, kind, name);
	bool is_new;
	struct entry *e = table_add(t->rows, table_hash(t->rows, &key), &key, &is_new);

	if (is_new) {
		e->row.tenant = tenant;
		e->row.kind = (uint8_t)kind;
		snprintf(e->row.name, sizeof(e->row.name), "%s", name);
	}
	count(&e->row.counts, done);
}

void tally_note(struct tally *t, uint16_t tenant, const struct transaction *done)
{
	const struct update *u = transaction_update(done);

	note(t, tenant, TALLY_ZONE, change_zone(done->change), done);
	if (u && u->key_name)
		note(t, tenant, TALLY_KEY, u->key_name, done);
	t->version++;
}

void tally_set_delays(struct tally *t, const struct ledger_zone_stats *zone)
{
	struct entry_key key = key_of(t, zone->tenant, TALLY_ZONE, zone->zone);
	struct entry *e = table_find(t->rows, table_hash(t->rows, &key), &key);

	if (!e)
		return;
	e->row.counts.authoritative = zone->authoritative;
	e->row.counts.resolved = zone->resolved;
}

uint64_t tally_version(const struct tally *t)
{
	return t->version;
}

/* --- reading ------------------------------------------------------------------------------ */

size_t tally_rows_max(const struct tally *t)
{
	return table_stats(t->rows).capacity + t->tenant_count * TALLY_KINDS;
}

struct reader {
	struct tally_row *out;
	size_t count;
};

static void read_row(void *at, void *arg)
{
	const struct entry *e = at;
	struct reader *r = arg;

	r->out[r->count++] = e->row;
}

size_t tally_read(const struct tally *t, struct tally_row *out)
{
	struct reader r = { .out = out };

	table_each(t->rows, read_row, &r);
	for (size_t i = 0; i < t->tenant_count; i++) {
		for (unsigned kind = 0; kind < TALLY_KINDS; kind++) {
			const struct tally_counts *c = &t->others[i].kind[kind];
			if (c->updates == 0)
				continue;
			out[r.count++] = (struct tally_row){
				.tenant = (uint16_t)i,
				.kind = (uint8_t)kind,
				.others = true,
				.counts = *c,
			};
		}
	}
	return r.count;
}

void tally_stats(const struct tally *t, struct judge_stats *out)
{
	judge_stats_add(out, table_stats(t->rows));
}

/* --- ranking ------------------------------------------------------------------------------ */

static bool is_same_list(const struct tally_row *a, const struct tally_row *b)
{
	return a->tenant == b->tenant && a->kind == b->kind;
}

/* By list, the others last, then by `busy` or else by name alone. */
static int compare(const struct tally_row *a, const struct tally_row *b, bool busy)
{
	if (a->tenant != b->tenant)
		return a->tenant < b->tenant ? -1 : 1;
	if (a->kind != b->kind)
		return a->kind < b->kind ? -1 : 1;
	if (a->others != b->others)
		return a->others ? 1 : -1;
	if (busy && a->counts.updates != b->counts.updates)
		return a->counts.updates > b->counts.updates ? -1 : 1;
	return strcmp(a->name, b->name);
}

static int by_name(const void *a, const void *b)
{
	return compare(a, b, false);
}

static int by_rank(const void *a, const void *b)
{
	return compare(a, b, true);
}

/* Rows of one name, from several trackers, become one. */
static size_t merge_equal(struct tally_row *row, size_t count)
{
	size_t kept = 0;

	for (size_t i = 0; i < count; i++) {
		if (kept > 0 && by_name(&row[kept - 1], &row[i]) == 0)
			add_counts(&row[kept - 1].counts, &row[i].counts);
		else
			row[kept++] = row[i];
	}
	return kept;
}

/* What is beyond the limit of its list joins the list's others. */
static size_t cut_lists(struct tally_row *row, size_t count)
{
	size_t kept = 0, listed = 0;

	for (size_t i = 0; i < count; i++) {
		bool same = kept > 0 && is_same_list(&row[kept - 1], &row[i]);
		listed = same ? listed + 1 : 1;
		if (listed <= TALLY_LISTED_MAX || (row[i].others && !row[kept - 1].others)) {
			row[kept++] = row[i];
		} else if (row[kept - 1].others) {
			add_counts(&row[kept - 1].counts, &row[i].counts);
		} else {
			row[kept] = row[i];
			row[kept].others = true;
			row[kept++].name[0] = '\0';
		}
	}
	return kept;
}

size_t tally_rank(struct tally_row *row, size_t count)
{
	if (count == 0)
		return 0;
	qsort(row, count, sizeof(*row), by_name);
	count = merge_equal(row, count);
	qsort(row, count, sizeof(*row), by_rank);
	return cut_lists(row, count);
}
