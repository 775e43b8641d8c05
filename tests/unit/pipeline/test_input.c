/* SPDX-License-Identifier: BSD-2-Clause */
#include <criterion/criterion.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sensor/base/attribute.h"
#include "sensor/base/clock.h"
#include "sensor/pipeline/input.h"
#include "tests/support/dns_build.h"
#include "tests/unit/pipeline/fake_source.h"
#include "tests/unit/pipeline/known.h"

#define START      KNOWN_START_NS
#define START_S    (KNOWN_START_NS / NS_PER_S)
#define LANES_MAX  3
#define RING_SMALL 4096
#define RING_LARGE (1u << 20)

/* An input whose lanes are bare rings: what it hands on is read back from them. */
struct bench {
	struct known known;
	struct fake_source source;
	struct lane lane[LANES_MAX];
	struct input input;
	struct input_counters counters;
	struct err_ctx why;
};

static struct bench *bench_new(size_t lane_count, size_t ring_bytes, bool live)
{
	struct bench *b = calloc(1, sizeof(*b));

	cr_assert_not_null(b);
	known_init(&b->known);
	known_tenant(&b->known, "acme", "10.1.0.0/16");
	known_tenant(&b->known, "beta", "10.2.0.0/16");
	known_freeze(&b->known);
	fake_init(&b->source, SOURCE_END);
	for (size_t i = 0; i < lane_count; i++) {
		b->lane[i] = (struct lane){ .number = i, .input_count = 1 };
		b->lane[i].in[0] = spsc_new(ring_bytes);
		cr_assert_not_null(b->lane[i].in[0]);
	}
	b->input = (struct input){
		.source = &b->source.base,
		.lane = b->lane,
		.lane_count = lane_count,
		.live = live,
		.tenants = b->known.knowledge.policies,
		.observer = known_observer(&b->known),
		.decoder = b->known.decoder,
		.streams = b->known.streams,
		.counters = &b->counters,
		.clock_s = INT64_MIN,
	};
	cr_assert(input_init(&b->input));
	return b;
}

static void bench_free(struct bench *b)
{
	for (size_t i = 0; i < b->input.lane_count; i++)
		spsc_free(b->lane[i].in[0]);
	input_deinit(&b->input);
	fake_deinit(&b->source);
	known_deinit(&b->known);
	free(b);
}

static enum source_status bench_run(struct bench *b)
{
	return input_run(&b->input, &b->why);
}

/* The next record of a lane, or NULL. */
static const struct observation *next(struct bench *b, size_t lane)
{
	size_t bytes;
	const struct observation *o = spsc_peek(b->lane[lane].in[0], &bytes);

	if (o) {
		cr_assert_eq(bytes, o->size);
		spsc_release(b->lane[lane].in[0]);
	}
	return o;
}

struct tally {
	size_t ticks, messages;
	int64_t tick_s[64];
	uint64_t last_seq;
};

/* Everything that a lane holds; order numbers only rise. */
static struct tally drain(struct bench *b, size_t lane)
{
	struct tally t = { 0 };
	const struct observation *o;

	while ((o = next(b, lane)) != NULL) {
		cr_assert_gt(o->seq, t.last_seq);
		t.last_seq = o->seq;
		if (o->kind == OBSERVATION_MESSAGE) {
			t.messages++;
			continue;
		}
		cr_assert_eq(o->kind, OBSERVATION_TICK);
		cr_assert_eq(o->size, sizeof(*o));
		cr_assert_eq(o->ts_ns % NS_PER_S, 0);
		cr_assert_lt(t.ticks, ARRAY_LEN(t.tick_s));
		t.tick_s[t.ticks++] = o->ts_ns / NS_PER_S;
	}
	return t;
}

static void acme_query(struct bench *b, int64_t ts_ns)
{
	fake_message(&b->source, ts_ns, "10.1.0.7", "10.1.0.53", "www.example.com", false);
}

static uint64_t packets(const struct bench *b, enum packet_result result)
{
	return gauge_read(&b->counters.packets[result]);
}

static void check_books(const struct bench *b)
{
	const struct input_counters *c = &b->counters;
	uint64_t sum = 0, malformed = 0;

	for (int i = 0; i < PACKET_RESULT_COUNT; i++)
		sum += gauge_read(&c->packets[i]);
	cr_assert_eq(sum, gauge_read(&c->read));
	for (int i = DNS_OK + 1; i < DNS_ERROR_COUNT; i++)
		malformed += gauge_read(&c->malformed[i]);
	cr_assert_eq(packets(b, PACKET_DNS), gauge_read(&c->malformed[DNS_OK]) + malformed);
	cr_assert_eq(gauge_read(&c->malformed[DNS_OK]),
		gauge_read(&c->queries) + gauge_read(&c->responses));
}

/* --- ticks -------------------------------------------------------------------------------------- */

struct tick_row {
	const char *name;
	int64_t at_ms[8];  /* of the frames, up to the first -1 */
	int64_t tick_s[8]; /* expected, up to the first -1; both since START */
};

