/* SPDX-License-Identifier: BSD-2-Clause */
#include "tools/dynwatch-feeds/received.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#include "sensor/base/attribute.h"

#define MIB ((size_t)1 << 20)

static char folder[64];

static void set_up(void)
{
	snprintf(folder, sizeof(folder), "/tmp/test_received.XXXXXX");
	cr_assert_not_null(mkdtemp(folder));
}

static void tear_down(void)
{
	cr_expect_eq(rmdir(folder), 0, "nothing is left");
}

static int file_of(const char *bytes, size_t len)
{
	FILE *f = tmpfile();
	int fd = dup(fileno(f));

	cr_assert_eq(write(fd, bytes, len), (ssize_t)len);
	fclose(f);
	return fd;
}

static size_t pack(char *out, size_t size, const char *bytes, size_t len)
{
	z_stream z = { .next_in = (Bytef *)bytes,
		.avail_in = (uInt)len,
		.next_out = (Bytef *)out,
		.avail_out = (uInt)size };

	cr_assert_eq(deflateInit2(&z, 9, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
	cr_assert_eq(deflate(&z, Z_FINISH), Z_STREAM_END);
	deflateEnd(&z);
	return size - z.avail_out;
}

/* What is stored comes back in `stored`. */
static enum err store(const struct received *how, const char *bytes, size_t len,
	char stored[64], struct err_ctx *why)
{
	struct received r = *how;
	struct replace to;
	struct fetched out;
	char path[128];

	snprintf(path, sizeof(path), "%s/list", folder);
	cr_assert(replace_open(&to, path, 0600));
	r.fd = file_of(bytes, len);
	why->text[0] = '\0';
	enum err err = received_store(&r, &to, &out, why);
	ssize_t got = pread(to.fd, stored, 63, 0);
	stored[got > 0 ? got : 0] = '\0';
	if (!err) {
		struct fetched_hash hash;
		uint64_t count;
		cr_expect(fetched_hash_file(&hash, &count, to.fd));
		cr_expect_eq(count, out.bytes);
		cr_expect(fetched_hash_equal(&hash, &out.content));
	}
	replace_cancel(&to);
	close(r.fd);
	return err;
}

static const struct received plain = { .length_known = true, .max_bytes = MIB };
static const struct received packed = {
	.is_gzip = true, .length_known = true, .max_bytes = MIB
};
static const struct received unsaid = { .max_bytes = MIB };

static const struct row {
	const char *name, *text;
	const struct received *how;
	const char *reason; /* NULL: it is taken */
} table[] = {
	{ "a list", "a.example\n", &plain, NULL },
	{ "a list without a last newline", "a.example", &plain, NULL },
	{ "the same of unknown length", "a.example", &unsaid, "cut off" },
	{ "a whole list of unknown length", "a.example\n", &unsaid, NULL },
	{ "JSON of unknown length", "{\"list\":[]}", &unsaid, NULL },
	{ "nothing", "", &plain, "empty" },
	{ "a page", "\xef\xbb\xbf \r\n<!DOCTYPE html>\n", &plain, "a web page" },
	{ "an old page", "<HTML>", &plain, "a web page" },
	{ "a list in angle brackets", "<a.example>\n", &plain, NULL },
	{ "no gzip", "a.example\n", &packed, "not gzip" },
	{ "one octet", "\x1f", &packed, "not gzip" },
	{ "damaged gzip", "\x1f\x8b\x08 not really", &plain, "gzip data" },
};

Test(received, a_list_is_taken_and_what_is_plainly_none_is_refused, .init = set_up,
	.fini = tear_down)
{
	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		const struct row *row = &table[i];
		struct err_ctx why;
		char stored[64];
		enum err err = store(row->how, row->text, strlen(row->text), stored, &why);
		cr_expect_eq(
			err, row->reason ? ERR_INPUT : ERR_OK, "%s: %s", row->name, why.text);
		if (row->reason)
			cr_expect(strstr(why.text, row->reason), "%s: %s", row->name, why.text);
		else
			cr_expect_str_eq(stored, row->text, "%s", row->name);
	}
}

Test(received, gzip_on_the_way_is_unpacked_and_a_packed_file_stays_packed, .init = set_up,
	.fini = tear_down)
{
	char gz[128], twice[256], stored[64];
	size_t len = pack(gz, sizeof(gz), "a.example\n", 10);
	size_t twice_len = pack(twice, sizeof(twice), gz, len);
	struct err_ctx why;

	cr_expect_eq(store(&packed, gz, len, stored, &why), ERR_OK, "%s", why.text);
	cr_expect_str_eq(stored, "a.example\n");
	cr_expect_eq(store(&plain, gz, len, stored, &why), ERR_OK, "%s", why.text);
	cr_expect_eq(memcmp(stored, gz, len < 63 ? len : 63), 0);
	cr_expect_eq(store(&packed, twice, twice_len, stored, &why), ERR_OK, "%s", why.text);
	cr_expect_eq(memcmp(stored, gz, len < 63 ? len : 63), 0);
}

Test(received, every_cut_of_a_packed_list_is_refused, .init = set_up, .fini = tear_down)
{
	char gz[128], stored[64];
	size_t len = pack(gz, sizeof(gz), "a.example\nb.example\n", 20);
	struct err_ctx why;

	for (size_t cut = 0; cut < len; cut++)
		cr_expect_eq(store(&packed, gz, cut, stored, &why), ERR_INPUT, "%zu of %zu",
			cut, len);
	/* Of less than it takes to tell gzip, nobody can say what it is. */
	for (size_t cut = 4; cut < len; cut++)
		cr_expect_eq(store(&plain, gz, cut, stored, &why), ERR_INPUT, "%zu of %zu", cut,
			len);
}

Test(received, the_cap_holds_for_what_is_stored_and_for_what_it_is_uncompressed, .init = set_up,
	.fini = tear_down)
{
	char *zeros = malloc(MIB + 1), *gz = malloc(MIB), *twice = malloc(MIB);
	struct err_ctx why;
	char stored[64];

	memset(zeros, '\n', MIB + 1);
	cr_expect_eq(store(&plain, zeros, MIB, stored, &why), ERR_OK, "%s", why.text);
	cr_expect_eq(store(&plain, zeros, MIB + 1, stored, &why), ERR_INPUT);
	size_t len = pack(gz, MIB, zeros, MIB + 1);
	cr_expect_eq(store(&packed, gz, len, stored, &why), ERR_INPUT);
	cr_expect(strstr(why.text, "more than 1 MiB"), "%s", why.text);
	cr_expect_eq(store(&plain, gz, len, stored, &why), ERR_INPUT);
	cr_expect(strstr(why.text, "more than 1 MiB"), "%s", why.text);
	size_t twice_len = pack(twice, MIB, gz, len);
	cr_expect_eq(store(&packed, twice, twice_len, stored, &why), ERR_INPUT);
	free(zeros);
	free(gz);
	free(twice);
}
