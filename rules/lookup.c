/* SPDX-License-Identifier: BSD-2-Clause */
#include "rules/judge.h"

#include "rules/age.h"
#include "rules/approval.h"
#include "rules/indicator.h"
#include "rules/sights.h"
#include "rules/target.h"
#include "rules/verdict.h"
#include "sensor/base/hash.h"
#include "sensor/base/log.h"
#include "sensor/dns/message.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/*
 * The lookup rules: a client asked for a listed name, or was led to one.
 *
 * One finding a name and message: malicious comes before any service. The question is judged on
 * the query (whatever the answer will be), or on the response when the query was not seen;
 * names in the answer are judged on the response. PTR targets are nobody's destination and are
 * left out.
 *
 * Addresses in the answer are judged on the response as well, unless its question is malicious
 * already or the user's allow feeds have it: one finding a message is enough.
 */

/* An IP check and an update host within this time: an updater is at work (DETECTION 1.4). */
#define IP_CHECK_NS (60 * NS_PER_S)
#define TARGETS_MAX (OBSERVATION_NAMES_MAX + 1)
#define REFUSAL_MAX 160

/* A client that asked for its own address. */
struct check {
	struct check_key {
		struct ip client;
		uint16_t tenant;
		uint16_t unused[3];
	} key;
	int64_t ts_ns;
};

struct lookup {
	struct emit *emit;
	const struct knowledge *known;
	struct sights *sights;
	struct table *checks;
	uint64_t seed;
	struct approvals approvals;
};

/* --- start and end ------------------------------------------------------------------------ */

static void lookup_free(void *state)
{
	struct lookup *l = state;

	sights_free(l->sights);
	table_free(l->checks);
	approvals_deinit(&l->approvals);
	free(l);
}

static void *lookup_new(const struct family_env *env)
{
	struct lookup *l = calloc(1, sizeof(*l));

	if (!l)
		return NULL;
	l->emit = env->emit;
	l->seed = env->seed;
	l->sights = sights_new("lookup_names", env->memory_bytes / 4 * 3, env->seed);
	l->checks = table_new("lookup_ip_checks", sizeof(struct check),
		sizeof(struct check_key), env->memory_bytes / 4, env->seed);
	if (!l->sights || !l->checks) {
		lookup_free(l);
		return NULL;
	}
	return l;
}

static void lookup_adopt(void *state, const struct knowledge *known)
{
	struct lookup *l = state;

	l->known = known;
	if (!approvals_read(&l->approvals, known))
		log_warning("out of memory: lookup.update_host may alert on approved updaters");
}

/* --- memory ------------------------------------------------------------------------------- */

static struct check_key check_key_of(const struct exchange *x)
{
	return (struct check_key){ .client = x->now->client, .tenant = x->tenant_number };
}

static void note_check(struct lookup *l, const struct exchange *x)
{
	struct check_key key = check_key_of(x);
	bool is_new;
	struct check *c = table_add(l->checks, table_hash(l->checks, &key), &key, &is_new);

	c->ts_ns = x->ts_ns;
}

/* Did this client ask for its own address just now? */
static bool has_checked(struct lookup *l, const struct exchange *x)
{
	struct check_key key = check_key_of(x);
	const struct check *c = table_find(l->checks, table_hash(l->checks, &key), &key);

	return c && age_of(c->ts_ns, x->ts_ns) <= IP_CHECK_NS;
}

/* The name concerned, and what the client was led to, as evidence. */
static void fill_target(struct lookup *l, struct alert *a, const struct target *t, int score)
{
	emit_host(l->emit, t->key);
	target_why_reached(a, t);
	target_why_tenant(a, t);
	score += (t->sight.first_in_tenant ? 5 : 0) + (t->sight.clients >= 3 ? 5 : 0) +
		 (target_is_question(t->x->now, t->number) ? 0 : 5);
	a->score = (int16_t)(score > 100 ? 100 : score);
}

static const char *provider_id(const struct lookup *l, const struct verdict *v)
{
	if (v->provider == PROVIDER_NONE)
		return "unknown";
	return provider_at(l->known->providers, v->provider)->id;
}

static void why_provider(struct alert *a, const struct verdict *v)
{
	alert_why(a, "provider", alert_said(a->indicator_provider), alert_none(), alert_none());
	alert_why(a, "tier", alert_words(a, provider_tier_name(v->tier)), alert_none(),
		alert_none());
}

/* --- lookup.malicious --------------------------------------------------------------------- */

