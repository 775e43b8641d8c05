/* SPDX-License-Identifier: BSD-2-Clause */
#include "sensor/pipeline/tracker.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "sensor/base/clock.h"
#include "sensor/pipeline/turns.h"

/* Sleep while the rings are empty; bounds how late another input's record is seen. */
#define TRACKER_WAIT_MS 10
/*
 * Waking the output costs more than an alert does: it hears of those of so many batches together, and
 * at the latest when nothing has come for so long.
 */
#define ALERT_BATCHES 64
#define ALERT_WAIT_MS 1
/*
 * With so little waiting the tracker has time to read messages itself. More than it finds after a nap; and
 * less than the caches hold.
 */
#define SPARE_BYTES (1u << 20)
/* Naps: a fraction of what the rings hold at full rate, and of the second in which an alert has to be out. */
#define LANE_NAP_NS  (2 * NS_PER_MS)
#define ALERT_NAP_NS (4 * NS_PER_MS)

static_assert(
	offsetof(struct observation, seq) == offsetof(struct turns_record, seq) &&
		offsetof(struct observation, ts_ns) == offsetof(struct turns_record, ts_ns),
	"an observation is a record that takes its turn");

struct tracker_batch {
	size_t count, used; /* observations, bytes of block[] */
	bool mixed;         /* not all are of one lane */
	bool unread;        /* some are messages that are still to be read */
	struct lane *lane[TRACKER_BATCH];
	const struct observation *observation[TRACKER_BATCH];
	struct judge_places places[TRACKER_BATCH];
	char *block; /* NULL in a tracker thread: they lie in the ring */
};

static void count_alert(struct lane *lane, const struct alert *a)
{
	if (a->kind == ALERT_RAISED)
		gauge_add(lane->alerts, 1);
}

static void pass_inline(void *arg, const struct alert *a)
{
	struct lane *lane = arg;
	count_alert(lane, a);
	lane->inline_sink(lane->inline_arg, a);
}

/* An alert is never dropped here: the tracker waits, and the ring before it takes the pressure. */
static void pass_on(void *arg, const struct alert *a)
{
	struct lane *lane = arg;
	size_t bytes = alert_size(a);

	count_alert(lane, a);
	void *record = spsc_reserve(lane->out, bytes);
	while (!record) {
		if (!spsc_wait_room(lane->out, bytes, -1))
			return; /* the output has ended */
		record = spsc_reserve(lane->out, bytes);
	}
	alert_copy(record, a);
	spsc_commit(lane->out, bytes);
}

/* What others may read of the lane. */
static void update_report(struct lane *lane, int64_t now_ns)
{
	report_update(lane->report, lane->judge, now_ns);
	if (lane->unread)
		unread_publish(lane->unread);
}

/* What is told at the end comes after everything else, lane by lane. */
static void judge_end(struct lane *lane)
{
	const struct observation end = {
		.size = sizeof(end),
		.kind = OBSERVATION_TICK,
		.seq = UINT64_MAX,
		.ts_ns = JUDGE_END_NS,
	};
	judge_observe(lane->judge, &end);
	update_report(lane, JUDGE_END_NS);
}

/* The lane's own thread is done with it. */
static void finish(struct lane *lane)
{
	judge_end(lane);
	lane->finished = true;
	spsc_close(lane->out);
}

void lane_end(struct lane *lane)
{
	if (!lane->out)
		judge_end(lane);
	else if (!lane->finished)
		update_report(lane, JUDGE_END_NS);
}

static bool open_input_rings(struct lane *lane)
{
	for (size_t i = 0; i < lane->input_count; i++) {
		lane->in[i] = spsc_new(LANE_RING_BYTES);
		if (!lane->in[i])
			return false;
		spsc_set_nap(lane->in[i], LANE_NAP_NS);
	}
	return true;
}

static struct tracker_batch *new_batch(void)
{
	struct tracker_batch *b = calloc(1, sizeof(*b));
	if (!b)
		return NULL;
	b->block = aligned_alloc(CACHE_LINE, TRACKER_BATCH_BYTES);
	if (b->block)
		return b;
	free(b);
	return NULL;
}

