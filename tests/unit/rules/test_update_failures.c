/* SPDX-License-Identifier: BSD-2-Clause */
/* update.auth_failures and update.failures. */
#include "tests/support/dns_build.h"
#include "tests/unit/rules/updates.h"

#include <stdio.h>
#include <string.h>

#include <criterion/criterion.h>

#define BADSIG  16
#define BADKEY  17
#define BADTIME 18

static struct rig *acme(void)
{
	struct world *w = world_new();
	struct policy *p = world_tenant(w, "acme", "10.0.0.0/8");

	world_zone(p, "corp.example", "10.1.0.53", true);
	return rig_new(&update_family, w);
}

/* The number-th try of a client, half a minute after the one before. */
static struct update_spec attempt(unsigned number, const char *client, const char *key)
{
	return (struct update_spec){
		.at_ms = number * 30000,
		.client = client,
		.id = (uint16_t)(100 + number),
		.add = { { .name = "pc7.corp.example" } },
		.signature = true,
		.tsig = { "hmac-sha256", key, 32, { 1, 2, 3 }, 0, 0, 0 },
	};
}

/* The server says NOTAUTH with this TSIG error. */
static void fail_auth(struct rig *r, const struct update_spec *s, uint16_t error)
{
	struct update_signed answer = s->tsig;

	answer.mac_len = 0;
	answer.error = error;
	if (error == BADTIME)
		answer.server_time_s = (WORLD_START_NS / NS_PER_S) + s->at_ms / 1000;
	updates_send_signed(r, s, DNS_RCODE_NOTAUTH, &answer);
}

static const char *word(const struct alert *a, const char *feature)
{
	const struct alert_why *why = alerts_why(a, feature);

	cr_assert(why, "no reason %s", feature);
	return alert_get(a, why->value.text);
}

/* --- update.auth_failures ----------------------------------------------------------------- */

Test(update_failures, three_of_one_source_are_told_and_ten_are_worse)
{
	struct rig *r = acme();

	for (unsigned i = 0; i < 12; i++) {
		struct update_spec s = attempt(i, NULL, "ddns");
		fail_auth(r, &s, BADSIG);
		size_t told = rig_count(r, RULE_UPDATE_AUTH_FAILURES);
		cr_expect_eq(told > 0, i >= 2, "try %u", i);
		if (i == 8)
			cr_expect_eq(
				alerts_last(&r->alerts, RULE_UPDATE_AUTH_FAILURES)->severity,
				SEVERITY_MEDIUM);
	}
	const struct alert *first = alerts_first(&r->alerts, RULE_UPDATE_AUTH_FAILURES);
	const struct alert *last = alerts_last(&r->alerts, RULE_UPDATE_AUTH_FAILURES);
	cr_expect_eq(first->severity, SEVERITY_MEDIUM);
	cr_expect_eq(first->count, 3);
	cr_expect_str_eq(word(first, "error"), "BADSIG");
	cr_expect_str_eq(word(first, "key"), "ddns");
	cr_expect_eq(alerts_why(first, "failures")->threshold.number, 3);
	cr_expect_eq(last->severity, SEVERITY_HIGH);
	cr_expect_eq(rig_count(r, RULE_UPDATE_FAILURES), 0, "told once");
	cr_expect_str_eq(alert_get(first, first->message),
		"10.1.0.7 failed 3 times within 10m to sign updates of zone corp.example with "
		"key ddns: BADSIG");
	rig_free(r);
}

Test(update_failures, two_are_nothing_and_so_are_three_in_an_hour)
{
	struct rig *r = acme();

	for (unsigned i = 0; i < 6; i++) {
		struct update_spec s = attempt(i, NULL, "ddns");
		s.at_ms = i * 400000;
		fail_auth(r, &s, BADKEY);
	}
	cr_assert_eq(r->alerts.count, 0);
	rig_free(r);
}

Test(update_failures, a_wrong_clock_is_told_in_seconds_and_is_no_attack)
{
	struct rig *r = acme();

	for (unsigned i = 0; i < 14; i++) {
		struct update_spec s = attempt(i, NULL, "ddns");
		s.tsig.time_s = (WORLD_START_NS / NS_PER_S) + s.at_ms / 1000 - 5400;
		fail_auth(r, &s, BADTIME);
	}
	const struct alert *a = alerts_last(&r->alerts, RULE_UPDATE_AUTH_FAILURES);
	cr_assert_eq(a->severity, SEVERITY_MEDIUM);
	cr_assert_eq(alerts_why(a, "clock_skew_s")->value.number, -5400);
	cr_assert_eq(alerts_why(a, "clock_skew_s")->threshold.number, 36000, "the fudge");
	cr_assert(strstr(alert_get(a, a->message), "its clock is 1h30m behind the server's"));
	rig_free(r);
}

