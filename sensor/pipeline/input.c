/* SPDX-License-Identifier: BSD-2-Clause */
#include "sensor/pipeline/input.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "sensor/base/clock.h"
#include "sensor/pipeline/unread.h"

/* A timestamp this far behind the clock is a new time line (merged captures), not reordering. */
#define CLOCK_BACK_S 60
/* What the kernel may still hold while nothing comes: a block of 100 ms, and some time to get it. */
#define KERNEL_HOLDS_NS (150 * NS_PER_MS)

/*
 * Live, so many full batches in a row: there are more frames than this thread has time. Fewer it also sees
 * when it shares a processor with the tracker and comes back to it; then there is nothing to share.
 */
#define BUSY_BATCHES 1024

/* In second_ns: no time is within a second of it. */
#define NO_SECOND INT64_MIN

/* Packets that go through the stages together: enough for misses to overlap, few enough for L2. */
#define PENDING_MAX 32

/* A packet on its way through the stages. */
struct pending {
	const struct frame *frame;
	enum packet_result result;
	enum packet_rest rest; /* of its decoding */
	bool is_message;       /* the payload is one, not a part of a stream; and not a copy */
	bool unread;           /* it is left to the tracker */
	struct packet packet;
	struct reading reading; /* of a message */
};

bool input_init(struct input *in)
{
	in->pending = calloc(PENDING_MAX + 1, sizeof(*in->pending));
	in->stream = in->pending + PENDING_MAX;
	in->second_ns = NO_SECOND;
	return in->pending != NULL;
}

void input_deinit(struct input *in)
{
	free(in->pending);
	in->pending = in->stream = NULL;
}

static void flush_all(struct input *in)
{
	for (size_t i = 0; i < in->lane_count; i++)
		lane_flush(&in->lane[i], in->number, in->pushed_seq);
	if (in->logger)
		logger_flush(in->logger, in->number);
}

/*
 * A full lane. Live, the frames behind this one wait in the kernel's buffer meanwhile, which is larger
 * than any ring; but a lane that was waited for in vain is not waited for again before it has room, for
 * the others' sake.
 */
COLD static struct observation *wait_for_room(struct input *in, struct lane *lane, size_t bytes)
{
	uint64_t bit = UINT64_C(1) << lane->number;
	int limit_ms = in->live ? in->room_wait_ms : -1;
	struct observation *o = NULL;

	while (!o && !(in->stuck & bit)) {
		flush_all(in);
		if (lane_wait(lane, in->number, bytes, limit_ms))
			o = lane_offer(lane, in->number, bytes);
		else
			in->stuck |= bit;
	}
	return o;
}

/* Room in a lane; NULL: full, and waited for in vain (the caller counts). */
ALWAYS_INLINE static inline struct observation *offer(
	struct input *in, struct lane *lane, size_t bytes)
{
	struct observation *o = lane_offer(lane, in->number, bytes);

	if (UNLIKELY(!o))
		return wait_for_room(in, lane, bytes);
	if (UNLIKELY(in->stuck))
		in->stuck &= ~(UINT64_C(1) << lane->number);
	return o;
}

static void push_ticks(struct input *in, int64_t second)
{
	in->clock_s = second;
	in->second_ns = second >= 0 ? second * NS_PER_S : NO_SECOND;
	in->seq++;
	for (size_t i = 0; i < in->lane_count; i++) {
		struct lane *lane = &in->lane[i];
		/* Without a tick windows stay open for one second more: nothing is lost. */
		struct observation *o = offer(in, lane, sizeof(*o));
		if (!o)
			continue;
		*o = (struct observation){
			.size = sizeof(*o),
			.kind = OBSERVATION_TICK,
			.seq = in->seq,
			.ts_ns = second * NS_PER_S,
		};
		lane_push(lane, in->number, o);
	}
	in->pushed_seq = in->seq;
}

/* Room for the word of a new version in every lane, or in none: no lane may be behind another. */
static bool have_room(struct input *in)
{
	for (size_t i = 0; i < in->lane_count; i++) {
		if (!lane_offer(&in->lane[i], in->number, sizeof(struct observation_knowledge)))
			return false;
	}
	return true;
}

