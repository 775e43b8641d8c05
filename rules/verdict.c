/* SPDX-License-Identifier: BSD-2-Clause */
#include "rules/verdict.h"

#include "feeds/registered.h"
#include "sensor/base/clock.h"

#include <string.h>

/* What the marks of all hits say, before tenant and provider are asked. */
struct reading {
	unsigned allow_labels; /* 0: none */
	enum verdict_service service;
	unsigned service_labels;
	uint8_t service_scope;
	unsigned zone_labels; /* of the tenant's own deepest zone above the name */
	bool approved;        /* by name */
};

static enum verdict_service service_of(enum mark_kind kind)
{
	switch (kind) {
	case MARK_PROVIDER:
		return VERDICT_DYNAMIC;
	case MARK_TUNNEL:
		return VERDICT_TUNNEL;
	case MARK_UPDATE_HOST:
		return VERDICT_UPDATE_HOST;
	case MARK_IP_CHECK:
		return VERDICT_IP_CHECK;
	default:
		return VERDICT_NO_SERVICE;
	}
}

/* Which service wins at one depth. */
static unsigned rank_of(enum verdict_service service)
{
	static const uint8_t rank[] = {
		[VERDICT_NO_SERVICE] = 0,
		[VERDICT_DYNAMIC] = 1,
		[VERDICT_TUNNEL] = 2,
		[VERDICT_IP_CHECK] = 3,
		[VERDICT_UPDATE_HOST] = 4,
	};
	return rank[service];
}

static void read_service(struct reading *r, const struct mark *m, unsigned labels)
{
	enum verdict_service service = service_of(m->kind);

	if (labels < r->service_labels ||
		(labels == r->service_labels && rank_of(service) <= rank_of(r->service)))
		return;
	r->service = service;
	r->service_labels = labels;
	r->service_scope = m->scope;
}

static void read_mark(struct reading *r, const struct mark *m, unsigned labels,
	const struct verdict_asker *who)
{
	switch (m->kind) {
	case MARK_ALLOW:
		if (labels > r->allow_labels)
			r->allow_labels = labels;
		break;
	case MARK_APPROVED:
		if (!r->approved)
			r->approved = policy_approves_entry(
				who->tenant, m->detail, who->client, who->ts_ns);
		break;
	case MARK_ZONE:
		if (labels > r->zone_labels)
			r->zone_labels = labels;
		break;
	case MARK_PROVIDER:
	case MARK_TUNNEL:
	case MARK_UPDATE_HOST:
	case MARK_IP_CHECK:
		read_service(r, m, labels);
		break;
	default:
		break;
	}
}

/* The facts of a feed's mark, if it has such. */
static const struct facts *facts_of(const struct knowledge *known, const struct mark *m)
{
	bool by_feed = m->kind == MARK_MALICIOUS || m->kind == MARK_ALLOW;

	return by_feed && m->source < known->feed_count ? known->feed[m->source].facts : NULL;
}

static bool has_ended(const struct facts *facts, uint64_t key, int64_t ts_ns)
{
	struct entry_facts e;

	return facts_find(facts, key, &e) && e.until_s != 0 && ts_ns / NS_PER_S >= e.until_s;
}

static uint64_t key_of(const struct index *index, struct verdict_name name, unsigned labels)
{
	struct dns_name suffix;
	size_t len;
	const uint8_t *wire = verdict_suffix(name, labels, &len);

	return dns_name_from_wire(&suffix, wire, len)
		       ? dns_name_hash(&suffix, index_seed(index))
		       : 0;
}

/* Does the mark of a listed suffix count for this name, now? */
static bool counts(const struct verdict_asker *who, const struct mark *m,
	struct verdict_name name, unsigned labels)
{
	if (!mark_applies(m, labels, name.labels))
		return false;
	const struct facts *facts = facts_of(who->known, m);
	return !facts || !has_ended(facts, key_of(who->known->index, name, labels), who->ts_ns);
}