Test(update_failures, one_key_from_many_sources_is_one_trouble)
{
	struct rig *r = acme();
	char client[32];

	for (unsigned i = 0; i < 6; i++) {
		snprintf(client, sizeof(client), "10.1.7.%u", i + 1);
		struct update_spec s = attempt(i, client, "ddns");
		fail_auth(r, &s, BADKEY);
	}
	const struct alert *a = alerts_first(&r->alerts, RULE_UPDATE_AUTH_FAILURES);
	cr_assert_str_eq(alert_get(a, a->key), "update.auth_failures|acme|10.1.7.1|ddns");
	cr_assert_eq(alerts_why(a, "sources")->value.number, 3);
	for (size_t i = 0; i < r->alerts.count; i++)
		cr_assert_str_eq(alert_get(r->alerts.alert[i], r->alerts.alert[i]->key),
			alert_get(a, a->key));
	rig_free(r);
}

Test(update_failures, an_expired_context_of_each_client_is_nothing)
{
	struct rig *r = acme();
	char client[32];

	for (unsigned i = 0; i < 10; i++) {
		snprintf(client, sizeof(client), "10.1.7.%u", i + 1);
		struct update_spec s = attempt(i, client, "1068-ms-7");
		s.tsig.algorithm = "gss-tsig";
		fail_auth(r, &s, BADKEY);
	}
	cr_assert_eq(r->alerts.count, 0);
	rig_free(r);
}

Test(update_failures, thresholds_are_options_and_the_hint_silences)
{
	struct world *w = world_new();
	struct policy *p = world_tenant(w, "acme", "10.0.0.0/8");
	world_option(p, RULE_UPDATE_AUTH_FAILURES, "min_failures", "1");
	struct rig *r = rig_new(&update_family, w);
	struct update_spec s = attempt(0, NULL, "ddns");

	fail_auth(r, &s, BADSIG);
	const struct alert *a = alerts_first(&r->alerts, RULE_UPDATE_AUTH_FAILURES);
	cr_assert(strstr(alert_get(a, a->allow_hint),
		"{rule: update.auth_failures, clients: [10.1.0.7], names: [corp.example]}"));
	rig_free(r);

	w = world_new();
	p = world_tenant(w, "acme", "10.0.0.0/8");
	world_option(p, RULE_UPDATE_AUTH_FAILURES, "min_failures", "1");
	world_exclude(p, RULE_UPDATE_AUTH_FAILURES, "10.1.0.7", "corp.example");
	r = rig_new(&update_family, w);
	fail_auth(r, &s, BADSIG);
	cr_assert_eq(r->alerts.count, 0);
	rig_free(r);
}

/* --- update.failures ---------------------------------------------------------------------- */

Test(update_failures, what_counts_as_a_failure)
{
	static const struct {
		uint16_t rcode;
		bool counts;
	} rows[] = {
		{ DNS_RCODE_NOERROR, false },
		{ DNS_RCODE_FORMERR, true },
		{ DNS_RCODE_SERVFAIL, true },
		{ DNS_RCODE_NXDOMAIN, false },
		{ DNS_RCODE_NOTIMP, true },
		{ DNS_RCODE_REFUSED, true },
		{ DNS_RCODE_YXDOMAIN, false },
		{ DNS_RCODE_YXRRSET, false },
		{ DNS_RCODE_NXRRSET, false },
		{ DNS_RCODE_NOTAUTH, true },
		{ DNS_RCODE_NOTZONE, true },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct rig *r = acme();
		for (unsigned k = 0; k < 5; k++) {
			struct update_spec s = attempt(k, NULL, "ddns");
			updates_send(r, &s, rows[i].rcode);
			cr_expect_eq(rig_count(r, RULE_UPDATE_FAILURES),
				rows[i].counts && k == 4, "rcode %u, try %u", rows[i].rcode, k);
		}
		rig_free(r);
	}
}

Test(update_failures, most_must_fail)
{
	struct rig *r = acme();

	for (unsigned i = 0; i < 30; i++) {
		struct update_spec s = attempt(i, NULL, "ddns");
		updates_send(r, &s, i % 5 >= 3 ? DNS_RCODE_SERVFAIL : DNS_RCODE_NOERROR);
	}
	cr_assert_eq(r->alerts.count, 0, "two of five");
	rig_free(r);
}

