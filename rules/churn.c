/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * churn.c -- names that move: churn.ddns, churn.fast_flux, churn.rebinding (T1568, T1557).
 *
 * What separates a control server on the run from a content network is what moves.h remembers:
 *
 *	content network   several addresses at once, the same ones come back, few networks, or listed as
 *	                  a pool (by the name itself or by where its CNAME leads): never reported
 *	home connection   one address, a new one once a day, the same provider: not reported
 *	churning          one address at a time, low TTL, many addresses or networks in a day
 *	fast flux         many addresses in many networks, new ones at nearly every look-up, hardly any
 *	                  returning, over several look-ups after expiry
 *	rebinding         public addresses before or beside private ones at a TTL of next to nothing
 *
 * Without an ASN database networks are prefixes, which overcount: then churn.ddns wants both its
 * thresholds and fast flux counts /16 (IPv4) and /32 (IPv6). A name on no provider's list is reported as
 * churning only when ASNs are known, at low severity.
 *
 * A name is stored once an answer with a TTL of at most the rules' longest max_ttl was seen; one alert
 * names the first client that saw it, further moves are repeats of it.
 */
#include <math.h>
#include <stdlib.h>

#include "rules/glimpse.h"
#include "rules/judge.h"
#include "rules/moves.h"
#include "rules/pattern.h"
#include "rules/siblings.h"
#include "rules/standing.h"
#include "rules/table_probe.h"
#include "rules/tenant_rows.h"
#include "sensor/base/clock.h"
#include "sensor/base/hash.h"
#include "sensor/base/prefetch.h"
#include "sensor/base/quantity.h"
#include "sensor/dns/message.h"

/* The longest TTL that any of the three rules looks at, and the longest window. */
struct limits {
	uint32_t ttl_s, window_s;
};

struct churn {
	struct emit *emit;
	const struct knowledge *known;
	struct limits *limits; /* per tenant number, as far as memory goes */
	size_t limits_count;
	struct table *names;        /* struct glimpse: every name with a low TTL */
	struct table *moves;        /* struct moves: of them, those that have changed */
	struct siblings *rebinding; /* domains with names that rebind */
};

static void churn_free(void *state)
{
	struct churn *s = state;
	table_free(s->names);
	table_free(s->moves);
	siblings_free(s->rebinding);
	free(s->limits);
	free(s);
}

static void *churn_new(const struct family_env *env)
{
	struct churn *s = calloc(1, sizeof(*s));
	if (!s)
		return NULL;
	s->emit = env->emit;
	s->names = table_new("churn_names", sizeof(struct glimpse), sizeof(struct moves_key),
		env->memory_bytes / 3, env->seed);
	s->moves = table_new("churn_moves", sizeof(struct moves), sizeof(struct moves_key),
		env->memory_bytes / 8 * 5, env->seed);
	s->rebinding = siblings_new("churn_domains", env->memory_bytes / 64, env->seed);
	if (s->names && s->moves && s->rebinding)
		return s;
	churn_free(s);
	return NULL;
}

static struct limits limits_of(const struct policy *p)
{
	const union rule_value *option = p->rules.option;
	int64_t ttl_ns = option[OPTION_CHURN_DDNS_max_ttl].ns;
	int64_t window_ns = option[OPTION_CHURN_DDNS_window].ns;

	if (option[OPTION_CHURN_FAST_FLUX_max_ttl].ns > ttl_ns)
		ttl_ns = option[OPTION_CHURN_FAST_FLUX_max_ttl].ns;
	if (option[OPTION_CHURN_REBINDING_max_ttl].ns > ttl_ns)
		ttl_ns = option[OPTION_CHURN_REBINDING_max_ttl].ns;
	if (option[OPTION_CHURN_FAST_FLUX_window].ns > window_ns)
		window_ns = option[OPTION_CHURN_FAST_FLUX_window].ns;
	return (struct limits){ (uint32_t)(ttl_ns / NS_PER_S),
		(uint32_t)(window_ns / NS_PER_S) };
}

static void churn_adopt(void *state, const struct knowledge *known)
{
	struct churn *s = state;
	const struct policy_set *policies = known->policies;

	s->known = known;
	s->limits = tenant_rows_grow(
		s->limits, &s->limits_count, policies->tenant_count, sizeof(*s->limits));
	for (size_t i = 0; i < policies->tenant_count && i < s->limits_count; i++)
		s->limits[i] = limits_of(&policies->tenant[i]);
}

