/* SPDX-License-Identifier: BSD-2-Clause */
#include "rules/cause.h"

#include "sensor/base/clock.h"
#include "sensor/dns/update_words.h"

#include <inttypes.h>

/* Names and prerequisites listed at most. */
#define LISTED_MAX 4

static const struct {
	const char *word, *meaning;
} causes[CAUSE_COUNT] = {
	[CAUSE_NONE] = { "", "it did not fail" },
#define CAUSE(id, word, meaning) [CAUSE_##id] = { word, meaning },
#include "rules/causes.def"
#undef CAUSE
};

const char *cause_word(enum cause cause)
{
	return causes[cause].word;
}

const char *cause_meaning(enum cause cause)
{
	return causes[cause].meaning;
}

/* --- which ------------------------------------------------------------------------------- */

bool cause_skew(const struct transaction *t, int64_t *skew_s)
{
	const struct update *request = t->request;

	if (!request ||
		(request->signature != UPDATE_TSIG && request->signature != UPDATE_GSS_TSIG))
		return false;
	int64_t server_s = t->asked_ns / NS_PER_S;
	if (t->response && t->response->has_server_time)
		server_s = (int64_t)t->response->server_time_s;
	*skew_s = (int64_t)request->signed_at_s - server_s;
	return true;
}

/* The signature's time and the capture's differ by more than the fudge. */
static bool is_late(const struct transaction *t)
{
	int64_t skew_s;

	if (!cause_skew(t, &skew_s))
		return false;
	return skew_s > t->request->fudge_s || skew_s < -(int64_t)t->request->fudge_s;
}

static enum cause cause_of_signature(const struct transaction *t)
{
	switch (t->tsig_error) {
	case DNS_TSIG_BADSIG:
		return CAUSE_WRONG_SECRET;
	case DNS_RCODE_BADKEY:
		return CAUSE_UNKNOWN_KEY;
	case DNS_RCODE_BADTIME:
		return CAUSE_CLOCK_SKEW;
	case DNS_RCODE_BADTRUNC:
		return CAUSE_TRUNCATED_MAC;
	default:
		return CAUSE_SIGNATURE;
	}
}

/* A server that signs its answer has verified the request (RFC 8945 5.3). */
static bool is_verified(const struct transaction *t)
{
	return t->response && t->response->signature != UPDATE_UNSIGNED;
}

/* PowerDNS refuses what it cannot verify, too, without a word about the signature. */
static enum cause cause_of_refusal(const struct transaction *t)
{
	bool unsigned_will_do = t->zone && !t->zone->require_signed;

	if (!is_verified(t) && is_late(t))
		return CAUSE_CLOCK_SKEW;
	if (t->readable && t->change->signature == UPDATE_UNSIGNED && !unsigned_will_do)
		return CAUSE_MISSING_SIGNATURE;
	return CAUSE_POLICY;
}

/* The tenant says that the zone is this server's. */
static bool is_at_home(const struct transaction *t)
{
	return t->zone && ip_set_contains(&t->zone->servers, &t->server);
}

/*
 * NOTAUTH without a word about the signature: when the request's is out of time, that. A server
 * that has the zone means "not authorized": RCODE 9 is both (RFC 2136, RFC 8945), and Knot DNS says
 * it where BIND says REFUSED.
 */
static enum cause cause_of_notauth(const struct transaction *t)
{
	if (!is_verified(t) && is_late(t))
		return CAUSE_CLOCK_SKEW;
	return is_at_home(t) ? cause_of_refusal(t) : CAUSE_NOT_AUTHORITATIVE;
}

enum cause cause_of(const struct transaction *t)
{
	if (!t->answered)
		return CAUSE_UNANSWERED;
	if (t->rcode == DNS_RCODE_NOERROR)
		return CAUSE_NONE;
	if (t->tsig_error)
		return cause_of_signature(t);
	switch (t->rcode) {
	case DNS_RCODE_FORMERR:
		return CAUSE_FORMAT;
	case DNS_RCODE_SERVFAIL:
		return CAUSE_SERVER_FAILURE;
	case DNS_RCODE_NXDOMAIN:
	case DNS_RCODE_YXDOMAIN:
	case DNS_RCODE_YXRRSET:
	case DNS_RCODE_NXRRSET:
		return CAUSE_PREREQUISITE;
	case DNS_RCODE_NOTIMP:
		return CAUSE_NOT_IMPLEMENTED;
	case DNS_RCODE_REFUSED:
		return cause_of_refusal(t);
	case DNS_RCODE_NOTAUTH:
		return cause_of_notauth(t);
	case DNS_RCODE_NOTZONE:
		return CAUSE_OUTSIDE_ZONE;
	default:
		return CAUSE_OTHER;
	}
}

/* --- in words ---------------------------------------------------------------------------- */

static void put_key(struct text *out, const struct transaction *t)
{
	const struct update *u = transaction_update(t);

	text_puts(out, u && u->key_name ? u->key_name : "of the request");
}

