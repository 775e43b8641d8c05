/* SPDX-License-Identifier: BSD-2-Clause */
#include "feeds/mmdb.h"

#include <criterion/criterion.h>
#include <string.h>

#include "tests/support/guard.h"
#include "tests/support/mmdb_build.h"

Test(mmdb, sound_databases_of_every_record_size_pass)
{
	static const unsigned sizes[] = { 24, 28, 32 };

	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		struct mmdb_build db;
		struct mmdb_facts facts;
		mmdb_build(&db, sizes[i], mmdb_build_record, mmdb_build_record_len);
		cr_assert(mmdb_check(&facts, db.bytes, db.len, "iso_code"), "%u: %s", sizes[i],
			facts.wrong);
		cr_expect_eq(facts.node_count, 24, "%u", sizes[i]);
		cr_expect_eq(facts.record_count, 1, "%u", sizes[i]);
		cr_expect(facts.has_key, "%u", sizes[i]);
		cr_assert(mmdb_check(&facts, db.bytes, db.len, "not_there"));
		cr_expect_not(facts.has_key, "%u", sizes[i]);
	}
}

Test(mmdb, truncated_databases_are_refused_at_every_length)
{
	struct guard guard = { 0 };
	struct mmdb_build db;
	struct mmdb_facts facts;

	mmdb_build(&db, 28, mmdb_build_record, mmdb_build_record_len);
	for (size_t len = 0; len < db.len; len++) {
		const uint8_t *bytes = guard_place(&guard, db.bytes, len);
		cr_expect_not(mmdb_check(&facts, bytes, len, "iso_code"), "%zu bytes", len);
		cr_expect_not_null(facts.wrong, "%zu bytes", len);
	}
	guard_deinit(&guard);
}

Test(mmdb, every_flipped_bit_is_refused_or_harmless)
{
	struct guard guard = { 0 };
	struct mmdb_build db;
	struct mmdb_facts facts;
	size_t refused = 0;

	mmdb_build(&db, 24, mmdb_build_record, mmdb_build_record_len);
	for (size_t bit = 0; bit < db.len * 8; bit++) {
		db.bytes[bit / 8] ^= (uint8_t)(1u << (bit % 8));
		const uint8_t *bytes = guard_place(&guard, db.bytes, db.len);
		refused += !mmdb_check(&facts, bytes, db.len, "iso_code");
		db.bytes[bit / 8] ^= (uint8_t)(1u << (bit % 8));
	}
	cr_expect_gt(refused, db.len, "of %zu", db.len * 8);
	guard_deinit(&guard);
}

static const struct {
	const char *name;
	const char *data;
	size_t data_len;
	const char *wrong; /* NULL: passes */
} rows[] = {
	{ "empty map", "\xe0", 1, NULL },
	{ "pointer to a map", "\xe1\x41x\x20\x06\xe0\xe0", 7, NULL },
	{ "record that is a pointer", "\x20\x02\xe0", 3, "pointer to a pointer" },
	{ "map that points to itself", "\xe1\x41x\x20\x00", 5, "nested too deep" },
	{ "array that points to itself", "\x01\x04\x20\x00", 4, "nested too deep" },
	{ "pointer to a pointer", "\x01\x04\x20\x04\x20\x06\xe0", 7, "pointer to a pointer" },
	{ "pointer behind the end", "\x01\x04\x27\xff", 4, "out of the data" },
	{ "large pointer", "\x01\x04\x38\xff\xff\xff\xff", 7, "out of the data" },
	{ "map of 16 million", "\xff\xff\xff\xff", 4, "cut off" },
	{ "string that is cut off",
		"\x45"
		"abc",
		4, "cut off" },
	{ "key that is a number", "\xe1\xa1\x01\xe0", 4, "no string" },
	{ "key that points to a map", "\xe1\x20\x03\xe0\xe0", 5, "no string" },
	{ "unknown type", "\x00\x09", 2, "unknown type" },
	{ "container type", "\x00\x05", 2, "unknown type" },
	{ "number of five bytes", "\xc5\x01\x02\x03\x04\x05", 6, "impossible size" },
};

Test(mmdb, damaged_values_are_named)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct mmdb_build db;
		struct mmdb_facts facts;
		mmdb_build(&db, 24, rows[i].data, rows[i].data_len);
		bool ok = mmdb_check(&facts, db.bytes, db.len, "iso_code");
		cr_expect_eq(ok, rows[i].wrong == NULL, "%s: %s", rows[i].name,
			facts.wrong ? facts.wrong : "passed");
		if (rows[i].wrong && facts.wrong)
			cr_expect(strstr(facts.wrong, rows[i].wrong), "%s: %s", rows[i].name,
				facts.wrong);
	}
}

Test(mmdb, values_may_be_nested_64_deep_and_no_deeper)
{
	uint8_t data[200];
	struct mmdb_build db;
	struct mmdb_facts facts;

	for (unsigned depth = MMDB_DEPTH_MAX - 2; depth < MMDB_DEPTH_MAX + 2; depth++) {
		for (unsigned i = 0; i < depth; i++)
			memcpy(data + 2 * i, "\x01\x04", 2); /* array of one */
		data[2 * depth] = 0xe0;
		mmdb_build(&db, 24, data, 2 * depth + 1);
		/* The record itself stands at depth 1. */
		cr_expect_eq(mmdb_check(&facts, db.bytes, db.len, "x"), depth < MMDB_DEPTH_MAX,
			"%u", depth);
	}
}

/* Arrays that begin inside each other's strings and share a long tail: the same bytes could be
 * read once for each of them. */
Test(mmdb, overlapping_values_do_not_take_forever)
{
	enum { STARTS = 60000, TAIL = 60000 };
	size_t len = 16 + STARTS * 6 + TAIL + 200;
	uint8_t *bytes = calloc(1, len + 8 * STARTS);
	struct mmdb_facts facts;
	size_t at = 0;

	/* A tree of STARTS nodes, each pointing at another start. */
	for (uint32_t i = 0; i < STARTS; i++) {
		uint32_t record[2] = { STARTS + 16 + 6 * i, STARTS };
		for (unsigned side = 0; side < 2; side++)
			for (unsigned shift = 32; shift > 0; shift -= 8)
				bytes[at++] = (uint8_t)(record[side] >> (shift - 8));
	}
	at += 16;
	for (uint32_t i = 0; i < STARTS;
		i++, at += 6) /* array of TAIL; a string hides the next */
		memcpy(bytes + at, "\x1e\x04\xe9\x43\x45z", 6);
	memset(bytes + at, 0x40, TAIL);
	at += TAIL;
	static const char meta[] = "\xab\xcd\xefMaxMind.com\xe2\x4anode_count\xc2\xea\x60"
				   "\x4brecord_size\xa1\x20";
	memcpy(bytes + at, meta, sizeof(meta) - 1);
	cr_expect_not(mmdb_check(&facts, bytes, at + sizeof(meta) - 1, "x"));
	cr_expect(strstr(facts.wrong, "overlap"), "%s", facts.wrong);
	free(bytes);
}
