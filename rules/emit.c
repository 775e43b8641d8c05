/* SPDX-License-Identifier: BSD-2-Clause */
#include "rules/emit.h"

#include "sensor/dns/message.h"

#include <assert.h>
#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define YAML_SLOTS       4
#define YAML_TEXT_MAX    (2 * DNS_NAME_TEXT_MAX + 3)
#define HINT_OWNER_PARTS 3
#define HINT_PARTS_MAX   9

struct emit {
	emit_sink *sink;
	void *arg;
	unsigned listens; /* bits: kinds of records */
	const struct knowledge *known;
	struct registered *registered;
	const struct policy *tenant;     /* of the alert being written */
	const struct observation *asked; /* whose question the alert has; NULL: of none */
	bool excluded;                   /* found out after emit_open */
	const char *queries_unseen;   /* why a response had to do without its query, or NULL */
	const char *responses_unseen; /* why a query has no outcome, or NULL */
	char name[DNS_NAME_TEXT_MAX]; /* the key's, "" for none */
	char client[IP_TEXT_MAX];     /* of the alert, "" for none */
	char yaml[YAML_SLOTS][YAML_TEXT_MAX];
	unsigned yaml_next;
	struct alert alert;
};

struct emit *emit_new(emit_sink *sink, void *arg)
{
	struct emit *e = calloc(1, sizeof(*e));

	if (!e)
		return NULL;
	e->sink = sink;
	e->arg = arg;
	e->registered = registered_new();
	if (!e->registered) {
		free(e);
		return NULL;
	}
	return e;
}

void emit_free(struct emit *e)
{
	if (!e)
		return;
	registered_free(e->registered);
	free(e);
}

void emit_listen(struct emit *e, unsigned kinds)
{
	e->listens = kinds;
}

bool emit_wants(const struct emit *e, enum alert_kind kind)
{
	return e->listens & 1u << kind;
}

void emit_adopt(struct emit *e, const struct knowledge *known)
{
	e->known = known;
}

struct registered *emit_registered(struct emit *e)
{
	return e->registered;
}

/* --- what the message tells ----------------------------------------------------------------- */

static bool has_host(const struct alert *a, const char *host)
{
	for (unsigned i = 0; i < a->host_count; i++) {
		if (strcmp(alert_get(a, a->host[i]), host) == 0)
			return true;
	}
	return false;
}

/* A host whose text the alert has already. */
static void add_host(struct alert *a, alert_text host)
{
	if (host && a->host_count < ALERT_HOSTS_MAX && !has_host(a, alert_get(a, host)))
		a->host[a->host_count++] = host;
}

void emit_host(struct emit *e, const char *host)
{
	struct alert *a = &e->alert;

	if (a->host_count < ALERT_HOSTS_MAX && !has_host(a, host))
		add_host(a, alert_put(a, host));
}

static void add_answer(
	struct alert *a, alert_text owner, uint16_t type, uint32_t ttl, alert_text data)
{
	if (a->answer_count == ALERT_ANSWERS_MAX)
		return;
	a->answer[a->answer_count++] = (struct alert_answer){
		.name = owner,
		.type = type,
		.ttl = ttl,
		.data = data,
	};
}

/*
 * The names of the answer. Owners do not travel with an observation; they follow from the
 * chain: the question owns the first CNAME, whose target owns what comes next. Only a DNAME's
 * owner (an ancestor) cannot be told. Returns the owner of what ends the chain.
 */
static alert_text add_names(struct emit *e, const struct observation *o)
{
	struct alert *a = &e->alert;
	alert_text owner = a->qname;
	char text[DNS_NAME_TEXT_MAX];

	for (unsigned i = 0; i < o->name_count; i++) {
		const struct observation_name *n = &observation_names(o)[i];
		struct dns_name name;
		observation_name(o, i, &name);
		dns_name_format(&name, text);
		if (n->section != DNS_ANSWER) {
			emit_host(e, text);
			continue;
		}
		alert_text data = alert_put(a, text);
		add_host(a, data);
		add_answer(a, n->type == DNS_TYPE_DNAME ? 0 : owner, n->type, n->ttl, data);
		if (n->type == DNS_TYPE_CNAME)
			owner = data;
	}
	return owner;
}

