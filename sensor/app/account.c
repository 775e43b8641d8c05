/* SPDX-License-Identifier: BSD-2-Clause */
#include "sensor/app/account.h"

#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

static uint64_t read_at(const void *counters, size_t field)
{
	return gauge_read((const struct gauge *)((const char *)counters + field));
}

/* One field of struct input_counters over all inputs. */
#define TOTAL(e, field) total(e, offsetof(struct input_counters, field))

static uint64_t total(const struct engine *e, size_t field)
{
	uint64_t sum = 0;
	for (size_t i = 0; i < e->options.input_count; i++)
		sum += read_at(&e->counters[i], field);
	return sum;
}

/* One field of struct reading_counters, over all who read messages: inputs, and trackers. */
#define MESSAGES(e, field) messages(e, offsetof(struct reading_counters, field))

static uint64_t messages(const struct engine *e, size_t field)
{
	uint64_t sum = total(e, offsetof(struct input_counters, messages) + field);
	for (size_t i = 0; i < e->options.shard_count; i++)
		sum += read_at(&e->readings[i], field);
	return sum;
}

static void take_packets(struct account *a, const struct engine *e)
{
	struct summary_packets *p = &a->summary.packets;
	p->read = TOTAL(e, read);
	p->bytes = TOTAL(e, read_bytes);
	p->dns = TOTAL(e, packets[PACKET_DNS]);
	p->other = TOTAL(e, packets[PACKET_OTHER]);
	p->checksum_wrong = TOTAL(e, checksum_wrong);
	p->dropped = TOTAL(e, dropped_kernel) + TOTAL(e, dropped_interface);
	size_t count = 0;
	for (int r = PACKET_HELD + 1; r < PACKET_RESULT_COUNT; r++)
		a->rejected[count++] = (struct summary_pair){ packet_result_name(r),
			TOTAL(e, packets[r]), packet_result_meaning(r) };
	p->rejected = (struct summary_pairs){ a->rejected, count };
}

static void take_dns(struct account *a, const struct engine *e)
{
	struct summary_dns *d = &a->summary.dns;
	d->messages = MESSAGES(e, malformed[DNS_OK]);
	d->queries = MESSAGES(e, queries);
	d->responses = MESSAGES(e, responses);
	d->tcp = MESSAGES(e, tcp);
	d->not_logged = logger_missing(e->logger);
	for (uint8_t i = 0; i < 16; i++)
		a->opcode[i] = (struct summary_pair){ dns_opcode_name(i, a->opcode_text[i]),
			MESSAGES(e, opcode[i]), NULL };
	for (uint16_t i = 0; i < READING_RCODES_MAX; i++)
		a->rcode[i] = (struct summary_pair){ dns_rcode_name(i, a->rcode_text[i]),
			MESSAGES(e, rcode[i]), NULL };
	a->rcode[READING_RCODES_MAX - 1].name = "other";
	size_t count = 0;
	for (int i = DNS_OK + 1; i < DNS_ERROR_COUNT; i++)
		a->malformed[count++] = (struct summary_pair){ dns_error_name(i),
			MESSAGES(e, malformed[i]), dns_error_meaning(i) };
	d->opcodes = (struct summary_pairs){ a->opcode, ARRAY_LEN(a->opcode) };
	d->rcodes = (struct summary_pairs){ a->rcode, ARRAY_LEN(a->rcode) };
	d->malformed = (struct summary_pairs){ a->malformed, count };
}

static void take_streams(struct account *a, const struct engine *e)
{
	a->summary.streams = (struct summary_streams){
		.gaps = TOTAL(e, stream_gaps),
		.lost_bytes = TOTAL(e, stream_lost_bytes),
		.resyncs = TOTAL(e, stream_resyncs),
		.junk = TOTAL(e, stream_junk),
	};
}

/* Tables of the same name in several shards are one row. */
static void add_table(struct account *a, const struct table_stats *t)
{
	for (size_t i = 0; i < a->summary.table_count; i++) {
		struct summary_table *row = &a->table[i];
		if (strcmp(row->name, t->name) != 0)
			continue;
		row->used += t->used;
		row->capacity += t->capacity;
		row->evicted += t->evicted;
		return;
	}
	a->table[a->summary.table_count++] =
		(struct summary_table){ t->name, t->used, t->capacity, t->evicted };
}

static void take_inputs(struct account *a, const struct engine *e)
{
	for (size_t i = 0; i < e->options.input_count; i++) {
		const struct input_counters *c = &e->counters[i];
		struct table_stats fragments = {
			.name = "fragments",
			.used = gauge_read(&c->fragments_used),
			.capacity = gauge_read(&c->fragments_capacity),
			.evicted = gauge_read(&c->fragments_evicted),
		};
		struct table_stats streams = {
			.name = "tcp_streams",
			.used = gauge_read(&c->streams_used),
			.capacity = gauge_read(&c->streams_capacity),
			.evicted = gauge_read(&c->streams_evicted),
		};
		struct table_stats held = {
			.name = "tcp_bytes",
			.used = gauge_read(&c->held_bytes),
			.capacity = gauge_read(&c->held_bytes_max),
			.evicted = gauge_read(&c->held_evicted),
		};
		add_table(a, &fragments);
		add_table(a, &streams);
		add_table(a, &held);
	}
}

