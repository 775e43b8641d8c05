/* SPDX-License-Identifier: BSD-2-Clause */
/* The update rules that judge one finished transaction by itself. */
#include "tests/support/mmdb_build.h"
#include "tests/unit/rules/updates.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <criterion/criterion.h>

static const struct update_signed good = { "hmac-sha256", NULL, 32, { 1, 2, 3 }, 0, 0, 0 };

static struct rig *acme_zone(const char *updaters)
{
	struct world *w = world_new();
	struct policy *p = world_tenant(w, "acme", "10.0.0.0/8");

	world_zone(p, "corp.example", "10.1.0.53", true);
	for (; updaters && *updaters; updaters += strcspn(updaters, " ")) {
		char net[64] = "";
		updaters += strspn(updaters, " ");
		snprintf(net, sizeof(net), "%.*s", (int)strcspn(updaters, " "), updaters);
		cr_assert(ip_set_add(&p->zone[0].updaters, net));
	}
	return rig_new(&update_family, w);
}

static const char *word(const struct alert *a, const char *feature)
{
	const struct alert_why *why = alerts_why(a, feature);

	cr_assert(why, "no reason %s", feature);
	return alert_get(a, why->value.text);
}

/* --- update.signature_ignored ------------------------------------------------------------- */

Test(update_rules, a_signature_that_nobody_checked)
{
	static const struct {
		const char *name;
		struct update_signed request, response;
		bool unsigned_response;
		uint16_t rcode;
		bool no_change;
		size_t expected;
	} rows[] = {
		{ "GSS, the request's MAC", { "gss-tsig", NULL, 28, { 4, 4, 4 }, 0, 0, 0 },
			{ "gss-tsig", NULL, 28, { 4, 4, 4 }, 0, 0, 0 }, false, 0, false, 1 },
		{ "the same and refused", { "gss-tsig", NULL, 28, { 4, 4, 4 }, 0, 0, 0 },
			{ "gss-tsig", NULL, 28, { 4, 4, 4 }, 0, 0, 0 }, false, 5, false, 0 },
		{ "GSS, a token of the client's",
			{ "gss-tsig", NULL, 28, { 4, 4, 4 }, 0, 0, 0 },
			{ "gss-tsig", NULL, 29, { 4, 4, 4 }, 0, 0, 0 }, false, 0, false, 1 },
		{ "GSS, a token of the server's",
			{ "gss-tsig", NULL, 28, { 4, 4, 4 }, 0, 0, 0 },
			{ "gss-tsig", NULL, 28, { 4, 4, 5 }, 0, 0, 0 }, false, 0, false, 0 },
		{ "HMAC, another MAC", { "hmac-sha256", NULL, 32, { 1, 2, 3 }, 0, 0, 0 },
			{ "hmac-sha256", NULL, 32, { 3, 2, 1 }, 0, 0, 0 }, false, 0, false, 0 },
		{ "HMAC, the request's MAC", { "hmac-sha256", NULL, 32, { 1, 2, 3 }, 0, 0, 0 },
			{ "hmac-sha256", NULL, 32, { 1, 2, 3 }, 0, 0, 0 }, false, 0, false, 1 },
		{ "no signature in the response",
			{ "hmac-sha256", NULL, 32, { 1, 2, 3 }, 0, 0, 0 }, { 0 }, true, 0,
			false, 1 },
		{ "and a refusal", { "hmac-sha256", NULL, 32, { 1, 2, 3 }, 0, 0, 0 }, { 0 },
			true, 9, false, 0 },
		{ "prerequisites alone", { "gss-tsig", NULL, 28, { 4, 4, 4 }, 0, 0, 0 },
			{ "gss-tsig", NULL, 28, { 4, 4, 4 }, 0, 0, 0 }, false, 0, true, 0 },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct rig *r = acme_zone(NULL);
		struct update_spec s = { .signature = true, .tsig = rows[i].request };
		if (!rows[i].no_change)
			s.add[0].name = "pc7.corp.example";
		updates_send_signed(r, &s, rows[i].rcode,
			rows[i].unsigned_response ? NULL : &rows[i].response);
		cr_expect_eq(rig_count(r, RULE_UPDATE_SIGNATURE_IGNORED), rows[i].expected,
			"%s", rows[i].name);
		cr_expect_eq(
			r->alerts.count, rows[i].expected, "%s: nothing else", rows[i].name);
		rig_free(r);
	}
}

