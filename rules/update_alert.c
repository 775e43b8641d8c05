/* SPDX-License-Identifier: BSD-2-Clause */
#include "rules/update_alert.h"

#include "rules/change_words.h"

#include <string.h>

/* On a tick there is no message to take it from. */
static void fill_ends(
	struct emit *e, struct alert *a, const struct transaction *t, const char *name)
{
	emit_client(e, &t->client, name);
	emit_server(e, &t->server, t->server_port);
	a->source_port = t->client_port;
	a->transport = t->transport;
	a->vlan_count = t->vlan_count;
	memcpy(a->vlan, t->vlan, sizeof(a->vlan));
	a->has_opcode = true;
	a->opcode = DNS_OPCODE_UPDATE;
	a->has_rcode = t->answered;
	a->rcode = t->rcode;
}

struct alert *update_alert_open(struct emit *e, enum rule_id rule, const struct exchange *x,
	const struct transaction *t, const char *name)
{
	const struct update *u = transaction_update(t);
	struct alert *a = emit_open(e, rule, x, name);

	if (!a)
		return NULL;
	if (!x->now)
		fill_ends(e, a, t, name);
	change_fill(e, a, t->change);
	if (u && u->key_name)
		a->key_name = alert_put(a, u->key_name);
	return a;
}

void update_alert_severity(struct alert *a, const struct exchange *x, enum severity severity)
{
	if (change_severity_is_free(x->tenant, a->rule))
		a->severity = (uint8_t)severity;
}

void update_alert_why_rcode(struct alert *a, const struct transaction *t)
{
	char number[16];

	alert_why(a, "rcode", alert_words(a, dns_rcode_name(t->rcode, number)), alert_none(),
		alert_none());
}
