/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * summary.h -- what was read, judged and written, as JSON (README, "Summary") and for people.
 *
 * Plain numbers that the program collects from all its threads; this file knows nothing of where
 * they come from. Pairs of value zero are not listed, but every other key is always there.
 *
 * Owner: all pointers are the caller's.  Threads: no shared state.
 */
#ifndef SENSOR_OUTPUT_SUMMARY_H
#define SENSOR_OUTPUT_SUMMARY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "rules/tally.h"
#include "sensor/base/attribute.h"
#include "sensor/base/error.h"
#include "sensor/base/text.h"

struct summary_pair {
	const char *name;
	uint64_t count;
	const char *meaning; /* for people; may be NULL */
};

/* A list of counters of one kind, in the order in which they are shown. */
struct summary_pairs {
	const struct summary_pair *pair;
	size_t count;
};

struct summary_table {
	const char *name;
	uint64_t used, capacity, evicted;
};

struct summary_tenant {
	const char *id;
	uint64_t messages;
	uint64_t alerts; /* written */
};

struct summary_packets {
	uint64_t read, bytes, dns, other;
	uint64_t checksum_wrong; /* judged all the same */
	uint64_t dropped;        /* by the kernel or the interface, never read; live only */
	struct summary_pairs rejected;
};

struct summary_dns {
	uint64_t messages, queries, responses, tcp;
	uint64_t not_logged; /* messages that the DNS log lacks */
	struct summary_pairs opcodes, rcodes, malformed;
	struct summary_pairs update_faults; /* of well-formed messages that RFC 2136 forbids */
};

/* What reassembly of DNS over TCP could not make up for. */
struct summary_streams {
	uint64_t gaps, lost_bytes; /* holes that were never filled */
	uint64_t resyncs;          /* boundaries found again by searching */
	uint64_t junk;             /* streams of a DNS port that are no DNS */
};

struct summary_alerts {
	uint64_t raised, suppressed, written;
	uint64_t lost; /* written, but some sink could not deliver it */
	struct summary_pairs by_rule;
};

struct summary {
	struct summary_packets packets;
	struct summary_dns dns;
	struct summary_streams streams;
	struct {
		uint64_t matched, unanswered, unsolicited;
		uint64_t pending; /* queries still open at the end */
	} pairs;
	const struct summary_table *table;
	size_t table_count;
	struct summary_alerts alerts;
	const struct summary_tenant *tenant; /* by tenant number */
	size_t tenant_count;
	const struct tally_row *update; /* UPDATEs counted, as tally_rank leaves them */
	size_t update_count;
	uint64_t pending; /* findings undecided at the end: nothing was raised */
	bool has_packets; /* first_ns and last_ns are set */
	int64_t first_ns, last_ns;
	double elapsed_s, packets_per_s, load_s;
	double cpu_s; /* processor time of all threads during elapsed_s */
	uint64_t peak_rss_bytes;
	/* For people only; NULL when there is none. */
	const char *alerts_path;
	const char *summary_path;
	const char *unmapped_id; /* the tenant of traffic that is nobody's */
};

/* Append the JSON object, without newline. */
void summary_json(struct text *out, const struct summary *s);

/*
 * Write the JSON to a file ("-": standard output) and a newline. A regular file is replaced as a
 * whole, so that a reader never sees half of it.
 */
NODISCARD enum err summary_write(
	const struct summary *s, const char *path, struct err_ctx *why);

/* The short version for a person at a terminal, ending with where to look next. */
void summary_print(FILE *to, const struct summary *s);

#endif
