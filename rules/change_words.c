/* SPDX-License-Identifier: BSD-2-Clause */
#include "rules/change_words.h"

#include <stdio.h>

bool change_severity_is_free(const struct policy *tenant, enum rule_id rule)
{
	return !tenant->rules.rule[rule].severity_set;
}

/* Is the client on the outside: a public address that is not in the tenant's networks? */
bool change_is_outside(const struct policy *tenant, const struct ip *client)
{
	return !ip_is_private(client) && !policy_owns_address(tenant, client);
}

/* "cam.corp.example", "cam.corp.example and 3 more names", "names in corp.example". */
void change_list(const struct change *c, unsigned first, char *to, size_t size)
{
	if (c->name_count == 0)
		snprintf(to, size, "names in %s", change_zone(c));
	else if (c->name_count == 1 && !c->names_omitted)
		snprintf(to, size, "%s", change_name(c, first));
	else
		snprintf(to, size, "%s and %u%s more name%s", change_name(c, first),
			c->name_count - 1u, c->names_omitted ? " or" : "",
			c->name_count == 2 && !c->names_omitted ? "" : "s");
}

/* Zone, first record and all names, as every update rule gives them. */
void change_fill(struct emit *e, struct alert *a, const struct change *c)
{
	a->zone = alert_put(a, change_zone(c));
	if (c->name_count > 0)
		emit_question(e, change_name(c, 0), c->first_type);
	for (unsigned i = 0; i < c->name_count; i++)
		emit_host(e, change_name(c, i));
}

void change_why(struct alert *a, const struct change *c)
{
	char text[DNS_NAME_TEXT_MAX + 32], number[16];

	alert_why(a, "changes", alert_number(c->change_count), alert_none(), alert_none());
	alert_why(a, "verbs", alert_words(a, change_verbs(c)), alert_none(), alert_none());
	if (!c->critical)
		return;
	snprintf(text, sizeof(text), "%s %s",
		c->critical_name ? change_name(c, c->critical_name - 1u) : change_zone(c),
		dns_type_name(c->critical_type, number));
	alert_why(a, "critical_record", alert_words(a, text), alert_none(), alert_none());
}

void change_why_outside(struct alert *a)
{
	alert_why(a, "source", alert_words(a, "public address outside the tenant's networks"),
		alert_none(), alert_none());
}

void change_hint_unsigned(struct emit *e, const struct change *c)
{
	emit_hint(e, "    zones:\n      - name: %s\n        require_signed: false\n",
		emit_yaml(e, change_zone(c)));
}
