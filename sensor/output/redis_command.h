/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * redis_command.h -- what dynwatch says to a Redis server: the alert and the heartbeat.
 *
 * Everything goes as counted arguments, so no byte of an alert can become part of a command.
 *
 * Threads: that of the link.
 */
#ifndef SENSOR_OUTPUT_REDIS_COMMAND_H
#define SENSOR_OUTPUT_REDIS_COMMAND_H

#include "sensor/output/redis.h"
#include "sensor/output/redis_link.h"
#include "sensor/output/redis_queue.h"

#define REDIS_HEARTBEAT_REPLIES 2

/* XADD; `maxlen` is decimal, "" for a stream that is not trimmed. One reply. */
NODISCARD bool redis_command_add(
	struct redis_link *link, const struct redis_item *item, const char *maxlen);

/* HSET and EXPIRE of `key`: REDIS_HEARTBEAT_REPLIES replies. */
NODISCARD bool redis_command_heartbeat(struct redis_link *link, const char *key,
	const char *version, const struct redis_facts *facts);

#endif
