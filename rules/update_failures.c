/* SPDX-License-Identifier: BSD-2-Clause */
#include "rules/update_failures.h"

#include "rules/change_words.h"
#include "rules/recent.h"
#include "rules/update_alert.h"
#include "rules/update_subject.h"
#include "sensor/base/quantity.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct record {
	struct subject key;
	struct recent failed, all;      /* of auth: `failed` alone */
	struct subject_sources sources; /* that failed since the window was last empty */
	int64_t told_slot;
	uint8_t told;    /* severity + 1, in that slot; 0: nothing */
	bool clock_only; /* auth: every failure was BADTIME */
};

struct update_failures {
	struct emit *emit;
	struct table *auth, *failures;
	uint64_t seed;
};

/* What one rule counts. */
struct counting {
	struct table *table;
	int64_t window_ns;
};

struct update_failures *update_failures_new(
	struct emit *emit, size_t memory_bytes, uint64_t seed)
{
	struct update_failures *f = calloc(1, sizeof(*f));

	if (!f)
		return NULL;
	f->emit = emit;
	f->seed = seed;
	f->auth = table_new("update_auth", sizeof(struct record), sizeof(struct subject),
		memory_bytes / 2, seed);
	f->failures = table_new("update_failures", sizeof(struct record),
		sizeof(struct subject), memory_bytes / 2, seed);
	if (!f->auth || !f->failures) {
		update_failures_free(f);
		return NULL;
	}
	return f;
}

void update_failures_free(struct update_failures *f)
{
	if (!f)
		return;
	table_free(f->auth);
	table_free(f->failures);
	free(f);
}

static const union rule_value *option(const struct exchange *x, enum rule_option_id id)
{
	return &x->tenant->rules.option[id];
}

/* --- counting ----------------------------------------------------------------------------- */

/* Count for one subject; NULL when there is nothing to count for it and none before. */
static struct record *count(const struct counting *c, const struct exchange *x,
	const struct subject *key, const struct ip *source, bool failed)
{
	uint64_t hash = table_hash(c->table, key);
	bool is_new;
	struct record *r = table_add(c->table, hash, key, &is_new);

	if (recent_sum(&r->failed, c->window_ns, x->ts_ns) == 0) {
		r->sources.count = 0;
		r->clock_only = true;
		r->told = 0;
	}
	recent_add(&r->all, c->window_ns, x->ts_ns);
	if (failed) {
		recent_add(&r->failed, c->window_ns, x->ts_ns);
		subject_sources_add(&r->sources, source);
	}
	return r;
}

/* May it be told now: once in a slot of the window, and again when it has become worse. */
static bool may_tell(const struct counting *c, const struct exchange *x, struct record *r,
	enum severity severity)
{
	int64_t slot = recent_slot(c->window_ns, x->ts_ns);

	if (r->told && r->told_slot == slot && r->told > severity)
		return false;
	r->told_slot = slot;
	r->told = (uint8_t)(severity + 1);
	return true;
}

/* Of all sources together: the first of them stands for all, so that it is one alert. */
static void tell_sources(
	struct emit *e, struct alert *a, const struct record *r, const char *name)
{
	emit_client(e, &r->sources.ip[0], name);
	for (unsigned i = 0; i < r->sources.count; i++)
		a->related[a->related_count++] = r->sources.ip[i];
	alert_why(a, "sources", alert_number(r->sources.count),
		alert_number(SUBJECT_SOURCES_MANY), alert_none());
}

static bool is_prerequisite_result(uint16_t rcode)
{
	return rcode == DNS_RCODE_NXDOMAIN || rcode == DNS_RCODE_YXDOMAIN ||
	       rcode == DNS_RCODE_YXRRSET || rcode == DNS_RCODE_NXRRSET;
}

/* --- update.auth_failures ----------------------------------------------------------------- */

static bool is_auth_failure(const struct transaction *t)
{
	switch (t->tsig_error) {
	case DNS_RCODE_BADVERS: /* 16 is BADSIG in a TSIG */
	case DNS_RCODE_BADKEY:
	case DNS_RCODE_BADTIME:
	case DNS_RCODE_BADTRUNC:
		return true;
	default:
		/* SIG(0) has no error of its own. */
		return t->change->signature == UPDATE_SIG0 && t->rcode == DNS_RCODE_NOTAUTH;
	}
}

