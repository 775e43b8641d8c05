/* SPDX-License-Identifier: BSD-2-Clause */
#include "rules/update_volume.h"

#include "rules/update_deletions.h"
#include "rules/change_words.h"
#include "rules/recent.h"
#include "rules/update_alert.h"
#include "rules/update_subject.h"
#include "sensor/base/hash.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NS_PER_MINUTE (60 * NS_PER_S)
#define NS_PER_HOUR   (60 * NS_PER_MINUTE)
#define ALPHA         0.02
#define CROWD_FACTOR  10     /* a DHCP server, a zone, a subnet: so much more is ordinary */
#define PEAK_FACTOR   2      /* over the highest minute of the last days */
#define PEAK_KEPT     0.9999 /* of the highest minute, a minute later: half after five days */

struct rate {
	struct subject key;
	int64_t first_ns, minute;
	uint32_t count; /* in this minute */
	float mean, variance, peak;
	struct subject_sources sources; /* in this minute */
	int64_t told_minute;
	bool is_told;
	bool is_dhcp; /* of an updater: it registers others by DHCID */
};

/* A name that changes. */
struct rewritten {
	struct subject key;
	uint64_t value; /* hash of the data it was given last */
	int64_t told_slot;
	bool is_told;
	struct recent changes;
};

struct update_volume {
	struct emit *emit;
	struct table *rates, *names;
	struct update_deletions *deletions;
	uint64_t seed;
};

struct update_volume *update_volume_new(struct emit *emit, size_t memory_bytes, uint64_t seed)
{
	struct update_volume *v = calloc(1, sizeof(*v));

	if (!v)
		return NULL;
	v->emit = emit;
	v->seed = seed;
	v->rates = table_new("update_rates", sizeof(struct rate), sizeof(struct subject),
		memory_bytes / 3, seed);
	v->names = table_new("update_names", sizeof(struct rewritten), sizeof(struct subject),
		memory_bytes / 3, seed);
	v->deletions = update_deletions_new(emit, memory_bytes / 3, seed);
	if (!v->rates || !v->names || !v->deletions) {
		update_volume_free(v);
		return NULL;
	}
	return v;
}

void update_volume_free(struct update_volume *v)
{
	if (!v)
		return;
	table_free(v->rates);
	table_free(v->names);
	update_deletions_free(v->deletions);
	free(v);
}

static const union rule_value *option(const struct exchange *x, enum rule_option_id id)
{
	return &x->tenant->rules.option[id];
}

/* --- baselines ---------------------------------------------------------------------------- */

static double sigma_of(const struct rate *r)
{
	return sqrt(fmax(fmax(r->variance, r->mean), 1.0));
}

/* One minute is over. What is far out does not become the rule at once. */
static void learn_minute(struct rate *r, double count)
{
	double clipped = fmin(count, r->mean + 3 * sigma_of(r) + 1);
	double delta = clipped - r->mean;

	r->mean += (float)(ALPHA * delta);
	r->variance = (float)((1 - ALPHA) * (r->variance + ALPHA * delta * delta));
	r->peak = (float)fmax(r->peak * PEAK_KEPT, count);
}

/* So many minutes without an update. */
static void learn_silence(struct rate *r, int64_t minutes)
{
	double keep = pow(1 - ALPHA, (double)minutes);

	r->mean *= (float)keep;
	r->variance *= (float)keep;
	r->peak *= (float)pow(PEAK_KEPT, (double)minutes);
}

static void roll(struct rate *r, int64_t minute)
{
	if (minute <= r->minute)
		return;
	learn_minute(r, r->count);
	if (minute - r->minute > 1)
		learn_silence(r, minute - r->minute - 1);
	r->minute = minute;
	r->count = 0;
	r->sources.count = 0;
}

static bool is_learnt(const struct rate *r, const struct exchange *x)
{
	return x->ts_ns - r->first_ns >= option(x, OPTION_UPDATE_SPIKE_learn)->ns;
}

static bool speaks_for_many(const struct rate *r)
{
	return r->key.kind != SUBJECT_SOURCE || r->is_dhcp;
}

static double threshold_of(const struct rate *r, const struct exchange *x)
{
	double least = (double)option(x, OPTION_UPDATE_SPIKE_min_updates)->count;
	double floor = (double)option(x, OPTION_UPDATE_SPIKE_floor)->count;
	double z = option(x, OPTION_UPDATE_SPIKE_min_z)->number;

	if (!is_learnt(r, x))
		return speaks_for_many(r) ? floor * CROWD_FACTOR : floor;
	return fmax(least, fmax(r->mean + z * sigma_of(r), r->peak * PEAK_FACTOR));
}

