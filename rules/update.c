/* SPDX-License-Identifier: BSD-2-Clause */
#include "rules/judge.h"

#include "rules/attempt.h"
#include "rules/border.h"
#include "rules/change_words.h"
#include "rules/changelog.h"
#include "rules/ownership.h"
#include "rules/tally.h"
#include "rules/transaction.h"
#include "rules/update_content.h"
#include "rules/update_failures.h"
#include "rules/update_signature.h"
#include "rules/update_source.h"
#include "rules/update_volume.h"
#include "sensor/dns/tkey.h"

#include <stdlib.h>

/*
 * The update rules: what each UPDATE (RFC 2136) is shown to. transaction.c joins requests with
 * their responses; a request is judged alone by where it goes, a finished transaction by finish().
 */

struct updates {
	struct emit *emit;
	const struct knowledge *known;
	struct transactions *transactions;
	struct attempts *attempts;
	struct update_content *content;
	struct update_failures *failures;
	struct update_volume *volume;
	struct tally *tally;
	struct ledger *ledger;
};

/* Parts of the memory. */
#define TRANSACTIONS_SHARE 7
#define ATTEMPTS_SHARE     6
#define CONTENT_SHARE      1
#define FAILURES_SHARE     2
#define VOLUME_SHARE       4
#define TALLY_SHARE        1
#define SHARES                                                                                 \
	(TRANSACTIONS_SHARE + ATTEMPTS_SHARE + CONTENT_SHARE + FAILURES_SHARE + VOLUME_SHARE + \
		TALLY_SHARE)

/* --- start and end ------------------------------------------------------------------------ */

static void update_family_free(void *state)
{
	struct updates *u = state;

	transactions_free(u->transactions);
	attempts_free(u->attempts);
	update_content_free(u->content);
	update_failures_free(u->failures);
	update_volume_free(u->volume);
	tally_free(u->tally);
	free(u);
}

static void *update_family_new(const struct family_env *env)
{
	struct updates *u = calloc(1, sizeof(*u));

	if (!u)
		return NULL;
	size_t share = env->memory_bytes / SHARES;
	u->emit = env->emit;
	u->ledger = env->ledger;
	u->transactions = transactions_new(share * TRANSACTIONS_SHARE, env->seed);
	u->attempts = attempts_new(env->emit, share * ATTEMPTS_SHARE, env->seed);
	u->content = update_content_new(env->emit, share * CONTENT_SHARE, env->seed);
	u->failures = update_failures_new(env->emit, share * FAILURES_SHARE, env->seed);
	u->volume = update_volume_new(env->emit, share * VOLUME_SHARE, env->seed);
	u->tally = tally_new(share * TALLY_SHARE, env->seed);
	if (!u->transactions || !u->attempts || !u->content || !u->failures || !u->volume ||
		!u->tally) {
		update_family_free(u);
		return NULL;
	}
	return u;
}

static void update_family_adopt(void *state, const struct knowledge *known)
{
	struct updates *u = state;

	u->known = known;
	transactions_adopt(u->transactions, known);
	attempts_adopt(u->attempts, known);
	tally_adopt(u->tally, known);
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
		x->tenant_number == POLICY_UNMAPPED ? "the network" : x->tenant->id);
	emit_hint(u->emit, "    zones:\n      - name: %s\n        servers: [%s]\n",
		emit_yaml(u->emit, change_zone(c)), emit_yaml(u->emit, server));
}

static void judge_server(struct updates *u, const struct exchange *x, const struct change *c)
{
	char server[IP_TEXT_MAX];

	if (!border_is_crossed(x->tenant, &x->now->client, &x->now->server))
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
	update_volume_asked(u->volume, u->content, x, t);
}

/* Returns whether it was told that an unsigned change was accepted. */
static bool judge_unsigned(
	struct updates *u, const struct exchange *x, const struct transaction *t)
{
	/* Prerequisites alone change nothing: Windows tests registrations so. */
	if (t->change->change_count == 0 || (t->zone && !t->zone->require_signed))
		return false;
	if (transaction_accepted(t))
		return update_signature_missing(u->emit, x, t);
	if (x->now && (t->rcode == DNS_RCODE_REFUSED || t->rcode == DNS_RCODE_NOTAUTH))
		attempts_refused(u->attempts, x, t->change);
	return false;
}

