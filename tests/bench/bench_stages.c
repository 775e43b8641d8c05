/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bench_stages -- what each stage of the way costs per packet, on one thread. Each stage runs over
 * a batch before the next, as in the program, where a stage asks the memory for what the next one
 * needs. Between stages the clock is read once a batch.
 *
 * Judging is told apart further: the linker puts the functions below between the judge and its
 * families (Makefile: --wrap), and one call in SAMPLE is timed. What two readings of the clock
 * cost is taken off. "the rest" of judging is what no family and no pairing took.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rules/judge.h"
#include "sensor/app/load.h"
#include "sensor/base/clock.h"
#include "sensor/capture/source.h"
#include "sensor/config/config.h"
#include "sensor/output/jsonl.h"
#include "sensor/output/output.h"
#include "sensor/pipeline/observe.h"
#include "sensor/ring/spsc.h"

#define SAMPLE        16
#define BLOCK_BYTES   ((size_t)128 * 1024) /* one observation */
#define ALERT_BYTES   ((size_t)4 << 20)    /* the alerts of one batch */
#define RING_BYTES    ((size_t)4 << 20)
#define DECODER_BYTES ((size_t)8 << 20)

#define STAGES(X)                                                                              \
	X(READ, "read", "the capture file")                                                    \
	X(DECODE, "decode", "link to UDP")                                                     \
	X(COPY, "copies", "is it a mirror's second copy?")                                     \
	X(MESSAGE, "message", "header, names, records")                                        \
	X(PREPARE, "prepare", "who is who, hashes of the name, what will be needed of memory") \
	X(BUILD, "match", "tenant, lists, the observation written")                            \
	X(RING, "ring", "reserve, commit, peek, release")                                      \
	X(PLACE, "places", "keys hashed, buckets and entries asked for")                       \
	X(JUDGE, "judge", "pairing and every family")                                          \
	X(OUTPUT, "output", "repeats held back, JSON, the file")

enum stage {
#define X(id, name, what) STAGE_##id,
	STAGES(X)
#undef X
		STAGE_COUNT,
};

static const char *const stage_name[] = {
#define X(id, name, what) name,
	STAGES(X)
#undef X
};

static const char *const stage_what[] = {
#define X(id, name, what) what,
	STAGES(X)
#undef X
};

/* --- parts of judging --------------------------------------------------------------------- */

#define FAMILIES(X)                                                                            \
	X(lookup)                                                                              \
	X(churn)                                                                               \
	X(nxdomain)                                                                            \
	X(update)                                                                              \
	X(resolver)

enum part {
	PART_pairs,
#define X(family) PART_##family,
	FAMILIES(X)
#undef X
		PART_COUNT,
};

static const char *const part_name[PART_COUNT] = { "pairs",
#define X(family) #family,
	FAMILIES(X)
#undef X
};

static struct {
	int64_t ns;
	uint64_t calls, timed;
} parts[PART_COUNT];
static int64_t clock_cost_ns;

static bool is_sample(enum part part)
{
	return ++parts[part].calls % SAMPLE == 0;
}

static void add_sample(enum part part, int64_t since_ns)
{
	parts[part].ns += clock_monotonic_ns() - since_ns;
	parts[part].timed++;
}