static void raise_malicious(struct lookup *l, const struct target *t)
{
	const struct verdict *v = &t->verdict;
	struct alert *a = emit_open(l->emit, RULE_LOOKUP_MALICIOUS, t->x, t->key);
	char begin[2 * DNS_NAME_TEXT_MAX + 128], listed[DNS_NAME_TEXT_MAX];
	size_t len;

	if (!a)
		return;
	const uint8_t *wire = verdict_suffix(t->name, v->listed_labels, &len);
	dns_name_format_wire(wire, len, listed);
	if (!t->x->tenant->rules.rule[RULE_LOOKUP_MALICIOUS].severity_set)
		a->severity = (uint8_t)v->severity;
	a->indicator = alert_put(a, listed);
	indicator_name_feeds(a, l->known, v);
	alert_why(a, "listed_name", alert_words(a, listed), alert_none(), alert_none());
	if (v->approved)
		alert_why(a, "approved",
			alert_words(a, "yes, which does not cover malicious names"),
			alert_none(), alert_none());
	fill_target(l, a, t, indicator_score(a, v));
	target_begin_sentence(t, begin, sizeof(begin));
	a->message = alert_join(a, begin, t->full, ", which is listed as malicious (", listed,
		" by ", alert_get(a, a->indicator_provider), ")");
	emit_commit(l->emit);
}

/* The network of the listed address and the address itself, and how the client came to it. */
static void why_address(struct alert *a, const struct ip_net *net, const struct ip *ip)
{
	char text[IP_NET_TEXT_MAX];

	alert_why(a, "listed_address", alert_words(a, ip_net_format(net, text)), alert_none(),
		alert_none());
	alert_why(
		a, "address", alert_words(a, ip_format(ip, text)), alert_none(), alert_none());
}

/* "203.0.113.9" for one address, "203.0.113.0/24" for more: the indicator, and what is excluded. */
static void write_network(const struct ip_net *net, char text[DNS_NAME_TEXT_MAX])
{
	if (net->bits == 128)
		ip_format(&net->base, text);
	else
		ip_net_format(net, text);
}

static void raise_address(
	struct lookup *l, struct target *t, const struct ip_net *net, const struct ip *ip)
{
	const struct verdict *v = &t->verdict;
	char address[IP_TEXT_MAX];

	write_network(net, t->key_text);
	t->key = t->key_text;
	struct alert *a = emit_open(l->emit, RULE_LOOKUP_MALICIOUS, t->x, t->key);
	if (!a)
		return;
	if (!t->x->tenant->rules.rule[RULE_LOOKUP_MALICIOUS].severity_set)
		a->severity = (uint8_t)v->severity;
	a->indicator = alert_put(a, t->key);
	a->indicator_ip = *ip;
	a->has_indicator_ip = true;
	indicator_name_feeds(a, l->known, v);
	why_address(a, net, ip);
	target_why_tenant(a, t);
	int score = indicator_score(a, v) + 5;
	a->score = (int16_t)(score > 100 ? 100 : score);
	a->message = alert_printf(a,
		"%s asked for %s, whose answer has the address %s, which is listed as "
		"malicious (%s by %s)",
		t->client, t->asked, ip_format(ip, address), t->key,
		alert_get(a, a->indicator_provider));
	emit_commit(l->emit);
}

/* --- lookup.unapproved and lookup.tunnel_service ------------------------------------------ */

static bool tier_is_wanted(const struct policy *tenant, enum provider_tier tier)
{
	const union rule_value *option = tenant->rules.option;

	if (tier == TIER_B)
		return option[OPTION_LOOKUP_UNAPPROVED_freedns].on;
	if (tier == TIER_V)
		return option[OPTION_LOOKUP_UNAPPROVED_vendors].on;
	return true;
}

static void raise_unapproved(struct lookup *l, const struct target *t)
{
	const struct verdict *v = &t->verdict;
	char begin[2 * DNS_NAME_TEXT_MAX + 128], no[REFUSAL_MAX];
	struct alert *a;

	if (v->own_site || v->approved || !tier_is_wanted(t->x->tenant, v->tier))
		return;
	a = emit_open(l->emit, RULE_LOOKUP_UNAPPROVED, t->x, t->key);
	if (!a)
		return;
	a->indicator = target_put_key(a, t);
	a->indicator_provider = alert_put(a, provider_id(l, v));
	why_provider(a, v);
	fill_target(l, a, t, v->tier == TIER_A ? 50 : 30);
	target_begin_sentence(t, begin, sizeof(begin));
	a->message = alert_join(a, begin, "the dynamic-DNS name ", t->key, " (provider ",
		provider_id(l, v), "), which ", target_refusal(t, "approved", no, sizeof(no)));
	emit_hint_approve(l->emit, t->key);
	emit_commit(l->emit);
}