static bool open_unread(
	struct lane *lane, const struct lane_options *options, const struct knowledge *known)
{
	if (!options->ports || !options->is_only || options->input_count != 1)
		return true;
	lane->unread = unread_new(TRACKER_BATCH, options->ports, known, options->readings);
	return lane->unread != NULL;
}

bool lane_init(
	struct lane *lane, const struct lane_options *options, const struct knowledge *known)
{
	*lane = (struct lane){
		.number = options->number,
		.is_only = options->is_only,
		.input_count = options->input_count,
		.inline_sink = options->inline_sink,
		.inline_arg = options->inline_arg,
		.alerts = options->alerts,
		.judged_by = known,
		.versions = options->versions,
		.reader = options->reader,
	};
	for (size_t i = 0; i < options->input_count; i++)
		lane->known[i] = known;
	struct judge_options judge = {
		.memory_bytes = options->memory_bytes,
		.seed = options->seed,
		.sink = options->inline_sink ? pass_inline : pass_on,
		.sink_arg = lane,
		.kinds = options->kinds,
	};
	lane->judge = judge_new(&judge, known);
	lane->report = report_new(known->policies->tenant_count);
	if (!lane->judge || !lane->report)
		return false;
	if (!options->inline_sink) {
		lane->out = spsc_new(LANE_ALERT_RING_BYTES);
		if (!lane->out)
			return false;
		spsc_set_nap(lane->out, ALERT_NAP_NS);
	}
	if (options->threaded)
		return open_input_rings(lane) && open_unread(lane, options, known);
	lane->batch = options->batch ? options->batch : new_batch();
	return lane->batch != NULL;
}

void lane_deinit(struct lane *lane)
{
	for (size_t i = 0; i < lane->input_count; i++)
		spsc_free(lane->in[i]);
	spsc_free(lane->out);
	judge_free(lane->judge);
	report_free(lane->report);
	unread_free(lane->unread);
	if (lane->number == 0 && lane->batch) {
		free(lane->batch->block);
		free(lane->batch);
	}
	*lane = (struct lane){ 0 };
}

/* A tick goes on to the output, whose suppression windows need it too. */
static OUT_OF_LINE void pass_tick(struct lane *lane, const struct observation *o)
{
	if (lane->out)
		update_report(lane, o->ts_ns);
	if (lane->number != 0) /* the output needs each tick once */
		return;
	struct alert tick;
	alert_init(&tick, ALERT_TICK);
	tick.seq = o->seq;
	tick.ts_ns = o->ts_ns;
	if (lane->out)
		pass_on(lane, &tick);
	else
		pass_inline(lane, &tick);
}

static void batch_clear(struct tracker_batch *b)
{
	b->count = b->used = 0;
	b->mixed = b->unread = false;
}

/* The end of the records from this one on that are of the same lane. */
static size_t run_end(const struct tracker_batch *b, size_t first)
{
	size_t end = first + 1;

	if (!b->mixed)
		return b->count;
	while (end < b->count && b->lane[end] == b->lane[first])
		end++;
	return end;
}

static void judge_run(const struct tracker_batch *b, size_t first, size_t end)
{
	struct lane *lane = b->lane[first];

	while (first < end) {
		first += judge_observe_prepared(
			lane->judge, b->observation + first, b->places + first, end - first);
		const struct observation *last = b->observation[first - 1];
		if (last->kind == OBSERVATION_TICK)
			pass_tick(lane, last);
	}
}

/* Read what was left to us, all of one lane. What is malformed is no observation. */
static void read_batch(struct tracker_batch *b)
{
	struct unread_batch *unread = b->lane[0]->unread;
	size_t count = 0;

	unread_clear(unread); /* the batch before has been judged */
	for (size_t i = 0; i < b->count; i++) {
		const struct observation *o = b->observation[i];
		if (o->kind == OBSERVATION_UNREAD)
			o = unread_read(unread, i, o);
		if (o)
			b->observation[count++] = o;
	}
	b->count = count;
}

/* The misses of a batch overlap: first all buckets, then all entries, then the judging. */
static void judge_batch(struct tracker_batch *b)
{
	size_t end;

	if (b->unread)
		read_batch(b);
	for (size_t i = 0; i < b->count; i = end) {
		end = run_end(b, i);
		judge_prepare(b->lane[i]->judge, b->observation + i, b->places + i, end - i);
	}
	for (size_t i = 0; i < b->count; i = end) {
		end = run_end(b, i);
		judge_prefetch(b->lane[i]->judge, b->observation + i, b->places + i, end - i);
	}
	for (size_t i = 0; i < b->count; i = end) {
		end = run_end(b, i);
		judge_run(b, i, end);
	}
	batch_clear(b);
}

