/* SPDX-License-Identifier: BSD-2-Clause */
#include "rules/attempt.h"

#include "rules/age.h"
#include "rules/change_words.h"
#include "sensor/base/hash.h"
#include "sensor/base/quantity.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* The slice of the table that one tick goes over. */
#define SWEEP_BUCKETS 4096
/* From here on an attempt is no slip of one host. */
#define NAMES_MEDIUM 5
/* What waits: each name that was kept, and all that were not as one. */
#define OMITTED     CHANGE_NAMES_MAX
#define WAITING_MAX (CHANGE_NAMES_MAX + 1)

struct attempt {
	struct attempt_key {
		struct ip client, server;
		uint64_t zone_hash;
		uint16_t tenant;
		uint16_t unused[3];
	} key;
	int64_t first_ns, last_ns;
	int64_t follow_up_ns;
	int64_t deadline_ns; /* when to look at it */
	int64_t refused_ns[WAITING_MAX];
	uint64_t open;      /* bit per name, and OMITTED: not signed since */
	uint64_t tentative; /* signed, and the server may still disown it */
	uint32_t count;     /* refused UPDATEs */
	uint16_t client_port, server_port, rcode;
	uint8_t transport, vlan_count;
	uint16_t vlan[2];
	bool queries_unseen; /* told by a response alone: a signed try may have gone unseen, too */
	struct change change;
};
static_assert(WAITING_MAX <= 64, "a bit for each name");

struct attempts {
	struct emit *emit;
	const struct knowledge *known;
	struct table *table;
	uint64_t seed;
	size_t sweep_from;
	const struct exchange *tick; /* while a slice is being visited */
};

struct attempts *attempts_new(struct emit *emit, size_t memory_bytes, uint64_t seed)
{
	struct attempts *all = calloc(1, sizeof(*all));

	if (!all)
		return NULL;
	all->emit = emit;
	all->seed = seed;
	all->table = table_new("update_attempts", sizeof(struct attempt),
		sizeof(struct attempt_key), memory_bytes, seed);
	if (!all->table) {
		free(all);
		return NULL;
	}
	return all;
}

void attempts_free(struct attempts *all)
{
	if (!all)
		return;
	table_free(all->table);
	free(all);
}

void attempts_adopt(struct attempts *all, const struct knowledge *known)
{
	all->known = known;
}

static struct attempt_key attempt_key_of(
	const struct attempts *all, const struct exchange *x, const struct change *c)
{
	const char *zone = change_zone(c);

	return (struct attempt_key){
		.client = x->now->client,
		.server = x->now->server,
		.zone_hash = hash_bytes(all->seed, zone, strlen(zone)),
		.tenant = x->tenant_number,
	};
}

static uint64_t bit_of(unsigned waiting)
{
	return UINT64_C(1) << waiting;
}

/* The open ones that have waited long enough. */
static uint64_t due_at(const struct attempt *t, int64_t ts_ns)
{
	uint64_t due = 0;

	for (unsigned i = 0; i < WAITING_MAX; i++) {
		if (t->open & bit_of(i) && age_of(t->refused_ns[i], ts_ns) >= t->follow_up_ns)
			due |= bit_of(i);
	}
	return due;
}

/* When the youngest open one is due, but not later than twice the oldest one's time. */
static void set_deadline(struct attempt *t)
{
	int64_t oldest = INT64_MAX, youngest = INT64_MIN;

	for (unsigned i = 0; i < WAITING_MAX; i++) {
		if (!(t->open & bit_of(i)))
			continue;
		if (t->refused_ns[i] < oldest)
			oldest = t->refused_ns[i];
		if (t->refused_ns[i] > youngest)
			youngest = t->refused_ns[i];
	}
	if (!t->open)
		oldest = youngest = t->last_ns;
	int64_t latest = age_later(oldest, t->follow_up_ns);
	t->deadline_ns = age_later(youngest < latest ? youngest : latest, t->follow_up_ns);
}