/* Of a TSIG or TKEY record, where 16 is not BADVERS. */
static const char *record_error_name(uint16_t error, char number[16])
{
	return error == DNS_RCODE_BADVERS ? "BADSIG" : dns_rcode_name(error, number);
}

static const char *auth_error_name(const struct transaction *t, char number[16])
{
	return t->tsig_error ? record_error_name(t->tsig_error, number)
			     : dns_rcode_name(t->rcode, number);
}

/* Seconds that the client's clock is ahead of the server's; false when nobody said. */
static bool clock_skew(const struct transaction *t, int64_t *skew_s)
{
	const struct update *asked = t->request ? t->request : t->response;

	if (!t->response || !t->response->has_server_time || !asked)
		return false;
	*skew_s = (int64_t)asked->signed_at_s - (int64_t)t->response->server_time_s;
	return true;
}

static void say_skew(struct alert *a, const struct transaction *t, char *to, size_t size)
{
	const struct update *u = transaction_update(t);
	char span[QUANTITY_TEXT_MAX];
	int64_t skew_s;

	to[0] = '\0';
	if (!clock_skew(t, &skew_s))
		return;
	alert_why(a, "clock_skew_s", alert_number((double)skew_s),
		u ? alert_number(u->fudge_s) : alert_none(), alert_none());
	int64_t distance_s = skew_s < 0 ? -skew_s : skew_s;
	if (distance_s > INT64_MAX / NS_PER_S)
		distance_s = INT64_MAX / NS_PER_S;
	snprintf(to, size, "; its clock is %s %s the server's",
		quantity_format_duration(distance_s * NS_PER_S, span),
		skew_s < 0 ? "behind" : "ahead of");
}

/* What every alert of the rule says: how often, and which limit that is over. */
static void fill_auth(
	struct alert *a, const struct exchange *x, uint32_t failed, enum severity severity)
{
	bool is_high = severity > SEVERITY_MEDIUM;
	uint64_t least = option(x, is_high ? OPTION_UPDATE_AUTH_FAILURES_high_failures
					   : OPTION_UPDATE_AUTH_FAILURES_min_failures)
				 ->count;

	update_alert_severity(a, x, severity);
	a->score = is_high ? 80 : 50;
	a->count = failed;
	alert_why(
		a, "failures", alert_number(failed), alert_number((double)least), alert_none());
}

static const char *auth_window(const struct exchange *x, char span[QUANTITY_TEXT_MAX])
{
	return quantity_format_duration(
		option(x, OPTION_UPDATE_AUTH_FAILURES_window)->ns, span);
}

static void raise_auth(struct update_failures *f, const struct exchange *x,
	const struct transaction *t, struct record *r, uint32_t failed, enum severity severity)
{
	const struct update *u = transaction_update(t);
	bool by_key = r->key.kind == SUBJECT_KEY;
	const char *key_name = u && u->key_name ? u->key_name : "unknown";
	const char *name = by_key ? key_name : change_zone(t->change);
	struct alert *a = update_alert_open(f->emit, RULE_UPDATE_AUTH_FAILURES, x, t, name);
	char client[IP_TEXT_MAX], number[16], skew[96], span[QUANTITY_TEXT_MAX];

	if (!a)
		return;
	fill_auth(a, x, failed, severity);
	alert_why(a, "error", alert_words(a, auth_error_name(t, number)), alert_none(),
		alert_none());
	alert_why(a, "key", alert_words(a, key_name), alert_none(), alert_none());
	say_skew(a, t, skew, sizeof(skew));
	if (by_key)
		tell_sources(f->emit, a, r, name);
	a->message = alert_printf(a,
		"%s failed %u times within %s to sign updates of zone %s with key %s: %s%s",
		by_key ? "several hosts" : ip_format(&t->client, client), failed,
		auth_window(x, span), change_zone(t->change), key_name,
		auth_error_name(t, number), skew);
	emit_commit(f->emit);
}

/* A clock that is wrong stays wrong: however often, it is no attack. */
static enum severity auth_severity(
	const struct exchange *x, const struct record *r, uint32_t failed)
{
	if (failed >= option(x, OPTION_UPDATE_AUTH_FAILURES_high_failures)->count &&
		!r->clock_only)
		return SEVERITY_HIGH;
	return SEVERITY_MEDIUM;
}