Test(update_rules, an_ignored_signature_says_why)
{
	struct rig *r = acme_zone(NULL);
	const struct update_spec s = { .add = { { .name = "pc7.corp.example" } },
		.signature = true,
		.tsig = { "gss-tsig", "1068-ms-7", 28, { 4, 4, 4 }, 0, 0, 0 } };

	updates_send_signed(r, &s, 0, &s.tsig);
	const struct alert *a = alerts_first(&r->alerts, RULE_UPDATE_SIGNATURE_IGNORED);
	cr_assert_eq(a->severity, SEVERITY_MEDIUM);
	cr_assert_str_eq(word(a, "signature"), "the response carries the request's own MAC");
	cr_assert_str_eq(alert_get(a, a->key_name), "1068-ms-7");
	cr_assert_str_eq(alert_get(a, a->qname), "pc7.corp.example");
	cr_assert(
		strstr(alert_get(a, a->allow_hint), "{rule: update.signature_ignored, clients: "
						    "[10.1.0.7], names: [corp.example]}"));
	rig_free(r);
}

/* --- update.weak_algorithm ---------------------------------------------------------------- */

Test(update_rules, weak_algorithms_and_short_macs)
{
	static const struct {
		const char *algorithm;
		unsigned mac_len;
		uint16_t rcode, error;
		int severity; /* -1: silent */
	} rows[] = {
		{ "hmac-md5.sig-alg.reg.int", 16, 0, 0, SEVERITY_MEDIUM },
		{ "hmac-sha1", 20, 0, 0, SEVERITY_LOW },
		{ "hmac-sha224", 28, 0, 0, SEVERITY_LOW },
		{ "hmac-sha256", 32, 0, 0, -1 },
		{ "hmac-sha384", 48, 0, 0, -1 },
		{ "hmac-sha512", 64, 0, 0, -1 },
		{ "hmac-sha256", 16, 0, 0, -1 },
		{ "hmac-sha256", 15, 0, 0, SEVERITY_LOW },
		{ "hmac-sha512", 31, 0, 0, SEVERITY_LOW },
		{ "hmac-sha512-256", 32, 0, 0, -1 },
		{ "gss-tsig", 28, 0, 0, -1 },
		{ "hmac-md5.sig-alg.reg.int", 16, 5, 0,
			SEVERITY_MEDIUM }, /* policy, not the key */
		{ "hmac-md5.sig-alg.reg.int", 16, 6, 0, SEVERITY_MEDIUM }, /* a prerequisite */
		{ "hmac-md5.sig-alg.reg.int", 16, 9, 17, -1 },             /* BADKEY */
		{ "hmac-md5.sig-alg.reg.int", 16, 9, 0, -1 },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct rig *r = acme_zone(NULL);
		struct update_spec s = { .add = { { .name = "pc7.corp.example" } },
			.signature = true,
			.tsig = { rows[i].algorithm, "ddns", rows[i].mac_len, { 1, 2, 3 }, 0, 0,
				0 } };
		struct update_signed answer = s.tsig;
		answer.mac_first[2] |= 1;
		answer.mac_first[0] = 9;
		answer.error = rows[i].error;
		updates_send_signed(r, &s, rows[i].rcode, &answer);
		bool is_told = rows[i].severity >= 0;
		cr_expect_eq(rig_count(r, RULE_UPDATE_WEAK_ALGORITHM), is_told,
			"%s/%u rcode %u", rows[i].algorithm, rows[i].mac_len, rows[i].rcode);
		if (is_told)
			cr_expect_eq(
				alerts_first(&r->alerts, RULE_UPDATE_WEAK_ALGORITHM)->severity,
				(enum severity)rows[i].severity, "%s", rows[i].algorithm);
		rig_free(r);
	}
}

/* --- update.unauthorized_source ----------------------------------------------------------- */

