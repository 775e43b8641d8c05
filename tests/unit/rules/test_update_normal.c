/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is normal stays quiet: the sequences that Windows, ISC dhcpd and Kea make of a host that
 * comes, stays and goes (RFC 4703, "Windows 2000 DNS" white paper), message by message, and that
 * servers make among themselves. Each row ends without any alert, however long one waits.
 */
#include "tests/unit/rules/updates.h"

#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

#define STEPS_MAX 6

/* One request and what it is answered with. */
struct step {
	struct update_spec request;
	uint16_t rcode;
	bool echoes; /* the response repeats all sections, its MAC too */
};

struct sequence {
	const char *name;
	struct step step[STEPS_MAX]; /* up to the first without any change or prerequisite */
};

#define GSS                                                                                    \
	.signature = true, .tsig = { "gss-tsig", "1068-ms-7.3-2f", 28, { 4, 4, 4 }, 0, 0, 0 }
#define DDNS .signature = true, .tsig = { "hmac-sha256", "ddns", 32, { 1, 2, 3 }, 0, 0, 0 }

/* What a Windows client sends: no alias, old addresses away, the new one. */
#define WINDOWS_BODY                                                                           \
	.prerequisite = { { UPDATE_RRSET_ABSENT, "pc7.corp.example", DNS_TYPE_CNAME, NULL } }, \
	.add = { { "pc7.corp.example", DNS_TYPE_AAAA, UPDATE_DELETE_RRSET, NULL },             \
		{ "pc7.corp.example", DNS_TYPE_A, UPDATE_DELETE_RRSET, NULL },                 \
		{ "pc7.corp.example", DNS_TYPE_A, UPDATE_ADD, "10.1.0.7" } }

