/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * logger.h -- the logging thread: the well-formed messages of all inputs, in order of capture, into the DNS log.
 *
 * To write a message takes as long as all that an input does with it. So the input only copies its octets into
 * a ring, and they are decoded once more here: of replay --dns-log of the benchmark's mix the input's thread takes
 * 330 ns a packet instead of 605 (/proc/PID/task/TID/schedstat). Without rings (--threads 1) the message is written
 * at once, by the input.
 *
 * A log that takes less than comes: a replay waits for it. A live input does not, it counts what the log lacks
 * (logger_missing): a slow disk must cost neither packets nor alerts.
 *
 * Owner:    the DNS log is the caller's; closed after logger_end.
 * Threads:  [input] that input's thread; [main] the one that starts and ends it; logger_missing any.
 */
#ifndef SENSOR_PIPELINE_LOGGER_H
#define SENSOR_PIPELINE_LOGGER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sensor/output/dnslog.h"

/* Of each input: some 40,000 messages, 40 ms of a million a second. Half of it is the longest record. */
#define LOGGER_RING_BYTES (8u << 20)

struct logger;

struct logger_options {
	struct dnslog *log;
	size_t input_count; /* 1, or up to TURNS_INPUTS_MAX with rings */
	bool threaded;
	bool live;        /* what does not fit is counted; else waited for */
	int room_wait_ms; /* live: but for so long */
};

/* [main] NULL: out of memory. */
NODISCARD struct logger *logger_new(const struct logger_options *options);
/* [main] The thread, if there is to be one: 0 or an error number. */
NODISCARD int logger_start(struct logger *g);

/* [input] One message; nothing of the entry is needed afterwards. */
void logger_take(struct logger *g, size_t input, const struct dnslog_entry *entry);
/* [input] After a batch: make what was taken visible. */
void logger_flush(struct logger *g, size_t input);
/* [input] Everything of this input up to that capture time was flushed. */
void logger_reached(struct logger *g, size_t input, int64_t ts_ns);

/* [main] Nothing more will come: all is in the log when it returns. Once; without logger_start, too. */
void logger_end(struct logger *g);
/* [main] After logger_end, or if nothing was ever taken. NULL is ignored. */
void logger_free(struct logger *g);

/* Messages that are not in the log, since it took less than came or could not be written. NULL: 0. */
uint64_t logger_missing(const struct logger *g);

#endif
