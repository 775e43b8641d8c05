/* SPDX-License-Identifier: BSD-2-Clause */
#include "sensor/base/replace.h"

#include <criterion/criterion.h>
#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[64], path[128];

static void set_up(void)
{
	snprintf(folder, sizeof(folder), "/tmp/test_replace.XXXXXX");
	cr_assert_not_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/file", folder);
}

static size_t count_files(void)
{
	DIR *d = opendir(folder);
	size_t count = 0;

	while (readdir(d))
		count++;
	closedir(d);
	return count - 2;
}

static void tear_down(void)
{
	unlink(path);
	cr_expect_eq(rmdir(folder), 0, "nothing else is left");
}

static void write_old(const char *text)
{
	FILE *f = fopen(path, "we");

	fputs(text, f);
	fclose(f);
}

static void expect_content(const char *text)
{
	char got[64] = "";
	FILE *f = fopen(path, "re");

	cr_assert_not_null(f);
	cr_assert_eq(fread(got, 1, sizeof(got) - 1, f), strlen(text));
	fclose(f);
	cr_expect_str_eq(got, text);
}

Test(replace, a_committed_file_takes_the_place_of_the_old_one, .init = set_up,
	.fini = tear_down)
{
	struct replace r;
	struct stat st;

	write_old("old");
	cr_assert(replace_open(&r, path, 0600));
	replace_write(&r, "new ", 4);
	replace_write(&r, "file", 4);
	expect_content("old");
	cr_assert(replace_commit(&r));
	expect_content("new file");
	cr_assert_eq(stat(path, &st), 0);
	cr_expect_eq(st.st_mode & 0777, 0600);
	cr_expect_eq(count_files(), 1);
}

Test(replace, one_that_is_given_up_leaves_the_old_file_alone, .init = set_up, .fini = tear_down)
{
	struct replace r, none = { 0 };

	write_old("old");
	cr_assert(replace_open(&r, path, 0600));
	replace_write(&r, "new", 3);
	replace_cancel(&r);
	replace_cancel(&r);
	replace_cancel(&none);
	expect_content("old");
	cr_expect_eq(count_files(), 1);
}

Test(replace, a_write_that_fails_is_told_at_the_end_and_leaves_the_old_file_alone,
	.init = set_up, .fini = tear_down)
{
	struct rlimit small = { 4, 4 };
	struct replace r;

	signal(SIGXFSZ, SIG_IGN);
	write_old("old");
	cr_assert(replace_open(&r, path, 0600));
	cr_assert_eq(setrlimit(RLIMIT_FSIZE, &small), 0);
	replace_write(&r, "too long", 8);
	replace_write(&r, "x", 1);
	cr_expect_not(replace_commit(&r));
	cr_expect_eq(errno, EFBIG);
	expect_content("old");
	cr_expect_eq(count_files(), 1);
}

Test(replace, what_a_crash_left_is_no_obstacle_and_links_are_not_followed, .init = set_up,
	.fini = tear_down)
{
	struct replace r;
	char left[160];

	write_old("old");
	snprintf(left, sizeof(left), "%s.new", path);
	cr_assert_eq(symlink(path, left), 0);
	cr_assert(replace_open(&r, path, 0600));
	replace_write(&r, "new", 3);
	expect_content("old");
	cr_assert(replace_commit(&r));
	expect_content("new");
}

Test(replace, a_folder_that_does_not_exist_is_said, .init = set_up, .fini = tear_down)
{
	struct replace r;

	cr_expect_not(replace_open(&r, "/nowhere/at/all", 0600));
	cr_expect_eq(errno, ENOENT);
	replace_cancel(&r);
}