static const struct sequence sequences[] = {
	{ "Windows: unsigned, refused, signed",
		{ { { WINDOWS_BODY }, DNS_RCODE_REFUSED, true },
			{ { .at_ms = 900, GSS, WINDOWS_BODY }, DNS_RCODE_NOERROR, false } } },
	{ "Windows: a test of the registration, unsigned and accepted",
		{ { { .prerequisite = { { UPDATE_RRSET_EQUALS, "pc7.corp.example", DNS_TYPE_A,
			      "10.1.0.7" } } },
			DNS_RCODE_NOERROR, true } } },
	{ "Windows: the test fails, the registration follows",
		{ { { .prerequisite = { { UPDATE_RRSET_EQUALS, "pc7.corp.example", DNS_TYPE_A,
			      "10.1.0.7" } } },
			  DNS_RCODE_NXRRSET, true },
			{ { .at_ms = 20, WINDOWS_BODY }, DNS_RCODE_REFUSED, true },
			{ { .at_ms = 900, GSS, WINDOWS_BODY }, DNS_RCODE_NOERROR, false } } },
	{ "Windows: deregistration at shutdown",
		{ { { GSS, .add = { { "pc7.corp.example", DNS_TYPE_A, UPDATE_DELETE_RRSET,
					    NULL },
				   { "pc7.corp.example", DNS_TYPE_AAAA, UPDATE_DELETE_RRSET,
					   NULL } } },
			DNS_RCODE_NOERROR, false } } },
	{ "Windows: an expired context, then a new one",
		{ { { GSS, WINDOWS_BODY }, DNS_RCODE_NOTAUTH, false },
			{ { .at_ms = 900, GSS, WINDOWS_BODY }, DNS_RCODE_NOERROR, false } } },
	{ "ISC dhcpd interim: the name is new",
		{ { { DDNS,
			    .prerequisite = { { UPDATE_NAME_IS_UNUSED, "pc7.corp.example", 0,
				    NULL } },
			    .add = { { "pc7.corp.example", DNS_TYPE_A, UPDATE_ADD, "10.1.0.7" },
				    { "pc7.corp.example", DNS_TYPE_TXT, UPDATE_ADD,
					    "31a0b1c2d3e4f5a6b7c8d9e0f1a2b3c4d5" } } },
			  DNS_RCODE_NOERROR, false },
			{ { .at_ms = 20,
				  .zone = "1.10.in-addr.arpa",
				  DDNS,
				  .add = { { "7.0.1.10.in-addr.arpa", DNS_TYPE_PTR,
						   UPDATE_DELETE_RRSET, NULL },
					  { "7.0.1.10.in-addr.arpa", DNS_TYPE_PTR, UPDATE_ADD,
						  "pc7.corp.example" } } },
				DNS_RCODE_NOERROR, false } } },
	{ "ISC dhcpd interim: the name is in use, by this client",
		{ { { DDNS,
			    .prerequisite = { { UPDATE_NAME_IS_UNUSED, "pc7.corp.example", 0,
				    NULL } },
			    .add = { { "pc7.corp.example", DNS_TYPE_A, UPDATE_ADD,
				    "10.1.0.8" } } },
			  DNS_RCODE_YXDOMAIN, false },
			{ { .at_ms = 20,
				  DDNS,
				  .prerequisite = { { UPDATE_RRSET_EQUALS, "pc7.corp.example",
					  DNS_TYPE_TXT,
					  "31a0b1c2d3e4f5a6b7c8d9e0f1a2b3c4d5" } },
				  .add = { { "pc7.corp.example", DNS_TYPE_A,
						   UPDATE_DELETE_RRSET, NULL },
					  { "pc7.corp.example", DNS_TYPE_A, UPDATE_ADD,
						  "10.1.0.8" } } },
				DNS_RCODE_NOERROR, false } } },
	{ "ISC dhcpd standard and Kea: the name is in use, by another client",
		{ { { DDNS,
			    .prerequisite = { { UPDATE_NAME_IS_UNUSED, "pc7.corp.example", 0,
				    NULL } },
			    .add = { { "pc7.corp.example", DNS_TYPE_A, UPDATE_ADD, "10.1.0.8" },
				    { "pc7.corp.example", DNS_TYPE_DHCID, UPDATE_ADD,
					    NULL } } },
			  DNS_RCODE_YXDOMAIN, false },
			{ { .at_ms = 20,
				  DDNS,
				  .prerequisite = { { UPDATE_NAME_IN_USE, "pc7.corp.example", 0,
							    NULL },
					  { UPDATE_RRSET_EQUALS, "pc7.corp.example",
						  DNS_TYPE_DHCID, NULL } },
				  .add = { { "pc7.corp.example", DNS_TYPE_A,
						   UPDATE_DELETE_RRSET, NULL },
					  { "pc7.corp.example", DNS_TYPE_A, UPDATE_ADD,
						  "10.1.0.8" } } },
				DNS_RCODE_NXRRSET, false } } },
	{ "Kea: a lease ends",
		{ { { DDNS,
			    .prerequisite = { { UPDATE_RRSET_EQUALS, "pc7.corp.example",
				    DNS_TYPE_DHCID, NULL } },
			    .add = { { "pc7.corp.example", DNS_TYPE_A, UPDATE_DELETE_RECORD,
				    "10.1.0.7" } } },
			  DNS_RCODE_NOERROR, false },
			{ { .at_ms = 20,
				  DDNS,
				  .prerequisite = { { UPDATE_RRSET_ABSENT, "pc7.corp.example",
							    DNS_TYPE_A, NULL },
					  { UPDATE_RRSET_ABSENT, "pc7.corp.example",
						  DNS_TYPE_AAAA, NULL },
					  { UPDATE_RRSET_EQUALS, "pc7.corp.example",
						  DNS_TYPE_DHCID, NULL } },
				  .add = { { "pc7.corp.example", 0, UPDATE_DELETE_NAME,
					  NULL } } },
				DNS_RCODE_NOERROR, false },
			{ { .at_ms = 40,
				  .zone = "1.10.in-addr.arpa",
				  DDNS,
				  .add = { { "7.0.1.10.in-addr.arpa", DNS_TYPE_PTR,
					  UPDATE_DELETE_RRSET, NULL } } },
				DNS_RCODE_NOERROR, false } } },
	{ "Kea: a lease ends, and somebody else has the name",
		{ { { DDNS,
			    .prerequisite = { { UPDATE_RRSET_EQUALS, "pc7.corp.example",
				    DNS_TYPE_DHCID, NULL } },
			    .add = { { "pc7.corp.example", DNS_TYPE_A, UPDATE_DELETE_RECORD,
				    "10.1.0.7" } } },
			DNS_RCODE_NXDOMAIN, false } } },
	{ "a domain controller's services and its address at the apex",
		{ { { .client = "10.1.0.54",
			    GSS,
			    .add = { { "_ldap._tcp.corp.example", DNS_TYPE_SRV, UPDATE_ADD,
					     "dc2.corp.example" },
				    { "_kerberos._tcp.dc._msdcs.corp.example", DNS_TYPE_SRV,
					    UPDATE_ADD, "dc2.corp.example" },
				    { "_kpasswd._udp.corp.example", DNS_TYPE_SRV, UPDATE_ADD,
					    "dc2.corp.example" },
				    { "0c1d2e3f._msdcs.corp.example", DNS_TYPE_CNAME,
					    UPDATE_ADD, "dc2.corp.example" },
				    { "gc._msdcs.corp.example", DNS_TYPE_A, UPDATE_ADD,
					    "10.1.0.54" },
				    { "corp.example", DNS_TYPE_A, UPDATE_ADD, "10.1.0.54" } } },
			DNS_RCODE_NOERROR, false } } },
	{ "a refresh of a critical record that changes nothing",
		{ { { DDNS,
			    .prerequisite = { { UPDATE_RRSET_EQUALS, "www.corp.example",
				    DNS_TYPE_A, "10.1.0.80" } },
			    .add = { { "www.corp.example", DNS_TYPE_A, UPDATE_DELETE_RRSET,
					     NULL },
				    { "www.corp.example", DNS_TYPE_A, UPDATE_ADD,
					    "10.1.0.80" } } },
			DNS_RCODE_NOERROR, false } } },
};

