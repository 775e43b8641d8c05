/* SPDX-License-Identifier: BSD-2-Clause */
#include "rules/explain.h"

#include "rules/cause.h"
#include "tests/unit/rules/update_sample.h"

#include <criterion/criterion.h>

#include <string.h>

static const char *explain(struct update_sample *s, struct text *out)
{
	update_sample_finish(s);
	text_clear(out);
	explain_put(out, &s->t, "acme");
	cr_assert_not(out->failed);
	return out->at;
}

Test(explain, an_accepted_update_is_told_in_full)
{
	struct update_sample s;
	struct text out = { 0 };

	update_sample_start(&s);
	update_sample_require(&s, UPDATE_NAME_IS_UNUSED, "pc1.corp.example");
	update_sample_add(&s, "pc1.corp.example", "10.1.4.9");
	s.change[s.request.change_count++] = (struct update_change){ .verb = UPDATE_DELETE_NAME,
		.type = DNS_TYPE_ANY,
		.name = "old.corp.example",
		.rdata = "" };
	update_sample_sign(&s);
	update_sample_answer(&s, DNS_RCODE_NOERROR, 0);
	cr_expect_str_eq(explain(&s, &out),
		"2026-11-22T12:00:00.000000000Z  acme: UPDATE of corp.example\n"
		"  from      10.1.0.9 port 40000, id 4711, to 10.1.0.53 by UDP\n"
		"  provided  pc1.corp.example is not in use\n"
		"  change    add pc1.corp.example A 10.1.4.9 (TTL 300)\n"
		"            delete old.corp.example, all types\n"
		"  signed    TSIG, key ddns-key, hmac-sha256\n"
		"  answer    NOERROR after 1.234 ms: accepted\n");
	text_deinit(&out);
}

Test(explain, a_failed_update_has_its_cause)
{
	struct update_sample s;
	struct text out = { 0 };

	update_sample_start(&s);
	update_sample_add(&s, "pc1.corp.example", "10.1.4.9");
	update_sample_sign(&s);
	s.request.signed_at_s = UPDATE_SAMPLE_NOON_S - 3600;
	s.response.has_server_time = true;
	s.response.server_time_s = UPDATE_SAMPLE_NOON_S + 5;
	update_sample_answer(&s, DNS_RCODE_NOTAUTH, DNS_RCODE_BADTIME);
	s.t.transport = TRANSPORT_TCP;
	cr_expect_str_eq(explain(&s, &out),
		"2026-11-22T12:00:00.000000000Z  acme: UPDATE of corp.example\n"
		"  from      10.1.0.9 port 40000, id 4711, to 10.1.0.53 by TCP\n"
		"  change    add pc1.corp.example A 10.1.4.9 (TTL 300)\n"
		"  signed    TSIG, key ddns-key, hmac-sha256\n"
		"  answer    NOTAUTH, TSIG error BADTIME after 1.234 ms\n"
		"  cause     clock skew: the client's clock is 3605 s behind the server's; the "
		"signature allows 300 s\n");
	text_deinit(&out);
}

/* What each row's exchange is; every one starts with an unsigned add of pc1.corp.example. */
static void is_unanswered(struct update_sample *s)
{
	s->t.response = NULL;
}

static void is_refused_unsigned(struct update_sample *s)
{
	update_sample_answer(s, DNS_RCODE_REFUSED, 0);
}

static void is_refused_where_unsigned_will_do(struct update_sample *s)
{
	s->zone.require_signed = false;
	s->t.zone = &s->zone;
	update_sample_answer(s, DNS_RCODE_REFUSED, 0);
}

static void is_refused_signed(struct update_sample *s)
{
	update_sample_sign(s);
	update_sample_answer(s, DNS_RCODE_REFUSED, 0);
}

static void is_refused_by_who_verified_it(struct update_sample *s)
{
	is_refused_signed(s);
	s->response.signature = UPDATE_TSIG;
}

static void is_refused_out_of_time(struct update_sample *s)
{
	is_refused_signed(s);
	s->request.signed_at_s = UPDATE_SAMPLE_NOON_S - 301;
}

static void has_unknown_key(struct update_sample *s)
{
	update_sample_sign(s);
	update_sample_answer(s, DNS_RCODE_NOTAUTH, DNS_RCODE_BADKEY);
}

static void has_wrong_secret(struct update_sample *s)
{
	update_sample_sign(s);
	update_sample_answer(s, DNS_RCODE_NOTAUTH, DNS_TSIG_BADSIG);
}

static void has_badtime_without_a_time(struct update_sample *s)
{
	update_sample_sign(s);
	s->request.signed_at_s = UPDATE_SAMPLE_NOON_S + 900;
	update_sample_answer(s, DNS_RCODE_NOTAUTH, DNS_RCODE_BADTIME);
}

