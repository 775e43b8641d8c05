/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/rules/observations.h"

#include "rules/ledger.h"

#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

#define SEED UINT64_C(0x5eed)

/* --- the world ------------------------------------------------------------------------------ */

static void *grown(void *array, size_t count, size_t size)
{
	void *larger = realloc(array, (count + 1) * size);
	cr_assert_not_null(larger);
	memset((char *)larger + count * size, 0, size);
	return larger;
}

static char *copied(const char *text)
{
	char *copy = strdup(text);
	cr_assert_not_null(copy);
	return copy;
}

static void set_add(struct ip_set *set, const char *text)
{
	cr_assert(ip_set_add(set, text), "not a network: %s", text);
}

struct world *world_new(void)
{
	struct world *w = calloc(1, sizeof(*w));
	cr_assert_not_null(w);
	w->builder = index_builder_new(SEED);
	w->known.providers = provider_registry_new();
	w->known.policies = policy_set_new();
	w->addresses = address_builder_new(SEED);
	cr_assert(w->builder && w->addresses && w->known.providers && w->known.policies);
	return w;
}

void world_free(struct world *w)
{
	index_builder_free(w->builder);
	address_builder_free(w->addresses);
	address_set_free(w->known.addresses);
	index_free(w->known.index);
	policy_set_free(w->known.policies);
	provider_registry_free(w->known.providers);
	geo_close(w->known.geo);
	for (size_t i = 0; i < w->known.feed_count; i++) {
		free(w->known.feed[i].name);
		facts_free(w->known.feed[i].facts);
	}
	free(w->known.feed);
	free(w);
}

struct policy *world_tenant(struct world *w, const char *id, const char *network)
{
	struct policy *p = policy_set_add(w->known.policies, id);
	cr_assert_not_null(p);
	if (network) {
		p->select.network = grown(
			p->select.network, p->select.network_count, sizeof(*p->select.network));
		cr_assert(ip_net_parse(&p->select.network[p->select.network_count++], network));
	}
	return p;
}

uint16_t world_feed(
	struct world *w, const char *name, enum mark_kind kind, enum severity severity)
{
	struct knowledge *k = &w->known;
	k->feed = grown(k->feed, k->feed_count, sizeof(*k->feed));
	k->feed[k->feed_count] = (struct knowledge_feed){
		.name = copied(name),
		.kind = kind,
		.severity = severity,
	};
	return (uint16_t)k->feed_count++;
}

static void add_mark(struct world *w, const char *text, struct mark mark)
{
	struct dns_name name;
	cr_assert(dns_name_parse(&name, text), "not a name: %s", text);
	cr_assert_eq(index_builder_add(w->builder, &name, mark), INDEX_ADDED, "%s", text);
}

void world_list(struct world *w, uint16_t feed, const char *name, enum mark_scope scope)
{
	add_mark(w, name,
		(struct mark){
			.kind = (uint8_t)w->known.feed[feed].kind,
			.scope = (uint8_t)scope,
			.source = feed,
			.detail = PROVIDER_NONE,
		});
}

void world_tell(struct world *w, uint16_t feed, const char *text, const struct entry_facts *e)
{
	struct facts **facts = &w->known.feed[feed].facts;
	struct dns_name name;

	if (!*facts)
		*facts = facts_new();
	cr_assert(*facts && dns_name_parse(&name, text), "%s", text);
	cr_assert(facts_add(*facts, dns_name_hash(&name, SEED), e));
}

void world_list_network(struct world *w, uint16_t feed, const char *network)
{
	struct mark mark = { .kind = (uint8_t)w->known.feed[feed].kind, .source = feed };
	struct ip_net net;

	cr_assert(ip_net_parse(&net, network), "not a network: %s", network);
	cr_assert_eq(address_builder_add(w->addresses, &net, mark), INDEX_ADDED, "%s", network);
}

void world_provider(struct world *w, enum mark_kind kind, const char *name,
	const char *provider, enum provider_tier tier)
{
	uint32_t number = provider_register(w->known.providers, provider, tier);
	cr_assert_neq(number, PROVIDER_NONE, "%s", provider);
	if (w->known.feed_count == 0)
		world_feed(w, "shipped", MARK_PROVIDER, SEVERITY_MEDIUM);
	add_mark(w, name,
		(struct mark){
			.kind = (uint8_t)kind, .scope = SCOPE_SUFFIX, .detail = number });
}

void world_approve(struct world *w, struct policy *p, const char *name, const char *provider,
	const char *clients, const char *until)
{
	p->approved = grown(p->approved, p->approved_count, sizeof(*p->approved));
	struct policy_approved *a = &p->approved[p->approved_count++];
	a->provider = PROVIDER_NONE;
	a->until_ns = INT64_MAX;
	if (name)
		a->name = copied(name);
	else
		a->provider = provider_register(w->known.providers, provider, TIER_A);
	if (clients)
		set_add(&a->clients, clients);
	if (until && until[0])
		cr_assert(clock_parse_day_end(&a->until_ns, until), "%s", until);
}

