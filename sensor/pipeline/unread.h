/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * unread.h -- a message that the input hands on as it came, for the tracker's thread to read.
 *
 * Of the two threads the input's has more to do. Reading a message (reading.h) remembers nothing and takes
 * a third of all the time that a packet takes, so whoever has time does it: while frames keep coming and
 * the tracker has little waiting, the input leaves the reading to it. What comes out is the same, in the
 * same order. Two threads, mkpcap's mix: 145 ns a packet in place of 164 (make bench, calm minutes).
 *
 * Not where it would matter who reads: several inputs or trackers, a DNS log; nor what is not a whole,
 * short datagram.
 *
 * Producer: input.c.  Consumer: tracker.c.  Owner: the ring has the record, a lane its unread_batch.
 * Threads:  unread_fits, unread_bytes, unread_write on the input's thread, the rest on the tracker's.
 * Input:    the payload is as untrusted as when it came.
 */
#ifndef SENSOR_PIPELINE_UNREAD_H
#define SENSOR_PIPELINE_UNREAD_H

#include <stdbool.h>
#include <stddef.h>

#include "rules/knowledge.h"
#include "rules/observation.h"
#include "sensor/base/attribute.h"
#include "sensor/packet/packet.h"
#include "sensor/pipeline/reading.h"

#define UNREAD_PAYLOAD_MAX 1232 /* what nearly all resolvers announce; longer ones are rare */

/* Can this message be handed on unread? */
bool unread_fits(const struct frame *frame, const struct packet *p);
/* An upper bound of its record. */
size_t unread_bytes(const struct packet *p);
/* The record, in as many bytes; seq is the caller's. */
void unread_write(
	struct observation *record, const struct frame *frame, const struct packet *p);

struct unread_batch;

/* For `max` records at a time. `ports` and `counters` outlive it. NULL: out of memory. */
struct unread_batch *unread_new(size_t max, const struct port_set *ports,
	const struct knowledge *known, struct reading_counters *counters);
void unread_free(struct unread_batch *u);

/* Go by another version of what is known; between two batches. */
void unread_adopt(struct unread_batch *u, const struct knowledge *known);

/* First all records of a batch, each at its own number below `max`; they stay where they are. */
void unread_prepare(struct unread_batch *u, size_t at, const struct observation *record);
/* Then each of them, in order: its observation, valid until unread_clear; NULL: malformed, and counted. */
NODISCARD const struct observation *unread_read(
	struct unread_batch *u, size_t at, const struct observation *record);
/* The batch has been judged. */
void unread_clear(struct unread_batch *u);

/* What was counted may be read by others; now and then, and at the end. */
void unread_publish(struct unread_batch *u);

#endif
