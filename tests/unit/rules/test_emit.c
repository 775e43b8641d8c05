/* SPDX-License-Identifier: BSD-2-Clause */
#include "rules/emit.h"

#include "tests/unit/rules/observations.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include <criterion/criterion.h>

struct bench {
	struct world *world;
	struct emit *emit;
	struct alerts alerts;
	struct observation *o;
};

static void bench_init(struct bench *b)
{
	*b = (struct bench){ .world = world_new() };
	world_tenant(b->world, "acme", "10.1.0.0/16");
	b->emit = emit_new(alerts_keep, &b->alerts);
	cr_assert_not_null(b->emit);
}

static void bench_deinit(struct bench *b)
{
	free(b->o);
	emit_free(b->emit);
	alerts_clear(&b->alerts);
	world_free(b->world);
}

static struct policy *acme(struct bench *b)
{
	return &b->world->known.policies->tenant[1];
}

/* The message in its context; freezes the world the first time. */
static struct exchange see(struct bench *b, const struct message *m)
{
	if (b->world->builder)
		world_freeze(b->world);
	emit_adopt(b->emit, &b->world->known);
	free(b->o);
	b->o = message_observe(b->world, m, 99);
	return (struct exchange){
		.now = b->o,
		.tenant = &b->world->known.policies->tenant[b->o->tenant],
		.tenant_number = b->o->tenant,
		.seq = 99,
		.ts_ns = b->o->ts_ns,
	};
}

static const struct alert *raise_one(
	struct bench *b, const struct exchange *x, const char *name)
{
	struct alert *a = emit_open(b->emit, RULE_LOOKUP_UNAPPROVED, x, name);
	cr_assert_not_null(a);
	alert_why(a, "test", alert_number(1), alert_none(), alert_none());
	emit_commit(b->emit);
	cr_assert_geq(b->alerts.count, 1);
	return b->alerts.alert[b->alerts.count - 1];
}

/* --- the pool ----------------------------------------------------------------------------- */

Test(emit, text_of_nothing_is_absent)
{
	struct alert *a = calloc(1, sizeof(*a));

	cr_assert_eq(alert_put(a, NULL), 0);
	cr_assert_eq(alert_put(a, ""), 0);
	cr_assert_eq(alert_printf(a, "%s", ""), 0);
	cr_assert_str_eq(alert_get(a, 0), "");
	alert_text at = alert_put(a, "x");
	cr_assert_neq(at, 0);
	cr_assert_str_eq(alert_get(a, at), "x");
	free(a);
}

Test(emit, a_full_pool_cuts_and_then_takes_no_more)
{
	struct alert *a = calloc(1, sizeof(*a));
	char *big = malloc(2 * ALERT_POOL_BYTES);

	memset(big, 'x', 2 * ALERT_POOL_BYTES - 1);
	big[2 * ALERT_POOL_BYTES - 1] = '\0';
	alert_text at = alert_put(a, big);
	cr_assert_eq(strlen(alert_get(a, at)), ALERT_POOL_BYTES - 2);
	cr_assert_eq(alert_put(a, "y"), 0);
	cr_assert_eq(alert_printf(a, "%d", 1), 0);
	cr_assert_eq(alert_size(a),
		offsetof(struct alert, pool) + ALERT_POOL_BYTES + ALERT_TEXT_SLACK);
	memset(a, 0, sizeof(*a));
	at = alert_printf(a, "%s%s", "long ", big);
	cr_assert_eq(strlen(alert_get(a, at)), ALERT_POOL_BYTES - 2);
	free(big);
	free(a);
}