/* --- update.spike ------------------------------------------------------------------------- */

static const char *subject_words(
	const struct rate *r, const struct transaction *t, char *to, size_t size)
{
	char client[IP_TEXT_MAX], net[IP_NET_TEXT_MAX];

	if (r->key.kind == SUBJECT_ZONE)
		snprintf(to, size, "zone %s", change_zone(t->change));
	else if (r->key.kind == SUBJECT_SUBNET)
		snprintf(to, size, "hosts of %s", subject_subnet_text(&r->key, net));
	else
		snprintf(to, size, "%s", ip_format(&t->client, client));
	return to;
}

static void raise_spike(struct update_volume *v, const struct exchange *x,
	const struct transaction *t, const struct rate *r, double threshold)
{
	char words[DNS_NAME_TEXT_MAX + 16], net[IP_NET_TEXT_MAX];
	const char *name = r->key.kind == SUBJECT_SUBNET ? subject_subnet_text(&r->key, net)
							 : change_zone(t->change);
	struct alert *a = update_alert_open(v->emit, RULE_UPDATE_SPIKE, x, t, name);

	if (!a)
		return;
	if (r->key.kind != SUBJECT_SOURCE)
		emit_client(v->emit, &r->sources.ip[0], name);
	a->score = 55;
	a->count = r->count;
	alert_why(a, "updates_per_minute", alert_number(r->count),
		alert_number(ceil(threshold)),
		is_learnt(r, x) ? alert_number(r->mean) : alert_none());
	alert_why(a, "counted_for", alert_words(a, subject_words(r, t, words, sizeof(words))),
		alert_none(), alert_none());
	alert_why(a, "baseline",
		alert_words(
			a, is_learnt(r, x) ? "learned" : "not learned yet: the floor decides"),
		alert_none(), alert_none());
	a->message = alert_printf(a, "%s: %u updates within a minute, %s", words, r->count,
		is_learnt(r, x) ? "far more than usual"
				: "more than anybody is expected to send");
	emit_commit(v->emit);
}

/* Returns whether this subject is over its threshold. */
static bool count_rate(struct update_volume *v, const struct exchange *x,
	const struct transaction *t, const struct subject *key, bool is_quiet)
{
	bool is_new;
	struct rate *r = table_add(v->rates, table_hash(v->rates, key), key, &is_new);
	int64_t minute = x->ts_ns / NS_PER_MINUTE;

	if (is_new) {
		r->first_ns = x->ts_ns;
		r->minute = minute;
	}
	roll(r, minute);
	r->count++;
	subject_sources_add(&r->sources, &t->client);
	/* Below what is never told there is nothing to compare. */
	if (r->count < option(x, OPTION_UPDATE_SPIKE_min_updates)->count)
		return false;
	double threshold = threshold_of(r, x);
	if (r->count < threshold)
		return false;
	if (is_quiet || (r->is_told && r->told_minute == minute) ||
		(key->kind != SUBJECT_SOURCE && !subject_sources_are_many(&r->sources)))
		return true;
	r->is_told = true;
	r->told_minute = minute;
	raise_spike(v, x, t, r, threshold);
	return true;
}

/* Does the UPDATE register somebody by DHCID, or by the TXT of ISC dhcpd? */
static bool is_by_dhcp(const struct update *u)
{
	for (size_t i = 0; i < u->prerequisite_count; i++) {
		const struct update_prerequisite *p = &u->prerequisite[i];
		if (p->type == DNS_TYPE_DHCID ||
			(p->type == DNS_TYPE_TXT && p->condition == UPDATE_RRSET_EQUALS))
			return true;
	}
	for (size_t i = 0; i < u->change_count; i++) {
		if (u->change[i].type == DNS_TYPE_DHCID)
			return true;
	}
	return false;
}

static void note_dhcp(struct update_volume *v, const struct exchange *x,
	const struct transaction *t, const struct update *u)
{
	struct subject key = subject_source(x, &t->client);
	struct rate *r = table_find(v->rates, table_hash(v->rates, &key), &key);

	if (r && !r->is_dhcp && is_by_dhcp(u))
		r->is_dhcp = true;
}

