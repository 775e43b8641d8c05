/* SPDX-License-Identifier: BSD-2-Clause */
#include "sensor/pipeline/input.h"

#include <netinet/in.h>
#include <string.h>

#include "sensor/base/clock.h"

/* A timestamp this far behind the clock is a new time line (merged captures), not reordering. */
#define CLOCK_BACK_S 60
/* What the kernel may still hold while nothing comes: a block of 100 ms, and some time to get it. */
#define KERNEL_HOLDS_NS (150 * NS_PER_MS)

static void flush_lanes(struct input *in)
{
	for (size_t i = 0; i < in->lane_count; i++)
		lane_flush(&in->lane[i], in->number, in->pushed_seq);
}

/* Room in a lane. Full: live gives up (the caller counts), replay sleeps until there is room. */
static struct observation *offer(struct input *in, struct lane *lane, size_t bytes)
{
	struct observation *o = lane_offer(lane, in->number, bytes);
	while (__builtin_expect(!o, 0) && !in->live) {
		flush_lanes(in);
		if (!lane_wait(lane, in->number, bytes))
			return NULL;
		o = lane_offer(lane, in->number, bytes);
	}
	return o;
}

static void push_ticks(struct input *in, int64_t second)
{
	in->clock_s = second;
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
	in->observer.known = known;
	in->tenants = known->policies;
	tenant_cache_clear(in->observer.tenants);
	snapshot_adopt_version(in->versions, in->reader, known);
}

/* Once a second: what was lost before it reached us. */
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

static void count_message(
	struct input_counters *c, const struct packet *p, const struct dns_message *m)
{
	gauge_add(&c->malformed[DNS_OK], 1);
	gauge_add(&c->opcode[m->opcode], 1);
	if (dns_is_response(m)) {
		gauge_add(&c->responses, 1);
		gauge_add(&c->rcode[m->rcode < INPUT_RCODES_MAX ? m->rcode
								: INPUT_RCODES_MAX - 1],
			1);
	} else {
		gauge_add(&c->queries, 1);
	}
	if (p->protocol == IPPROTO_TCP)
		gauge_add(&c->tcp, 1);
	if (m->trailing_len)
		gauge_add(&c->trailing, 1);
}

static void log_message(struct input *in, const struct frame *frame, const struct packet *p,
	const struct parties *who)
{
	struct dnslog_entry entry = {
		.ts_ns = frame->ts_ns,
		.src = p->src,
		.dst = p->dst,
		.sport = p->sport,
		.dport = p->dport,
		.tcp = p->protocol == IPPROTO_TCP,
		.vlan = p->vlan,
		.vlan_count = p->vlan_count,
		.tenant = in->tenants->tenant[who->tenant].id,
		.message = &in->message,
	};
	dnslog_write(in->dnslog, &entry);
}

/* Say whose message it is and hand it to that tenant's lane. False: ring full. */
static bool hand_on(struct input *in, const struct frame *frame, const struct packet *p,
	struct parties *who)
{
	const struct dns_message *m = &in->message;
	*who = observe_parties(&in->observer, frame, p, m);
	struct lane *lane = &in->lane[who->tenant % in->lane_count];
	struct observation *o = offer(in, lane, observe_bound(m));
	if (__builtin_expect(!o, 0))
		return false;

	observe_build(&in->observer, o, frame, p, who, m);
	o->seq = ++in->seq;
	lane_push(lane, in->number, o);
	in->pushed_seq = in->seq;
	return true;
}

static enum packet_result take_malformed(struct input *in, enum dns_error error)
{
	gauge_add(&in->counters->malformed[error], 1);
	return PACKET_DNS;
}

static enum packet_result take_whole(
	struct input *in, const struct frame *frame, const struct packet *p)
{
	struct parties who;
	if (!hand_on(in, frame, p, &who))
		return PACKET_REJECT_RING_FULL;
	count_message(in->counters, p, &in->message);
	if (in->dnslog)
		log_message(in, frame, p, &who);
	return PACKET_DNS;
}

/*
 * A message that the capture cut behind its question: rules see what is there. Of an UPDATE they
 * would need all of it, and its signature stands at the end.
 */
static enum packet_result take_beginning(
	struct input *in, const struct frame *frame, const struct packet *p)
{
	struct parties who;
	if (in->message.opcode == DNS_OPCODE_QUERY && !hand_on(in, frame, p, &who))
		return PACKET_REJECT_RING_FULL;
	return take_malformed(in, DNS_SNAPLEN);
}

static enum packet_result take_cut(
	struct input *in, const struct frame *frame, const struct packet *p)
{
	enum dns_error error = dns_message_decode_cut(&in->message, p->payload, p->payload_len);
	switch (error) {
	case DNS_OK: /* only what stood behind it is missing */
		return take_whole(in, frame, p);
	case DNS_SNAPLEN:
		return take_beginning(in, frame, p);
	case DNS_HEADER_TRUNCATED:
	case DNS_QUESTION_TRUNCATED:
	case DNS_NAME_TRUNCATED:
		return PACKET_REJECT_SNAPLEN;
	default:
		return take_malformed(in, error);
	}
}

