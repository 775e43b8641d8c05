/* SPDX-License-Identifier: BSD-2-Clause */
/* An input's ticks, what it counts and logs, and how it ends. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sensor/base/attribute.h"
#include "sensor/base/clock.h"
#include "tests/support/dns_build.h"
#include "tests/unit/pipeline/input_rig.h"

#define START   KNOWN_START_NS
#define START_S (KNOWN_START_NS / NS_PER_S)

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
		struct bench *b = bench_new(1, BENCH_RING_LARGE, false);
		size_t frames = 0, ticks = 0;
		for (; row->at_ms[frames] != -1; frames++)
			bench_query(b, START + row->at_ms[frames] * NS_PER_MS);
		cr_assert_eq(bench_run(b), SOURCE_END, "%s", row->name);
		struct bench_tally t = bench_drain(b, 0);
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
	struct bench *b = bench_new(1, BENCH_RING_LARGE, false);

	bench_query(b, START);
	bench_query(b, START + NS_PER_S);
	bench_run(b);
	for (int i = 0; i < 2; i++) {
		cr_assert_eq(bench_next(b, 0)->kind, OBSERVATION_TICK);
		cr_assert_eq(bench_next(b, 0)->kind, OBSERVATION_MESSAGE);
	}
	cr_assert_null(bench_next(b, 0));
	bench_free(b);
}

Test(input, frames_that_are_no_dns_move_the_clock_too)
{
	struct bench *b = bench_new(1, BENCH_RING_LARGE, false);
	static const uint8_t arp[60] = { [12] = 0x08, [13] = 0x06 };

	fake_frame(&b->source, START, arp, sizeof(arp));
	fake_frame(&b->source, START + NS_PER_S, arp, sizeof(arp));
	bench_run(b);
	struct bench_tally t = bench_drain(b, 0);
	cr_assert_eq(t.ticks, 2);
	cr_assert_eq(t.messages, 0);
	bench_check_books(b);
	bench_free(b);
}

Test(input, every_lane_gets_the_same_tick_and_its_own_tenants)
{
	struct bench *b = bench_new(BENCH_LANES_MAX, BENCH_RING_LARGE, false);

	bench_query(b, START);
	fake_message(&b->source, START + 1, "10.2.0.7", "10.2.0.53", "b.example", false);
	fake_message(&b->source, START + 2, "192.0.2.1", "192.0.2.53", "c.example", false);
	bench_run(b);
	for (size_t i = 0; i < BENCH_LANES_MAX; i++) {
		const struct observation *o = bench_next(b, i);
		cr_assert_eq(o->kind, OBSERVATION_TICK, "lane %zu", i);
		cr_assert_eq(o->seq, 1, "lane %zu", i);
		o = bench_next(b, i);
		cr_assert_eq(o->kind, OBSERVATION_MESSAGE, "lane %zu", i);
		cr_assert_eq(o->tenant, i, "lane %zu", i);
		cr_assert_null(bench_next(b, i), "lane %zu", i);
	}
	bench_free(b);
}

Test(input, a_silent_live_source_ticks_on_from_the_time_of_its_last_frame)
{
	struct bench *b = bench_new(1, BENCH_RING_LARGE, true);

	bench_query(b, START);
	for (int i = 0; i < 24; i++)
		fake_silence(&b->source, 100);
	bench_run(b);
	struct bench_tally t = bench_drain(b, 0);
	/* 2.4 s at least; a slow machine may take longer, which is more ticks. */
	cr_assert_geq(t.ticks, 3, "%zu", t.ticks);
	cr_assert_eq(t.tick_s[0], START_S);
	for (size_t i = 1; i < t.ticks; i++) {
		cr_assert_gt(t.tick_s[i], t.tick_s[i - 1]);
		cr_assert_lt(t.tick_s[i] - START_S, 120, "capture time, not the wall clock's");
	}
	bench_free(b);
}