static void add_feed(
	struct verdict *v, const struct knowledge *known, uint16_t feed, uint64_t fact_key)
{
	for (unsigned i = 0; i < v->feed_count; i++) {
		if (v->feed[i] == feed)
			return;
	}
	if (v->feed_count == VERDICT_FEEDS_MAX)
		return;
	v->fact_key[v->feed_count] = fact_key;
	v->feed[v->feed_count++] = feed;
	if (feed < known->feed_count && known->feed[feed].severity > v->severity)
		v->severity = known->feed[feed].severity;
}

/* Several providers may claim one suffix: the one whose tier is the loudest speaks. */
static bool is_louder(const struct provider *p, const struct provider *than)
{
	static const uint8_t loudness[] = {
		[TIER_A] = 3, [TIER_C] = 2, [TIER_V] = 1, [TIER_B] = 0
	};
	return !than || loudness[p->tier] > loudness[than->tier];
}

static void add_provider(struct verdict *v, const struct verdict_asker *who, uint32_t number)
{
	const struct provider_registry *providers = who->known->providers;
	const struct provider *current = NULL, *other;

	if (number >= provider_count(providers))
		return;
	if (policy_approves_provider(who->tenant, number, who->client, who->ts_ns))
		v->approved = true;
	if (v->provider != PROVIDER_NONE)
		current = provider_at(providers, v->provider);
	other = provider_at(providers, number);
	if (!is_louder(other, current))
		return;
	v->provider = number;
	v->tier = other->tier;
}

/* Second look, now that depths are decided: who says malicious, whose service it is. */
static void take_mark(struct verdict *v, const struct reading *r, const struct mark *m,
	unsigned labels, const struct verdict_asker *who, struct verdict_name name)
{
	if (m->kind == MARK_MALICIOUS && labels > r->allow_labels) {
		const struct facts *facts = facts_of(who->known, m);
		add_feed(v, who->known, m->source,
			facts ? key_of(who->known->index, name, labels) : 0);
		if (labels > v->listed_labels)
			v->listed_labels = (uint8_t)labels;
	}
	if (v->service != VERDICT_NO_SERVICE && labels == r->service_labels &&
		service_of(m->kind) == v->service)
		add_provider(v, who, m->detail);
}

const uint8_t *verdict_suffix(struct verdict_name name, unsigned labels, size_t *len)
{
	unsigned at = 0;

	for (unsigned left = name.labels; left > labels; left--)
		at += name.wire[at] + 1u;
	*len = name.wire_len - at;
	return name.wire + at;
}

/* "www", "ns", "ns1", "ns23": the label in front of a provider's suffix that is its own. */
static bool is_providers_label(const uint8_t *label)
{
	unsigned len = label[0];

	if (len == 3 && memcmp(label + 1, "www", 3) == 0)
		return true;
	if (len < 2 || memcmp(label + 1, "ns", 2) != 0)
		return false;
	for (unsigned i = 3; i <= len; i++) {
		if (label[i] < '0' || label[i] > '9')
			return false;
	}
	return true;
}

/*
 * A tunnel service's bare suffix is its web site when people can visit it (a registered domain
 * or a public suffix: ngrok.io); below that (tunnel.ngrok.com) it is what the tunnel program
 * asks for.
 */
static bool is_site(struct verdict_name name)
{
	struct dns_name parsed;

	if (!dns_name_from_wire(&parsed, name.wire, name.wire_len) || parsed.label_count <= 2)
		return true;
	return registered_is_private_suffix(&parsed) || registered_is_icann_suffix(&parsed);
}

static bool is_own_site(const struct reading *r, struct verdict_name name)
{
	size_t len;

	if (r->service_scope == SCOPE_EXACT)
		return false;
	if (name.labels == r->service_labels)
		return r->service == VERDICT_DYNAMIC || is_site(name);
	return is_providers_label(verdict_suffix(name, r->service_labels + 1, &len));
}

