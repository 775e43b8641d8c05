/* SPDX-License-Identifier: BSD-2-Clause */
#include "sensor/capture/dnstap_stream.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "sensor/base/attribute.h"
#include "sensor/capture/dnstap.h"
#include "tests/support/dnstap_build.h"

enum control {
	ACCEPT = 1,
	START = 2,
	STOP = 3,
	READY = 4,
	FINISH = 5,
};

/* What came out of a stream. */
struct outcome {
	size_t frames, frame_bytes, replies, stops;
	uint8_t reply[2][DNSTAP_STREAM_REPLY_MAX];
	bool failed;
	enum dnstap_end why;
};

static void take(struct dnstap_stream *s, struct outcome *o)
{
	const uint8_t *bytes;
	size_t bytes_len;

	for (;;) {
		switch (dnstap_stream_next(s, &bytes, &bytes_len)) {
		case DNSTAP_STREAM_FRAME:
			o->frames++;
			o->frame_bytes += bytes_len;
			/* frames say their own number: nothing is moved or lost */
			cr_assert_eq(bytes[0], (uint8_t)o->frames);
			cr_assert_eq(bytes[bytes_len - 1], (uint8_t)o->frames);
			break;
		case DNSTAP_STREAM_REPLY:
			cr_assert_lt(o->replies, 2);
			memcpy(o->reply[o->replies++], bytes, bytes_len);
			break;
		case DNSTAP_STREAM_STOP:
			o->stops++;
			break;
		case DNSTAP_STREAM_FAIL:
			o->failed = true;
			o->why = s->why;
			break;
		case DNSTAP_STREAM_MORE:
			return;
		}
	}
}

static void feed(
	struct dnstap_stream *s, const void *bytes, size_t bytes_len, struct outcome *o)
{
	const uint8_t *at = bytes;

	while (bytes_len > 0 && !o->failed) {
		size_t room;
		uint8_t *to = dnstap_stream_room(s, &room);
		cr_assert_gt(room, 0);
		size_t some = room < bytes_len ? room : bytes_len;
		memcpy(to, at, some);
		dnstap_stream_filled(s, some);
		at += some;
		bytes_len -= some;
		take(s, o);
		if (o->stops)
			return;
	}
}

/* The outcome of a whole stream that arrives in two pieces. */
static struct outcome run_split(const struct dnstap_build *b, size_t first_len)
{
	struct dnstap_stream s;
	struct outcome o = { 0 };

	cr_assert(dnstap_stream_init(&s));
	feed(&s, b->at, first_len, &o);
	feed(&s, b->at + first_len, b->len - first_len, &o);
	dnstap_stream_deinit(&s);
	return o;
}

static struct outcome run(const struct dnstap_build *b)
{
	return run_split(b, b->len);
}

/* A data frame of `len` octets, each its number. */
static void put_frame(struct dnstap_build *b, size_t number, size_t len)
{
	uint8_t *octets = malloc(len);

	cr_assert_not_null(octets);
	memset(octets, (int)(number & 0xff), len);
	dnstap_build_u32(b, (uint32_t)len);
	dnstap_build_octets(b, octets, len);
	free(octets);
}

static void put_one_way(struct dnstap_build *b)
{
	dnstap_build_control(b, START, DNSTAP_BUILD_CONTENT);
	put_frame(b, 1, 5);
	put_frame(b, 2, 1);
	put_frame(b, 3, 300);
	dnstap_build_control(b, STOP, NULL);
}

static void put_both_ways(struct dnstap_build *b)
{
	dnstap_build_control(b, READY, DNSTAP_BUILD_CONTENT);
	put_one_way(b);
}

Test(dnstap_stream, one_way_and_both_ways_wherever_they_are_cut_in_two)
{
	for (int both = 0; both < 2; both++) {
		struct dnstap_build b = { 0 };
		if (both)
			put_both_ways(&b);
		else
			put_one_way(&b);
		for (size_t at = 0; at <= b.len; at++) {
			struct outcome o = run_split(&b, at);
			cr_assert(!o.failed, "at %zu: %s", at, dnstap_end_text(o.why));
			cr_assert_eq(o.frames, 3, "at %zu", at);
			cr_assert_eq(o.frame_bytes, 306, "at %zu", at);
			cr_assert_eq(o.replies, both ? 2 : 0, "at %zu", at);
			cr_assert_eq(o.stops, 1, "at %zu", at);
		}
		dnstap_build_deinit(&b);
	}
}