/*
 * Between two batches: what is made from now on is made with the current version of what is known.
 * The lanes hear of it in line. When one is full, the version before serves for one batch more.
 */
static void adopt_version(struct input *in)
{
	const struct knowledge *known = in->versions ? snapshot_current(in->versions) : NULL;
	if (LIKELY(!known || known == in->observer.known) || !have_room(in))
		return;
	in->seq++;
	for (size_t i = 0; i < in->lane_count; i++)
		(void)!lane_push_knowledge(&in->lane[i], in->number, in->seq, known);
	in->pushed_seq = in->seq;
	in->tenants = known->policies;
	observer_adopt(&in->observer, known);
	snapshot_adopt_version(in->versions, in->reader, known);
}

/* What was lost before it reached us. */
static void count_losses(struct input *in)
{
	struct source_losses losses;
	source_losses(in->source, &losses);
	gauge_set(&in->counters->dropped_kernel, losses.dropped_kernel);
	gauge_set(&in->counters->dropped_interface, losses.dropped_interface);
}

/* What the decoder gave up, and how much it holds. */
static void count_held(struct input *in)
{
	struct input_counters *c = in->counters;
	struct decoder_settled settled = decoder_settled(in->decoder);
	struct decoder_stats stats = decoder_stats(in->decoder);
	gauge_add(&c->packets[PACKET_REJECT_FRAGMENT_INCOMPLETE], settled.incomplete);
	gauge_add(&c->packets[PACKET_REJECT_FRAGMENT_EVICTED], settled.evicted);
	gauge_set(&c->fragments_used, stats.used);
	gauge_set(&c->fragments_evicted, stats.evicted);
	gauge_set(&c->fragments_capacity, stats.capacity);
}

static void count_streams(struct input *in)
{
	struct input_counters *c = in->counters;
	struct tcp_streams_stats stats;
	tcp_streams_stats(in->streams, &stats);
	gauge_set(&c->streams_used, stats.used);
	gauge_set(&c->streams_capacity, stats.capacity);
	gauge_set(&c->streams_evicted, stats.evicted);
	gauge_set(&c->held_bytes, stats.held_bytes);
	gauge_set(&c->held_bytes_max, stats.held_bytes_max);
	gauge_set(&c->held_evicted, stats.held_evicted);
	gauge_set(&c->stream_gaps, stats.gaps);
	gauge_set(&c->stream_lost_bytes, stats.lost_bytes);
	gauge_set(&c->stream_resyncs, stats.resyncs);
	gauge_set(&c->stream_junk, stats.junk);
}

/* After a batch others may read what was counted of it. */
static void publish_tally(struct input *in)
{
	struct input_counters *c = in->counters;
	const struct input_tally *t = &in->tally;

	reading_publish(&c->messages, &t->messages);
	gauge_set(&c->packets[PACKET_DNS], t->packets_dns);
	gauge_set(&c->checksum_wrong, t->checksum_wrong);
}

static OUT_OF_LINE void log_message(struct input *in, const struct pending *w)
{
	const struct packet *p = &w->packet;
	struct dnslog_entry entry = {
		.ts_ns = w->frame->ts_ns,
		.src = p->src,
		.dst = p->dst,
		.sport = p->sport,
		.dport = p->dport,
		.tcp = p->protocol == IPPROTO_TCP,
		.vlan = p->vlan,
		.vlan_count = p->vlan_count,
		.tenant = in->tenants->tenant[w->reading.who.tenant].id,
		.message = &w->reading.message,
	};
	logger_take(in->logger, in->number, &entry);
}

/* What stands in the room that a lane offered is the next record. */
ALWAYS_INLINE static inline void push(
	struct input *in, struct lane *lane, struct observation *o)
{
	o->seq = ++in->seq;
	lane_push(lane, in->number, o);
	in->pushed_seq = in->seq;
}

/* Hand the message to its tenant's lane. False: ring full. */
ALWAYS_INLINE static inline bool hand_on(struct input *in, struct pending *w)
{
	const struct dns_message *m = &w->reading.message;
	struct parties *who = &w->reading.who;

	observe_tenant(&in->observer, who, w->frame, &w->packet);
	struct lane *lane = &in->lane[in->lane_count == 1 ? 0 : who->tenant % in->lane_count];
	struct observation *o = offer(in, lane, observe_bound(who, m));
	if (UNLIKELY(!o))
		return false;

	observe_build(&in->observer, o, w->frame, &w->packet, who, m);
	push(in, lane, o);
	return true;
}

