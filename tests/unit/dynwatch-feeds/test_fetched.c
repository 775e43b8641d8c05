/* SPDX-License-Identifier: BSD-2-Clause */
#include "tools/dynwatch-feeds/fetched.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sensor/base/attribute.h"

#define HASH "0123456789abcdef0123456789abcdef"
#define WHOLE                                                                                  \
	"{\"version\":1,\"url\":\"" HASH "\",\"content\":\"" HASH "\",\"bytes\":7,"            \
	"\"entries\":3"

Test(fetched, what_is_written_is_read_back)
{
	struct fetched in = { .url = { { 1, UINT64_MAX } },
		.content = { { 0, 2 } },
		.bytes = 17,
		.entries = 4,
		.etag = "W/\"a\\b-%41\"",
		.last_modified = "Sun, 22 Nov 2026 10:00:00 GMT" };
	struct fetched out;
	struct text text = { 0 };
	struct err_ctx why;

	fetched_format(&text, &in);
	cr_assert(fetched_parse(&out, text.at, text.len, &why), "%s", why.text);
	cr_expect(fetched_hash_equal(&in.url, &out.url));
	cr_expect(fetched_hash_equal(&in.content, &out.content));
	cr_expect_not(fetched_hash_equal(&out.url, &out.content));
	cr_expect_eq(out.bytes, 17);
	cr_expect_eq(out.entries, 4);
	cr_expect_str_eq(out.etag, in.etag);
	cr_expect_str_eq(out.last_modified, in.last_modified);
	text_deinit(&text);
}

Test(fetched, marks_may_be_missing_and_unknown_keys_are_for_later)
{
	static const char text[] = WHOLE ",\"colour\":\"red\"}";
	struct fetched out;
	struct err_ctx why;

	cr_assert(fetched_parse(&out, text, strlen(text), &why), "%s", why.text);
	cr_expect_str_eq(out.etag, "");
	cr_expect_str_eq(out.last_modified, "");
}

static const struct bad_row {
	const char *name, *text, *reason;
} bad_rows[] = {
	{ "nothing", "", "expected" },
	{ "no JSON", "etag=1", "expected" },
	{ "cut", WHOLE, "expected" },
	{ "more behind it", WHOLE "}{}", "end of file" },
	{ "a list", "[1]", "not written by" },
	{ "no version", "{}", "not written by" },
	{ "a version that is no number", "{\"version\":\"1\"}", "not written by" },
	{ "a later version", "{\"version\":2}", "another version" },
	{ "no hash", "{\"version\":1,\"bytes\":1}", "damaged" },
	{ "a short hash", "{\"version\":1,\"url\":\"00\"}", "damaged" },
	{ "a hash of other letters",
		"{\"version\":1,\"url\":\"0123456789abcdeF0123456789abcdef\"}", "damaged" },
	{ "a negative size",
		"{\"version\":1,\"url\":\"" HASH "\",\"content\":\"" HASH
		"\",\"bytes\":-1,\"entries\":0}",
		"damaged" },
	{ "an ETag that is a number", WHOLE ",\"etag\":7}", "damaged" },
	{ "an ETag with a line of its own", WHOLE ",\"etag\":\"\\\"a\\\"\\r\\nHost: b\"}",
		"damaged" },
	{ "a date that carries a header", WHOLE ",\"last_modified\":\"Sun\\nX: y\"}",
		"damaged" },
};

Test(fetched, what_is_not_ours_is_refused_with_a_reason_and_gives_nothing)
{
	for (size_t i = 0; i < ARRAY_LEN(bad_rows); i++) {
		const struct bad_row *row = &bad_rows[i];
		struct fetched out;
		struct err_ctx why = { "" };
		cr_expect_not(fetched_parse(&out, row->text, strlen(row->text), &why), "%s",
			row->name);
		cr_expect(strstr(why.text, row->reason), "%s: %s", row->name, why.text);
		cr_expect_eq(out.bytes + out.url.word[0] + (uint64_t)out.etag[0], 0, "%s",
			row->name);
	}
}

Test(fetched, every_start_of_a_file_is_refused)
{
	static const char text[] = WHOLE ",\"etag\":\"\\\"x\\\"\"}";
	struct fetched out;
	struct err_ctx why;

	for (size_t len = 0; len < strlen(text); len++)
		cr_expect_not(fetched_parse(&out, text, len, &why), "%zu", len);
	cr_expect(fetched_parse(&out, text, strlen(text), &why));
}

Test(fetched, an_etag_is_kept_when_it_can_be_said_back)
{
	static const char *const good[] = { "\"\"", "\"a\"", "W/\"a\"", "\"33a64df5:gzip-;\"" };
	static const char *const bad[] = { "", "\"", "a", "a\"", "\"a", "W/", "W/\"", "w/\"a\"",
		"\"a b\"", "\"a\"b\"", "\"a\r\nX: y\"", "\"\x7f\"", "\"\xc3\xa4\"" };
	char longest[FETCHED_ETAG_MAX + 1];

	for (size_t i = 0; i < ARRAY_LEN(good); i++)
		cr_expect(fetched_is_etag(good[i]), "%s", good[i]);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		cr_expect_not(fetched_is_etag(bad[i]), "%s", bad[i]);
	snprintf(longest, sizeof(longest), "\"%0*d\"", FETCHED_ETAG_MAX - 3, 0);
	cr_expect(fetched_is_etag(longest));
	snprintf(longest, sizeof(longest), "\"%0*d\"", FETCHED_ETAG_MAX - 2, 0);
	cr_expect_not(fetched_is_etag(longest));
}

Test(fetched, a_date_is_kept_when_it_can_be_said_back)
{
	cr_expect(fetched_is_date("Sun, 06 Nov 1994 08:49:37 GMT"));
	cr_expect(fetched_is_date("Sunday, 06-Nov-94 08:49:37 GMT"));
	cr_expect_not(fetched_is_date(""));
	cr_expect_not(fetched_is_date("Sun\r\nHost: x"));
	cr_expect_not(fetched_is_date("Sun, 06 Nov 1994 08:49:37 GMT Sun, 06 Nov"));
}

Test(fetched, a_file_has_the_hash_of_its_pieces)
{
	char path[] = "/tmp/test_fetched.XXXXXX";
	int fd = mkstemp(path);
	char piece[FETCHED_PIECE];
	struct fetched_hash wanted = fetched_hash_start(), got;
	uint64_t bytes;

	cr_assert_neq(fd, -1);
	unlink(path);
	memset(piece, 'a', sizeof(piece));
	cr_assert_eq(write(fd, piece, sizeof(piece)), (ssize_t)sizeof(piece));
	cr_assert_eq(write(fd, "rest", 4), 4);
	fetched_hash_add(&wanted, piece, sizeof(piece));
	fetched_hash_add(&wanted, "rest", 4);
	cr_assert(fetched_hash_file(&got, &bytes, fd));
	cr_expect_eq(bytes, FETCHED_PIECE + 4);
	cr_expect(fetched_hash_equal(&got, &wanted));
	cr_assert_eq(pwrite(fd, "R", 1, FETCHED_PIECE), 1);
	cr_assert(fetched_hash_file(&got, &bytes, fd));
	cr_expect_not(fetched_hash_equal(&got, &wanted));
	close(fd);
}