Test(dnstap_stream, octet_by_octet_is_the_same)
{
	struct dnstap_build b = { 0 };
	struct dnstap_stream s;
	struct outcome o = { 0 };

	put_both_ways(&b);
	cr_assert(dnstap_stream_init(&s));
	for (size_t i = 0; i < b.len; i++)
		feed(&s, b.at + i, 1, &o);
	cr_assert_eq(o.frames, 3);
	cr_assert_eq(o.stops, 1);
	dnstap_stream_deinit(&s);
	dnstap_build_deinit(&b);
}

Test(dnstap_stream, answers_accept_with_our_content_and_finish_with_none)
{
	struct dnstap_build b = { 0 }, accept = { 0 }, finish = { 0 };

	put_both_ways(&b);
	dnstap_build_control(&accept, ACCEPT, DNSTAP_BUILD_CONTENT);
	dnstap_build_control(&finish, FINISH, NULL);
	struct outcome o = run(&b);
	cr_assert_eq(o.replies, 2);
	cr_assert_arr_eq(o.reply[0], accept.at, accept.len);
	cr_assert_arr_eq(o.reply[1], finish.at, finish.len);
	dnstap_build_deinit(&b);
	dnstap_build_deinit(&accept);
	dnstap_build_deinit(&finish);
}

Test(dnstap_stream, many_frames_of_every_size_pass_through_a_buffer_that_does_not_grow)
{
	struct dnstap_build b = { 0 };
	size_t total = 0, count = 0;

	dnstap_build_control(&b, START, DNSTAP_BUILD_CONTENT);
	for (size_t len = 1; len < 100000; len = len * 5 / 3 + 1) {
		for (int again = 0; again < 5; again++) {
			put_frame(&b, ++count, len);
			total += len;
		}
	}
	put_frame(&b, ++count, DNSTAP_FRAME_MAX);
	put_frame(&b, ++count, DNSTAP_FRAME_MAX);
	dnstap_build_control(&b, STOP, NULL);
	for (size_t piece = 1000; piece < 1000000; piece *= 7) {
		struct dnstap_stream s;
		struct outcome o = { 0 };
		cr_assert(dnstap_stream_init(&s));
		for (size_t at = 0; at < b.len; at += piece)
			feed(&s, b.at + at, b.len - at < piece ? b.len - at : piece, &o);
		cr_assert(!o.failed);
		cr_assert_eq(o.frames, count);
		cr_assert_eq(o.frame_bytes, total + 2 * DNSTAP_FRAME_MAX);
		cr_assert_eq(o.stops, 1);
		dnstap_stream_deinit(&s);
	}
	dnstap_build_deinit(&b);
}

/* --- what ends a stream ------------------------------------------------------------------------ */

static void http(struct dnstap_build *b)
{
	dnstap_build_octets(b, "GET / HTTP/1.0\r\n\r\n", 18);
}

static void frame_first(struct dnstap_build *b)
{
	put_frame(b, 1, 5);
}

static void stop_first(struct dnstap_build *b)
{
	dnstap_build_control(b, STOP, NULL);
}

static void accept_first(struct dnstap_build *b)
{
	dnstap_build_control(b, ACCEPT, DNSTAP_BUILD_CONTENT);
}

static void unknown_control_first(struct dnstap_build *b)
{
	dnstap_build_control(b, 77, NULL);
}

static void frame_after_ready(struct dnstap_build *b)
{
	dnstap_build_control(b, READY, DNSTAP_BUILD_CONTENT);
	put_frame(b, 1, 5);
}

static void ready_twice(struct dnstap_build *b)
{
	dnstap_build_control(b, READY, DNSTAP_BUILD_CONTENT);
	dnstap_build_control(b, READY, DNSTAP_BUILD_CONTENT);
}

static void start_twice(struct dnstap_build *b)
{
	dnstap_build_control(b, START, DNSTAP_BUILD_CONTENT);
	dnstap_build_control(b, START, DNSTAP_BUILD_CONTENT);
}

static void ready_after_start(struct dnstap_build *b)
{
	dnstap_build_control(b, START, DNSTAP_BUILD_CONTENT);
	dnstap_build_control(b, READY, DNSTAP_BUILD_CONTENT);
}

static void start_of_something_else(struct dnstap_build *b)
{
	dnstap_build_control(b, START, "protobuf:other.Other");
}