void world_zone(struct policy *p, const char *name, const char *server, bool require_signed)
{
	p->zone = grown(p->zone, p->zone_count, sizeof(*p->zone));
	struct policy_zone *zone = &p->zone[p->zone_count++];
	zone->name = copied(name);
	zone->require_signed = require_signed;
	if (server)
		set_add(&zone->servers, server);
}

void world_exclude(struct policy *p, enum rule_id rule, const char *client, const char *name)
{
	p->exclude = grown(p->exclude, p->exclude_count, sizeof(*p->exclude));
	struct policy_exclude *x = &p->exclude[p->exclude_count++];
	x->rule = rule;
	x->until_ns = INT64_MAX;
	if (client)
		set_add(&x->clients, client);
	if (name) {
		x->name = grown(NULL, 0, sizeof(*x->name));
		x->name[x->name_count++] = copied(name);
	}
}

void world_option(struct policy *p, enum rule_id rule, const char *key, const char *value)
{
	struct err_ctx why;
	cr_assert(rule_settings_set(&p->rules, rule, key, value, &why), "%s", why.text);
}

void world_freeze(struct world *w)
{
	struct err_ctx why;
	cr_assert_eq(
		policy_set_index(w->known.policies, w->builder, &why), ERR_OK, "%s", why.text);
	w->known.index = index_build(w->builder);
	w->builder = NULL;
	w->known.addresses = address_set_build(w->addresses);
	w->addresses = NULL;
	cr_assert(w->known.index && w->known.addresses);
}

/* --- messages ------------------------------------------------------------------------------- */

/* The block an observation is laid out in; larger than any of them. */
struct block {
	union {
		struct observation o;
		uint8_t bytes[sizeof(struct observation) + 16384];
	};
	size_t len;
};

/* The next part, where the one before ends; a gap before the next one is zero. */
static void block_put(struct block *b, const void *bytes, size_t len)
{
	cr_assert(b->len + len + 3 <= sizeof(b->bytes),
		"observation too large for the test's block");
	if (len)
		memcpy(b->bytes + b->len, bytes, len);
	b->len = (b->len + len + 3) & ~(size_t)3;
}

static struct ip address_of(const char *text, const char *initial)
{
	struct ip ip;
	cr_assert(ip_parse(&ip, text ? text : initial), "not an address: %s", text);
	return ip;
}

static uint16_t tenant_of(const struct world *w, const struct message *m)
{
	if (m->unmapped || w->known.policies->tenant_count == 1)
		return POLICY_UNMAPPED;
	return m->tenant ? m->tenant : 1;
}

static void put_header(struct observation *o, const struct world *w, const struct message *m)
{
	o->kind = OBSERVATION_MESSAGE;
	o->transport = m->tcp ? TRANSPORT_TCP : TRANSPORT_UDP;
	o->opcode = m->opcode;
	o->response = m->response;
	o->ts_ns = WORLD_START_NS + m->at_ms * NS_PER_MS;
	o->client = address_of(m->client, "10.1.0.7");
	o->server = address_of(m->server, "10.1.0.53");
	o->client_port = m->client_port ? m->client_port : 40000;
	o->server_port = 53;
	o->id = m->id ? m->id : 1;
	o->flags = (uint16_t)((m->response ? DNS_FLAG_QR : 0) | (m->aa ? DNS_FLAG_AA : 0) |
			      (m->no_rd ? 0 : DNS_FLAG_RD));
	o->rcode = m->rcode;
	o->tenant = tenant_of(w, m);
	o->vlan[0] = m->vlan;
	o->vlan_count = m->vlan != 0;
	o->has_signature = m->signature;
}

struct matches {
	struct observation_match match[OBSERVATION_MATCHES_MAX];
	size_t count;
};

static void match_name(
	struct matches *out, const struct index *index, const struct dns_name *name, unsigned n)
{
	struct index_hit hit[INDEX_HITS_MAX];
	size_t hits = index_match_name(index, name, hit);
	for (size_t i = 0; i < hits && out->count < OBSERVATION_MATCHES_MAX; i++)
		out->match[out->count++] = (struct observation_match){
			.entry = hit[i].entry,
			.labels = hit[i].labels,
			.name = (uint8_t)n,
		};
}