#define YEARS_S (INT64_C(30) * 365 * 86400)

static const struct tick_row tick_rows[] = {
	{ "one frame", { 0, -1 }, { 0, -1 } },
	{ "several frames in one second", { 0, 10, 500, 999, -1 }, { 0, -1 } },
	{ "one tick a second", { 999, 1000, 1500, 2000, -1 }, { 0, 1, 2, -1 } },
	{ "a gap is one tick", { 0, 3000, 3001, 9999, -1 }, { 0, 3, 9, -1 } },
	{ "years are one tick", { 0, YEARS_S * 1000, YEARS_S * 1000 + 1, -1 },
		{ 0, YEARS_S, -1 } },
	{ "a frame late by a second", { 5000, 4000, 5001, 6000, -1 }, { 5, 6, -1 } },
	{ "a frame late by a minute", { 65000, 5999, 65500, -1 }, { 65, -1 } },
	{ "a minute and more is a new time line", { 70000, 4000, 4500, 5000, -1 },
		{ 70, 4, 5, -1 } },
	{ "years back and forth", { YEARS_S * 1000, 0, YEARS_S * 1000, -1 },
		{ YEARS_S, 0, YEARS_S, -1 } },
};

Test(input, one_tick_for_each_second_of_capture_time_that_has_frames)
{
	for (size_t i = 0; i < ARRAY_LEN(tick_rows); i++) {
		const struct tick_row *row = &tick_rows[i];
		struct bench *b = bench_new(1, RING_LARGE, false);
		size_t frames = 0, ticks = 0;
		for (; row->at_ms[frames] != -1; frames++)
			acme_query(b, START + row->at_ms[frames] * NS_PER_MS);
		cr_assert_eq(bench_run(b), SOURCE_END, "%s", row->name);
		struct tally t = drain(b, 0);
		cr_assert_eq(t.messages, frames, "%s", row->name);
		for (; row->tick_s[ticks] != -1; ticks++) {
			cr_assert_lt(ticks, t.ticks, "%s", row->name);
			cr_assert_eq(t.tick_s[ticks] - START_S, row->tick_s[ticks],
				"%s, tick %zu", row->name, ticks);
		}
		cr_assert_eq(t.ticks, ticks, "%s", row->name);
		bench_free(b);
	}
}

Test(input, a_tick_comes_before_the_first_message_of_its_second)
{
	struct bench *b = bench_new(1, RING_LARGE, false);

	acme_query(b, START);
	acme_query(b, START + NS_PER_S);
	bench_run(b);
	for (int i = 0; i < 2; i++) {
		cr_assert_eq(next(b, 0)->kind, OBSERVATION_TICK);
		cr_assert_eq(next(b, 0)->kind, OBSERVATION_MESSAGE);
	}
	cr_assert_null(next(b, 0));
	bench_free(b);
}

Test(input, frames_that_are_no_dns_move_the_clock_too)
{
	struct bench *b = bench_new(1, RING_LARGE, false);
	static const uint8_t arp[60] = { [12] = 0x08, [13] = 0x06 };

	fake_frame(&b->source, START, arp, sizeof(arp));
	fake_frame(&b->source, START + NS_PER_S, arp, sizeof(arp));
	bench_run(b);
	struct tally t = drain(b, 0);
	cr_assert_eq(t.ticks, 2);
	cr_assert_eq(t.messages, 0);
	check_books(b);
	bench_free(b);
}

Test(input, every_lane_gets_the_same_tick_and_its_own_tenants)
{
	struct bench *b = bench_new(LANES_MAX, RING_LARGE, false);

	acme_query(b, START);
	fake_message(&b->source, START + 1, "10.2.0.7", "10.2.0.53", "b.example", false);
	fake_message(&b->source, START + 2, "192.0.2.1", "192.0.2.53", "c.example", false);
	bench_run(b);
	for (size_t i = 0; i < LANES_MAX; i++) {
		const struct observation *o = next(b, i);
		cr_assert_eq(o->kind, OBSERVATION_TICK, "lane %zu", i);
		cr_assert_eq(o->seq, 1, "lane %zu", i);
		o = next(b, i);
		cr_assert_eq(o->kind, OBSERVATION_MESSAGE, "lane %zu", i);
		cr_assert_eq(o->tenant, i, "lane %zu", i);
		cr_assert_null(next(b, i), "lane %zu", i);
	}
	bench_free(b);
}

Test(input, a_silent_live_source_ticks_on_from_the_time_of_its_last_frame)
{
	struct bench *b = bench_new(1, RING_LARGE, true);

	acme_query(b, START);
	for (int i = 0; i < 24; i++)
		fake_silence(&b->source, 100);
	bench_run(b);
	struct tally t = drain(b, 0);
	/* 2.4 s at least; a slow machine may take longer, which is more ticks. */
	cr_assert_geq(t.ticks, 3, "%zu", t.ticks);
	cr_assert_eq(t.tick_s[0], START_S);
	for (size_t i = 1; i < t.ticks; i++) {
		cr_assert_gt(t.tick_s[i], t.tick_s[i - 1]);
		cr_assert_lt(t.tick_s[i] - START_S, 120, "capture time, not the wall clock's");
	}
	bench_free(b);
}

