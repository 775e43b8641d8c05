/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * config.h -- the configuration: one YAML file, read into values.
 *
 * Everything that can be checked without opening other files is checked here, and every error
 * names FILE:LINE:COLUMN, the key, what is wrong and what would be right. What needs the feeds (do
 * they load? is there such a provider?) is checked by app/load.c, which finds the places here.
 *
 * Owner:    config_load/config_free; the config owns every string and, until it is taken, the
 *           policy set.
 * Threads:  no shared state.
 * Input:    untrusted: any bytes are a configuration or a clear error.
 * Limits:   CONFIG_BYTES_MAX; place.h has the others.
 */
#ifndef SENSOR_CONFIG_CONFIG_H
#define SENSOR_CONFIG_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "feeds/feed.h"
#include "feeds/guard.h"
#include "rules/policy.h"
#include "rules/rule.h"
#include "sensor/base/error.h"
#include "sensor/config/place.h"

#define CONFIG_BYTES_MAX   ((size_t)4 << 20)
#define CONFIG_OUTPUTS_MAX 14 /* a replay's own sinks have room beside them */

struct config_sensor {
	char *name; /* the host's name when not given */
	uint64_t memory_mb;
	unsigned inputs, trackers;
	char *user; /* "": stay who we are */
};

/* Who takes the time of a packet. */
enum config_timestamps {
	CONFIG_TIMESTAMPS_AUTO,
	CONFIG_TIMESTAMPS_HOST,
	CONFIG_TIMESTAMPS_ADAPTER,
};

/* Whether copies that a mirror makes of a packet count once. */
enum config_dedup {
	CONFIG_DEDUP_AUTO,
	CONFIG_DEDUP_ON,
	CONFIG_DEDUP_OFF,
};

struct config_capture {
	char *interface; /* or the path of the socket */
	bool dnstap;     /* a socket that DNS servers tell dnstap to; the rest does not apply */
	char *filter;    /* "": none */
	int buffer_mb, snaplen;
	bool promiscuous;
	enum config_timestamps timestamps;
	enum config_dedup dedup;
	struct place_mark at;
};

#define CONFIG_TUNNEL_PORTS_MAX 4

/* UDP ports of one kind of tunnel. */
struct config_tunnel {
	bool given; /* false: the usual ports */
	size_t port_count;
	uint16_t port[CONFIG_TUNNEL_PORTS_MAX];
};

/* How dynwatch-feeds update gets a feed's file. */
struct config_fetch {
	char *url; /* NULL: it does not; http or https, without user and password */
	char *auth_header;
	char *auth_file; /* NULL: no key */
	uint64_t max_bytes;
	int64_t timeout_ns;
	char *proxy; /* NULL: what the environment says; "": none */
	struct place_mark at;
};

struct config_feed {
	struct feed_spec spec; /* its strings belong to the config */
	enum severity severity;
	int64_t max_age_ns; /* 0: any age */
	struct guard_limits limits;
	struct config_fetch fetch;
	struct place_mark at; /* of its path */
	size_t number;        /* in feeds: */
};

enum config_output_kind {
	CONFIG_OUTPUT_JSONL,
	CONFIG_OUTPUT_REDIS,
	CONFIG_OUTPUT_DNSLOG,
	CONFIG_OUTPUT_CHANGELOG,
};

/* The stream of a change log that names none. */
#define CONFIG_CHANGELOG_STREAM "dynwatch:changes"

struct config_output {
	enum config_output_kind kind;
	char *path; /* jsonl, dnslog, changelog */
	/* redis; changelog without a path */
	char *url, *stream;
	uint64_t maxlen, queue;
	int64_t timeout_ns;
	char *spool; /* NULL: not given */
	uint64_t spool_mb;
	struct place_mark at, spool_at; /* at: of path or url */
};

/* "approved: provider: ID" of a tenant, to be resolved when the feeds are loaded. */
struct config_provider {
	uint16_t tenant;
	size_t approved; /* index in the tenant's approved[] */
	char *id;
	char *key; /* "tenants[0].ddns.approved[2].provider" */
	struct place_mark at;
};

struct config {
	char *path; /* of the file, for messages */
	struct config_sensor sensor;
	struct config_capture *capture;
	size_t capture_count;
	enum config_dedup dedup; /* of a replay */
	uint16_t *port;
	size_t port_count;
	struct config_tunnel vxlan, geneve, gtpu, tzsp;
	/* tenant 0, unmapped, has the rules at their global settings */
	struct policy_set *policies;
	struct config_provider *provider;
	size_t provider_count;
	bool builtin_lists;
	char *cache; /* of what the feeds gave; NULL: none */
	struct config_feed *feed;
	size_t feed_count;
	struct config_output *output;
	size_t output_count;
	char *geoip_country, *geoip_asn; /* NULL: off */
	struct place_mark geoip_at;
	char *control_socket; /* NULL: none */
	bool watch;           /* reload when files change */
	struct place_mark control_at;
	char *metrics_listen; /* NULL: off */
	struct place_mark metrics_at;
	char *state_path; /* NULL: off */
};

/* ERR_USAGE: the file cannot be read, or is no configuration. */
NODISCARD enum err config_load(struct config **out, const char *path, struct err_ctx *why);
/* The same from memory; relative paths are relative to where `name` lies. */
NODISCARD enum err config_parse(struct config **out, const char *bytes, size_t bytes_len,
	const char *name, struct err_ctx *why);
/* What serves without a file: one tenant "default" with all private addresses. */
NODISCARD enum err config_builtin(struct config **out, struct err_ctx *why);
void config_free(struct config *c);

/*
 * For a reload: tenants keep the numbers that they have in `before` (policy_set_follow). Before
 * the policies are taken.
 */
NODISCARD enum err config_keep_numbers(
	struct config *c, const struct policy_set *before, struct err_ctx *why);
/*
 * Give every "approved: provider:" its number, once the feeds are read. ERR_USAGE with its place when
 * there is no such provider. Before the policies are taken.
 */
NODISCARD enum err config_resolve_providers(
	struct config *c, const struct provider_registry *providers, struct err_ctx *why);
/*
 * The keys by which `next` differs from `c` and that only a restart brings into force: "ports,
 * sensor.trackers"; NULL when there are none. malloc'ed.
 */
char *config_needs_restart(const struct config *c, const struct config *next);

/*
 * What is configured but has no effect in this version, one line each: "FILE:LINE:COLUMN: ...".
 */
void config_warn(const struct config *c, void (*say)(void *arg, const char *line), void *arg);

/* Every key for people: section by section, with type, default, range and meaning. */
void config_print_options(FILE *out);
/*
 * The manual page: copies `page` to `out`; a line "@options SECTION@" becomes the list of that
 * section's keys as mdoc(7), "@rules@" the list of rules and their options. False when `page`
 * names a section that does not exist.
 */
NODISCARD bool config_print_manual(FILE *out, FILE *page);

#endif
