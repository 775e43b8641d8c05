/* SPDX-License-Identifier: BSD-2-Clause */
/* mmdb_build.h -- tiny MaxMind databases, written byte by byte (MaxMind-DB-spec 2.0). */
#ifndef TESTS_SUPPORT_MMDB_BUILD_H
#define TESTS_SUPPORT_MMDB_BUILD_H

#include <stddef.h>
#include <stdint.h>

#define MMDB_BUILD_MAX 4096

struct mmdb_build {
	uint8_t bytes[MMDB_BUILD_MAX];
	size_t len;
	size_t data_at; /* start of the data section */
};

/*
 * An IPv4 database in which 192.0.2.0/24 has the given value (bytes of the data section, the
 * record's at its start) and all other addresses have none.
 */
void mmdb_build(struct mmdb_build *db, unsigned record_bits, const void *data, size_t data_len);

/* Values of the data section: {"country": {"iso_code": "NL"}, "autonomous_system_number": 64500}. */
extern const uint8_t mmdb_build_record[];
extern const size_t mmdb_build_record_len;

#endif