Test(update_rules, who_may_update_the_zone)
{
	static const struct {
		const char *name, *updaters, *client, *zone;
		uint16_t rcode;
		bool no_change;
		int severity; /* -1: silent */
	} rows[] = {
		{ "no list", NULL, "10.1.9.9", NULL, 0, false, -1 },
		{ "listed", "10.1.0.0/16", "10.1.9.9", NULL, 0, false, -1 },
		{ "not listed", "10.1.0.0/16", "10.2.9.9", NULL, 0, false, SEVERITY_HIGH },
		{ "excluded", "10.1.0.0/16 !10.1.66.0/24", "10.1.66.12", NULL, 0, false,
			SEVERITY_HIGH },
		{ "refused", "10.1.0.0/16", "10.2.9.9", NULL, 5, false, SEVERITY_LOW },
		{ "a prerequisite failed", "10.1.0.0/16", "10.2.9.9", NULL, 6, false,
			SEVERITY_LOW },
		{ "a probe", "10.1.0.0/16", "10.2.9.9", NULL, 0, true, -1 },
		{ "one of the zone's servers", "10.1.9.0/24", "10.1.0.53", NULL, 0, false, -1 },
		{ "another zone", "10.1.0.0/16", "10.2.9.9", "lab.example", 0, false, -1 },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct rig *r = acme_zone(rows[i].updaters);
		struct update_spec s = { .client = rows[i].client,
			.zone = rows[i].zone,
			.signature = true,
			.tsig = good };
		if (!rows[i].no_change)
			s.add[0].name = "pc7.corp.example";
		updates_send(r, &s, rows[i].rcode);
		bool is_told = rows[i].severity >= 0;
		cr_expect_eq(rig_count(r, RULE_UPDATE_UNAUTHORIZED_SOURCE), is_told, "%s",
			rows[i].name);
		cr_expect_eq(r->alerts.count, is_told, "%s: nothing else", rows[i].name);
		if (is_told)
			cr_expect_eq(r->alerts.alert[0]->severity,
				(enum severity)rows[i].severity, "%s", rows[i].name);
		rig_free(r);
	}
}

Test(update_rules, an_unauthorized_source_is_told_with_who_may)
{
	struct rig *r = acme_zone("10.1.0.0/16 !10.1.66.0/24");
	const struct update_spec s = { .client = "10.1.66.12",
		.add = { { .name = "pc7.corp.example" } },
		.signature = true,
		.tsig = good };

	updates_send(r, &s, 0);
	const struct alert *a = alerts_first(&r->alerts, RULE_UPDATE_UNAUTHORIZED_SOURCE);
	const struct alert_why *why = alerts_why(a, "updater");
	cr_assert_str_eq(alert_get(a, why->value.text), "10.1.66.12");
	cr_assert(strstr(alert_get(a, why->threshold.text), "10.1.0.0/16"));
	cr_assert(strstr(alert_get(a, why->threshold.text), "!10.1.66.0/24"));
	cr_assert_str_eq(alert_get(a, a->zone), "corp.example");
	cr_assert_str_eq(alert_get(a, a->message),
		"10.1.66.12, which is not one of zone corp.example's updaters, changed "
		"pc7.corp.example; the server 10.1.0.53 accepted it");
	rig_free(r);
}

/* --- update.unexpected_geo ---------------------------------------------------------------- */

/* A world whose 192.0.2.0/24 is in the Netherlands, AS64500. */
static struct rig *rig_with_places(const char *country, uint32_t asn)
{
	char path[] = "/tmp/dynwatch-places-XXXXXX";
	struct world *w = world_new();
	struct policy *p = world_tenant(w, "acme", "10.0.0.0/8");
	struct err_ctx why = { 0 };
	struct mmdb_build db;
	int fd = mkstemp(path);

