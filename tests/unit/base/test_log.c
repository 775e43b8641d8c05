/* SPDX-License-Identifier: BSD-2-Clause */
#include "sensor/base/log.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int saved_stderr, captured;

/* Standard error into a file, which is what the log writes to from here on. */
static void capture(void)
{
	char path[] = "/tmp/test_log.XXXXXX";

	unsetenv("JOURNAL_STREAM");
	captured = mkstemp(path);
	cr_assert_neq(captured, -1);
	unlink(path);
	saved_stderr = dup(STDERR_FILENO);
	dup2(captured, STDERR_FILENO);
}

static void restore(void)
{
	dup2(saved_stderr, STDERR_FILENO);
	close(saved_stderr);
	close(captured);
}

/* Standard error back, and compare what was said (after the program's name, which is ours). */
static void expect(const char *want)
{
	char got[4096];
	ssize_t len = pread(captured, got, sizeof(got) - 1, 0);

	cr_assert_neq(len, -1);
	got[len] = '\0';
	restore();
	cr_assert_str_eq(got, want, "got:  %s\nwant: %s", got, want);
}

TestSuite(log, .init = capture);

Test(log, lines_carry_the_programs_name_and_the_level)
{
	char want[512];
	const char *me = program_invocation_short_name;

	log_error("cannot open %s", "a.pcap");
	log_warning("feed is %d days old", 9);
	log_notice("reloaded");
	snprintf(want, sizeof(want),
		"%s: error: cannot open a.pcap\n"
		"%s: warning: feed is 9 days old\n"
		"%s: reloaded\n",
		me, me, me);
	expect(want);
}

Test(log, lines_above_the_level_are_not_written)
{
	char want[512];

	log_debug("hidden by default");
	log_set_level(LOG_LEVEL_ERROR);
	log_notice("hidden");
	log_warning("hidden");
	log_set_level(LOG_LEVEL_DEBUG);
	log_debug("shown");
	snprintf(want, sizeof(want), "%s: debug: shown\n", program_invocation_short_name);
	expect(want);
}

Test(log, the_journal_gets_priorities)
{
	struct stat st;
	char stream[64];

	fstat(STDERR_FILENO, &st);
	snprintf(stream, sizeof(stream), "%llu:%llu", (unsigned long long)st.st_dev,
		(unsigned long long)st.st_ino);
	setenv("JOURNAL_STREAM", stream, 1);
	log_error("a");
	log_warning("b");
	log_notice("c");
	expect("<3>error: a\n<4>warning: b\n<5>c\n");
}

Test(log, a_journal_that_is_not_standard_error_is_ignored)
{
	char want[512];

	setenv("JOURNAL_STREAM", "1:1", 1);
	log_notice("to a terminal below a service");
	snprintf(want, sizeof(want), "%s: to a terminal below a service\n",
		program_invocation_short_name);
	expect(want);
}

Test(log, what_is_quoted_cannot_break_the_line)
{
	char want[512];

	log_notice("name '%s'", "a\nb\x1b[2J");
	snprintf(want, sizeof(want), "%s: name 'a b [2J'\n", program_invocation_short_name);
	expect(want);
}

Test(log, a_long_line_is_cut_and_still_ends)
{
	char big[4000], got[4096];

	memset(big, 'x', sizeof(big) - 1);
	big[sizeof(big) - 1] = '\0';
	log_notice("%s", big);
	ssize_t len = pread(captured, got, sizeof(got), 0);
	restore();
	cr_assert_gt(len, 1000);
	cr_assert_lt(len, (ssize_t)sizeof(big));
	cr_assert_eq(got[len - 1], '\n');
	cr_assert_eq(memchr(got, '\n', (size_t)len), got + len - 1, "one line");
}
