/* SPDX-License-Identifier: BSD-2-Clause */
#include "sensor/output/ecs.h"

#include "rules/observation.h"
#include "sensor/base/clock.h"
#include "sensor/base/digits.h"
#include "sensor/base/hash.h"
#include "sensor/base/json.h"
#include "sensor/dns/message.h"
#include "sensor/output/ecs_rule.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/*
 * An alert is 1,500 octets of some eighty pieces. What all alerts of a rule share is made once, at the
 * start (ecs_rule.h), and copied; the rest is written to where `at` points (text.h), and room is
 * looked for once for each text of the alert.
 *
 * Every member ends with a comma; the bracket that closes its object takes the last one back. So
 * nothing has to be known of what came before.
 */

/* source, destination and both lists */
#define IPS_MAX (2 + 2 * ALERT_ADDRESSES_MAX)
/* The largest of what stands between two looks for room: a text, or the lists of addresses. */
#define LINE_ROOM (JSON_ESCAPED_MAX * ALERT_POOL_BYTES + 2 * IPS_MAX * IP_TEXT_MAX)

_Static_assert(
	ALERT_TEXT_SLACK >= JSON_TEXT_SLACK, "texts of an alert are read by json_put_text");

struct ecs {
	struct ecs_rule rule[RULE_COUNT];
	struct clock_second second;
	size_t room;
};

/* --- start and end ------------------------------------------------------------------------- */

struct ecs *ecs_new(const struct ecs_observer *observer)
{
	struct ecs *e = calloc(1, sizeof(*e));

	if (!e)
		return NULL;
	e->room = LINE_ROOM;
	for (size_t i = 0; i < RULE_COUNT; i++) {
		struct ecs_rule *r = &e->rule[i];
		if (!ecs_rule_init(r, &rule_table[i], observer)) {
			ecs_free(e);
			return NULL;
		}
		size_t pieces_len = r->event.len + r->rule.len + r->threat.len;
		if (e->room < LINE_ROOM + pieces_len)
			e->room = LINE_ROOM + pieces_len;
	}
	return e;
}

void ecs_free(struct ecs *e)
{
	if (!e)
		return;
	for (size_t i = 0; i < RULE_COUNT; i++)
		ecs_rule_deinit(&e->rule[i]);
	free(e);
}

/* --- the id -------------------------------------------------------------------------------- */

void ecs_id(
	const struct ecs *e, char id[ECS_ID_LEN + 1], const struct alert *a, int64_t window_ns)
{
	assert(a->rule < RULE_COUNT);
	const uint64_t *of_rule = e->rule[a->rule].id_hash;
	char *at = id;

	for (size_t half = 0; half < 2; half++) {
		uint64_t hash = ecs_rule_hash(of_rule[half], alert_get(a, a->tenant_id));
		hash = ecs_rule_hash(hash, alert_get(a, a->key));
		hash = htobe64(hash_word(hash, (uint64_t)window_ns));
		at = digits_put_hex(at, (const uint8_t *)&hash, sizeof(hash));
	}
	*at = '\0';
}

/* --- the line's members -------------------------------------------------------------------- */

/* One line on its way. */
struct line {
	struct text *out;
	const struct alert *a;
	struct clock_second *second;
	size_t room;
};

static char *put_bracket(char *at, char bracket)
{
	at -= at[-1] == ',';
	*at++ = bracket;
	*at++ = ',';
	return at;
}

static char *put_piece(char *at, const struct text *piece)
{
	return text_put(at, piece->at, piece->len);
}

static char *put_text(const struct line *l, char *at, alert_text text)
{
	at = text_room(l->out, at, l->room);
	at = json_put_text(at, alert_get(l->a, text));
	*at++ = ',';
	return at;
}

/* A string of the program's own. */
static char *put_string(char *at, const char *string)
{
	at = json_put_string(at, string, strlen(string));
	*at++ = ',';
	return at;
}

static char *put_u64(char *at, uint64_t number)
{
	at = digits_put_u64(at, number);
	*at++ = ',';
	return at;
}

static char *put_ip(char *at, const struct ip *ip)
{
	*at = '"';
	at = ip_put(at + 1, ip);
	return TEXT_PUT(at, "\",");
}

static char *put_time(const struct line *l, char *at, int64_t ts_ns)
{
	*at = '"';
	at = clock_put(l->second, at + 1, ts_ns);
	return TEXT_PUT(at, "\",");
}

#define PUT_KEY(at, key) TEXT_PUT(at, "\"" key "\":")
/* Nothing is written for an absent text. */
#define PUT_TEXT(l, at, key, text) ((text) ? put_text(l, PUT_KEY(at, key), text) : (at))

/* --- its parts ----------------------------------------------------------------------------- */

