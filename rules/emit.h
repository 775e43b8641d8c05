/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * emit.h -- how a rule says something.
 *
 *	struct alert *a = emit_open(emit, RULE_X, exchange, name);
 *	if (!a) return;                  // switched off or excluded for this client and name
 *	alert_why(a, "feature", ...);    // at least one
 *	a->message = alert_printf(a, ...);
 *	a->allow_hint = ...              // or leave 0: the matching exclude entry is written
 *	emit_commit(emit);
 *
 * emit_open fills in tenant, severity, times, client, server, ports, VLAN, transport, question,
 * rcode, answers, key and suppression; the rule changes what it knows better (start_ns, count,
 * severity, score). emit_commit adds which direction of the traffic was not seen, registered
 * domain and GeoIP facts, and hands the record on.
 *
 * Threads: one tracker.
 */
#ifndef RULES_EMIT_H
#define RULES_EMIT_H

#include <stdbool.h>
#include <stdint.h>

#include "feeds/registered.h"
#include "rules/alert.h"
#include "rules/knowledge.h"
#include "rules/observation.h"

struct session;

/* One message in its context, as every rule family gets it. */
struct exchange {
	const struct observation *now; /* NULL on a tick */
	const struct policy *tenant;
	/* Its own; beside it, since thousands of tenants do not fit the cache and most messages ask no more. */
	uint16_t tenant_number;
	bool matched; /* `now` is a response whose query was seen */
	bool told_late; /* matched, and only the response told the tenant: its query was nobody's */
	/* Of the tenant: what a mirror of one direction does not show (sides.h). */
	bool queries_hidden, responses_hidden;
	int64_t rtt_ns;                /* when matched */
	const struct session *session; /* of `now` (session.h); NULL on a tick */
	uint64_t place;                /* what the family's place() said of `now` (judge.h) */
	uint64_t seq;                  /* of `now` or of the tick */
	int64_t ts_ns;                 /* capture time */
};

struct emit;

/* Where finished alerts go: called on the tracker's thread, must copy (alert_size bytes). */
typedef void emit_sink(void *arg, const struct alert *a);

struct emit *emit_new(emit_sink *sink, void *arg);
void emit_free(struct emit *e);
/*
 * Who listens takes records of these kinds besides alerts and ticks: bits 1u << ALERT_CHANGE,
 * 1u << ALERT_EXPLANATION. None at the start.
 */
void emit_listen(struct emit *e, unsigned kinds);
bool emit_wants(const struct emit *e, enum alert_kind kind);
/* The knowledge that geo, policies and names are read from. */
void emit_adopt(struct emit *e, const struct knowledge *known);

/*
 * Alerts are rare: COLD lays what leads to these functions out of the way of what does not.
 *
 * Begin an alert about `name` (presentation text; NULL: the client alone is the key). NULL when
 * the rule is off for the tenant or (rule, client, name) is excluded; with a name, an exclusion
 * of the question's name counts too. On a tick the exchange must carry the tenant; the client,
 * and with it the exclusions, come with emit_client.
 */
COLD struct alert *emit_open(
	struct emit *e, enum rule_id rule, const struct exchange *x, const char *name);
/* Set the client when the exchange has none (ticks) or another one is meant, and redo the key.
 * When that client is excluded, emit_commit drops the alert. */
COLD void emit_client(struct emit *e, const struct ip *client, const char *name);
/* The server of an alert raised on a tick. */
COLD void emit_server(struct emit *e, const struct ip *server, uint16_t port);
/* Put another name than the message's question into the alert (of an UPDATE: the record
 * changed). */
COLD void emit_question(struct emit *e, const char *qname, uint16_t qtype);
/* Add to related.hosts; each name once. */
COLD void emit_host(struct emit *e, const char *host);
COLD void emit_commit(struct emit *e);

/*
 * Begin a record of another kind, with tenant, order and time; only when it is wanted.
 * emit_pass hands it on as it is.
 */
struct alert *emit_record(struct emit *e, enum alert_kind kind, const struct exchange *x);
void emit_pass(struct emit *e);

/*
 * Write the lines that a person pastes into the configuration: the tenant (for traffic of
 * nobody a new one that takes this client) and below it `format`, whose lines are indented by
 * four.
 */
COLD void emit_hint(struct emit *e, const char *format, ...) PRINTF_LIKE(2, 3);
/* Text as a YAML scalar: itself, or quoted when it has to be, in the emitter's memory until the fourth
 * call after this one. */
COLD const char *emit_yaml(struct emit *e, const char *text);
/* Write an exclude entry into the alert's allow_hint: what every rule can be silenced with. */
COLD void emit_hint_exclude(struct emit *e, const char *name);
/* Write "approved" lines for a dynamic name (name: host and below). */
COLD void emit_hint_approve(struct emit *e, const char *name);

/* This tracker's registered-domain reader. */
struct registered *emit_registered(struct emit *e);

#endif
