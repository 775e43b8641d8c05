/* SPDX-License-Identifier: BSD-2-Clause */
#include "sensor/app/watch.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sensor/base/clock.h"

/* Time is what the test says it is; only the files are real. */
#define QUIET (WATCH_QUIET_MS * NS_PER_MS)

static char folder[] = "/tmp/dynwatch-watch-XXXXXX";
static char path[64], beside[64], other[64];
static struct watch *watch;
static int64_t now = 1000 * NS_PER_S;

static void write_file(const char *to, const char *mode, const char *content)
{
	FILE *file = fopen(to, mode);

	cr_assert_not_null(file, "%s", to);
	fputs(content, file);
	cr_assert_eq(fclose(file), 0);
}

static void start(void)
{
	cr_assert_not_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/feed", folder);
	snprintf(beside, sizeof(beside), "%s/feed.part", folder);
	snprintf(other, sizeof(other), "%s/other", folder);
	write_file(path, "w", "one\n");
	watch = watch_new();
	cr_assert_not_null(watch);
	cr_assert(watch_files(watch, (const char *const[]){ path }, 1));
	cr_assert_neq(watch_fd(watch), -1);
	cr_assert_not(watch_is_due(watch, now));
}

static void end(void)
{
	watch_free(watch);
	unlink(path);
	unlink(beside);
	unlink(other);
	rmdir(folder);
}

TestSuite(watch, .init = start, .fini = end);

static bool due_after(int64_t ns)
{
	now += ns;
	watch_read(watch, now);
	return watch_is_due(watch, now);
}

Test(watch, nothing_happens_nothing_is_due)
{
	cr_assert_not(due_after(QUIET));
	cr_assert_not(due_after(WATCH_LOOK_S * NS_PER_S));
	cr_assert_gt(watch_timeout_ms(watch, now), 1000);
}

Test(watch, a_file_that_was_written_is_due_once_it_is_quiet)
{
	write_file(path, "w", "two words\n");
	cr_assert_not(due_after(0));
	cr_assert_leq(watch_timeout_ms(watch, now), WATCH_QUIET_MS + 1);
	cr_assert_not(due_after(QUIET - 1));
	cr_assert(due_after(1));
	cr_assert_not(due_after(QUIET), "once");
}

Test(watch, a_file_renamed_into_its_place_is_due)
{
	write_file(beside, "w", "other content\n");
	cr_assert_eq(rename(beside, path), 0);
	cr_assert_not(due_after(0));
	cr_assert(due_after(QUIET));
}

Test(watch, a_file_that_goes_or_comes_is_due)
{
	unlink(path);
	cr_assert_not(due_after(0));
	cr_assert(due_after(QUIET));
	write_file(path, "w", "again\n");
	cr_assert_not(due_after(0));
	cr_assert(due_after(QUIET));
}

Test(watch, a_link_is_followed_when_it_changes)
{
	write_file(other, "w", "linked to\n");
	unlink(path);
	cr_assert_eq(symlink(other, path), 0);
	cr_assert_not(due_after(0));
	cr_assert(due_after(QUIET));
	/* From then on, when its files are watched anew, so is what it leads to. */
	cr_assert(watch_files(watch, (const char *const[]){ path }, 1));
	cr_assert_not(due_after(0));
	write_file(other, "w", "another content\n");
	cr_assert_not(due_after(0));
	cr_assert(due_after(QUIET));
}

Test(watch, who_still_writes_is_waited_for)
{
	FILE *file = fopen(path, "w");

	cr_assert_not_null(file);
	fputs("half\n", file);
	fflush(file);
	cr_assert_not(due_after(0));
	cr_assert_not(due_after(QUIET), "half of it is there");
	cr_assert_not(due_after(QUIET));
	fputs("whole\n", file);
	fclose(file);
	cr_assert_not(due_after(QUIET), "it is told of only now");
	cr_assert(due_after(QUIET));
}

Test(watch, but_not_for_ever)
{
	FILE *file = fopen(path, "w");
	int rounds = 0;

	cr_assert_not_null(file);
	fputs("half\n", file);
	fflush(file);
	cr_assert_not(due_after(0));
	while (!due_after(QUIET) && rounds < 1000)
		rounds++;
	cr_assert_leq(rounds, WATCH_WRITING_MAX_S * 1000 / WATCH_QUIET_MS + 1);
	fclose(file);
}

Test(watch, other_files_of_the_folder_are_no_reason)
{
	write_file(other, "w", "something\n");
	cr_assert_not(due_after(0));
	cr_assert_not(due_after(QUIET));
	/* Nor one to wait: a log is written all the time. */
	write_file(path, "w", "new content\n");
	cr_assert_not(due_after(0));
	now += QUIET;
	write_file(other, "a", "something\n");
	cr_assert(due_after(0));
}

Test(watch, a_file_written_with_what_it_had_is_due_by_its_time)
{
	usleep(20000); /* so that the time of the file is another */
	write_file(path, "w", "one\n");
	cr_assert_not(due_after(0));
	cr_assert(due_after(QUIET));
}

Test(watch, what_inotify_does_not_tell_is_found_within_a_minute)
{
	/* Nothing is read from the descriptor: as if nothing had come. */
	write_file(path, "w", "changed in silence\n");
	cr_assert_not(watch_is_due(watch, now + QUIET));
	cr_assert(watch_is_due(watch, now + WATCH_LOOK_S * NS_PER_S));
}

Test(watch, files_in_folders_that_are_not_there_are_waited_for)
{
	char far[96];

	snprintf(far, sizeof(far), "%s/none/feed", folder);
	cr_assert(watch_files(watch, (const char *const[]){ far }, 1));
	cr_assert_not(due_after(0));
	cr_assert_not(due_after(WATCH_LOOK_S * NS_PER_S));
}