static void go_by(struct lane *lane, const struct knowledge *known)
{
	judge_adopt(lane->judge, known);
	if (lane->unread)
		unread_adopt(lane->unread, known);
	lane->judged_by = known;
}

/* Can this input still give records of a version before `known`? */
static bool is_behind(const struct lane *lane, size_t input, const struct knowledge *known)
{
	return lane->known[input] != known &&
	       !(lane->in[input] && spsc_drained(lane->in[input]));
}

/* When every input has come to the same version, no other one is needed any more. */
static void leave_old_versions(struct lane *lane, const struct knowledge *known)
{
	for (size_t i = 0; i < lane->input_count; i++) {
		if (is_behind(lane, i, known))
			return;
	}
	if (lane->judged_by != known)
		go_by(lane, known);
	if (lane->versions)
		snapshot_adopt_version(lane->versions, lane->reader, known);
}

/* An input has come to another version; everything before it has been judged. */
static void take_version(struct lane *lane, size_t input, const struct knowledge *known)
{
	lane->known[input] = known;
	leave_old_versions(lane, known);
}

static void batch_add(struct tracker_batch *b, struct lane *lane, const struct observation *o)
{
	size_t i = b->count++;

	b->lane[i] = lane;
	b->observation[i] = o;
	b->mixed |= b->lane[0] != lane;
}

/* One that is not read yet: its memory is asked for now, as that of all others of its batch. */
static void batch_add_unread(
	struct tracker_batch *b, struct lane *lane, const struct observation *o)
{
	unread_prepare(lane->unread, b->count, o);
	b->unread = true;
	batch_add(b, lane, o);
}

/*
 * One more record for the batch. A batch is of one version: what was collected is judged first when
 * this record is of another.
 */
static void collect(
	struct tracker_batch *b, struct lane *lane, size_t input, const struct observation *o)
{
	if (UNLIKELY(o->kind == OBSERVATION_KNOWLEDGE)) {
		judge_batch(b);
		take_version(lane, input, ((const struct observation_knowledge *)o)->known);
		return;
	}
	if (UNLIKELY(lane->known[input] != lane->judged_by)) {
		judge_batch(b);
		go_by(lane, lane->known[input]);
	}
	if (o->kind == OBSERVATION_UNREAD)
		batch_add_unread(b, lane, o);
	else
		batch_add(b, lane, o);
}

INLINE_BY_LINKER struct observation *lane_offer(struct lane *lane, uint16_t input, size_t bytes)
{
	struct spsc *ring = lane->in[input];
	if (!ring) {
		struct tracker_batch *b = lane->batch;
		if (b->count == TRACKER_BATCH || b->used + bytes > TRACKER_BATCH_BYTES)
			judge_batch(b);
		return (struct observation *)(b->block + b->used);
	}

	return spsc_reserve(ring, bytes);
}

bool lane_has_time(const struct lane *lane, uint16_t input)
{
	return lane->unread && spsc_used(lane->in[input]) < SPARE_BYTES;
}

bool lane_wait(struct lane *lane, uint16_t input, size_t bytes, int timeout_ms)
{
	return spsc_wait_room(lane->in[input], bytes, timeout_ms);
}

INLINE_BY_LINKER void lane_push(struct lane *lane, uint16_t input, const struct observation *o)
{
	if (lane->in[input]) {
		spsc_commit(lane->in[input], o->size);
		return;
	}
	struct tracker_batch *b = lane->batch;
	batch_add(b, lane, o);
	b->used += (o->size + CACHE_LINE - 1) / CACHE_LINE * CACHE_LINE;
}

bool lane_push_knowledge(
	struct lane *lane, uint16_t input, uint64_t seq, const struct knowledge *known)
{
	if (!lane->in[input]) {
		judge_batch(lane->batch);
		take_version(lane, input, known);
		return true;
	}
	struct observation_knowledge *record =
		(struct observation_knowledge *)lane_offer(lane, input, sizeof(*record));
	if (!record)
		return false;
	*record = (struct observation_knowledge){
		.head = { .size = sizeof(*record), .kind = OBSERVATION_KNOWLEDGE, .seq = seq },
		.known = known,
	};
	lane_push(lane, input, &record->head);
	return true;
}

