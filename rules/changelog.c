/* SPDX-License-Identifier: BSD-2-Clause */
#include "rules/changelog.h"

#include "rules/cause.h"
#include "rules/explain.h"

#include <string.h>

/* Longer values are cut, so that all texts of a line find room in a record. */
#define VALUE_MAX 2048

/* --- the change log ------------------------------------------------------------------------ */

static alert_text put_value(struct alert *a, const char *value)
{
	char head[VALUE_MAX + 1];

	if (!value || strnlen(value, VALUE_MAX + 1) <= VALUE_MAX)
		return alert_put(a, value);
	memcpy(head, value, VALUE_MAX);
	head[VALUE_MAX] = '\0';
	a->change.is_cut = true;
	return alert_put(a, head);
}

static void fill_ends(struct alert *a, const struct transaction *t)
{
	a->has_source = true;
	a->source = t->client;
	a->source_port = t->client_port;
	a->has_destination = true;
	a->destination = t->server;
	a->destination_port = t->server_port;
	a->transport = t->transport;
}

/* Begin a line: what all lines of a transaction have in common. */
static struct alert *start(
	struct emit *emit, const struct exchange *x, const struct transaction *t)
{
	const struct update *u = transaction_update(t);
	struct alert *a = emit_record(emit, ALERT_CHANGE, x);

	/* When it was answered; what was not, when it was asked. */
	a->ts_ns = t->answered ? x->ts_ns : t->asked_ns;
	fill_ends(a, t);
	a->has_rcode = t->answered;
	a->rcode = t->rcode;
	a->zone = alert_put(a, change_zone(t->change));
	if (u && u->key_name)
		a->key_name = alert_put(a, u->key_name);
	if (u && u->algorithm)
		a->change.algorithm = alert_put(a, u->algorithm);
	a->change.has_signature = t->readable;
	a->change.signature = t->change->signature;
	a->change.dns_id = t->id;
	a->change.tsig_error = t->tsig_error;
	a->change.latency_ns = t->latency_ns;
	a->change.record_count = t->change->change_count;
	return a;
}

static alert_text put_owner(struct alert *a, const struct ledger_owner *owner)
{
	static const char *const kind[] = {
		[LEDGER_OWNER_KEY] = "key",
		[LEDGER_OWNER_GSS] = "gss",
		[LEDGER_OWNER_DHCID] = "dhcid",
		[LEDGER_OWNER_SOURCE] = "source",
	};

	char address[IP_TEXT_MAX];

	if (owner->kind == LEDGER_OWNER_UNKNOWN)
		return 0;
	return alert_printf(a, "%s %s", kind[owner->kind], ledger_owner_text(owner, address));
}

static void tell_change(struct emit *emit, const struct exchange *x,
	const struct transaction *t, const struct ledger_change *change, size_t number)
{
	static const enum alert_verb verb[] = {
		[LEDGER_ADDED] = ALERT_ADD,
		[LEDGER_REPLACED] = ALERT_REPLACE,
		[LEDGER_DELETED] = ALERT_DELETE,
		[LEDGER_TTL_CHANGED] = ALERT_TTL,
	};
	struct alert *a = start(emit, x, t);
	struct alert_change *c = &a->change;

	/* Of a deletion of what was never seen nobody knows whether it deleted anything. */
	bool unknown = change->unsure ||
		       (change->effect == LEDGER_DELETED && change->old_value == NULL);
	c->result = unknown ? ALERT_ACCEPTED : ALERT_CHANGED;
	c->has_record = true;
	c->verb = (uint8_t)verb[change->effect];
	a->qtype = change->type;
	a->qname = alert_put(a, change->name);
	c->has_ttl = change->new_value != NULL;
	c->ttl = change->new_ttl;
	c->number = (uint32_t)number;
	c->old_value = put_value(a, change->old_value);
	c->new_value = put_value(a, change->new_value);
	c->owner = put_owner(a, &change->new_owner);
	c->previous_owner = put_owner(a, &change->old_owner);
	emit_pass(emit);
}

static void tell_changes(struct emit *emit, const struct exchange *x,
	const struct transaction *t, const struct ledger_report *report)
{
	size_t number = 0;

	for (size_t i = 0; i < report->change_count; i++) {
		if (report->change[i].effect != LEDGER_REFRESHED)
			tell_change(emit, x, t, &report->change[i], ++number);
	}
}

/* A record as the UPDATE has it. */
static void fill_record(struct alert *a, const struct update_change *record)
{
	a->change.has_record = true;
	a->change.verb = record->verb == UPDATE_ADD ? ALERT_ADD : ALERT_DELETE;
	a->qtype = record->type;
	a->qname = alert_put(a, record->name);
	if (record->verb == UPDATE_ADD) {
		a->change.has_ttl = true;
		a->change.ttl = record->ttl;
		a->change.new_value = put_value(a, record->rdata);
	} else if (record->verb == UPDATE_DELETE_RECORD) {
		a->change.old_value = put_value(a, record->rdata);
	}
}

/* One line for all of it, with the first record. */
static void tell_whole(struct emit *emit, const struct exchange *x, const struct transaction *t,
	enum alert_result result, const char *reason)
{
	const struct update *u = transaction_update(t);
	struct alert *a = start(emit, x, t);

	a->change.result = (uint8_t)result;
	a->change.reason = alert_put(a, reason);
	if (u && u->change_count > 0)
		fill_record(a, &u->change[0]);
	else if (t->readable && t->change->name_count > 0)
		a->qname = alert_put(a, change_name(t->change, 0));
	emit_pass(emit);
}

/* Accepted, and nobody knows what was there before. */
static void tell_as_asked(
	struct emit *emit, const struct exchange *x, const struct transaction *t)
{
	const struct update *u = transaction_update(t);

	if (!u || u->change_count == 0) {
		tell_whole(emit, x, t, ALERT_ACCEPTED, "content_unknown");
		return;
	}
	for (size_t i = 0; i < u->change_count; i++) {
		struct alert *a = start(emit, x, t);
		a->change.result = ALERT_ACCEPTED;
		a->change.number = (uint32_t)i + 1;
		fill_record(a, &u->change[i]);
		emit_pass(emit);
	}
}

static void log_transaction(struct emit *emit, const struct exchange *x,
	const struct transaction *t, const struct ledger_report *report)
{
	enum cause cause = cause_of(t);
	bool only_tests = t->readable && t->change->change_count == 0;

	if (report && report->change_count > 0)
		tell_changes(emit, x, t, report);
	else if (only_tests && (cause == CAUSE_NONE || cause == CAUSE_PREREQUISITE))
		return;
	else if (cause == CAUSE_NONE)
		tell_as_asked(emit, x, t);
	else
		tell_whole(emit, x, t,
			cause == CAUSE_UNANSWERED ? ALERT_UNANSWERED : ALERT_FAILED,
			cause_word(cause));
}

/* --- explanations -------------------------------------------------------------------------- */

static void explain_transaction(
	struct emit *emit, const struct exchange *x, const struct transaction *t)
{
	struct text words = { 0 };

	explain_put(&words, t, x->tenant->id);
	if (!words.failed) {
		struct alert *a = emit_record(emit, ALERT_EXPLANATION, x);
		a->message = alert_put(a, words.at);
		emit_pass(emit);
	}
	text_deinit(&words);
}

void changelog_tell(struct emit *emit, const struct exchange *x, const struct transaction *t,
	const struct ledger_report *report)
{
	if (emit_wants(emit, ALERT_CHANGE))
		log_transaction(emit, x, t, report);
	if (emit_wants(emit, ALERT_EXPLANATION))
		explain_transaction(emit, x, t);
}