/*
 * The kernel hands frames over in blocks that are up to 100 ms old: after a shorter silence some may come
 * that are older than the second by our clock. A machine that stood still meanwhile has told us nothing.
 */
Test(input, a_tick_in_silence_is_not_before_frames_that_the_kernel_still_held)
{
	const int64_t second_ends = START + NS_PER_S - START % NS_PER_S;
	bool in_time = false;

	for (int i = 0; i < 50 && !in_time; i++) {
		struct bench *b = bench_new(1, BENCH_RING_LARGE, true);
		bench_query(b, second_ends - 60 * NS_PER_MS);
		fake_silence(&b->source, 80);
		bench_query(b, second_ends - 10 * NS_PER_MS);
		int64_t began_ns = clock_monotonic_ns();
		bench_run(b);
		in_time = clock_monotonic_ns() - began_ns < 200 * NS_PER_MS;
		struct bench_tally t = bench_drain(b, 0);
		cr_assert_eq(t.messages, 2);
		cr_assert(!in_time || t.ticks == 1, "%zu ticks", t.ticks);
		bench_free(b);
	}
	cr_assert(in_time, "the machine was never fast enough");
}

Test(input, a_live_source_that_was_silent_from_the_start_ticks_by_the_wall_clock)
{
	struct bench *b = bench_new(1, BENCH_RING_LARGE, true);
	int64_t before_s = clock_wall_ns() / NS_PER_S - 1; /* less what the kernel may hold */

	fake_silence(&b->source, 1);
	bench_run(b);
	struct bench_tally t = bench_drain(b, 0);
	cr_assert_geq(t.ticks, 1);
	cr_assert_geq(t.tick_s[0], before_s);
	cr_assert_leq(t.tick_s[t.ticks - 1], clock_wall_ns() / NS_PER_S);
	bench_free(b);
}

Test(input, a_silent_file_does_not_tick)
{
	struct bench *b = bench_new(1, BENCH_RING_LARGE, false);

	bench_query(b, START);
	fake_silence(&b->source, 1100);
	bench_run(b);
	cr_assert_eq(bench_drain(b, 0).ticks, 1);
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
		struct bench *b = bench_new(1, BENCH_RING_LARGE, false);
		b->source.end = row->end;
		b->source.end_with_frames = row->with_frames;
		b->source.batch_max = 8;
		for (int k = 0; k < 20; k++)
			bench_query(b, START + k);
		cr_assert_eq(bench_run(b), row->end, "%s", row->name);
		cr_assert_eq(bench_drain(b, 0).messages, 20, "%s", row->name);
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
	struct bench *b = bench_new(1, BENCH_RING_LARGE, false);
	struct fake_source second;

	bench_query(b, START);
	bench_query(b, START + 1);
	bench_run(b);
	fake_init(&second, SOURCE_END);
	fake_message(&second, START + 2, "10.1.0.7", "10.1.0.53", "www.example.com", false);
	b->input.source = &second.base;
	bench_run(b);
	struct bench_tally t = bench_drain(b, 0);
	cr_assert_eq(t.messages, 3);
	cr_assert_eq(t.ticks, 1, "the second is the same");
	cr_assert_eq(gauge_read(&b->counters.read), 3);
	fake_deinit(&second);
	bench_free(b);
}

/* --- counters ---------------------------------------------------------------------------------------- */

