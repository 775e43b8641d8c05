/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * redis.h -- the sink that adds alerts to a Redis stream.
 *
 *	XADD <stream> MAXLEN ~ <maxlen> * id .. tenant .. rule .. severity .. json ..
 *
 * A thread of its own sends, in batches, and reads every reply. Writing to the sink only puts the
 * alert into a bounded queue; when that is full the least severe alert goes, the oldest first.
 *
 * Delivery is at least once while the sensor lives: what the server has not acknowledged is sent
 * again over the next connection. An alert can so arrive twice, with the same id. Errors that
 * pass (server away, loading, out of memory, read-only, wrong password) keep the alerts queued;
 * those that do not (wrong type of key, no permission for the stream) lose the alert, counted.
 * Either is said once per change of state.
 *
 * Owner:    as sink.h.
 * Threads:  redis_heartbeat and the sink's calls from the thread that drives the output;
 *           redis_stats and redis_lost from any.
 * Limits:   queue_max alerts, queue_bytes_max; one batch more is under way.
 * Waits:    connect_timeout_ms, command_timeout_ms; never beyond the deadline given to close,
 *           but for the resolver: a thread still resolving a name then is left behind.
 */
#ifndef SENSOR_OUTPUT_REDIS_H
#define SENSOR_OUTPUT_REDIS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sensor/base/attribute.h"
#include "sensor/base/error.h"
#include "sensor/output/sink.h"

#define REDIS_QUEUE_DEFAULT       65536
#define REDIS_QUEUE_BYTES_DEFAULT ((size_t)64 << 20)
#define REDIS_CONNECT_TIMEOUT_MS  2000
#define REDIS_COMMAND_TIMEOUT_MS  5000
#define REDIS_BACKOFF_MIN_MS      100
#define REDIS_BACKOFF_MAX_MS      30000

/* A value of 0 means the default. */
struct redis_options {
	const char *url;     /* redis_url.h */
	const char *stream;  /* "{tenant}" in it is replaced by the alert's tenant */
	uint64_t maxlen;     /* 0: the stream is not trimmed */
	const char *sensor;  /* name, for the heartbeat's key */
	const char *version; /* of the program, for the heartbeat */
	size_t queue_max, queue_bytes_max;
	int connect_timeout_ms, command_timeout_ms;
	int backoff_max_ms;
	/*
	 * How long a write waits for room when the queue is full, for replays: 0 never, as a live
	 * sensor must. After one wait in vain none is made until the queue moves again.
	 */
	int room_timeout_ms;
};

/* What the heartbeat tells. */
struct redis_facts {
	int64_t started_ns;     /* wall clock */
	int64_t last_packet_ns; /* capture time; meaningful when packets > 0 */
	uint64_t packets, alerts, dropped;
	unsigned interval_s; /* of the heartbeats: the key expires after three */
};

struct redis_stats {
	uint64_t accepted; /* = delivered + lost_* + waiting */
	uint64_t delivered;
	uint64_t lost_full;    /* the queue was full */
	uint64_t lost_refused; /* the server will never take it */
	uint64_t lost_at_end;  /* undelivered when closed */
	uint64_t resent;       /* sent again: may have arrived twice */
	uint64_t connects;     /* successful ones */
	uint64_t heartbeats;   /* acknowledged */
	size_t waiting;        /* queued or under way */
	bool up;
	char last_fault[256]; /* "" when there was none */
};

/* Parse the URL and start the thread. ERR_USAGE for a bad URL or TLS that is not there. A server
 * that is away is no error: the thread goes on trying. */
NODISCARD enum err redis_open(
	struct sink **out, const struct redis_options *options, struct err_ctx *why);

/* Update the hash dynwatch:sensor:<name> and its expiry; a newer one replaces one not yet sent. */
void redis_heartbeat(struct sink *s, const struct redis_facts *facts);

void redis_stats(struct sink *s, struct redis_stats *out);

static inline uint64_t redis_lost(const struct sink *s)
{
	return sink_lost(s);
}

#endif
