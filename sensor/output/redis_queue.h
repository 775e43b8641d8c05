/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * redis_queue.h -- alerts on their way to Redis: a bounded queue that leaves in order of
 * arrival and, when full, gives up the least severe alert, the oldest of them first.
 *
 * One list per severity: what to drop is the head of the lowest list that has any, what to send
 * is the head with the lowest number.
 *
 * Owner:    items in the queue are the queue's; a popped one is the caller's (free()).
 * Threads:  none of its own; redis.c locks around it.
 */
#ifndef SENSOR_OUTPUT_REDIS_QUEUE_H
#define SENSOR_OUTPUT_REDIS_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sensor/output/sink.h"

enum redis_field {
	REDIS_STREAM,
	REDIS_ID,
	REDIS_TENANT,
	REDIS_RULE,
	REDIS_SEVERITY,
	REDIS_JSON,
	REDIS_FIELDS,
};

/* The texts of one XADD in one allocation. */
struct redis_item {
	struct redis_item *next;
	uint64_t order;
	size_t bytes; /* all of it */
	uint8_t severity;
	bool unsure; /* it was sent, and nobody knows whether it has arrived */
	size_t len[REDIS_FIELDS];
	const char *at[REDIS_FIELDS];
	char text[];
};

struct redis_list {
	struct redis_item *first, *last;
};

struct redis_queue {
	struct redis_list level[SEVERITY_CRITICAL + 1];
	size_t count, bytes;
	size_t count_max, bytes_max;
	uint64_t next_order;
};

/* {tenant} in the stream's name is replaced by the alert's. NULL when out of memory. */
struct redis_item *redis_item_new(const char *stream, const struct sink_record *record);

/* Takes the item over. Returns how many were given up for it (it may be one of them). */
size_t redis_queue_push(struct redis_queue *q, struct redis_item *item);
/* The oldest, or NULL. */
struct redis_item *redis_queue_pop(struct redis_queue *q);
void redis_queue_deinit(struct redis_queue *q);

#endif
