/* SPDX-License-Identifier: BSD-2-Clause */
#include "sensor/pipeline/logger.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "sensor/base/clock.h"
#include "sensor/base/log.h"
#include "sensor/base/thread.h"
#include "sensor/dns/message.h"
#include "sensor/packet/packet.h"
#include "sensor/pipeline/turns.h"
#include "sensor/ring/gauge.h"
#include "sensor/ring/spsc.h"
#include "sensor/ring/watermark.h"

#define BATCH   64 /* records between two looks at the clock */
#define WAIT_MS 10 /* for one input, while others may have records */
#define NAP_NS  (2 * NS_PER_MS)
#define KEEP_NS NS_PER_S
#define SAY_NS  (60 * NS_PER_S)

/* A message on its way; behind it the tenant's id with its NUL, and the octets. */
struct logged {
	struct turns_record head;
	struct ip src, dst;
	uint16_t sport, dport;
	uint16_t vlan[PACKET_VLANS_MAX];
	uint16_t wire_len;
	uint8_t vlan_count;
	bool tcp;
	uint32_t tenant_bytes;
};

struct logger {
	struct logger_options options;
	struct spsc *ring[TURNS_INPUTS_MAX]; /* one per input; NULL: inline */
	struct watermark reached[TURNS_INPUTS_MAX];
	/* messages that found no room, written by the inputs; that could not be written, by who writes the log */
	struct gauge no_room[TURNS_INPUTS_MAX], unwritten;
	pthread_t thread;
	bool started;
	/* the thread's own */
	struct turns turns;
	struct dns_message message;
	int64_t kept_ns, said_ns;
	uint64_t said; /* as missing */
};

struct logger *logger_new(const struct logger_options *options)
{
	struct logger *g = calloc(1, sizeof(*g));

	if (!g)
		return NULL;
	g->options = *options;
	for (size_t i = 0; options->threaded && i < options->input_count; i++) {
		g->ring[i] = spsc_new(LOGGER_RING_BYTES);
		if (!g->ring[i]) {
			logger_free(g);
			return NULL;
		}
		spsc_set_nap(g->ring[i], NAP_NS);
	}
	g->turns = (struct turns){
		.ring = g->ring,
		.reached = g->reached,
		.input_count = options->input_count,
	};
	return g;
}

void logger_free(struct logger *g)
{
	if (!g)
		return;
	for (size_t i = 0; i < g->options.input_count; i++)
		spsc_free(g->ring[i]);
	free(g);
}

uint64_t logger_missing(const struct logger *g)
{
	if (!g)
		return 0;
	uint64_t missing = gauge_read(&g->unwritten);
	for (size_t i = 0; i < g->options.input_count; i++)
		missing += gauge_read(&g->no_room[i]);
	return missing;
}

/* --- an input's side ------------------------------------------------------------------------- */

static void write_entry(struct logger *g, const struct dnslog_entry *entry)
{
	if (UNLIKELY(!dnslog_write(g->options.log, entry)))
		gauge_add(&g->unwritten, 1);
}

/* Room for a record; NULL: there is none, or never will be. */
static struct logged *offer(struct logger *g, size_t input, size_t bytes)
{
	struct spsc *ring = g->ring[input];
	struct logged *r = spsc_reserve(ring, bytes);

	while (UNLIKELY(!r) && !g->options.live && spsc_wait_room(ring, bytes, -1))
		r = spsc_reserve(ring, bytes);
	return r;
}