static void has_badtime_and_no_request(struct update_sample *s)
{
	update_sample_answer(s, DNS_RCODE_NOTAUTH, DNS_RCODE_BADTIME);
	s->t.request = NULL;
	s->t.request_lost = true;
	change_init(&s->summary, "corp.example", true);
}

static void has_old_time_and_plain_notauth(struct update_sample *s)
{
	update_sample_sign(s);
	s->request.signed_at_s = UPDATE_SAMPLE_NOON_S - 301;
	update_sample_answer(s, DNS_RCODE_NOTAUTH, 0);
}

static void has_old_time_and_signed_notauth(struct update_sample *s)
{
	has_old_time_and_plain_notauth(s);
	s->response.signature = UPDATE_TSIG;
}

static void has_time_in_time_and_plain_notauth(struct update_sample *s)
{
	update_sample_sign(s);
	s->request.signed_at_s = UPDATE_SAMPLE_NOON_S - 300;
	update_sample_answer(s, DNS_RCODE_NOTAUTH, 0);
}

static void has_short_mac(struct update_sample *s)
{
	update_sample_sign(s);
	s->request.mac_len = 10;
	update_sample_answer(s, DNS_RCODE_NOTAUTH, DNS_RCODE_BADTRUNC);
}

static void has_strange_tsig_error(struct update_sample *s)
{
	update_sample_sign(s);
	update_sample_answer(s, DNS_RCODE_NOTAUTH, 4000);
}

static void fails_the_only_prerequisite(struct update_sample *s)
{
	update_sample_require(s, UPDATE_NAME_IS_UNUSED, "pc1.corp.example");
	update_sample_require(s, UPDATE_NAME_IN_USE, "dc.corp.example");
	update_sample_answer(s, DNS_RCODE_YXDOMAIN, 0);
}

static void fails_one_of_two_prerequisites(struct update_sample *s)
{
	update_sample_require(s, UPDATE_RRSET_EXISTS, "a.corp.example");
	update_sample_require(s, UPDATE_RRSET_ABSENT, "b.corp.example");
	update_sample_require(s, UPDATE_RRSET_EQUALS, "c.corp.example");
	update_sample_answer(s, DNS_RCODE_NXRRSET, 0);
}

static void fails_one_of_many_prerequisites(struct update_sample *s)
{
	for (int i = 0; i < 6; i++)
		update_sample_require(s, UPDATE_RRSET_ABSENT, "b.corp.example");
	update_sample_answer(s, DNS_RCODE_YXRRSET, 0);
}

static void fails_a_name_in_use(struct update_sample *s)
{
	update_sample_require(s, UPDATE_NAME_IN_USE, "dc.corp.example");
	update_sample_answer(s, DNS_RCODE_NXDOMAIN, 0);
}

static void fails_no_prerequisite_that_was_asked_for(struct update_sample *s)
{
	update_sample_answer(s, DNS_RCODE_NXDOMAIN, 0);
}

static void goes_to_the_wrong_server(struct update_sample *s)
{
	update_sample_answer(s, DNS_RCODE_NOTAUTH, 0);
}

/* The zone is the server's own. */
static void is_not_authorized_unsigned(struct update_sample *s)
{
	cr_assert(ip_set_add(&s->zone.servers, "10.1.0.53"));
	s->zone.require_signed = true;
	s->t.zone = &s->zone;
	update_sample_answer(s, DNS_RCODE_NOTAUTH, 0);
}

static void is_not_authorized_by_its_key(struct update_sample *s)
{
	update_sample_sign(s);
	is_not_authorized_unsigned(s);
}

static void is_not_authorized_by_another_server(struct update_sample *s)
{
	cr_assert(ip_set_add(&s->zone.servers, "10.1.0.54"));
	s->t.zone = &s->zone;
	update_sample_answer(s, DNS_RCODE_NOTAUTH, 0);
}

static void names_another_zone(struct update_sample *s)
{
	update_sample_add(s, "pc1\\.corp.example", "10.1.4.9");
	update_sample_answer(s, DNS_RCODE_NOTZONE, 0);
}

static void is_malformed(struct update_sample *s)
{
	s->request.fault = UPDATE_FAULT_ZONE_TYPE;
	update_sample_answer(s, DNS_RCODE_FORMERR, 0);
}

static void is_not_understood(struct update_sample *s)
{
	update_sample_answer(s, DNS_RCODE_FORMERR, 0);
}

static void breaks_the_server(struct update_sample *s)
{
	update_sample_answer(s, DNS_RCODE_SERVFAIL, 0);
}