#define X(f)                                                                                   \
	extern const struct family __real_##f##_family;                                        \
	extern struct family __wrap_##f##_family;                                              \
	struct family __wrap_##f##_family;                                                     \
	static void f##_timed(void *state, const struct exchange *x)                           \
	{                                                                                      \
		if (!is_sample(PART_##f)) {                                                    \
			__real_##f##_family.observe(state, x);                                 \
			return;                                                                \
		}                                                                              \
		int64_t start_ns = clock_monotonic_ns();                                       \
		__real_##f##_family.observe(state, x);                                         \
		add_sample(PART_##f, start_ns);                                                \
	}
FAMILIES(X)
#undef X

struct pair_result __real_pairs_observe(
	struct pairs *p, const struct observation *o, const struct session *session);
struct pair_result __wrap_pairs_observe(
	struct pairs *p, const struct observation *o, const struct session *session);

struct pair_result __wrap_pairs_observe(
	struct pairs *p, const struct observation *o, const struct session *session)
{
	if (!is_sample(PART_pairs))
		return __real_pairs_observe(p, o, session);
	int64_t start_ns = clock_monotonic_ns();
	struct pair_result result = __real_pairs_observe(p, o, session);
	add_sample(PART_pairs, start_ns);
	return result;
}

static void parts_init(void)
{
	int64_t start_ns = clock_monotonic_ns();
	for (int i = 0; i < 1000; i++)
		(void)clock_monotonic_ns();
	clock_cost_ns = (clock_monotonic_ns() - start_ns) / 1000;
#define X(f)                                                                                   \
	__wrap_##f##_family = __real_##f##_family;                                             \
	__wrap_##f##_family.observe = f##_timed;
	FAMILIES(X)
#undef X
}

/* Nanoseconds that all calls of a part took. */
static double part_total_ns(enum part part)
{
	if (parts[part].timed == 0)
		return 0;
	double each = (double)parts[part].ns / (double)parts[part].timed;
	each -= (double)clock_cost_ns;
	return each > 0 ? each * (double)parts[part].calls : 0;
}

/* --- the way of a batch ------------------------------------------------------------------- */

struct item {
	const struct frame *frame;
	bool is_message;
	struct packet packet;
	struct dns_message message;
	struct parties who;
	struct observation *observation;
};

struct bench {
	struct source *source;
	struct observer observer;
	struct decoder *decoder;
	struct dedup *dedup;
	struct spsc *ring;
	struct judge *judge;
	struct output *output;
	int64_t ns[STAGE_COUNT], lap_ns, second;
	uint64_t packets, raised, seq;
	char *alerts; /* those of a batch, one behind the other */
	size_t alert_bytes;
	struct frame frame[SOURCE_BATCH_MAX];
	struct item *item; /* one per frame of a batch */
	struct knowledge *known;
	struct config *config;
};

/* What passed since the last lap belongs to this stage. */
static void lap(struct bench *b, enum stage stage)
{
	int64_t now_ns = clock_monotonic_ns();
	b->ns[stage] += now_ns - b->lap_ns;
	b->lap_ns = now_ns;
}

static void write_alerts(struct bench *b)
{
	for (size_t at = 0; at < b->alert_bytes;) {
		const struct alert *a = (const struct alert *)(b->alerts + at);
		output_accept(b->output, a);
		at += (alert_size(a) + 15) / 16 * 16;
	}
	b->alert_bytes = 0;
}

static void keep_alert(void *arg, const struct alert *a)
{
	struct bench *b = arg;

	b->raised += a->kind == ALERT_RAISED;
	if (b->alert_bytes + alert_size(a) > ALERT_BYTES)
		write_alerts(b);
	memcpy(b->alerts + b->alert_bytes, a, alert_size(a));
	b->alert_bytes += (alert_size(a) + 15) / 16 * 16;
}

static void decode_all(struct bench *b, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct item *w = &b->item[i];
		w->frame = &b->frame[i];
		w->is_message = packet_decode(&w->packet, w->frame, b->decoder) == PACKET_DNS &&
				!w->packet.tcp_flags;
	}
	lap(b, STAGE_DECODE);
	for (size_t i = 0; i < count; i++)
		if (b->item[i].is_message)
			dedup_prefetch(b->dedup, &b->item[i].packet);
	for (size_t i = 0; i < count; i++) {
		struct item *w = &b->item[i];
		if (w->is_message && dedup_is_copy(b->dedup, &w->packet, w->frame->ts_ns))
			w->is_message = false;
	}
	lap(b, STAGE_COPY);
	for (size_t i = 0; i < count; i++) {
		struct item *w = &b->item[i];
		w->is_message =
			w->is_message && dns_message_decode(&w->message, w->packet.payload,
						 w->packet.payload_len) == DNS_OK;
	}
	lap(b, STAGE_MESSAGE);
}

static void build_all(struct bench *b, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct item *w = &b->item[i];
		if (w->is_message)
			observe_prepare(
				&b->observer, &w->who, w->frame, &w->packet, &w->message);
	}
	lap(b, STAGE_PREPARE);
	for (size_t i = 0; i < count; i++) {
		struct item *w = &b->item[i];
		if (!w->is_message)
			continue;
		observe_tenant(&b->observer, &w->who, w->frame, &w->packet);
		observe_build(&b->observer, w->observation, w->frame, &w->packet, &w->who,
			&w->message);
		w->observation->seq = ++b->seq;
	}
	lap(b, STAGE_BUILD);
}