void logger_take(struct logger *g, size_t input, const struct dnslog_entry *e)
{
	if (!g->ring[input]) {
		write_entry(g, e);
		return;
	}
	const struct dns_message *m = e->message;
	size_t tenant_bytes = strlen(e->tenant) + 1;
	size_t bytes = sizeof(struct logged) + tenant_bytes + m->wire_len;
	struct logged *r = offer(g, input, bytes);

	if (UNLIKELY(!r)) {
		gauge_add(&g->no_room[input], 1);
		return;
	}
	r->head.ts_ns = e->ts_ns;
	r->src = e->src;
	r->dst = e->dst;
	r->sport = e->sport;
	r->dport = e->dport;
	r->wire_len = m->wire_len;
	r->tenant_bytes = (uint32_t)tenant_bytes;
	r->tcp = e->tcp;
	r->vlan_count = (uint8_t)e->vlan_count;
	for (size_t i = 0; i < e->vlan_count; i++)
		r->vlan[i] = e->vlan[i];
	char *behind = (char *)(r + 1);
	memcpy(behind, e->tenant, tenant_bytes);
	memcpy(behind + tenant_bytes, m->wire, m->wire_len);
	spsc_commit(g->ring[input], bytes);
}

void logger_flush(struct logger *g, size_t input)
{
	if (g->ring[input])
		spsc_publish(g->ring[input]);
}

void logger_reached(struct logger *g, size_t input, int64_t ts_ns)
{
	watermark_set(&g->reached[input], (uint64_t)ts_ns);
}

/* --- the thread's ---------------------------------------------------------------------------- */

static void write_record(struct logger *g, const struct logged *r)
{
	const char *tenant = (const char *)(r + 1);
	const uint8_t *wire = (const uint8_t *)tenant + r->tenant_bytes;
	struct dnslog_entry entry = {
		.ts_ns = r->head.ts_ns,
		.src = r->src,
		.dst = r->dst,
		.sport = r->sport,
		.dport = r->dport,
		.tcp = r->tcp,
		.vlan = r->vlan,
		.vlan_count = r->vlan_count,
		.tenant = tenant,
		.message = &g->message,
	};

	/* The input found it well-formed. */
	if (LIKELY(dns_message_decode(&g->message, wire, r->wire_len) == DNS_OK))
		write_entry(g, &entry);
}

/* Up to one batch; returns how many there were. */
static size_t write_some(struct logger *g)
{
	const struct turns_record *record;
	size_t count = 0;

	for (; count < BATCH && (record = turns_next(&g->turns)) != NULL; count++)
		write_record(g, (const struct logged *)record);
	if (count > 0)
		turns_retire(&g->turns);
	return count;
}

static void say_missing(struct logger *g, int64_t now_ns)
{
	uint64_t missing = logger_missing(g);

	if (missing == g->said || (g->said && now_ns - g->said_ns < SAY_NS))
		return;
	log_error(
		"the DNS log lacks %llu messages: it cannot be written, or not as fast as they come",
		(unsigned long long)(missing - g->said));
	g->said = missing;
	g->said_ns = now_ns;
}

/* A log that lasts wants to be looked after, whether messages come or not. */
static void keep_up(struct logger *g)
{
	int64_t now_ns = g->options.live ? clock_monotonic_ns() : 0;

	if (now_ns - g->kept_ns < KEEP_NS)
		return;
	g->kept_ns = now_ns;
	dnslog_keep(g->options.log);
	say_missing(g, now_ns);
}

static void write_all(struct logger *g)
{
	const int wait_ms = g->options.input_count == 1 ? (int)(KEEP_NS / NS_PER_MS) : WAIT_MS;

	for (;;) {
		size_t count = write_some(g);
		keep_up(g);
		if (count > 0)
			continue;
		if (!g->turns.wait_for)
			return;
		(void)!spsc_wait_record(g->turns.wait_for, wait_ms);
	}
}

static void *run(void *arg)
{
	struct logger *g = arg;

	pthread_setname_np(pthread_self(), "dw-log");
	write_all(g);
	return NULL;
}

int logger_start(struct logger *g)
{
	if (!g->options.threaded)
		return 0;
	int error = thread_start(&g->thread, run, g);
	g->started = error == 0;
	return error;
}

void logger_end(struct logger *g)
{
	if (!g->options.threaded)
		return;
	for (size_t i = 0; i < g->options.input_count; i++)
		spsc_close(g->ring[i]);
	if (g->started)
		pthread_join(g->thread, NULL);
	else
		write_all(g);
	g->started = false;
}
