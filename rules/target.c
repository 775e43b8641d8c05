/* SPDX-License-Identifier: BSD-2-Clause */
#include "rules/target.h"

#include "sensor/dns/message.h"

#include <stdio.h>

void target_write_question(struct target *t)
{
	const struct observation *o = t->x->now;

	dns_name_format_wire(observation_qname_wire(o), o->qname_len, t->asked_text);
	t->asked = t->asked_text;
}

void target_write_names(struct target *t)
{
	const struct observation *o = t->x->now;
	size_t len;
	const uint8_t *key = verdict_suffix(t->name, t->verdict.key_labels, &len);

	size_t full_len = dns_name_format_wire(t->name.wire, t->name.wire_len, t->full);
	/* Without escapes a suffix's text is the end of the name's. */
	if (len > 1 && full_len == t->name.wire_len - 2u) {
		t->key = t->full + (t->name.wire_len - len);
	} else {
		dns_name_format_wire(key, len, t->key_text);
		t->key = t->key_text;
	}
	t->asked = t->full;
	if (t->number > 0)
		target_write_question(t);
	ip_format(&o->client, t->client);
}

/* Is it the name of a question, or one of the answer? */
bool target_is_question(const struct observation *o, unsigned number)
{
	return number == 0 || observation_names(o)[number - 1].section == OBSERVATION_QUESTION;
}

/* "10.1.0.7 asked for " or "10.1.0.7 asked for www.example, which leads by CNAME to ". */
void target_begin_sentence(const struct target *t, char *to, size_t size)
{
	char number[16];

	if (t->number == 0) {
		(void)text_join(to, size, t->client, " asked for ");
		return;
	}
	if (target_is_question(t->x->now, t->number)) {
		snprintf(to, size, "%s asked for %s and in the same message for ", t->client,
			t->asked);
		return;
	}
	uint16_t type = observation_names(t->x->now)[t->number - 1].type;
	snprintf(to, size, "%s asked for %s, which leads by %s to ", t->client, t->asked,
		dns_type_name(type, number));
}

/* "acme has not approved", "nobody has approved". */
const char *target_refusal(const struct target *t, const char *verb, char *to, size_t size)
{
	if (t->x->tenant_number == POLICY_UNMAPPED)
		(void)text_join(to, size, "nobody has ", verb);
	else
		(void)text_join(to, size, t->x->tenant->id, " has not ", verb);
	return to;
}

void target_why_reached(struct alert *a, const struct target *t)
{
	char number[16];

	if (t->number == 0)
		return;
	if (target_is_question(t->x->now, t->number)) {
		alert_why(a, "question", alert_words(a, "not the first of its message"),
			alert_words(a, "one a message (RFC 9619)"), alert_none());
		return;
	}
	uint16_t type = observation_names(t->x->now)[t->number - 1].type;
	alert_why(a, "reached_by", alert_words(a, dns_type_name(type, number)), alert_none(),
		alert_none());
	alert_why(a, "asked_for", alert_words(a, t->asked), alert_none(), alert_none());
}

void target_why_tenant(struct alert *a, const struct target *t)
{
	if (t->sight.first_in_tenant)
		alert_why(a, "first_in_tenant", alert_words(a, "yes"), alert_none(),
			alert_none());
	if (t->sight.clients == SIGHT_CLIENTS)
		alert_why(
			a, "clients", alert_words(a, "8 or more"), alert_none(), alert_none());
	else if (t->sight.clients > 0)
		alert_why(a, "clients", alert_number(t->sight.clients), alert_none(),
			alert_none());
}

/* The key in the alert, which has it already when its question ends with it. */
alert_text target_put_key(struct alert *a, const struct target *t)
{
	if (t->number == 0 && t->key != t->key_text && a->qname)
		return (alert_text)(a->qname + (t->key - t->full));
	return alert_put(a, t->key);
}