static void goes_to_a_resolver(struct update_sample *s)
{
	update_sample_answer(s, DNS_RCODE_NOTIMP, 0);
}

static void has_a_strange_rcode(struct update_sample *s)
{
	update_sample_answer(s, 3000, 0);
}

#define ROW(fn, word, cause)                                                                   \
	{                                                                                      \
#fn, fn, word, cause                                                           \
	}

#define ELSEWHERE                                                                              \
	"wrong server or zone: the server is not authoritative for corp.example, or does not " \
	"let this client change it"

static const struct row {
	const char *name;
	void (*make)(struct update_sample *s);
	const char *word, *cause;
} rows[] = {
	ROW(is_unanswered, "unanswered", "no response was seen"),
	ROW(is_refused_unsigned, "missing_signature",
		"missing signature: the server takes updates of corp.example signed only, or "
		"not from this client"),
	ROW(is_refused_where_unsigned_will_do, "policy",
		"policy: the server does not let this client change these records"),
	ROW(is_refused_signed, "policy",
		"policy: the server does not let key ddns-key change these records, or "
		"could not verify its signature"),
	ROW(is_refused_by_who_verified_it, "policy",
		"policy: the server does not let key ddns-key change these records"),
	ROW(is_refused_out_of_time, "clock_skew",
		"clock skew: the client's clock is 301 s behind the time of capture; the "
		"signature allows 300 s"),
	ROW(has_unknown_key, "unknown_key",
		"unknown key: the server has no key ddns-key, or does not take it with "
		"this algorithm or for this"),
	ROW(has_wrong_secret, "wrong_secret",
		"wrong secret: the server's secret of key ddns-key is another one, or the "
		"message was changed on its way"),
	ROW(has_badtime_without_a_time, "clock_skew",
		"clock skew: the client's clock is 900 s ahead of the time of capture; the "
		"signature allows 300 s"),
	ROW(has_badtime_and_no_request, "clock_skew",
		"clock skew: the server's clock and the client's differ too much"),
	ROW(has_old_time_and_plain_notauth, "clock_skew",
		"clock skew: the client's clock is 301 s behind the time of capture; the "
		"signature allows 300 s"),
	ROW(has_old_time_and_signed_notauth, "not_authoritative", ELSEWHERE),
	ROW(has_time_in_time_and_plain_notauth, "not_authoritative", ELSEWHERE),
	ROW(has_short_mac, "truncated_mac",
		"the signature is shorter than the server takes (BADTRUNC): 10 octets"),
	ROW(has_strange_tsig_error, "signature", "another error of the signature"),
	ROW(fails_the_only_prerequisite, "prerequisite",
		"the prerequisite did not hold: pc1.corp.example is not in use"),
	ROW(fails_one_of_two_prerequisites, "prerequisite",
		"one of these prerequisites did not hold: a.corp.example has A records; "
		"c.corp.example has A 192.0.2.9"),
	ROW(fails_one_of_many_prerequisites, "prerequisite",
		"one of these prerequisites did not hold: b.corp.example has no A records; "
		"b.corp.example has no A records; b.corp.example has no A records; "
		"b.corp.example has no A records; or one of 2 more"),
	ROW(fails_a_name_in_use, "prerequisite",
		"the prerequisite did not hold: dc.corp.example is in use"),
	ROW(fails_no_prerequisite_that_was_asked_for, "prerequisite",
		"a prerequisite did not hold, which one cannot be told"),
	ROW(goes_to_the_wrong_server, "not_authoritative", ELSEWHERE),
	ROW(is_not_authorized_unsigned, "missing_signature",
		"missing signature: the server takes updates of corp.example signed only, or "
		"not from this client"),
	ROW(is_not_authorized_by_its_key, "policy",
		"policy: the server does not let key ddns-key change these records, or "
		"could not verify its signature"),
	ROW(is_not_authorized_by_another_server, "not_authoritative", ELSEWHERE),
	ROW(names_another_zone, "outside_zone",
		"wrong zone: pc1\\.corp.example lies outside corp.example"),
	ROW(is_malformed, "format",
		"the request breaks RFC 2136: the zone record's type is not SOA"),
	ROW(is_not_understood, "format", "the server could not read the request (FORMERR)"),
	ROW(breaks_the_server, "server_failure", "the server failed (SERVFAIL)"),
	ROW(goes_to_a_resolver, "not_implemented", "the server takes no updates (NOTIMP)"),
	ROW(has_a_strange_rcode, "other", "another RCODE"),
};