static void decide_service(struct verdict *v, const struct reading *r, struct verdict_name name)
{
	bool has_customers = v->service == VERDICT_DYNAMIC || v->service == VERDICT_TUNNEL;

	if (v->service == VERDICT_NO_SERVICE)
		return;
	v->own_site = has_customers && is_own_site(r, name);
	v->key_labels = (uint8_t)r->service_labels;
	if (has_customers && name.labels > r->service_labels && r->service_scope != SCOPE_EXACT)
		v->key_labels++;
	/* A tenant that has its own zone below a provider's suffix knows about it. */
	if (r->approved || r->zone_labels >= r->service_labels)
		v->approved = true;
}

static struct index_concerns concerns_of(
	const struct verdict_asker *who, const struct index_hit *hit)
{
	return index_concerns_start(who->known->index, hit->entry, who->tenant->number);
}

struct verdict verdict_of(const struct verdict_asker *who, struct verdict_name name,
	const struct index_hit *hit, size_t hit_count)
{
	struct verdict v = { .provider = PROVIDER_NONE };
	struct reading r = { .service = VERDICT_NO_SERVICE };
	bool malicious = false;

	for (size_t i = 0; i < hit_count; i++) {
		struct index_concerns it = concerns_of(who, &hit[i]);
		for (const struct mark *m; (m = index_concerns_next(&it));) {
			if (!counts(who, m, name, hit[i].labels))
				continue;
			read_mark(&r, m, hit[i].labels, who);
			malicious = malicious || m->kind == MARK_MALICIOUS;
		}
	}
	if (r.service_labels > r.allow_labels)
		v.service = r.service;
	/* Mostly a tenant's own zone: nobody's name, nobody's service. */
	bool concerns_others = malicious || v.service != VERDICT_NO_SERVICE;
	for (size_t i = 0; concerns_others && i < hit_count; i++) {
		struct index_concerns it = concerns_of(who, &hit[i]);
		for (const struct mark *m; (m = index_concerns_next(&it));) {
			if (counts(who, m, name, hit[i].labels))
				take_mark(&v, &r, m, hit[i].labels, who, name);
		}
	}
	v.allowed = r.allow_labels > 0;
	decide_service(&v, &r, name);
	/* Names below a provider's suffix are customers: a key each, however broad the feed. */
	if (v.listed_labels > v.key_labels)
		v.key_labels = v.listed_labels;
	return v;
}

static bool address_counts(
	const struct verdict_asker *who, const struct mark *m, uint64_t fact_key)
{
	const struct facts *facts = facts_of(who->known, m);

	return !facts || !has_ended(facts, fact_key, who->ts_ns);
}

/* How long is the longest network that an allow feed has? -1: none has any. */
static int allowed_bits(
	const struct verdict_asker *who, const struct address_hit *hit, size_t hit_count)
{
	const struct address_set *set = who->known->addresses;
	int bits = -1;

	for (size_t i = 0; i < hit_count; i++) {
		size_t count;
		const struct mark *mark = address_set_marks(set, hit[i].entry, &count);
		uint64_t key = facts_network_key(address_set_net(set, hit[i].entry));
		for (size_t k = 0; k < count; k++) {
			if (mark[k].kind == MARK_ALLOW && hit[i].bits > bits &&
				address_counts(who, &mark[k], key))
				bits = hit[i].bits;
		}
	}
	return bits;
}

struct verdict verdict_of_address(const struct verdict_asker *who,
	const struct address_hit *hit, size_t hit_count, uint32_t *entry)
{
	const struct address_set *set = who->known->addresses;
	struct verdict v = { .provider = PROVIDER_NONE };

	int allowed = allowed_bits(who, hit, hit_count);
	v.allowed = allowed >= 0;
	for (size_t i = 0; i < hit_count; i++) {
		size_t count;
		const struct mark *mark = address_set_marks(set, hit[i].entry, &count);
		uint64_t key = facts_network_key(address_set_net(set, hit[i].entry));
		for (size_t k = 0; k < count; k++) {
			if (mark[k].kind != MARK_MALICIOUS || hit[i].bits <= allowed ||
				!address_counts(who, &mark[k], key))
				continue;
			add_feed(&v, who->known, mark[k].source, key);
			*entry = hit[i].entry;
		}
	}
	return v;
}