/* One DNS payload: decode it and hand it on. Returns what its packet counts as. */
static enum packet_result take_message(
	struct input *in, const struct frame *frame, const struct packet *p)
{
	if (UNLIKELY(p->payload_missing > 0))
		return take_cut(in, frame, p);
	enum dns_error error = dns_message_decode(&in->message, p->payload, p->payload_len);
	if (UNLIKELY(error != DNS_OK))
		return take_malformed(in, error);
	return take_whole(in, frame, p);
}

/* A message out of a stream. Of several that one segment completes each may find the ring full. */
static void take_stream_message(void *arg, const struct tcp_message *message)
{
	struct input *in = arg;
	struct frame frame = { .ts_ns = message->ts_ns, .interface = message->interface };
	if (take_message(in, &frame, &message->packet) == PACKET_REJECT_RING_FULL)
		in->stream_refused = true;
}

/* Capture time moves on with the packets; the same packets give the same ticks. */
static void advance_clock(struct input *in, int64_t ts_ns)
{
	int64_t second = ts_ns / NS_PER_S;
	if (__builtin_expect(second > in->clock_s || second < in->clock_s - CLOCK_BACK_S, 0)) {
		push_ticks(in, second);
		decoder_expire(in->decoder, ts_ns);
		tcp_streams_expire(in->streams, ts_ns, take_stream_message, in);
		count_held(in);
		count_streams(in);
		if (in->live)
			count_losses(in);
	}
}

/* Called for each packet once it is counted, so the first one is number 1. */
static void note_time(struct input_counters *c, int64_t ts_ns)
{
	bool first = gauge_read(&c->read) == 1;
	if (first || ts_ns < (int64_t)gauge_read(&c->first_ts_ns))
		gauge_set(&c->first_ts_ns, (uint64_t)ts_ns);
	if (first || ts_ns > (int64_t)gauge_read(&c->last_ts_ns))
		gauge_set(&c->last_ts_ns, (uint64_t)ts_ns);
}

/* A dnstap source has said already what a packet would have to be decoded for. */
static enum packet_result decode(
	const struct input *in, struct packet *p, const struct frame *frame)
{
	if (!frame->decoded)
		return packet_decode(p, frame, in->decoder);
	*p = *frame->decoded;
	return (enum packet_result)frame->result;
}

/* The payload is a message, not a part of a stream. */
static bool is_message(const struct frame *frame, const struct packet *p)
{
	return frame->decoded || p->protocol == IPPROTO_UDP;
}

/* A segment is shown to its stream whatever it carries: `result` stands unless the ring is full. */
static enum packet_result take_segment(struct input *in, const struct frame *frame,
	const struct packet *p, enum packet_result result)
{
	in->stream_refused = false;
	tcp_streams_segment(in->streams, p, frame, take_stream_message, in);
	return in->stream_refused ? PACKET_REJECT_RING_FULL : result;
}

/* What dnstap tells was never on a mirror. */
static bool is_copy(struct input *in, const struct frame *frame, const struct packet *p)
{
	return in->dedup && !frame->decoded && dedup_is_copy(in->dedup, p, frame->ts_ns);
}

static void take_frame(struct input *in, const struct frame *frame)
{
	struct input_counters *c = in->counters;
	struct packet p;

	gauge_add(&c->read, 1);
	gauge_add(&c->read_bytes, frame->caplen);
	note_time(c, frame->ts_ns);
	advance_clock(in, frame->ts_ns);

	enum packet_result result = decode(in, &p, frame);
	if (result == PACKET_DNS && is_copy(in, frame, &p)) {
		result = PACKET_REJECT_DUPLICATE;
	} else if (p.tcp_flags) {
		result = take_segment(in, frame, &p, result);
	} else if (result == PACKET_DNS && is_message(frame, &p)) {
		if (p.checksum == PACKET_CHECKSUM_WRONG)
			gauge_add(&c->checksum_wrong, 1);
		result = take_message(in, frame, &p);
	}
	if (result != PACKET_HELD)
		gauge_add(&c->packets[result], 1 + p.held);
}

/* Tell the trackers how far this input has come; after all was flushed. */
static void tell_reached(struct input *in, int64_t ts_ns)
{
	if (ts_ns > in->reached_ns)
		in->reached_ns = ts_ns;
	for (size_t i = 0; i < in->lane_count; i++)
		lane_reached(&in->lane[i], in->number, in->reached_ns);
}

/*
 * A silent wire must not hold windows open: capture time goes on from the last frame by as much as
 * the machine's own clock. Not by the wall clock, which need not agree with the card's. Returns up
 * to when there is nothing more to come.
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
	advance_clock(in, capture_ns);
	return capture_ns - KERNEL_HOLDS_NS;
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
		for (size_t i = 0; i < count; i++)
			take_frame(in, &batch[i]);
		int64_t reached_ns = in->live ? keep_time(in, batch, count) : 0;
		flush_lanes(in);
		if (in->live)
			tell_reached(in, reached_ns);
		gauge_set(&in->counters->position_bytes, in->source->position_bytes);
		if (in->each_batch)
			in->each_batch(in->each_batch_arg);
	} while (status == SOURCE_OK);
	return status;
}

void input_finish(struct input *in)
{
	decoder_flush(in->decoder);
	tcp_streams_flush(in->streams, take_stream_message, in);
	count_held(in);
	count_streams(in);
	flush_lanes(in);
}