static uint32_t option_s(const struct exchange *x, enum rule_option_id option)
{
	return (uint32_t)(x->tenant->rules.option[option].ns / NS_PER_S);
}

/* --- alerts --------------------------------------------------------------------------------- */

static struct alert *open_alert(struct churn *s, const struct exchange *x, struct moves *m,
	enum rule_id rule, const struct dns_name *n, unsigned labels,
	char text[DNS_NAME_TEXT_MAX])
{
	dns_name_format_suffix(n, labels, text);
	if (!m->alerted)
		m->client = x->now->client;
	struct alert *a = emit_open(s->emit, rule, x, text);
	if (!a)
		return NULL;
	/* Whoever sees later moves: they are repeats of the first client's alert. */
	if (!ip_equal(&m->client, &x->now->client))
		emit_client(s->emit, &m->client, text);
	m->alerted = true;
	table_pin(s->moves, m, true);
	return a;
}

static void add_addresses(struct alert *a, const struct moves *m)
{
	for (int i = 0; i < m->count && a->related_count < ALERT_ADDRESSES_MAX; i++)
		a->related[a->related_count++] = moves_address(m, (unsigned)i);
}

static void explain_moves(struct alert *a, const struct churn *s, const struct moves *m,
	const struct moves_features *f, double min_addresses, double min_networks,
	double max_ttl_s)
{
	alert_why(a, "addresses", alert_number(f->addresses), alert_number(min_addresses),
		alert_none());
	alert_why(a, geo_has_asn(s->known->geo) ? "autonomous_systems" : "networks",
		alert_number(f->networks), alert_number(min_networks), alert_none());
	alert_why(a, "ttl_max_s", alert_number(m->ttl_max_s), alert_number(max_ttl_s),
		alert_none());
	alert_why(a, "return_ratio", alert_number(moves_return_ratio(m)), alert_none(),
		alert_none());
	a->count = m->renewals;
	add_addresses(a, m);
}

/* How long the name has been moving, for the sentence. */
static const char *span_text(
	const struct moves *m, uint32_t now_s, char text[QUANTITY_TEXT_MAX])
{
	return quantity_format_duration((int64_t)(now_s - m->first_s) * NS_PER_S, text);
}

static void start_at(
	struct alert *a, const struct exchange *x, const struct moves *m, uint32_t now_s)
{
	a->start_ns = x->ts_ns - (int64_t)(now_s - m->first_s) * NS_PER_S;
}

static void raise_ddns(struct churn *s, const struct exchange *x, struct moves *m,
	const struct standing *st, const struct moves_features *f, uint32_t now_s)
{
	const union rule_value *option = x->tenant->rules.option;
	char text[DNS_NAME_TEXT_MAX], span[QUANTITY_TEXT_MAX];
	bool listed = st->provider != PROVIDER_NONE;
	struct dns_name n;

	observation_qname(x->now, &n);
	struct alert *a = open_alert(
		s, x, m, RULE_CHURN_DDNS, &n, listed ? st->host_labels : n.label_count, text);
	if (!a)
		return;
	explain_moves(a, s, m, f, (double)option[OPTION_CHURN_DDNS_min_addresses].count,
		(double)option[OPTION_CHURN_DDNS_min_networks].count,
		option_s(x, OPTION_CHURN_DDNS_max_ttl));
	if (f->countries)
		alert_why(a, "countries", alert_number(f->countries),
			alert_number(COUNTRIES_CHURN), alert_none());
	start_at(a, x, m, now_s);
	a->score = (int16_t)fmin(100, 30 + 5 * f->addresses + 8 * f->networks);
	if (listed)
		a->indicator_provider =
			alert_put(a, provider_at(s->known->providers, st->provider)->id);
	else if (!x->tenant->rules.rule[RULE_CHURN_DDNS].severity_set)
		a->severity = SEVERITY_LOW;
	a->indicator = alert_put(a, text);
	a->message = alert_printf(a,
		"the dynamic name %s moved to %u different addresses in %u networks within %s",
		text, f->addresses, f->networks, span_text(m, now_s, span));
	emit_hint_approve(s->emit, text);
	emit_commit(s->emit);
}