static void raise_tunnel(struct lookup *l, const struct target *t)
{
	const struct verdict *v = &t->verdict;
	char begin[2 * DNS_NAME_TEXT_MAX + 128];
	struct alert *a;

	if (v->own_site || v->approved)
		return;
	a = emit_open(l->emit, RULE_LOOKUP_TUNNEL_SERVICE, t->x, t->key);
	if (!a)
		return;
	a->indicator = target_put_key(a, t);
	a->indicator_provider = alert_put(a, provider_id(l, v));
	why_provider(a, v);
	fill_target(l, a, t, 60);
	target_begin_sentence(t, begin, sizeof(begin));
	a->message = alert_printf(a,
		"%s%s, a name of the tunnel service %s, which makes inside hosts reachable "
		"from outside",
		begin, t->key, provider_id(l, v));
	emit_hint_approve(l->emit, t->key);
	emit_commit(l->emit);
}

/* --- lookup.update_host ------------------------------------------------------------------- */

static bool may_update(struct lookup *l, const struct target *t)
{
	return t->verdict.approved ||
	       ip_set_contains(&t->x->tenant->update_clients, &t->x->now->client) ||
	       approvals_hold(&l->approvals, t->x->tenant, t->verdict.provider,
		       &t->x->now->client, t->x->ts_ns);
}

static void hint_update_client(struct lookup *l, const struct target *t)
{
	emit_hint(l->emit, "    ddns:\n      update_clients: [%s]\n",
		emit_yaml(l->emit, t->client));
}

static void raise_update_host(struct lookup *l, const struct target *t)
{
	const struct observation *o = t->x->now;
	uint16_t qtype = t->number == 0 ? o->qtype : observation_names(o)[t->number - 1].type;
	char no[REFUSAL_MAX];
	struct alert *a;

	/* Updaters connect to it: other types, and names in answers, say nothing about that. */
	if (!target_is_question(o, t->number) ||
		(qtype != DNS_TYPE_A && qtype != DNS_TYPE_AAAA && qtype != DNS_TYPE_HTTPS))
		return;
	if (may_update(l, t))
		return;
	a = emit_open(l->emit, RULE_LOOKUP_UPDATE_HOST, t->x, t->key);
	if (!a)
		return;
	bool checked = has_checked(l, t->x);
	const char *provider = provider_id(l, &t->verdict);
	a->indicator = target_put_key(a, t);
	a->indicator_provider = alert_put(a, provider);
	alert_why(a, "provider", alert_said(a->indicator_provider), alert_none(), alert_none());
	if (checked)
		alert_why(a, "ip_check",
			alert_words(a, "asked for its own address just before"), alert_none(),
			alert_none());
	fill_target(l, a, t, checked ? 80 : 50);
	a->message = alert_printf(a,
		"%s contacts the dynamic-DNS update service %s (provider %s)%s, which %s",
		t->client, t->key, provider, checked ? " after asking for its own address" : "",
		target_refusal(t, "allowed it to", no, sizeof(no)));
	hint_update_client(l, t);
	emit_commit(l->emit);
}

/* --- one message -------------------------------------------------------------------------- */

static struct verdict_name name_of(const struct observation *o, unsigned number)
{
	if (number == 0)
		return (struct verdict_name){ observation_qname_wire(o), o->qname_len,
			o->qname_labels };

	const struct observation_name *n = &observation_names(o)[number - 1];
	struct verdict_name name = { (const uint8_t *)o + n->wire_at, n->wire_len, 0 };
	for (unsigned at = 0; at < name.wire_len && name.wire[at]; at += name.wire[at] + 1u)
		name.labels++;
	return name;
}

/* The verdict on one name; false when nothing listed is of interest here. */
static bool judge_name(
	struct lookup *l, const struct exchange *x, unsigned number, struct target *t)
{
	const struct observation_match *match = observation_matches(x->now);
	struct index_hit hit[OBSERVATION_MATCHES_MAX];
	size_t hits = 0;

	t->verdict = (struct verdict){ .feed_count = 0 };
	for (unsigned i = 0; i < x->now->match_count; i++) {
		if (match[i].name == number)
			hit[hits++] = (struct index_hit){ match[i].entry, match[i].labels };
	}
	if (hits == 0)
		return false;
	struct verdict_asker who = { l->known, x->tenant, &x->now->client, x->ts_ns };
	t->x = x;
	t->number = number;
	t->name = name_of(x->now, number);
	t->verdict = verdict_of(&who, t->name, hit, hits);
	if (t->verdict.feed_count == 0 && t->verdict.service == VERDICT_NO_SERVICE)
		return false;