Test(input, a_live_source_that_was_silent_from_the_start_ticks_by_the_wall_clock)
{
	struct bench *b = bench_new(1, RING_LARGE, true);
	int64_t before_s = clock_wall_ns() / NS_PER_S;

	fake_silence(&b->source, 1);
	bench_run(b);
	struct tally t = drain(b, 0);
	cr_assert_geq(t.ticks, 1);
	cr_assert_geq(t.tick_s[0], before_s);
	cr_assert_leq(t.tick_s[t.ticks - 1], clock_wall_ns() / NS_PER_S);
	bench_free(b);
}

Test(input, a_silent_file_does_not_tick)
{
	struct bench *b = bench_new(1, RING_LARGE, false);

	acme_query(b, START);
	fake_silence(&b->source, 1100);
	bench_run(b);
	cr_assert_eq(drain(b, 0).ticks, 1);
	bench_free(b);
}

/* --- streams ------------------------------------------------------------------------------------ */

/* A part of a stream of two queries, in a frame of its own. */
static void segment(struct bench *b, int64_t ts_ns, size_t from, size_t to)
{
	static const uint8_t length[2] = { 0, FRAMES_QUERY_LEN };
	uint8_t stream[2 * (2 + FRAMES_QUERY_LEN)], bytes[FRAMES_BYTES_MAX];

	for (size_t i = 0; i < 2; i++) {
		memcpy(stream + i * (2 + FRAMES_QUERY_LEN), length, 2);
		memcpy(stream + i * (2 + FRAMES_QUERY_LEN) + 2, FRAMES_QUERY, FRAMES_QUERY_LEN);
	}
	struct frame_spec spec = { .link = PACKET_LINK_ETHERNET,
		.protocol = IPPROTO_TCP,
		.src = "10.1.0.7",
		.dst = "10.1.0.53",
		.payload = stream + from,
		.payload_len = to - from };
	size_t len = frames_build(bytes, &spec);
	uint8_t *tcp = bytes + len - (to - from) - 20;
	tcp[7] = (uint8_t)from; /* sequence number */
	fake_frame(&b->source, ts_ns, bytes, len);
}

#define STREAM_LEN (2 * (2 + FRAMES_QUERY_LEN))

Test(input, messages_of_a_stream_have_the_time_of_the_segment_that_completes_them)
{
	struct bench *b = bench_new(1, RING_LARGE, false);

	segment(b, START, 0, 5 + FRAMES_QUERY_LEN);
	segment(b, START + 20, 5 + FRAMES_QUERY_LEN + 7, STREAM_LEN);
	segment(b, START + 30, 5 + FRAMES_QUERY_LEN, 5 + FRAMES_QUERY_LEN + 7);
	bench_run(b);
	cr_assert_eq(next(b, 0)->kind, OBSERVATION_TICK);
	static const int64_t expected[] = { START, START + 30 };
	for (size_t i = 0; i < ARRAY_LEN(expected); i++) {
		const struct observation *o = next(b, 0);
		cr_assert_eq(o->kind, OBSERVATION_MESSAGE);
		cr_assert_eq(o->ts_ns, expected[i]);
		cr_assert_eq(o->transport, TRANSPORT_TCP);
	}
	cr_assert_null(next(b, 0));
	cr_assert_eq(packets(b, PACKET_DNS), 3);
	cr_assert_eq(gauge_read(&b->counters.tcp), 2);
	bench_free(b);
}

Test(input, a_hole_is_given_up_by_the_clock_and_counted)
{
	struct bench *b = bench_new(1, RING_LARGE, false);

	segment(b, START, 0, 4 + FRAMES_QUERY_LEN);
	segment(b, START, 2 + FRAMES_QUERY_LEN + 8, STREAM_LEN); /* the second has a hole */
	acme_query(b, START + 3 * NS_PER_S);
	bench_run(b);
	struct tally t = drain(b, 0);
	cr_assert_eq(t.messages, 2);
	cr_assert_eq(gauge_read(&b->counters.stream_gaps), 1);
	cr_assert_eq(gauge_read(&b->counters.stream_lost_bytes), 6);
	bench_free(b);
}

Test(input, the_end_of_a_capture_gives_what_waits_behind_a_hole)
{
	struct bench *b = bench_new(1, RING_LARGE, false);

	segment(b, START, 0, 10);
	segment(b, START + 1, 2 + FRAMES_QUERY_LEN, STREAM_LEN);
	bench_run(b);
	cr_assert_eq(drain(b, 0).messages, 0);
	input_finish(&b->input);
	cr_assert_eq(drain(b, 0).messages, 1);
	bench_free(b);
}