/* Records of the sizes that there are; what is in them is written in the stage before. */
static void pass_ring(struct bench *b, size_t count)
{
	size_t bytes;

	for (size_t i = 0; i < count; i++) {
		const struct item *w = &b->item[i];
		if (w->is_message && spsc_reserve(b->ring, observe_bound(&w->who, &w->message)))
			spsc_commit(b->ring, w->observation->size);
	}
	spsc_publish(b->ring);
	while (spsc_peek(b->ring, &bytes))
		spsc_release(b->ring);
	spsc_retire(b->ring);
	lap(b, STAGE_RING);
}

static void tick(struct bench *b, int64_t ts_ns)
{
	if (ts_ns / NS_PER_S <= b->second)
		return;
	b->second = ts_ns / NS_PER_S;
	const struct observation o = { .size = sizeof(o),
		.kind = OBSERVATION_TICK,
		.seq = b->seq,
		.ts_ns = b->second * NS_PER_S };
	judge_observe(b->judge, &o);
}

static void judge_all(struct bench *b, size_t count)
{
	const struct observation *o[SOURCE_BATCH_MAX];
	struct judge_places places[SOURCE_BATCH_MAX];
	size_t messages = 0;

	for (size_t i = 0; i < count; i++)
		if (b->item[i].is_message)
			o[messages++] = b->item[i].observation;
	judge_prepare(b->judge, o, places, messages);
	judge_prefetch(b->judge, o, places, messages);
	lap(b, STAGE_PLACE);
	tick(b, b->frame[0].ts_ns);
	(void)judge_observe_prepared(b->judge, o, places, messages);
	lap(b, STAGE_JUDGE);
}

static int run(struct bench *b)
{
	struct err_ctx why = { { 0 } };
	enum source_status status;
	size_t count;

	b->lap_ns = clock_monotonic_ns();
	do {
		status = source_next_batch(b->source, b->frame, &count, &why);
		lap(b, STAGE_READ);
		b->packets += count;
		if (count == 0)
			continue;
		decode_all(b, count);
		build_all(b, count);
		pass_ring(b, count);
		judge_all(b, count);
		write_alerts(b);
		lap(b, STAGE_OUTPUT);
	} while (status == SOURCE_OK);
	if (status == SOURCE_ERROR)
		fprintf(stderr, "bench_stages: %s\n", why.text);
	return status == SOURCE_ERROR;
}

/* --- the table ---------------------------------------------------------------------------- */

static void print_row(const char *name, double ns, double total_ns, const char *what)
{
	printf("| %-16s | %9.1f | %7.1f %% | %s |\n", name, ns, 100 * ns / total_ns, what);
}

static void print_parts(const struct bench *b, double total_ns)
{
	double packets = (double)b->packets, rest = (double)b->ns[STAGE_JUDGE] / packets;
	char name[32];

	for (int i = 0; i < PART_COUNT; i++) {
		double ns = part_total_ns(i) / packets;
		rest -= ns;
		snprintf(name, sizeof(name), "judge: %s", part_name[i]);
		print_row(name, ns, total_ns, "");
	}
	print_row("judge: the rest", rest, total_ns, "and what timing the others costs");
}