static void judge_signed(
	struct updates *u, const struct exchange *x, const struct transaction *t)
{
	if (x->now && t->rcode == DNS_RCODE_NOTAUTH)
		attempts_disowned(u->attempts, x, t->change);
	if (transaction_accepted(t) && t->change->change_count > 0)
		(void)update_signature_ignored(u->emit, x, t);
	(void)update_signature_weak(u->emit, x, t);
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
	if (x->queries_hidden)
		update_volume_asked(u->volume, u->content, x, t);
}

/* Who changed what; that it was unsigned may have told the rest (`is_told`). */
static void judge_change(struct updates *u, const struct exchange *x,
	const struct transaction *t, const struct ledger_report *made, bool is_told)
{
	if (t->change->change_count == 0 ||
		border_is_crossed(x->tenant, &t->client, &t->server))
		return;
	(void)update_source_judge(u->emit, u->known->geo, x, t);
	if (!transaction_accepted(t))
		return;
	update_content_learn(u->content, x, t);
	if (!is_told)
		update_content_critical(u->content, x, t, made);
	update_content_naming(u->content, x, t);
	update_volume_accepted(u->volume, u->content, x, t);
}

static void judge(struct updates *u, const struct exchange *x, const struct transaction *t,
	const struct ledger_report *made)
{
	bool is_told = false;

	if (t->change->signature == UPDATE_UNSIGNED)
		is_told = judge_unsigned(u, x, t);
	else
		judge_signed(u, x, t);
	update_failures_note(u->failures, x, t);
	judge_change(u, x, t, made, is_told);
}

/* Every finished transaction comes by here, once; on a tick x->now is NULL. */
static void finish(void *state, const struct exchange *x, const struct transaction *t)
{
	struct updates *u = state;
	const struct ledger_report *made = ledger_apply(u->ledger, x, t);

	tally_note(u->tally, x->tenant_number, t);
	ownership_judge(u->emit, x, t, made);
	if (t->readable && t->answered)
		judge(u, x, t, made);
	changelog_tell(u->emit, x, t, made);
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

/* The answer to a TKEY query: did client and server agree on a key to sign updates with? */
static void observe_tkey(struct updates *u, const struct exchange *x)
{
	const struct observation *o = x->now;
	const uint8_t *wire = observation_message(o);
	struct dns_message m;
	struct dns_tkey tkey;

	/* A response that nobody asked for tells nothing of its client, unless queries are hidden. */
	if (!o->response || o->opcode != DNS_OPCODE_QUERY || !wire ||
		(!x->matched && !x->queries_hidden))
		return;
	if (!dns_message_decode(&m, wire, o->wire_len_message) && dns_tkey_read(&tkey, &m) &&
		tkey.error != 0)
		update_failures_tkey(u->failures, x, tkey.error);
}

static void update_family_observe(void *state, const struct exchange *x)
{
	struct updates *u = state;
	struct transaction t;

	if (x->now->qtype == DNS_TYPE_TKEY)
		observe_tkey(u, x);
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

/* Too late for a judgement, and still to be told. */
static void tell_open(void *state, const struct exchange *x, const struct transaction *t)
{
	struct updates *u = state;

	tally_note(u->tally, x->tenant_number, t);
	changelog_tell(u->emit, x, t, NULL);
}

static void update_family_end(void *state, const struct exchange *x)
{
	struct updates *u = state;

	transactions_end(u->transactions, x, tell_open, u);
}

static void take_delays(void *arg, const struct ledger_zone_stats *zone)
{
	tally_set_delays(arg, zone);
}

static const struct tally *update_family_tally(void *state)
{
	struct updates *u = state;

	ledger_zone_stats(u->ledger, take_delays, u->tally);
	return u->tally;
}

static void update_family_stats(const void *state, struct judge_stats *out)
{
	const struct updates *u = state;

	transactions_stats(u->transactions, out);
	attempts_stats(u->attempts, out);
	update_content_stats(u->content, out);
	update_failures_stats(u->failures, out);
	update_volume_stats(u->volume, out);
	tally_stats(u->tally, out);
}

const struct family update_family = {
	.name = "update",
	.memory_share = 2,
	.new = update_family_new,
	.free = update_family_free,
	.adopt = update_family_adopt,
	.observe = update_family_observe,
	.concerns = CONCERN_UPDATE,
	.tick = update_family_tick,
	.end = update_family_end,
	.stats = update_family_stats,
	.tally = update_family_tally,
};
