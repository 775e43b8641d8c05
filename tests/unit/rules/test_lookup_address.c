/* SPDX-License-Identifier: BSD-2-Clause */
/* lookup.malicious by the addresses of answers. */
#include "tests/unit/rules/observations.h"

#include <string.h>

#include <criterion/criterion.h>

#define DAY_MS (24 * 3600 * INT64_C(1000))

static struct world *listed(void)
{
	struct world *w = world_new();
	uint16_t feodo = world_feed(w, "feodo", MARK_MALICIOUS, SEVERITY_HIGH);
	uint16_t drop = world_feed(w, "drop", MARK_MALICIOUS, SEVERITY_CRITICAL);
	uint16_t good = world_feed(w, "good", MARK_ALLOW, SEVERITY_INFO);

	world_list_network(w, feodo, "203.0.113.9");
	world_list_network(w, feodo, "2001:db8:bad::9");
	world_list_network(w, drop, "203.0.113.0/24");
	world_list_network(w, drop, "198.51.100.0/24");
	world_list_network(w, good, "198.51.100.64/26");
	world_list_network(w, good, "203.0.113.77");
	world_list(w, feodo, "evil.example", SCOPE_SUFFIX);
	world_list(w, good, "good.example", SCOPE_SUFFIX);
	return w;
}

static struct rig *acme(void)
{
	struct world *w = listed();
	struct policy *p = world_tenant(w, "acme", "10.1.0.0/16");

	cr_assert(ip_set_add(&p->resolvers, "10.1.0.53"));
	return rig_new(&lookup_family, w);
}

static const struct message led_astray = { .qname = "www.example",
	.address = { { "192.0.2.1", 60 }, { "203.0.113.9", 60 } } };

Test(lookup_address, a_listed_address_of_the_answer_is_the_indicator)
{
	struct rig *r = acme();

	rig_exchange(r, &led_astray);
	cr_assert_eq(r->alerts.count, 1);
	const struct alert *a = alerts_first(&r->alerts, RULE_LOOKUP_MALICIOUS);
	struct ip ip;
	cr_assert(ip_parse(&ip, "203.0.113.9"));
	cr_expect_str_eq(alert_get(a, a->indicator), "203.0.113.9");
	cr_expect(a->has_indicator_ip && ip_equal(&a->indicator_ip, &ip));
	cr_expect_str_eq(alert_get(a, a->indicator_provider), "drop, feodo");
	cr_expect_eq(a->severity, SEVERITY_CRITICAL);
	cr_expect_str_eq(alert_get(a, a->message),
		"10.1.0.7 asked for www.example, whose answer has the address 203.0.113.9, "
		"which is listed as malicious (203.0.113.9 by drop, feodo)");
	cr_expect_str_eq(alert_get(a, a->key), "lookup.malicious|acme|10.1.0.7|203.0.113.9");
	cr_expect_str_eq(
		alert_get(a, alerts_why(a, "listed_address")->value.text), "203.0.113.9/32");
	cr_expect_str_eq(alert_get(a, a->qname), "www.example");
	rig_free(r);
}

Test(lookup_address, of_a_network_the_network_is_the_indicator)
{
	struct rig *r = acme();

	rig_exchange(r, &(struct message){ .qname = "www.example",
				.address = { { "198.51.100.7", 60 } } });
	const struct alert *a = alerts_first(&r->alerts, RULE_LOOKUP_MALICIOUS);
	cr_expect_str_eq(alert_get(a, a->indicator), "198.51.100.0/24");
	cr_expect_str_eq(alert_get(a, alerts_why(a, "address")->value.text), "198.51.100.7");
	rig_free(r);
}

Test(lookup_address, which_answers_are_told)
{
	static const struct {
		const char *name;
		struct message m;
		unsigned alerts;
	} rows[] = {
		{ "not listed", { .qname = "x.example", .address = { { "192.0.2.1", 1 } } },
			0 },
		{ "IPv6",
			{ .qname = "x.example",
				.qtype = DNS_TYPE_AAAA,
				.address = { { "2001:db8:bad::9", 1 } } },
			1 },
		{ "allowed by a longer network",
			{ .qname = "x.example", .address = { { "198.51.100.65", 1 } } }, 0 },
		{ "allowed by its address",
			{ .qname = "x.example", .address = { { "203.0.113.77", 1 } } }, 0 },
		{ "two of one network make one",
			{ .qname = "x.example",
				.address = { { "198.51.100.7", 1 }, { "198.51.100.8", 1 } } },
			1 },
		{ "two feeds' addresses make one",
			{ .qname = "x.example",
				.address = { { "198.51.100.7", 1 }, { "203.0.113.9", 1 } } },
			1 },
		{ "the name is malicious already",
			{ .qname = "evil.example", .address = { { "203.0.113.9", 1 } } }, 1 },
		{ "it leads to a malicious name",
			{ .qname = "x.example",
				.name = { { DNS_TYPE_CNAME, "evil.example", 1, DNS_ANSWER } },
				.address = { { "203.0.113.9", 1 } } },
			1 },
		{ "an allow feed has the name",
			{ .qname = "www.good.example", .address = { { "203.0.113.9", 1 } } },
			0 },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct rig *r = acme();
		rig_exchange(r, &rows[i].m);
		cr_expect_eq(r->alerts.count, rows[i].alerts, "%s: %zu", rows[i].name,
			r->alerts.count);
		rig_free(r);
	}
}

Test(lookup_address, a_resolver_after_its_client_is_an_echo)
{
	struct rig *r = acme();
	struct message m = led_astray;

	rig_exchange(r, &m);
	m.client = "10.1.0.53";
	m.server = "192.0.2.53";
	m.at_ms = 1000;
	rig_exchange(r, &m);
	cr_expect_eq(r->alerts.count, 1);
	m.at_ms = DAY_MS;
	rig_exchange(r, &m);
	cr_expect_eq(r->alerts.count, 2, "the resolver alone is told");
	rig_free(r);
}

static size_t alerts_with_exclude(const char *name)
{
	struct world *w = listed();
	struct policy *p = world_tenant(w, "acme", "10.1.0.0/16");

	world_exclude(p, RULE_LOOKUP_MALICIOUS, NULL, name);
	struct rig *r = rig_new(&lookup_family, w);
	rig_exchange(r, &led_astray);
	size_t count = r->alerts.count;
	rig_free(r);
	return count;
}

Test(lookup_address, is_excluded_by_the_address_or_by_the_name)
{
	cr_expect_eq(alerts_with_exclude("203.0.113.9"), 0);
	cr_expect_eq(alerts_with_exclude("www.example"), 0);
	cr_expect_eq(alerts_with_exclude("other.example"), 1);
}

Test(lookup_address, approval_of_the_name_does_not_cover_it)
{
	struct world *w = listed();
	struct policy *p = world_tenant(w, "acme", "10.1.0.0/16");

	world_approve(w, p, "www.example", NULL, NULL, "");
	struct rig *r = rig_new(&lookup_family, w);
	rig_exchange(r, &led_astray);
	cr_expect_eq(r->alerts.count, 1);
	rig_free(r);
}