/* --- messages that were no packets -------------------------------------------------------------- */

static void decoded_frame(struct bench *b, const struct packet *p, enum packet_result result)
{
	fake_frame(&b->source, START, "whatever", 8);
	struct frame *frame = &b->source.step[b->source.count - 1].frame;
	frame->decoded = p;
	frame->result = (uint8_t)result;
}

Test(input, a_decoded_message_is_taken_whatever_its_port_and_transport)
{
	struct bench *b = bench_new(1, RING_LARGE, false);
	static struct dns_build query;
	build_start(&query, 1, 0);
	build_question(&query, "www.example.com", 1, 1);
	struct packet p = { .protocol = IPPROTO_TCP,
		.sport = 40000,
		.dport = 853,
		.cover = PACKET_COVER_DOT,
		.vni = PACKET_NO_VNI,
		.payload = query.at,
		.payload_len = (uint32_t)query.len };
	cr_assert(ip_parse(&p.src, "10.1.0.7") && ip_parse(&p.dst, "10.1.0.53"));

	decoded_frame(b, &p, PACKET_DNS);
	bench_run(b);
	const struct observation *o = next(b, 0);
	cr_assert_eq(o->kind, OBSERVATION_TICK);
	o = next(b, 0);
	cr_assert_eq(o->kind, OBSERVATION_MESSAGE);
	cr_assert_eq(o->transport, TRANSPORT_DOT);
	cr_assert(ip_equal(&o->client, &p.src));
	cr_assert_eq(packets(b, PACKET_DNS), 1);
	cr_assert_eq(gauge_read(&b->counters.tcp), 1);
	check_books(b);
	bench_free(b);
}

Test(input, a_frame_that_its_source_rejects_is_counted_by_the_reason_given)
{
	struct bench *b = bench_new(1, RING_LARGE, false);
	struct packet none = { .vni = PACKET_NO_VNI };

	decoded_frame(b, &none, PACKET_REJECT_DNSTAP_MALFORMED);
	decoded_frame(b, &none, PACKET_REJECT_DNSTAP_TYPE);
	decoded_frame(b, &none, PACKET_REJECT_DNSTAP_TYPE);
	bench_run(b);
	cr_assert_eq(packets(b, PACKET_REJECT_DNSTAP_MALFORMED), 1);
	cr_assert_eq(packets(b, PACKET_REJECT_DNSTAP_TYPE), 2);
	cr_assert_eq(drain(b, 0).messages, 0);
	check_books(b);
	bench_free(b);
}

/* --- a full ring -------------------------------------------------------------------------------- */

Test(input, live_counts_what_a_full_ring_does_not_take_and_the_books_balance)
{
	struct bench *b = bench_new(1, RING_SMALL, true);

	for (int i = 0; i < 1000; i++)
		acme_query(b, START + i);
	cr_assert_eq(bench_run(b), SOURCE_END);
	struct tally t = drain(b, 0);
	cr_assert_gt(t.messages, 0);
	cr_assert_lt(t.messages, 1000);
	cr_assert_eq(packets(b, PACKET_DNS), t.messages);
	cr_assert_eq(packets(b, PACKET_REJECT_RING_FULL), 1000 - t.messages);
	cr_assert_eq(gauge_read(&b->counters.read), 1000);
	check_books(b);
	bench_free(b);
}

Test(input, live_goes_on_in_other_lanes_when_one_is_full)
{
	struct bench *b = bench_new(LANES_MAX, RING_SMALL, true);

	for (int i = 0; i < 500; i++)
		acme_query(b, START + i);
	fake_message(&b->source, START + 500, "10.2.0.7", "10.2.0.53", "b.example", false);
	bench_run(b);
	cr_assert_gt(packets(b, PACKET_REJECT_RING_FULL), 0);
	cr_assert_eq(drain(b, 2).messages, 1);
	check_books(b);
	bench_free(b);
}

/* Reads a lane slowly until it is closed. */
struct reader {
	struct lane *lane;
	size_t messages, ticks;
	bool in_order;
};

static void *read_slowly(void *arg)
{
	struct reader *r = arg;
	struct spsc *ring = r->lane->in[0];
	uint64_t last_seq = 0;
	size_t bytes;

	r->in_order = true;
	while (spsc_wait_record(ring, -1)) {
		const struct observation *o;
		while ((o = spsc_peek(ring, &bytes)) != NULL) {
			r->in_order &= o->seq > last_seq;
			last_seq = o->seq;
			if (o->kind == OBSERVATION_TICK)
				r->ticks++;
			else if (++r->messages % 100 == 0)
				usleep(1000);
			spsc_release(ring);
		}
	}
	return NULL;
}

