/* SPDX-License-Identifier: BSD-2-Clause */
#include "rules/update_content.h"

#include "rules/change_words.h"
#include "rules/update_alert.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct server {
	struct server_key {
		struct ip ip;
		uint16_t tenant;
		uint16_t unused;
	} key;
};

struct update_content {
	struct emit *emit;
	struct table *servers;
};

struct update_content *update_content_new(struct emit *emit, size_t memory_bytes, uint64_t seed)
{
	struct update_content *c = calloc(1, sizeof(*c));

	if (!c)
		return NULL;
	c->emit = emit;
	c->servers = table_new("update_servers", sizeof(struct server),
		sizeof(struct server_key), memory_bytes, seed);
	if (!c->servers) {
		free(c);
		return NULL;
	}
	return c;
}

void update_content_free(struct update_content *c)
{
	if (!c)
		return;
	table_free(c->servers);
	free(c);
}

/* --- domain controllers ------------------------------------------------------------------- */

static struct server_key server_key_of(const struct exchange *x, const struct ip *ip)
{
	struct server_key key;

	memset(&key, 0, sizeof(key));
	key.ip = *ip;
	key.tenant = x->tenant_number;
	return key;
}

void update_content_learn(
	struct update_content *c, const struct exchange *x, const struct transaction *t)
{
	struct server_key key = server_key_of(x, &t->server);
	bool is_new;

	(void)table_add(c->servers, table_hash(c->servers, &key), &key, &is_new);
}

static bool is_server(
	struct update_content *c, const struct exchange *x, const struct transaction *t)
{
	struct server_key key = server_key_of(x, &t->client);

	if (ip_equal(&t->client, &t->server) ||
		ip_set_contains(&x->tenant->resolvers, &t->client) ||
		(t->zone && ip_set_contains(&t->zone->servers, &t->client)))
		return true;
	return table_find(c->servers, table_hash(c->servers, &key), &key) != NULL;
}

/* "_ldap._tcp.corp.example", "gc._msdcs.corp.example": where clients look for a controller. */
static bool is_service_name(const char *name)
{
	return name[0] == '_' || strstr(name, "._msdcs.") != NULL;
}

bool update_content_is_controllers(struct update_content *c, const struct exchange *x,
	const struct transaction *t, const struct update_change *change)
{
	char client[IP_TEXT_MAX];
	bool is_service = is_service_name(change->name) &&
			  (change->type == DNS_TYPE_SRV || change->type == DNS_TYPE_CNAME ||
				  change->type == DNS_TYPE_A || change->type == DNS_TYPE_AAAA ||
				  change->type == DNS_TYPE_ANY);
	bool is_own_address = strcmp(change->name, change_zone(t->change)) == 0 &&
			      (change->type == DNS_TYPE_A || change->type == DNS_TYPE_AAAA) &&
			      strcmp(change->rdata, ip_format(&t->client, client)) == 0;

	return (is_service || is_own_address) && is_server(c, x, t);
}

/* --- update.critical_record --------------------------------------------------------------- */

/* Does a prerequisite say that this very record is there already? */
static bool is_there_already(const struct update *u, const struct update_change *change)
{
	for (size_t i = 0; i < transaction_bound(u->prerequisite_count); i++) {
		const struct update_prerequisite *p = &u->prerequisite[i];
		if (p->condition == UPDATE_RRSET_EQUALS && p->type == change->type &&
			strcmp(p->name, change->name) == 0 &&
			strcmp(p->rdata, change->rdata) == 0)
			return true;
	}
	return false;
}

/* Is the record deleted only to be added again by the same UPDATE? */
static bool is_put_back(const struct update *u, const struct update_change *deleted)
{
	for (size_t i = 0; i < transaction_bound(u->change_count); i++) {
		const struct update_change *added = &u->change[i];
		if (added->verb == UPDATE_ADD && added->type == deleted->type &&
			strcmp(added->name, deleted->name) == 0 && is_there_already(u, added))
			return true;
	}
	return false;
}

static bool changes_nothing(const struct update *u, const struct update_change *change)
{
	if (u->prerequisite_count == 0 || u->change_count > TRANSACTION_RECORDS_MAX)
		return false;
	return change->verb == UPDATE_ADD ? is_there_already(u, change)
					  : is_put_back(u, change);
}

/* Did the ledger have all of it, as it is now? */
static bool is_refreshed(const struct ledger_report *made, const struct update_change *change)
{
	bool found = false;

	for (size_t i = 0; i < transaction_bound(made->change_count); i++) {
		const struct ledger_change *seen = &made->change[i];
		if (seen->type != change->type || strcmp(seen->name, change->name) != 0)
			continue;
		if (seen->effect != LEDGER_REFRESHED)
			return false;
		found = true;
	}
	return found && made->change_count <= TRANSACTION_RECORDS_MAX;
}

/* The first change that is critical and not ordinary; NULL: none, or nothing is known. */
static const struct update_change *find_critical(struct update_content *c,
	const struct exchange *x, const struct transaction *t, const struct update *u,
	const struct ledger_report *made)
{
	for (size_t i = 0; i < u->change_count; i++) {
		const struct update_change *change = &u->change[i];
		if (change_is_critical(change->name, change->type, u->zone, t->zone) &&
			!changes_nothing(u, change) && !is_refreshed(made, change) &&
			!update_content_is_controllers(c, x, t, change))
			return change;
	}
	return NULL;
}

static const char *verb_word(enum update_verb verb)
{
	return verb == UPDATE_ADD ? "set" : "deleted";
}

