/* SPDX-License-Identifier: BSD-2-Clause */
#include "sensor/output/ecs.h"

#include "rules/observation.h"
#include "sensor/base/attribute.h"
#include "tests/unit/output/sample.h"

#include <criterion/criterion.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

static const struct ecs_observer observer = { "edge-1", "0.1.0" };

#define ID "0123456789abcdef0123456789abcdef"

static struct alert a;
static struct text line;

static struct ecs *writer(void)
{
	static struct ecs *ecs;

	if (!ecs)
		ecs = ecs_new(&observer);
	cr_assert_not_null(ecs);
	return ecs;
}

static const char *written(void)
{
	text_clear(&line);
	ecs_write(writer(), &line, &a, ID);
	cr_assert(!line.failed);
	return line.at;
}

static json_t *parsed(void)
{
	json_error_t error;
	const char *text = written();
	json_t *root = json_loads(text, JSON_REJECT_DUPLICATES, &error);

	cr_assert_not_null(root, "%s: %s", error.text, text);
	return root;
}

/* The value at "a.b.c"; NULL when there is none. */
static json_t *at(json_t *root, const char *path)
{
	char part[64];

	while (root && *path) {
		size_t len = strcspn(path, "/");
		snprintf(part, sizeof(part), "%.*s", (int)len, path);
		root = json_object_get(root, part);
		path += len + (path[len] == '/');
	}
	return root;
}

static void plain(void)
{
	sample_plain(&a, "lookup.unapproved|acme|10.1.0.9|cam7.duckdns.org", SAMPLE_NOON_NS);
}

static void of_a_tick(void)
{
	plain();
	a.has_source = true;
	cr_assert(ip_parse(&a.source, "10.1.0.9"));
}

static void one_vlan(void)
{
	plain();
	a.vlan[0] = 4094;
	a.vlan_count = 1;
}

static void refused_update(void)
{
	plain();
	a.rule = RULE_UPDATE_UNSIGNED_ATTEMPT;
	a.severity = SEVERITY_LOW;
	a.has_opcode = a.has_rcode = a.has_question = true;
	a.opcode = 5;
	a.rcode = 5;
	a.qtype = 65280;
	a.qname = alert_put(&a, "www.corp.example");
	a.host[0] = a.qname;
	a.host[1] = alert_put(&a, "ftp.corp.example");
	a.host_count = 2;
}

static void no_technique_no_reason(void)
{
	plain();
	a.rule = RULE_SENSOR_DEGRADED;
	a.why_count = 0;
	a.count = 9;
}

static void full(void)
{
	sample_full(&a);
}

#define HEAD(number, category, type, id, name, techniques)                                     \
	"{\"@timestamp\":\"2026-11-22T12:00:00.000000000Z\",\"ecs\":{\"version\":\"8.11.0\"}," \
	"\"message\":\"10.1.0.9 looked up cam7.duckdns.org\","                                 \
	"\"event\":{\"kind\":\"alert\",\"category\":[" category "],\"type\":[\"" type "\"],"   \
	"\"module\":\"dynwatch\",\"id\":\"" ID "\",\"severity\":" number ","                   \
	"\"start\":\"2026-11-22T12:00:00.000000000Z\","                                        \
	"\"end\":\"2026-11-22T12:00:00.000000000Z\"},"                                         \
	"\"rule\":{\"id\":\"" id "\",\"name\":\"" name                                         \
	"\"},\"organization\":{\"id\":\"acme\"},"                                              \
	"\"observer\":{\"name\":\"edge-1\",\"product\":\"dynwatch\",\"version\":\"0.1.0\"},"   \
	"\"threat\":{\"technique\":{\"id\":[" techniques "]}},"
#define UNAPPROVED                                                                             \
	HEAD("47", "\"network\"", "info", "lookup.unapproved",                                 \
		"Look-up of an unapproved dynamic-DNS name", "\"T1568\"")
#define TAIL(severity)                                                                         \
	"\"dynwatch\":{\"severity\":\"" severity "\",\"count\":1,\"why\":[{\"feature\":"       \
	"\"provider\",\"value\":\"duckdns\",\"threshold\":null,\"baseline\":null}],"           \
	"\"allow_hint\":\"approved: [{name: cam7.duckdns.org}]\"}}"

