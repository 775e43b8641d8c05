/* SPDX-License-Identifier: BSD-2-Clause */
#include "sensor/app/engine.h"

#include <stdlib.h>
#include <string.h>

/* sensor.memory_mb divided by these goes to reassembly: of the default 512 MiB 4 for fragments */
#define DECODERS_SHARE 128
#define STREAMS_SHARE  64 /* and 8 for TCP */

/* How long a live input may leave frames in the kernel, whose buffer holds some 100 ms of a busy port. */
#define LIVE_ROOM_WAIT_MS 20

/* What alerts may take that wait for the next tick. */
#define HELD_BYTES (256u << 10)

/* Without an output thread: what was held goes out. */
static void give_held(struct engine *e)
{
	const struct alert *a;
	size_t bytes;

	spsc_publish(e->held);
	while ((a = spsc_peek(e->held, &bytes)) != NULL) {
		output_accept(e->options.output, a);
		spsc_release(e->held);
	}
	spsc_retire(e->held);
}

/*
 * On one thread alerts go out together, once a second of capture time: the code that writes one would
 * drive that which reads packets out of the processor's cache each time (half of all misses there:
 * callgrind).
 */
static void accept_inline(void *arg, const struct alert *a)
{
	struct engine *e = arg;
	size_t bytes = alert_size(a);
	struct alert *room = spsc_reserve(e->held, bytes);

	if (!room) {
		give_held(e);
		room = spsc_reserve(e->held, bytes);
	}
	if (!room) {
		output_accept(e->options.output, a);
		return;
	}
	alert_copy(room, a);
	spsc_commit(e->held, bytes);
	if (a->kind == ALERT_TICK)
		give_held(e);
}

static enum err no_memory(struct err_ctx *why)
{
	return err_set(
		why, ERR_FAILED, "out of memory for the tracking tables (sensor.memory_mb)");
}

/* What the decoders of all inputs may have for datagrams in pieces; the lanes have the rest. */
static size_t decoder_bytes(const struct engine_options *o)
{
	return o->memory_bytes / DECODERS_SHARE;
}

static size_t streams_bytes(const struct engine_options *o)
{
	return o->memory_bytes / STREAMS_SHARE;
}

static bool init_lanes(struct engine *e)
{
	const struct engine_options *o = &e->options;
	for (size_t i = 0; i < o->shard_count; i++) {
		struct lane_options lane = {
			.number = i,
			.is_only = o->shard_count == 1,
			.input_count = o->input_count,
			.threaded = e->has_trackers,
			.batch = i > 0 ? e->lane[0].batch : NULL,
			.inline_sink = o->threaded ? NULL : accept_inline,
			.inline_arg = e,
			.memory_bytes =
				(o->memory_bytes - decoder_bytes(o) - streams_bytes(o)) /
				o->shard_count,
			.seed = o->seed,
			.kinds = output_kinds(o->output),
			.ports = &o->packet->ports,
			.readings = &e->readings[i],
			.alerts = &e->alerts[i],
			.versions = e->versions,
			.reader = o->input_count + i,
		};
		if (!lane_init(&e->lane[i], &lane, o->known))
			return false;
	}
	return true;
}

static bool init_logger(struct engine *e)
{
	const struct engine_options *o = &e->options;
	const struct logger_options options = {
		.log = o->dnslog,
		.input_count = o->input_count,
		.threaded = o->threaded,
		.live = o->live,
	};

	if (!o->dnslog)
		return true;
	e->logger = logger_new(&options);
	return e->logger != NULL;
}

static bool init_inputs(struct engine *e)
{
	const struct engine_options *o = &e->options;
	for (size_t i = 0; i < o->input_count; i++) {
		struct tenant_cache *cache = tenant_cache_new();
		struct decoder *decoder =
			decoder_new(o->packet, decoder_bytes(o) / o->input_count);
		struct tcp_streams *streams =
			tcp_streams_new(streams_bytes(o) / o->input_count, o->seed);
		struct dedup *dedup =
			dedup_new(o->dedup ? o->dedup[i] : DEDUP_OFF, DEDUP_WINDOW_NS, o->seed);
		e->input[i] = (struct input){
			.lane = e->lane,
			.lane_count = o->shard_count,
			.live = o->live,
			.room_wait_ms = LIVE_ROOM_WAIT_MS,
			.number = (uint16_t)i,
			.logger = e->logger,
			.tenants = o->known->policies,
			.versions = e->versions,
			.reader = i,
			.observer = { .known = o->known,
				.ports = &o->packet->ports,
				.tenants = cache },
			.decoder = decoder,
			.dedup = dedup,
			.streams = streams,
			.counters = &e->counters[i],
			.clock_s = INT64_MIN,
		};
		if (!cache || !decoder || !streams || !dedup || !input_init(&e->input[i]))
			return false;
	}
	return true;
}

