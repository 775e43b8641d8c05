/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * race_pipeline -- the whole pipeline under ThreadSanitizer (make race): inputs, lanes, trackers,
 * output, DNS log, over synthetic traffic.
 *
 *   1. one input, three lanes, everything on one thread: what is expected
 *   2. the same with threads, as in a replay: the same lines in the same order
 *   3. one tracker, which reads messages that the input leaves unread, as there is no log: the same lines
 *   4. two live inputs at once: as many alerts as when they are read one after the other
 *
 * While they run, other threads read progress and take the books, as the program's own do.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "sensor/app/account.h"
#include "sensor/app/engine.h"
#include "sensor/base/clock.h"
#include "sensor/base/hash.h"

#define ALARM_S      120
#define SHARDS       3
#define TENANTS      5
#define FRAMES       24000
#define LISTED       8
#define FRAME_BYTES  128
#define START_NS     (INT64_C(1785585600) * NS_PER_S)
#define STEP_NS      (200 * NS_PER_US)
#define MEMORY_BYTES ((size_t)32 << 20)

static void fail(const char *what)
{
	fprintf(stderr, "race_pipeline: %s\n", what);
	exit(1);
}

/* --- traffic ----------------------------------------------------------------------------------- */

/* Frames made when they are asked for: queries of all tenants, one in LISTED for a listed name. */
struct traffic {
	struct source base;
	unsigned made, first, step; /* this source has frames first, first + step, ... */
	uint8_t bytes[SOURCE_BATCH_MAX][FRAME_BYTES];
};

static uint8_t *put16(uint8_t *at, unsigned value)
{
	*at++ = (uint8_t)(value >> 8);
	*at++ = (uint8_t)value;
	return at;
}

static uint8_t *put(uint8_t *at, const void *bytes, size_t bytes_len)
{
	memcpy(at, bytes, bytes_len);
	return at + bytes_len;
}

/* A query for n<number>.evil.test or n<number>.fine.test by a client of tenant number % TENANTS. */
static size_t make_frame(uint8_t *frame, unsigned number)
{
	char label[16];
	int label_len = snprintf(label, sizeof(label), "n%u", number);
	size_t dns_len = 12 + 1 + (size_t)label_len + 11 + 4;
	uint8_t *at = put(frame, "\2\0\0\0\0\1\2\0\0\0\0\2\x08\0", 14);

	at = put(at, "\x45\0", 2);
	at = put16(at, (unsigned)(20 + 8 + dns_len));
	at = put(at, "\0\0\0\0\x40\x11\0\0", 8);
	at = put(at, (uint8_t[]){ 10, number % TENANTS, number >> 8 & 63, number & 127 }, 4);
	at = put(at, "\xc0\0\2\x35", 4);
	at = put16(at, 1024 + number % 60000);
	at = put16(at, 53);
	at = put16(at, (unsigned)(8 + dns_len));
	at = put16(at, 0);
	at = put16(at, number);
	at = put(at, "\1\0\0\1\0\0\0\0\0\0", 10);
	*at++ = (uint8_t)label_len;
	at = put(at, label, (size_t)label_len);
	at = put(at, number % LISTED ? "\4fine\4test" : "\4evil\4test", 11);
	at = put(at, "\0\1\0\1", 4);
	return (size_t)(at - frame);
}

static enum source_status traffic_next_batch(struct source *s,
	struct frame batch[SOURCE_BATCH_MAX], size_t *count, struct err_ctx *why)
{
	struct traffic *t = (struct traffic *)s;

	(void)why;
	for (*count = 0; *count < SOURCE_BATCH_MAX; ++*count) {
		unsigned number = t->first + t->made * t->step;
		if (number >= FRAMES)
			return SOURCE_END;
		size_t len = make_frame(t->bytes[*count], number);
		batch[*count] = (struct frame){
			.bytes = t->bytes[*count],
			.caplen = (uint32_t)len,
			.wire_len = (uint32_t)len,
			.ts_ns = START_NS + number * STEP_NS,
			.link = PACKET_LINK_ETHERNET,
		};
		t->made++;
		s->position_bytes += len;
	}
	return SOURCE_OK;
}

static void traffic_losses(struct source *s, struct source_losses *out)
{
	(void)s;
	*out = (struct source_losses){ 0 };
}

static void traffic_nothing(struct source *s)
{
	(void)s;
}

static const struct source_ops traffic_ops = {
	.next_batch = traffic_next_batch,
	.losses = traffic_losses,
	.interrupt = traffic_nothing,
	.close = traffic_nothing,
};

static void traffic_init(struct traffic *t, unsigned first, unsigned step)
{
	*t = (struct traffic){
		.base = { .ops = &traffic_ops, .name = "traffic" },
		.first = first,
		.step = step,
	};
}

