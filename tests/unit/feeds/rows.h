/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * rows.h -- what a format makes of an entry, a row for each: is it taken, or refused and why, and
 * which name or address matches then.
 *
 *	static const struct row rows[] = {
 *		{ "||evil.example^", TAKEN, "www.evil.example", "example" },
 *		{ "/ads/banner", FEED_REJECT_REGEX, NULL, NULL },
 *	};
 *	rows_expect(malicious_as(FEED_ADBLOCK), "! x\n", rows, ARRAY_LEN(rows), MARK_MALICIOUS);
 *
 * What is not as its row has it fails the test with the row's text (cr_expect); the rows behind
 * it are tried all the same.
 */
#ifndef TESTS_UNIT_FEEDS_ROWS_H
#define TESTS_UNIT_FEEDS_ROWS_H

#include "tests/unit/feeds/feed_rig.h"

#define TAKEN FEED_REJECT_COUNT

struct row {
	const char *text;
	enum feed_reject reject; /* TAKEN: accepted */
	const char *hit;         /* a name or an address that must match then, or NULL */
	const char *miss;        /* one that must not */
};

/*
 * Each row is a feed of its own behind `before`, of which nothing is refused or listed; what is
 * taken is marked as `kind`.
 */
void rows_expect(struct feed_spec spec, const char *before, const struct row *row,
	size_t row_count, enum mark_kind kind);
/* The same between `before` and `after`. */
void rows_expect_framed(struct feed_spec spec, const char *before, const char *after,
	const struct row *row, size_t row_count, enum mark_kind kind);
/* What was loaded was refused once, for the row's reason alone; not at all if that is TAKEN. */
void rows_expect_reject(const struct feed_rig *rig, const struct row *row);

/* A feed of malicious names, the rest as by default. */
struct feed_spec malicious_as(enum feed_format format);

#endif