	mmdb_build(&db, 24, mmdb_build_record, mmdb_build_record_len);
	cr_assert(fd >= 0 && write(fd, db.bytes, db.len) == (ssize_t)db.len);
	close(fd);
	cr_assert_eq(geo_open(&w->known.geo, path, path, &why), ERR_OK, "%s", why.text);
	unlink(path);
	world_zone(p, "corp.example", "10.1.0.53", true);
	if (country) {
		p->zone[0].country = calloc(1, sizeof(char *));
		p->zone[0].country[0] = strdup(country);
		p->zone[0].country_count = 1;
	}
	if (asn) {
		p->zone[0].asn = calloc(1, sizeof(uint32_t));
		p->zone[0].asn[0] = asn;
		p->zone[0].asn_count = 1;
	}
	return rig_new(&update_family, w);
}

Test(update_rules, where_updates_may_come_from)
{
	static const struct {
		const char *name, *country, *client;
		uint32_t asn;
		uint16_t rcode;
		int severity;
	} rows[] = {
		{ "no list", NULL, "192.0.2.9", 0, 0, -1 },
		{ "the country", "NL", "192.0.2.9", 0, 0, -1 },
		{ "another country", "US", "192.0.2.9", 0, 0, SEVERITY_HIGH },
		{ "refused", "US", "192.0.2.9", 0, 5, SEVERITY_LOW },
		{ "of no known country", "US", "198.51.100.9", 0, 0, -1 },
		{ "of the tenant's own", "US", "10.1.0.7", 0, 0, -1 },
		{ "the network", NULL, "192.0.2.9", 64500, 0, -1 },
		{ "another network", NULL, "192.0.2.9", 64501, 0, SEVERITY_HIGH },
		{ "the country, another network", "NL", "192.0.2.9", 64501, 0, SEVERITY_HIGH },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct rig *r = rig_with_places(rows[i].country, rows[i].asn);
		const struct update_spec s = { .client = rows[i].client,
			.add = { { .name = "pc7.corp.example" } },
			.signature = true,
			.tsig = good };
		updates_send(r, &s, rows[i].rcode);
		bool is_told = rows[i].severity >= 0;
		cr_expect_eq(
			rig_count(r, RULE_UPDATE_UNEXPECTED_GEO), is_told, "%s", rows[i].name);
		if (is_told)
			cr_expect_eq(r->alerts.alert[0]->severity,
				(enum severity)rows[i].severity, "%s", rows[i].name);
		rig_free(r);
	}
}

Test(update_rules, a_place_is_told_once_and_not_beside_the_updater)
{
	struct rig *r = rig_with_places("US", 0);
	const struct update_spec s = { .client = "192.0.2.9",
		.add = { { .name = "pc7.corp.example" } },
		.signature = true,
		.tsig = good };

	cr_assert(ip_set_add(
		&r->world->known.policies->tenant[1].zone[0].updaters, "10.0.0.0/8"));
	updates_send(r, &s, 0);
	cr_assert_eq(rig_count(r, RULE_UPDATE_UNAUTHORIZED_SOURCE), 1);
	cr_assert_eq(r->alerts.count, 1);
	cr_assert_str_eq(r->alerts.alert[0]->source_country, "NL");
	rig_free(r);
}

/* --- update.critical_record --------------------------------------------------------------- */