static void put_skew(struct text *out, const struct transaction *t)
{
	int64_t skew_s;
	bool from_server = t->response && t->response->has_server_time;

	if (!cause_skew(t, &skew_s)) {
		text_puts(
			out, "clock skew: the server's clock and the client's differ too much");
		return;
	}
	text_printf(out, "clock skew: the client's clock is %" PRIu64 " s %s %s",
		skew_s < 0 ? (uint64_t)-skew_s : (uint64_t)skew_s,
		skew_s < 0 ? "behind" : "ahead of",
		from_server ? "the server's" : "the time of capture");
	text_printf(out, "; the signature allows %u s", t->request->fudge_s);
}

/* Can this prerequisite be what the RCODE says? RFC 2136 3.2. */
static bool fails_with(const struct update_prerequisite *p, uint16_t rcode)
{
	switch (p->condition) {
	case UPDATE_RRSET_EXISTS:
	case UPDATE_RRSET_EQUALS:
		return rcode == DNS_RCODE_NXRRSET;
	case UPDATE_RRSET_ABSENT:
		return rcode == DNS_RCODE_YXRRSET;
	case UPDATE_NAME_IN_USE:
		return rcode == DNS_RCODE_NXDOMAIN;
	case UPDATE_NAME_IS_UNUSED:
		return rcode == DNS_RCODE_YXDOMAIN;
	}
	return false;
}

static void put_prerequisites(struct text *out, const struct transaction *t)
{
	const struct update *u = transaction_update(t);
	struct text list = { 0 };
	size_t found = 0;

	for (size_t i = 0; u && i < u->prerequisite_count; i++) {
		if (!fails_with(&u->prerequisite[i], t->rcode) || ++found > LISTED_MAX)
			continue;
		if (found > 1)
			text_puts(&list, "; ");
		update_put_prerequisite(&list, &u->prerequisite[i]);
	}
	if (found == 0)
		text_puts(out, "a prerequisite did not hold, which one cannot be told");
	else
		text_printf(out, "%s did not hold: %s",
			found == 1 ? "the prerequisite" : "one of these prerequisites",
			list.at ? list.at : "");
	if (found > LISTED_MAX)
		text_printf(out, "; or one of %zu more", found - LISTED_MAX);
	text_deinit(&list);
}

static bool is_below(const char *name, const char *zone)
{
	struct dns_name n, z;

	return dns_name_parse(&n, name) && dns_name_parse(&z, zone) &&
	       dns_name_is_under(&n, &z);
}

static const char *first_outside(const struct update *u)
{
	for (size_t i = 0; i < u->prerequisite_count; i++) {
		if (!is_below(u->prerequisite[i].name, u->zone))
			return u->prerequisite[i].name;
	}
	for (size_t i = 0; i < u->change_count; i++) {
		if (!is_below(u->change[i].name, u->zone))
			return u->change[i].name;
	}
	return NULL;
}

static void put_outside(struct text *out, const struct transaction *t)
{
	const struct update *u = transaction_update(t);
	const char *name = u ? first_outside(u) : NULL;

	text_printf(out, "wrong zone: %s lies outside %s", name ? name : "a name",
		change_zone(t->change));
}

static void put_fault(struct text *out, const struct transaction *t)
{
	if (t->request && t->request->fault)
		text_printf(out, "the request breaks RFC 2136: %s",
			update_fault_meaning(t->request->fault));
	else
		text_puts(out, cause_meaning(CAUSE_FORMAT));
}

static void put_policy(struct text *out, const struct transaction *t)
{
	if (t->change->signature == UPDATE_UNSIGNED) {
		text_puts(out,
			"policy: the server does not let this client change these records");
		return;
	}
	text_puts(out, "policy: the server does not let key ");
	put_key(out, t);
	text_puts(out, " change these records");
	if (!is_verified(t))
		text_puts(out, ", or could not verify its signature");
}

void cause_put(struct text *out, const struct transaction *t, enum cause cause)
{
	switch (cause) {
	case CAUSE_MISSING_SIGNATURE:
		text_printf(out,
			"missing signature: the server takes updates of %s signed only, or not "
			"from this client",
			change_zone(t->change));
		break;
	case CAUSE_UNKNOWN_KEY:
		text_puts(out, "unknown key: the server has no key ");
		put_key(out, t);
		text_puts(out, ", or does not take it with this algorithm or for this");
		break;
	case CAUSE_WRONG_SECRET:
		text_puts(out, "wrong secret: the server's secret of key ");
		put_key(out, t);
		text_puts(out, " is another one, or the message was changed on its way");
		break;
	case CAUSE_CLOCK_SKEW:
		put_skew(out, t);
		break;
	case CAUSE_TRUNCATED_MAC:
		text_puts(out, cause_meaning(cause));
		if (t->request)
			text_printf(out, ": %u octets", t->request->mac_len);
		break;
	case CAUSE_PREREQUISITE:
		put_prerequisites(out, t);
		break;
	case CAUSE_POLICY:
		put_policy(out, t);
		break;
	case CAUSE_NOT_AUTHORITATIVE:
		text_printf(out,
			"wrong server or zone: the server is not authoritative for %s, or does not "
			"let this client change it",
			change_zone(t->change));
		break;
	case CAUSE_OUTSIDE_ZONE:
		put_outside(out, t);
		break;
	case CAUSE_FORMAT:
		put_fault(out, t);
		break;
	default:
		text_puts(out, cause_meaning(cause));
	}
}
