/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sinks.h -- from the command line and the configuration's outputs to open sinks.
 *
 * Owner: the output owns every sink that was added to it.
 */
#ifndef SENSOR_APP_SINKS_H
#define SENSOR_APP_SINKS_H

#include <stdbool.h>
#include <stddef.h>

#include "sensor/config/config.h"
#include "sensor/output/output.h"

#define SINKS_REDIS_MAX 8

enum sinks_format {
	SINKS_AUTO, /* a table on a terminal, JSON lines elsewhere */
	SINKS_TABLE,
	SINKS_JSON,
};

/* The Redis sinks, for heartbeats. */
struct sinks_redis {
	struct sink *sink[SINKS_REDIS_MAX];
	size_t count;
};

NODISCARD bool sinks_format_parse(enum sinks_format *out, const char *text);

/* Alerts into a file, or for "-" to standard output as a table or as JSON lines. */
NODISCARD enum err sinks_add_alerts(
	struct output *o, const char *path, enum sinks_format format, struct err_ctx *why);
/* The change log into a file, or for "-" to standard output. */
NODISCARD enum err sinks_add_changelog(struct output *o, const char *path, struct err_ctx *why);
/* Explanations of UPDATEs to standard output. */
NODISCARD enum err sinks_add_explanations(struct output *o, struct err_ctx *why);
/* Alerts into a Redis stream by URL, everything else at its default. */
NODISCARD enum err sinks_add_redis(struct output *o, const char *url, const char *sensor,
	struct sinks_redis *redis, struct err_ctx *why);
/* The outputs of the configuration but for type dnslog. */
NODISCARD enum err sinks_add_configured(struct output *o, const struct config *config,
	const char *sensor, struct sinks_redis *redis, struct err_ctx *why);
/* The path of the configuration's dnslog output; NULL when there is none. */
const char *sinks_dnslog_path(const struct config *config);

#endif