/* The same for a message that the tracker reads, and counts. */
static enum packet_result hand_on_unread(struct input *in, const struct pending *w)
{
	struct observation *o = offer(in, in->lane, unread_bytes(&w->packet));

	if (UNLIKELY(!o))
		return PACKET_REJECT_RING_FULL;
	unread_write(o, w->frame, &w->packet);
	push(in, in->lane, o);
	return PACKET_DNS;
}

static enum packet_result take_malformed(struct input *in, enum dns_error error)
{
	gauge_add(&in->counters->messages.malformed[error], 1);
	return PACKET_DNS;
}

ALWAYS_INLINE static inline enum packet_result take_whole(struct input *in, struct pending *w)
{
	if (!hand_on(in, w))
		return PACKET_REJECT_RING_FULL;
	reading_count(&in->tally.messages, &w->packet, &w->reading.message);
	if (in->logger)
		log_message(in, w);
	return PACKET_DNS;
}

/*
 * A message that the capture cut behind its question: rules see what is there. Of an UPDATE they
 * would need all of it, and its signature stands at the end.
 */
COLD static enum packet_result take_beginning(struct input *in, struct pending *w)
{
	if (w->reading.message.opcode == DNS_OPCODE_QUERY && !hand_on(in, w))
		return PACKET_REJECT_RING_FULL;
	return take_malformed(in, DNS_SNAPLEN);
}

/* A prepared message: count it and hand it on. Returns what its packet counts as. */
ALWAYS_INLINE static inline enum packet_result take_message(struct input *in, struct pending *w)
{
	const enum dns_error error = w->reading.error;

	if (w->unread)
		return hand_on_unread(in, w);
	if (LIKELY(error == DNS_OK)) /* of a cut one, only what stood behind it is missing */
		return take_whole(in, w);
	switch (error) {
	case DNS_SNAPLEN:
		return take_beginning(in, w);
	case DNS_HEADER_TRUNCATED:
	case DNS_QUESTION_TRUNCATED:
	case DNS_NAME_TRUNCATED:
		if (w->packet.payload_missing > 0)
			return PACKET_REJECT_SNAPLEN;
		return take_malformed(in, error);
	default:
		return take_malformed(in, error);
	}
}

/* A message out of a stream. Of several that one segment completes each may find the ring full. */
static void take_stream_message(void *arg, const struct tcp_message *message)
{
	struct input *in = arg;
	struct pending *w = in->stream;
	struct frame frame = { .ts_ns = message->ts_ns, .interface = message->interface };

	w->frame = &frame;
	w->packet = message->packet;
	reading_prepare(&w->reading, &in->observer, w->frame, &w->packet);
	if (take_message(in, w) == PACKET_REJECT_RING_FULL)
		in->stream_refused = true;
}

static inline bool is_time_for_tick(const struct input *in, int64_t ts_ns)
{
	if (LIKELY((uint64_t)ts_ns - (uint64_t)in->second_ns < NS_PER_S))
		return false;
	int64_t second = ts_ns / NS_PER_S;

	return second > in->clock_s || second < in->clock_s - CLOCK_BACK_S;
}

/* Capture time moves on with the packets; the same packets give the same ticks. */
static void advance_clock(struct input *in, int64_t ts_ns)
{
	if (UNLIKELY(is_time_for_tick(in, ts_ns))) {
		push_ticks(in, ts_ns / NS_PER_S);
		decoder_expire(in->decoder, ts_ns);
		tcp_streams_expire(in->streams, ts_ns, take_stream_message, in);
		count_held(in);
		count_streams(in);
		if (in->live)
			count_losses(in);
	}
}

