/* SPDX-License-Identifier: BSD-2-Clause */
#include "sensor/output/ecs.h"

#include "rules/observation.h"
#include "rules/rule.h"
#include "sensor/base/clock.h"
#include "sensor/base/hash.h"
#include "sensor/base/json.h"
#include "sensor/dns/message.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

/* source, destination and both lists */
#define IPS_MAX (2 + 2 * ALERT_ADDRESSES_MAX)

/* Fixed: the id of an alert must not change from run to run. */
static const uint64_t id_seeds[2] = { UINT64_C(0x64796e7761746368),
	UINT64_C(0x6576656e742e6964) };

static void put_hex(char to[16], uint64_t number)
{
	for (int i = 15; i >= 0; i--, number >>= 4)
		to[i] = "0123456789abcdef"[number & 0xf];
}

void ecs_id(
	char id[ECS_ID_LEN + 1], const char *sensor, const struct alert *a, int64_t window_ns)
{
	assert(a->rule < RULE_COUNT);
	const char *parts[] = { sensor, rule_table[a->rule].id, alert_get(a, a->tenant_id),
		alert_get(a, a->key) };

	for (size_t half = 0; half < 2; half++) {
		uint64_t hash = id_seeds[half];
		for (size_t i = 0; i < ARRAY_LEN(parts); i++)
			hash = hash_bytes(hash, parts[i], strlen(parts[i]));
		hash = hash_word(hash, (uint64_t)window_ns);
		put_hex(id + 16 * half, hash);
	}
	id[ECS_ID_LEN] = '\0';
}

static void put_time(struct json *j, const char *key, int64_t ts_ns)
{
	char text[CLOCK_TEXT_MAX];

	json_string(j, key, clock_format(ts_ns, text));
}

/* The words of a space-separated list, as an array. */
static void put_words(struct json *j, const char *key, const char *words)
{
	json_array(j, key);
	while (*words) {
		size_t len = strcspn(words, " ");
		json_string_len(j, NULL, words, len);
		words += len;
		words += strspn(words, " ");
	}
	json_array_end(j);
}

/* Nothing is written for an absent text. */
static void put_text(struct json *j, const char *key, const struct alert *a, alert_text at)
{
	if (at)
		json_string(j, key, alert_get(a, at));
}

static void put_ip(struct json *j, const char *key, const struct ip *ip)
{
	char text[IP_TEXT_MAX];

	json_string(j, key, ip_format(ip, text));
}

static void put_event(struct json *j, const struct alert *a, const char *id)
{
	const struct rule *rule = &rule_table[a->rule];

	json_object(j, "event");
	json_string(j, "kind", "alert");
	put_words(j, "category", rule->category);
	put_words(j, "type", rule->type);
	json_string(j, "module", "dynwatch");
	json_string(j, "id", id);
	json_integer(j, "severity", severity_ecs(a->severity));
	put_time(j, "start", a->start_ns);
	put_time(j, "end", a->end_ns);
	json_object_end(j);
}

static void put_rule(struct json *j, const struct alert *a)
{
	json_object(j, "rule");
	json_string(j, "id", rule_table[a->rule].id);
	json_string(j, "name", rule_table[a->rule].name);
	json_object_end(j);
}

static void put_observer(struct json *j, const struct ecs_observer *observer)
{
	json_object(j, "observer");
	json_string(j, "name", observer->name);
	json_string(j, "product", "dynwatch");
	json_string(j, "version", observer->version);
	json_object_end(j);
}

/* ECS's words for what an indicator is. */
static void put_indicator_type(struct json *j, const struct alert *a)
{
	if (!a->has_indicator_ip) {
		json_string(j, "type", "domain-name");
		return;
	}
	json_string(j, "type", ip_is_v4(&a->indicator_ip) ? "ipv4-addr" : "ipv6-addr");
	put_ip(j, "ip", &a->indicator_ip);
}

static void put_day_time(struct json *j, const char *key, int64_t s)
{
	if (s)
		put_time(j, key, s * NS_PER_S);
}

/* ECS has words for it: those of STIX 2.1, appendix A. */
static const char *confidence_word(unsigned confidence)
{
	if (confidence == 0)
		return "None";
	return confidence < 30 ? "Low" : confidence < 70 ? "Medium" : "High";
}