static void add_addresses(struct alert *a, const struct observation *o, alert_text owner)
{
	char text[IP_TEXT_MAX];

	for (unsigned i = 0; i < o->address_count; i++) {
		const struct dns_address *at = &observation_addresses(o)[i];
		if (a->resolved_count < ALERT_ADDRESSES_MAX) {
			a->resolved[a->resolved_count++] = at->ip;
			a->related[a->related_count++] = at->ip;
		}
		if (a->answer_count == ALERT_ANSWERS_MAX)
			continue;
		add_answer(a, owner, ip_is_v4(&at->ip) ? DNS_TYPE_A : DNS_TYPE_AAAA, at->ttl,
			alert_put(a, ip_format(&at->ip, text)));
	}
}

static void fill_ends(struct alert *a, const struct observation *o)
{
	a->has_source = true;
	a->source = o->client;
	a->source_port = o->client_port;
	a->has_destination = true;
	a->destination = o->server;
	a->destination_port = o->server_port;
	a->transport = o->transport;
	a->vlan_count = o->vlan_count;
	memcpy(a->vlan, o->vlan, sizeof(a->vlan));
}

static void fill_message(struct emit *e, const struct observation *o, const char *qname)
{
	struct alert *a = &e->alert;

	fill_ends(a, o);
	a->has_opcode = true;
	a->opcode = o->opcode;
	a->has_rcode = o->response;
	a->rcode = o->response ? o->rcode : 0;
	a->has_question = o->has_question;
	if (o->has_question) {
		a->qtype = o->qtype;
		a->qname = alert_put(a, qname);
		add_host(a, a->qname);
	}
	if (o->response) {
		alert_text owner = add_names(e, o);
		add_addresses(a, o, owner);
	}
}

/* --- open and commit ------------------------------------------------------------------------ */

static void write_key(struct emit *e)
{
	struct alert *a = &e->alert;

	e->client[0] = '\0';
	if (a->has_source)
		ip_format(&a->source, e->client);
	a->key = alert_join(a, rule_table[a->rule].id, "|", alert_get(a, a->tenant_id), "|",
		e->client, "|", e->name);
}

/* Is (rule, client, key name or question) excluded? A client alone as key has no name to match.
 */
static bool is_excluded(const struct emit *e, const struct policy *tenant, enum rule_id rule,
	const struct ip *client, const char *qname, int64_t ts_ns)
{
	if (!e->name[0])
		return policy_excludes(tenant, rule, client, NULL, ts_ns);
	return policy_excludes(tenant, rule, client, e->name, ts_ns) ||
	       (qname[0] && policy_excludes(tenant, rule, client, qname, ts_ns));
}

struct alert *emit_record(struct emit *e, enum alert_kind kind, const struct exchange *x)
{
	struct alert *a = &e->alert;

	alert_init(a, kind);
	a->seq = x->seq;
	a->ts_ns = a->start_ns = a->end_ns = x->ts_ns;
	a->tenant = x->tenant_number;
	a->tenant_id = alert_put(a, x->tenant->id);
	return a;
}

void emit_pass(struct emit *e)
{
	e->sink(e->arg, &e->alert);
}

static void start(struct emit *e, enum rule_id rule, const struct exchange *x)
{
	struct alert *a = emit_record(e, ALERT_RAISED, x);
	const struct rule_settings *settings = &x->tenant->rules;

	a->rule = (uint8_t)rule;
	a->severity = (uint8_t)settings->rule[rule].severity;
	a->suppress_ns = settings->rule[rule].suppress_ns;
}

/* Which half of the exchange the rule had to do without. */
static void note_unseen(struct emit *e, const struct exchange *x)
{
	bool response = x->now && x->now->response;
	bool query = x->now && !x->now->response;

	e->queries_unseen = NULL;
	e->responses_unseen = NULL;
	if (response && !x->matched)
		e->queries_unseen = x->queries_hidden
					    ? "no: only responses are visible"
					    : "no: the query of this response was not captured";
	else if (response && x->told_late)
		e->queries_unseen =
			"yes, but without what tells the tenant: only responses have it";
	if (query && x->responses_hidden)
		e->responses_unseen = "no: only queries are visible";
}

