/* SPDX-License-Identifier: BSD-2-Clause */
#include "rules/judge.h"

#include "rules/attempt.h"
#include "rules/border.h"
#include "rules/change_words.h"
#include "rules/changelog.h"
#include "rules/tally.h"
#include "rules/transaction.h"

#include <stdlib.h>

/*
 * The update rules: what each UPDATE (RFC 2136) is shown to. transaction.c joins requests with
 * their responses; a request is judged alone by where it goes, a finished transaction by finish().
 */

struct updates {
	struct emit *emit;
	struct transactions *transactions;
	struct attempts *attempts;
	struct tally *tally;
};

/* --- start and end ------------------------------------------------------------------------ */

static void update_family_free(void *state)
{
	struct updates *u = state;

	transactions_free(u->transactions);
	attempts_free(u->attempts);
	tally_free(u->tally);
	free(u);
}

static void *update_family_new(const struct family_env *env)
{
	struct updates *u = calloc(1, sizeof(*u));

	if (!u)
		return NULL;
	u->emit = env->emit;
	u->transactions = transactions_new(env->memory_bytes / 16 * 7, env->seed);
	u->attempts = attempts_new(env->emit, env->memory_bytes / 2, env->seed);
	u->tally = tally_new(env->memory_bytes / 16, env->seed);
	if (!u->transactions || !u->attempts || !u->tally) {
		update_family_free(u);
		return NULL;
	}
	return u;
}

static void update_family_adopt(void *state, const struct knowledge *known)
{
	struct updates *u = state;

	transactions_adopt(u->transactions, known);
	attempts_adopt(u->attempts, known);
	tally_adopt(u->tally, known);
}

/* --- update.unsigned_accepted ------------------------------------------------------------- */

static void raise_accepted(struct updates *u, const struct exchange *x, const struct change *c)
{
	bool outside = change_is_outside(x->tenant, &x->now->client);
	unsigned first = c->critical_name ? c->critical_name - 1u : 0;
	const char *key = c->name_count ? change_name(c, first) : change_zone(c);
	struct alert *a = emit_open(u->emit, RULE_UPDATE_UNSIGNED_ACCEPTED, x, key);
	char client[IP_TEXT_MAX], server[IP_TEXT_MAX], names[CHANGE_LIST_MAX];

	if (!a)
		return;
	if ((outside || c->critical) &&
		change_severity_is_free(x->tenant, RULE_UPDATE_UNSIGNED_ACCEPTED))
		a->severity = SEVERITY_CRITICAL;
	a->score = outside || c->critical ? 95 : 80;
	change_fill(u->emit, a, c);
	alert_why(a, "signature", alert_words(a, "none"), alert_words(a, "TSIG or SIG(0)"),
		alert_none());
	change_why(a, c);
	if (outside)
		change_why_outside(a);
	change_list(c, first, names, sizeof(names));
	a->message = alert_printf(a,
		"%s changed %s in zone %s without any signature, and the server %s accepted it",
		ip_format(&x->now->client, client), names, change_zone(c),
		ip_format(&x->now->server, server));
	change_hint_unsigned(u->emit, c);
	emit_commit(u->emit);
}

/* --- update.external_server --------------------------------------------------------------- */

static void say_external(struct updates *u, struct alert *a, const struct exchange *x,
	const struct change *c, bool leak)
{
	char client[IP_TEXT_MAX], server[IP_TEXT_MAX], names[CHANGE_LIST_MAX];

	ip_format(&x->now->client, client);
	ip_format(&x->now->server, server);
	change_list(c, 0, names, sizeof(names));
	if (leak) {
		a->message = alert_printf(a,
			"%s leaks the registration of %s, a private address, to %s outside",
			client, names, server);
		emit_hint_exclude(u->emit, change_zone(c));
		return;
	}
	a->message = alert_printf(a,
		"%s sends a DNS UPDATE for %s in zone %s to %s, which is not one of "
		"%s's servers",
		client, names, change_zone(c), server,
		x->tenant->number == POLICY_UNMAPPED ? "the network" : x->tenant->id);
	emit_hint(u->emit, "    zones:\n      - name: %s\n        servers: [%s]\n",
		emit_yaml(u->emit, change_zone(c)), emit_yaml(u->emit, server));
}

