/* SPDX-License-Identifier: BSD-2-Clause */
#include "sensor/output/output.h"

#include "sensor/base/clock.h"
#include "sensor/base/text.h"
#include "sensor/output/changelog.h"
#include "sensor/output/ecs.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* Bounds how late a line that is ready leaves; capture and threads take up to 130 ms more. */
#define FLUSH_INTERVAL_NS (250 * NS_PER_MS)

struct output {
	char *sensor;
	struct ecs *ecs;
	struct suppress *suppress;
	struct sink *sink[OUTPUT_SINKS_MAX];
	enum alert_kind takes[OUTPUT_SINKS_MAX]; /* what each sink is for */
	size_t sink_count;
	int64_t flushed_ns; /* wall clock */
	struct text line;
	struct gauge written;
	uint64_t changes, unwritten;
	uint64_t by_rule[RULE_COUNT];
	uint64_t *by_tenant;
	size_t tenant_count;
};

/* Counted per tenant as far as memory goes: the total does not depend on it. */
static void count_tenant(struct output *o, uint16_t tenant)
{
	if (tenant >= o->tenant_count) {
		size_t count = (size_t)tenant + 64;
		uint64_t *more = realloc(o->by_tenant, count * sizeof(*more));
		if (!more)
			return;
		memset(more + o->tenant_count, 0, (count - o->tenant_count) * sizeof(*more));
		o->by_tenant = more;
		o->tenant_count = count;
	}
	o->by_tenant[tenant]++;
}

/* The line, if it could be made, goes to the sinks of its kind. */
static bool write_line(struct output *o, const struct alert *a, const char *id)
{
	struct sink_record record = { a, id, o->line.at, o->line.len };

	if (o->line.failed) {
		text_deinit(&o->line);
		o->line = (struct text){ 0 };
		o->unwritten++;
		return false;
	}
	for (size_t i = 0; i < o->sink_count; i++) {
		if (o->takes[i] == a->kind)
			o->sink[i]->api->write(o->sink[i], &record);
	}
	return true;
}

/* The alert goes out: the sink of suppress.c. */
static void write_alert(void *arg, const struct alert *a, int64_t window_ns)
{
	struct output *o = arg;
	char id[ECS_ID_LEN + 1];

	ecs_id(o->ecs, id, a, window_ns);
	text_clear(&o->line);
	ecs_write(o->ecs, &o->line, a, id);
	if (!write_line(o, a, id))
		return;
	gauge_add(&o->written, 1);
	o->by_rule[a->rule]++;
	count_tenant(o, a->tenant);
}

static void write_change(struct output *o, const struct alert *a)
{
	char id[CHANGELOG_ID_LEN + 1];

	text_clear(&o->line);
	changelog_write(&o->line, a, o->sensor, id);
	o->changes += write_line(o, a, id);
}

static void write_explanation(struct output *o, const struct alert *a)
{
	text_clear(&o->line);
	text_puts(&o->line, alert_get(a, a->message));
	(void)!write_line(o, a, "");
}

struct output *output_new(const struct output_options *options)
{
	struct output *o = calloc(1, sizeof(*o));

	if (!o)
		return NULL;
	o->sensor = strdup(options->sensor);
	o->ecs = ecs_new(&(struct ecs_observer){ options->sensor, options->version });
	o->suppress = suppress_new(&options->suppress, write_alert, o);
	if (!o->sensor || !o->ecs || !o->suppress) {
		output_free(o);
		return NULL;
	}
	return o;
}

void output_free(struct output *o)
{
	if (!o)
		return;
	for (size_t i = 0; i < o->sink_count; i++)
		o->sink[i]->api->free(o->sink[i]);
	suppress_free(o->suppress);
	ecs_free(o->ecs);
	text_deinit(&o->line);
	free(o->by_tenant);
	free(o->sensor);
	free(o);
}

bool output_add_sink_for(struct output *o, enum alert_kind kind, struct sink *sink)
{
	if (o->sink_count == OUTPUT_SINKS_MAX)
		return false;
	o->takes[o->sink_count] = kind;
	o->sink[o->sink_count++] = sink;
	return true;
}

bool output_add_sink(struct output *o, struct sink *sink)
{
	return output_add_sink_for(o, ALERT_RAISED, sink);
}

unsigned output_kinds(const struct output *o)
{
	unsigned kinds = 0;

	for (size_t i = 0; i < o->sink_count; i++)
		kinds |= 1u << o->takes[i];
	return kinds;
}

void output_accept(struct output *o, const struct alert *a)
{
	switch (a->kind) {
	case ALERT_RAISED:
		suppress_accept(o->suppress, a);
		break;
	case ALERT_TICK:
		suppress_tick(o->suppress, a->ts_ns);
		output_idle(o);
		break;
	case ALERT_CHANGE:
		write_change(o, a);
		break;
	case ALERT_EXPLANATION:
		write_explanation(o, a);
		break;
	default:
		assert(!"an alert of no known kind");
	}
}

static void flush_sinks(struct output *o)
{
	for (size_t i = 0; i < o->sink_count; i++)
		o->sink[i]->api->flush(o->sink[i]);
}

void output_idle(struct output *o)
{
	int64_t now_ns = clock_monotonic_ns();

	if (now_ns - o->flushed_ns < FLUSH_INTERVAL_NS)
		return;
	o->flushed_ns = now_ns;
	flush_sinks(o);
}

void output_reopen(struct output *o)
{
	for (size_t i = 0; i < o->sink_count; i++) {
		if (o->sink[i]->api->reopen)
			o->sink[i]->api->reopen(o->sink[i]);
	}
}

void output_finish(struct output *o)
{
	suppress_finish(o->suppress);
	flush_sinks(o);
}

uint64_t output_close(struct output *o, int timeout_ms)
{
	for (size_t i = 0; i < o->sink_count; i++)
		o->sink[i]->api->close(o->sink[i], timeout_ms);
	return output_lost(o);
}

uint64_t output_lost(const struct output *o)
{
	uint64_t lost = o->unwritten;

	for (size_t i = 0; i < o->sink_count; i++)
		lost += sink_lost(o->sink[i]);
	return lost;
}

void output_stats(const struct output *o, struct output_stats *out)
{
	struct suppress_stats held = suppress_stats(o->suppress);

	*out = (struct output_stats){
		.raised = held.raised,
		.suppressed = held.held,
		.closings = held.closings,
		.written = output_written(o),
		.changes = o->changes,
		.unwritten = o->unwritten,
		.closed_early = held.closed_early,
		.by_tenant = o->by_tenant,
		.tenant_count = o->tenant_count,
	};
	memcpy(out->by_rule, o->by_rule, sizeof(o->by_rule));
}

uint64_t output_written(const struct output *o)
{
	return gauge_read(&o->written);
}