static void ready_for_something_else(struct dnstap_build *b)
{
	dnstap_build_control(b, READY, "protobuf:other.Other");
}

static void start_of_a_prefix(struct dnstap_build *b)
{
	dnstap_build_control(b, START, "protobuf:dnstap.Dns");
}

static void control_without_type(struct dnstap_build *b)
{
	dnstap_build_control(b, START, DNSTAP_BUILD_CONTENT);
	dnstap_build_u32(b, 0);
	dnstap_build_u32(b, 3);
	dnstap_build_octets(b, "abc", 3);
}

static void control_of_513(struct dnstap_build *b)
{
	dnstap_build_control(b, START, DNSTAP_BUILD_CONTENT);
	dnstap_build_u32(b, 0);
	dnstap_build_u32(b, 513);
}

static void control_with_a_damaged_field(struct dnstap_build *b)
{
	dnstap_build_u32(b, 0);
	dnstap_build_u32(b, 12);
	dnstap_build_u32(b, START);
	dnstap_build_u32(b, 1);
	dnstap_build_u32(b, 1000);
}

static void frame_too_large(struct dnstap_build *b)
{
	dnstap_build_control(b, START, DNSTAP_BUILD_CONTENT);
	dnstap_build_u32(b, DNSTAP_FRAME_MAX + 1);
}

static void frame_of_4_gib(struct dnstap_build *b)
{
	dnstap_build_control(b, START, DNSTAP_BUILD_CONTENT);
	dnstap_build_u32(b, UINT32_MAX);
}

static void stop_with_content(struct dnstap_build *b)
{
	dnstap_build_control(b, START, DNSTAP_BUILD_CONTENT);
	dnstap_build_control(b, STOP, DNSTAP_BUILD_CONTENT);
}

#define ROW(put, end)                                                                          \
	{                                                                                      \
#put, put, DNSTAP_END_##end                                                    \
	}
static const struct {
	const char *name;
	void (*put)(struct dnstap_build *b);
	enum dnstap_end why;
} wrong[] = {
	ROW(http, NOT_STARTED),
	ROW(frame_first, NOT_STARTED),
	ROW(unknown_control_first, NOT_STARTED),
	ROW(stop_first, CONTROL),
	ROW(accept_first, CONTROL),
	ROW(frame_after_ready, CONTROL),
	ROW(ready_twice, CONTROL),
	ROW(start_twice, CONTROL),
	ROW(ready_after_start, CONTROL),
	ROW(start_of_something_else, CONTENT),
	ROW(ready_for_something_else, CONTENT),
	ROW(start_of_a_prefix, CONTENT),
	ROW(control_without_type, CONTROL),
	ROW(control_of_513, CONTROL),
	ROW(control_with_a_damaged_field, CONTROL),
	ROW(frame_too_large, OVERSIZE),
	ROW(frame_of_4_gib, OVERSIZE),
	ROW(stop_with_content, CONTROL),
};

Test(dnstap_stream, what_is_wrong_ends_it_with_its_reason_wherever_it_is_cut_in_two)
{
	for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
		struct dnstap_build b = { 0 };
		wrong[i].put(&b);
		for (size_t at = 0; at <= b.len; at++) {
			struct outcome o = run_split(&b, at);
			cr_expect(o.failed, "%s at %zu", wrong[i].name, at);
			cr_expect_eq(o.why, wrong[i].why, "%s at %zu: %s", wrong[i].name, at,
				dnstap_end_text(o.why));
			cr_expect_eq(o.frames, 0, "%s", wrong[i].name);
		}
		dnstap_build_deinit(&b);
	}
}

Test(dnstap_stream, nothing_comes_after_a_failure)
{
	struct dnstap_build b = { 0 };
	struct dnstap_stream s;
	struct outcome o = { 0 };
	const uint8_t *bytes;
	size_t bytes_len;

	http(&b);
	put_one_way(&b);
	cr_assert(dnstap_stream_init(&s));
	feed(&s, b.at, b.len, &o);
	cr_assert(o.failed);
	cr_assert_eq(dnstap_stream_next(&s, &bytes, &bytes_len), DNSTAP_STREAM_MORE);
	dnstap_stream_deinit(&s);
	dnstap_build_deinit(&b);
}

/* --- what is in order all the same ------------------------------------------------------------- */