static void put_indicator_confidence(struct json *j, const struct alert *a)
{
	int best = -1;

	for (unsigned i = 0; i < a->indicator_count; i++) {
		const struct alert_indicator *by = &a->indicator_by[i];
		if (by->confidence <= 100 && by->confidence > best)
			best = by->confidence;
	}
	if (best >= 0)
		json_string(j, "confidence", confidence_word((unsigned)best));
}

/* Of all feeds: the earliest sight, the first words, the narrowest circle. */
static void put_indicator_facts(struct json *j, const struct alert *a)
{
	alert_text category = 0, reference = 0, tlp_name = 0;
	int64_t first_s = 0;
	unsigned tlp = 0;

	for (unsigned i = 0; i < a->indicator_count; i++) {
		const struct alert_indicator *by = &a->indicator_by[i];
		category = category ? category : by->category;
		reference = reference ? reference : by->reference;
		if (by->first_seen_s && (!first_s || by->first_seen_s < first_s))
			first_s = by->first_seen_s;
		if (by->tlp > tlp)
			tlp_name = by->tlp_name;
		tlp = by->tlp > tlp ? by->tlp : tlp;
	}
	put_indicator_confidence(j, a);
	put_day_time(j, "first_seen", first_s);
	put_text(j, "description", a, category);
	put_text(j, "reference", a, reference);
	if (tlp_name) {
		json_object(j, "marking");
		put_text(j, "tlp", a, tlp_name);
		json_object_end(j);
	}
}

/* What each feed says: ECS has room for one. */
static void put_indicators(struct json *j, const struct alert *a)
{
	if (a->indicator_count == 0)
		return;
	json_array(j, "indicators");
	for (unsigned i = 0; i < a->indicator_count; i++) {
		const struct alert_indicator *by = &a->indicator_by[i];
		json_object(j, NULL);
		put_text(j, "feed", a, by->feed);
		put_text(j, "category", a, by->category);
		if (by->confidence <= 100)
			json_unsigned(j, "confidence", by->confidence);
		put_day_time(j, "first_seen", by->first_seen_s);
		put_day_time(j, "valid_until", by->until_s);
		put_text(j, "reference", a, by->reference);
		json_object_end(j);
	}
	json_array_end(j);
}

static void put_threat(struct json *j, const struct alert *a)
{
	json_object(j, "threat");
	json_object(j, "technique");
	put_words(j, "id", rule_table[a->rule].techniques);
	json_object_end(j);
	if (a->indicator || a->indicator_provider) {
		json_object(j, "indicator");
		put_text(j, "name", a, a->indicator);
		put_indicator_type(j, a);
		put_text(j, "provider", a, a->indicator_provider);
		put_indicator_facts(j, a);
		json_object_end(j);
	}
	json_object_end(j);
}

struct end {
	const struct ip *ip;
	uint16_t port; /* 0: not known */
	const char *country;
	uint32_t asn;
};

static void put_end(struct json *j, const char *key, struct end end)
{
	json_object(j, key);
	put_ip(j, "ip", end.ip);
	if (end.port)
		json_unsigned(j, "port", end.port);
	if (end.country[0]) {
		json_object(j, "geo");
		json_string(j, "country_iso_code", end.country);
		json_object_end(j);
	}
	if (end.asn) {
		json_object(j, "as");
		json_unsigned(j, "number", end.asn);
		json_object_end(j);
	}
	json_object_end(j);
}

static void put_ends(struct json *j, const struct alert *a)
{
	if (a->has_source) {
		struct end client = { &a->source, a->source_port, a->source_country,
			a->source_asn };
		put_end(j, "source", client);
	}
	if (a->has_destination) {
		struct end server = { &a->destination, a->destination_port,
			a->destination_country, a->destination_asn };
		put_end(j, "destination", server);
	}
}

/* ECS has vlan.id as a keyword, so it is text although it is a number. */
static void put_vlan(struct json *j, uint16_t vlan)
{
	char digits[8];

	snprintf(digits, sizeof(digits), "%u", vlan);
	json_object(j, "vlan");
	json_string(j, "id", digits);
	json_object_end(j);
}