/* --- knowledge ------------------------------------------------------------------------------------- */

static void know(struct knowledge *k)
{
	static char feed_name[] = "race";
	static struct knowledge_feed feed = { feed_name, NULL, MARK_MALICIOUS, SEVERITY_HIGH };
	struct index_builder *builder = index_builder_new(1);
	struct mark mark = { .kind = MARK_MALICIOUS, .scope = SCOPE_SUFFIX };
	struct dns_name name;
	struct err_ctx why;

	*k = (struct knowledge){ .feed = &feed, .feed_count = 1 };
	k->providers = provider_registry_new();
	k->policies = policy_set_new();
	if (!builder || !k->providers || !k->policies || !dns_name_parse(&name, "evil.test") ||
		index_builder_add(builder, &name, mark) != INDEX_ADDED)
		fail("cannot build the index");
	for (unsigned i = 1; i < TENANTS; i++) {
		char text[32];
		snprintf(text, sizeof(text), "t%u", i);
		struct policy *p = policy_set_add(k->policies, text);
		if (!p || !(p->select.network = calloc(1, sizeof(*p->select.network))))
			fail("out of memory");
		p->select.network_count = 1;
		snprintf(text, sizeof(text), "10.%u.0.0/16", i);
		if (!ip_net_parse(p->select.network, text))
			fail(text);
	}
	k->index = index_build(builder);
	if (!k->index ||
		tenant_map_new(&k->policies->map, k->policies, NULL, 0, &why) != ERR_OK)
		fail("cannot build the tenant map");
}

static void forget(struct knowledge *k)
{
	index_free(k->index);
	policy_set_free(k->policies);
	provider_registry_free(k->providers);
}

/* --- what comes out ------------------------------------------------------------------------------------ */

struct outcome {
	struct sink sink; /* first: the sink's functions get a pointer to it */
	uint64_t lines, hash, raised, packets, dns;
	bool has_log;
	uint64_t logged, not_logged, log_hash;
};

static void outcome_write(struct sink *s, const struct sink_record *record)
{
	struct outcome *o = (struct outcome *)s;

	o->lines++;
	o->hash = hash_bytes(o->hash, record->json, record->json_len);
}

static void sink_nothing(struct sink *s)
{
	(void)s;
}

static void sink_close_nothing(struct sink *s, int timeout_ms)
{
	(void)s;
	(void)timeout_ms;
}

static const struct sink_api outcome_api = {
	.write = outcome_write,
	.flush = sink_nothing,
	.close = sink_close_nothing,
	.free = sink_nothing,
};

/* --- runs -------------------------------------------------------------------------------------------------- */

struct run {
	struct engine engine;
	struct output *output;
	struct dnslog *dnslog;
	int log_fd;
	const struct knowledge *known;
	struct packet_options packet;
};

static void take_books(struct run *r)
{
	struct account account;

	if (!account_take(&account, &r->engine, r->output, r->known->policies))
		fail("out of memory for the books");
	account_deinit(&account);
}

/* On the output's thread, while the trackers work. */
static void each_second(void *arg)
{
	take_books(arg);
}

static void open_log(struct run *r, bool threaded)
{
	char path[64];

	r->log_fd = memfd_create("dns-log", MFD_CLOEXEC);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", r->log_fd);
	r->dnslog = dnslog_open(path, threaded ? DNSLOG_ASIDE : 0);
	if (!r->dnslog)
		fail("cannot open the DNS log");
}

static void close_log(struct run *r, struct outcome *outcome)
{
	char octets[65536];
	ssize_t got;

	if (dnslog_close(r->dnslog) != 0)
		fail("the DNS log could not be written");
	for (off_t at = 0; (got = pread(r->log_fd, octets, sizeof(octets), at)) > 0;
		at += got) {
		outcome->log_hash = hash_bytes(outcome->log_hash, octets, (size_t)got);
		for (ssize_t i = 0; i < got; i++)
			outcome->logged += octets[i] == '\n';
	}
	close(r->log_fd);
}

static void run_open(struct run *r, struct outcome *outcome, const struct knowledge *known,
	size_t inputs, size_t shards, bool threaded, bool logged)
{
	const struct output_options output = { .sensor = "race", .version = "0" };
	struct err_ctx why;

	*r = (struct run){ .known = known };
	packet_options_init(&r->packet);
	port_set_add(&r->packet.ports, 53);
	*outcome = (struct outcome){
		.sink = { .api = &outcome_api, .name = "race" },
		.has_log = logged,
	};
	r->output = output_new(&output);
	if (!r->output || !output_add_sink(r->output, &outcome->sink))
		fail("out of memory");
	if (logged)
		open_log(r, threaded);
	struct engine_options options = {
		.shard_count = shards,
		.input_count = inputs,
		.threaded = threaded,
		.memory_bytes = MEMORY_BYTES,
		.seed = 1,
		.live = inputs > 1,
		.known = known,
		.packet = &r->packet,
		.output = r->output,
		.dnslog = r->dnslog,
		.idle = each_second,
		.idle_arg = r,
	};
	if (engine_init(&r->engine, &options, &why) != ERR_OK ||
		engine_start(&r->engine, &why) != ERR_OK)
		fail(why.text);
}