static void fill_attempt(struct attempts *all, struct alert *a, const struct attempt *t)
{
	a->start_ns = t->first_ns;
	a->end_ns = t->last_ns;
	a->count = t->count;
	a->source_port = t->client_port;
	emit_server(all->emit, &t->key.server, t->server_port);
	a->transport = t->transport;
	a->vlan_count = t->vlan_count;
	memcpy(a->vlan, t->vlan, sizeof(a->vlan));
	a->has_opcode = a->has_rcode = true;
	a->opcode = DNS_OPCODE_UPDATE;
	a->rcode = t->rcode;
}

static void say_attempt(struct alert *a, const struct attempt *t, const struct change *c)
{
	char client[IP_TEXT_MAX], server[IP_TEXT_MAX], list[CHANGE_LIST_MAX];
	char span[QUANTITY_TEXT_MAX];

	change_list(c, 0, list, sizeof(list));
	a->message = alert_printf(a,
		"%s tried to change %s in zone %s at %s without a signature; it was refused, "
		"and no signed attempt followed within %s",
		ip_format(&t->key.client, client), list, change_zone(c),
		ip_format(&t->key.server, server),
		quantity_format_duration(t->follow_up_ns, span));
}

static void why_attempt(struct alert *a, const struct attempt *t, unsigned names)
{
	char span[QUANTITY_TEXT_MAX];

	alert_why(a, "names", alert_number(names), alert_number(NAMES_MEDIUM), alert_none());
	alert_why(a, "refused_updates", alert_number(t->count), alert_none(), alert_none());
	alert_why(a, "signed_within", alert_words(a, "none"),
		alert_words(a, quantity_format_duration(t->follow_up_ns, span)), alert_none());
}

static void raise_attempt(
	struct attempts *all, const struct exchange *x, const struct attempt *t, uint64_t due)
{
	struct alert *a = emit_open(all->emit, RULE_UPDATE_UNSIGNED_ATTEMPT, x, NULL);
	bool outside = change_is_outside(x->tenant, &t->key.client);
	unsigned names = (unsigned)__builtin_popcountll(due);
	struct change shown;

	if (!a)
		return;
	change_select(&shown, &t->change, (uint32_t)due);
	shown.names_omitted = due & bit_of(OMITTED);
	emit_client(all->emit, &t->key.client, change_zone(&shown));
	if ((outside || names >= NAMES_MEDIUM) && a->severity < SEVERITY_MEDIUM &&
		change_severity_is_free(x->tenant, RULE_UPDATE_UNSIGNED_ATTEMPT))
		a->severity = SEVERITY_MEDIUM;
	a->score = outside || names >= NAMES_MEDIUM ? 50 : 25;
	fill_attempt(all, a, t);
	change_fill(all->emit, a, &shown);
	why_attempt(a, t, names);
	change_why(a, &shown);
	if (outside)
		change_why_outside(a);
	if (t->queries_unseen)
		alert_why(a, "queries_seen",
			alert_words(a, "no: judged by what responses repeat"), alert_none(),
			alert_none());
	say_attempt(a, t, &shown);
	change_hint_unsigned(all->emit, &shown);
	emit_commit(all->emit);
}

/* The deadline has come. Returns whether the attempt goes on, with names that still wait. */
static bool decide(struct attempts *all, struct attempt *t, uint64_t seq, int64_t ts_ns)
{
	const struct policy_set *policies = all->known->policies;
	uint64_t due = due_at(t, ts_ns);

	if (due && t->key.tenant < policies->tenant_count) {
		struct exchange x = { .tenant = &policies->tenant[t->key.tenant],
			.tenant_number = t->key.tenant,
			.seq = seq,
			.ts_ns = ts_ns };
		raise_attempt(all, &x, t, due);
	}
	t->open &= ~due;
	t->count = 0;
	if (!t->open) {
		table_remove(all->table, t);
		return false;
	}
	set_deadline(t);
	return true;
}

/* The attempt that this UPDATE belongs to; what has come due is decided first. */
static struct attempt *find_attempt(
	struct attempts *all, const struct exchange *x, const struct change *c)
{
	struct attempt_key key = attempt_key_of(all, x, c);
	struct attempt *t = table_find(all->table, table_hash(all->table, &key), &key);

