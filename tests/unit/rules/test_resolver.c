/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/rules/observations.h"

#include <stdio.h>
#include <string.h>

#include <criterion/criterion.h>

/* acme: 10.1.0.0/16, resolvers 10.1.0.53 and 9.9.9.9, zone server 192.0.2.53; beta: none. */
static struct rig *acme(void)
{
	struct world *w = world_new();
	struct policy *p = world_tenant(w, "acme", "10.1.0.0/16");
	cr_assert(ip_set_add(&p->resolvers, "10.1.0.53"));
	cr_assert(ip_set_add(&p->resolvers, "9.9.9.9"));
	world_zone(p, "corp.example", "192.0.2.53", true);
	world_tenant(w, "beta", "10.2.0.0/16");
	return rig_new(&resolver_family, w);
}

Test(resolver, only_a_foreign_server_asked_to_resolve_is_one)
{
	static const struct {
		const char *name;
		struct message m;
		size_t alerts;
	} rows[] = {
		{ "foreign", { .server = "8.8.8.8" }, 1 },
		{ "foreign IPv6", { .server = "2001:4860:4860::8888" }, 1 },
		{ "over TCP", { .server = "8.8.8.8", .tcp = true }, 1 },
		{ "own resolver", { .server = "10.1.0.53" }, 0 },
		{ "own resolver outside", { .server = "9.9.9.9" }, 0 },
		{ "zone server", { .server = "192.0.2.53" }, 0 },
		{ "address of the tenant", { .server = "10.1.77.1" }, 0 },
		{ "without RD", { .server = "8.8.8.8", .no_rd = true }, 0 },
		{ "response, nothing else seen", { .server = "8.8.8.8", .response = true }, 1 },
		{ "UPDATE", { .server = "8.8.8.8", .opcode = DNS_OPCODE_UPDATE }, 0 },
		{ "NOTIFY", { .server = "8.8.8.8", .opcode = DNS_OPCODE_NOTIFY }, 0 },
		{ "multicast", { .server = "224.0.0.251" }, 0 },
		{ "multicast IPv6", { .server = "ff02::fb" }, 0 },
		{ "by the resolver", { .client = "10.1.0.53", .server = "8.8.8.8" }, 0 },
		{ "by the zone server", { .client = "192.0.2.53", .server = "8.8.8.8" }, 0 },
		{ "tenant without resolvers", { .tenant = 2, .server = "8.8.8.8" }, 0 },
		{ "nobody's", { .unmapped = true, .server = "8.8.8.8" }, 0 },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct rig *r = acme();
		struct message m = rows[i].m;
		m.qname = "www.example";
		rig_see(r, &m);
		cr_assert_eq(rig_count(r, RULE_RESOLVER_UNAPPROVED), rows[i].alerts, "%s",
			rows[i].name);
		rig_free(r);
	}
}

Test(resolver, the_alert_names_the_server_and_counts_queries)
{
	struct rig *r = acme();
	rig_see(r, &(struct message){ .qname = "a.example", .server = "8.8.8.8" });
	const struct alert *a = alerts_first(&r->alerts, RULE_RESOLVER_UNAPPROVED);

	cr_assert_eq(a->severity, SEVERITY_LOW);
	cr_assert_str_eq(alert_get(a, a->key), "resolver.unapproved|acme|10.1.0.7|8.8.8.8");
	cr_assert_str_eq(alert_get(a, a->message),
		"10.1.0.7 resolves names at 8.8.8.8, which is not one of acme's resolvers");
	cr_assert_eq(alerts_why(a, "queries")->value.number, 1);
	cr_assert_not_null(strstr(alert_get(a, a->allow_hint), "names: [8.8.8.8]"));
	rig_free(r);
}

Test(resolver, one_alert_a_second_carries_all_queries)
{
	struct rig *r = acme();
	struct message m = { .qname = "a.example", .server = "8.8.8.8" };

	for (int i = 0; i < 25; i++) {
		m.at_ms = i * 100;
		rig_see(r, &m);
	}
	cr_assert_eq(rig_count(r, RULE_RESOLVER_UNAPPROVED), 3);
	const struct alert *a = alerts_last(&r->alerts, RULE_RESOLVER_UNAPPROVED);
	cr_assert_eq(a->count, 10);
	cr_assert_eq(a->start_ns, WORLD_START_NS + 1100 * NS_PER_MS);
	cr_assert_eq(a->end_ns, WORLD_START_NS + 2000 * NS_PER_MS);
	cr_assert_eq(alerts_why(a, "queries")->value.number, 21);
	rig_free(r);
}

