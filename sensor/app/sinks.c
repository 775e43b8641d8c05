/* SPDX-License-Identifier: BSD-2-Clause */
#include "sensor/app/sinks.h"

#include <string.h>
#include <unistd.h>

#include "sensor/base/clock.h"
#include "sensor/output/console.h"
#include "sensor/output/jsonl.h"
#include "sensor/output/redis.h"

/* A replay can wait for a slow server where a live sensor has to go on. */
#define REPLAY_ROOM_MS 10000

bool sinks_format_parse(enum sinks_format *out, const char *text)
{
	static const char *const names[] = { "auto", "table", "json" };
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		if (strcmp(text, names[i]) == 0) {
			*out = (enum sinks_format)i;
			return true;
		}
	}
	return false;
}

static enum err add_for(
	struct output *o, enum alert_kind kind, struct sink *sink, struct err_ctx *why)
{
	if (output_add_sink_for(o, kind, sink))
		return ERR_OK;
	sink->api->close(sink, 0);
	sink->api->free(sink);
	return err_set(why, ERR_USAGE, "more than %d outputs", OUTPUT_SINKS_MAX);
}

static enum err add(struct output *o, struct sink *sink, struct err_ctx *why)
{
	return add_for(o, ALERT_RAISED, sink, why);
}

static enum err add_lines(struct output *o, enum alert_kind kind, const char *path,
	enum jsonl_mode mode, struct err_ctx *why)
{
	struct sink *sink;
	enum err err = jsonl_open(&sink, path, mode, why);

	return err == ERR_OK ? add_for(o, kind, sink, why) : err;
}

enum err sinks_add_changelog(struct output *o, const char *path, struct err_ctx *why)
{
	return add_lines(o, ALERT_CHANGE, path, JSONL_TRUNCATE, why);
}

enum err sinks_add_explanations(struct output *o, struct err_ctx *why)
{
	return add_lines(o, ALERT_EXPLANATION, "-", JSONL_APPEND, why);
}

enum err sinks_add_alerts(
	struct output *o, const char *path, enum sinks_format format, struct err_ctx *why)
{
	struct sink *sink;
	bool standard = strcmp(path, "-") == 0;
	if (format == SINKS_AUTO)
		format = standard && isatty(STDOUT_FILENO) ? SINKS_TABLE : SINKS_JSON;
	if (format == SINKS_TABLE && !standard)
		return err_set(why, ERR_USAGE,
			"--format table goes to standard output, not to %s", path);
	enum err err = format == SINKS_TABLE ? console_open(&sink, STDOUT_FILENO,
						       console_style_of(STDOUT_FILENO), why)
					     : jsonl_open(&sink, path, JSONL_TRUNCATE, why);
	return err == ERR_OK ? add(o, sink, why) : err;
}

static enum err add_redis(struct output *o, enum alert_kind kind,
	const struct redis_options *options, struct sinks_redis *redis, struct err_ctx *why)
{
	struct sink *sink;
	enum err err = redis_open(&sink, options, why);
	if (err == ERR_OK)
		err = add_for(o, kind, sink, why);
	if (err == ERR_OK && redis->count < SINKS_REDIS_MAX)
		redis->sink[redis->count++] = sink;
	return err;
}

enum err sinks_add_redis(struct output *o, const char *url, const char *sensor,
	struct sinks_redis *redis, struct err_ctx *why)
{
	struct redis_options options = {
		.url = url,
		.stream = "dynwatch:alerts",
		.maxlen = 1000000,
		.sensor = sensor,
		.version = DYNWATCH_VERSION,
		.room_timeout_ms = REPLAY_ROOM_MS,
	};
	return add_redis(o, ALERT_RAISED, &options, redis, why);
}

static enum err add_configured(struct output *o, const struct config_output *c,
	const char *sensor, struct sinks_redis *redis, struct err_ctx *why)
{
	struct redis_options options = {
		.url = c->url,
		.stream = c->stream,
		.maxlen = c->maxlen,
		.sensor = sensor,
		.version = DYNWATCH_VERSION,
		.queue_max = c->queue,
		.connect_timeout_ms = (int)(c->timeout_ns / NS_PER_MS),
		.command_timeout_ms = (int)(c->timeout_ns / NS_PER_MS),
	};
	enum alert_kind kind = c->kind == CONFIG_OUTPUT_CHANGELOG ? ALERT_CHANGE : ALERT_RAISED;
	if (c->url)
		return add_redis(o, kind, &options, redis, why);
	return add_lines(o, kind, c->path, JSONL_APPEND, why);
}

enum err sinks_add_configured(struct output *o, const struct config *config, const char *sensor,
	struct sinks_redis *redis, struct err_ctx *why)
{
	for (size_t i = 0; i < config->output_count; i++) {
		if (config->output[i].kind == CONFIG_OUTPUT_DNSLOG)
			continue;
		enum err err = add_configured(o, &config->output[i], sensor, redis, why);
		if (err != ERR_OK)
			return err;
	}
	return ERR_OK;
}

const char *sinks_dnslog_path(const struct config *config)
{
	for (size_t i = 0; i < config->output_count; i++)
		if (config->output[i].kind == CONFIG_OUTPUT_DNSLOG)
			return config->output[i].path;
	return NULL;
}
