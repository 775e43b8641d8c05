/* SPDX-License-Identifier: BSD-2-Clause */
/* update.unsigned_accepted and update.external_server; what comes of hostile input. */
#include "tests/unit/rules/acme.h"
#include "tests/unit/rules/updates.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

/* --- update.unsigned_accepted ------------------------------------------------------------- */

Test(update, an_unsigned_change_that_was_accepted_is_told)
{
	struct rig *r = acme_update_rig();
	updates_send(r, &acme_one_host, DNS_RCODE_NOERROR);
	const struct alert *a = alerts_first(&r->alerts, RULE_UPDATE_UNSIGNED_ACCEPTED);

	cr_assert_eq(r->alerts.count, 1);
	cr_assert_eq(a->severity, SEVERITY_HIGH);
	cr_assert_str_eq(alert_get(a, a->zone), "corp.example");
	cr_assert_str_eq(alert_get(a, a->qname), "pc7.corp.example");
	cr_assert_eq(a->qtype, DNS_TYPE_A);
	cr_assert_eq(a->opcode, DNS_OPCODE_UPDATE);
	cr_assert(a->has_rcode && a->rcode == DNS_RCODE_NOERROR);
	cr_assert_str_eq(alert_get(a, a->key),
		"update.unsigned_accepted|acme|10.1.0.7|pc7.corp.example");
	cr_assert_str_eq(alert_get(a, a->message), "10.1.0.7 changed pc7.corp.example in zone "
						   "corp.example without any signature, and "
						   "the server 10.1.0.53 accepted it");
	cr_assert_str_eq(alert_get(a, a->allow_hint), "tenants:\n"
						      "  - id: acme\n"
						      "    zones:\n"
						      "      - name: corp.example\n"
						      "        require_signed: false\n");
	cr_assert_eq(alerts_why(a, "changes")->value.number, 1);
	rig_free(r);
}

Test(update, only_noerror_to_an_unsigned_change_was_accepted)
{
	static const struct {
		const char *name;
		struct update_spec s;
		uint16_t rcode;
		size_t alerts;
	} rows[] = {
		{ "accepted", { .add = { { "a.corp.example", 0 } } }, DNS_RCODE_NOERROR, 1 },
		{ "over TCP", { .add = { { "a.corp.example", 0 } }, .tcp = true },
			DNS_RCODE_NOERROR, 1 },
		{ "signed", { .add = { { "a.corp.example", 0 } }, .signature = true },
			DNS_RCODE_NOERROR, 0 },
		{ "prerequisites alone", { .at_ms = 0 }, DNS_RCODE_NOERROR, 0 },
		{ "SERVFAIL", { .add = { { "a.corp.example", 0 } } }, DNS_RCODE_SERVFAIL, 0 },
		{ "NXRRSET", { .add = { { "a.corp.example", 0 } } }, DNS_RCODE_NXRRSET, 0 },
		{ "REFUSED", { .add = { { "a.corp.example", 0 } } }, DNS_RCODE_REFUSED, 0 },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct rig *r = acme_update_rig();
		updates_send(r, &rows[i].s, rows[i].rcode);
		cr_assert_eq(r->alerts.count, rows[i].alerts, "%s", rows[i].name);
		rig_free(r);
	}
}