Test(update_rules, records_that_steer_others)
{
	static const struct {
		const char *name;
		struct update_record change;
		const char *client;
		uint16_t rcode;
		size_t expected;
	} rows[] = {
		{ "a host", { "pc7.corp.example", 0, UPDATE_ADD, NULL }, NULL, 0, 0 },
		{ "NS", { "lab.corp.example", DNS_TYPE_NS, UPDATE_ADD, NULL }, NULL, 0, 1 },
		{ "MX deleted", { "a.corp.example", DNS_TYPE_MX, UPDATE_DELETE_RRSET, NULL },
			NULL, 0, 1 },
		{ "the apex", { "corp.example", 0, UPDATE_ADD, NULL }, NULL, 0, 1 },
		{ "a wildcard", { "*.corp.example", 0, UPDATE_ADD, NULL }, NULL, 0, 1 },
		{ "wpad", { "wpad.corp.example", 0, UPDATE_ADD, NULL }, NULL, 0, 1 },
		{ "a listed name", { "www.corp.example", 0, UPDATE_ADD, NULL }, NULL, 0, 1 },
		{ "refused", { "wpad.corp.example", 0, UPDATE_ADD, NULL }, NULL, 5, 0 },
		{ "a service by a host",
			{ "_ldap._tcp.corp.example", DNS_TYPE_SRV, UPDATE_ADD, NULL }, NULL, 0,
			1 },
		{ "a service by a controller",
			{ "_ldap._tcp.corp.example", DNS_TYPE_SRV, UPDATE_ADD, NULL },
			"10.1.0.53", 0, 0 },
		{ "a controller's address at the apex",
			{ "corp.example", 0, UPDATE_ADD, "10.1.0.53" }, "10.1.0.53", 0, 0 },
		{ "another's address at the apex, by a controller",
			{ "corp.example", 0, UPDATE_ADD, "10.1.0.66" }, "10.1.0.53", 0, 1 },
		{ "wpad by a controller", { "wpad.corp.example", 0, UPDATE_ADD, NULL },
			"10.1.0.53", 0, 1 },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct rig *r = acme_zone(NULL);
		struct policy_zone *zone = &r->world->known.policies->tenant[1].zone[0];
		zone->critical = calloc(1, sizeof(char *));
		zone->critical[0] = strdup("www");
		zone->critical_count = 1;
		const struct update_spec s = { .client = rows[i].client,
			.add = { { .name = "pc7.corp.example" }, rows[i].change },
			.signature = true,
			.tsig = good };
		updates_send(r, &s, rows[i].rcode);
		cr_expect_eq(rig_count(r, RULE_UPDATE_CRITICAL_RECORD), rows[i].expected, "%s",
			rows[i].name);
		cr_expect_eq(
			r->alerts.count, rows[i].expected, "%s: nothing else", rows[i].name);
		rig_free(r);
	}
}

Test(update_rules, a_critical_record_is_told_with_what_was_done)
{
	struct rig *r = acme_zone(NULL);
	const struct update_spec s = {
		.add = { { .name = "pc7.corp.example" },
			{ "wpad.corp.example", 0, UPDATE_ADD, "10.1.0.66" } },
		.signature = true,
		.tsig = good
	};

	updates_send(r, &s, 0);
	const struct alert *a = alerts_first(&r->alerts, RULE_UPDATE_CRITICAL_RECORD);
	cr_assert_eq(a->severity, SEVERITY_HIGH);
	cr_assert_str_eq(word(a, "critical_record"), "wpad.corp.example A");
	cr_assert_str_eq(word(a, "data"), "10.1.0.66");
	cr_assert_str_eq(alert_get(a, a->qname), "wpad.corp.example");
	cr_assert_str_eq(alert_get(a, a->message),
		"10.1.0.7 set the record wpad.corp.example A to 10.1.0.66 in zone "
		"corp.example, which steers others");
	rig_free(r);
}

Test(update_rules, a_critical_record_that_is_refreshed_is_told_once)
{
	struct rig *r = acme_zone(NULL);
	struct update_spec s = {
		.add = { { "mail.corp.example", DNS_TYPE_MX, UPDATE_ADD, NULL } },
		.signature = true,
		.tsig = good
	};

	for (unsigned i = 0; i < 5; i++) {
		s.at_ms = i * 7200000;
		updates_send(r, &s, 0);
	}
	cr_assert_eq(rig_count(r, RULE_UPDATE_CRITICAL_RECORD), 1);
	s.at_ms += 1000;
	s.add[0].data = "evil.example";
	updates_send(r, &s, 0);
	cr_assert_eq(rig_count(r, RULE_UPDATE_CRITICAL_RECORD), 2);
	rig_free(r);
}

Test(update_rules, an_unsigned_critical_change_is_one_alert)
{
	struct rig *r = acme_zone(NULL);
	const struct update_spec s = { .add = { { .name = "wpad.corp.example" } } };

	updates_send(r, &s, 0);
	cr_assert_eq(r->alerts.count, 1);
	cr_assert_eq(alerts_first(&r->alerts, RULE_UPDATE_UNSIGNED_ACCEPTED)->severity,
		SEVERITY_CRITICAL);
	rig_free(r);
}

