/* SPDX-License-Identifier: BSD-2-Clause */
#include "rules/update_source.h"

#include "rules/change_words.h"
#include "rules/update_alert.h"

#include <stdio.h>
#include <string.h>

/* A list of a policy as text for a reason, cut with "..." when it is long. */
#define LIST_MAX 160

static void add_item(char *to, size_t size, const char *item)
{
	size_t len = strlen(to);

	if (len + strlen(item) + sizeof(", ...") < size)
		snprintf(to + len, size - len, "%s%s", len ? ", " : "", item);
	else if (len + sizeof(" ...") <= size && strcmp(to + len - 3, "...") != 0)
		snprintf(to + len, size - len, " ...");
}

static bool is_own_server(const struct policy_zone *zone, const struct ip *client)
{
	return ip_set_contains(&zone->servers, client);
}

/* --- update.unauthorized_source ----------------------------------------------------------- */

static void list_updaters(const struct policy_zone *zone, char *to, size_t size)
{
	char net[IP_NET_TEXT_MAX], item[IP_NET_TEXT_MAX + 1];

	to[0] = '\0';
	for (size_t i = 0; i < zone->updaters.count; i++) {
		const struct ip_set_entry *entry = &zone->updaters.entry[i];
		snprintf(item, sizeof(item), "%s%s", entry->excluded ? "!" : "",
			ip_net_format(&entry->net, net));
		add_item(to, size, item);
	}
}

static bool raise_unauthorized(
	struct emit *e, const struct exchange *x, const struct transaction *t)
{
	const struct change *c = t->change;
	bool accepted = transaction_accepted(t);
	struct alert *a =
		update_alert_open(e, RULE_UPDATE_UNAUTHORIZED_SOURCE, x, t, change_zone(c));
	char client[IP_TEXT_MAX], server[IP_TEXT_MAX], names[CHANGE_LIST_MAX], list[LIST_MAX];

	if (!a)
		return false;
	if (!accepted)
		update_alert_severity(a, x, SEVERITY_LOW);
	a->score = accepted ? 80 : 30;
	list_updaters(t->zone, list, sizeof(list));
	alert_why(a, "updater", alert_words(a, ip_format(&t->client, client)),
		alert_words(a, list), alert_none());
	change_why(a, c);
	update_alert_why_rcode(a, t);
	if (change_is_outside(x->tenant, &t->client))
		change_why_outside(a);
	change_list(c, 0, names, sizeof(names));
	a->message = alert_printf(a,
		"%s, which is not one of zone %s's updaters, %s %s; the server %s %s it",
		client, change_zone(c), accepted ? "changed" : "tried to change", names,
		ip_format(&t->server, server), accepted ? "accepted" : "refused");
	emit_commit(e);
	return true;
}

/* --- update.unexpected_geo ---------------------------------------------------------------- */

static bool lists_country(const struct policy_zone *zone, const char *country)
{
	for (size_t i = 0; i < zone->country_count; i++) {
		if (strcmp(zone->country[i], country) == 0)
			return true;
	}
	return false;
}

static bool lists_asn(const struct policy_zone *zone, uint32_t asn)
{
	for (size_t i = 0; i < zone->asn_count; i++) {
		if (zone->asn[i] == asn)
			return true;
	}
	return false;
}

static void why_place(
	struct alert *a, const struct policy_zone *zone, const struct geo_facts *facts)
{
	char list[LIST_MAX] = "", text[24];

	if (zone->country_count && facts->country[0]) {
		for (size_t i = 0; i < zone->country_count; i++)
			add_item(list, sizeof(list), zone->country[i]);
		alert_why(a, "country", alert_words(a, facts->country), alert_words(a, list),
			alert_none());
	}
	if (zone->asn_count && facts->asn) {
		list[0] = '\0';
		for (size_t i = 0; i < zone->asn_count; i++) {
			snprintf(text, sizeof(text), "AS%u", zone->asn[i]);
			add_item(list, sizeof(list), text);
		}
		snprintf(text, sizeof(text), "AS%u", facts->asn);
		alert_why(
			a, "network", alert_words(a, text), alert_words(a, list), alert_none());
	}
}

static bool raise_unexpected(struct emit *e, const struct exchange *x,
	const struct transaction *t, const struct geo_facts *facts)
{
	const struct change *c = t->change;
	bool accepted = transaction_accepted(t);
	struct alert *a =
		update_alert_open(e, RULE_UPDATE_UNEXPECTED_GEO, x, t, change_zone(c));
	char client[IP_TEXT_MAX], names[CHANGE_LIST_MAX], place[48] = "";

	if (!a)
		return false;
	if (!accepted)
		update_alert_severity(a, x, SEVERITY_LOW);
	a->score = accepted ? 75 : 30;
	why_place(a, t->zone, facts);
	change_why(a, c);
	update_alert_why_rcode(a, t);
	if (facts->country[0])
		add_item(place, sizeof(place), facts->country);
	if (facts->asn) {
		char asn[24];
		snprintf(asn, sizeof(asn), "AS%u", facts->asn);
		add_item(place, sizeof(place), asn);
	}
	change_list(c, 0, names, sizeof(names));
	a->message =
		alert_printf(a, "%s (%s) %s %s in zone %s from where nobody is expected to",
			ip_format(&t->client, client), place,
			accepted ? "changed" : "tried to change", names, change_zone(c));
	emit_commit(e);
	return true;
}

/* An address of the tenant's own, or one whose place is not known, is nowhere unexpected. */
static bool is_unexpected(const struct geo *geo, const struct exchange *x,
	const struct transaction *t, struct geo_facts *facts)
{
	const struct policy_zone *zone = t->zone;

	if ((zone->country_count == 0 && zone->asn_count == 0) || ip_is_private(&t->client) ||
		policy_owns_address(x->tenant, &t->client))
		return false;
	*facts = geo_lookup(geo, &t->client);
	if (zone->country_count && facts->country[0] && !lists_country(zone, facts->country))
		return true;
	return zone->asn_count && facts->asn && !lists_asn(zone, facts->asn);
}

bool update_source_judge(struct emit *e, const struct geo *geo, const struct exchange *x,
	const struct transaction *t)
{
	struct geo_facts facts;

	if (!t->zone || is_own_server(t->zone, &t->client))
		return false;
	if (t->zone->updaters.count && !ip_set_contains(&t->zone->updaters, &t->client) &&
		raise_unauthorized(e, x, t))
		return true;
	return is_unexpected(geo, x, t, &facts) && raise_unexpected(e, x, t, &facts);
}