static char *put_event(
	const struct line *l, char *at, const struct ecs_rule *rule, const char *id)
{
	const struct alert *a = l->a;

	at = put_piece(at, &rule->event);
	at = text_put(at, id, ECS_ID_LEN);
	at = TEXT_PUT(at, "\",\"severity\":");
	at = put_u64(at, (uint64_t)severity_ecs(a->severity));
	at = put_time(l, PUT_KEY(at, "start"), a->start_ns);
	at = put_time(l, PUT_KEY(at, "end"), a->end_ns);
	return at - 1; /* the rule's piece closes it */
}

/* ECS's words for what an indicator is. */
static char *put_indicator_type(char *at, const struct alert *a)
{
	if (!a->has_indicator_ip)
		return TEXT_PUT(at, "\"type\":\"domain-name\",");
	at = ip_is_v4(&a->indicator_ip) ? TEXT_PUT(at, "\"type\":\"ipv4-addr\",\"ip\":")
					: TEXT_PUT(at, "\"type\":\"ipv6-addr\",\"ip\":");
	return put_ip(at, &a->indicator_ip);
}

#define PUT_SECOND(l, at, key, s) ((s) ? put_time(l, PUT_KEY(at, key), (s)*NS_PER_S) : (at))

/* ECS has words for it: those of STIX 2.1, appendix A. */
static const char *confidence_word(unsigned confidence)
{
	if (confidence == 0)
		return "None";
	return confidence < 30 ? "Low" : confidence < 70 ? "Medium" : "High";
}

static char *put_indicator_confidence(char *at, const struct alert *a)
{
	int best = -1;

	for (unsigned i = 0; i < a->indicator_count; i++) {
		const struct alert_indicator *by = &a->indicator_by[i];
		if (by->confidence <= 100 && by->confidence > best)
			best = by->confidence;
	}
	if (best < 0)
		return at;
	return put_string(PUT_KEY(at, "confidence"), confidence_word((unsigned)best));
}

/* Of all feeds: the earliest sight, the first words, the narrowest circle. */
static char *put_indicator_facts(const struct line *l, char *at)
{
	const struct alert *a = l->a;
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
	at = put_indicator_confidence(at, a);
	at = PUT_SECOND(l, at, "first_seen", first_s);
	at = PUT_TEXT(l, at, "description", category);
	at = PUT_TEXT(l, at, "reference", reference);
	if (!tlp_name)
		return at;
	at = put_text(l, TEXT_PUT(at, "\"marking\":{\"tlp\":"), tlp_name);
	return put_bracket(at, '}');
}

/* What each feed says: ECS has room for one. */
static char *put_indicators(const struct line *l, char *at)
{
	const struct alert *a = l->a;

	if (a->indicator_count == 0)
		return at;
	at = TEXT_PUT(at, "\"indicators\":[");
	for (unsigned i = 0; i < a->indicator_count; i++) {
		const struct alert_indicator *by = &a->indicator_by[i];
		*at++ = '{';
		at = PUT_TEXT(l, at, "feed", by->feed);
		at = PUT_TEXT(l, at, "category", by->category);
		if (by->confidence <= 100)
			at = put_u64(PUT_KEY(at, "confidence"), by->confidence);
		at = PUT_SECOND(l, at, "first_seen", by->first_seen_s);
		at = PUT_SECOND(l, at, "valid_until", by->until_s);
		at = PUT_TEXT(l, at, "reference", by->reference);
		at = put_bracket(at, '}');
	}
	return put_bracket(at, ']');
}

/* After threat.technique. */
static char *put_threat(const struct line *l, char *at)
{
	const struct alert *a = l->a;

	if (a->indicator || a->indicator_provider) {
		at = TEXT_PUT(at, "\"indicator\":{");
		at = PUT_TEXT(l, at, "name", a->indicator);
		at = put_indicator_type(at, a);
		at = PUT_TEXT(l, at, "provider", a->indicator_provider);
		at = put_indicator_facts(l, at);
		at = put_bracket(at, '}');
	}
	return put_bracket(at, '}');
}

struct end {
	const struct ip *ip;
	uint16_t port; /* 0: not known */
	const char *country;
	uint32_t asn;
};

static char *put_end(char *at, struct end end)
{
	at = put_ip(TEXT_PUT(at, "{\"ip\":"), end.ip);
	if (end.port)
		at = put_u64(PUT_KEY(at, "port"), end.port);
	if (end.country[0]) {
		at = put_string(TEXT_PUT(at, "\"geo\":{\"country_iso_code\":"), end.country);
		at = put_bracket(at, '}');
	}
	if (end.asn) {
		at = put_u64(TEXT_PUT(at, "\"as\":{\"number\":"), end.asn);
		at = put_bracket(at, '}');
	}
	return put_bracket(at, '}');
}