Test(input, replay_waits_for_a_full_ring_and_loses_nothing)
{
	struct bench *b = bench_new(2, RING_SMALL, false);
	struct reader reader[2] = { { .lane = &b->lane[0] }, { .lane = &b->lane[1] } };
	pthread_t thread[2];

	for (int i = 0; i < 3000; i++)
		fake_message(&b->source, START + i * NS_PER_MS, i % 3 ? "10.1.0.7" : "10.2.0.7",
			"192.0.2.53", "www.example.com", false);
	for (int i = 0; i < 2; i++)
		cr_assert_eq(pthread_create(&thread[i], NULL, read_slowly, &reader[i]), 0);
	cr_assert_eq(bench_run(b), SOURCE_END);
	for (uint16_t i = 0; i < 2; i++) {
		lane_close(&b->lane[i], 0);
		pthread_join(thread[i], NULL);
		cr_assert(reader[i].in_order);
		cr_assert_eq(reader[i].ticks, 3);
	}
	cr_assert_eq(reader[0].messages, 1000);
	cr_assert_eq(reader[1].messages, 2000);
	cr_assert_eq(packets(b, PACKET_DNS), 3000);
	check_books(b);
	bench_free(b);
}

Test(input, live_waits_for_a_full_ring_as_long_as_it_may, .timeout = 60)
{
	struct bench *b = bench_new(1, RING_SMALL, true);
	struct reader reader = { .lane = &b->lane[0] };
	pthread_t thread;

	b->input.room_wait_ms = 20000;
	for (int i = 0; i < 1000; i++)
		acme_query(b, START + i);
	cr_assert_eq(pthread_create(&thread, NULL, read_slowly, &reader), 0);
	cr_assert_eq(bench_run(b), SOURCE_END);
	lane_close(&b->lane[0], 0);
	pthread_join(thread, NULL);
	cr_assert(reader.in_order);
	cr_assert_eq(reader.messages, 1000);
	cr_assert_eq(packets(b, PACKET_REJECT_RING_FULL), 0);
	check_books(b);
	bench_free(b);
}

Test(input, live_waits_once_for_a_lane_that_nobody_reads, .timeout = 60)
{
	struct bench *b = bench_new(1, RING_SMALL, true);

	b->input.room_wait_ms = 200; /* for each of a thousand this would take minutes */
	for (int i = 0; i < 1000; i++)
		acme_query(b, START + i);
	cr_assert_eq(bench_run(b), SOURCE_END);
	uint64_t taken = drain(b, 0).messages;
	uint64_t lost = packets(b, PACKET_REJECT_RING_FULL);
	cr_assert_eq(taken + lost, 1000);
	cr_assert_eq(b->input.stuck, 1);
	spsc_retire(b->lane[0].in[0]);
	acme_query(b, START + 1000);
	cr_assert_eq(bench_run(b), SOURCE_END);
	cr_assert_eq(b->input.stuck, 0);
	cr_assert_eq(drain(b, 0).messages, 1);
	cr_assert_eq(packets(b, PACKET_REJECT_RING_FULL), lost);
	bench_free(b);
}

/* --- the source's end ----------------------------------------------------------------------------- */

struct end_row {
	const char *name;
	enum source_status end;
	bool with_frames;
};

static const struct end_row end_rows[] = {
	{ "the end", SOURCE_END, false },
	{ "the end along with frames", SOURCE_END, true },
	{ "damage", SOURCE_ERROR, false },
	{ "damage along with frames", SOURCE_ERROR, true },
};

Test(input, everything_before_the_end_or_the_damage_is_handed_on)
{
	for (size_t i = 0; i < ARRAY_LEN(end_rows); i++) {
		const struct end_row *row = &end_rows[i];
		struct bench *b = bench_new(1, RING_LARGE, false);
		b->source.end = row->end;
		b->source.end_with_frames = row->with_frames;
		b->source.batch_max = 8;
		for (int k = 0; k < 20; k++)
			acme_query(b, START + k);
		cr_assert_eq(bench_run(b), row->end, "%s", row->name);
		cr_assert_eq(drain(b, 0).messages, 20, "%s", row->name);
		cr_assert_eq(gauge_read(&b->counters.read), 20, "%s", row->name);
		if (row->end == SOURCE_ERROR)
			cr_assert_str_eq(b->why.text, "the fake source is damaged");
		cr_assert(
			!spsc_drained(b->lane[0].in[0]), "%s: the lane stays open", row->name);
		bench_free(b);
	}
}

Test(input, one_capture_after_the_other_keeps_the_order_and_the_counts)
{
	struct bench *b = bench_new(1, RING_LARGE, false);
	struct fake_source second;

	acme_query(b, START);
	acme_query(b, START + 1);
	bench_run(b);
	fake_init(&second, SOURCE_END);
	fake_message(&second, START + 2, "10.1.0.7", "10.1.0.53", "www.example.com", false);
	b->input.source = &second.base;
	bench_run(b);
	struct tally t = drain(b, 0);
	cr_assert_eq(t.messages, 3);
	cr_assert_eq(t.ticks, 1, "the second is the same");
	cr_assert_eq(gauge_read(&b->counters.read), 3);
	fake_deinit(&second);
	bench_free(b);
}