Test(update_failures, a_zone_that_fails_for_many_is_one_alert)
{
	struct rig *r = acme();
	char client[32], key[32];

	for (unsigned i = 0; i < 40; i++) {
		snprintf(client, sizeof(client), "10.1.7.%u", i % 8 + 1);
		snprintf(key, sizeof(key), "key-%u", i % 8);
		struct update_spec s = attempt(i, client, key);
		s.at_ms = i * 4000;
		updates_send(r, &s, DNS_RCODE_SERVFAIL);
	}
	const struct alert *a = alerts_first(&r->alerts, RULE_UPDATE_FAILURES);
	cr_assert_str_eq(alert_get(a, a->message), "5 of 5 updates of zone corp.example failed "
						   "within 15m, the last one with SERVFAIL");
	cr_assert_str_eq(word(a, "rcode"), "SERVFAIL");
	for (size_t i = 0; i < r->alerts.count; i++)
		cr_assert_str_eq(alert_get(r->alerts.alert[i], r->alerts.alert[i]->key),
			alert_get(a, a->key));
	rig_free(r);
}

Test(update_failures, unsigned_tries_are_told_by_their_own_rule)
{
	struct rig *r = acme();

	for (unsigned i = 0; i < 10; i++) {
		struct update_spec s = attempt(i, NULL, NULL);
		s.signature = false;
		updates_send(r, &s, DNS_RCODE_REFUSED);
	}
	cr_assert_eq(rig_count(r, RULE_UPDATE_FAILURES), 0);
	rig_free(r);
}

/* --- TKEY --------------------------------------------------------------------------------- */

/* A client asks for a key, and the server's TKEY record has this error. */
static void ask_key(struct rig *r, unsigned number, uint16_t error, bool asked)
{
	struct dns_build b;
	struct message m = {
		.at_ms = number * 30000,
		.client = "10.1.0.7",
		.server = "10.1.0.53",
		.client_port = 50000,
		.id = (uint16_t)(700 + number),
		.qname = "7-ms-1.corp.example",
		.qtype = DNS_TYPE_TKEY,
		.tcp = true,
	};

	if (asked)
		rig_see(r, &m);
	build_start(&b, m.id, 0x8000);
	build_question(&b, m.qname, DNS_TYPE_TKEY, 255);
	build_record(&b, BUILD_ANSWER, NULL, DNS_TYPE_TKEY, 255, 0);
	build_name(&b, "gss-tsig");
	build_octets(&b, "\0\0\0\0\0\0\0\0", 8);
	build_u16(&b, 3);
	build_u16(&b, error);
	build_octets(&b, "\0\0\0\0", 4);
	build_record_end(&b);
	m.at_ms += 5;
	m.response = true;
	m.wire = b.at;
	m.wire_len = b.len;
	rig_see(r, &m);
}

Test(update_failures, keys_that_are_not_agreed_on_are_failures_to_sign)
{
	struct rig *r = acme();

	for (unsigned i = 0; i < 3; i++) {
		cr_expect_eq(rig_count(r, RULE_UPDATE_AUTH_FAILURES), 0, "try %u", i);
		ask_key(r, i, BADKEY, true);
	}
	const struct alert *a = alerts_first(&r->alerts, RULE_UPDATE_AUTH_FAILURES);
	cr_expect_str_eq(word(a, "tkey_error"), "BADKEY");
	cr_expect_eq(a->count, 3);
	cr_expect_eq(alerts_why(a, "failures")->threshold.number, 3);
	cr_expect_str_eq(alert_get(a, a->message),
		"10.1.0.7 failed 3 times within 10m to sign updates: it does not agree with "
		"10.1.0.53 on a key (TKEY): BADKEY");
	cr_expect(strstr(alert_get(a, a->allow_hint), "update.auth_failures"));

	for (unsigned i = 3; i < 10; i++)
		ask_key(r, i, BADKEY, true);
	a = alerts_last(&r->alerts, RULE_UPDATE_AUTH_FAILURES);
	cr_expect_eq(a->severity, SEVERITY_HIGH);
	cr_expect_eq(alerts_why(a, "failures")->threshold.number, 10, "the limit it is over");
	rig_free(r);
}

Test(update_failures, keys_that_are_agreed_on_or_that_nobody_asked_for_are_none)
{
	struct rig *r = acme();

	for (unsigned i = 0; i < 12; i++)
		ask_key(r, i, 0, true);
	for (unsigned i = 12; i < 24; i++)
		ask_key(r, i, BADKEY, false);
	cr_expect_eq(rig_count(r, RULE_UPDATE_AUTH_FAILURES), 0);
	rig_free(r);
}