static void raise_flux(struct churn *s, const struct exchange *x, struct moves *m,
	const struct moves_features *f, uint32_t now_s)
{
	const union rule_value *option = x->tenant->rules.option;
	char text[DNS_NAME_TEXT_MAX], span[QUANTITY_TEXT_MAX];
	struct dns_name n;

	observation_qname(x->now, &n);
	struct alert *a = open_alert(s, x, m, RULE_CHURN_FAST_FLUX, &n, n.label_count, text);
	if (!a)
		return;
	explain_moves(a, s, m, f, (double)option[OPTION_CHURN_FAST_FLUX_min_addresses].count,
		(double)option[OPTION_CHURN_FAST_FLUX_min_networks].count,
		option_s(x, OPTION_CHURN_FAST_FLUX_max_ttl));
	alert_why(a, "growth", alert_number(moves_growth(m)), alert_number(GROWTH_FLUX),
		alert_none());
	start_at(a, x, m, now_s);
	a->score = (int16_t)fmin(100, 40 + 2 * f->addresses + 4 * f->networks);
	a->indicator = alert_put(a, text);
	a->message = alert_printf(a,
		"%s shows ever new addresses: %u in %u networks within %s, and hardly any "
		"comes back",
		text, f->addresses, f->networks, span_text(m, now_s, span));
	emit_hint_exclude(s->emit, text);
	emit_commit(s->emit);
}

static const struct ip *first_private(const struct observation *o)
{
	const struct dns_address *a = observation_addresses(o);
	for (unsigned i = 0; i < o->address_count; i++)
		if (ip_is_private(&a[i].ip) && !ip_is_group(&a[i].ip))
			return &a[i].ip;
	return &a[0].ip;
}

/* The registered domain when it stands for this name, with its labels; NULL when it does not. */
static struct sibling *find_siblings(struct churn *s, const struct exchange *x,
	const struct moves *m, const struct dns_name *n, uint32_t now_s, unsigned *labels)
{
	unsigned registered = registered_labels(emit_registered(s->emit), n);
	size_t len;

	if (registered == 0)
		return NULL;
	const uint8_t *domain = dns_name_suffix(n, registered, &len);
	struct sibling *d = siblings_find(s->rebinding, x->tenant_number, domain, len, now_s,
		option_s(x, OPTION_CHURN_REBINDING_window));
	if (!m->alerted)
		siblings_note(d, &x->now->client, now_s);
	if (d->names <= SIBLINGS_MAX)
		return NULL;
	*labels = registered;
	return d;
}

static void explain_rebinding(struct alert *a, const struct exchange *x, const struct moves *m,
	const char *private_ip, bool mixed, uint32_t now_s)
{
	alert_why(a, "private_address", alert_words(a, private_ip), alert_none(), alert_none());
	if (!mixed)
		alert_why(a, "seconds_since_public", alert_number(now_s - m->public_s),
			alert_number(option_s(x, OPTION_CHURN_REBINDING_window)), alert_none());
	alert_why(a, "ttl_max_s", alert_number(m->ttl_max_s),
		alert_number(option_s(x, OPTION_CHURN_REBINDING_max_ttl)), alert_none());
}

static void say_rebinding(struct alert *a, const char *text, const char *private_ip, bool mixed,
	const struct sibling *domain)
{
	const char *order = mixed ? " beside public addresses" : " after public addresses";

	a->message =
		domain ? alert_printf(a,
				 "%u names below %s point into the private network (now "
				 "%s)%s: data carried in addresses, or a web page that could "
				 "reach inside",
				 domain->names, text, private_ip, order)
		       : alert_printf(a,
				 "the public name %s now points into the private network "
				 "(%s)%s: a web page could reach inside",
				 text, private_ip, order);
}

static void raise_rebinding(
	struct churn *s, const struct exchange *x, struct moves *m, bool mixed, uint32_t now_s)
{
	char text[DNS_NAME_TEXT_MAX], ip[IP_TEXT_MAX];
	struct dns_name n;

	observation_qname(x->now, &n);
	unsigned labels = n.label_count;
	const struct sibling *domain = find_siblings(s, x, m, &n, now_s, &labels);
	struct alert *a = open_alert(s, x, m, RULE_CHURN_REBINDING, &n, labels, text);
	if (!a)
		return;
	if (domain)
		emit_client(s->emit, &domain->client, text);
	const char *private_ip = ip_format(first_private(x->now), ip);
	explain_rebinding(a, x, m, private_ip, mixed, now_s);
	if (domain)
		alert_why(a, "names", alert_number(domain->names), alert_number(SIBLINGS_MAX),
			alert_none());
	a->score = 75;
	a->indicator = alert_put(a, text);
	add_addresses(a, m);
	say_rebinding(a, text, private_ip, mixed, domain);
	emit_hint_exclude(s->emit, text);
	emit_commit(s->emit);
}

/* --- judging -------------------------------------------------------------------------------- */

