/* SPDX-License-Identifier: BSD-2-Clause */
#include "rules/age.h"
#include "rules/judge.h"
#include "rules/ledger_answers.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/*
 * What becomes of records in time: record.stale and record.not_visible look at answers, client.overdue
 * at what the ledger learned of each host. They claim what was observed, and since when.
 */

/* Servers keep "there is none" for three hours at most (BIND's max-ncache-ttl). */
#define NEGATIVE_KEPT_NS (3 * 3600 * NS_PER_S)
/* Resolvers may hold what was there before for its TTL; three times that is out of the question. */
#define TTL_FACTOR 3
/* UPDATEs of one source nearer to each other are one registration. */
#define ONE_VISIT_NS (60 * NS_PER_S)

struct aging {
	struct emit *emit;
	struct ledger *ledger;
	const struct knowledge *known;
	const struct exchange *tick;
};

static double seconds(int64_t ns)
{
	return (double)(ns / NS_PER_S);
}

static int64_t longer(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

/* "3d", "7h", "20m": a span for people, in its largest whole unit. */
static const char *say_span(int64_t ns, char text[32])
{
	static const struct {
		int64_t ns;
		const char *unit;
	} unit[] = { { 86400 * NS_PER_S, "days" }, { 3600 * NS_PER_S, "hours" },
		{ 60 * NS_PER_S, "minutes" }, { NS_PER_S, "seconds" } };
	size_t i = 0;

	while (i < ARRAY_LEN(unit) - 1 && ns < 2 * unit[i].ns)
		i++;
	snprintf(text, 32, "%lld %s", (long long)(ns / unit[i].ns), unit[i].unit);
	return text;
}

/* Whole seconds are enough for people. */
static const char *say_time(int64_t ts_ns, char text[CLOCK_TEXT_MAX])
{
	return clock_format(ts_ns - ts_ns % NS_PER_S, text);
}

/* Open an alert about a record; its owner is the client. */
static struct alert *open_alert(struct aging *g, enum rule_id rule, const struct exchange *x,
	const struct ledger_entry *e, const struct ledger_slot *slot)
{
	struct alert *a = emit_open(g->emit, rule, x, ledger_name(e));

	if (!a)
		return NULL;
	emit_client(g->emit, &slot->source, ledger_name(e));
	a->zone = alert_put(a, ledger_zone(e));
	if (!x->now)
		emit_question(g->emit, ledger_name(e), slot->type);
	a->score = 20;
	return a;
}

/* --- record.stale ------------------------------------------------------------------------- */

/* Since when nothing was seen of a refresh: what was before a gap in watching may be wrong. */
static int64_t since(const struct aging *g, int64_t ts_ns)
{
	return longer(ts_ns, g->ledger->watched_since_ns);
}

static void raise_stale(struct aging *g, const struct exchange *x, const struct ledger_entry *e,
	const struct ledger_slot *slot, int64_t limit_ns)
{
	struct alert *a = open_alert(g, RULE_RECORD_STALE, x, e, slot);
	int64_t since_ns = since(g, slot->refreshed_ns);
	char time[CLOCK_TEXT_MAX], span[32];

	if (!a)
		return;
	a->start_ns = since_ns;
	alert_why(a, "unrefreshed_s", alert_number(seconds(age_of(since_ns, x->ts_ns))),
		alert_number(seconds(limit_ns)), alert_none());
	alert_why(a, "since", alert_words(a, say_time(since_ns, time)), alert_none(),
		alert_none());
	alert_why(a, "value", alert_words(a, ledger_text(e, slot->value_at)), alert_none(),
		alert_none());
	a->message = alert_printf(a,
		"%s still answers with %s, but no refresh of it was seen since %s (%s)",
		ledger_name(e), ledger_text(e, slot->value_at), time,
		say_span(age_of(since_ns, x->ts_ns), span));
	emit_commit(g->emit);
}

/* A DHCP server takes away what it put there: it refreshes nothing. */
static bool wants_refresh(const struct ledger_slot *slot)
{
	return !slot->dhcid_at &&
	       (slot->type == DNS_TYPE_A || slot->type == DNS_TYPE_AAAA ||
		       slot->type == DNS_TYPE_PTR || slot->type == DNS_TYPE_SRV);
}

static void judge_stale(struct aging *g, const struct exchange *x, const struct ledger_entry *e,
	struct ledger_slot *slot)
{
	const union rule_value *option = x->tenant->rules.option;
	int64_t limit_ns = age_later(option[OPTION_RECORD_STALE_no_refresh].ns,
		option[OPTION_RECORD_STALE_refresh].ns);

	if (slot->flags & LEDGER_SAID_STALE || !wants_refresh(slot) ||
		age_of(since(g, slot->refreshed_ns), x->ts_ns) <= limit_ns)
		return;
	slot->flags |= LEDGER_SAID_STALE;
	raise_stale(g, x, e, slot, limit_ns);
}

/* How long what was there may go on showing after a change. */
static int64_t linger_ns(const struct ledger_slot *slot)
{
	uint32_t ttl = slot->ttl > slot->old_ttl ? slot->ttl : slot->old_ttl;

	return (int64_t)ttl * TTL_FACTOR * NS_PER_S;
}

static void judge_orphan(struct aging *g, const struct exchange *x,
	const struct ledger_entry *e, struct ledger_slot *slot)
{
	int64_t age = age_of(slot->changed_ns, x->ts_ns);
	int64_t limit_ns = longer(NEGATIVE_KEPT_NS, linger_ns(slot));
	char time[CLOCK_TEXT_MAX];

	if (slot->flags & LEDGER_SAID_STALE || age <= limit_ns)
		return;
	slot->flags |= LEDGER_SAID_STALE;
	struct alert *a = open_alert(g, RULE_RECORD_STALE, x, e, slot);
	if (!a)
		return;
	a->start_ns = slot->changed_ns;
	alert_why(a, "deleted_s", alert_number(seconds(age)), alert_number(seconds(limit_ns)),
		alert_none());
	alert_why(a, "value", alert_words(a, ledger_text(e, slot->value_at)), alert_none(),
		alert_none());
	a->message = alert_printf(a,
		"%s still answers with %s, which an accepted UPDATE deleted at %s",
		ledger_name(e), ledger_text(e, slot->value_at),
		say_time(slot->changed_ns, time));
	emit_commit(g->emit);
}

/* --- record.not_visible ------------------------------------------------------------------- */

static void raise_hidden(struct aging *g, const struct exchange *x,
	const struct ledger_entry *e, const struct ledger_slot *slot, int64_t limit_ns)
{
	struct alert *a = open_alert(g, RULE_RECORD_NOT_VISIBLE, x, e, slot);
	bool authoritative = x->now->flags & DNS_FLAG_AA;
	char time[CLOCK_TEXT_MAX], server[IP_TEXT_MAX];

	if (!a)
		return;
	a->start_ns = slot->changed_ns;
	a->score = 35;
	alert_why(a, "accepted_s", alert_number(seconds(age_of(slot->changed_ns, x->ts_ns))),
		alert_number(seconds(limit_ns)), alert_none());
	alert_why(a, "value", alert_words(a, ledger_text(e, slot->value_at)), alert_none(),
		alert_none());
	alert_why(a, "answer",
		alert_words(a, authoritative ? "authoritative" : "of a resolver"), alert_none(),
		alert_none());
	a->message = alert_printf(a,
		"%s was accepted for %s at %s, but the answer of %s does not show it",
		ledger_text(e, slot->value_at), ledger_name(e),
		say_time(slot->changed_ns, time), ip_format(&x->now->server, server));
	emit_commit(g->emit);
}

static void judge_hidden(struct aging *g, const struct exchange *x,
	const struct ledger_entry *e, struct ledger_slot *slot)
{
	bool authoritative = x->now->flags & DNS_FLAG_AA;
	uint16_t awaited = authoritative ? LEDGER_AWAIT_AUTHORITATIVE : LEDGER_AWAIT_RESOLVED;
	int64_t limit_ns = longer(
		x->tenant->rules.option[OPTION_RECORD_NOT_VISIBLE_wait].ns, linger_ns(slot));

	if (!authoritative && slot->old_ttl == 0)
		limit_ns = longer(limit_ns, NEGATIVE_KEPT_NS);
	if (!(slot->flags & awaited) || age_of(slot->changed_ns, x->ts_ns) <= limit_ns)
		return;
	slot->flags &= (uint16_t) ~(LEDGER_AWAIT_AUTHORITATIVE | LEDGER_AWAIT_RESOLVED);
	raise_hidden(g, x, e, slot, limit_ns);
}

/* --- answers ------------------------------------------------------------------------------ */

/* Somebody else's server may well have another zone of that name. */
static bool must_know(const struct exchange *x, const struct ledger_entry *e)
{
	return ip_equal(&x->now->server, &e->server) ||
	       policy_owns_server(x->tenant, &x->now->server);
}

static void judge_sight(void *arg, const struct exchange *x, struct ledger_entry *e,
	struct ledger_slot *slot, enum ledger_sight sight)
{
	struct aging *g = arg;
	bool held = slot->flags & LEDGER_HELD;

	if (held && sight == LEDGER_SHOWN)
		judge_stale(g, x, e, slot);
	else if (held && must_know(x, e))
		judge_hidden(g, x, e, slot);
	else if (!held && sight == LEDGER_SHOWN && must_know(x, e))
		judge_orphan(g, x, e, slot);
}

/* --- client.overdue ----------------------------------------------------------------------- */

static void raise_overdue(struct aging *g, const struct exchange *x,
	const struct ledger_entry *e, const struct ledger_slot *slot, int64_t limit_ns)
{
	struct alert *a = open_alert(g, RULE_CLIENT_OVERDUE, x, e, slot);
	int64_t since_ns = since(g, e->last_ns);
	char client[IP_TEXT_MAX], time[CLOCK_TEXT_MAX], span[2][32];

	if (!a)
		return;
	emit_client(g->emit, &slot->source, NULL);
	a->start_ns = since_ns;
	a->count = e->update_count;
	a->score = 30;
	alert_why(a, "silent_s", alert_number(seconds(age_of(since_ns, x->ts_ns))),
		alert_number(seconds(limit_ns)), alert_number(seconds(e->interval_ns)));
	alert_why(a, "updates", alert_number(e->update_count),
		alert_number((double)x->tenant->rules.option[OPTION_CLIENT_OVERDUE_min_updates]
				     .count),
		alert_none());
	a->message = alert_printf(a,
		"%s has not updated %s since %s (%s), and used to do so at least every %s",
		ip_format(&slot->source, client), ledger_name(e), say_time(since_ns, time),
		say_span(age_of(since_ns, x->ts_ns), span[0]),
		say_span(e->interval_ns, span[1]));
	emit_hint_exclude(g->emit, NULL);
	emit_commit(g->emit);
}

/* How long the host may be silent; INT64_MAX when too little is known of it. */
static int64_t overdue_limit(const struct policy *tenant, const struct ledger_entry *e)
{
	const union rule_value *option = tenant->rules.option;
	double limit = option[OPTION_CLIENT_OVERDUE_factor].number * (double)e->interval_ns;

	if (e->update_count < option[OPTION_CLIENT_OVERDUE_min_updates].count ||
		age_of(e->first_ns, e->last_ns) < option[OPTION_CLIENT_OVERDUE_learn].ns ||
		limit >= (double)(INT64_MAX / 2))
		return INT64_MAX;
	return longer((int64_t)limit, option[OPTION_CLIENT_OVERDUE_min_silence].ns);
}

/* The address record that the host keeps up; NULL: none is there. */
static const struct ledger_slot *own_address(const struct ledger_entry *e)
{
	for (unsigned i = 0; i < LEDGER_SLOTS; i++) {
		const struct ledger_slot *slot = &e->slot[i];
		if (slot->flags & LEDGER_HELD &&
			(slot->type == DNS_TYPE_A || slot->type == DNS_TYPE_AAAA))
			return slot;
	}
	return NULL;
}

static void visit_entry(void *entry, void *arg)
{
	struct aging *g = arg;
	const struct ledger_entry *e = entry;
	const struct policy_set *policies = g->known->policies;
	int64_t now_ns = g->tick->ts_ns;

	if (e->key.part != 0 || e->update_count == 0 || e->key.tenant >= policies->tenant_count)
		return;
	const struct policy *tenant = &policies->tenant[e->key.tenant];
	const struct ledger_slot *slot = own_address(e);
	int64_t limit_ns = overdue_limit(tenant, e);
	if (!slot || age_of(since(g, e->last_ns), now_ns) <= limit_ns)
		return;
	/* One word for each client, and none when it goes on updating other names. */
	struct ledger_updater *updater =
		ledger_updater_find(g->ledger, e->key.tenant, &slot->source);
	if (!updater || updater->said_overdue ||
		age_of(e->last_ns, updater->last_ns) > ONE_VISIT_NS)
		return;
	updater->said_overdue = true;
	const struct exchange x = { .tenant = tenant,
		.tenant_number = tenant->number,
		.seq = g->tick->seq,
		.ts_ns = now_ns };
	raise_overdue(g, &x, e, slot, limit_ns);
}

/* --- the family --------------------------------------------------------------------------- */

static void *aging_family_new(const struct family_env *env)
{
	struct aging *g = calloc(1, sizeof(*g));

	if (!g)
		return NULL;
	g->emit = env->emit;
	g->ledger = env->ledger;
	return g;
}

static void aging_family_adopt(void *state, const struct knowledge *known)
{
	struct aging *g = state;

	g->known = known;
}

static void aging_family_observe(void *state, const struct exchange *x)
{
	struct aging *g = state;

	if (UNLIKELY(ledger_may_have(g->ledger, x->now->qname_hash)))
		ledger_answer(g->ledger, x, judge_sight, g);
}

static void aging_family_tick(void *state, const struct exchange *x)
{
	struct aging *g = state;

	if (!g->ledger->sweeping)
		return;
	g->tick = x;
	table_each(g->ledger->entries, visit_entry, g);
	g->tick = NULL;
}

const struct family aging_family = {
	.name = "aging",
	.new = aging_family_new,
	.free = free,
	.adopt = aging_family_adopt,
	.observe = aging_family_observe,
	.concerns = CONCERN_ANSWER,
	.tick = aging_family_tick,
};