static void judge_server(struct updates *u, const struct exchange *x, const struct change *c)
{
	char server[IP_TEXT_MAX];

	if (!border_is_crossed(x->tenant, x->now))
		return;
	struct alert *a = emit_open(u->emit, RULE_UPDATE_EXTERNAL_SERVER, x, change_zone(c));
	if (!a)
		return;
	bool leak = border_is_leak(c, &x->now->server);
	if (leak && change_severity_is_free(x->tenant, RULE_UPDATE_EXTERNAL_SERVER))
		a->severity = SEVERITY_LOW;
	a->score = leak ? 20 : 75;
	change_fill(u->emit, a, c);
	alert_why(a, "server", alert_words(a, ip_format(&x->now->server, server)), alert_none(),
		alert_none());
	if (leak)
		alert_why(a, "leak", alert_words(a, "reverse zone of private addresses"),
			alert_none(), alert_none());
	if (c->change_count > 0)
		change_why(a, c);
	say_external(u, a, x, c, leak);
	emit_commit(u->emit);
}

/* --- requests and responses --------------------------------------------------------------- */

/* What is due when a request comes, or when its response told whose it is. */
static void judge_request(
	struct updates *u, const struct exchange *x, const struct transaction *t)
{
	judge_server(u, x, t->change);
	if (t->change->signature != UPDATE_UNSIGNED)
		attempts_signed(u->attempts, x, t->change);
}

static void judge_signature(
	struct updates *u, const struct exchange *x, const struct transaction *t)
{
	const struct change *c = t->change;

	if (c->signature != UPDATE_UNSIGNED) {
		if (t->rcode == DNS_RCODE_NOTAUTH)
			attempts_disowned(u->attempts, x, c);
		return;
	}
	/* Prerequisites alone change nothing: Windows tests registrations so. */
	if (c->change_count == 0 || (t->zone && !t->zone->require_signed))
		return;
	if (t->rcode == DNS_RCODE_NOERROR)
		raise_accepted(u, x, c);
	else if (t->rcode == DNS_RCODE_REFUSED || t->rcode == DNS_RCODE_NOTAUTH)
		attempts_refused(u->attempts, x, c);
}

/* A response whose request was not seen, by what it repeats of it. */
static void judge_echo(struct updates *u, const struct exchange *x, const struct transaction *t)
{
	const struct change *c = t->change;

	/* Where requests are visible, a response that nobody asked for tells nothing of its client. */
	if (x->queries_hidden)
		judge_server(u, x, c);
	if (c->signature != UPDATE_UNSIGNED && t->rcode == DNS_RCODE_NOERROR)
		attempts_signed(u->attempts, x, c);
}

/* Every finished transaction comes by here, once; on a tick x->now is NULL. */
static void finish(void *state, const struct exchange *x, const struct transaction *t)
{
	struct updates *u = state;

	tally_note(u->tally, x->tenant->number, t);
	if (t->readable && t->answered && x->now)
		judge_signature(u, x, t);
	changelog_tell(u->emit, x, t, NULL);
}

static void observe_response(struct updates *u, const struct exchange *x)
{
	struct transaction t;

	if (!transactions_answer(u->transactions, x, &t))
		return;
	if (x->told_late && t.request_seen)
		judge_request(u, x, &t);
	if (!t.request_seen && t.readable)
		judge_echo(u, x, &t);
	finish(u, x, &t);
}

static void update_family_observe(void *state, const struct exchange *x)
{
	struct updates *u = state;
	struct transaction t;

	if (x->now->opcode != DNS_OPCODE_UPDATE)
		return;
	if (x->now->response)
		observe_response(u, x);
	else if (transactions_ask(u->transactions, x, &t))
		judge_request(u, x, &t);
}

static void update_family_tick(void *state, const struct exchange *x)
{
	struct updates *u = state;

	attempts_tick(u->attempts, x);
	transactions_tick(u->transactions, x, finish, u);
}

static void update_family_stats(const void *state, struct judge_stats *out)
{
	const struct updates *u = state;

	transactions_stats(u->transactions, out);
	attempts_stats(u->attempts, out);
	tally_stats(u->tally, out);
}

const struct family update_family = {
	.name = "update",
	.memory_share = 2,
	.new = update_family_new,
	.free = update_family_free,
	.adopt = update_family_adopt,
	.observe = update_family_observe,
	.tick = update_family_tick,
	.stats = update_family_stats,
};