static bool is_rebinding(const struct exchange *x, const struct moves *m,
	const struct moves_news *news, uint32_t now_s)
{
	if (!news->has_private || m->ttl_max_s > option_s(x, OPTION_CHURN_REBINDING_max_ttl))
		return false;
	return news->has_public ||
	       (m->has_public &&
		       now_s - m->public_s <= option_s(x, OPTION_CHURN_REBINDING_window));
}

static void judge_arrival(
	struct churn *s, const struct exchange *x, struct moves *m, uint32_t now_s)
{
	const union rule_value *option = x->tenant->rules.option;
	bool has_asn = geo_has_asn(s->known->geo);
	bool flux_may_be = pattern_may_be_flux(option, m) &&
			   x->tenant->rules.rule[RULE_CHURN_FAST_FLUX].enabled;
	bool churning_may_be = pattern_may_be_churning(option, m, has_asn);
	if (!flux_may_be && !churning_may_be)
		return;

	struct standing st = standing_of(s->known->index, x);
	if (st.exempt)
		return;
	struct moves_features flux = moves_features_of(
		m, s->known->geo, now_s, option_s(x, OPTION_CHURN_FAST_FLUX_window), true);
	struct moves_features ddns = moves_features_of(
		m, s->known->geo, now_s, option_s(x, OPTION_CHURN_DDNS_window), false);
	if (pattern_is_pool(m, &flux))
		return;
	if (flux_may_be && pattern_is_flux(option, &flux))
		raise_flux(s, x, m, &flux, now_s);
	else if (churning_may_be &&
		 pattern_is_churning(option, &ddns, st.provider != PROVIDER_NONE, has_asn))
		raise_ddns(s, x, m, &st, &ddns, now_s);
}

static void judge_name(struct churn *s, const struct exchange *x, struct moves *m,
	const struct moves_news *news, uint32_t now_s)
{
	if (is_rebinding(x, m, news, now_s)) {
		struct standing st = standing_of(s->known->index, x);
		if (!st.exempt)
			raise_rebinding(s, x, m, news->has_public, now_s);
	}
	if (news->arrived)
		judge_arrival(s, x, m, now_s);
}

static struct moves_key key_of(const struct observation *o, uint16_t tenant)
{
	return (struct moves_key){
		.name_hash = o->qname_hash,
		.tenant = tenant,
		.qtype = o->qtype,
		.name_len = o->qname_len,
		.name_labels = o->qname_labels,
	};
}

/* The name is hashed already; what else is in the key is one word. */
static uint64_t hash_of(const struct moves_key *key)
{
	return hash_word(key->name_hash, key->tenant | (uint64_t)key->qtype << 16 |
						 (uint64_t)key->name_len << 32 |
						 (uint64_t)key->name_labels << 40);
}

/*
 * Is the answer one of those that are remembered even of a new name? By its first TTL, which is nearly
 * always that of all: a guess of what will be needed.
 */
static bool may_be_stored(const struct churn *s, const struct observation *o)
{
	return o->tenant < s->limits_count &&
	       observation_addresses(o)[0].ttl <= s->limits[o->tenant].ttl_s;
}

static const struct table *churn_place(const void *state, const struct observation *o,
	const struct session *session, uint64_t *hash)
{
	const struct churn *s = state;
	struct moves_key key = key_of(o, o->tenant);

	(void)session;
	*hash = hash_of(&key);
	if (may_be_stored(s, o))
		prefetch_write(table_bucket_of(s->moves, *hash));
	return s->names;
}

/* The lines that an answer of known addresses touches, if the name has moved. */
static void prefetch_moves(const struct churn *s, const struct observation *o, uint64_t hash)
{
	size_t bytes = o->qtype == DNS_TYPE_AAAA ? sizeof(struct moves)
						 : offsetof(struct moves, network);

	for (struct table_probe p = table_probe(s->moves, hash); p.ways; p.ways &= p.ways - 1) {
		const char *m = table_probe_entry(s->moves, &p, sizeof(struct moves));
		for (size_t at = 0; at < bytes; at += CACHE_LINE)
			prefetch_write(m + at);
	}
}

static void churn_prefetch(const void *state, const struct observation *o, uint64_t hash)
{
	const struct churn *s = state;
	struct table_probe p = table_probe(s->names, hash);

	if (!p.ways)
		return;
	prefetch_write(table_probe_entry(s->names, &p, sizeof(struct glimpse)));
	if (may_be_stored(s, o))
		prefetch_moves(s, o, hash);
}

