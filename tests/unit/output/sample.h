/* SPDX-License-Identifier: BSD-2-Clause */
/* sample.h -- alerts to test the output with, and a sink that keeps what it is given. */
#ifndef TESTS_UNIT_OUTPUT_SAMPLE_H
#define TESTS_UNIT_OUTPUT_SAMPLE_H

#include "rules/alert.h"
#include "sensor/base/text.h"
#include "sensor/output/sink.h"

/* 2026-11-22T12:00:00Z */
#define SAMPLE_NOON_NS INT64_C(1795348800000000000)
#define SAMPLE_S       INT64_C(1000000000)

/* The least an alert has: rule, tenant "acme" (number 3), key, message, one reason. */
void sample_plain(struct alert *a, const char *key, int64_t ts_ns);
/* Every field is set. */
void sample_full(struct alert *a);
/* A tick. */
void sample_tick(struct alert *a, int64_t ts_ns);

/* A sink that keeps every line with a newline, and counts the calls. */
struct sample_sink {
	struct sink sink;
	struct text lines;
	unsigned written, flushed, reopened, closed, freed;
	int close_timeout_ms;
};

void sample_sink_init(struct sample_sink *s);
void sample_sink_deinit(struct sample_sink *s);

#endif