/* Count what was read; the times are the lowest and highest of these. */
static void count_read(struct input_counters *c, size_t count, uint64_t bytes, int64_t first_ns,
	int64_t last_ns)
{
	bool first = gauge_read(&c->read) == 0;
	gauge_add(&c->read, count);
	gauge_add(&c->read_bytes, bytes);
	if (first || first_ns < (int64_t)gauge_read(&c->first_ts_ns))
		gauge_set(&c->first_ts_ns, (uint64_t)first_ns);
	if (first || last_ns > (int64_t)gauge_read(&c->last_ts_ns))
		gauge_set(&c->last_ts_ns, (uint64_t)last_ns);
}

/* The payload is a message, not a part of a stream. */
static inline bool is_message(const struct pending *w)
{
	return w->result == PACKET_DNS && !w->packet.tcp_flags &&
	       (w->packet.protocol == IPPROTO_UDP || w->frame->decoded);
}

/* A dnstap source has said already what a packet would have to be decoded for. */
static inline void begin_decode(const struct input *in, struct pending *w)
{
	const struct frame *frame = w->frame;

	if (LIKELY(!frame->decoded)) {
		w->result = packet_begin(&w->packet, &w->rest, frame, in->decoder);
	} else {
		w->packet = *frame->decoded;
		w->rest = PACKET_REST_NONE;
		w->result = (enum packet_result)frame->result;
	}
}

static inline void finish_decode(const struct input *in, struct pending *w)
{
	if (LIKELY(w->rest != PACKET_REST_NONE)) {
		packet_finish(&w->packet, w->rest, in->decoder);
		w->is_message = true; /* a whole datagram of a DNS port */
	} else {
		w->is_message = is_message(w);
	}
	if (in->dedup)
		dedup_prefetch(in->dedup, &w->packet);
}

/* A segment is shown to its stream whatever it carries: `result` stands unless the ring is full. */
static enum packet_result take_segment(struct input *in, const struct pending *w)
{
	in->stream_refused = false;
	tcp_streams_segment(in->streams, &w->packet, w->frame, take_stream_message, in);
	return in->stream_refused ? PACKET_REJECT_RING_FULL : w->result;
}

/*
 * Decode the packets that may be looked at together: up to PENDING_MAX of one second, for between
 * two seconds there is a tick; and none behind a datagram that was in pieces, whose whole lies in
 * the decoder only until the next packet. Returns how many.
 */
static OUT_OF_LINE size_t decode_some(
	struct input *in, const struct frame frames[], size_t count)
{
	int64_t first_ns = frames[0].ts_ns, last_ns = first_ns;
	uint64_t bytes = 0;
	size_t taken = 0;

	while (taken < count && taken < PENDING_MAX &&
		!is_time_for_tick(in, frames[taken].ts_ns)) {
		struct pending *w = &in->pending[taken];
		w->frame = &frames[taken++];
		bytes += w->frame->caplen;
		first_ns = w->frame->ts_ns < first_ns ? w->frame->ts_ns : first_ns;
		last_ns = w->frame->ts_ns > last_ns ? w->frame->ts_ns : last_ns;
		begin_decode(in, w);
		if (UNLIKELY(w->packet.held > 0))
			break;
	}
	for (size_t i = 0; i < taken; i++)
		finish_decode(in, &in->pending[i]);
	count_read(in->counters, taken, bytes, first_ns, last_ns);
	return taken;
}

/* What dnstap tells was never on a mirror. */
static inline bool is_copy(const struct input *in, const struct pending *w)
{
	if (UNLIKELY(w->result != PACKET_DNS || w->frame->decoded))
		return false;
	return in->dedup && dedup_is_copy(in->dedup, &w->packet, w->frame->ts_ns);
}

static inline void prepare(struct input *in, struct pending *w)
{
	if (UNLIKELY(is_copy(in, w))) {
		w->result = PACKET_REJECT_DUPLICATE;
		w->is_message = false;
	} else if (LIKELY(w->is_message)) {
		w->unread = in->leaves_unread && unread_fits(w->frame, &w->packet);
		if (!w->unread)
			reading_prepare(&w->reading, &in->observer, w->frame, &w->packet);
	}
}

static void count_packet(struct input *in, const struct pending *w)
{
	if (LIKELY(w->result == PACKET_DNS))
		in->tally.packets_dns += 1 + w->packet.held;
	else if (w->result != PACKET_HELD)
		gauge_add(&in->counters->packets[w->result], 1 + w->packet.held);
}