Test(update, critical_records_and_public_sources_are_critical)
{
	static const struct {
		const char *name;
		struct update_record record;
		const char *client;
		enum severity severity;
	} rows[] = {
		{ "host", { "pc7.corp.example", 0 }, NULL, SEVERITY_HIGH },
		{ "NS", { "sub.corp.example", DNS_TYPE_NS }, NULL, SEVERITY_CRITICAL },
		{ "MX", { "sub.corp.example", DNS_TYPE_MX }, NULL, SEVERITY_CRITICAL },
		{ "apex", { "corp.example", 0 }, NULL, SEVERITY_CRITICAL },
		{ "wildcard", { "*.corp.example", 0 }, NULL, SEVERITY_CRITICAL },
		{ "wpad", { "wpad.corp.example", 0 }, NULL, SEVERITY_CRITICAL },
		{ "isatap", { "isatap.corp.example", 0 }, NULL, SEVERITY_CRITICAL },
		{ "not wpad", { "wpad7.corp.example", 0 }, NULL, SEVERITY_HIGH },
		{ "SRV of the directory", { "_ldap._tcp.corp.example", DNS_TYPE_SRV }, NULL,
			SEVERITY_CRITICAL },
		{ "deeper", { "_kerberos._tcp.dc._msdcs.corp.example", DNS_TYPE_SRV }, NULL,
			SEVERITY_CRITICAL },
		{ "other SRV", { "_printer._tcp.corp.example", DNS_TYPE_SRV }, NULL,
			SEVERITY_HIGH },
		{ "marshalled principal", { "srv11uwhrcaaaaa.corp.example", 0 }, NULL,
			SEVERITY_CRITICAL },
		{ "public source", { "pc7.corp.example", 0 }, "203.0.113.9",
			SEVERITY_CRITICAL },
		{ "listed by the zone", { "mail.corp.example", 0 }, NULL, SEVERITY_CRITICAL },
		{ "like a listed one", { "mail2.corp.example", 0 }, NULL, SEVERITY_HIGH },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct world *w = world_new();
		struct policy *p = acme_add(w);
		world_zone(p, "corp.example", "10.1.0.53", true);
		p->zone[0].critical = calloc(1, sizeof(char *));
		p->zone[0].critical[0] = strdup("mail");
		p->zone[0].critical_count = 1;
		struct rig *r = rig_new(&update_family, w);
		struct update_spec s = { .client = rows[i].client, .add = { rows[i].record } };
		updates_send(r, &s, DNS_RCODE_NOERROR);
		const struct alert *a = alerts_first(&r->alerts, RULE_UPDATE_UNSIGNED_ACCEPTED);
		cr_assert_eq(a->severity, rows[i].severity, "%s", rows[i].name);
		rig_free(r);
	}
}

Test(update, a_public_source_of_the_tenants_own_is_inside)
{
	struct world *w = world_new();
	world_tenant(w, "acme", "203.0.113.0/24");
	struct rig *r = rig_new(&update_family, w);
	struct update_spec s = acme_one_host;

	s.client = "203.0.113.9";
	s.server = "203.0.113.53";
	updates_send(r, &s, DNS_RCODE_NOERROR);
	cr_assert_eq(r->alerts.alert[0]->severity, SEVERITY_HIGH);
	rig_free(r);
}

Test(update, a_severity_that_the_tenant_set_stays)
{
	struct world *w = world_new();
	world_option(acme_add(w), RULE_UPDATE_UNSIGNED_ACCEPTED, "severity", "low");
	struct rig *r = rig_new(&update_family, w);
	updates_send(r, &(struct update_spec){ .add = { { "wpad.corp.example", 0 } } }, 0);
	cr_assert_eq(r->alerts.alert[0]->severity, SEVERITY_LOW);
	rig_free(r);
}

Test(update, a_critical_name_is_found_behind_many_others)
{
	struct rig *r = acme_update_rig();
	static char name[39][32];
	struct update_spec s = { .at_ms = 0 };
	for (size_t i = 0; i < 38; i++) {
		snprintf(name[i], sizeof(name[i]), "h%zu.corp.example", i);
		s.add[i].name = name[i];
	}
	s.add[38].name = "wpad.corp.example";
	updates_send(r, &s, DNS_RCODE_NOERROR);
	const struct alert *a = alerts_first(&r->alerts, RULE_UPDATE_UNSIGNED_ACCEPTED);
	cr_assert_eq(a->severity, SEVERITY_CRITICAL);
	cr_assert_str_eq(alert_get(a, a->qname), "h0.corp.example", "the first one");
	cr_assert_str_eq(alert_get(a, alerts_why(a, "critical_record")->value.text),
		"wpad.corp.example A");
	cr_assert_eq(a->host_count, ALERT_HOSTS_MAX);
	cr_assert_eq(alerts_why(a, "changes")->value.number, 39);
	rig_free(r);
}

