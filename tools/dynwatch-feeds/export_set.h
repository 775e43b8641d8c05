/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * export_set.h -- what the feeds of a configuration say, and a tenant's word on it, as a blocklist.
 *
 * Feeds are read as the sensor reads them, with the same rails; what those refuse, and entries that
 * have ended, are not in the list.
 *
 * Owner:    export_set_load/export_set_free, which takes the zero state and half a set, too.
 * Threads:  as feed_load_all.
 */
#ifndef TOOLS_DYNWATCH_FEEDS_EXPORT_SET_H
#define TOOLS_DYNWATCH_FEEDS_EXPORT_SET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "feeds/blocklist.h"
#include "feeds/facts.h"
#include "sensor/base/text.h"
#include "sensor/config/config.h"

struct export_wanted {
	const char *config; /* path; NULL: the shipped lists alone */
	const char *tenant; /* id; NULL: nobody's word but the feeds' */
	unsigned kinds;     /* 1 << enum mark_kind */
	const char *const *feed;
	size_t feed_count;          /* 0: every feed of the kinds */
	enum severity min_severity; /* of malicious feeds */
	enum facts_tlp max_tlp;     /* entries marked for fewer eyes are left out */
	bool force; /* a feed that is not to be believed is taken for what could be read of it */
	int64_t now_s;
};

/* A feed that was read. */
struct export_feed {
	const struct feed_spec *spec;
	const struct config_feed *configured; /* NULL: a shipped list */
	bool chosen; /* what it lists is wanted; of the others only what they allow, or whose it is */
	struct feed_report report;
	struct facts *facts; /* NULL: it says nothing of its entries, or nobody asked */
};

struct export_set {
	struct config *config;
	const struct policy *tenant; /* NULL: none was asked for */
	struct feed_spec *spec;      /* as the feeds are read */
	struct export_feed *feed;    /* a mark's source indexes it */
	size_t feed_count;
	struct provider_registry *providers;
	struct index *index;
	struct address_set *addresses;
	struct blocklist *list; /* origins are entries of the index or of the addresses */
	uint64_t hidden;        /* entries above max_tlp, each as often as a feed has it */
	int64_t newest_s;       /* when the configuration or a feed was changed last */
};

/* ERR_USAGE: what is wanted makes no sense, or a file cannot be read. ERR_FAILED: out of memory, or a
 * feed is not to be believed. */
NODISCARD enum err export_set_load(
	struct export_set *out, const struct export_wanted *wanted, struct err_ctx *why);
void export_set_free(struct export_set *set);

/* Append "urlhaus, threatfox": the chosen feeds that have the entry. As writer_options.remark. */
void export_set_remark(void *set, struct text *out, bool is_network, uint32_t origin);

#endif