/* --- counters ---------------------------------------------------------------------------------------- */

Test(input, every_packet_and_message_is_counted_by_what_it_was)
{
	struct bench *b = bench_new(1, RING_LARGE, false);
	struct fake_source *f = &b->source;

	acme_query(b, START);
	fake_message(f, START, "10.1.0.7", "10.1.0.53", "gone.example", true);
	fake_built(f, START, &(struct frame_spec){ .checksum_wrong = true });
	fake_built(f, START,
		&(struct frame_spec){
			.payload = FRAMES_QUERY, .payload_len = FRAMES_QUERY_LEN - 1 });
	fake_built(f, START, &(struct frame_spec){ .payload = "short", .payload_len = 5 });
	fake_built(f, START,
		&(struct frame_spec){
			.payload = FRAMES_QUERY "more", .payload_len = FRAMES_QUERY_LEN + 4 });
	fake_built(f, START, &(struct frame_spec){ .sport = 1, .dport = 2 });
	fake_frame(f, START, "x", 1);
	cr_assert_eq(bench_run(b), SOURCE_END);

	const struct input_counters *c = &b->counters;
	cr_assert_eq(gauge_read(&c->read), 8);
	cr_assert_eq(packets(b, PACKET_DNS), 6);
	cr_assert_eq(packets(b, PACKET_OTHER), 1);
	cr_assert_eq(packets(b, PACKET_REJECT_LINK_TRUNCATED), 1);
	cr_assert_eq(gauge_read(&c->malformed[DNS_OK]), 4);
	cr_assert_eq(gauge_read(&c->malformed[DNS_QUESTION_TRUNCATED]), 1);
	cr_assert_eq(gauge_read(&c->malformed[DNS_HEADER_TRUNCATED]), 1);
	cr_assert_eq(gauge_read(&c->queries), 3);
	cr_assert_eq(gauge_read(&c->responses), 1);
	cr_assert_eq(gauge_read(&c->opcode[DNS_OPCODE_QUERY]), 4);
	cr_assert_eq(gauge_read(&c->rcode[DNS_RCODE_NXDOMAIN]), 1);
	cr_assert_eq(gauge_read(&c->rcode[DNS_RCODE_NOERROR]), 0, "queries have no rcode");
	cr_assert_eq(gauge_read(&c->trailing), 1);
	cr_assert_eq(gauge_read(&c->checksum_wrong), 1);
	cr_assert_eq(drain(b, 0).messages, 4, "the wrong checksum is judged all the same");
	check_books(b);
	bench_free(b);
}

Test(input, every_opcode_is_counted_and_rcodes_above_the_known_ones_together)
{
	static struct dns_build m;
	struct bench *b = bench_new(1, RING_LARGE, false);

	for (unsigned opcode = 0; opcode < 16; opcode++) {
		build_start(&m, 1, (uint16_t)(opcode << 11));
		fake_built(&b->source, START,
			&(struct frame_spec){ .payload = m.at, .payload_len = m.len });
	}
	for (unsigned extended = 0; extended < 256; extended++) {
		build_start(&m, 1, DNS_FLAG_QR | 7);
		build_opt(&m, 1232, (uint32_t)extended << 24, NULL, 0);
		fake_built(&b->source, START,
			&(struct frame_spec){ .payload = m.at, .payload_len = m.len });
	}
	bench_run(b);
	for (unsigned opcode = 1; opcode < 16; opcode++)
		cr_assert_eq(gauge_read(&b->counters.opcode[opcode]), 1, "%u", opcode);
	cr_assert_eq(gauge_read(&b->counters.rcode[7]), 1);
	cr_assert_eq(gauge_read(&b->counters.rcode[INPUT_RCODES_MAX - 1]), 255,
		"7 + 16 is the last of its own and counts with all others");
	check_books(b);
	bench_free(b);
}

Test(input, the_lowest_and_the_highest_time_are_kept_whatever_the_order)
{
	struct bench *b = bench_new(1, RING_LARGE, false);

	acme_query(b, START + 5);
	acme_query(b, START + 2);
	acme_query(b, START + 9);
	acme_query(b, START + 4);
	bench_run(b);
	cr_assert_eq(gauge_read(&b->counters.first_ts_ns), (uint64_t)START + 2);
	cr_assert_eq(gauge_read(&b->counters.last_ts_ns), (uint64_t)START + 9);
	bench_free(b);
}

Test(input, a_capture_that_starts_in_1970_has_its_first_packet_there)
{
	struct bench *b = bench_new(1, RING_LARGE, false);

	acme_query(b, 0);
	acme_query(b, 5 * NS_PER_S);
	bench_run(b);
	cr_assert_eq(gauge_read(&b->counters.first_ts_ns), 0);
	cr_assert_eq(gauge_read(&b->counters.last_ts_ns), 5 * NS_PER_S);
	bench_free(b);
}