static const struct {
	const char *name;
	void (*make)(void);
	const char *line;
} golden[] = {
	{ "the least", plain, UNAPPROVED TAIL("medium") },
	{ "client only", of_a_tick,
		UNAPPROVED "\"source\":{\"ip\":\"10.1.0.9\"},"
			   "\"related\":{\"ip\":[\"10.1.0.9\"]}," TAIL("medium") },
	{ "one VLAN tag", one_vlan,
		UNAPPROVED "\"network\":{\"vlan\":{\"id\":\"4094\"}}," TAIL("medium") },
	{ "refused update", refused_update,
		HEAD("21", "\"network\"", "denied", "update.unsigned_attempt",
			"Unsigned DNS UPDATE refused",
			"\"T1565.002\"") "\"dns\":{\"op_code\":\"UPDATE\",\"question\":{"
					 "\"name\":\"www.corp.example\","
					 "\"type\":\"TYPE65280\"},\"response_code\":"
					 "\"REFUSED\"},"
					 "\"related\":{\"hosts\":[\"www.corp.example\",\"ftp."
					 "corp.example\"]}," TAIL("low") },
	{ "no technique, no reason", no_technique_no_reason,
		HEAD("47", "\"host\"", "error", "sensor.degraded", "Sensor degraded",
			"") "\"dynwatch\":{\"severity\":\"medium\",\"count\":9,\"why\":[{"
			    "\"feature\":"
			    "\"observations\",\"value\":9,\"threshold\":null,\"baseline\":null}"
			    "],"
			    "\"allow_hint\":\"approved: [{name: cam7.duckdns.org}]\"}}" },
	{ "everything", full,
		"{\"@timestamp\":\"2026-11-22T12:00:00.123456789Z\",\"ecs\":{\"version\":"
		"\"8.11.0\"},\"message\":\"10.1.0.9 was led to c2.evil.example\","
		"\"event\":{\"kind\":\"alert\",\"category\":[\"network\",\"intrusion_"
		"detection\"],"
		"\"type\":[\"indicator\"],\"module\":\"dynwatch\",\"id\":\"" ID "\","
		"\"severity\":99,\"start\":\"2026-11-22T12:00:00.000000000Z\","
		"\"end\":\"2026-11-22T12:00:01.000000000Z\"},\"rule\":{\"id\":"
		"\"lookup.malicious\",\"name\":\"Look-up of a known malicious name\"},"
		"\"organization\":{\"id\":\"acme\"},\"observer\":{\"name\":\"edge-1\","
		"\"product\":\"dynwatch\",\"version\":\"0.1.0\"},\"threat\":{\"technique\":"
		"{\"id\":[\"T1568\",\"T1071.004\"]},\"indicator\":{\"name\":\"evil.example\","
		"\"type\":\"domain-name\","
		"\"provider\":\"urlhaus\",\"confidence\":\"High\",\"first_seen\":"
		"\"2026-11-22T11:00:00.000000000Z\",\"description\":\"Emotet\",\"reference\":"
		"\"https://r.example/"
		"\",\"marking\":{\"tlp\":\"AMBER\"}}},\"source\":{\"ip\":\"10.1.0.9\",\"port\":"
		"40000,"
		"\"geo\":{\"country_iso_code\":\"DE\"},\"as\":{\"number\":64500}},"
		"\"destination\":{\"ip\":\"2001:db8::53\",\"port\":53,\"geo\":"
		"{\"country_iso_code\":\"US\"},\"as\":{\"number\":64501}},\"network\":"
		"{\"transport\":\"tcp\",\"vlan\":{\"id\":\"101\"},\"inner\":{\"vlan\":{\"id\":"
		"\"7\"}}},\"dns\":{\"op_code\":\"QUERY\",\"question\":{\"name\":"
		"\"www.shop.example\",\"type\":\"A\",\"registered_domain\":\"shop.example\"},"
		"\"response_code\":\"NOERROR\",\"answers\":[{\"name\":\"www.shop.example\","
		"\"type\":\"CNAME\",\"ttl\":300,\"data\":\"c2.evil.example\"},{\"name\":"
		"\"c2.evil.example\",\"type\":\"A\",\"ttl\":60,\"data\":\"192.0.2.7\"}],"
		"\"resolved_ip\":[\"192.0.2.7\"]},\"related\":{\"ip\":[\"10.1.0.9\","
		"\"2001:db8::53\",\"192.0.2.7\",\"198.51.100.1\"],\"hosts\":"
		"[\"www.shop.example\",\"c2.evil.example\"]},\"dynwatch\":{\"severity\":"
		"\"critical\",\"score\":87,\"count\":12,\"suppressed\":4,\"zone\":"
		"\"corp.example\",\"key\":\"ddns-key\",\"indicators\":[{\"feed\":\"urlhaus\","
		"\"confidence\":20,\"first_seen\":\"2026-11-22T11:59:00.000000000Z\"},"
		"{\"feed\":\"fox\",\"category\":\"Emotet\",\"confidence\":75,"
		"\"first_seen\":\"2026-11-22T11:00:00.000000000Z\",\"valid_until\":"
		"\"2026-11-22T13:00:00.000000000Z\",\"reference\":\"https://r.example/\"}],"
		"\"why\":[{\"feature\":\"feed\","
		"\"value\":"
		"\"urlhaus\",\"threshold\":null,\"baseline\":null},{\"feature\":\"ratio\","
		"\"value\":0.25,\"threshold\":3,\"baseline\":-1.5}],\"allow_hint\":"
		"\"exclude:\\n  - {rule: lookup.malicious}\"}}" },
};