static const struct transport {
	const char *ip;    /* what carries it, in ECS's words */
	const char *cover; /* what kept it from being read on the wire; NULL: nothing */
} transports[] = {
	[TRANSPORT_UDP] = { "udp", NULL },
	[TRANSPORT_TCP] = { "tcp", NULL },
	[TRANSPORT_DOT] = { "tcp", "dot" },
	[TRANSPORT_DOH] = { "tcp", "doh" },
	[TRANSPORT_DOQ] = { "udp", "doq" },
	[TRANSPORT_DNSCRYPT_UDP] = { "udp", "dnscrypt" },
	[TRANSPORT_DNSCRYPT_TCP] = { "tcp", "dnscrypt" },
};

static const struct transport *transport_of(const struct alert *a)
{
	assert(a->transport < ARRAY_LEN(transports));
	return &transports[a->transport];
}

static void put_network(struct json *j, const struct alert *a)
{
	/* Findings about many messages (a window that closed) have no one transport. */
	if (!a->has_destination && a->vlan_count == 0)
		return;
	json_object(j, "network");
	if (a->has_destination)
		json_string(j, "transport", transport_of(a)->ip);
	if (a->vlan_count > 0)
		put_vlan(j, a->vlan[0]);
	if (a->vlan_count > 1) {
		json_object(j, "inner");
		put_vlan(j, a->vlan[1]);
		json_object_end(j);
	}
	json_object_end(j);
}

static void put_answers(struct json *j, const struct alert *a)
{
	char number[16];

	json_array(j, "answers");
	for (unsigned i = 0; i < a->answer_count; i++) {
		const struct alert_answer *answer = &a->answer[i];
		json_object(j, NULL);
		json_string(j, "name", alert_get(a, answer->name));
		json_string(j, "type", dns_type_name(answer->type, number));
		json_unsigned(j, "ttl", answer->ttl);
		json_string(j, "data", alert_get(a, answer->data));
		json_object_end(j);
	}
	json_array_end(j);
}

static void put_question(struct json *j, const struct alert *a)
{
	char number[16];

	json_object(j, "question");
	put_text(j, "name", a, a->qname);
	if (a->has_question)
		json_string(j, "type", dns_type_name(a->qtype, number));
	put_text(j, "registered_domain", a, a->registered_domain);
	json_object_end(j);
}

static void put_dns(struct json *j, const struct alert *a)
{
	bool question = a->has_question || a->qname || a->registered_domain;
	char number[16];

	if (!question && !a->has_rcode && !a->has_opcode && !a->answer_count &&
		!a->resolved_count)
		return;
	json_object(j, "dns");
	if (a->has_opcode)
		json_string(j, "op_code", dns_opcode_name(a->opcode, number));
	if (question)
		put_question(j, a);
	if (a->has_rcode)
		json_string(j, "response_code", dns_rcode_name(a->rcode, number));
	if (a->answer_count)
		put_answers(j, a);
	if (a->resolved_count) {
		json_array(j, "resolved_ip");
		for (unsigned i = 0; i < a->resolved_count; i++)
			put_ip(j, NULL, &a->resolved[i]);
		json_array_end(j);
	}
	json_object_end(j);
}

/* Addresses of an alert, each once, in the order in which they came up. */
struct ip_list {
	const struct ip *ip[IPS_MAX];
	size_t count;
};

static void list_ip(struct ip_list *list, const struct ip *ip)
{
	for (size_t i = 0; i < list->count; i++) {
		if (ip_equal(list->ip[i], ip))
			return;
	}
	list->ip[list->count++] = ip;
}

static void put_related_ips(struct json *j, const struct alert *a)
{
	struct ip_list list = { .count = 0 };

	if (a->has_source)
		list_ip(&list, &a->source);
	if (a->has_destination)
		list_ip(&list, &a->destination);
	for (unsigned i = 0; i < a->resolved_count; i++)
		list_ip(&list, &a->resolved[i]);
	for (unsigned i = 0; i < a->related_count; i++)
		list_ip(&list, &a->related[i]);
	if (list.count == 0)
		return;
	json_array(j, "ip");
	for (size_t i = 0; i < list.count; i++)
		put_ip(j, NULL, list.ip[i]);
	json_array_end(j);
}