static void put_question(
	struct block *b, struct matches *found, const struct world *w, const struct message *m)
{
	struct dns_name name;
	cr_assert(dns_name_parse(&name, m->qname ? m->qname : "."), "not a name: %s", m->qname);
	b->o.has_question = m->qname != NULL;
	if (m->qname) {
		b->o.qtype = m->qtype ? m->qtype : DNS_TYPE_A;
		b->o.qclass = DNS_CLASS_IN;
		match_name(found, w->known.index, &name, 0);
	}
	b->o.qname_hash = dns_name_hash(&name, index_seed(w->known.index));
	b->o.qname_labels = name.label_count;
	b->o.qname_len = name.wire_len;
	block_put(b, name.wire, name.wire_len);
}

static void put_addresses(struct block *b, const struct message *m)
{
	struct dns_address at[OBSERVATION_ADDRESSES_MAX];
	size_t count = 0;
	for (; count < OBSERVATION_ADDRESSES_MAX && m->address[count].ip; count++) {
		at[count].ip = address_of(m->address[count].ip, NULL);
		at[count].ttl = m->address[count].ttl;
	}
	b->o.address_count = (uint8_t)count;
	block_put(b, at, count * sizeof(at[0]));
}

static void put_listed(struct block *b, const struct address_set *set)
{
	struct observation_listed at[OBSERVATION_LISTED_MAX];
	size_t count = 0;

	for (unsigned i = 0; i < b->o.address_count; i++) {
		struct address_hit hit[ADDRESS_HITS_MAX];
		size_t hits = address_set_match(set, &observation_addresses(&b->o)[i].ip, hit);
		for (size_t k = 0; k < hits && count < OBSERVATION_LISTED_MAX; k++)
			at[count++] = (struct observation_listed){ hit[k].entry, hit[k].bits,
				(uint8_t)i, { 0 } };
	}
	b->o.listed_count = count & 15;
	block_put(b, at, count * sizeof(at[0]));
}

static void put_names(
	struct block *b, struct matches *found, const struct world *w, const struct message *m)
{
	struct observation_name at[OBSERVATION_NAMES_MAX] = { 0 };
	struct dns_name name[OBSERVATION_NAMES_MAX];
	size_t count = 0, wire_at = b->len;

	while (count < OBSERVATION_NAMES_MAX && m->name[count].target)
		count++;
	wire_at += count * sizeof(at[0]);
	for (size_t i = 0; i < count; i++) {
		cr_assert(dns_name_parse(&name[i], m->name[i].target));
		at[i].ttl = m->name[i].ttl;
		at[i].type = m->name[i].type;
		at[i].wire_at = (uint16_t)wire_at;
		at[i].wire_len = name[i].wire_len;
		at[i].section = m->name[i].section;
		wire_at += (name[i].wire_len + 3u) & ~3u;
		match_name(found, w->known.index, &name[i], (unsigned)i + 1);
	}
	b->o.name_count = count & 31;
	block_put(b, at, count * sizeof(at[0]));
	for (size_t i = 0; i < count; i++)
		block_put(b, name[i].wire, name[i].wire_len);
}

struct observation *message_observe(
	const struct world *w, const struct message *m, uint64_t seq)
{
	struct block *b = calloc(1, sizeof(*b));
	struct matches found = { .count = 0 };

	cr_assert_not_null(b);
	b->len = sizeof(struct observation);
	put_header(&b->o, w, m);
	put_question(b, &found, w, m);
	put_addresses(b, m);
	put_names(b, &found, w, m);
	b->o.wire_len_message = (uint16_t)(m->wire ? m->wire_len : 0);
	block_put(b, m->wire, b->o.wire_len_message);
	put_listed(b, w->known.addresses);
	b->o.match_count = found.count & 31;
	block_put(b, found.match, found.count * sizeof(found.match[0]));
	b->o.seq = seq;
	b->o.size = b->len & 0x3ffff;

	struct observation *o = malloc(b->len);
	cr_assert_not_null(o);
	memcpy(o, b->bytes, b->len);
	free(b);
	return o;
}

/* --- alerts --------------------------------------------------------------------------------- */

void alerts_keep(void *arg, const struct alert *a)
{
	struct alerts *list = arg;
	struct alert *copy = malloc(alert_size(a));
	cr_assert_not_null(copy);
	alert_copy(copy, a);
	list->alert = grown(list->alert, list->count, sizeof(list->alert[0]));
	list->alert[list->count++] = copy;
}

void alerts_clear(struct alerts *list)
{
	for (size_t i = 0; i < list->count; i++)
		free(list->alert[i]);
	free(list->alert);
	*list = (struct alerts){ .count = 0 };
}

size_t alerts_count(const struct alerts *list, enum rule_id rule)
{
	size_t count = 0;
	for (size_t i = 0; i < list->count; i++)
		count += list->alert[i]->rule == rule;
	return count;
}

