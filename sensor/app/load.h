/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * load.h -- from a configuration to knowledge: the shipped lists, every feed, the tenants' names,
 * GeoIP and the tenant map, checked and built once.
 *
 * Every error names the place in the configuration that asked for what could not be loaded.
 *
 * Owner:    load_knowledge/load_free; a report is freed by load_report_deinit.
 * Threads:  single-threaded; what comes out is immutable.
 */
#ifndef SENSOR_APP_LOAD_H
#define SENSOR_APP_LOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "feeds/feed.h"
#include "rules/knowledge.h"
#include "sensor/base/error.h"
#include "sensor/config/config.h"
#include "sensor/packet/dedup.h"
#include "sensor/packet/packet.h"

struct load_report;

/* The version that is in force: tenants keep their numbers, doubted feeds what they had. */
struct load_previous {
	const struct knowledge *known;
	const struct load_report *report;
};

struct load_options {
	uint64_t seed; /* of the index, unless it comes out of the cache, with its own */
	/* What to do with the cache that the configuration may have. Nothing where the seed matters, as
	 * in a replay, or where the feeds themselves are to be judged. */
	enum load_cache_use {
		LOAD_CACHE_NO,
		LOAD_CACHE_READ,
		LOAD_CACHE_KEEP, /* read it, and write it after loading */
	} cache;
	/* Names by frame.interface, so that selectors by interface match. */
	const char *const *interface_name;
	size_t interface_count;
	/* Wall clock, by which entries with an end (STIX valid_until) are judged; 0, as in a replay,
	 * which must not depend on the day it is run: none has ended. */
	int64_t now_s;
	const struct load_previous *previous; /* of a reload, with the same seed; else NULL */
};

/* What became of one feed. Its name is that of knowledge.feed[] at the same number. */
struct load_feed {
	struct feed_report report;
	int64_t max_age_ns; /* 0: any age */
	struct guard_limits limits;
	/* What is wrong with the file's content; GUARD_FINE: nothing. */
	struct guard_finding doubt;
	bool kept;            /* because of that, what was loaded before is still in force */
	struct place_mark at; /* in the configuration; line 0: a shipped list */
};

struct load_report {
	struct load_feed *feed;
	size_t feed_count;
	size_t name_count, address_count, index_bytes;
	int64_t elapsed_ns; /* load_s of the summary */
	bool from_cache;
};

/*
 * Takes config->policies over on success (it is NULL then): they become part of the knowledge.
 * `report` may be NULL; it is filled in as far as loading came.
 */
NODISCARD enum err load_knowledge(struct knowledge **out, struct config *config,
	const struct load_options *options, struct load_report *report, struct err_ctx *why);
void load_free(struct knowledge *known);
void load_report_deinit(struct load_report *report);

/* Can the outputs' URLs be understood? Opens nothing. */
NODISCARD enum err load_check_outputs(const struct config *config, struct err_ctx *why);

/*
 * What the operator should know although it is no error, a line each: feeds that are too old or
 * gave nothing, keys without effect.
 */
void load_warn(const struct config *config, const struct knowledge *known,
	const struct load_report *report, void (*say)(void *arg, const char *line), void *arg);

/* load_knowledge, and what load_warn has to say goes to the log: for the commands that go to
 * work. `report` may be NULL. */
NODISCARD enum err load_and_warn(struct knowledge **out, struct config *config,
	const struct load_options *options, struct load_report *report, struct err_ctx *why);

/* What input threads need of the configuration to decode packets, and to know their copies. */
enum dedup_mode load_dedup_mode(enum config_dedup mode);
void load_packet_options(
	struct packet_options *out, const struct config *config, uint64_t seed);

/*
 * What a live capture has to let through: DNS ports and those of tunnels. malloc'ed; NULL when
 * out of memory.
 */
uint16_t *load_filter_ports(
	const struct config *config, const struct packet_options *packet, size_t *count);

#endif