static char *put_ends(char *at, const struct alert *a)
{
	if (a->has_source) {
		struct end client = { &a->source, a->source_port, a->source_country,
			a->source_asn };
		at = put_end(PUT_KEY(at, "source"), client);
	}
	if (a->has_destination) {
		struct end server = { &a->destination, a->destination_port,
			a->destination_country, a->destination_asn };
		at = put_end(PUT_KEY(at, "destination"), server);
	}
	return at;
}

/* ECS has vlan.id as a keyword, so it is text although it is a number. */
static char *put_vlan(char *at, uint16_t vlan)
{
	at = TEXT_PUT(at, "\"vlan\":{\"id\":\"");
	at = digits_put_u32(at, vlan);
	return TEXT_PUT(at, "\"},");
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

static char *put_network(char *at, const struct alert *a)
{
	/* Findings about many messages (a window that closed) have no one transport. */
	if (!a->has_destination && a->vlan_count == 0)
		return at;
	at = TEXT_PUT(at, "\"network\":{");
	if (a->has_destination)
		at = put_string(PUT_KEY(at, "transport"), transport_of(a)->ip);
	if (a->vlan_count > 0)
		at = put_vlan(at, a->vlan[0]);
	if (a->vlan_count > 1) {
		at = put_vlan(TEXT_PUT(at, "\"inner\":{"), a->vlan[1]);
		at = put_bracket(at, '}');
	}
	return put_bracket(at, '}');
}

static char *put_answers(const struct line *l, char *at)
{
	const struct alert *a = l->a;

	if (a->answer_count == 0)
		return at;
	at = TEXT_PUT(at, "\"answers\":[");
	for (unsigned i = 0; i < a->answer_count; i++) {
		const struct alert_answer *answer = &a->answer[i];
		at = put_text(l, TEXT_PUT(at, "{\"name\":"), answer->name);
		at = dns_type_put(TEXT_PUT(at, "\"type\":\""), answer->type);
		at = put_u64(TEXT_PUT(at, "\",\"ttl\":"), answer->ttl);
		at = put_text(l, PUT_KEY(at, "data"), answer->data);
		at = put_bracket(at, '}');
	}
	return put_bracket(at, ']');
}

static char *put_question(const struct line *l, char *at)
{
	const struct alert *a = l->a;

	if (!a->has_question && !a->qname && !a->registered_domain)
		return at;
	at = TEXT_PUT(at, "\"question\":{");
	at = PUT_TEXT(l, at, "name", a->qname);
	if (a->has_question) {
		at = dns_type_put(TEXT_PUT(at, "\"type\":\""), a->qtype);
		at = TEXT_PUT(at, "\",");
	}
	at = PUT_TEXT(l, at, "registered_domain", a->registered_domain);
	return put_bracket(at, '}');
}

static char *put_resolved(char *at, const struct alert *a)
{
	if (a->resolved_count == 0)
		return at;
	at = TEXT_PUT(at, "\"resolved_ip\":[");
	for (unsigned i = 0; i < a->resolved_count; i++)
		at = put_ip(at, &a->resolved[i]);
	return put_bracket(at, ']');
}

static char *put_dns(const struct line *l, char *at)
{
	const struct alert *a = l->a;

	if (!a->has_question && !a->qname && !a->registered_domain && !a->has_rcode &&
		!a->has_opcode && !a->answer_count && !a->resolved_count)
		return at;
	at = TEXT_PUT(at, "\"dns\":{");
	if (a->has_opcode) {
		at = dns_opcode_put(TEXT_PUT(at, "\"op_code\":\""), a->opcode);
		at = TEXT_PUT(at, "\",");
	}
	at = put_question(l, at);
	if (a->has_rcode) {
		at = dns_rcode_put(TEXT_PUT(at, "\"response_code\":\""), a->rcode);
		at = TEXT_PUT(at, "\",");
	}
	at = put_answers(l, at);
	at = put_resolved(at, a);
	return put_bracket(at, '}');
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

static char *put_related_ips(char *at, const struct alert *a)
{
	struct ip_list list;

	list.count = 0;
	if (a->has_source)
		list_ip(&list, &a->source);
	if (a->has_destination)
		list_ip(&list, &a->destination);
	for (unsigned i = 0; i < a->resolved_count; i++)
		list_ip(&list, &a->resolved[i]);
	for (unsigned i = 0; i < a->related_count; i++)
		list_ip(&list, &a->related[i]);
	if (list.count == 0)
		return at;
	at = TEXT_PUT(at, "\"ip\":[");
	for (size_t i = 0; i < list.count; i++)
		at = put_ip(at, list.ip[i]);
	return put_bracket(at, ']');
}

static bool host_listed(const struct alert *a, alert_text host, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		if (a->host[i] == host ||
			strcmp(alert_get(a, a->host[i]), alert_get(a, host)) == 0)
			return true;
	}
	return false;
}

/* ECS: every host name seen in the event, so the question's is one of them. */
static char *put_related_hosts(const struct line *l, char *at)
{
	const struct alert *a = l->a;
	bool add_qname = a->qname && !host_listed(a, a->qname, a->host_count) &&
			 a->host_count < ALERT_HOSTS_MAX;

	if (!add_qname && a->host_count == 0)
		return at;
	at = TEXT_PUT(at, "\"hosts\":[");
	if (add_qname)
		at = put_text(l, at, a->qname);
	for (unsigned i = 0; i < a->host_count; i++) {
		if (a->host[i] && !host_listed(a, a->host[i], i))
			at = put_text(l, at, a->host[i]);
	}
	return put_bracket(at, ']');
}

static char *put_related(const struct line *l, char *at)
{
	const struct alert *a = l->a;

	if (!a->has_source && !a->has_destination && !a->resolved_count && !a->related_count &&
		!a->qname && !a->host_count)
		return at;
	at = TEXT_PUT(at, "\"related\":{");
	at = put_related_ips(at, a);
	at = put_related_hosts(l, at);
	return put_bracket(at, '}');
}

static char *put_value(const struct line *l, char *at, const struct alert_value *value)
{
	switch (value->kind) {
	case ALERT_VALUE_NUMBER:
		at = json_put_number(at, value->number);
		*at = ',';
		return at + 1;
	case ALERT_VALUE_TEXT:
		return put_text(l, at, value->text);
	default:
		return TEXT_PUT(at, "null,");
	}
}

static char *put_reason(const struct line *l, char *at, const struct alert_why *why)
{
	at = text_room(l->out, at, l->room);
	at = put_string(TEXT_PUT(at, "{\"feature\":"), why->feature);
	at = put_value(l, PUT_KEY(at, "value"), &why->value);
	at = put_value(l, PUT_KEY(at, "threshold"), &why->threshold);
	at = put_value(l, PUT_KEY(at, "baseline"), &why->baseline);
	return put_bracket(at, '}');
}

/* Never empty: a rule that gave no reason counted something at least. */
static char *put_why(const struct line *l, char *at)
{
	const struct alert *a = l->a;

	at = TEXT_PUT(at, "\"why\":[");
	for (unsigned i = 0; i < a->why_count; i++)
		at = put_reason(l, at, &a->why[i]);
	if (a->why_count == 0) {
		struct alert_why counted = { .feature = "observations",
			.value = alert_number((double)a->count) };
		at = put_reason(l, at, &counted);
	}
	return put_bracket(at, ']');
}

static char *put_own(const struct line *l, char *at)
{
	const struct alert *a = l->a;

	at = put_string(
		TEXT_PUT(at, "\"dynwatch\":{\"severity\":"), severity_name(a->severity));
	if (a->score >= 0)
		at = put_u64(PUT_KEY(at, "score"), (uint64_t)a->score);
	at = put_u64(PUT_KEY(at, "count"), a->count);
	if (a->suppressed)
		at = put_u64(PUT_KEY(at, "suppressed"), a->suppressed);
	if (a->has_destination && transport_of(a)->cover)
		at = put_string(PUT_KEY(at, "transport"), transport_of(a)->cover);
	at = PUT_TEXT(l, at, "zone", a->zone);
	at = PUT_TEXT(l, at, "key", a->key_name);
	at = put_indicators(l, at);
	at = put_why(l, at);
	at = put_text(l, PUT_KEY(at, "allow_hint"), a->allow_hint);
	return put_bracket(at, '}');
}

void ecs_write(struct ecs *e, struct text *out, const struct alert *a, const char *id)
{
	assert(a->rule < RULE_COUNT);
	const struct ecs_rule *rule = &e->rule[a->rule];
	struct line line = { out, a, &e->second, e->room };

	if (!text_reserve(out, e->room))
		return;
	char *at = out->at + out->len;
	at = put_time(&line, TEXT_PUT(at, "{\"@timestamp\":"), a->ts_ns);
	at = TEXT_PUT(at, "\"ecs\":{\"version\":\"" ECS_VERSION "\"},\"message\":");
	at = put_text(&line, at, a->message);
	at = put_event(&line, at, rule, id);
	at = put_piece(at, &rule->rule);
	at = put_text(&line, at, a->tenant_id);
	at = put_piece(at - 1, &rule->threat);
	at = put_threat(&line, at);
	at = put_ends(at, a);
	at = put_network(at, a);
	at = put_dns(&line, at);
	at = put_related(&line, at);
	at = put_own(&line, at);
	at = put_bracket(at, '}') - 1;
	*at = '\0';
	out->len = (size_t)(at - out->at);
}