Test(update, a_zone_that_needs_no_signature_is_silent_and_no_other)
{
	static const struct {
		const char *zone;
		bool require_signed;
		size_t alerts;
	} rows[] = {
		{ "corp.example", false, 0 },
		{ "corp.example", true, 2 },
		{ "example", false, 2 },
		{ "sub.corp.example", false, 2 },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct world *w = world_new();
		world_zone(acme_add(w), rows[i].zone, "10.1.0.53", rows[i].require_signed);
		struct rig *r = rig_new(&update_family, w);
		struct update_spec s = acme_one_host;
		updates_send(r, &s, DNS_RCODE_NOERROR);
		s.id = 2;
		updates_send(r, &s, DNS_RCODE_REFUSED);
		rig_wait(r, 120000);
		cr_assert_eq(r->alerts.count, rows[i].alerts, "%s", rows[i].zone);
		rig_free(r);
	}
}

Test(update, a_zone_of_another_tenant_does_not_count)
{
	struct world *w = world_new();
	world_tenant(w, "beta", "10.2.0.0/16");
	world_zone(acme_add(w), "corp.example", "10.1.0.53", false);
	struct rig *r = rig_new(&update_family, w);
	struct update_spec s = acme_one_host;

	s.tenant = 2;
	updates_send(r, &s, DNS_RCODE_NOERROR);
	cr_assert_eq(r->alerts.count, 0);
	s.client = "10.2.0.7";
	s.server = "10.2.0.53";
	s.tenant = 1;
	updates_send(r, &s, DNS_RCODE_NOERROR);
	cr_assert_eq(r->alerts.count, 1);
	rig_free(r);
}

Test(update, a_retransmission_is_judged_once)
{
	struct rig *r = acme_update_rig();
	struct update_spec s = acme_one_host;

	updates_see(r, &s);
	s.at_ms = 1000;
	updates_send(r, &s, DNS_RCODE_NOERROR);
	s.at_ms = 2000;
	updates_send(r, &s, DNS_RCODE_NOERROR);
	cr_assert_eq(rig_count(r, RULE_UPDATE_UNSIGNED_ACCEPTED), 1);
	s.at_ms = 3000;
	s.id = 2;
	updates_send(r, &s, DNS_RCODE_NOERROR);
	cr_assert_eq(rig_count(r, RULE_UPDATE_UNSIGNED_ACCEPTED), 2, "another id");
	s.at_ms = 4000;
	s.add[0].name = "pc8.corp.example";
	updates_send(r, &s, DNS_RCODE_NOERROR);
	cr_assert_eq(rig_count(r, RULE_UPDATE_UNSIGNED_ACCEPTED), 3, "other content");
	rig_free(r);
}

Test(update, responses_to_two_requests_of_one_id_come_in_their_order)
{
	struct rig *r = acme_update_rig();
	struct update_spec s = acme_one_host;

	updates_see(r, &s);
	s.at_ms = 10;
	s.add[0].name = "pc8.corp.example";
	updates_see(r, &s);
	s = (struct update_spec){ .at_ms = 20, .response = true, .empty = true };
	updates_see(r, &s);
	const struct alert *a = alerts_last(&r->alerts, RULE_UPDATE_UNSIGNED_ACCEPTED);
	cr_assert_str_eq(alert_get(a, a->qname), "pc7.corp.example");
	s.at_ms = 30;
	updates_see(r, &s);
	a = alerts_last(&r->alerts, RULE_UPDATE_UNSIGNED_ACCEPTED);
	cr_assert_str_eq(alert_get(a, a->qname), "pc8.corp.example");
	rig_free(r);
}

Test(update, the_same_message_a_minute_later_is_a_new_one)
{
	struct rig *r = acme_update_rig();
	struct update_spec s = acme_one_host;

	updates_send(r, &s, DNS_RCODE_NOERROR);
	s.at_ms = 61000;
	updates_send(r, &s, DNS_RCODE_NOERROR);
	cr_assert_eq(rig_count(r, RULE_UPDATE_UNSIGNED_ACCEPTED), 2);
	rig_free(r);
}

Test(update, a_response_alone_is_judged_from_what_it_echoes)
{
	static const struct {
		const char *name;
		struct update_spec s;
		size_t alerts;
	} rows[] = {
		{ "echo", { .response = true, .add = { { "a.corp.example", 0 } } }, 1 },
		{ "signed echo",
			{ .response = true,
				.add = { { "a.corp.example", 0 } },
				.signature = true },
			0 },
		{ "header alone", { .response = true, .empty = true }, 0 },
		{ "echo without changes", { .response = true }, 0 },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct rig *r = acme_update_rig();
		updates_see(r, &rows[i].s);
		cr_assert_eq(r->alerts.count, rows[i].alerts, "%s", rows[i].name);
		rig_free(r);
	}
}