static void raise_critical(struct update_content *c, const struct exchange *x,
	const struct transaction *t, const struct update_change *change)
{
	struct alert *a =
		update_alert_open(c->emit, RULE_UPDATE_CRITICAL_RECORD, x, t, change->name);
	char client[IP_TEXT_MAX], number[16], record[DNS_NAME_TEXT_MAX + 24];

	if (!a)
		return;
	a->score = 75;
	emit_question(c->emit, change->name, change->type);
	snprintf(record, sizeof(record), "%s %s", change->name,
		dns_type_name(change->type, number));
	alert_why(a, "critical_record", alert_words(a, record), alert_none(), alert_none());
	alert_why(
		a, "verb", alert_words(a, verb_word(change->verb)), alert_none(), alert_none());
	if (change->rdata[0])
		alert_why(a, "data", alert_words(a, change->rdata), alert_none(), alert_none());
	alert_why(a, "changes", alert_number(t->change->change_count), alert_none(),
		alert_none());
	a->message = alert_printf(a, "%s %s the record %s%s%s in zone %s, which steers others",
		ip_format(&t->client, client), verb_word(change->verb), record,
		change->verb == UPDATE_ADD && change->rdata[0] ? " to " : "",
		change->verb == UPDATE_ADD ? change->rdata : "", change_zone(t->change));
	emit_commit(c->emit);
}

/* The octets are lost: all that is left is that there was such a record. */
static struct update_change remembered(const struct change *c)
{
	return (struct update_change){
		.verb = c->verbs & 1u << UPDATE_ADD ? UPDATE_ADD : UPDATE_DELETE_RRSET,
		.type = c->critical_type,
		.name = c->critical_name ? change_name(c, c->critical_name - 1u)
					 : change_zone(c),
		.rdata = "",
	};
}

void update_content_critical(struct update_content *c, const struct exchange *x,
	const struct transaction *t, const struct ledger_report *made)
{
	const struct update *u = transaction_update(t);

	if (!t->change->critical)
		return;
	if (u) {
		const struct update_change *change = find_critical(c, x, t, u, made);
		if (change)
			raise_critical(c, x, t, change);
		return;
	}
	struct update_change change = remembered(t->change);
	if (!update_content_is_controllers(c, x, t, &change))
		raise_critical(c, x, t, &change);
}

/* --- update.naming ------------------------------------------------------------------------ */

/* A zone that the tenant lists and that has nothing to do with its suffixes is as it wants it. */
static bool is_apart(const struct policy *tenant, const struct policy_zone *zone)
{
	for (size_t i = 0; zone && i < tenant->suffix_count; i++) {
		if (change_is_below(tenant->suffix[i], zone->name))
			return false;
	}
	return zone != NULL;
}

static bool is_standard(const struct policy *tenant, const char *name)
{
	for (size_t i = 0; i < tenant->suffix_count; i++) {
		if (change_is_below(name, tenant->suffix[i]))
			return true;
	}
	return false;
}

/* A name for a host, put there for others to find: reverse names have another standard. */
static bool is_host_record(const struct update_change *change)
{
	return change->verb == UPDATE_ADD &&
	       (change->type == DNS_TYPE_A || change->type == DNS_TYPE_AAAA ||
		       change->type == DNS_TYPE_CNAME) &&
	       !change_is_below(change->name, "arpa") && change->name[0] != '_';
}

/* The domain that the name is in: what follows its first label. */
static const char *domain_of(const char *name)
{
	for (const char *at = name; *at; at++) {
		if (*at == '\\' && at[1])
			at++;
		else if (*at == '.')
			return at[1] ? at + 1 : name;
	}
	return name;
}

static void raise_naming(struct update_content *c, const struct exchange *x,
	const struct transaction *t, const struct update_change *change)
{
	const char *domain = domain_of(change->name);
	struct alert *a = update_alert_open(c->emit, RULE_UPDATE_NAMING, x, t, domain);
	char client[IP_TEXT_MAX], suffixes[160] = "";
	size_t len = 0;

	if (!a)
		return;
	for (size_t i = 0; i < x->tenant->suffix_count && len < sizeof(suffixes); i++)
		len += (size_t)snprintf(suffixes + len, sizeof(suffixes) - len, "%s%s",
			i ? ", " : "", x->tenant->suffix[i]);
	a->score = 20;
	emit_question(c->emit, change->name, change->type);
	alert_why(a, "name", alert_words(a, change->name), alert_words(a, suffixes),
		alert_none());
	a->message = alert_printf(a,
		"%s registered %s, which is below none of the domains that %s names its hosts "
		"in",
		ip_format(&t->client, client), change->name, x->tenant->id);
	emit_hint(c->emit, "    suffixes: [%s]\n", emit_yaml(c->emit, domain));
	emit_commit(c->emit);
}

void update_content_naming(
	struct update_content *c, const struct exchange *x, const struct transaction *t)
{
	const struct update *u = transaction_update(t);

	if (x->tenant->suffix_count == 0 || !u || is_apart(x->tenant, t->zone))
		return;
	for (size_t i = 0; i < u->change_count; i++) {
		const struct update_change *change = &u->change[i];
		if (!is_host_record(change) || is_standard(x->tenant, change->name))
			continue;
		raise_naming(c, x, t, change);
		return;
	}
}

void update_content_stats(const struct update_content *c, struct judge_stats *out)
{
	judge_stats_add(out, table_stats(c->servers));
}