static void take(struct input *in, struct pending *w)
{
	if (LIKELY(w->is_message)) {
		in->tally.checksum_wrong += w->packet.checksum == PACKET_CHECKSUM_WRONG;
		w->result = take_message(in, w);
	} else if (w->packet.tcp_flags && w->result != PACKET_REJECT_DUPLICATE) {
		w->result = take_segment(in, w);
	}
	count_packet(in, w);
}

/*
 * Do frames keep waiting for this thread, while the tracker has little to do? Then that one reads this
 * batch's messages. A log wants to have read them, and of several lanes only reading tells which.
 */
static bool is_busier_than_tracker(const struct input *in)
{
	bool busy = !in->live || in->full >= BUSY_BATCHES;

	return busy && in->lane_count == 1 && !in->logger &&
	       lane_has_time(in->lane, in->number);
}

/*
 * The packets of a batch go through each stage together: what a stage needs of the memory was asked
 * for by the one before, and the misses overlap (about 80 ns a packet less than one by one: make
 * bench).
 */
static void take_batch(struct input *in, const struct frame frames[], size_t count)
{
	while (count > 0) {
		advance_clock(in, frames[0].ts_ns);
		size_t taken = decode_some(in, frames, count);
		in->leaves_unread = is_busier_than_tracker(in);
		for (size_t i = 0; i < taken; i++)
			prepare(in, &in->pending[i]);
		for (size_t i = 0; i < taken; i++)
			take(in, &in->pending[i]);
		frames += taken;
		count -= taken;
	}
}

/* Tell the threads behind how far this input has come; after all was flushed. */
static void tell_reached(struct input *in, int64_t ts_ns)
{
	if (ts_ns > in->reached_ns)
		in->reached_ns = ts_ns;
	for (size_t i = 0; i < in->lane_count; i++)
		lane_reached(&in->lane[i], in->number, in->reached_ns);
	if (in->logger)
		logger_reached(in->logger, in->number, in->reached_ns);
}

/*
 * A silent wire must not hold windows open: capture time goes on from the last frame by as much as
 * the machine's own clock. Not by the wall clock, which need not agree with the card's. Only as far as
 * the kernel cannot give frames from before it: behind a tick of their second, which others' records wait
 * for, queries would come after their answers (of another input). Returns up to when there is nothing more
 * to come.
 */
static int64_t keep_time(struct input *in, const struct frame batch[], size_t count)
{
	int64_t now_ns = clock_monotonic_ns();
	if (count > 0) {
		in->frame_ts_ns = batch[count - 1].ts_ns;
		in->frame_at_ns = now_ns;
		return in->frame_ts_ns;
	}
	int64_t capture_ns = in->frame_at_ns == 0
				     ? clock_wall_ns()
				     : in->frame_ts_ns + (now_ns - in->frame_at_ns);
	int64_t settled_ns = capture_ns - KERNEL_HOLDS_NS;
	advance_clock(in, settled_ns);
	return settled_ns;
}

enum source_status input_run(struct input *in, struct err_ctx *why)
{
	struct frame batch[SOURCE_BATCH_MAX];
	enum source_status status;
	size_t count;

	do {
		count = 0;
		status = source_next_batch(in->source, batch, &count, why);
		adopt_version(in);
		in->full = count == SOURCE_BATCH_MAX ? in->full + 1 : 0;
		take_batch(in, batch, count);
		int64_t reached_ns = in->live ? keep_time(in, batch, count) : 0;
		publish_tally(in);
		flush_all(in);
		if (in->live)
			tell_reached(in, reached_ns);
		gauge_set(&in->counters->position_bytes, in->source->position_bytes);
		if (in->each_batch)
			in->each_batch(in->each_batch_arg);
	} while (status == SOURCE_OK);
	return status;
}

void input_keep_up(struct input *in)
{
	adopt_version(in);
	flush_all(in);
	tell_reached(in, INT64_MAX);
}

void input_finish(struct input *in)
{
	decoder_flush(in->decoder);
	tcp_streams_flush(in->streams, take_stream_message, in);
	publish_tally(in);
	count_held(in);
	count_streams(in);
	flush_all(in);
}