Test(explain, the_likely_cause_of_each_failure)
{
	struct text out = { 0 };
	struct update_sample s;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		update_sample_start(&s);
		update_sample_add(&s, "pc1.corp.example", "10.1.4.9");
		rows[i].make(&s);
		explain(&s, &out);
		const char *line = strstr(out.at, "  cause     ");
		cr_assert_not_null(line, "%s: %s", rows[i].name, out.at);
		line += strlen("  cause     ");
		cr_expect_eq(strcspn(line, "\n"), strlen(rows[i].cause), "%s: %s", rows[i].name,
			line);
		cr_expect_eq(strncmp(line, rows[i].cause, strlen(rows[i].cause)), 0, "%s: %s",
			rows[i].name, line);
		cr_expect_str_eq(cause_word(cause_of(&s.t)), rows[i].word, "%s", rows[i].name);
		ip_set_deinit(&s.zone.servers);
	}
	text_deinit(&out);
}

Test(explain, every_cause_is_in_the_table_above)
{
	for (int cause = CAUSE_NONE + 1; cause < CAUSE_COUNT; cause++) {
		bool found = false;
		for (size_t i = 0; i < ARRAY_LEN(rows); i++)
			found |= strcmp(rows[i].word, cause_word(cause)) == 0;
		cr_expect(found, "%s", cause_word(cause));
	}
}

Test(explain, what_is_not_known_is_said_to_be_so)
{
	struct text out = { 0 };
	struct update_sample s;

	update_sample_start(&s);
	s.t.request = NULL;
	s.t.readable = false;
	s.t.request_seen = false;
	change_init(&s.summary, "corp.example", false);
	update_sample_answer(&s, DNS_RCODE_NOERROR, 0);
	s.t.response = NULL;
	explain(&s, &out);
	cr_expect(strstr(out.at, "  change    not known: the request was not captured\n"), "%s",
		out.at);
	cr_expect(strstr(out.at, "  signed    not known\n"), "%s", out.at);

	s.t.request_seen = true;
	explain(&s, &out);
	cr_expect(strstr(out.at, "  change    not known: the request cannot be read\n"), "%s",
		out.at);

	update_sample_start(&s);
	update_sample_add(&s, "pc1.corp.example", "10.1.4.9");
	update_sample_add(&s, "pc2.corp.example", "10.1.4.10");
	explain(&s, &out);
	s.t.request = NULL;
	s.t.request_lost = true;
	explain(&s, &out);
	cr_expect(strstr(out.at, "  change    2 records (add): pc1.corp.example, "
				 "pc2.corp.example\n"),
		"%s", out.at);
	cr_expect(strstr(out.at, "  signed    no\n"), "%s", out.at);
	cr_expect(strstr(out.at, "  answer    none\n"), "%s", out.at);
	text_deinit(&out);
}

Test(explain, long_lists_and_values_are_cut_and_counted)
{
	struct text out = { 0 };
	struct update_sample s;
	char value[2 * 4096];

	update_sample_start(&s);
	memset(value, 'x', sizeof(value) - 1);
	value[sizeof(value) - 1] = '\0';
	for (int i = 0; i < EXPLAIN_LISTED_MAX + 3; i++) {
		update_sample_add(&s, "pc1.corp.example", value);
		update_sample_require(&s, UPDATE_NAME_IN_USE, "pc1.corp.example");
	}
	explain(&s, &out);
	cr_expect(strstr(out.at, "xxx... (TTL 300)\n            and 3 more\n"), "%s", out.at);
	cr_expect(strstr(out.at, "is in use\n            and 3 more\n"), "%s", out.at);
	cr_expect_lt(out.len, ALERT_POOL_BYTES / 2);
	text_deinit(&out);
}

Test(explain, prerequisites_alone_and_a_forwarder_are_told)
{
	struct text out = { 0 };
	struct update_sample s;

	update_sample_start(&s);
	update_sample_require(&s, UPDATE_RRSET_ABSENT, "pc1.corp.example");
	update_sample_answer(&s, DNS_RCODE_NOERROR, 0);
	s.t.forwarded = true;
	cr_assert(ip_parse(&s.t.primary, "10.1.0.54"));
	explain(&s, &out);
	cr_expect(strstr(out.at, "  change    none: it only tests the prerequisites\n"), "%s",
		out.at);
	cr_expect(strstr(out.at, " which passed it on to 10.1.0.54\n"), "%s", out.at);
	s.t.passed_unsigned = true;
	explain(&s, &out);
	cr_expect(strstr(out.at, " which passed it on to 10.1.0.54\n"), "never had one");
	update_sample_sign(&s);
	explain(&s, &out);
	cr_expect(strstr(out.at, " which passed it on to 10.1.0.54, without the signature\n"),
		"%s", out.at);
	text_deinit(&out);
}
