/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * writer.h -- a blocklist as a file for other programs: response policy zone, AdBlock rules, hosts
 * file, names a line, dataset of Suricata.
 *
 * The formats differ in what they can say. Of a response policy zone and of AdBlock rules the
 * readers here (feed.h) make what was written, exceptions included; the others name single hosts: what
 * a name stands for beside itself is lost, and what is allowed is left out. Whatever cannot be said
 * is counted, never said otherwise.
 *
 * Equal lists and options give equal octets.
 *
 * Owner:    the caller keeps everything.  Threads: no shared state.
 */
#ifndef FEEDS_WRITER_H
#define FEEDS_WRITER_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "feeds/blocklist.h"
#include "feeds/feed.h"
#include "sensor/base/text.h"

/* What a resolver is to do about a name (draft-vixie-dns-rpz section 3). */
enum writer_policy {
	POLICY_NXDOMAIN, /* there is no such name */
	POLICY_NODATA,   /* there is, but nothing of the kind */
	POLICY_DROP,     /* no answer at all */
	POLICY_TCP_ONLY, /* ask again over TCP */
	POLICY_COUNT,
};

enum unsaid {
#define UNSAID(id, meaning) UNSAID_##id,
#include "feeds/unsaid.def"
#undef UNSAID
	UNSAID_COUNT,
};

struct writer_options {
	enum feed_format format; /* one that writer_writes */
	bool names, addresses;   /* what is wanted of the list */
	const char *about;       /* a line for the head, if the format has remarks */
	/* Of a response policy zone. */
	struct dns_name zone; /* its apex */
	enum writer_policy policy;
	uint32_t serial;
	/* Append who lists it, behind what is refused, if the format has remarks there; NULL: nothing is
	 * added. Not called for BLOCKLIST_NO_ORIGIN. */
	void (*remark)(void *arg, struct text *out, bool is_network, uint32_t origin);
	void *remark_arg;
};

struct writer_counts {
	uint64_t names;    /* to be refused */
	uint64_t suffixes; /* of them: those that stand for all names below, too */
	uint64_t networks; /* addresses and networks to be refused */
	uint64_t passes;   /* names and networks that are let through */
	uint64_t covered;  /* entries that others say already */
	uint64_t removed;  /* names and networks that feeds list and that are not refused */
	uint64_t unsaid[UNSAID_COUNT];
	long serial_at; /* where the ten characters of the serial stand, of a response policy zone */
};

/* Can the format be written? And can it have addresses? */
bool writer_writes(enum feed_format format);
bool writer_has_addresses(enum feed_format format);
/* May names and addresses be in one file? And can entries have remarks? */
bool writer_has_both(enum feed_format format);
bool writer_has_remarks(enum feed_format format);
/* "nxdomain" */
NODISCARD bool writer_policy_parse(enum writer_policy *out, const char *text);
const char *writer_unsaid_meaning(enum unsaid what);

/*
 * ERR_FAILED: out of memory, or `out` took not all: then errno says why, though some may be in a
 * buffer yet. `counts` is filled in. Cost: two walks.
 */
NODISCARD enum err writer_write(FILE *out, const struct blocklist *list,
	const struct writer_options *options, struct writer_counts *counts,
	struct err_ctx *why);

#endif