/* Into memory that has no octet more. */
Test(emit, a_copy_has_all_that_is_there)
{
	struct alert *a = malloc(sizeof(*a)), *copy;

	memset(a, 0x5a, sizeof(*a));
	alert_init(a, ALERT_RAISED);
	a->tenant_id = alert_put(a, "acme");
	a->ts_ns = 77;
	alert_why(a, "one", alert_number(1), alert_words(a, "words"), alert_none());
	alert_why(a, "two", alert_number(2), alert_none(), alert_none());
	a->indicator_by[a->indicator_count++] = (struct alert_indicator){ .confidence = 9 };
	a->answer[a->answer_count++] = (struct alert_answer){ .ttl = 60 };
	a->resolved[a->resolved_count++] = (struct ip){ .bytes = { 1 } };
	a->related[a->related_count++] = (struct ip){ .bytes = { 2 } };
	a->host[a->host_count++] = alert_put(a, "host.example");
	copy = malloc(alert_size(a));
	memset(copy, 0xa5, alert_size(a));
	alert_copy(copy, a);
	cr_expect_eq(memcmp(copy, a, offsetof(struct alert, indicator_by)), 0);
	cr_expect_eq(memcmp(copy->pool, a->pool, a->pool_len), 0);
	cr_expect_eq(copy->indicator_by[0].confidence, 9);
	cr_expect_str_eq(copy->why[1].feature, "two");
	cr_expect_str_eq(alert_get(copy, copy->why[0].threshold.text), "words");
	cr_expect_eq(copy->answer[0].ttl, 60);
	cr_expect_eq(copy->resolved[0].bytes[0], 1);
	cr_expect_eq(copy->related[0].bytes[0], 2);
	cr_expect_str_eq(alert_get(copy, copy->host[0]), "host.example");
	free(copy);
	free(a);
}

Test(emit, more_reasons_than_fit_are_dropped)
{
	struct alert *a = calloc(1, sizeof(*a));

	for (int i = 0; i < ALERT_WHY_MAX + 3; i++)
		alert_why(a, "r", alert_number(i), alert_none(), alert_none());
	cr_assert_eq(a->why_count, ALERT_WHY_MAX);
	cr_assert_eq(a->why[ALERT_WHY_MAX - 1].value.number, ALERT_WHY_MAX - 1);
	free(a);
}

/* --- what is filled in -------------------------------------------------------------------- */

Test(emit, a_query_fills_in_everything_it_tells)
{
	struct bench b;
	bench_init(&b);
	struct exchange x =
		see(&b, &(struct message){
				.qname = "Cam9.ddns.net", .client_port = 5353, .vlan = 101 });
	const struct alert *a = raise_one(&b, &x, "cam9.ddns.net");

	cr_assert_eq(a->kind, ALERT_RAISED);
	cr_assert_eq(a->rule, RULE_LOOKUP_UNAPPROVED);
	cr_assert_eq(a->severity, SEVERITY_MEDIUM);
	cr_assert_eq(a->score, -1);
	cr_assert_eq(a->seq, 99);
	cr_assert_eq(a->ts_ns, WORLD_START_NS);
	cr_assert_eq(a->start_ns, WORLD_START_NS);
	cr_assert_eq(a->end_ns, WORLD_START_NS);
	cr_assert_eq(a->count, 1);
	cr_assert_eq(a->suppress_ns, 3600 * NS_PER_S);
	cr_assert(a->has_source && a->has_destination && a->has_question && a->has_opcode);
	cr_assert_not(a->has_rcode, "a query has none");
	cr_assert_eq(a->source_port, 5353);
	cr_assert_eq(a->destination_port, 53);
	cr_assert_eq(a->vlan_count, 1);
	cr_assert_eq(a->vlan[0], 101);
	cr_assert_eq(a->tenant, 1);
	cr_assert_str_eq(alert_get(a, a->tenant_id), "acme");
	cr_assert_str_eq(alert_get(a, a->qname), "cam9.ddns.net");
	cr_assert_eq(a->qtype, DNS_TYPE_A);
	cr_assert_str_eq(alert_get(a, a->key), "lookup.unapproved|acme|10.1.0.7|cam9.ddns.net");
	cr_assert_eq(a->host_count, 1);
	bench_deinit(&b);
}

Test(emit, answers_follow_the_chain_of_names)
{
	struct bench b;
	bench_init(&b);
	struct exchange x = see(
		&b, &(struct message){
			    .qname = "www.shop.example",
			    .response = true,
			    .rcode = DNS_RCODE_NOERROR,
			    .name = { { DNS_TYPE_CNAME, "edge.shop.example", 300, DNS_ANSWER },
				    { DNS_TYPE_CNAME, "cam.ddns.net", 60, DNS_ANSWER } },
			    .address = { { "192.0.2.1", 30 }, { "2001:db8::1", 30 } },
		    });
	const struct alert *a = raise_one(&b, &x, "cam.ddns.net");
	static const struct {
		const char *name, *data;
		uint16_t type;
		uint32_t ttl;
	} rows[] = {
		{ "www.shop.example", "edge.shop.example", DNS_TYPE_CNAME, 300 },
		{ "edge.shop.example", "cam.ddns.net", DNS_TYPE_CNAME, 60 },
		{ "cam.ddns.net", "192.0.2.1", DNS_TYPE_A, 30 },
		{ "cam.ddns.net", "2001:db8::1", DNS_TYPE_AAAA, 30 },
	};

	cr_assert(a->has_rcode);
	cr_assert_eq(a->answer_count, ARRAY_LEN(rows));
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		cr_assert_str_eq(alert_get(a, a->answer[i].name), rows[i].name, "row %zu", i);
		cr_assert_str_eq(alert_get(a, a->answer[i].data), rows[i].data, "row %zu", i);
		cr_assert_eq(a->answer[i].type, rows[i].type, "row %zu", i);
		cr_assert_eq(a->answer[i].ttl, rows[i].ttl, "row %zu", i);
	}
	cr_assert_eq(a->resolved_count, 2);
	cr_assert_eq(a->related_count, 2);
	cr_assert_eq(a->host_count, 3, "each name once");
	bench_deinit(&b);
}