static void print(const struct bench *b)
{
	double total_ns = 0;

	for (int i = 0; i < STAGE_COUNT; i++)
		total_ns += (double)b->ns[i] / (double)b->packets;
	printf("| stage            | ns/packet |     share | what                              "
	       "|\n|------------------|----------:|----------:|--------|\n");
	for (int i = 0; i < STAGE_COUNT; i++) {
		print_row(stage_name[i], (double)b->ns[i] / (double)b->packets, total_ns,
			stage_what[i]);
		if (i == STAGE_JUDGE)
			print_parts(b, total_ns);
	}
	print_row("all", total_ns, total_ns, "");
	printf("\n%llu packets, %llu messages over UDP, %llu alerts before suppression.\n",
		(unsigned long long)b->packets, (unsigned long long)b->seq,
		(unsigned long long)b->raised);
}

/* --- setting up --------------------------------------------------------------------------- */

static bool open_output(struct bench *b, struct err_ctx *why)
{
	struct sink *sink;
	const struct output_options options = { .sensor = "bench", .version = "0" };

	b->output = output_new(&options);
	return b->output && jsonl_open(&sink, "/dev/null", JSONL_TRUNCATE, why) == ERR_OK &&
	       output_add_sink(b->output, sink);
}

static bool open_items(struct bench *b)
{
	b->item = calloc(SOURCE_BATCH_MAX, sizeof(*b->item));
	b->alerts = aligned_alloc(CACHE_LINE, ALERT_BYTES);
	for (size_t i = 0; b->item && i < SOURCE_BATCH_MAX; i++) {
		b->item[i].observation = aligned_alloc(CACHE_LINE, BLOCK_BYTES);
		if (!b->item[i].observation)
			return false;
	}
	return b->item && b->alerts;
}

static bool open_stages(struct bench *b)
{
	static struct packet_options packet;
	const size_t memory_bytes = b->config->sensor.memory_mb << 20;

	load_packet_options(&packet, b->config, 1);
	b->decoder = decoder_new(&packet, DECODER_BYTES);
	b->dedup = dedup_new(load_dedup_mode(b->config->dedup), DEDUP_WINDOW_NS, 1);
	b->ring = spsc_new(RING_BYTES);
	b->observer = (struct observer){
		.known = b->known, .ports = &packet.ports, .tenants = tenant_cache_new()
	};
	const struct judge_options judge = {
		.memory_bytes = memory_bytes, .seed = 1, .sink = keep_alert, .sink_arg = b
	};
	b->judge = judge_new(&judge, b->known);
	return b->decoder && b->dedup && b->ring && b->observer.tenants && b->judge;
}

static bool open_all(
	struct bench *b, const char *config, const char *capture, struct err_ctx *why)
{
	if (config_load(&b->config, config, why) != ERR_OK ||
		load_knowledge(&b->known, b->config, &(struct load_options){ .seed = 1 }, NULL,
			why) != ERR_OK ||
		source_open_file(&b->source, capture, why) != ERR_OK)
		return false;
	err_set(why, ERR_FAILED, "out of memory");
	return open_output(b, why) && open_items(b) && open_stages(b);
}

static void close_all(struct bench *b)
{
	output_finish(b->output);
	output_close(b->output, 1000);
	output_free(b->output);
	judge_free(b->judge);
	tenant_cache_free(b->observer.tenants);
	spsc_free(b->ring);
	dedup_free(b->dedup);
	decoder_free(b->decoder);
	for (size_t i = 0; i < SOURCE_BATCH_MAX; i++)
		free(b->item[i].observation);
	free(b->item);
	free(b->alerts);
	source_close(b->source);
	load_free(b->known);
	config_free(b->config);
}

int main(int argc, char **argv)
{
	struct err_ctx why = { { 0 } };
	static struct bench b;

	if (argc != 3) {
		fprintf(stderr, "usage: bench_stages CONFIG CAPTURE\n");
		return 2;
	}
	parts_init();
	if (!open_all(&b, argv[1], argv[2], &why)) {
		fprintf(stderr, "bench_stages: %s\n", why.text);
		return 1;
	}
	int status = run(&b);
	print(&b);
	close_all(&b);
	return status;
}