enum err engine_init(
	struct engine *e, const struct engine_options *options, struct err_ctx *why)
{
	*e = (struct engine){
		.options = *options,
		.has_trackers = options->threaded && options->shard_count > 0,
	};
	if (options->shard_count == 0)
		e->options.shard_count = 1;
	options = &e->options;
	e->lane = calloc(options->shard_count, sizeof(*e->lane));
	e->alerts = calloc(options->shard_count, sizeof(*e->alerts));
	e->input = calloc(options->input_count, sizeof(*e->input));
	e->counters = calloc(options->input_count, sizeof(*e->counters));
	e->readings = calloc(options->shard_count, sizeof(*e->readings));
	e->tracker_thread = calloc(options->shard_count, sizeof(*e->tracker_thread));
	e->versions = snapshot_new(options->known, options->input_count + options->shard_count);
	if (!options->threaded)
		e->held = spsc_new(HELD_BYTES);
	if (!e->versions || (!options->threaded && !e->held) || !e->lane || !e->alerts ||
		!e->input || !e->counters || !e->readings || !e->tracker_thread ||
		!init_lanes(e) || !init_logger(e) || !init_inputs(e)) {
		engine_deinit(e);
		return no_memory(why);
	}
	return ERR_OK;
}

enum err engine_start(struct engine *e, struct err_ctx *why)
{
	const struct engine_options *o = &e->options;
	if (!o->threaded)
		return ERR_OK;
	e->outlet = (struct outlet){
		.lane = e->lane,
		.lane_count = o->shard_count,
		.ordered = o->input_count == 1,
		.output = o->output,
		.idle = o->idle,
		.idle_arg = o->idle_arg,
	};
	int error = pthread_create(&e->outlet_thread, NULL, outlet_run, &e->outlet);
	e->outlet_started = error == 0;
	if (error == 0 && e->logger)
		error = logger_start(e->logger);
	for (size_t i = 0; error == 0 && e->has_trackers && i < o->shard_count; i++) {
		error = pthread_create(&e->tracker_thread[i], NULL, tracker_run, &e->lane[i]);
		e->started += error == 0;
	}
	if (error == 0)
		return ERR_OK;
	engine_finish(e);
	return err_set(why, ERR_FAILED, "cannot start a thread: %s", strerror(error));
}

struct input *engine_input(struct engine *e, size_t i)
{
	return &e->input[i];
}

void engine_finish(struct engine *e)
{
	const struct engine_options *o = &e->options;
	for (size_t i = 0; i < o->input_count; i++)
		input_finish(&e->input[i]);
	for (size_t i = 0; i < o->shard_count; i++)
		for (size_t k = 0; k < o->input_count; k++)
			lane_close(&e->lane[i], (uint16_t)k);
	for (size_t i = 0; i < e->started; i++)
		pthread_join(e->tracker_thread[i], NULL);
	/* A lane whose tracker never started is not drained: nobody may wait for it. */
	for (size_t i = 0;
		e->outlet_started && e->started < o->shard_count && i < o->shard_count; i++)
		if (!e->lane[i].finished)
			spsc_close(e->lane[i].out);
	if (e->outlet_started)
		pthread_join(e->outlet_thread, NULL);
	if (e->logger)
		logger_end(e->logger);
	e->started = 0;
	e->outlet_started = false;
	for (size_t i = 0; i < o->shard_count; i++)
		lane_end(&e->lane[i]);
	if (e->held)
		give_held(e);
	output_finish(o->output);
}

void engine_deinit(struct engine *e)
{
	for (size_t i = 0; e->lane && i < e->options.shard_count; i++)
		lane_deinit(&e->lane[i]);
	for (size_t i = 0; e->input && i < e->options.input_count; i++) {
		tenant_cache_free(e->input[i].observer.tenants);
		decoder_free(e->input[i].decoder);
		dedup_free(e->input[i].dedup);
		tcp_streams_free(e->input[i].streams);
		input_deinit(&e->input[i]);
	}
	free(e->lane);
	free(e->alerts);
	free(e->input);
	free(e->counters);
	free(e->readings);
	free(e->tracker_thread);
	snapshot_free(e->versions);
	spsc_free(e->held);
	logger_free(e->logger);
	*e = (struct engine){ 0 };
}

struct engine_progress engine_progress(const struct engine *e)
{
	struct engine_progress p = { 0 };
	for (size_t i = 0; i < e->options.input_count; i++) {
		p.packets += gauge_read(&e->counters[i].read);
		p.position_bytes += gauge_read(&e->counters[i].position_bytes);
	}
	for (size_t i = 0; i < e->options.shard_count; i++)
		p.alerts += gauge_read(&e->alerts[i]);
	return p;
}

const struct knowledge *engine_publish(struct engine *e, const struct knowledge *next)
{
	return snapshot_publish(e->versions, next);
}

bool engine_wait_adopted(struct engine *e, int timeout_ms)
{
	return snapshot_wait_adopted(e->versions, timeout_ms);
}