Test(ecs, writes_each_alert_as_its_golden_line)
{
	for (size_t i = 0; i < ARRAY_LEN(golden); i++) {
		golden[i].make();
		cr_expect_str_eq(written(), golden[i].line, "%s:\n got %s\nwant %s",
			golden[i].name, written(), golden[i].line);
		json_t *root = parsed();
		json_decref(root);
	}
}

/* Present in every alert, whatever it is about. */
static const char *const always[] = { "@timestamp", "ecs/version", "message", "event/kind",
	"event/category", "event/type", "event/module", "event/id", "event/severity",
	"event/start", "event/end", "rule/id", "rule/name", "organization/id", "observer/name",
	"observer/product", "observer/version", "threat/technique/id", "dynwatch/severity",
	"dynwatch/count", "dynwatch/why", "dynwatch/allow_hint" };

Test(ecs, always_has_the_fields_that_consumers_rely_on)
{
	for (size_t i = 0; i < ARRAY_LEN(golden); i++) {
		golden[i].make();
		json_t *root = parsed();
		for (size_t k = 0; k < ARRAY_LEN(always); k++)
			cr_expect_not_null(
				at(root, always[k]), "%s: %s", golden[i].name, always[k]);
		cr_expect_gt(
			json_array_size(at(root, "dynwatch/why")), 0, "%s", golden[i].name);
		json_decref(root);
	}
}

Test(ecs, every_rule_has_its_category_and_type)
{
	for (unsigned rule = 0; rule < RULE_COUNT; rule++) {
		plain();
		a.rule = (uint8_t)rule;
		json_t *root = parsed();
		cr_expect_gt(json_array_size(at(root, "event/category")), 0, "%s",
			rule_table[rule].id);
		cr_expect_gt(
			json_array_size(at(root, "event/type")), 0, "%s", rule_table[rule].id);
		cr_expect_str_eq(json_string_value(at(root, "rule/id")), rule_table[rule].id);
		json_decref(root);
	}
}

static const struct {
	const char *name, *text;
} hostile[] = {
	{ "quotes and backslashes", "a\"b\\c\\\"d" },
	{ "control characters", "\x01\x02\b\f\n\r\t\x1b[31m\x7f" },
	{ "half a UTF-8 sequence", "caf\xc3" },
	{ "overlong UTF-8", "\xc0\xaf\xe0\x80\xaf" },
	{ "surrogate", "\xed\xa0\x80" },
	{ "beyond Unicode", "\xf4\x90\x80\x80\xff\xfe" },
	{ "an end of JSON", "\"}]}\n{\"@timestamp\":\"" },
	{ "good UTF-8", "m\xc3\xbcnchen.example" },
};

Test(ecs, stays_valid_json_whatever_the_texts_hold)
{
	for (size_t i = 0; i < ARRAY_LEN(hostile); i++) {
		const char *text = hostile[i].text;
		sample_full(&a);
		alert_text put = alert_put(&a, text);
		a.message = a.qname = a.registered_domain = a.tenant_id = a.zone = put;
		a.indicator = a.host[0] = a.answer[0].data = a.allow_hint = a.key_name = put;
		alert_why(&a, "text", alert_words(&a, text), alert_none(), alert_none());
		json_t *root = parsed();
		cr_expect_null(strchr(written(), '\n'), "%s: one line", hostile[i].name);
		cr_expect(json_is_string(at(root, "dns/question/name")), "%s", hostile[i].name);
		json_decref(root);
	}
}

Test(ecs, takes_an_alert_that_is_full_to_its_limits)
{
	plain();
	a.has_source = a.has_destination = true;
	a.host_count = ALERT_HOSTS_MAX;
	a.qname = alert_put(&a, "q.example");
	a.resolved_count = a.related_count = ALERT_ADDRESSES_MAX;
	for (unsigned i = 0; i < ALERT_ADDRESSES_MAX; i++) {
		a.resolved[i].bytes[15] = (uint8_t)(i + 1);
		a.related[i].bytes[15] = (uint8_t)(i + 101);
		a.host[i] = alert_printf(&a, "h%u.example", i);
	}
	a.destination.bytes[0] = 1;
	a.answer_count = ALERT_ANSWERS_MAX;
	while (a.why_count < ALERT_WHY_MAX)
		alert_why(&a, "more", alert_number(1), alert_number(2), alert_number(3));
	json_t *root = parsed();
	cr_expect_eq(json_array_size(at(root, "related/ip")), 2 + 2 * ALERT_ADDRESSES_MAX);
	cr_expect_eq(json_array_size(at(root, "related/hosts")), ALERT_HOSTS_MAX);
	cr_expect_eq(json_array_size(at(root, "dynwatch/why")), ALERT_WHY_MAX);
	json_decref(root);
}