/* --- update.external_server --------------------------------------------------------------- */

Test(update, servers_of_the_tenant_and_others)
{
	static const struct {
		const char *name;
		const char *network, *resolver, *zone_server; /* of the tenant */
		const char *client, *server;
		bool unmapped;
		size_t alerts;
	} rows[] = {
		{ "own network", "10.1.0.0/16", NULL, NULL, NULL, "10.1.9.9", false, 0 },
		{ "foreign private", "10.1.0.0/16", NULL, NULL, NULL, "10.2.0.53", false, 1 },
		{ "foreign public", "10.1.0.0/16", NULL, NULL, NULL, "203.0.113.5", false, 1 },
		{ "own resolver", "10.1.0.0/16", "203.0.113.5", NULL, NULL, "203.0.113.5",
			false, 0 },
		{ "zone server", "10.1.0.0/16", NULL, "203.0.113.5", NULL, "203.0.113.5", false,
			0 },
		{ "client from outside", "10.1.0.0/16", NULL, NULL, "198.51.100.9",
			"203.0.113.5", false, 0 },
		{ "no networks, but a resolver", NULL, "10.1.0.53", NULL, "10.9.0.7",
			"10.8.0.1", false, 1 },
		{ "nothing told, private", NULL, NULL, NULL, NULL, "10.2.0.53", false, 0 },
		{ "nothing told, public", NULL, NULL, NULL, NULL, "203.0.113.5", false, 1 },
		{ "nobody's, private", NULL, NULL, NULL, NULL, "10.2.0.53", true, 0 },
		{ "nobody's, public", NULL, NULL, NULL, NULL, "203.0.113.5", true, 1 },
		{ "nobody's, public both", NULL, NULL, NULL, "198.51.100.9", "203.0.113.5",
			true, 0 },
		{ "multicast", "10.1.0.0/16", NULL, NULL, NULL, "224.0.0.251", false, 0 },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct world *w = world_new();
		struct policy *p = world_tenant(w, "acme", rows[i].network);
		if (rows[i].resolver)
			cr_assert(ip_set_add(&p->resolvers, rows[i].resolver));
		if (rows[i].zone_server)
			world_zone(p, "other.example", rows[i].zone_server, true);
		struct rig *r = rig_new(&update_family, w);
		struct update_spec s = acme_one_host;
		s.client = rows[i].client;
		s.server = rows[i].server;
		s.unmapped = rows[i].unmapped;
		s.signature = true;
		updates_see(r, &s);
		cr_assert_eq(rig_count(r, RULE_UPDATE_EXTERNAL_SERVER), rows[i].alerts, "%s",
			rows[i].name);
		rig_free(r);
	}
}

Test(update, an_update_to_a_foreign_server_is_told_once_with_the_lines_to_allow_it)
{
	struct rig *r = acme_update_rig();
	struct update_spec s = acme_one_host;

	s.server = "203.0.113.5";
	updates_see(r, &s);
	s.at_ms = 1000;
	updates_see(r, &s);
	const struct alert *a = alerts_first(&r->alerts, RULE_UPDATE_EXTERNAL_SERVER);
	cr_assert_eq(r->alerts.count, 1, "retransmitted");
	cr_assert_eq(a->severity, SEVERITY_HIGH);
	cr_assert_str_eq(
		alert_get(a, a->key), "update.external_server|acme|10.1.0.7|corp.example");
	cr_assert_str_eq(alert_get(a, a->message),
		"10.1.0.7 sends a DNS UPDATE for pc7.corp.example in zone corp.example to "
		"203.0.113.5, which is not one of acme's servers");
	cr_assert_str_eq(alert_get(a, a->allow_hint), "tenants:\n"
						      "  - id: acme\n"
						      "    zones:\n"
						      "      - name: corp.example\n"
						      "        servers: [203.0.113.5]\n");
	rig_free(r);
}