static bool host_listed(const struct alert *a, const char *host, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		if (strcmp(alert_get(a, a->host[i]), host) == 0)
			return true;
	}
	return false;
}

/* ECS: every host name seen in the event, so the question's is one of them. */
static void put_related_hosts(struct json *j, const struct alert *a)
{
	const char *qname = alert_get(a, a->qname);
	bool add_qname = qname[0] && !host_listed(a, qname, a->host_count) &&
			 a->host_count < ALERT_HOSTS_MAX;

	if (!add_qname && a->host_count == 0)
		return;
	json_array(j, "hosts");
	if (add_qname)
		json_string(j, NULL, qname);
	for (unsigned i = 0; i < a->host_count; i++) {
		const char *host = alert_get(a, a->host[i]);
		if (host[0] && !host_listed(a, host, i))
			json_string(j, NULL, host);
	}
	json_array_end(j);
}

static void put_related(struct json *j, const struct alert *a)
{
	if (!a->has_source && !a->has_destination && !a->resolved_count && !a->related_count &&
		!a->qname && !a->host_count)
		return;
	json_object(j, "related");
	put_related_ips(j, a);
	put_related_hosts(j, a);
	json_object_end(j);
}

static void put_value(
	struct json *j, const char *key, const struct alert *a, const struct alert_value *value)
{
	switch (value->kind) {
	case ALERT_VALUE_NUMBER:
		json_number(j, key, value->number);
		break;
	case ALERT_VALUE_TEXT:
		json_string(j, key, alert_get(a, value->text));
		break;
	default:
		json_null(j, key);
	}
}

static void put_reason(struct json *j, const struct alert *a, const struct alert_why *why)
{
	json_object(j, NULL);
	json_string(j, "feature", why->feature);
	put_value(j, "value", a, &why->value);
	put_value(j, "threshold", a, &why->threshold);
	put_value(j, "baseline", a, &why->baseline);
	json_object_end(j);
}

/* Never empty: a rule that gave no reason counted something at least. */
static void put_why(struct json *j, const struct alert *a)
{
	struct alert_why counted = { .feature = "observations",
		.value = alert_number((double)a->count) };

	json_array(j, "why");
	for (unsigned i = 0; i < a->why_count; i++)
		put_reason(j, a, &a->why[i]);
	if (a->why_count == 0)
		put_reason(j, a, &counted);
	json_array_end(j);
}

static void put_own(struct json *j, const struct alert *a)
{
	json_object(j, "dynwatch");
	json_string(j, "severity", severity_name(a->severity));
	if (a->score >= 0)
		json_integer(j, "score", a->score);
	json_unsigned(j, "count", a->count);
	if (a->suppressed)
		json_unsigned(j, "suppressed", a->suppressed);
	if (a->has_destination && transport_of(a)->cover)
		json_string(j, "transport", transport_of(a)->cover);
	put_text(j, "zone", a, a->zone);
	put_text(j, "key", a, a->key_name);
	put_indicators(j, a);
	put_why(j, a);
	json_string(j, "allow_hint", alert_get(a, a->allow_hint));
	json_object_end(j);
}

void ecs_write(struct text *out, const struct alert *a, const struct ecs_observer *observer,
	const char *id)
{
	struct json j = json_start(out);

	assert(a->rule < RULE_COUNT);
	json_object(&j, NULL);
	put_time(&j, "@timestamp", a->ts_ns);
	json_object(&j, "ecs");
	json_string(&j, "version", ECS_VERSION);
	json_object_end(&j);
	json_string(&j, "message", alert_get(a, a->message));
	put_event(&j, a, id);
	put_rule(&j, a);
	json_object(&j, "organization");
	json_string(&j, "id", alert_get(a, a->tenant_id));
	json_object_end(&j);
	put_observer(&j, observer);
	put_threat(&j, a);
	put_ends(&j, a);
	put_network(&j, a);
	put_dns(&j, a);
	put_related(&j, a);
	put_own(&j, a);
	json_object_end(&j);
}