/* Is it time to tell: over the limit, and not told in this slot? */
static bool is_auth_due(const struct counting *c, const struct exchange *x, struct record *r,
	uint32_t *failed, enum severity *severity)
{
	*failed = recent_sum(&r->failed, c->window_ns, x->ts_ns);
	*severity = auth_severity(x, r, *failed);
	return *failed >= option(x, OPTION_UPDATE_AUTH_FAILURES_min_failures)->count &&
	       may_tell(c, x, r, *severity);
}

static void judge_auth(struct update_failures *f, const struct counting *c,
	const struct exchange *x, const struct transaction *t, struct record *r)
{
	enum severity severity;
	uint32_t failed;

	if (is_auth_due(c, x, r, &failed, &severity))
		raise_auth(f, x, t, r, failed, severity);
}

static struct record *count_auth(const struct counting *c, const struct exchange *x,
	const struct subject *key, const struct ip *source, uint16_t error)
{
	struct record *r = count(c, x, key, source, true);

	if (error != DNS_RCODE_BADTIME)
		r->clock_only = false;
	return r;
}

static void note_auth(
	struct update_failures *f, const struct exchange *x, const struct transaction *t)
{
	const struct counting c = { f->auth,
		option(x, OPTION_UPDATE_AUTH_FAILURES_window)->ns };
	const struct update *u = transaction_update(t);

	if (u && u->key_name && u->signature != UPDATE_GSS_TSIG) {
		struct subject key = subject_text(x, SUBJECT_KEY, u->key_name, f->seed);
		struct record *r = count_auth(&c, x, &key, &t->client, t->tsig_error);
		if (subject_sources_are_many(&r->sources)) {
			judge_auth(f, &c, x, t, r);
			return;
		}
	}
	struct subject source = subject_source(x, &t->client);
	judge_auth(f, &c, x, t, count_auth(&c, x, &source, &t->client, t->tsig_error));
}

static void raise_tkey(struct update_failures *f, const struct exchange *x, uint32_t failed,
	uint16_t error, enum severity severity)
{
	struct alert *a = emit_open(f->emit, RULE_UPDATE_AUTH_FAILURES, x, NULL);
	char client[IP_TEXT_MAX], server[IP_TEXT_MAX], number[16], span[QUANTITY_TEXT_MAX];
	const char *name = record_error_name(error, number);

	if (!a)
		return;
	fill_auth(a, x, failed, severity);
	alert_why(a, "tkey_error", alert_words(a, name), alert_none(), alert_none());
	a->message = alert_printf(a,
		"%s failed %u times within %s to sign updates: it does not agree with %s on a "
		"key (TKEY): %s",
		ip_format(&x->now->client, client), failed, auth_window(x, span),
		ip_format(&x->now->server, server), name);
	emit_commit(f->emit);
}

void update_failures_tkey(struct update_failures *f, const struct exchange *x, uint16_t error)
{
	const struct counting c = { f->auth,
		option(x, OPTION_UPDATE_AUTH_FAILURES_window)->ns };
	struct subject source = subject_source(x, &x->now->client);
	struct record *r = count_auth(&c, x, &source, &x->now->client, error);
	enum severity severity;
	uint32_t failed;

	if (is_auth_due(&c, x, r, &failed, &severity))
		raise_tkey(f, x, failed, error, severity);
}

/* --- update.failures ---------------------------------------------------------------------- */

static bool is_failure(uint16_t rcode)
{
	return rcode != DNS_RCODE_NOERROR && !is_prerequisite_result(rcode);
}

static const char *subject_words(
	const struct record *r, const struct transaction *t, char *to, size_t size)
{
	const struct update *u = transaction_update(t);
	char client[IP_TEXT_MAX];

	if (r->key.kind == SUBJECT_ZONE)
		snprintf(to, size, "of zone %s", change_zone(t->change));
	else if (r->key.kind == SUBJECT_KEY)
		snprintf(to, size, "signed with key %s",
			u && u->key_name ? u->key_name : "unknown");
	else
		snprintf(to, size, "by %s", ip_format(&t->client, client));
	return to;
}