static const struct {
	enum observation_transport transport;
	const char *ip, *cover;
} transports[] = {
	{ TRANSPORT_UDP, "udp", NULL },
	{ TRANSPORT_TCP, "tcp", NULL },
	{ TRANSPORT_DOT, "tcp", "dot" },
	{ TRANSPORT_DOH, "tcp", "doh" },
	{ TRANSPORT_DOQ, "udp", "doq" },
	{ TRANSPORT_DNSCRYPT_UDP, "udp", "dnscrypt" },
	{ TRANSPORT_DNSCRYPT_TCP, "tcp", "dnscrypt" },
};

Test(ecs, tells_what_encrypted_a_message_and_what_carried_it)
{
	for (size_t i = 0; i < ARRAY_LEN(transports); i++) {
		sample_full(&a);
		a.transport = (uint8_t)transports[i].transport;
		json_t *root = parsed();
		cr_expect_str_eq(json_string_value(at(root, "network/transport")),
			transports[i].ip, "%zu", i);
		const char *cover = json_string_value(at(root, "dynwatch/transport"));
		cr_expect_str_eq(cover ? cover : "none",
			transports[i].cover ? transports[i].cover : "none", "%zu", i);
		json_decref(root);
	}
}

Test(ecs, says_nothing_of_a_cover_where_no_one_transport_is_meant)
{
	plain();
	a.transport = TRANSPORT_DOT;
	json_t *root = parsed();
	cr_expect_null(at(root, "network"));
	cr_expect_null(at(root, "dynwatch/transport"));
	json_decref(root);
}

static const struct {
	const char *name;
	const char *sensor, *tenant, *key;
	enum rule_id rule;
	int64_t window_ns;
} others[] = {
	{ "sensor", "edge-2", "acme", "k", RULE_LOOKUP_MALICIOUS, 1 },
	{ "tenant", "edge-1", "beta", "k", RULE_LOOKUP_MALICIOUS, 1 },
	{ "key", "edge-1", "acme", "l", RULE_LOOKUP_MALICIOUS, 1 },
	{ "rule", "edge-1", "acme", "k", RULE_LOOKUP_UNAPPROVED, 1 },
	{ "window", "edge-1", "acme", "k", RULE_LOOKUP_MALICIOUS, 2 },
	{ "border of sensor and tenant", "edge-1a", "cme", "k", RULE_LOOKUP_MALICIOUS, 1 },
};

static void id_of(char id[ECS_ID_LEN + 1], const char *sensor, enum rule_id rule,
	const char *tenant, const char *key, int64_t window_ns)
{
	sample_plain(&a, key, SAMPLE_NOON_NS);
	a.rule = (uint8_t)rule;
	a.tenant_id = alert_put(&a, tenant);
	struct ecs *ecs = ecs_new(&(struct ecs_observer){ sensor, "0.1.0" });
	cr_assert_not_null(ecs);
	ecs_id(ecs, id, &a, window_ns);
	ecs_free(ecs);
}

Test(ecs, id_differs_when_any_of_its_parts_does)
{
	char base[ECS_ID_LEN + 1], other[ECS_ID_LEN + 1];

	id_of(base, "edge-1", RULE_LOOKUP_MALICIOUS, "acme", "k", 1);
	cr_expect_eq(strspn(base, "0123456789abcdef"), ECS_ID_LEN, "%s", base);
	for (size_t i = 0; i < ARRAY_LEN(others); i++) {
		id_of(other, others[i].sensor, others[i].rule, others[i].tenant, others[i].key,
			others[i].window_ns);
		cr_expect_str_neq(base, other, "%s", others[i].name);
	}
}

/* Ids are stored by consumers, so a change of this value is a change of the contract. */
Test(ecs, id_depends_on_nothing_else_and_never_changes)
{
	char id[ECS_ID_LEN + 1];

	id_of(id, "edge-1", RULE_LOOKUP_MALICIOUS, "acme", "k", 1);
	char first[ECS_ID_LEN + 1];
	memcpy(first, id, sizeof(first));
	sample_full(&a);
	a.key = alert_put(&a, "k");
	ecs_id(writer(), id, &a, 1);
	cr_expect_str_eq(id, first);
	cr_expect_str_eq(id, "d296f90cd92c164f18351fa4776532ef");
}