Test(update, registrations_of_private_addresses_that_leak_are_low)
{
	static const struct {
		const char *name, *zone, *server;
		struct update_record record;
		enum severity severity;
	} rows[] = {
		{ "PTR to AS112", "0.1.10.in-addr.arpa", "192.175.48.1",
			{ "7.0.1.10.in-addr.arpa", DNS_TYPE_PTR }, SEVERITY_LOW },
		{ "PTR elsewhere", "10.in-addr.arpa", "203.0.113.5",
			{ "7.0.1.10.in-addr.arpa", DNS_TYPE_PTR }, SEVERITY_LOW },
		{ "172.16", "16.172.in-addr.arpa", "203.0.113.5",
			{ "1.0.16.172.in-addr.arpa", DNS_TYPE_PTR }, SEVERITY_LOW },
		{ "172.31", "31.172.in-addr.arpa", "203.0.113.5",
			{ "1.0.31.172.in-addr.arpa", DNS_TYPE_PTR }, SEVERITY_LOW },
		{ "172.32 is public", "32.172.in-addr.arpa", "203.0.113.5",
			{ "1.0.32.172.in-addr.arpa", DNS_TYPE_PTR }, SEVERITY_HIGH },
		{ "110 is not 10", "110.in-addr.arpa", "203.0.113.5",
			{ "1.0.0.110.in-addr.arpa", DNS_TYPE_PTR }, SEVERITY_HIGH },
		{ "unique local", "0.0.d.f.ip6.arpa", "203.0.113.5",
			{ "1.0.0.d.f.ip6.arpa", DNS_TYPE_PTR }, SEVERITY_LOW },
		{ "TXT under a private zone", "10.in-addr.arpa", "203.0.113.5",
			{ "data.10.in-addr.arpa", DNS_TYPE_TXT }, SEVERITY_HIGH },
		{ "TXT to AS112", "10.in-addr.arpa", "192.175.48.42",
			{ "data.10.in-addr.arpa", DNS_TYPE_TXT }, SEVERITY_LOW },
		{ "PTR of public space", "113.0.203.in-addr.arpa", "192.175.48.1",
			{ "7.113.0.203.in-addr.arpa", DNS_TYPE_PTR }, SEVERITY_HIGH },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct rig *r = acme_update_rig();
		updates_see(r, &(struct update_spec){ .zone = rows[i].zone,
				       .server = rows[i].server,
				       .add = { rows[i].record } });
		const struct alert *a = alerts_first(&r->alerts, RULE_UPDATE_EXTERNAL_SERVER);
		cr_assert_eq(a->severity, rows[i].severity, "%s", rows[i].name);
		cr_assert_eq(alerts_why(a, "leak") != NULL, rows[i].severity == SEVERITY_LOW,
			"%s", rows[i].name);
		rig_free(r);
	}
}

/* --- hostile input ------------------------------------------------------------------------ */

Test(update, a_message_that_cannot_be_read_is_left_alone)
{
	struct rig *r = acme_update_rig();
	struct message m = { .qname = "corp.example",
		.qtype = DNS_TYPE_SOA,
		.opcode = DNS_OPCODE_UPDATE,
		.wire = (const uint8_t *)"\0\1\x28\0\0\1\0\0\0\1\0\0",
		.wire_len = 12 };

	rig_see(r, &m);
	m.response = true;
	rig_see(r, &m);
	m.wire = NULL;
	m.id = 9;
	rig_exchange(r, &m);
	cr_assert_eq(r->alerts.count, 0);
	rig_free(r);
}

Test(update, a_flood_stays_within_its_memory)
{
	struct world *w = world_new();
	acme_add(w);
	struct rig *r = rig_new_sized(&update_family, w, 0);
	char client[32];

	for (unsigned i = 0; i < 1000; i++) {
		snprintf(client, sizeof(client), "10.1.%u.%u", i / 250, 1 + i % 250);
		struct update_spec s = acme_one_host;
		s.client = client;
		updates_send(r, &s, DNS_RCODE_REFUSED);
	}
	struct judge_stats s = rig_stats(r);
	cr_assert_eq(s.table[0].used, 64);
	cr_assert_eq(s.table[1].used, 1, "all say the same");
	cr_assert_eq(s.table[2].used, 64);
	cr_assert_eq(s.pending, 64);
	rig_wait(r, 130000);
	cr_assert_eq(r->alerts.count, 64);
	for (size_t i = 0; i < 3; i++)
		cr_assert_eq(rig_stats(r).table[i].used, 0);
	rig_free(r);
}