static void raise_failures(struct update_failures *f, const struct exchange *x,
	const struct transaction *t, struct record *r, uint32_t failed, uint32_t all)
{
	const struct update *u = transaction_update(t);
	const char *name = r->key.kind == SUBJECT_KEY && u && u->key_name
				   ? u->key_name
				   : change_zone(t->change);
	struct alert *a = update_alert_open(f->emit, RULE_UPDATE_FAILURES, x, t, name);
	char words[DNS_NAME_TEXT_MAX + 32], number[16], span[QUANTITY_TEXT_MAX];

	if (!a)
		return;
	a->score = 30;
	a->count = failed;
	alert_why(a, "failures", alert_number(failed),
		alert_number((double)option(x, OPTION_UPDATE_FAILURES_min_failures)->count),
		alert_none());
	alert_why(a, "share", alert_number((double)failed / all),
		alert_number(option(x, OPTION_UPDATE_FAILURES_min_share)->number),
		alert_none());
	update_alert_why_rcode(a, t);
	if (r->key.kind != SUBJECT_SOURCE)
		tell_sources(f->emit, a, r, name);
	a->message = alert_printf(a,
		"%u of %u updates %s failed within %s, the last one with %s", failed, all,
		subject_words(r, t, words, sizeof(words)),
		quantity_format_duration(option(x, OPTION_UPDATE_FAILURES_window)->ns, span),
		dns_rcode_name(t->rcode, number));
	emit_commit(f->emit);
}

/* Returns whether the thresholds are reached, told now or not long ago. */
static bool judge_failures(struct update_failures *f, const struct counting *c,
	const struct exchange *x, const struct transaction *t, struct record *r)
{
	uint32_t failed = recent_sum(&r->failed, c->window_ns, x->ts_ns);
	uint32_t all = recent_sum(&r->all, c->window_ns, x->ts_ns);

	if (failed < option(x, OPTION_UPDATE_FAILURES_min_failures)->count ||
		failed < option(x, OPTION_UPDATE_FAILURES_min_share)->number * all)
		return false;
	if (may_tell(c, x, r, SEVERITY_LOW))
		raise_failures(f, x, t, r, failed, all);
	return true;
}

/* Zone and key speak only for many sources. */
static bool judge_many(struct update_failures *f, const struct counting *c,
	const struct exchange *x, const struct transaction *t, const struct subject *key,
	bool failed)
{
	struct record *r = count(c, x, key, &t->client, failed);

	return failed && subject_sources_are_many(&r->sources) && judge_failures(f, c, x, t, r);
}

static void note_failures(struct update_failures *f, const struct exchange *x,
	const struct transaction *t, bool failed)
{
	const struct counting c = { f->failures, option(x, OPTION_UPDATE_FAILURES_window)->ns };
	const struct update *u = transaction_update(t);
	struct subject zone = subject_text(x, SUBJECT_ZONE, change_zone(t->change), f->seed);
	struct subject source = subject_source(x, &t->client);
	bool is_told = judge_many(f, &c, x, t, &zone, failed);

	if (u && u->key_name && u->signature == UPDATE_TSIG) {
		struct subject key = subject_text(x, SUBJECT_KEY, u->key_name, f->seed);
		if (is_told)
			(void)count(&c, x, &key, &t->client, failed);
		else
			is_told = judge_many(f, &c, x, t, &key, failed);
	}
	struct record *r = count(&c, x, &source, &t->client, failed);
	if (failed && !is_told)
		(void)judge_failures(f, &c, x, t, r);
}

void update_failures_note(
	struct update_failures *f, const struct exchange *x, const struct transaction *t)
{
	bool is_unsigned_try = t->change->signature == UPDATE_UNSIGNED &&
			       (t->rcode == DNS_RCODE_REFUSED || t->rcode == DNS_RCODE_NOTAUTH);

	if (is_auth_failure(t))
		note_auth(f, x, t);
	else if (!is_unsigned_try)
		note_failures(f, x, t, is_failure(t->rcode));
}

void update_failures_stats(const struct update_failures *f, struct judge_stats *out)
{
	judge_stats_add(out, table_stats(f->auth));
	judge_stats_add(out, table_stats(f->failures));
}