Test(input, losses_of_a_live_source_are_read_as_time_goes_on)
{
	struct bench *b = bench_new(1, RING_LARGE, true);

	b->source.losses = (struct source_losses){ 100, 7, 3 };
	acme_query(b, START);
	bench_run(b);
	cr_assert_eq(gauge_read(&b->counters.dropped_kernel), 7);
	cr_assert_eq(gauge_read(&b->counters.dropped_interface), 3);
	bench_free(b);
}

static void count_call(void *arg)
{
	++*(size_t *)arg;
}

Test(input, its_caller_is_called_after_each_batch_and_can_read_how_far_it_is)
{
	struct bench *b = bench_new(1, RING_LARGE, false);
	size_t calls = 0;

	b->source.batch_max = 4;
	for (int i = 0; i < 12; i++)
		acme_query(b, START + i);
	b->input.each_batch = count_call;
	b->input.each_batch_arg = &calls;
	bench_run(b);
	cr_assert_geq(calls, 3);
	cr_assert_eq(gauge_read(&b->counters.position_bytes), b->source.base.position_bytes);
	cr_assert_eq(gauge_read(&b->counters.read_bytes), b->source.base.position_bytes);
	bench_free(b);
}

/* --- the DNS log --------------------------------------------------------------------------------------- */

Test(input, the_dns_log_has_each_well_formed_message_with_its_tenant)
{
	char path[] = "/tmp/dynwatch-test-XXXXXX", line[4096];
	struct bench *b = bench_new(1, RING_LARGE, false);
	int fd = mkstemp(path);

	cr_assert_neq(fd, -1);
	acme_query(b, START);
	fake_built(&b->source, START, &(struct frame_spec){ .payload = "x", .payload_len = 1 });
	fake_message(&b->source, START + 1, "10.2.0.7", "10.2.0.53", "b.example", true);
	b->input.dnslog = dnslog_open(path, 0);
	cr_assert_not_null(b->input.dnslog);
	bench_run(b);
	cr_assert_eq(dnslog_close(b->input.dnslog), 0);

	FILE *log = fdopen(fd, "r");
	cr_assert_not_null(log);
	cr_assert_not_null(fgets(line, sizeof(line), log));
	cr_assert(strstr(line, "\"tenant\":\"acme\""), "%s", line);
	cr_assert(strstr(line, "\"src\":\"10.1.0.7\""), "%s", line);
	cr_assert_not_null(fgets(line, sizeof(line), log));
	cr_assert(strstr(line, "\"tenant\":\"beta\""), "%s", line);
	cr_assert(strstr(line, "\"src\":\"10.2.0.53\""), "as sent: %s", line);
	cr_assert_null(fgets(line, sizeof(line), log));
	fclose(log);
	unlink(path);
	bench_free(b);
}

/* --- copies and cut messages -------------------------------------------------------------------------- */

/* The same frames with the capture's snapshot length. */
static void snapshot(struct fake_source *f, uint32_t len)
{
	for (size_t i = 0; i < f->count; i++)
		if (f->step[i].frame.caplen > len)
			f->step[i].frame.caplen = len;
}

#define HEADERS_LEN (14 + 20 + 8)

Test(input, a_cut_message_is_judged_by_what_is_there_and_is_no_message)
{
	struct bench *b = bench_new(1, RING_LARGE, false);
	static struct dns_build m;

	fake_message(&b->source, START, "10.1.0.7", "10.1.0.53", "gone.example", true);
	build_start(&m, 7, DNS_FLAG_QR | DNS_RCODE_NXDOMAIN);
	build_question(&m, "gone.example", DNS_TYPE_A, DNS_CLASS_IN);
	size_t question_end = m.len;
	build_record(&m, BUILD_AUTHORITY, "example", DNS_TYPE_NS, DNS_CLASS_IN, 300);
	build_name(&m, "ns.example");
	build_record_end(&m);
	fake_built(&b->source, START,
		&(struct frame_spec){ .src = "10.1.0.53",
			.dst = "10.1.0.7",
			.sport = 53,
			.dport = 40000,
			.payload = m.at,
			.payload_len = m.len });
	snapshot(&b->source, (uint32_t)(HEADERS_LEN + question_end + 5));
	cr_assert_eq(bench_run(b), SOURCE_END);

	cr_assert_eq(packets(b, PACKET_DNS), 2);
	cr_assert_eq(gauge_read(&b->counters.malformed[DNS_OK]), 1);
	cr_assert_eq(gauge_read(&b->counters.malformed[DNS_SNAPLEN]), 1);
	cr_assert_eq(gauge_read(&b->counters.responses), 1, "the whole one");
	const struct observation *o;
	unsigned seen = 0;
	while ((o = next(b, 0)) != NULL) {
		if (o->kind != OBSERVATION_MESSAGE || o->id != 7)
			continue;
		seen++;
		cr_assert_eq(o->rcode, DNS_RCODE_NXDOMAIN);
		cr_assert(o->response && o->has_question);
		cr_assert_eq(o->qname_labels, 2);
	}
	cr_assert_eq(seen, 1);
	check_books(b);
	bench_free(b);
}