static void why_unseen(struct emit *e)
{
	struct alert *a = &e->alert;

	if (e->queries_unseen)
		alert_why(a, "queries_seen", alert_words(a, e->queries_unseen), alert_none(),
			alert_none());
	if (e->responses_unseen)
		alert_why(a, "responses_seen", alert_words(a, e->responses_unseen),
			alert_none(), alert_none());
}

struct alert *emit_open(
	struct emit *e, enum rule_id rule, const struct exchange *x, const char *name)
{
	char qname[DNS_NAME_TEXT_MAX] = "";

	if (!x->tenant->rules.rule[rule].enabled)
		return NULL;
	(void)text_join(e->name, sizeof(e->name), name ? name : "");
	if (x->now && x->now->has_question)
		dns_name_format_wire(observation_qname_wire(x->now), x->now->qname_len, qname);
	if (x->now && is_excluded(e, x->tenant, rule, &x->now->client, qname, x->ts_ns))
		return NULL;

	e->tenant = x->tenant;
	e->asked = x->now && x->now->has_question ? x->now : NULL;
	e->excluded = false;
	note_unseen(e, x);
	start(e, rule, x);
	if (x->now)
		fill_message(e, x->now, qname);
	write_key(e);
	return &e->alert;
}

void emit_client(struct emit *e, const struct ip *client, const char *name)
{
	struct alert *a = &e->alert;

	if (a->has_source && !ip_equal(&a->source, client))
		a->source_port = 0;
	a->has_source = true;
	a->source = *client;
	(void)text_join(e->name, sizeof(e->name), name ? name : "");
	e->excluded = is_excluded(e, e->tenant, a->rule, client, "", a->ts_ns);
	write_key(e);
}

void emit_server(struct emit *e, const struct ip *server, uint16_t port)
{
	e->alert.has_destination = true;
	e->alert.destination = *server;
	e->alert.destination_port = port;
}

void emit_question(struct emit *e, const char *qname, uint16_t qtype)
{
	struct alert *a = &e->alert;

	e->asked = NULL;
	a->has_question = true;
	a->qname = alert_put(a, qname);
	a->qtype = qtype;
	add_host(a, a->qname);
}

static bool question_of(const struct emit *e, struct dns_name *name)
{
	if (e->asked)
		return dns_name_from_wire(
			name, observation_qname_wire(e->asked), e->asked->qname_len);
	return dns_name_parse(name, alert_get(&e->alert, e->alert.qname));
}

/* A suffix of the question as text: the end of what the alert has of it, unless octets are escaped. */
static alert_text put_suffix(struct emit *e, const struct dns_name *name, unsigned labels)
{
	struct alert *a = &e->alert;
	char text[DNS_NAME_TEXT_MAX];
	size_t len;

	/* As text a name has neither its first length nor the root. */
	(void)dns_name_suffix(name, labels, &len);
	if (strlen(alert_get(a, a->qname)) == name->wire_len - 2u)
		return (alert_text)(a->qname + name->wire_len - len);
	dns_name_format_suffix(name, labels, text);
	return alert_put(a, text);
}

static void add_registered(struct emit *e)
{
	struct alert *a = &e->alert;
	struct dns_name name;

	if (!a->qname || a->registered_domain || !question_of(e, &name))
		return;
	unsigned labels = registered_labels(e->registered, &name);
	if (labels > 0)
		a->registered_domain = put_suffix(e, &name, labels);
}

static void add_geo(const struct geo *geo, const struct ip *ip, char country[3], uint32_t *asn)
{
	struct geo_facts facts = geo_lookup(geo, ip);

	memcpy(country, facts.country, sizeof(facts.country));
	*asn = facts.asn;
}

void emit_commit(struct emit *e)
{
	struct alert *a = &e->alert;

	if (e->excluded)
		return;
	why_unseen(e);
	add_registered(e);
	if (a->has_source)
		add_geo(e->known->geo, &a->source, a->source_country, &a->source_asn);
	if (a->has_destination)
		add_geo(e->known->geo, &a->destination, a->destination_country,
			&a->destination_asn);
	if (!a->allow_hint)
		emit_hint_exclude(e, e->name[0] ? e->name : NULL);
	emit_pass(e);
}

