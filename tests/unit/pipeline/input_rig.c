/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/pipeline/input_rig.h"

#include <stdlib.h>

#include <criterion/criterion.h>

#include "sensor/base/attribute.h"
#include "sensor/base/clock.h"

struct bench *bench_new(size_t lane_count, size_t ring_bytes, bool live)
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

void bench_free(struct bench *b)
{
	for (size_t i = 0; i < b->input.lane_count; i++)
		spsc_free(b->lane[i].in[0]);
	input_deinit(&b->input);
	fake_deinit(&b->source);
	known_deinit(&b->known);
	free(b);
}

enum source_status bench_run(struct bench *b)
{
	return input_run(&b->input, &b->why);
}

const struct observation *bench_next(struct bench *b, size_t lane)
{
	size_t bytes;
	const struct observation *o = spsc_peek(b->lane[lane].in[0], &bytes);

	if (o) {
		cr_assert_eq(bytes, o->size);
		spsc_release(b->lane[lane].in[0]);
	}
	return o;
}

struct bench_tally bench_drain(struct bench *b, size_t lane)
{
	struct bench_tally t = { 0 };
	const struct observation *o;

	while ((o = bench_next(b, lane)) != NULL) {
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

void bench_query(struct bench *b, int64_t ts_ns)
{
	fake_message(&b->source, ts_ns, "10.1.0.7", "10.1.0.53", "www.example.com", false);
}

uint64_t bench_packets(const struct bench *b, enum packet_result result)
{
	return gauge_read(&b->counters.packets[result]);
}

void bench_check_books(const struct bench *b)
{
	const struct input_counters *c = &b->counters;
	uint64_t sum = 0, malformed = 0;

	for (int i = 0; i < PACKET_RESULT_COUNT; i++)
		sum += gauge_read(&c->packets[i]);
	cr_assert_eq(sum, gauge_read(&c->read));
	for (int i = DNS_OK + 1; i < DNS_ERROR_COUNT; i++)
		malformed += gauge_read(&c->messages.malformed[i]);
	cr_assert_eq(bench_packets(b, PACKET_DNS),
		gauge_read(&c->messages.malformed[DNS_OK]) + malformed);
	cr_assert_eq(gauge_read(&c->messages.malformed[DNS_OK]),
		gauge_read(&c->messages.queries) + gauge_read(&c->messages.responses));
}