const struct alert *alerts_first(const struct alerts *list, enum rule_id rule)
{
	for (size_t i = 0; i < list->count; i++)
		if (list->alert[i]->rule == rule)
			return list->alert[i];
	cr_assert_fail("no alert of %s", rule_table[rule].id);
	return NULL;
}

const struct alert *alerts_last(const struct alerts *list, enum rule_id rule)
{
	for (size_t i = list->count; i > 0; i--)
		if (list->alert[i - 1]->rule == rule)
			return list->alert[i - 1];
	cr_assert_fail("no alert of %s", rule_table[rule].id);
	return NULL;
}

const struct alert_why *alerts_why(const struct alert *a, const char *feature)
{
	for (size_t i = 0; i < a->why_count; i++)
		if (strcmp(a->why[i].feature, feature) == 0)
			return &a->why[i];
	return NULL;
}

/* --- one family at work --------------------------------------------------------------------- */

struct rig *rig_new_sized(const struct family *family, struct world *w, size_t memory_bytes)
{
	struct rig *r = calloc(1, sizeof(*r));
	cr_assert_not_null(r);
	world_freeze(w);
	r->world = w;
	r->family = family;
	r->emit = emit_new(alerts_keep, &r->alerts);
	r->pairs = pairs_new(1 << 20, SEED);
	r->ledger = ledger_new(1 << 20, SEED);
	cr_assert(r->emit && r->pairs && r->ledger);
	emit_adopt(r->emit, &w->known);
	ledger_adopt(r->ledger, &w->known);
	r->state = family->new (&(struct family_env){ .emit = r->emit,
		.ledger = r->ledger,
		.memory_bytes = memory_bytes,
		.seed = SEED });
	cr_assert_not_null(r->state);
	if (family->adopt)
		family->adopt(r->state, &w->known);
	r->tick_ns = WORLD_START_NS;
	return r;
}

struct rig *rig_new(const struct family *family, struct world *w)
{
	return rig_new_sized(family, w, 4 << 20);
}

void rig_free(struct rig *r)
{
	r->family->free(r->state);
	emit_free(r->emit);
	ledger_free(r->ledger);
	pairs_free(r->pairs);
	alerts_clear(&r->alerts);
	world_free(r->world);
	free(r);
}

static void tick_until(struct rig *r, int64_t ts_ns)
{
	while (r->tick_ns + NS_PER_S <= ts_ns) {
		r->tick_ns += NS_PER_S;
		pairs_tick(r->pairs, r->tick_ns);
		ledger_tick(r->ledger, r->tick_ns);
		if (r->family->tick)
			r->family->tick(r->state,
				&(struct exchange){ .seq = ++r->seq, .ts_ns = r->tick_ns });
	}
}

void rig_see(struct rig *r, const struct message *m)
{
	struct observation *o = message_observe(r->world, m, ++r->seq);
	tick_until(r, o->ts_ns);
	struct session session = session_of(SEED, o);
	struct pair_result pair = pairs_observe(r->pairs, o, &session);
	cr_assert_lt(pair.tenant, RIG_TENANTS_MAX);
	struct sides *sides = &r->sides[pair.tenant];
	sides_note(sides, o->response, pair.matched, o->ts_ns);
	struct exchange x = {
		.now = o,
		.tenant = &r->world->known.policies->tenant[pair.tenant],
		.tenant_number = pair.tenant,
		.matched = pair.matched,
		.told_late = pair.told_late,
		.queries_hidden = sides_queries_hidden(sides),
		.responses_hidden = sides_responses_hidden(sides, o->ts_ns),
		.rtt_ns = pair.rtt_ns,
		.session = &session,
		.seq = o->seq,
		.ts_ns = o->ts_ns,
	};
	if (judge_concerns(o) & r->family->concerns) {
		if (r->family->place)
			r->family->place(r->state, o, &session, &x.place);
		r->family->observe(r->state, &x);
	}
	free(o);
}

void rig_exchange(struct rig *r, const struct message *response)
{
	struct message m = *response;
	m.response = false;
	m.rcode = 0;
	m.aa = false;
	m.address[0].ip = NULL;
	m.name[0].target = NULL;
	rig_see(r, &m);
	m = *response;
	m.response = true;
	m.at_ms += 20;
	rig_see(r, &m);
}

void rig_wait(struct rig *r, int64_t at_ms)
{
	tick_until(r, WORLD_START_NS + at_ms * NS_PER_MS);
}

size_t rig_count(const struct rig *r, enum rule_id rule)
{
	return alerts_count(&r->alerts, rule);
}

struct judge_stats rig_stats(const struct rig *r)
{
	struct judge_stats stats = { .table_count = 0 };
	if (r->family->stats)
		r->family->stats(r->state, &stats);
	return stats;
}