/* --- lines to paste ------------------------------------------------------------------------- */

/* Octets that nothing in YAML begins or ends with: letters, digits, ". _ / -". */
static bool is_plain_octet(unsigned char octet)
{
	unsigned char letter = octet | 0x20;

	return (letter >= 'a' && letter <= 'z') || (octet >= '-' && octet <= '9') ||
	       octet == '_';
}

/* Words that are no text in YAML 1.1. */
static bool is_word(const char *text, size_t len)
{
	static const char *const words[] = { "true", "false", "yes", "no", "on", "off", "null",
		"y", "n" };

	if (len > strlen("false"))
		return false;
	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		if ((text[0] | 0x20) == words[i][0] && strcasecmp(text, words[i]) == 0)
			return true;
	}
	return false;
}

/* Can the text stand in YAML as it is, inside brackets too, and still be text? */
static bool is_plain(const char *text)
{
	size_t len = 0;

	if (!isalnum((unsigned char)text[0]))
		return false;
	while (is_plain_octet((unsigned char)text[len]))
		len++;
	return text[len] == '\0' && !is_word(text, len);
}

const char *emit_yaml(struct emit *e, const char *text)
{
	size_t len = 0;

	if (is_plain(text))
		return text;
	char *to = e->yaml[e->yaml_next++ % YAML_SLOTS];
	to[len++] = '"';
	for (const char *at = text; *at && len < YAML_TEXT_MAX - 3; at++) {
		if (*at == '"' || *at == '\\')
			to[len++] = '\\';
		to[len++] = *at;
	}
	to[len++] = '"';
	to[len] = '\0';
	return to;
}

/* The lines that lead to the tenant, and these below it. Traffic of nobody needs a tenant first. */
static void put_hint(struct emit *e, const char *const *line, size_t line_count)
{
	const struct alert *a = &e->alert;
	const char *part[HINT_OWNER_PARTS + HINT_PARTS_MAX];
	char network[IP_NET_TEXT_MAX + 2] = "";

	assert(line_count <= HINT_PARTS_MAX);
	if (e->tenant->number != POLICY_UNMAPPED) {
		part[0] = "tenants:\n  - id: ";
		part[1] = emit_yaml(e, e->tenant->id);
		part[2] = "\n";
	} else {
		if (a->has_source)
			(void)text_join(network, sizeof(network), e->client,
				ip_is_v4(&a->source) ? "/32" : "/128");
		part[0] = "# no tenant has this client yet: choose an id and its networks\n"
			  "tenants:\n  - id: new-tenant\n    select:\n      networks: [";
		part[1] = network[0] ? emit_yaml(e, network) : "";
		part[2] = "]\n";
	}
	memcpy(part + HINT_OWNER_PARTS, line, line_count * sizeof(*line));
	e->alert.allow_hint = alert_join_parts(&e->alert, part, HINT_OWNER_PARTS + line_count);
}

void emit_hint(struct emit *e, const char *format, ...)
{
	char lines[4 * DNS_NAME_TEXT_MAX];
	va_list args;

	va_start(args, format);
	vsnprintf(lines, sizeof(lines), format, args);
	va_end(args);
	put_hint(e, TEXT_PARTS(lines));
}

void emit_hint_exclude(struct emit *e, const char *name)
{
	const char *client = e->alert.has_source ? e->client : NULL;

	put_hint(e, TEXT_PARTS("    exclude:\n      - {rule: ", rule_table[e->alert.rule].id,
			    client ? ", clients: [" : "", client ? emit_yaml(e, client) : "",
			    client ? "]" : "", name ? ", names: [" : "",
			    name ? emit_yaml(e, name) : "", name ? "]" : "", "}\n"));
}

void emit_hint_approve(struct emit *e, const char *name)
{
	put_hint(e, TEXT_PARTS("    ddns:\n      approved:\n        - name: ",
			    emit_yaml(e, name), "\n"));
}
