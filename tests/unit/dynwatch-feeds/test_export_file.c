/* SPDX-License-Identifier: BSD-2-Clause */
#include "tools/dynwatch-feeds/export_file.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sensor/base/attribute.h"

Test(export_file, a_serial_is_later_than_the_one_before)
{
	static const struct {
		const char *name;
		uint32_t last, wanted, next;
	} rows[] = {
		{ "later", 10, 20, 20 },
		{ "the next", 10, 11, 11 },
		{ "the same", 10, 10, 11 },
		{ "earlier", 20, 10, 21 },
		{ "as far as can be", 10, 10 + (UINT32_C(1) << 31) - 1,
			10 + (UINT32_C(1) << 31) - 1 },
		{ "farther is earlier", 10, 10 + (UINT32_C(1) << 31), 11 },
		{ "round the end", 4294967290, 5, 5 },
		{ "at the end", 4294967295, 4294967295, 1 },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		cr_expect_eq(export_file_next_serial(rows[i].last, rows[i].wanted),
			rows[i].next, "%s: %u", rows[i].name,
			export_file_next_serial(rows[i].last, rows[i].wanted));
}

static char path[64];

static void start(void)
{
	static char folder[] = "/tmp/dynwatch-export-XXXXXX";

	cr_assert(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/file", folder);
}

static void end(void)
{
	(void)unlink(path);
	*strrchr(path, '/') = '\0';
	cr_expect_eq(rmdir(path), 0, "something is left in %s", path);
}

TestSuite(export_file_disk, .init = start, .fini = end);

static void put(const char *content)
{
	FILE *file = fopen(path, "w");

	cr_assert(file);
	fputs(content, file);
	fclose(file);
}

static void write_over(const char *content, long serial_at, bool unchanged)
{
	struct export_file f;
	struct err_ctx why;
	bool was_unchanged;

	cr_assert_eq(export_file_open(&f, path, &why), ERR_OK, "%s", why.text);
	fputs(content, f.out);
	cr_assert_eq(export_file_finish(&f, serial_at, 42, &was_unchanged, &why), ERR_OK, "%s",
		why.text);
	cr_expect_eq(was_unchanged, unchanged, "'%s'", content);
}

static void expect_content(const char *expected)
{
	char content[128];
	FILE *file = fopen(path, "r");

	cr_assert(file);
	content[fread(content, 1, sizeof(content) - 1, file)] = '\0';
	cr_expect_str_eq(content, expected);
	fclose(file);
}

Test(export_file_disk, only_what_differs_gets_the_new_serial)
{
	write_over("         7 ; serial\nx\n", 0, false);
	write_over("         7 ; serial\nx\n", 0, true);
	expect_content("         7 ; serial\nx\n");
	put("\t         7 ; serial\nx\n");
	write_over("\t         7 ; serial\ny\n", 1, false);
	expect_content("\t        42 ; serial\ny\n");
}

Test(export_file_disk, a_serial_is_found_where_this_program_writes_it)
{
	static const struct {
		const char *content;
		uint32_t serial; /* 0: there is none */
	} rows[] = {
		{ "; x\n@ SOA a. b. (\n\t1795379214 ; serial\n", 1795379214 },
		{ "\t         1 ; serial\n", 1 },
		{ "\t4294967295 ; serial\n", 4294967295 },
		{ "\t4294967296 ; serial\n", 0 },
		{ "\t      nine ; serial\n", 0 },
		{ "1 ; serial\n", 0 },
		{ " ; serial\n", 0 },
		{ "", 0 },
		{ "0.0.0.0 x.example\n", 0 },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct export_file f;
		struct err_ctx why;
		uint32_t serial = 0;
		put(rows[i].content);
		cr_assert_eq(export_file_open(&f, path, &why), ERR_OK, "%s", why.text);
		bool found = export_file_serial(&f, &serial);
		cr_expect_eq(found, rows[i].serial != 0, "'%s'", rows[i].content);
		cr_expect(!found || serial == rows[i].serial, "'%s': %u", rows[i].content,
			serial);
		export_file_cancel(&f);
		expect_content(rows[i].content);
	}
}

Test(export_file_disk, what_is_given_up_leaves_nothing)
{
	struct export_file f;
	struct err_ctx why;

	cr_assert_eq(export_file_open(&f, path, &why), ERR_OK, "%s", why.text);
	fputs("x", f.out);
	export_file_cancel(&f);
	cr_expect_eq(access(path, F_OK), -1);
}