	if (t && x->ts_ns >= t->deadline_ns && !decide(all, t, x->seq, x->ts_ns))
		return NULL;
	return t;
}

static void start_attempt(struct attempt *t, const struct exchange *x)
{
	const struct observation *o = x->now;

	t->follow_up_ns = x->tenant->rules.option[OPTION_UPDATE_UNSIGNED_ATTEMPT_follow_up].ns;
	t->first_ns = x->ts_ns;
	t->open = t->tentative = 0;
	t->count = 0;
	t->client_port = o->client_port;
	t->server_port = o->server_port;
	t->transport = o->transport;
	t->vlan_count = o->vlan_count;
	memcpy(t->vlan, o->vlan, sizeof(t->vlan));
	change_init(&t->change, "", false);
}

/* A name that waits already goes on waiting from its first refusal. */
static void wait_for(struct attempt *t, unsigned waiting, int64_t ts_ns)
{
	if (!(t->open & bit_of(waiting)))
		t->refused_ns[waiting] = ts_ns;
	t->open |= bit_of(waiting);
	t->tentative &= ~bit_of(waiting);
}

/* The bits of what the attempt and this change have in common. */
static uint64_t common(const struct attempt *t, const struct change *c)
{
	uint64_t bits = 0;

	if (c->names_omitted)
		return UINT64_MAX;
	for (unsigned i = 0; i < c->name_count; i++) {
		int at = change_find(&t->change, change_name(c, i));
		if (at >= 0)
			bits |= bit_of((unsigned)at);
	}
	return bits;
}

void attempts_refused(struct attempts *all, const struct exchange *x, const struct change *c)
{
	struct attempt *t = find_attempt(all, x, c);

	if (!t) {
		struct attempt_key key = attempt_key_of(all, x, c);
		bool is_new;
		t = table_add(all->table, table_hash(all->table, &key), &key, &is_new);
	}
	if (!t->open)
		start_attempt(t, x);
	change_merge(&t->change, c);
	t->last_ns = x->ts_ns;
	t->rcode = x->now->rcode;
	t->queries_unseen = !x->matched;
	t->count++;
	for (unsigned i = 0; i < c->name_count; i++) {
		int at = change_find(&t->change, change_name(c, i));
		wait_for(t, at >= 0 ? (unsigned)at : OMITTED, x->ts_ns);
	}
	if (c->names_omitted)
		wait_for(t, OMITTED, x->ts_ns);
	set_deadline(t);
}

void attempts_signed(struct attempts *all, const struct exchange *x, const struct change *c)
{
	struct attempt *t = find_attempt(all, x, c);

	if (!t)
		return;
	uint64_t cleared = common(t, c) & t->open;
	t->open &= ~cleared;
	t->tentative |= cleared;
	set_deadline(t);
}

void attempts_disowned(struct attempts *all, const struct exchange *x, const struct change *c)
{
	struct attempt *t = find_attempt(all, x, c);

	if (!t)
		return;
	uint64_t again = common(t, c) & t->tentative;
	t->tentative &= ~again;
	t->open |= again;
	set_deadline(t);
}

static void end_attempt(void *entry, void *arg)
{
	struct attempts *all = arg;
	struct attempt *t = entry;

	if (all->tick->ts_ns >= t->deadline_ns)
		(void)decide(all, t, all->tick->seq, all->tick->ts_ns);
}

void attempts_tick(struct attempts *all, const struct exchange *x)
{
	all->tick = x;
	table_sweep(all->table, &all->sweep_from, SWEEP_BUCKETS, end_attempt, all);
	all->tick = NULL;
}

static void count_pending(void *entry, void *arg)
{
	uint64_t *pending = arg;
	const struct attempt *t = entry;

	*pending += t->open != 0;
}

void attempts_stats(const struct attempts *all, struct judge_stats *out)
{
	judge_stats_add(out, table_stats(all->table));
	table_each(all->table, count_pending, &out->pending);
}