Test(update_rules, where_signatures_are_not_asked_for_the_critical_record_is_told)
{
	struct rig *r = acme_zone(NULL);
	const struct update_spec s = { .add = { { .name = "wpad.corp.example" } } };

	r->world->known.policies->tenant[1].zone[0].require_signed = false;
	updates_send(r, &s, 0);
	cr_assert_eq(r->alerts.count, 1);
	cr_assert_eq(rig_count(r, RULE_UPDATE_CRITICAL_RECORD), 1);
	rig_free(r);
}

Test(update_rules, the_servers_of_updates_are_taken_for_controllers)
{
	struct rig *r = acme_zone(NULL);
	struct update_spec s = { .server = "10.1.0.54",
		.add = { { .name = "pc7.corp.example" } },
		.signature = true,
		.tsig = good };

	updates_send(r, &s, 0);
	s = (struct update_spec){ .at_ms = 1000,
		.client = "10.1.0.54",
		.add = { { "_kerberos._udp.corp.example", DNS_TYPE_SRV, UPDATE_ADD, NULL } },
		.signature = true,
		.tsig = good };
	updates_send(r, &s, 0);
	cr_assert_eq(r->alerts.count, 0);
	rig_free(r);
}

/* --- update.naming ------------------------------------------------------------------------ */

Test(update_rules, names_outside_the_standard)
{
	static const struct {
		const char *name;
		struct update_record change;
		const char *zone;
		uint16_t rcode;
		size_t expected;
	} rows[] = {
		{ "inside", { "pc7.corp.example", 0, UPDATE_ADD, NULL }, NULL, 0, 0 },
		{ "the suffix itself", { "hosts.example", 0, UPDATE_ADD, NULL },
			"hosts.example", 0, 0 },
		{ "outside", { "pc7.lab.example", 0, UPDATE_ADD, NULL }, "lab.example", 0, 1 },
		{ "outside, an alias", { "pc7.lab.example", DNS_TYPE_CNAME, UPDATE_ADD, NULL },
			"lab.example", 0, 1 },
		{ "outside, refused", { "pc7.lab.example", 0, UPDATE_ADD, NULL }, "lab.example",
			5, 0 },
		{ "outside, deleted", { "pc7.lab.example", 0, UPDATE_DELETE_NAME, NULL },
			"lab.example", 0, 0 },
		{ "ends alike", { "pc7.notcorp.example", 0, UPDATE_ADD, NULL },
			"notcorp.example", 0, 1 },
		{ "in a listed zone of its own", { "pc7.guest.example", 0, UPDATE_ADD, NULL },
			"guest.example", 0, 0 },
		{ "in a listed zone above the standard", { "pc7.example", 0, UPDATE_ADD, NULL },
			"example", 0, 1 },
		{ "reverse",
			{ "7.0.1.10.in-addr.arpa", DNS_TYPE_PTR, UPDATE_ADD,
				"pc7.corp.example" },
			"10.in-addr.arpa", 0, 0 },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct world *w = world_new();
		struct policy *p = world_tenant(w, "acme", "10.0.0.0/8");
		world_zone(p, "guest.example", NULL, true);
		world_zone(p, "example", NULL, true);
		p->suffix = calloc(2, sizeof(char *));
		p->suffix[0] = strdup("corp.example");
		p->suffix[1] = strdup("hosts.example");
		p->suffix_count = 2;
		struct rig *r = rig_new(&update_family, w);
		const struct update_spec s = { .zone = rows[i].zone,
			.add = { rows[i].change },
			.signature = true,
			.tsig = good };
		updates_send(r, &s, rows[i].rcode);
		cr_expect_eq(
			rig_count(r, RULE_UPDATE_NAMING), rows[i].expected, "%s", rows[i].name);
		if (rows[i].expected) {
			const struct alert *a = alerts_first(&r->alerts, RULE_UPDATE_NAMING);
			cr_expect(strstr(alert_get(a, a->allow_hint), "suffixes: ["), "%s",
				rows[i].name);
			cr_expect_str_eq(alert_get(a, alerts_why(a, "name")->threshold.text),
				"corp.example, hosts.example");
		}
		rig_free(r);
	}
}
