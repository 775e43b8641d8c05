/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/output/sample.h"

#include "rules/observation.h"

#include <string.h>

static void start(struct alert *a)
{
	memset(a, 0, offsetof(struct alert, pool));
	a->pool[0] = '\0';
	a->pool_len = 1;
	a->score = -1;
}

void sample_plain(struct alert *a, const char *key, int64_t ts_ns)
{
	start(a);
	a->kind = ALERT_RAISED;
	a->rule = RULE_LOOKUP_UNAPPROVED;
	a->severity = SEVERITY_MEDIUM;
	a->ts_ns = a->start_ns = a->end_ns = ts_ns;
	a->suppress_ns = 3600 * SAMPLE_S;
	a->count = 1;
	a->tenant = 3;
	a->tenant_id = alert_put(a, "acme");
	a->key = alert_put(a, key);
	a->message = alert_put(a, "10.1.0.9 looked up cam7.duckdns.org");
	a->allow_hint = alert_put(a, "approved: [{name: cam7.duckdns.org}]");
	alert_why(a, "provider", alert_words(a, "duckdns"), alert_none(), alert_none());
}

static struct ip ip_of(const char *text)
{
	struct ip ip = { { 0 } };

	if (!ip_parse(&ip, text))
		memset(&ip, 0xff, sizeof(ip));
	return ip;
}

static void fill_network(struct alert *a)
{
	a->has_source = a->has_destination = true;
	a->source = ip_of("10.1.0.9");
	a->source_port = 40000;
	memcpy(a->source_country, "DE", 3);
	a->source_asn = 64500;
	a->destination = ip_of("2001:db8::53");
	a->destination_port = 53;
	memcpy(a->destination_country, "US", 3);
	a->destination_asn = 64501;
	a->transport = TRANSPORT_TCP;
	a->vlan[0] = 101;
	a->vlan[1] = 7;
	a->vlan_count = 2;
}

static void fill_dns(struct alert *a)
{
	a->has_question = a->has_rcode = a->has_opcode = true;
	a->opcode = 0;
	a->qtype = 1;
	a->rcode = 0;
	a->qname = alert_put(a, "www.shop.example");
	a->registered_domain = alert_put(a, "shop.example");
	a->answer[0] = (struct alert_answer){
		.name = a->qname, .data = alert_put(a, "c2.evil.example"), .type = 5, .ttl = 300
	};
	a->answer[1] = (struct alert_answer){ .name = a->answer[0].data,
		.data = alert_put(a, "192.0.2.7"),
		.type = 1,
		.ttl = 60 };
	a->answer_count = 2;
	a->resolved[0] = ip_of("192.0.2.7");
	a->resolved_count = 1;
	a->related[0] = ip_of("10.1.0.9"); /* again: listed once */
	a->related[1] = ip_of("198.51.100.1");
	a->related_count = 2;
	a->host[0] = a->answer[0].data;
	a->host_count = 1;
}

/* Two feeds: what is said of both is taken together. */
static void fill_indicators(struct alert *a)
{
	a->indicator_count = 2;
	a->indicator_by[0] = (struct alert_indicator){
		.feed = alert_put(a, "urlhaus"),
		.confidence = 20,
		.tlp = 2,
		.tlp_name = alert_put(a, "GREEN"),
		.first_seen_s = SAMPLE_NOON_NS / SAMPLE_S - 60,
	};
	a->indicator_by[1] = (struct alert_indicator){
		.feed = alert_put(a, "fox"),
		.category = alert_put(a, "Emotet"),
		.reference = alert_put(a, "https://r.example/"),
		.confidence = 75,
		.tlp = 3,
		.tlp_name = alert_put(a, "AMBER"),
		.first_seen_s = SAMPLE_NOON_NS / SAMPLE_S - 3600,
		.until_s = SAMPLE_NOON_NS / SAMPLE_S + 3600,
	};
}

void sample_full(struct alert *a)
{
	start(a);
	a->kind = ALERT_RAISED;
	a->rule = RULE_LOOKUP_MALICIOUS;
	a->severity = SEVERITY_CRITICAL;
	a->ts_ns = SAMPLE_NOON_NS + 123456789;
	a->start_ns = SAMPLE_NOON_NS;
	a->end_ns = SAMPLE_NOON_NS + SAMPLE_S;
	a->suppress_ns = 3600 * SAMPLE_S;
	a->count = 12;
	a->suppressed = 4;
	a->score = 87;
	a->tenant = 1;
	a->tenant_id = alert_put(a, "acme");
	a->key = alert_put(a, "lookup.malicious|acme|10.1.0.9|c2.evil.example");
	a->message = alert_put(a, "10.1.0.9 was led to c2.evil.example");
	a->allow_hint = alert_put(a, "exclude:\n  - {rule: lookup.malicious}");
	a->indicator = alert_put(a, "evil.example");
	a->indicator_provider = alert_put(a, "urlhaus");
	fill_indicators(a);
	a->zone = alert_put(a, "corp.example");
	a->key_name = alert_put(a, "ddns-key");
	fill_network(a);
	fill_dns(a);
	alert_why(a, "feed", alert_words(a, "urlhaus"), alert_none(), alert_none());
	alert_why(a, "ratio", alert_number(0.25), alert_number(3), alert_number(-1.5));
}

void sample_tick(struct alert *a, int64_t ts_ns)
{
	start(a);
	a->kind = ALERT_TICK;
	a->ts_ns = ts_ns;
}

static void keep(struct sink *sink, const struct sink_record *record)
{
	struct sample_sink *s = (struct sample_sink *)sink;

	text_add(&s->lines, record->json, record->json_len);
	text_putc(&s->lines, '\n');
	s->written++;
}

static void count_flush(struct sink *sink)
{
	((struct sample_sink *)sink)->flushed++;
}

static void count_reopen(struct sink *sink)
{
	((struct sample_sink *)sink)->reopened++;
}

static void count_close(struct sink *sink, int timeout_ms)
{
	((struct sample_sink *)sink)->closed++;
	((struct sample_sink *)sink)->close_timeout_ms = timeout_ms;
}

static void count_free(struct sink *sink)
{
	((struct sample_sink *)sink)->freed++;
}

void sample_sink_init(struct sample_sink *s)
{
	static const struct sink_api api = {
		.write = keep,
		.flush = count_flush,
		.reopen = count_reopen,
		.close = count_close,
		.free = count_free,
	};

	*s = (struct sample_sink){ .sink = { .api = &api, .name = "sample" } };
}

void sample_sink_deinit(struct sample_sink *s)
{
	text_deinit(&s->lines);
}
