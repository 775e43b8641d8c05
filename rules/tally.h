/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tally.h -- UPDATEs counted, per zone and per key: how many, how they ended, how many unsigned,
 * when the last one succeeded.
 *
 * What a full table pushes out goes on counting among the others of its tenant, so that each
 * tenant's rows add up to all its UPDATEs, but for those without a key among the keys.
 *
 * Owner:    tally_new/tally_free.  Threads: one; rows are plain values.
 * Limits:   TALLY_ROWS_MAX names for each kind and tracker, longer names are cut.
 */
#ifndef RULES_TALLY_H
#define RULES_TALLY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rules/judge.h"
#include "rules/ledger.h"
#include "rules/transaction.h"

#define TALLY_ROWS_MAX    1024
#define TALLY_NAME_MAX    256 /* of text, with its NUL */
#define TALLY_RCODES      12  /* 0 to 10; the last one counts all others */
#define TALLY_TSIG_FIRST  16  /* BADSIG */
#define TALLY_TSIG_ERRORS 8   /* 16 to 22; the last one counts all others */
#define TALLY_LISTED_MAX  32  /* rows of a kind and tenant that are worth a line */

enum tally_kind {
	TALLY_ZONE,
	TALLY_KEY, /* TSIG key, SIG(0) signer */
	TALLY_KINDS,
};

struct tally_counts {
	uint64_t updates, accepted, unanswered;
	uint64_t signed_, unsigned_; /* neither: the request could not be read */
	uint64_t rcode[TALLY_RCODES];
	uint64_t tsig_error[TALLY_TSIG_ERRORS];
	int64_t last_success_ns; /* an accepted change; has_success */
	bool has_success;
	/* Zones: until an accepted change showed in an answer. */
	struct ledger_delay authoritative, resolved;
};

struct tally_row {
	uint16_t tenant;
	uint8_t kind; /* enum tally_kind */
	bool others;  /* all of the tenant that have no row; name is "" */
	char name[TALLY_NAME_MAX];
	struct tally_counts counts;
};

struct tally;

/* NULL when out of memory. */
struct tally *tally_new(size_t memory_bytes, uint64_t seed);
void tally_free(struct tally *t);
void tally_adopt(struct tally *t, const struct knowledge *known);

/* A finished transaction of the tenant with this number. */
void tally_note(struct tally *t, uint16_t tenant, const struct transaction *done);
/* How long accepted changes of a zone took to show; nothing where the zone has no row. */
void tally_set_delays(struct tally *t, const struct ledger_zone_stats *zone);
/* Grows with each tally_note: is there anything new? */
uint64_t tally_version(const struct tally *t);

/* How many rows tally_read may write. */
size_t tally_rows_max(const struct tally *t);
/* All rows, in no useful order; returns their number. */
size_t tally_read(const struct tally *t, struct tally_row *out);
/* Appends the table. */
void tally_stats(const struct tally *t, struct judge_stats *out);

/*
 * Bring rows, of any number of trackers, into the order in which they are shown: by tenant,
 * kind, busiest first, then by name, the others last. More than TALLY_LISTED_MAX of a kind and
 * tenant are added to its others. Returns the new number of rows.
 */
size_t tally_rank(struct tally_row *row, size_t count);

#endif