void lane_flush(struct lane *lane, uint16_t input, uint64_t seq)
{
	if (!lane->in[input]) {
		judge_batch(lane->batch);
		if (!lane->out)
			return;
		spsc_publish(lane->out);
	} else {
		spsc_publish(lane->in[input]);
	}
	if (lane->input_count == 1)
		watermark_set(&lane->pushed, seq);
}

void lane_reached(struct lane *lane, uint16_t input, int64_t ts_ns)
{
	watermark_set(&lane->reached[input], (uint64_t)ts_ns);
}

void lane_close(struct lane *lane, uint16_t input)
{
	if (lane->in[input])
		spsc_close(lane->in[input]);
	else if (lane->out)
		finish(lane);
}

uint64_t lane_silent_until(const struct lane *lane)
{
	/* In this order: what was pushed up to this number is counted in spsc_used, or has been judged. */
	uint64_t pushed = watermark_read(&lane->pushed);
	return !lane->in[0] || spsc_used(lane->in[0]) == 0 ? pushed
							   : watermark_read(&lane->judged);
}

static void publish_alerts(struct lane *lane)
{
	lane->unheard = 0;
	spsc_publish(lane->out);
}

/* Another lane's alerts may have to wait for these; without one, some batches are told of together. */
static void end_batch(struct lane *lane)
{
	if (++lane->unheard == ALERT_BATCHES || !lane->is_only)
		publish_alerts(lane);
}

/* The output is not woken for every pause that the input makes. */
static void wait_for_more(struct lane *lane, struct spsc *ring, int timeout_ms)
{
	if (lane->unheard > 0) {
		if (spsc_wait_record(ring, ALERT_WAIT_MS))
			return;
		publish_alerts(lane);
	}
	(void)!spsc_wait_record(ring, timeout_ms);
}

/* Up to one batch from one ring; returns how many records there were. */
static size_t drain_ring(struct lane *lane, struct spsc *ring)
{
	struct tracker_batch b; /* not worth clearing */
	const struct observation *o;
	uint64_t seq = 0;
	size_t bytes, count = 0;

	batch_clear(&b);

	/* What was released stays valid until it is retired. */
	for (; count < TRACKER_BATCH && (o = spsc_peek(ring, &bytes)) != NULL; count++) {
		collect(&b, lane, 0, o);
		seq = o->seq;
		spsc_release(ring);
	}
	if (count == 0)
		return 0;
	judge_batch(&b);
	end_batch(lane);
	watermark_set(&lane->judged, seq); /* read only where there is one input */
	spsc_retire(ring);
	return count;
}

/* Up to one batch from all rings, in order of capture. */
static size_t drain_in_turn(struct lane *lane, struct turns *turns)
{
	struct tracker_batch b;
	const struct turns_record *record;
	size_t count = 0;

	batch_clear(&b);
	for (; count < TRACKER_BATCH && (record = turns_next(turns)) != NULL; count++)
		collect(&b, lane, turns->taken, (const struct observation *)record);
	if (count == 0)
		return 0;
	judge_batch(&b);
	end_batch(lane);
	turns_retire(turns);
	return count;
}

static void serve_one(struct lane *lane)
{
	for (;;) {
		if (drain_ring(lane, lane->in[0]) > 0)
			continue;
		if (spsc_drained(lane->in[0]))
			return;
		wait_for_more(lane, lane->in[0], -1);
	}
}

static void serve_several(struct lane *lane)
{
	struct turns turns = {
		.ring = lane->in,
		.reached = lane->reached,
		.input_count = lane->input_count,
	};

	for (;;) {
		if (drain_in_turn(lane, &turns) > 0)
			continue;
		if (!turns.wait_for)
			return;
		wait_for_more(lane, turns.wait_for, TRACKER_WAIT_MS);
	}
}

void *tracker_run(void *arg)
{
	struct lane *lane = arg;

	pthread_setname_np(pthread_self(), "dw-track");
	if (lane->input_count == 1)
		serve_one(lane);
	else
		serve_several(lane);
	finish(lane);
	return NULL;
}