/* What is remembered of a name that has changed; begun with what was glimpsed before. */
static struct moves *moves_of(struct churn *s, struct glimpse *g)
{
	bool is_new;
	struct moves *m = table_add_sized(
		s->moves, hash_of(&g->key), &g->key, &is_new, sizeof(*m), sizeof(g->key));
	if (is_new)
		glimpse_begin(g, m, s->known->geo);
	if (g->ttl_max_s > m->ttl_max_s)
		m->ttl_max_s = g->ttl_max_s;
	g->moved = true;
	return m;
}

static OUT_OF_LINE void observe_change(struct churn *s, const struct exchange *x,
	struct glimpse *g, uint32_t now_s, uint32_t window_s)
{
	struct moves *m = moves_of(s, g);
	bool was_alerted = m->alerted;
	struct moves_news news = moves_note(m, x->now, s->known->geo, now_s, window_s);
	if (was_alerted && !m->alerted) /* its window is over: others may have the room */
		table_pin(s->moves, m, false);
	judge_name(s, x, m, &news, now_s);
	if (news.has_public) {
		m->has_public = true;
		m->public_s = now_s;
	}
}

static struct limits limits_for(const struct churn *s, const struct exchange *x)
{
	uint16_t tenant = x->tenant_number;

	return LIKELY(tenant < s->limits_count) ? s->limits[tenant] : limits_of(x->tenant);
}

static uint32_t now_of(const struct exchange *x)
{
	return (uint32_t)(x->ts_ns / NS_PER_S);
}

/* A name that is not remembered, nor will be because of this answer if its TTL is long. */
static OUT_OF_LINE void observe_new(struct churn *s, const struct exchange *x, uint64_t hash)
{
	struct moves_key key = key_of(x->now, x->tenant_number);
	struct limits limits = limits_for(s, x);

	if (glimpse_ttl(x->now) > limits.ttl_s)
		return;
	struct glimpse *g = table_take_sized(s->names, hash, sizeof(*g));
	if (glimpse_first(g, &key, x->now, now_of(x)))
		observe_change(s, x, g, now_of(x), limits.window_s);
}

/* Not what was seen before. */
static OUT_OF_LINE void observe_news(
	struct churn *s, const struct exchange *x, struct glimpse *g)
{
	uint32_t window_s = limits_for(s, x).window_s;

	if (glimpse_note(g, x->now, now_of(x), window_s))
		observe_change(s, x, g, now_of(x), window_s);
}

static void observe_known(struct churn *s, const struct exchange *x, struct glimpse *g)
{
	if (UNLIKELY(!glimpse_again(g, x->now, now_of(x), limits_for(s, x).window_s)))
		observe_news(s, x, g);
}

/* Where the short way does not lead: another name with the same tag, another tenant than expected. */
static OUT_OF_LINE void observe_unusual(struct churn *s, const struct exchange *x)
{
	struct moves_key key = key_of(x->now, x->tenant_number);
	uint64_t hash = hash_of(&key);
	struct glimpse *g = table_find(s->names, hash, &key);

	if (g)
		observe_known(s, x, g);
	else
		observe_new(s, x, hash);
}

static void churn_observe(void *state, const struct exchange *x)
{
	struct churn *s = state;
	struct moves_key key = key_of(x->now, x->tenant_number);
	struct table_probe p = table_probe(s->names, x->place);

	if (UNLIKELY(key.tenant != x->now->tenant)) {
		observe_unusual(s, x);
	} else if (p.ways) {
		struct glimpse *g = table_probe_entry(s->names, &p, sizeof(*g));
		if (UNLIKELY(!table_same_key(g, &key, sizeof(key)))) {
			observe_unusual(s, x);
			return;
		}
		table_probe_touch(&p);
		observe_known(s, x, g);
	} else if (observation_addresses(x->now)[0].ttl <= limits_for(s, x).ttl_s) {
		/* Of a name with a long TTL nothing is remembered. */
		observe_new(s, x, x->place);
	}
}

static void churn_stats(const void *state, struct judge_stats *out)
{
	const struct churn *s = state;
	judge_stats_add(out, table_stats(s->names));
	judge_stats_add(out, table_stats(s->moves));
	judge_stats_add(out, siblings_stats(s->rebinding));
}

const struct family churn_family = {
	.name = "churn",
	.memory_share = 40,
	.new = churn_new,
	.free = churn_free,
	.adopt = churn_adopt,
	.observe = churn_observe,
	.concerns = CONCERN_ADDRESSES,
	.place = churn_place,
	.prefetch = churn_prefetch,
	.stats = churn_stats,
};
