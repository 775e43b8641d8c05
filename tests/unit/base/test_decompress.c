/* SPDX-License-Identifier: BSD-2-Clause */
#include <criterion/criterion.h>
#include <errno.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "sensor/base/decompress.h"
#include "tests/support/pack.h"

/* A file in memory that gives so many bytes at a time, and fails where it is told to. */
struct memory {
	const uint8_t *bytes;
	size_t len, at, at_once;
	bool fails_at_end;
};

static ssize_t memory_read(void *arg, void *buf, size_t size)
{
	struct memory *m = arg;
	size_t left = m->len - m->at;

	if (left == 0 && m->fails_at_end) {
		errno = EIO;
		return -1;
	}
	if (size > left)
		size = left;
	if (m->at_once && size > m->at_once)
		size = m->at_once;
	memcpy(buf, m->bytes + m->at, size);
	m->at += size;
	return (ssize_t)size;
}

struct result {
	uint8_t *bytes;
	size_t len;
	ssize_t end; /* what the last read returned */
	int error;
	char why[128];
};

/* Read everything, `size` bytes at a time. */
static struct result read_all(struct memory *m, size_t size)
{
	struct decompress d = { .read = memory_read, .arg = m };
	struct result r = { 0 };
	size_t room = size + 1;

	r.bytes = malloc(room);
	while ((r.end = decompress_read(&d, r.bytes + r.len, size)) > 0) {
		cr_assert_leq((size_t)r.end, size);
		r.len += (size_t)r.end;
		if (room < r.len + size) {
			room = 2 * (r.len + size);
			r.bytes = realloc(r.bytes, room);
		}
		cr_assert_not_null(r.bytes);
	}
	r.error = errno;
	memcpy(r.why, d.why, sizeof(r.why));
	cr_assert_eq(decompress_read(&d, r.bytes + r.len, size), r.end, "the end stays");
	cr_assert_str_eq(d.why, r.why);
	decompress_deinit(&d);
	return r;
}

static struct result read_bytes(const uint8_t *bytes, size_t len, size_t at_once, size_t size)
{
	struct memory m = { .bytes = bytes, .len = len, .at_once = at_once };

	return read_all(&m, size);
}

/* Text with little and much repetition. */
static uint8_t *sample(size_t len)
{
	uint8_t *bytes = malloc(len);
	uint32_t state = 1;

	cr_assert_not_null(bytes);
	for (size_t i = 0; i < len; i++) {
		state = state * 1664525 + 1013904223;
		bytes[i] = i % 1000 < 300 ? (uint8_t)(state >> 24) : (uint8_t)(i / 1000);
	}
	return bytes;
}

static void expect_same(
	const struct result *r, const uint8_t *bytes, size_t len, const char *name)
{
	cr_assert_eq(r->end, 0, "%s: %s", name, r->why);
	cr_assert_eq(r->len, len, "%s: %zu of %zu bytes", name, r->len, len);
	cr_assert_eq(memcmp(r->bytes, bytes, len), 0, "%s", name);
}

Test(decompress, every_format_reads_the_same_in_steps_of_any_size)
{
	static const size_t steps[][2] = { { 0, 1 << 18 }, { 1, 7 }, { 3, 1 << 16 },
		{ 5000, 1 }, { 70000, 100000 } };
	size_t len = 200000;
	uint8_t *bytes = sample(len);

	for (int format = 0; format < PACK_FORMATS; format++) {
		size_t packed_len;
		uint8_t *packed = pack(format, bytes, len, &packed_len);
		for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
			struct result r =
				read_bytes(packed, packed_len, steps[i][0], steps[i][1]);
			expect_same(&r, bytes, len, pack_names[format]);
			free(r.bytes);
		}
		free(packed);
	}
	free(bytes);
}

Test(decompress, short_and_empty_files_are_given_as_they_are)
{
	static const char *const files[] = { "", "a", "\x1f", "\x28\xb5\x2f",
		"\xfd"
		"7zX",
		"plain" };

	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		struct result r =
			read_bytes((const uint8_t *)files[i], strlen(files[i]), 1, 100);
		expect_same(&r, (const uint8_t *)files[i], strlen(files[i]), files[i]);
		free(r.bytes);
	}
}