static struct rig *corp(void)
{
	struct world *w = world_new();
	struct policy *p = world_tenant(w, "acme", "10.1.0.0/16");

	world_zone(p, "corp.example", "10.1.0.53", true);
	world_zone(p, "1.10.in-addr.arpa", "10.1.0.53", true);
	cr_assert(ip_set_add(&p->zone[0].servers, "10.1.0.54"));
	cr_assert(ip_set_add(&p->zone[0].updaters, "10.1.0.0/16"));
	p->suffix = calloc(1, sizeof(char *));
	p->suffix[0] = strdup("corp.example");
	p->suffix_count = 1;
	p->zone[0].critical = calloc(1, sizeof(char *));
	p->zone[0].critical[0] = strdup("www");
	p->zone[0].critical_count = 1;
	return rig_new(&update_family, w);
}

static bool is_step(const struct step *s)
{
	return s->request.add[0].name || s->request.prerequisite[0].name;
}

static void take(struct rig *r, const struct step *s, int64_t at_ms, uint16_t id)
{
	struct update_spec request = s->request;

	request.at_ms += at_ms;
	request.id = id;
	if (!s->echoes) {
		updates_send(r, &request, s->rcode);
		return;
	}
	updates_see(r, &request);
	request.at_ms += 5;
	request.response = true;
	request.rcode = s->rcode;
	updates_see(r, &request);
}

static void expect_silence(struct rig *r, const struct sequence *s, const char *what)
{
	for (size_t i = 0; i < r->alerts.count; i++)
		cr_expect(false, "%s%s: %s", s->name, what,
			alert_get(r->alerts.alert[i], r->alerts.alert[i]->message));
}

