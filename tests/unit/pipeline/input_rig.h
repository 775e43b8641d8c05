/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * input_rig.h -- an input whose lanes are bare rings, from which is read what it hands on.
 *
 *	struct bench *b = bench_new(1, BENCH_RING_LARGE, false);
 *	bench_query(b, KNOWN_START_NS);
 *	cr_assert_eq(bench_run(b), SOURCE_END);
 *	cr_assert_eq(bench_drain(b, 0).messages, 1);
 *	bench_check_books(b);
 *	bench_free(b);
 *
 * Frames come from b->source (fake_source.h). Tenant "acme", 10.1.0.0/16, is number 1, "beta",
 * 10.2.0.0/16, number 2, and what is nobody's 0; the lane is that number modulo lane_count.
 *
 * Everything here fails the test (cr_assert) when it cannot do what it is told.
 */
#ifndef TESTS_UNIT_PIPELINE_INPUT_RIG_H
#define TESTS_UNIT_PIPELINE_INPUT_RIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sensor/pipeline/input.h"
#include "tests/unit/pipeline/fake_source.h"
#include "tests/unit/pipeline/known.h"

#define BENCH_LANES_MAX  3
#define BENCH_RING_SMALL (16u << 10) /* full after some dozen messages */
#define BENCH_RING_LARGE (1u << 20)  /* never full */

struct bench {
	struct known known;
	struct fake_source source;
	struct lane lane[BENCH_LANES_MAX];
	struct input input;
	struct input_counters counters;
	struct err_ctx why;
};

struct bench *bench_new(size_t lane_count, size_t ring_bytes, bool live);
void bench_free(struct bench *b);
/* One frame more: a query of a client of acme to a server of acme. */
void bench_query(struct bench *b, int64_t ts_ns);
/* Everything up to the source's end. */
enum source_status bench_run(struct bench *b);

/* The next record of a lane, or NULL. Valid until spsc_retire, which is left to the test. */
const struct observation *bench_next(struct bench *b, size_t lane);

struct bench_tally {
	size_t ticks, messages;
	int64_t tick_s[64];
	uint64_t last_seq;
};

/* Everything that a lane holds; order numbers only rise, and a tick is a whole second. */
struct bench_tally bench_drain(struct bench *b, size_t lane);

/* How many packets came to this. */
uint64_t bench_packets(const struct bench *b, enum packet_result result);
/* Every packet and every message was counted once, whatever became of it. */
void bench_check_books(const struct bench *b);

#endif