Test(decompress, nothing_compressed_is_nothing)
{
	for (int format = PACK_GZIP; format < PACK_FORMATS; format++) {
		size_t packed_len;
		uint8_t *packed = pack(format, "", 0, &packed_len);
		struct result r = read_bytes(packed, packed_len, 0, 100);
		expect_same(&r, (const uint8_t *)"", 0, pack_names[format]);
		free(r.bytes);
		free(packed);
	}
}

Test(decompress, members_one_after_the_other_are_one_stream)
{
	for (int format = PACK_GZIP; format < PACK_FORMATS; format++) {
		size_t one_len, two_len;
		uint8_t *one = pack(format, "first ", 6, &one_len);
		uint8_t *two = pack(format, "second", 6, &two_len);
		uint8_t *both = malloc(one_len + two_len);
		memcpy(both, one, one_len);
		memcpy(both + one_len, two, two_len);
		for (size_t at_once = 0; at_once < 4; at_once++) {
			struct result r = read_bytes(both, one_len + two_len, at_once, 100);
			expect_same(
				&r, (const uint8_t *)"first second", 12, pack_names[format]);
			free(r.bytes);
		}
		free(one);
		free(two);
		free(both);
	}
}

/* What is given of a cut file is a beginning of the whole, and then it is said. */
Test(decompress, a_cut_at_every_place_gives_what_came_before_and_then_fails)
{
	size_t len = 3000;
	uint8_t *bytes = sample(len);

	for (int format = PACK_GZIP; format < PACK_FORMATS; format++) {
		size_t packed_len, most = 0;
		uint8_t *packed = pack(format, bytes, len, &packed_len);
		for (size_t cut = 6; cut < packed_len; cut++) {
			struct result r = read_bytes(packed, cut, 0, 512);
			cr_assert_eq(r.end, -1, "%s cut at %zu", pack_names[format], cut);
			cr_assert_eq(r.error, EBADMSG);
			cr_assert_not_null(strstr(r.why, "ends in the middle"), "%s", r.why);
			cr_assert_not_null(strstr(r.why, pack_names[format]), "%s", r.why);
			cr_assert_leq(r.len, len);
			cr_assert_eq(memcmp(r.bytes, bytes, r.len), 0);
			most = r.len > most ? r.len : most;
			free(r.bytes);
		}
		cr_assert_eq(most, len, "%s: %zu", pack_names[format], most);
		free(packed);
	}
	free(bytes);
}

/* Every byte wrong once: never a crash, never an end without complaint but for what no check
 * covers (names and times in headers): then the bytes are the right ones. */
Test(decompress, damage_at_every_place_is_said_or_harmless)
{
	size_t len = 2000;
	uint8_t *bytes = sample(len);

	for (int format = PACK_GZIP; format < PACK_FORMATS; format++) {
		size_t packed_len, said = 0;
		uint8_t *packed = pack(format, bytes, len, &packed_len);
		for (size_t at = 6; at < packed_len; at++) {
			packed[at] ^= 0x55;
			struct result r = read_bytes(packed, packed_len, 0, 700);
			if (r.end == 0)
				cr_assert(r.len == len && memcmp(r.bytes, bytes, len) == 0,
					"%s: byte %zu", pack_names[format], at);
			else
				said += r.why[0] != '\0';
			packed[at] ^= 0x55;
			free(r.bytes);
		}
		cr_assert_gt(said, packed_len * 9 / 10, "%s", pack_names[format]);
		free(packed);
	}
	free(bytes);
}