Test(emit, more_answers_than_fit_keep_the_first_ones)
{
	struct bench b;
	bench_init(&b);
	struct message m = { .qname = "a.example", .response = true };
	for (size_t i = 0; i < 40; i++)
		m.address[i].ip = "192.0.2.1";
	struct exchange x = see(&b, &m);
	const struct alert *a = raise_one(&b, &x, NULL);

	cr_assert_eq(a->answer_count, ALERT_ANSWERS_MAX);
	cr_assert_eq(a->resolved_count, ALERT_ADDRESSES_MAX);
	bench_deinit(&b);
}

Test(emit, the_registered_domain_is_that_of_the_question)
{
	static const struct {
		const char *qname, *registered;
	} rows[] = {
		{ "a.b.example.co.uk", "example.co.uk" },
		{ "x.cam7.duckdns.org", "cam7.duckdns.org" },
		{ "com", "" },
		{ "a\\.b.example.co.uk", "example.co.uk" },
		{ "w.a\\.b.co.uk", "a\\.b.co.uk" },
		{ "w.\\001.com", "\\001.com" },
		{ "example.com", "example.com" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct bench b;
		bench_init(&b);
		struct exchange x = see(&b, &(struct message){ .qname = rows[i].qname });
		const struct alert *a = raise_one(&b, &x, NULL);
		cr_assert_str_eq(alert_get(a, a->registered_domain), rows[i].registered, "%s",
			rows[i].qname);
		bench_deinit(&b);
	}
}

Test(emit, another_question_can_be_put_in_its_place)
{
	struct bench b;
	bench_init(&b);
	struct exchange x = see(&b, &(struct message){ .qname = "corp.example" });
	struct alert *a =
		emit_open(b.emit, RULE_UPDATE_UNSIGNED_ACCEPTED, &x, "host.corp.example");
	emit_question(b.emit, "host.corp.example", DNS_TYPE_AAAA);
	alert_why(a, "test", alert_number(1), alert_none(), alert_none());
	emit_commit(b.emit);
	const struct alert *out = b.alerts.alert[0];
	cr_assert_str_eq(alert_get(out, out->qname), "host.corp.example");
	cr_assert_eq(out->qtype, DNS_TYPE_AAAA);
	cr_assert_str_eq(alert_get(out, out->registered_domain), "corp.example");
	cr_assert_eq(out->host_count, 2);
	bench_deinit(&b);
}

Test(emit, the_registered_domain_is_that_of_the_question_put_in_its_place)
{
	struct bench b;
	bench_init(&b);
	struct exchange x = see(&b, &(struct message){ .qname = "www.corp.example" });
	emit_open(b.emit, RULE_UPDATE_UNSIGNED_ACCEPTED, &x, NULL);
	emit_question(b.emit, "host.other\\.name.net", DNS_TYPE_A);
	emit_commit(b.emit);
	const struct alert *out = b.alerts.alert[0];
	cr_assert_str_eq(alert_get(out, out->registered_domain), "other\\.name.net");
	bench_deinit(&b);
}

/* --- off and excluded --------------------------------------------------------------------- */

Test(emit, a_rule_that_is_off_says_nothing)
{
	struct bench b;
	bench_init(&b);
	world_option(acme(&b), RULE_LOOKUP_UNAPPROVED, "enabled", "false");
	struct exchange x = see(&b, &(struct message){ .qname = "a.example" });

	cr_assert_null(emit_open(b.emit, RULE_LOOKUP_UNAPPROVED, &x, "a.example"));
	cr_assert_not_null(emit_open(b.emit, RULE_LOOKUP_MALICIOUS, &x, "a.example"));
	bench_deinit(&b);
}

Test(emit, exclusions_hold_for_rule_client_and_name)
{
	static const struct {
		const char *why;
		enum rule_id rule;
		const char *client, *name;
		const char *key; /* of the alert */
		bool excluded;
	} rows[] = {
		{ "all", RULE_COUNT, NULL, NULL, "k.example", true },
		{ "rule", RULE_LOOKUP_UNAPPROVED, NULL, NULL, "k.example", true },
		{ "other rule", RULE_LOOKUP_MALICIOUS, NULL, NULL, "k.example", false },
		{ "client", RULE_COUNT, "10.1.0.7", NULL, "k.example", true },
		{ "other client", RULE_COUNT, "10.1.0.8", NULL, "k.example", false },
		{ "key", RULE_COUNT, NULL, "k.example", "k.example", true },
		{ "question", RULE_COUNT, NULL, "www.k.example", "k.example", true },
		{ "below", RULE_COUNT, NULL, "*.k.example", "k.example", true },
		{ "other name", RULE_COUNT, NULL, "l.example", "k.example", false },
		{ "a name, but the client is the key", RULE_COUNT, NULL, "www.k.example", NULL,
			false },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct bench b;
		bench_init(&b);
		world_exclude(acme(&b), rows[i].rule, rows[i].client, rows[i].name);
		struct exchange x = see(&b, &(struct message){ .qname = "www.k.example" });
		cr_assert_eq(!emit_open(b.emit, RULE_LOOKUP_UNAPPROVED, &x, rows[i].key),
			rows[i].excluded, "%s", rows[i].why);
		bench_deinit(&b);
	}
}

Test(emit, on_a_tick_the_client_brings_its_exclusions)
{
	static const char *const clients[] = { "10.1.0.7", "10.1.0.8" };

	for (size_t i = 0; i < ARRAY_LEN(clients); i++) {
		struct bench b;
		struct ip client;
		bench_init(&b);
		world_exclude(acme(&b), RULE_NXDOMAIN_SPIKE, "10.1.0.7", NULL);
		struct exchange x = see(&b, &(struct message){ .qname = "a.example" });
		x.now = NULL;
		struct alert *a = emit_open(b.emit, RULE_NXDOMAIN_SPIKE, &x, NULL);
		cr_assert_not_null(a);
		cr_assert_not(a->has_source);
		cr_assert(ip_parse(&client, clients[i]));
		emit_client(b.emit, &client, NULL);
		alert_why(a, "test", alert_number(1), alert_none(), alert_none());
		emit_commit(b.emit);
		cr_assert_eq(b.alerts.count, i, "%s", clients[i]);
		if (i == 1)
			cr_assert_str_eq(alert_get(b.alerts.alert[0], b.alerts.alert[0]->key),
				"nxdomain.spike|acme|10.1.0.8|");
		bench_deinit(&b);
	}
}

Test(emit, nothing_of_one_alert_is_left_in_the_next)
{
	struct bench b;
	bench_init(&b);
	struct exchange x = see(&b, &(struct message){ .qname = "a.example",
					    .response = true,
					    .rcode = 3,
					    .vlan = 9,
					    .address = { { "192.0.2.1", 5 } } });
	raise_one(&b, &x, "a.example");
	x = see(&b, &(struct message){ .qname = "b.example", .client = "2001:db8::9" });
	const struct alert *a = raise_one(&b, &x, NULL);
	cr_assert_eq(a->answer_count + a->resolved_count + a->vlan_count + a->has_rcode, 0);
	cr_assert_eq(a->why_count, 1);
	cr_assert_eq(a->host_count, 1);
	cr_assert_str_eq(alert_get(a, a->key), "lookup.unapproved|acme|2001:db8::9|");
	bench_deinit(&b);
}

/* --- lines to paste ----------------------------------------------------------------------- */

static void check_yaml(const char *text)
{
	yaml_parser_t parser;
	yaml_document_t document;

	cr_assert(yaml_parser_initialize(&parser));
	yaml_parser_set_input_string(&parser, (const unsigned char *)text, strlen(text));
	cr_assert(
		yaml_parser_load(&parser, &document), "not YAML: %s\n%s", parser.problem, text);
	yaml_node_t *root = yaml_document_get_root_node(&document);
	cr_assert_not_null(root);
	cr_assert_eq(root->type, YAML_MAPPING_NODE, "%s", text);
	yaml_document_delete(&document);
	yaml_parser_delete(&parser);
}

Test(emit, the_hint_is_an_exclude_entry_when_the_rule_has_none_better)
{
	struct bench b;
	bench_init(&b);
	struct exchange x = see(&b, &(struct message){ .qname = "a.example" });
	const struct alert *a = raise_one(&b, &x, "*.example");

	cr_assert_str_eq(alert_get(a, a->allow_hint),
		"tenants:\n"
		"  - id: acme\n"
		"    exclude:\n"
		"      - {rule: lookup.unapproved, clients: [10.1.0.7], names: "
		"[\"*.example\"]}\n");
	check_yaml(alert_get(a, a->allow_hint));
	bench_deinit(&b);
}

Test(emit, the_hint_of_a_client_has_no_names)
{
	struct bench b;
	bench_init(&b);
	struct exchange x = see(&b, &(struct message){ .qname = "a.example" });
	const struct alert *a = raise_one(&b, &x, NULL);

	cr_assert_str_eq(alert_get(a, a->allow_hint),
		"tenants:\n"
		"  - id: acme\n"
		"    exclude:\n"
		"      - {rule: lookup.unapproved, clients: [10.1.0.7]}\n");
	bench_deinit(&b);
}

Test(emit, traffic_of_nobody_is_told_to_get_a_tenant)
{
	struct bench b;
	bench_init(&b);
	struct exchange x = see(&b,
		&(struct message){
			.qname = "cam9.ddns.net", .client = "2001:db8::7", .unmapped = true });
	struct alert *a = emit_open(b.emit, RULE_LOOKUP_UNAPPROVED, &x, "cam9.ddns.net");
	alert_why(a, "test", alert_number(1), alert_none(), alert_none());
	emit_hint_approve(b.emit, "cam9.ddns.net");
	emit_commit(b.emit);
	const char *hint = alert_get(b.alerts.alert[0], b.alerts.alert[0]->allow_hint);
	cr_assert_str_eq(hint,
		"# no tenant has this client yet: choose an id and its networks\n"
		"tenants:\n"
		"  - id: new-tenant\n"
		"    select:\n"
		"      networks: [\"2001:db8::7/128\"]\n"
		"    ddns:\n"
		"      approved:\n"
		"        - name: cam9.ddns.net\n");
	check_yaml(hint);
	bench_deinit(&b);
}

Test(emit, text_is_quoted_when_yaml_would_read_something_else)
{
	static const struct {
		const char *text, *yaml;
	} rows[] = {
		{ "cam9.ddns.net", "cam9.ddns.net" },
		{ "10.1.0.25", "10.1.0.25" },
		{ "10.1.0.0/16", "10.1.0.0/16" },
		{ "2001:db8::1", "\"2001:db8::1\"" },
		{ "*.x", "\"*.x\"" },
		{ "_ldap._tcp.x", "\"_ldap._tcp.x\"" },
		{ "true", "\"true\"" },
		{ "No", "\"No\"" },
		{ "", "\"\"" },
		{ "a\\.b", "\"a\\\\.b\"" },
		{ "say \"x\"", "\"say \\\"x\\\"\"" },
		{ "a, b", "\"a, b\"" },
		{ "#x", "\"#x\"" },
	};
	struct bench b;
	bench_init(&b);

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		cr_assert_str_eq(
			emit_yaml(b.emit, rows[i].text), rows[i].yaml, "%s", rows[i].text);
	/* Every octet, as what follows the first one. */
	for (int octet = 1; octet < 256; octet++) {
		char text[] = { 'a', (char)octet, 'b', '\0' };
		bool plain = (octet < 0x80 && isalnum(octet)) || strchr("._/-", octet);
		cr_expect_eq(emit_yaml(b.emit, text)[0] == 'a', plain, "%#x", octet);
	}
	bench_deinit(&b);
}

Test(emit, the_longest_name_with_escapes_keeps_its_hint_whole)
{
	struct bench b;
	char name[DNS_NAME_TEXT_MAX] = "";
	bench_init(&b);
	for (int label = 0; label < 4; label++) {
		for (int i = 0; i < (label < 3 ? 63 : 61); i++)
			strcat(name, "\\001");
		strcat(name, label < 3 ? "." : "");
	}
	struct exchange x = see(&b, &(struct message){ .qname = name });
	const struct alert *a = raise_one(&b, &x, name);
	cr_assert_str_eq(alert_get(a, a->qname), name);
	check_yaml(alert_get(a, a->allow_hint));
	bench_deinit(&b);
}