Test(dnstap_stream, control_frames_of_a_later_version_are_stepped_over)
{
	struct dnstap_build b = { 0 };

	dnstap_build_control(&b, START, DNSTAP_BUILD_CONTENT);
	dnstap_build_control(&b, 6, NULL);
	put_frame(&b, 1, 10);
	dnstap_build_control(&b, 4000000000, "whatever");
	dnstap_build_control(&b, 0, NULL);
	put_frame(&b, 2, 10);
	dnstap_build_control(&b, STOP, NULL);
	struct outcome o = run(&b);
	cr_assert(!o.failed);
	cr_assert_eq(o.frames, 2);
	cr_assert_eq(o.stops, 1);
	dnstap_build_deinit(&b);
}

Test(dnstap_stream, a_start_need_not_name_its_content)
{
	struct dnstap_build b = { 0 };

	dnstap_build_control(&b, READY, NULL);
	dnstap_build_control(&b, START, NULL);
	put_frame(&b, 1, 10);
	struct outcome o = run(&b);
	cr_assert(!o.failed);
	cr_assert_eq(o.frames, 1);
	dnstap_build_deinit(&b);
}

Test(dnstap_stream, one_of_several_contents_offered_is_enough)
{
	struct dnstap_build b = { 0 };
	size_t len = strlen(DNSTAP_BUILD_CONTENT);

	dnstap_build_u32(&b, 0);
	dnstap_build_u32(&b, (uint32_t)(4 + 8 + 5 + 8 + len));
	dnstap_build_u32(&b, READY);
	dnstap_build_u32(&b, 1);
	dnstap_build_u32(&b, 5);
	dnstap_build_octets(&b, "other", 5);
	dnstap_build_u32(&b, 1);
	dnstap_build_u32(&b, (uint32_t)len);
	dnstap_build_octets(&b, DNSTAP_BUILD_CONTENT, len);
	put_one_way(&b);
	struct outcome o = run(&b);
	cr_assert(!o.failed, "%s", dnstap_end_text(o.why));
	cr_assert_eq(o.frames, 3);
	dnstap_build_deinit(&b);
}

Test(dnstap_stream, after_a_stop_another_stream_may_begin)
{
	struct dnstap_build b = { 0 };
	struct dnstap_stream s;
	const uint8_t *bytes;
	size_t bytes_len, room, stops = 0, frames = 0;
	enum dnstap_event event;

	put_both_ways(&b);
	put_one_way(&b);
	cr_assert(dnstap_stream_init(&s));
	memcpy(dnstap_stream_room(&s, &room), b.at, b.len);
	dnstap_stream_filled(&s, b.len);
	while ((event = dnstap_stream_next(&s, &bytes, &bytes_len)) != DNSTAP_STREAM_MORE) {
		cr_assert_neq(event, DNSTAP_STREAM_FAIL);
		frames += event == DNSTAP_STREAM_FRAME;
		if (event == DNSTAP_STREAM_STOP) {
			stops++;
			dnstap_stream_restart(&s);
		}
	}
	cr_assert_eq(frames, 6);
	cr_assert_eq(stops, 2);
	cr_assert(!dnstap_stream_has_bytes(&s));
	dnstap_stream_deinit(&s);
	dnstap_build_deinit(&b);
}

Test(dnstap_stream, knows_whether_it_is_between_frames)
{
	struct dnstap_build b = { 0 };
	struct dnstap_stream s;
	struct outcome o = { 0 };

	cr_assert(dnstap_stream_init(&s));
	cr_assert(dnstap_stream_is_within(&s), "before the start");
	dnstap_build_control(&b, READY, NULL);
	feed(&s, b.at, b.len, &o);
	cr_assert(dnstap_stream_is_within(&s), "after ready");
	b.len = 0;
	dnstap_build_control(&b, START, NULL);
	feed(&s, b.at, b.len, &o);
	cr_assert(!dnstap_stream_is_within(&s), "after the start");
	b.len = 0;
	put_frame(&b, 1, 10);
	feed(&s, b.at, 3, &o);
	cr_assert(dnstap_stream_is_within(&s), "in a length");
	feed(&s, b.at + 3, 10, &o);
	cr_assert(dnstap_stream_is_within(&s), "in a frame");
	feed(&s, b.at + 13, 1, &o);
	cr_assert(!dnstap_stream_is_within(&s), "after a frame");
	dnstap_stream_deinit(&s);
	dnstap_build_deinit(&b);
}