Test(decompress, what_follows_a_gzip_member_is_zeros_another_one_or_an_error)
{
	size_t packed_len;
	uint8_t *packed = pack(PACK_GZIP, "member", 6, &packed_len);
	uint8_t *file = calloc(1, packed_len + 600);

	memcpy(file, packed, packed_len);
	struct result r = read_bytes(file, packed_len + 512, 1, 100);
	expect_same(&r, (const uint8_t *)"member", 6, "zeros");
	free(r.bytes);
	memcpy(file + packed_len + 512, packed, packed_len);
	r = read_bytes(file, packed_len * 2 + 512, 1, 100);
	expect_same(&r, (const uint8_t *)"membermember", 12, "zeros and a member");
	free(r.bytes);
	file[packed_len] = 'x';
	r = read_bytes(file, packed_len + 1, 0, 100);
	cr_assert_eq(r.len, 6);
	cr_assert_eq(r.end, -1);
	cr_assert_not_null(strstr(r.why, "something else follows"), "%s", r.why);
	free(r.bytes);
	free(file);
	free(packed);
}

Test(decompress, lz4_and_bzip2_are_named)
{
	static const struct {
		const char *bytes, *name;
	} rows[] = { { "\x04\x22\x4d\x18 lz4", "lz4" }, { "\x02\x21\x4c\x18 old", "lz4" },
		{ "BZh91AY&SY", "bzip2" } };

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct result r = read_bytes(
			(const uint8_t *)rows[i].bytes, strlen(rows[i].bytes), 0, 100);
		cr_assert_eq(r.end, -1, "%s", rows[i].name);
		cr_assert_eq(r.len, 0, "%s", rows[i].name);
		cr_assert_not_null(strstr(r.why, rows[i].name), "%s", r.why);
		cr_assert_not_null(strstr(r.why, "not read"), "%s", r.why);
		free(r.bytes);
	}
}

Test(decompress, a_window_larger_than_the_limit_is_refused)
{
	for (int format = PACK_ZSTD; format < PACK_FORMATS; format++) {
		size_t packed_len;
		uint8_t *packed = pack_wide(format, &packed_len);
		struct result r = read_bytes(packed, packed_len, 0, 100);
		cr_assert_eq(r.end, -1, "%s: %zu bytes", pack_names[format], r.len);
		cr_assert_not_null(strstr(r.why, "more than 128 MiB"), "%s: %s",
			pack_names[format], r.why);
		free(r.bytes);
		free(packed);
	}
}

/* 64 MiB of zeros: as much output as asked for, and no memory for the rest. */
Test(decompress, a_bomb_takes_no_memory)
{
	size_t len = (size_t)64 << 20;
	uint8_t *zeros = calloc(1, len);

	for (int format = PACK_GZIP; format < PACK_FORMATS; format++) {
		size_t packed_len, total = 0;
		uint8_t *packed = pack(format, zeros, len, &packed_len);
		struct memory m = { .bytes = packed, .len = packed_len };
		struct decompress d = { .read = memory_read, .arg = &m };
		uint8_t out[4096];
		ssize_t got;
		struct mallinfo2 before = mallinfo2();
		size_t most = 0;
		while ((got = decompress_read(&d, out, sizeof(out))) > 0) {
			total += (size_t)got;
			if (total % (1 << 20) == 0) {
				struct mallinfo2 now = mallinfo2();
				size_t used = now.uordblks + now.hblkhd - before.uordblks -
					      before.hblkhd;
				most = used > most ? used : most;
			}
		}
		cr_assert_eq(got, 0, "%s", d.why);
		cr_assert_eq(total, len);
		cr_assert_lt(most, (size_t)24 << 20, "%s: %zu", pack_names[format], most);
		decompress_deinit(&d);
		free(packed);
	}
	free(zeros);
}

Test(decompress, a_failed_read_is_no_damage)
{
	uint8_t bytes[] = { 0x1f, 0x8b, 8 };

	for (size_t len = 0; len <= sizeof(bytes); len++) {
		struct memory m = { .bytes = bytes, .len = len, .fails_at_end = true };
		struct result r = read_all(&m, 100);
		cr_assert_eq(r.end, -1);
		cr_assert_eq(r.error, EIO);
		cr_assert_str_empty(r.why);
		free(r.bytes);
	}
}

Test(decompress, an_unused_one_can_be_put_away)
{
	struct decompress d = { 0 };

	decompress_deinit(&d);
	cr_assert_null(d.in);
}
