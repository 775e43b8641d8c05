/* SPDX-License-Identifier: BSD-2-Clause */
#include "rules/update_signature.h"

#include "rules/change_words.h"
#include "rules/update_alert.h"

#include <string.h>

/* A MAC must not be shorter, whatever its algorithm (RFC 8945 5.2.2.1). */
#define MAC_LEAST 10u

/* --- update.unsigned_accepted ------------------------------------------------------------- */

bool update_signature_missing(
	struct emit *e, const struct exchange *x, const struct transaction *t)
{
	const struct change *c = t->change;
	bool outside = change_is_outside(x->tenant, &t->client);
	unsigned first = c->critical_name ? c->critical_name - 1u : 0;
	const char *key = c->name_count ? change_name(c, first) : change_zone(c);
	struct alert *a = update_alert_open(e, RULE_UPDATE_UNSIGNED_ACCEPTED, x, t, key);
	char client[IP_TEXT_MAX], server[IP_TEXT_MAX], names[CHANGE_LIST_MAX];

	if (!a)
		return false;
	if (outside || c->critical)
		update_alert_severity(a, x, SEVERITY_CRITICAL);
	a->score = outside || c->critical ? 95 : 80;
	alert_why(a, "signature", alert_words(a, "none"), alert_words(a, "TSIG or SIG(0)"),
		alert_none());
	change_why(a, c);
	if (outside)
		change_why_outside(a);
	change_list(c, first, names, sizeof(names));
	a->message = alert_printf(a,
		"%s changed %s in zone %s without any signature, and the server %s accepted it",
		ip_format(&t->client, client), names, change_zone(c),
		ip_format(&t->server, server));
	change_hint_unsigned(e, c);
	emit_commit(e);
	return true;
}

/* --- update.signature_ignored ------------------------------------------------------------- */

/* RFC 4121 4.2.6.1: a MIC token of Kerberos; flag 1 says that the acceptor (server) made it. */
static bool is_own_token(const struct update *response)
{
	const uint8_t *token = response->mac;

	return response->signature == UPDATE_GSS_TSIG && response->mac_len > 2 &&
	       token[0] == 4 && token[1] == 4 && !(token[2] & 1);
}

static bool is_echoed(const struct update *request, const struct update *response)
{
	return request && request->mac_len > 0 && request->mac_len == response->mac_len &&
	       memcmp(request->mac, response->mac, request->mac_len) == 0;
}

/* Why the server cannot have looked at the signature; NULL when it may have. */
static const char *ignored_because(const struct exchange *x, const struct transaction *t)
{
	const struct update *response = t->response;

	if (response && response->signature != UPDATE_UNSIGNED) {
		if (is_echoed(t->request, response))
			return "the response carries the request's own MAC";
		if (is_own_token(response))
			return "the response's token was not made by the server";
		return NULL;
	}
	if (x->now && t->request_seen && !x->now->has_signature)
		return "the response is not signed";
	return NULL;
}

bool update_signature_ignored(
	struct emit *e, const struct exchange *x, const struct transaction *t)
{
	const struct change *c = t->change;
	char client[IP_TEXT_MAX], server[IP_TEXT_MAX], names[CHANGE_LIST_MAX];

	/* SIG(0) does not ask for a signed response (RFC 2931 3.2). */
	if (c->signature != UPDATE_TSIG && c->signature != UPDATE_GSS_TSIG)
		return false;
	const char *because = ignored_because(x, t);
	if (!because)
		return false;
	struct alert *a =
		update_alert_open(e, RULE_UPDATE_SIGNATURE_IGNORED, x, t, change_zone(c));
	if (!a)
		return false;
	a->score = 60;
	alert_why(a, "signature", alert_words(a, because),
		alert_words(a, "a response that the server signed"), alert_none());
	change_why(a, c);
	change_list(c, 0, names, sizeof(names));
	a->message = alert_printf(a,
		"%s accepted a signed change of %s in zone %s by %s, but never checked the "
		"signature: %s",
		ip_format(&t->server, server), names, change_zone(c),
		ip_format(&t->client, client), because);
	emit_commit(e);
	return true;
}

/* --- update.weak_algorithm ---------------------------------------------------------------- */

/* RFC 8945 6. MAC lengths in octets; GSS tokens have none of their own. */
static const struct strength {
	const char *algorithm;
	unsigned mac_len;
	bool is_weak;
	enum severity severity;
} strengths[] = {
	{ "hmac-md5.sig-alg.reg.int", 16, true, SEVERITY_MEDIUM },
	{ "hmac-sha1", 20, true, SEVERITY_LOW },
	{ "hmac-sha224", 28, true, SEVERITY_LOW },
	{ "hmac-sha256", 32, false, SEVERITY_LOW },
	{ "hmac-sha384", 48, false, SEVERITY_LOW },
	{ "hmac-sha512", 64, false, SEVERITY_LOW },
};

static const struct strength *find_strength(const struct update *u)
{
	for (size_t i = 0; u && u->signature == UPDATE_TSIG && i < ARRAY_LEN(strengths); i++) {
		if (strcmp(u->algorithm, strengths[i].algorithm) == 0)
			return &strengths[i];
	}
	return NULL;
}

/* Did the server take the signature? What it then said of the change is another matter. */
static bool is_verified(const struct transaction *t)
{
	return t->answered && t->tsig_error == 0 && t->rcode != DNS_RCODE_NOTAUTH &&
	       t->rcode != DNS_RCODE_FORMERR && t->rcode != DNS_RCODE_NOTIMP;
}

bool update_signature_weak(
	struct emit *e, const struct exchange *x, const struct transaction *t)
{
	const struct update *u = transaction_update(t);
	const struct strength *s = find_strength(u);
	char client[IP_TEXT_MAX];

	if (!s || !is_verified(t))
		return false;
	unsigned least = s->mac_len / 2 > MAC_LEAST ? s->mac_len / 2 : MAC_LEAST;
	bool is_cut = u->mac_len > 0 && u->mac_len < least;
	if (!s->is_weak && !is_cut)
		return false;
	struct alert *a = update_alert_open(e, RULE_UPDATE_WEAK_ALGORITHM, x, t, u->key_name);
	if (!a)
		return false;
	update_alert_severity(a, x, s->severity);
	a->score = s->severity == SEVERITY_MEDIUM ? 45 : 25;
	alert_why(a, "algorithm", alert_words(a, u->algorithm),
		alert_words(a, "hmac-sha256 or stronger"), alert_none());
	alert_why(a, "mac_octets", alert_number(u->mac_len), alert_number(least), alert_none());
	a->message = alert_printf(a,
		"%s signs updates of zone %s with key %s and %s%s, which does not protect "
		"enough (RFC 8945)",
		ip_format(&t->client, client), u->zone, u->key_name, u->algorithm,
		is_cut ? ", its MAC cut short" : "");
	emit_commit(e);
	return true;
}
