/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * input.h -- the input thread: capture, decode, match, hand on. It keeps no memory of earlier
 * messages (fragments and streams that are not complete aside) and does not allocate, lock, log or
 * make a system call per packet.
 *
 * While the only tracker has more time than this thread, messages are left to it unread (unread.h).
 *
 * One input per capture handle. Every observation goes into the lane of its tenant's shard; once
 * per second of capture time every lane gets a tick, by which windows close and order is kept.
 *
 * Threads:  input_run is the thread; the counters may be read by others at any time.
 */
#ifndef SENSOR_PIPELINE_INPUT_H
#define SENSOR_PIPELINE_INPUT_H

#include <stdbool.h>
#include <stdint.h>

#include "sensor/base/error.h"
#include "sensor/capture/source.h"
#include "sensor/dns/message.h"
#include "sensor/packet/dedup.h"
#include "sensor/packet/packet.h"
#include "sensor/packet/tcp_stream.h"
#include "sensor/pipeline/logger.h"
#include "sensor/pipeline/observe.h"
#include "sensor/pipeline/reading.h"
#include "sensor/pipeline/tracker.h"
#include "sensor/ring/gauge.h"
#include "sensor/ring/snapshot.h"

struct input_counters {
	struct gauge read, read_bytes;
	struct gauge packets[PACKET_RESULT_COUNT]; /* by enum packet_result */
	struct reading_counters messages;          /* those that this thread reads */
	struct gauge checksum_wrong;
	struct gauge fragments_used, fragments_capacity, fragments_evicted;
	struct gauge streams_used, streams_capacity, streams_evicted; /* TCP, by direction */
	struct gauge held_bytes, held_bytes_max, held_evicted;        /* of streams */
	struct gauge stream_gaps, stream_lost_bytes, stream_resyncs, stream_junk;
	struct gauge first_ts_ns, last_ts_ns; /* lowest and highest; while read is 0: none */
	struct gauge position_bytes;          /* in the current file */
	struct gauge dropped_kernel, dropped_interface; /* live: never read */
};

/* What every message counts for; the counters of others get it after each batch. */
struct input_tally {
	struct reading_tally messages;
	uint64_t packets_dns; /* packets[PACKET_DNS] */
	uint64_t checksum_wrong;
};

struct input {
	/* set by the caller */
	struct source *source;
	struct lane *lane; /* one per shard */
	size_t lane_count;
	bool live; /* a full ring: wait for a moment, then count and drop (replay waits) */
	int room_wait_ms;                 /* that moment */
	uint16_t number;                  /* of this input, part of the order of records */
	struct logger *logger;            /* of the DNS log; NULL: none */
	const struct policy_set *tenants; /* for the DNS log's tenant ids */
	struct snapshot *versions;        /* of what is known; NULL: never another one */
	size_t reader;                    /* our slot there */
	void (*each_batch)(void *arg);    /* NULL, or called now and then (progress) */
	void *each_batch_arg;
	struct observer observer;
	struct decoder *decoder;     /* of this input alone */
	struct dedup *dedup;         /* of this input alone; NULL: copies count */
	struct tcp_streams *streams; /* likewise */
	struct input_counters *counters;
	/* the thread's own */
	uint64_t seq;
	uint64_t stuck;      /* bit per lane: full, and waited for in vain */
	uint64_t pushed_seq; /* every record up to here has been pushed */
	int64_t clock_s;     /* second of the last tick; INT64_MIN before the first */
	int64_t second_ns;   /* where that began; INT64_MIN: before the first, or before 1970 */
	int64_t frame_ts_ns; /* live: time of the last frame, */
	int64_t frame_at_ns; /* and when it came by our monotonic clock; 0: none yet */
	unsigned
		full; /* batches in a row that were: frames wait, this thread is what they wait for */
	bool leaves_unread; /* the messages of this batch, to the tracker */
	int64_t reached_ns; /* live: no frame from before this time is still to come */
	struct input_tally tally;
	bool stream_refused;     /* the ring was full for a message of the segment under way */
	struct pending *pending; /* a batch on its way through the stages */
	struct pending *stream;  /* a message out of a TCP stream */
};

/* What the thread needs for itself; false: out of memory. input_deinit gives it back. */
NODISCARD bool input_init(struct input *in);
void input_deinit(struct input *in);

/*
 * Read the source to its end. SOURCE_ERROR is returned after everything before the damage was
 * handed on. Does not close the lanes.
 */
enum source_status input_run(struct input *in, struct err_ctx *why);

/*
 * An input whose source has ended while others go on: these wait for it no more, and it goes over to the
 * version of what is known that is current, or the old one would never be free. Now and then, from whoever
 * has seen the input's thread end.
 */
void input_keep_up(struct input *in);

/*
 * Nothing more will be read: what waits for its rest is given up, so that the books balance, and
 * messages that waited for a hole before them go into their lanes.
 */
void input_finish(struct input *in);

#endif