	size_t len;
	const uint8_t *key = verdict_suffix(t->name, t->verdict.key_labels, &len);
	t->key_hash = hash_bytes(l->seed, key, len);
	return true;
}

static void act(struct lookup *l, struct target *t)
{
	const struct verdict *v = &t->verdict;

	if (v->feed_count == 0 && v->service == VERDICT_IP_CHECK) {
		note_check(l, t->x);
		return;
	}
	t->sight = sights_note(l->sights, t->x, t->key_hash);
	if (t->sight.is_echo)
		return;
	target_write_names(t);
	if (v->feed_count > 0)
		raise_malicious(l, t);
	else if (v->service == VERDICT_DYNAMIC)
		raise_unapproved(l, t);
	else if (v->service == VERDICT_TUNNEL)
		raise_tunnel(l, t);
	else if (v->service == VERDICT_UPDATE_HOST)
		raise_update_host(l, t);
}

/* Names of one message that count as the same are judged once. */
static bool is_told(const uint64_t *told, size_t count, uint64_t key_hash)
{
	for (size_t i = 0; i < count; i++) {
		if (told[i] == key_hash)
			return true;
	}
	return false;
}

/* The listed networks around one address of the answer, the widest first. */
static size_t networks_of(const struct observation *o, unsigned address,
	struct address_hit hit[OBSERVATION_LISTED_MAX])
{
	const struct observation_listed *listed = observation_listed(o);
	size_t count = 0;

	for (unsigned i = 0; i < o->listed_count; i++) {
		if (listed[i].address == address)
			hit[count++] = (struct address_hit){ listed[i].entry, listed[i].bits };
	}
	return count;
}

/* The first address that somebody lists speaks for the answer: it is the answer that matters. */
static void judge_addresses(struct lookup *l, const struct exchange *x)
{
	const struct observation *o = x->now;
	struct verdict_asker who = { l->known, x->tenant, &o->client, x->ts_ns };
	struct address_hit hit[OBSERVATION_LISTED_MAX];
	struct target t = { .x = x };

	for (unsigned i = 0; i < o->address_count; i++) {
		size_t hits = networks_of(o, i, hit);
		uint32_t entry = 0;
		t.verdict = verdict_of_address(&who, hit, hits, &entry);
		if (t.verdict.feed_count == 0)
			continue;
		const struct ip_net *net = address_set_net(l->known->addresses, entry);
		t.key_hash = hash_bytes(l->seed ^ net->bits, &net->base, sizeof(net->base));
		t.sight = sights_note(l->sights, x, t.key_hash);
		if (t.sight.is_echo)
			return;
		target_write_question(&t);
		ip_format(&o->client, t.client);
		raise_address(l, &t, net, &observation_addresses(o)[i].ip);
		return;
	}
}

/* The question alone is listed, and was judged with its query: that had a tenant. */
static bool is_settled_by_query(const struct exchange *x)
{
	const struct observation *o = x->now;

	return x->matched && !x->told_late && o->name_count == 0 && o->listed_count == 0;
}

static void lookup_observe(void *state, const struct exchange *x)
{
	const struct observation *o = x->now;
	struct lookup *l = state;
	uint64_t told[TARGETS_MAX];
	size_t told_count = 0;
	bool is_settled = false;

	if (is_settled_by_query(x))
		return;
	for (unsigned number = 0; number <= o->name_count; number++) {
		struct target t;
		bool asked = target_is_question(o, number);
		if (!asked && observation_names(o)[number - 1].type == DNS_TYPE_PTR)
			continue;
		bool found = judge_name(l, x, number, &t);
		is_settled = is_settled || t.verdict.feed_count > 0 || t.verdict.allowed;
		if (!found || is_told(told, told_count, t.key_hash))
			continue;
		told[told_count++] = t.key_hash;
		/* The question was judged with its query, if that had a tenant. */
		if (!asked || !x->matched || x->told_late)
			act(l, &t);
	}
	if (o->listed_count > 0 && !is_settled)
		judge_addresses(l, x);
}

static void lookup_stats(const void *state, struct judge_stats *out)
{
	const struct lookup *l = state;

	judge_stats_add(out, sights_stats(l->sights));
	judge_stats_add(out, table_stats(l->checks));
}

const struct family lookup_family = {
	.name = "lookup",
	.memory_share = 2,
	.new = lookup_new,
	.free = lookup_free,
	.adopt = lookup_adopt,
	.observe = lookup_observe,
	.concerns = CONCERN_LISTED,
	.stats = lookup_stats,
};