Test(resolver, clients_and_servers_are_counted_apart)
{
	struct rig *r = acme();
	rig_see(r, &(struct message){ .qname = "a.example", .server = "8.8.8.8" });
	rig_see(r, &(struct message){ .qname = "a.example", .server = "1.1.1.1" });
	rig_see(r, &(struct message){
			   .qname = "a.example", .server = "8.8.8.8", .client = "10.1.0.8" });
	cr_assert_eq(rig_count(r, RULE_RESOLVER_UNAPPROVED), 3);
	rig_free(r);
}

Test(resolver, many_servers_of_two_tenants_are_not_confused)
{
	struct world *w = world_new();
	struct policy *p = world_tenant(w, "acme", "10.1.0.0/16");
	cr_assert(ip_set_add(&p->resolvers, "10.1.0.53"));
	p = world_tenant(w, "beta", "10.2.0.0/16");
	cr_assert(ip_set_add(&p->resolvers, "10.2.0.53"));
	struct rig *r = rig_new_sized(&resolver_family, w, 16 << 20);
	char server[32];

	for (unsigned i = 0; i < 5000; i++) {
		snprintf(server, sizeof(server), "10.1.%u.%u", i / 250, 1 + i % 250);
		rig_see(r, &(struct message){ .qname = "a.example", .server = server });
		rig_see(r, &(struct message){
				   .qname = "a.example", .tenant = 2, .server = server });
	}
	cr_assert_eq(rig_count(r, RULE_RESOLVER_UNAPPROVED), 5000);
	for (size_t i = 0; i < r->alerts.count; i++)
		cr_assert_eq(r->alerts.alert[i]->tenant, 2);
	rig_free(r);
}

/* Hundreds of tenants leave each room for a few servers: more are asked about again, and again rightly. */
Test(resolver, among_many_tenants_more_servers_than_there_is_room_for)
{
	struct world *w = world_new();
	char text[32];

	for (unsigned t = 0; t < 400; t++) {
		snprintf(text, sizeof(text), "t%u", t);
		struct policy *p = world_tenant(w, text, NULL);
		for (unsigned i = 0; i < 6; i++) {
			snprintf(text, sizeof(text), "10.%u.%u.%u", t / 256, t % 256, i + 1);
			cr_assert(ip_set_add(&p->resolvers, text));
		}
	}
	struct rig *r = rig_new_sized(&resolver_family, w, 16 << 20);
	for (unsigned round = 0; round < 2; round++) {
		for (unsigned t = 0; t < 400; t++) {
			for (unsigned i = 0; i < 7; i++) { /* the last is foreign */
				snprintf(text, sizeof(text), "10.%u.%u.%u", t / 256, t % 256,
					i + 1);
				rig_see(r, &(struct message){ .qname = "a.example",
						   .tenant = (uint16_t)(t + 1),
						   .server = text });
			}
		}
	}
	cr_assert_eq(rig_count(r, RULE_RESOLVER_UNAPPROVED), 400); /* one a second */
	for (size_t i = 0; i < r->alerts.count; i++)
		cr_assert_str_eq(
			strrchr(alert_get(r->alerts.alert[i], r->alerts.alert[i]->key), '.'),
			".7");
	rig_free(r);
}

Test(resolver, an_exclusion_of_the_server_silences)
{
	struct world *w = world_new();
	struct policy *p = world_tenant(w, "acme", "10.1.0.0/16");
	cr_assert(ip_set_add(&p->resolvers, "10.1.0.53"));
	world_exclude(p, RULE_RESOLVER_UNAPPROVED, "10.1.0.7", "8.8.8.8");
	struct rig *r = rig_new(&resolver_family, w);

	rig_see(r, &(struct message){ .qname = "a.example", .server = "8.8.8.8" });
	cr_assert_eq(rig_count(r, RULE_RESOLVER_UNAPPROVED), 0);
	rig_see(r, &(struct message){ .qname = "a.example", .server = "8.8.4.4" });
	cr_assert_eq(rig_count(r, RULE_RESOLVER_UNAPPROVED), 1);
	rig_free(r);
}

Test(resolver, its_table_is_in_the_books)
{
	struct rig *r = acme();
	rig_see(r, &(struct message){ .qname = "a.example", .server = "8.8.8.8" });
	struct judge_stats s = rig_stats(r);
	cr_assert_eq(s.table_count, 1);
	cr_assert_str_eq(s.table[0].name, "resolver_uses");
	cr_assert_eq(s.table[0].used, 1);
	rig_free(r);
}
