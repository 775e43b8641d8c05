/* SPDX-License-Identifier: BSD-2-Clause */
#include "tools/dynwatch-feeds/key.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sensor/base/attribute.h"

static char path[64];

static void set_up(void)
{
	snprintf(path, sizeof(path), "/tmp/test_key.XXXXXX");
	close(mkstemp(path));
}

static void tear_down(void)
{
	unlink(path);
}

static void put(const char *bytes, size_t len)
{
	FILE *f = fopen(path, "we");

	cr_assert_eq(fwrite(bytes, 1, len, f), len);
	fclose(f);
}

static void expect_refused(const char *reason)
{
	struct err_ctx why = { "" };
	char *key;

	cr_expect_eq(key_load(&key, path, &why), ERR_FAILED, "%s", reason);
	cr_expect_null(key);
	cr_expect(strstr(why.text, reason), "%s: %s", reason, why.text);
	cr_expect(strstr(why.text, path), "%s", why.text);
	cr_expect_not(strstr(why.text, "s3cret"), "%s", why.text);
}

Test(key, the_first_line_is_the_key, .init = set_up, .fini = tear_down)
{
	static const char *const files[] = { "s3cret", "s3cret\n", "s3cret\r\n",
		"s3cret\nwhat it is for\n" };

	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		struct err_ctx why;
		char *key;
		put(files[i], strlen(files[i]));
		cr_assert_eq(key_load(&key, path, &why), ERR_OK, "%zu: %s", i, why.text);
		cr_expect_str_eq(key, "s3cret", "%zu", i);
		key_free(key);
	}
}

Test(key, what_a_header_cannot_carry_is_refused_and_not_shown, .init = set_up,
	.fini = tear_down)
{
	char many[KEY_MAX + 10];

	put("", 0);
	expect_refused("is empty");
	put("\ns3cret\n", 8);
	expect_refused("is empty");
	put("s3cret\ta", 8);
	expect_refused("printable ASCII");
	put("s3cr\xc3\xa9t", 7);
	expect_refused("printable ASCII");
	memset(many, 'k', sizeof(many));
	put(many, sizeof(many));
	expect_refused("too long");
}

Test(key, a_file_that_others_may_touch_is_refused, .init = set_up, .fini = tear_down)
{
	static const mode_t modes[] = { 0640, 0620, 0604, 0602, 0610, 0644, 0666 };

	put("s3cret", 6);
	for (size_t i = 0; i < ARRAY_LEN(modes); i++) {
		cr_assert_eq(chmod(path, modes[i]), 0);
		expect_refused("group or others");
	}
	unlink(path);
	expect_refused("No such file");
	cr_assert_eq(mkdir(path, 0700), 0);
	expect_refused("not a regular file");
	rmdir(path);
}
