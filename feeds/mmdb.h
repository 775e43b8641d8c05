/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mmdb.h -- checks a whole MaxMind database before libmaxminddb reads it (MaxMind-DB-spec 2.0).
 *
 * Every record of the search tree must point into the file, and every value that can be reached
 * from it must be well-formed, without pointer loops and not nested deeper than MMDB_DEPTH_MAX.
 * What passes cannot make the library recurse, allocate or read without bound.
 *
 * Input:  untrusted; any bytes.  Cost: linear in the file (a budget of steps ends every walk).
 */
#ifndef FEEDS_MMDB_H
#define FEEDS_MMDB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sensor/base/attribute.h"

#define MMDB_DEPTH_MAX 64

struct mmdb_facts {
	const char *wrong;   /* why it was refused; static text */
	size_t wrong_at;     /* at which byte of the file, about */
	uint32_t node_count; /* of the search tree */
	size_t record_count; /* that point to data */
	bool has_key;        /* some map in the data has the key that was asked for */
};

/* False when the database is damaged; facts->wrong says how. `key`: e.g. "iso_code". */
NODISCARD bool mmdb_check(
	struct mmdb_facts *facts, const uint8_t *bytes, size_t bytes_len, const char *key);

#endif