Test(update_normal, every_sequence_is_quiet)
{
	for (size_t i = 0; i < ARRAY_LEN(sequences); i++) {
		const struct sequence *s = &sequences[i];
		struct rig *r = corp();
		for (unsigned k = 0; k < STEPS_MAX && is_step(&s->step[k]); k++)
			take(r, &s->step[k], 0, (uint16_t)(k + 1));
		rig_wait(r, 400000);
		expect_silence(r, s, "");
		rig_free(r);
	}
}

/* Every half hour for a day, as a client renews its lease; each time by ten hosts, say. */
Test(update_normal, every_sequence_is_quiet_all_day)
{
	for (size_t i = 0; i < ARRAY_LEN(sequences); i++) {
		const struct sequence *s = &sequences[i];
		struct rig *r = corp();
		uint16_t id = 0;
		for (unsigned round = 0; round < 48; round++) {
			for (unsigned k = 0; k < STEPS_MAX && is_step(&s->step[k]); k++)
				take(r, &s->step[k], round * INT64_C(1800000), ++id);
		}
		expect_silence(r, s, ", all day");
		rig_free(r);
	}
}

Test(update_normal, every_sequence_is_quiet_beside_all_the_others)
{
	struct rig *r = corp();
	uint16_t id = 0;

	for (size_t i = 0; i < ARRAY_LEN(sequences); i++) {
		for (unsigned k = 0; k < STEPS_MAX && is_step(&sequences[i].step[k]); k++)
			take(r, &sequences[i].step[k], (int64_t)i * 2000, ++id);
	}
	rig_wait(r, 400000);
	expect_silence(r, &sequences[0], " and all after it");
	rig_free(r);
}

/* The names that were changed are then transferred: IXFR and AXFR, signed or not. */
Test(update_normal, transfers_that_follow_are_quiet)
{
	static const uint16_t types[] = { DNS_TYPE_IXFR, DNS_TYPE_AXFR, DNS_TYPE_SOA };
	struct rig *r = corp();

	take(r, &sequences[0].step[0], 0, 1);
	take(r, &sequences[0].step[1], 0, 2);
	for (size_t i = 0; i < ARRAY_LEN(types); i++)
		rig_exchange(r, &(struct message){ .at_ms = 2000 + (int64_t)i * 100,
					.client = "10.1.0.54",
					.qname = "corp.example",
					.qtype = types[i],
					.tcp = true,
					.signature = i == 1,
					.response = true });
	rig_wait(r, 400000);
	cr_assert_eq(r->alerts.count, 0);
	rig_free(r);
}

/* The client's signature ends at the secondary; its primary knows that by its address or key. */
Test(update_normal, a_secondary_that_passes_on_without_the_signature_or_with_its_own_is_quiet)
{
	static const struct update_spec by_client = {
		.server = "10.1.0.54", DDNS, WINDOWS_BODY
	};
	static const struct update_spec legs[] = {
		{ .at_ms = 1, .client = "10.1.0.54", .id = 77, WINDOWS_BODY },
		{ .at_ms = 1,
			.client = "10.1.0.54",
			.id = 77,
			.signature = true,
			.tsig = { "hmac-sha256", "between-servers", 32, { 7, 7, 7 }, 0, 0, 0 },
			WINDOWS_BODY },
	};

	for (size_t i = 0; i < ARRAY_LEN(legs); i++) {
		struct rig *r = corp();
		struct update_spec response = by_client;
		updates_see(r, &by_client);
		updates_send(r, &legs[i], DNS_RCODE_NOERROR);
		response.at_ms = 10;
		response.response = response.empty = true;
		response.tsig.mac_first[0]++;
		updates_see(r, &response);
		rig_wait(r, 400000);
		cr_expect_eq(r->alerts.count, 0, "leg %zu: %s", i,
			r->alerts.count
				? alert_get(r->alerts.alert[0], r->alerts.alert[0]->message)
				: "");
		rig_free(r);
	}
}