/* Nothing but service records of a domain controller. */
static bool is_controllers(struct update_content *controllers, const struct exchange *x,
	const struct transaction *t, const struct update *u)
{
	for (size_t i = 0; i < u->change_count; i++) {
		if (!update_content_is_controllers(controllers, x, t, &u->change[i]))
			return false;
	}
	return true;
}

void update_volume_asked(struct update_volume *v, struct update_content *controllers,
	const struct exchange *x, const struct transaction *t)
{
	const struct update *u = transaction_update(t);

	if (t->change->change_count == 0 || (u && is_controllers(controllers, x, t, u)))
		return;
	struct subject source = subject_source(x, &t->client);
	struct subject subnet = subject_subnet(x, &t->client);
	struct subject zone = subject_text(x, SUBJECT_ZONE, change_zone(t->change), v->seed);

	if (u)
		note_dhcp(v, x, t, u);
	bool is_told = count_rate(v, x, t, &source, false);
	is_told |= count_rate(v, x, t, &zone, is_told);
	(void)count_rate(v, x, t, &subnet, is_told);
}

/* --- one name that changes ---------------------------------------------------------------- */

static void raise_rewritten(struct update_volume *v, const struct exchange *x,
	const struct transaction *t, const struct update_change *change, uint32_t changes)
{
	struct alert *a = update_alert_open(v->emit, RULE_UPDATE_SPIKE, x, t, change->name);
	char client[IP_TEXT_MAX];

	if (!a)
		return;
	a->score = 50;
	a->count = changes;
	emit_question(v->emit, change->name, change->type);
	alert_why(a, "changes_per_hour", alert_number(changes),
		alert_number((double)option(x, OPTION_UPDATE_SPIKE_max_changes)->count),
		alert_none());
	a->message = alert_printf(a,
		"%s in zone %s was given another value %u times within an hour, the last time "
		"by %s",
		change->name, change_zone(t->change), changes, ip_format(&t->client, client));
	emit_commit(v->emit);
}

static void count_change(struct update_volume *v, const struct exchange *x,
	const struct transaction *t, const struct update_change *change)
{
	struct subject key = subject_text(x, SUBJECT_NAME, change->name, v->seed);
	uint64_t value = hash_bytes(v->seed, change->rdata, strlen(change->rdata));
	int64_t slot = recent_slot(NS_PER_HOUR, x->ts_ns);
	bool is_new;

	key.hash ^= change->type;
	struct rewritten *w = table_add(v->names, table_hash(v->names, &key), &key, &is_new);
	if (!is_new && w->value == value)
		return;
	w->value = value;
	if (is_new)
		return;
	recent_add(&w->changes, NS_PER_HOUR, x->ts_ns);
	uint32_t changes = recent_sum(&w->changes, NS_PER_HOUR, x->ts_ns);
	if (changes <= option(x, OPTION_UPDATE_SPIKE_max_changes)->count ||
		(w->is_told && w->told_slot == slot))
		return;
	w->is_told = true;
	w->told_slot = slot;
	raise_rewritten(v, x, t, change, changes);
}

/* Of several values of one name in one UPDATE the first one tells; a challenge is to change. */
static bool is_counted(const struct update *u, size_t number)
{
	const struct update_change *change = &u->change[number];

	if (change->verb != UPDATE_ADD ||
		(change->type != DNS_TYPE_A && change->type != DNS_TYPE_AAAA &&
			change->type != DNS_TYPE_CNAME))
		return false;
	for (size_t i = 0; i < number; i++) {
		if (u->change[i].verb == UPDATE_ADD && u->change[i].type == change->type &&
			strcmp(u->change[i].name, change->name) == 0)
			return false;
	}
	return true;
}

/* --- both --------------------------------------------------------------------------------- */

void update_volume_accepted(struct update_volume *v, struct update_content *controllers,
	const struct exchange *x, const struct transaction *t)
{
	const struct update *u = transaction_update(t);
	struct subject key = subject_source(x, &t->client);

	if (!u)
		return;
	for (size_t i = 0; i < transaction_bound(u->change_count); i++) {
		if (is_counted(u, i))
			count_change(v, x, t, &u->change[i]);
	}
	const struct rate *r = table_find(v->rates, table_hash(v->rates, &key), &key);
	update_deletions_note(v->deletions, controllers, x, t, r && r->is_dhcp);
}

void update_volume_stats(const struct update_volume *v, struct judge_stats *out)
{
	judge_stats_add(out, table_stats(v->rates));
	judge_stats_add(out, table_stats(v->names));
	update_deletions_stats(v->deletions, out);
}