Test(input, a_message_cut_before_its_question_ends_is_rejected)
{
	static const char qname[] = "www.example.com";

	for (uint32_t kept = 0; kept < 12 + sizeof(qname) + 1 + 4; kept++) {
		struct bench *b = bench_new(1, RING_LARGE, false);
		fake_message(&b->source, START, "10.1.0.7", "10.1.0.53", qname, false);
		snapshot(&b->source, HEADERS_LEN + kept);
		bench_run(b);
		cr_assert_eq(packets(b, PACKET_REJECT_SNAPLEN), 1, "%u octets", kept);
		cr_assert_eq(packets(b, PACKET_DNS), 0, "%u octets", kept);
		cr_assert_eq(drain(b, 0).messages, 0);
		check_books(b);
		bench_free(b);
	}
}

/* Its signature would stand at the end: an UPDATE that is not whole must not look unsigned. */
Test(input, of_a_cut_update_rules_hear_nothing)
{
	struct bench *b = bench_new(1, RING_LARGE, false);
	static struct dns_build m;

	build_start(&m, 7, DNS_OPCODE_UPDATE << 11);
	build_question(&m, "example", DNS_TYPE_SOA, DNS_CLASS_IN);
	build_record(&m, BUILD_AUTHORITY, "a.example", DNS_TYPE_A, DNS_CLASS_IN, 300);
	build_octets(&m, "abcd", 4);
	build_record_end(&m);
	fake_built(&b->source, START,
		&(struct frame_spec){ .payload = m.at, .payload_len = m.len });
	snapshot(&b->source, (uint32_t)(HEADERS_LEN + m.len - 1));
	bench_run(b);
	cr_assert_eq(packets(b, PACKET_DNS), 1);
	cr_assert_eq(gauge_read(&b->counters.malformed[DNS_SNAPLEN]), 1);
	cr_assert_eq(drain(b, 0).messages, 0);
	check_books(b);
	bench_free(b);
}

Test(input, an_update_of_which_only_what_stands_behind_it_is_cut_travels_whole)
{
	struct bench *b = bench_new(1, RING_LARGE, false);
	static struct dns_build m;

	build_start(&m, 7, DNS_OPCODE_UPDATE << 11);
	build_question(&m, "example", DNS_TYPE_SOA, DNS_CLASS_IN);
	size_t len = m.len;
	build_octets(&m, "trailing", 8);
	fake_built(&b->source, START,
		&(struct frame_spec){ .payload = m.at, .payload_len = m.len });
	snapshot(&b->source, (uint32_t)(HEADERS_LEN + len));
	bench_run(b);
	cr_assert_eq(gauge_read(&b->counters.malformed[DNS_OK]), 1);
	const struct observation *o;
	while ((o = next(b, 0)) != NULL && o->kind != OBSERVATION_MESSAGE)
		;
	cr_assert_not_null(o);
	cr_assert_eq(o->wire_len_message, len, "as many octets as there are");
	cr_assert_arr_eq(observation_message(o), m.at, len);
	bench_free(b);
}

Test(input, copies_of_a_mirror_count_once)
{
	struct bench *b = bench_new(1, RING_LARGE, false);
	struct dedup *dedup = dedup_new(DEDUP_ON, DEDUP_WINDOW_NS, 1);
	struct packet told = { .sport = 40000,
		.dport = 53,
		.protocol = IPPROTO_UDP,
		.payload = (const uint8_t *)FRAMES_QUERY,
		.payload_len = FRAMES_QUERY_LEN };

	cr_assert(ip_parse(&told.src, "10.1.0.7") && ip_parse(&told.dst, "10.1.0.53"));
	b->input.dedup = dedup;
	acme_query(b, START);
	acme_query(b, START + 100);
	fake_built(&b->source, START + 200,
		&(struct frame_spec){ .src = "10.1.0.7", .dst = "10.1.0.53", .protocol = 6 });
	fake_built(&b->source, START + 300,
		&(struct frame_spec){ .src = "10.1.0.7", .dst = "10.1.0.53", .protocol = 6 });
	fake_built(&b->source, START, &(struct frame_spec){ .sport = 1, .dport = 2 });
	fake_built(&b->source, START, &(struct frame_spec){ .sport = 1, .dport = 2 });
	decoded_frame(b, &told, PACKET_DNS);
	decoded_frame(b, &told, PACKET_DNS);
	acme_query(b, START + NS_PER_S);
	bench_run(b);
	cr_assert_eq(packets(b, PACKET_REJECT_DUPLICATE), 2, "a query and a segment");
	cr_assert_eq(packets(b, PACKET_OTHER), 2, "what is not DNS is not looked at");
	cr_assert_eq(packets(b, PACKET_DNS), 5);
	cr_assert_eq(drain(b, 0).messages, 4, "what dnstap tells twice was said twice");
	dedup_free(dedup);
	bench_free(b);
}