static void run_close(struct run *r, struct outcome *outcome)
{
	struct account account;

	engine_finish(&r->engine);
	if (r->dnslog)
		close_log(r, outcome);
	if (!account_take(&account, &r->engine, r->output, r->known->policies))
		fail("out of memory for the books");
	outcome->packets = account.summary.packets.read;
	outcome->dns = account.summary.packets.dns;
	outcome->raised = account.summary.alerts.raised;
	outcome->not_logged = account.summary.dns.not_logged;
	account_deinit(&account);
	engine_deinit(&r->engine);
	output_free(r->output);
}

static void *read_input(void *arg)
{
	struct err_ctx why;

	if (input_run(arg, &why) != SOURCE_END)
		fail("a source did not end");
	return NULL;
}

/* Each traffic through an input of its own, at once; this thread watches. */
static void read_together(struct run *r, struct traffic *traffic, size_t count)
{
	pthread_t thread[2];

	for (size_t i = 0; i < count; i++) {
		engine_input(&r->engine, i)->source = &traffic[i].base;
		if (pthread_create(&thread[i], NULL, read_input, engine_input(&r->engine, i)))
			fail("cannot start a thread");
	}
	uint64_t before = 0;
	for (;;) {
		struct engine_progress now = engine_progress(&r->engine);
		if (now.packets < before)
			fail("progress went back");
		before = now.packets;
		if (now.packets == FRAMES)
			break;
		usleep(1000);
	}
	for (size_t i = 0; i < count; i++)
		pthread_join(thread[i], NULL);
}

/* One after the other through the first input, on this thread. */
static void read_in_turn(struct run *r, struct traffic *traffic, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		engine_input(&r->engine, 0)->source = &traffic[i].base;
		read_input(engine_input(&r->engine, 0));
	}
}

static void check(const struct outcome *o, const char *what)
{
	printf("%s: %llu packets, %llu alerts, %llu lines\n", what,
		(unsigned long long)o->packets, (unsigned long long)o->raised,
		(unsigned long long)o->lines);
	if (o->packets != FRAMES || o->dns != FRAMES)
		fail("packets were lost");
	if (o->raised < FRAMES / LISTED)
		fail("alerts are missing");
	if (o->has_log && o->logged + o->not_logged != FRAMES)
		fail("messages are missing in the DNS log, and nobody says so");
}

static void check_same(const struct outcome *one, const struct outcome *other)
{
	bool logs_differ = other->has_log && one->log_hash != other->log_hash;

	if (one->lines != other->lines || one->hash != other->hash || logs_differ)
		fail("threads change what comes out");
}

static void replay(const struct knowledge *known, struct outcome *outcome, size_t shards,
	bool threaded, bool logged)
{
	static struct traffic traffic;
	static struct run run;

	traffic_init(&traffic, 0, 1);
	run_open(&run, outcome, known, 1, shards, threaded, logged);
	if (threaded)
		read_together(&run, &traffic, 1);
	else
		read_in_turn(&run, &traffic, 1);
	run_close(&run, outcome);
}

static void two_sources(const struct knowledge *known, struct outcome *outcome, bool together)
{
	static struct traffic traffic[2];
	static struct run run;

	traffic_init(&traffic[0], 0, 2);
	traffic_init(&traffic[1], 1, 2);
	run_open(&run, outcome, known, together ? 2 : 1, SHARDS, together, true);
	if (together)
		read_together(&run, traffic, 2);
	else
		read_in_turn(&run, traffic, 2);
	run_close(&run, outcome);
}

int main(void)
{
	static struct outcome one, other;
	struct knowledge known;

	alarm(ALARM_S);
	know(&known);
	replay(&known, &one, SHARDS, false, true);
	check(&one, "one thread");
	replay(&known, &other, 0, true, true);
	check(&other, "one input that judges");
	check_same(&one, &other);
	replay(&known, &other, SHARDS, true, true);
	check(&other, "one input, trackers");
	check_same(&one, &other);
	replay(&known, &other, 1, true, false);
	check(&other, "one input, one tracker that reads");
	check_same(&one, &other);

	two_sources(&known, &one, false);
	check(&one, "two sources in turn");
	two_sources(&known, &other, true);
	check(&other, "two live inputs");
	if (one.raised != other.raised)
		fail("two inputs raise other alerts than their packets in turn");
	forget(&known);
	return 0;
}