static void take_trackers(struct account *a, struct engine *e, size_t tenant_count)
{
	struct summary *s = &a->summary;
	for (int k = 1; k < UPDATE_FAULT_COUNT; k++)
		a->update_fault[k - 1] = (struct summary_pair){ update_fault_name(k), 0,
			update_fault_meaning(k) };
	s->dns.update_faults =
		(struct summary_pairs){ a->update_fault, ARRAY_LEN(a->update_fault) };
	for (size_t i = 0; i < e->options.shard_count; i++) {
		struct judge_stats stats;
		report_read(e->lane[i].report, &stats, a->tenant_messages, tenant_count);
		s->pairs.matched += stats.pairs.matched;
		s->pairs.unanswered += stats.pairs.unanswered;
		s->pairs.unsolicited += stats.pairs.unsolicited;
		s->pairs.pending += stats.pairs.pending;
		s->pending += stats.pending;
		for (int k = 1; k < UPDATE_FAULT_COUNT; k++)
			a->update_fault[k - 1].count += stats.update_faults[k];
		for (size_t k = 0; k < stats.table_count; k++)
			add_table(a, &stats.table[k]);
	}
	s->table = a->table;
}

static bool take_updates(struct account *a, struct engine *e)
{
	size_t count = 0;
	for (size_t i = 0; i < e->options.shard_count; i++)
		if (!report_tally(e->lane[i].report, &a->update, &count))
			return false;
	a->summary.update = a->update;
	a->summary.update_count = tally_rank(a->update, count);
	return true;
}

static void take_alerts(
	struct account *a, const struct output *output, const struct policy_set *policies)
{
	struct output_stats stats;
	output_stats(output, &stats);
	a->summary.alerts = (struct summary_alerts){
		.raised = stats.raised,
		.suppressed = stats.suppressed,
		.written = stats.written,
		.by_rule = { a->by_rule, RULE_COUNT },
	};
	for (int r = 0; r < RULE_COUNT; r++)
		a->by_rule[r] = (struct summary_pair){ rule_table[r].id, stats.by_rule[r],
			rule_table[r].name };
	for (size_t i = 0; i < policies->tenant_count; i++)
		a->tenant[i] = (struct summary_tenant){
			.id = policies->tenant[i].id,
			.messages = a->tenant_messages[i],
			.alerts = i < stats.tenant_count ? stats.by_tenant[i] : 0,
		};
	a->summary.tenant = a->tenant;
	a->summary.tenant_count = policies->tenant_count;
	a->summary.unmapped_id = policies->tenant[POLICY_UNMAPPED].id;
}

/* The first and the last packet over all inputs. */
static void take_times(struct account *a, const struct engine *e)
{
	struct summary *s = &a->summary;
	for (size_t i = 0; i < e->options.input_count; i++) {
		const struct input_counters *c = &e->counters[i];
		if (gauge_read(&c->read) == 0)
			continue;
		int64_t first = (int64_t)gauge_read(&c->first_ts_ns);
		int64_t last = (int64_t)gauge_read(&c->last_ts_ns);
		if (!s->has_packets || first < s->first_ns)
			s->first_ns = first;
		if (!s->has_packets || last > s->last_ns)
			s->last_ns = last;
		s->has_packets = true;
	}
}

bool account_take(struct account *a, struct engine *e, const struct output *output,
	const struct policy_set *policies)
{
	*a = (struct account){ 0 };
	a->tenant = calloc(policies->tenant_count, sizeof(*a->tenant));
	a->tenant_messages = calloc(policies->tenant_count, sizeof(*a->tenant_messages));
	if (!a->tenant || !a->tenant_messages || !take_updates(a, e)) {
		account_deinit(a);
		return false;
	}
	take_packets(a, e);
	take_dns(a, e);
	take_streams(a, e);
	take_inputs(a, e);
	take_trackers(a, e, policies->tenant_count);
	take_alerts(a, output, policies);
	take_times(a, e);
	a->summary.peak_rss_bytes = account_peak_rss_bytes();
	return true;
}

void account_deinit(struct account *a)
{
	free(a->tenant);
	free(a->tenant_messages);
	free(a->update);
	*a = (struct account){ 0 };
}

uint64_t account_peak_rss_bytes(void)
{
	struct rusage usage;
	if (getrusage(RUSAGE_SELF, &usage) == -1)
		return 0;
	return (uint64_t)usage.ru_maxrss * 1024;
}
