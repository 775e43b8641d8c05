/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * nxdomain.c -- clients whose look-ups fail far more than they used to (T1568.002).
 *
 * Malware that computes its meeting points asks for many names that do not exist. What tells it from a
 * broken search list or a mail server's block lists is the number of *different registered domains*,
 * against what this client did before:
 *
 *	evidence   NXDOMAIN to an A, AAAA, HTTPS or TXT query for a name of two labels or more that no
 *	           list explains (dnsbl, antivirus cloud, the tenant's own zones and search suffixes)
 *	floor      min_domains distinct registered domains within the window, min_ratio of all answers
 *	baseline   mean and variance of NXDOMAINs per minute (EWMA, learned from quiet minutes only);
 *	           once learned, the rate must also lie min_z deviations above it, or the CUSUM of slow
 *	           excess must have run out of its bounds; hard_domains alert whatever it was
 *
 * Two tables: every client costs a small entry with counts and baseline; only a client with more than
 * FEW_DOMAINS different failing domains gets a large one that holds the set of domains. Windows slide in
 * WINDOW_SLICES steps and are rolled when the client is next seen: no timers.
 *
 * When most of a tenant's clients fail at once it is an outage or a flood: one nxdomain.tenant.
 */
#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rules/crowd.h"
#include "rules/evidence.h"
#include "rules/generated.h"
#include "rules/judge.h"
#include "rules/nxdomain_client.h"
#include "rules/suspect.h"
#include "rules/table_probe.h"
#include "rules/tenant_rows.h"
#include "sensor/base/clock.h"
#include "sensor/base/hash.h"
#include "sensor/base/prefetch.h"
#include "sensor/base/quantity.h"
#include "sensor/dns/message.h"

#define CUSUM_BOUND 5.0
/* A flood of one domain's subdomains has few domains: so many failures count as being over. */
#define FLOOD_FACTOR 5

struct nxdomain {
	struct emit *emit;
	const struct knowledge *known;
	struct table *clients, *suspects;
	struct crowd *crowd;
	size_t crowd_count;
	uint64_t seed;
};

/* What the window holds of one client. */
struct tally {
	uint32_t nx, answers, domains, generated;
	double minutes, rate, z, ratio;
	bool learnt;
};

static void *nxdomain_new(const struct family_env *env)
{
	struct nxdomain *s = calloc(1, sizeof(*s));
	if (!s)
		return NULL;
	s->emit = env->emit;
	s->seed = env->seed;
	s->clients = table_new("nxdomain_clients", sizeof(struct nxdomain_client),
		sizeof(struct suspect_key), env->memory_bytes / 2, env->seed);
	s->suspects = table_new("nxdomain_suspects", sizeof(struct suspect),
		sizeof(struct suspect_key), env->memory_bytes / 2, env->seed);
	if (s->clients && s->suspects)
		return s;
	table_free(s->clients);
	table_free(s->suspects);
	free(s);
	return NULL;
}

static void nxdomain_free(void *state)
{
	struct nxdomain *s = state;
	table_free(s->clients);
	table_free(s->suspects);
	free(s->crowd);
	free(s);
}

static void nxdomain_adopt(void *state, const struct knowledge *known)
{
	struct nxdomain *s = state;
	s->known = known;
	for (size_t i = 0; i < s->crowd_count; i++)
		s->crowd[i].span_ns = 0; /* windows may have another length now */
	/* Without memory tenants without a crowd are judged client by client. */
	s->crowd = tenant_rows_grow(
		s->crowd, &s->crowd_count, known->policies->tenant_count, sizeof(*s->crowd));
}

/* --- counting ------------------------------------------------------------------------------- */

static int64_t window_ns(const struct policy *p)
{
	return p->rules.option[OPTION_NXDOMAIN_SPIKE_window].ns;
}

static struct suspect_key key_of(const struct exchange *x)
{
	return (struct suspect_key){ .ip = x->now->client, .tenant = x->tenant_number };
}

static struct suspect *suspect_of(
	struct nxdomain *s, const struct nxdomain_client *c, bool make)
{
	uint64_t hash = table_hash(s->suspects, &c->key);
	bool is_new;
	return make ? table_add(s->suspects, hash, &c->key, &is_new)
		    : table_find(s->suspects, hash, &c->key);
}

/* The window passed without failures: others may have the room. */
static void release_suspect(struct nxdomain *s, const struct nxdomain_client *c)
{
	struct suspect *suspect = suspect_of(s, c, false);
	if (suspect) {
		suspect->generator = false;
		table_pin(s->suspects, suspect, false);
	}
}

/* --- the present ---------------------------------------------------------------------------- */

/* The tenant's crowd, with the present that x is in; NULL when there is none. */
static struct crowd *crowd_now(struct nxdomain *s, const struct exchange *x)
{
	if (UNLIKELY(x->tenant_number >= s->crowd_count))
		return NULL;
	struct crowd *crowd = &s->crowd[x->tenant_number];
	if (UNLIKELY(!crowd_is_now(crowd, x->ts_ns)))
		crowd_start_present(crowd, x->ts_ns, window_ns(x->tenant));
	return crowd;
}

/*
 * The first answer to a client seen for the first time, or forgotten since. What is written is not looked
 * at: with many clients its memory is in no cache, and who reads it waits.
 */
static struct nxdomain_client *new_client(
	struct nxdomain *s, const struct exchange *x, uint64_t hash, struct crowd *crowd)
{
	struct nxdomain_client *c = table_take_sized(s->clients, hash, sizeof(*c));
	int64_t slice_ns = window_ns(x->tenant) / WINDOW_SLICES;
	int32_t slice = crowd ? crowd->slice : (int32_t)(x->ts_ns / slice_ns);

	/* Both lines by themselves: to clear more, GCC takes an instruction that is slow to begin. */
	memset(c, 0, CACHE_LINE);
	memset((uint8_t *)c + CACHE_LINE, 0, CACHE_LINE);
	c->emitted_slice = INT64_MIN;
	c->key = key_of(x);
	c->minute = (int32_t)(x->ts_ns / NS_PER_MINUTE);
	c->slice = slice;
	c->answers[slot_of(slice)] = 1;
	crowd_join(crowd, c, false); /* all that it reads of c is known here */
	return c;
}

static struct nxdomain_client *find_client(
	struct nxdomain *s, const struct exchange *x, uint64_t *hash)
{
	struct suspect_key key = key_of(x);

	*hash = LIKELY(key.tenant == x->now->tenant) ? x->place
						     : session_client(x->session, key.tenant);
	return table_find_sized(
		s->clients, *hash, &key, sizeof(struct nxdomain_client), sizeof(key));
}

/* Bring a client that was last seen in another present up to this one. */
static void roll(struct nxdomain *s, const struct exchange *x, struct nxdomain_client *c,
	struct crowd *crowd)
{
	int64_t slice_ns = window_ns(x->tenant) / WINDOW_SLICES;

	nxdomain_client_roll_minute(c, x->ts_ns);
	if (!is_within(x->ts_ns, c->slice, slice_ns)) {
		bool was_suspect = c->is_suspect;
		nxdomain_client_roll_window(c, (int32_t)(x->ts_ns / slice_ns));
		if (was_suspect && !c->is_suspect)
			release_suspect(s, c);
	}
	crowd_join(crowd, c, false);
}

static bool is_in_present(const struct nxdomain_client *c, const struct crowd *crowd)
{
	return c->slice == crowd->slice && c->minute == crowd->minute &&
	       c->active_epoch == crowd->epoch;
}

/*
 * The short way, which calls nothing, for nearly every answer: the client is where its hash leads
 * first and was last seen in the present. NULL, and nothing is counted, where that is not so.
 */
static struct nxdomain_client *count_ordinary(struct nxdomain *s, const struct exchange *x)
{
	struct suspect_key key = key_of(x);
	struct table_probe p = table_probe(s->clients, x->place);

	if (UNLIKELY(!p.ways || key.tenant >= s->crowd_count || key.tenant != x->now->tenant))
		return NULL;
	struct nxdomain_client *c = table_probe_entry(s->clients, &p, sizeof(*c));
	const struct crowd *crowd = &s->crowd[key.tenant];
	if (UNLIKELY(!table_same_key(c, &key, sizeof(key)) || !crowd_is_now(crowd, x->ts_ns) ||
		     !is_in_present(c, crowd)))
		return NULL;
	table_probe_touch(&p);
	bump(&c->answers[crowd->slot]);
	return c;
}

/* Note one failing domain; true when it is new in the window (only then is there news to
 * judge). */
static bool note_domain(struct nxdomain *s, const struct exchange *x, struct nxdomain_client *c,
	const struct dns_name *n, unsigned registered)
{
	size_t len;
	const uint8_t *suffix = dns_name_suffix(n, registered, &len);
	uint32_t hash = (uint32_t)hash_bytes(s->seed, suffix, len) | 1;
	uint32_t now_s = (uint32_t)(x->ts_ns / NS_PER_S);
	uint32_t window_s = (uint32_t)(window_ns(x->tenant) / NS_PER_S);

	if (!c->is_suspect) {
		for (unsigned i = 0; i < c->few_count; i++)
			if (c->few[i] == hash)
				return false;
	}
	bool generated = generated_label(suffix + 1, suffix[0]);
	if (!c->is_suspect) {
		if (c->few_count < FEW_DOMAINS) {
			c->few_generated[c->few_count] = generated;
			c->few[c->few_count++] = hash;
			return true;
		}
	}
	struct suspect *t = suspect_of(s, c, true);
	if (!c->is_suspect) {
		t->sample_count = 0;
		for (unsigned i = 0; i < c->few_count; i++)
			suspect_add(t, c->few[i], c->few_generated[i], now_s, window_s);
	}
	c->is_suspect = true;
	c->is_generator = t->generator;
	bool is_new = suspect_add(t, hash, generated, now_s, window_s);
	if (is_new)
		suspect_sample(t, n);
	return is_new;
}

static struct tally tally_client(
	struct nxdomain *s, const struct exchange *x, const struct nxdomain_client *c)
{
	struct tally t = { .minutes = (double)window_ns(x->tenant) / (double)NS_PER_MINUTE };
	for (unsigned i = 0; i < WINDOW_SLICES; i++) {
		t.nx += c->nx[i];
		t.answers += c->answers[i];
	}
	t.domains = c->few_count;
	const struct suspect *suspect = c->is_suspect ? suspect_of(s, c, false) : NULL;
	if (suspect)
		suspect_count(suspect, (uint32_t)(x->ts_ns / NS_PER_S),
			(uint32_t)(window_ns(x->tenant) / NS_PER_S), &t.domains, &t.generated);
	t.learnt = c->minutes_learnt >= BASELINE_LEARNT;
	t.rate = t.nx / t.minutes;
	t.z = (t.rate - c->mean) / nxdomain_client_sigma(c);
	t.ratio = t.answers ? (double)t.nx / t.answers : 0;
	return t;
}

/* --- judging -------------------------------------------------------------------------------- */

/* Far over its baseline: fast (z), slowly (CUSUM), or so much that no baseline excuses it. */
static bool is_excess(
	const struct exchange *x, const struct nxdomain_client *c, const struct tally *t)
{
	const union rule_value *option = x->tenant->rules.option;
	double sigma = nxdomain_client_sigma(c);

	if (t->ratio < option[OPTION_NXDOMAIN_SPIKE_min_ratio].number)
		return false;
	if (t->domains >= option[OPTION_NXDOMAIN_SPIKE_hard_domains].count)
		return true;
	if (ip_set_contains(&x->tenant->resolvers, &x->now->client))
		return false; /* a resolver speaks for a whole site */
	return !t->learnt || t->z >= option[OPTION_NXDOMAIN_SPIKE_min_z].number ||
	       c->cusum > CUSUM_BOUND * sigma;
}

static bool looks_generated(const struct exchange *x, const struct tally *t)
{
	const union rule_value *option = x->tenant->rules.option;
	return x->tenant->rules.rule[RULE_NXDOMAIN_DGA].enabled &&
	       t->generated >= option[OPTION_NXDOMAIN_DGA_min_domains].count &&
	       t->generated >= option[OPTION_NXDOMAIN_DGA_min_generated].number * t->domains;
}

static void explain(struct alert *a, const struct exchange *x, const struct nxdomain_client *c,
	const struct tally *t, double min_domains)
{
	const union rule_value *option = x->tenant->rules.option;
	alert_why(a, "nxdomain_domains", alert_number(t->domains), alert_number(min_domains),
		t->learnt ? alert_number(c->mean * t->minutes) : alert_none());
	alert_why(a, "nxdomain_share", alert_number(t->ratio),
		alert_number(option[OPTION_NXDOMAIN_SPIKE_min_ratio].number), alert_none());
	if (t->learnt)
		alert_why(a, "z_score", alert_number(t->z),
			alert_number(option[OPTION_NXDOMAIN_SPIKE_min_z].number),
			alert_number(c->mean));
	else
		alert_why(a, "baseline",
			alert_words(a, "not learned yet: the static floor decided"),
			alert_none(), alert_none());
	a->count = t->nx;
	a->start_ns = x->ts_ns - window_ns(x->tenant);
	a->score = (int16_t)fmin(100, 40 + t->domains / 2.0 + (t->learnt ? fmin(t->z, 20) : 0));
}

static void add_samples(struct alert *a, const struct suspect *t)
{
	for (unsigned i = 0; t && i < t->sample_count && a->host_count < ALERT_HOSTS_MAX; i++)
		a->host[a->host_count++] = alert_put(a, t->sample[i]);
}

static const char *window_text(const struct exchange *x, char text[QUANTITY_TEXT_MAX])
{
	return quantity_format_duration(window_ns(x->tenant), text);
}

static void raise_client(struct nxdomain *s, const struct exchange *x,
	struct nxdomain_client *c, const struct tally *t, bool dga)
{
	char ip[IP_TEXT_MAX], window[QUANTITY_TEXT_MAX];
	enum rule_id rule = dga ? RULE_NXDOMAIN_DGA : RULE_NXDOMAIN_SPIKE;
	enum rule_option_id floor =
		dga ? OPTION_NXDOMAIN_DGA_min_domains : OPTION_NXDOMAIN_SPIKE_min_domains;
	struct suspect *suspect = suspect_of(s, c, false);
	struct alert *a = emit_open(s->emit, rule, x, NULL);
	if (!a)
		return;
	explain(a, x, c, t, (double)x->tenant->rules.option[floor].count);
	if (dga)
		alert_why(a, "generated_share", alert_number((double)t->generated / t->domains),
			alert_number(x->tenant->rules.option[OPTION_NXDOMAIN_DGA_min_generated]
					     .number),
			alert_none());
	add_samples(a, suspect);
	a->message = alert_printf(a,
		"%s asked for %u different domains that do not exist within %s%s%s%s",
		ip_format(&x->now->client, ip), t->domains, window_text(x, window),
		dga ? ", and the names look computer-generated" : "",
		suspect && suspect->sample_count ? ", such as " : "",
		suspect && suspect->sample_count ? suspect->sample[0] : "");
	emit_hint_exclude(s->emit, NULL);
	emit_commit(s->emit);
	if (dga && suspect) {
		suspect->generator = c->is_generator = true;
		table_pin(s->suspects, suspect, true);
	}
}

static bool is_crowd(
	struct nxdomain *s, const struct exchange *x, uint32_t *warm, uint32_t *active)
{
	const union rule_value *option = x->tenant->rules.option;
	const struct crowd *crowd = crowd_now(s, x);
	if (!crowd || !x->tenant->rules.rule[RULE_NXDOMAIN_TENANT].enabled)
		return false;
	/* A window that has just begun has few of either: the last one counts with it. */
	*warm = crowd->warm[0] > crowd->warm[1] ? crowd->warm[0] : crowd->warm[1];
	*active = crowd->active[0] > crowd->active[1] ? crowd->active[0] : crowd->active[1];
	return *warm >= option[OPTION_NXDOMAIN_TENANT_min_clients].count &&
	       *warm >= option[OPTION_NXDOMAIN_TENANT_min_share].number * *active;
}

static void raise_tenant(struct nxdomain *s, const struct exchange *x,
	const struct nxdomain_client *c, const struct tally *t, uint32_t warm, uint32_t active)
{
	static const struct ip nobody;
	const union rule_value *option = x->tenant->rules.option;
	char window[QUANTITY_TEXT_MAX];
	struct alert *a = emit_open(s->emit, RULE_NXDOMAIN_TENANT, x, NULL);
	if (!a)
		return;
	emit_client(s->emit, &nobody, NULL); /* one alert for all of the tenant's clients */
	a->has_source = false;
	alert_why(a, "failing_clients", alert_number(warm),
		alert_number((double)option[OPTION_NXDOMAIN_TENANT_min_clients].count),
		alert_none());
	alert_why(a, "failing_share", alert_number((double)warm / active),
		alert_number(option[OPTION_NXDOMAIN_TENANT_min_share].number), alert_none());
	add_samples(a, suspect_of(s, c, false));
	a->count = warm;
	a->start_ns = x->ts_ns - window_ns(x->tenant);
	a->message = alert_printf(a,
		"%u of %u active clients of %s get \"no such name\" far too often within %s: "
		"an outage or a flood (%u failures at the last client)",
		warm, active, x->tenant->id, window_text(x, window), t->nx);
	emit_hint_exclude(s->emit, NULL);
	emit_commit(s->emit);
}

static void judge_client(
	struct nxdomain *s, const struct exchange *x, struct nxdomain_client *c)
{
	const union rule_value *option = x->tenant->rules.option;
	uint64_t floor = option[OPTION_NXDOMAIN_SPIKE_min_domains].count;
	struct tally t = tally_client(s, x, c);
	bool flood = t.nx >= floor * FLOOD_FACTOR;
	bool dga = looks_generated(x, &t);
	uint32_t warm, active;

	if (t.ratio >= option[OPTION_NXDOMAIN_SPIKE_min_ratio].number)
		crowd_join(crowd_now(s, x), c, t.domains * 2 >= floor || flood);
	if (c->is_suspect && t.domains * 2 >= floor) {
		struct suspect *suspect = suspect_of(s, c, false);
		if (suspect) /* an alert in progress: a flood must not push it out */
			table_pin(s->suspects, suspect, true);
	}
	if (!(t.domains >= floor || dga || flood) || c->emitted_slice == c->slice)
		return;
	if (!is_excess(x, c, &t))
		return;

	if (is_crowd(s, x, &warm, &active))
		raise_tenant(s, x, c, &t, warm, active);
	else if (t.domains >= floor || dga)
		raise_client(s, x, c, &t, dga);
	else
		return;
	c->emitted_slice = c->slice;
	c->alarm_until_ns = x->ts_ns + window_ns(x->tenant);
}

/*
 * After a burst of generated names, a generated name that does answer is where the malware
 * meets its server.
 */
static OUT_OF_LINE void judge_meeting_point(
	struct nxdomain *s, const struct exchange *x, const struct nxdomain_client *c)
{
	struct dns_name n;
	char text[DNS_NAME_TEXT_MAX], ip[IP_TEXT_MAX], address[IP_TEXT_MAX];
	struct suspect *suspect = suspect_of(s, c, false);
	if (!suspect || !suspect->generator || x->now->address_count == 0)
		return;
	observation_qname(x->now, &n);
	unsigned registered = registered_labels(emit_registered(s->emit), &n);
	if (registered == 0 || evidence_is_explained(s->known->index, x))
		return;
	size_t len;
	const uint8_t *suffix = dns_name_suffix(&n, registered, &len);
	if (!generated_label(suffix + 1, suffix[0]))
		return;
	dns_name_format_suffix(&n, registered, text);
	struct alert *a = emit_open(s->emit, RULE_NXDOMAIN_DGA, x, text);
	if (!a)
		return;
	alert_why(a, "meeting_point", alert_words(a, text), alert_none(), alert_none());
	a->score = 90;
	a->message = alert_printf(a,
		"%s found an answer after asking for many computer-generated names: %s is at "
		"%s",
		ip_format(&x->now->client, ip), text,
		ip_format(&observation_addresses(x->now)[0].ip, address));
	emit_hint_exclude(s->emit, text);
	emit_commit(s->emit);
}

/* A look-up that failed: is it evidence, and is there news to judge? */
static OUT_OF_LINE void observe_failure(
	struct nxdomain *s, const struct exchange *x, struct nxdomain_client *c)
{
	struct dns_name n;

	if (!evidence_counts(s->known->index, x, &n))
		return;
	unsigned registered = registered_labels(emit_registered(s->emit), &n);
	if (registered == 0)
		return;
	bump(&c->nx[slot_of(c->slice)]);
	c->nx_minute++;
	bool news = note_domain(s, x, c, &n, registered);
	if (news || c->nx_minute % 32 == 0)
		judge_client(s, x, c);
}

static void observe_counted(
	struct nxdomain *s, const struct exchange *x, struct nxdomain_client *c)
{
	if (x->now->rcode == DNS_RCODE_NXDOMAIN)
		observe_failure(s, x, c);
	else if (UNLIKELY(c->is_generator) && x->now->rcode == DNS_RCODE_NOERROR)
		judge_meeting_point(s, x, c);
}

/* The long way: of a client that is new, or was last seen in another present. */
static OUT_OF_LINE void observe_unusual(struct nxdomain *s, const struct exchange *x)
{
	struct crowd *crowd = crowd_now(s, x);
	uint64_t hash;
	struct nxdomain_client *c = find_client(s, x, &hash);

	if (!c) {
		c = new_client(s, x, hash, crowd);
		if (x->now->rcode == DNS_RCODE_NXDOMAIN)
			observe_failure(s, x, c);
		return;
	}
	if (!crowd || !is_in_present(c, crowd))
		roll(s, x, c, crowd);
	bump(&c->answers[crowd ? crowd->slot : slot_of(c->slice)]);
	observe_counted(s, x, c);
}

static void nxdomain_observe(void *state, const struct exchange *x)
{
	struct nxdomain *s = state;
	/* Unasked answers are no evidence, unless the queries are not visible at all. */
	if (!x->matched && !x->queries_hidden)
		return;

	struct nxdomain_client *c = count_ordinary(s, x);
	if (LIKELY(c != NULL))
		observe_counted(s, x, c);
	else
		observe_unusual(s, x);
}

static const struct table *nxdomain_place(const void *state, const struct observation *o,
	const struct session *session, uint64_t *hash)
{
	const struct nxdomain *s = state;

	*hash = session_client(session, o->tenant);
	return s->clients;
}

/* The client, and its tenant's present: with thousands of tenants neither is in the cache. */
static void nxdomain_prefetch(const void *state, const struct observation *o, uint64_t place)
{
	const struct nxdomain *s = state;

	table_prefetch_place(s->clients, place);
	if (LIKELY(o->tenant < s->crowd_count))
		prefetch_read(&s->crowd[o->tenant]);
}

static void nxdomain_stats(const void *state, struct judge_stats *out)
{
	const struct nxdomain *s = state;
	judge_stats_add(out, table_stats(s->clients));
	judge_stats_add(out, table_stats(s->suspects));
}

const struct family nxdomain_family = {
	.name = "nxdomain",
	.memory_share = 25,
	.new = nxdomain_new,
	.free = nxdomain_free,
	.adopt = nxdomain_adopt,
	.observe = nxdomain_observe,
	.concerns = CONCERN_ANSWER,
	.place = nxdomain_place,
	.prefetch = nxdomain_prefetch,
	.stats = nxdomain_stats,
};