Test(input, every_packet_and_message_is_counted_by_what_it_was)
{
	struct bench *b = bench_new(1, BENCH_RING_LARGE, false);
	struct fake_source *f = &b->source;

	bench_query(b, START);
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
	cr_assert_eq(bench_packets(b, PACKET_DNS), 6);
	cr_assert_eq(bench_packets(b, PACKET_OTHER), 1);
	cr_assert_eq(bench_packets(b, PACKET_REJECT_LINK_TRUNCATED), 1);
	cr_assert_eq(gauge_read(&c->messages.malformed[DNS_OK]), 4);
	cr_assert_eq(gauge_read(&c->messages.malformed[DNS_QUESTION_TRUNCATED]), 1);
	cr_assert_eq(gauge_read(&c->messages.malformed[DNS_HEADER_TRUNCATED]), 1);
	cr_assert_eq(gauge_read(&c->messages.queries), 3);
	cr_assert_eq(gauge_read(&c->messages.responses), 1);
	cr_assert_eq(gauge_read(&c->messages.opcode[DNS_OPCODE_QUERY]), 4);
	cr_assert_eq(gauge_read(&c->messages.rcode[DNS_RCODE_NXDOMAIN]), 1);
	cr_assert_eq(
		gauge_read(&c->messages.rcode[DNS_RCODE_NOERROR]), 0, "queries have no rcode");
	cr_assert_eq(gauge_read(&c->messages.trailing), 1);
	cr_assert_eq(gauge_read(&c->checksum_wrong), 1);
	cr_assert_eq(
		bench_drain(b, 0).messages, 4, "the wrong checksum is judged all the same");
	bench_check_books(b);
	bench_free(b);
}

Test(input, every_opcode_is_counted_and_rcodes_above_the_known_ones_together)
{
	static struct dns_build m;
	struct bench *b = bench_new(1, BENCH_RING_LARGE, false);

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
		cr_assert_eq(gauge_read(&b->counters.messages.opcode[opcode]), 1, "%u", opcode);
	cr_assert_eq(gauge_read(&b->counters.messages.rcode[7]), 1);
	cr_assert_eq(gauge_read(&b->counters.messages.rcode[READING_RCODES_MAX - 1]), 255,
		"7 + 16 is the last of its own and counts with all others");
	bench_check_books(b);
	bench_free(b);
}

Test(input, the_lowest_and_the_highest_time_are_kept_whatever_the_order)
{
	struct bench *b = bench_new(1, BENCH_RING_LARGE, false);

	bench_query(b, START + 5);
	bench_query(b, START + 2);
	bench_query(b, START + 9);
	bench_query(b, START + 4);
	bench_run(b);
	cr_assert_eq(gauge_read(&b->counters.first_ts_ns), (uint64_t)START + 2);
	cr_assert_eq(gauge_read(&b->counters.last_ts_ns), (uint64_t)START + 9);
	bench_free(b);
}

Test(input, a_capture_that_starts_in_1970_has_its_first_packet_there)
{
	struct bench *b = bench_new(1, BENCH_RING_LARGE, false);

	bench_query(b, 0);
	bench_query(b, 5 * NS_PER_S);
	bench_run(b);
	cr_assert_eq(gauge_read(&b->counters.first_ts_ns), 0);
	cr_assert_eq(gauge_read(&b->counters.last_ts_ns), 5 * NS_PER_S);
	bench_free(b);
}

Test(input, losses_of_a_live_source_are_read_as_time_goes_on)
{
	struct bench *b = bench_new(1, BENCH_RING_LARGE, true);

	b->source.losses = (struct source_losses){ 100, 7, 3 };
	bench_query(b, START);
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
	struct bench *b = bench_new(1, BENCH_RING_LARGE, false);
	size_t calls = 0;

	b->source.batch_max = 4;
	for (int i = 0; i < 12; i++)
		bench_query(b, START + i);
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
	struct bench *b = bench_new(1, BENCH_RING_LARGE, false);
	int fd = mkstemp(path);

	cr_assert_neq(fd, -1);
	bench_query(b, START);
	fake_built(&b->source, START, &(struct frame_spec){ .payload = "x", .payload_len = 1 });
	fake_message(&b->source, START + 1, "10.2.0.7", "10.2.0.53", "b.example", true);
	const struct logger_options options = { .log = dnslog_open(path, 0), .input_count = 1 };
	cr_assert_not_null(options.log);
	b->input.logger = logger_new(&options);
	cr_assert_not_null(b->input.logger);
	bench_run(b);
	logger_end(b->input.logger);
	logger_free(b->input.logger);
	cr_assert_eq(dnslog_close(options.log), 0);

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
