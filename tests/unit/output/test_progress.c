/* SPDX-License-Identifier: BSD-2-Clause */
#include "sensor/output/progress.h"

#include "sensor/base/clock.h"

#include <criterion/criterion.h>
#include <pty.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MB (UINT64_C(1) << 20)

static int from, to;
static struct progress p;

static void over_pipe(enum progress_mode mode)
{
	int fds[2];

	cr_assert_eq(pipe(fds), 0);
	from = fds[0];
	to = fds[1];
	progress_init(&p, mode, to, 0);
}

static void over_terminal(enum progress_mode mode, unsigned short columns)
{
	struct winsize size = { .ws_row = 24, .ws_col = columns };

	setenv("TERM", "xterm", 1);
	cr_assert_eq(openpty(&from, &to, NULL, NULL, &size), 0);
	progress_init(&p, mode, to, 0);
}

/* Everything written so far. A mark behind it ends the reading, which a terminal does in parts. */
static const char *seen(void)
{
	static char text[4096];
	size_t len = 0;

	cr_assert_eq(write(to, "#", 1), 1);
	while (len == 0 || text[len - 1] != '#') {
		ssize_t n = read(from, text + len, sizeof(text) - len);
		cr_assert_gt(n, 0);
		len += (size_t)n;
	}
	text[len - 1] = '\0';
	return text;
}

static const struct {
	const char *name;
	struct progress_facts facts;
	int64_t at_ms;
	const char *want;
} lines[] = {
	{ "half way", { 50 * MB, 100 * MB, 20000, 17 }, 10000,
		" 50%  50 MB of 100 MB  2000 packets/s  17 alerts  10s left\n" },
	{ "one alert, long way", { MB, 7201 * MB, 1, 1 }, 2000,
		"  0%  1 MB of 7 GB  0 packets/s  1 alert  4h left\n" },
	{ "done", { 100 * MB, 100 * MB, 1000000, 0 }, 2000,
		"100%  100 MB of 100 MB  500000 packets/s  0 alerts  0s left\n" },
	{ "file grew", { 110 * MB, 100 * MB, 0, 0 }, 2000,
		"100%  110 MB of 100 MB  0 packets/s  0 alerts  0s left\n" },
	{ "length unknown", { 3 * MB, 0, 20, 0 }, 2000, "3 MB  10 packets/s  0 alerts\n" },
	{ "nothing read yet", { 0, 100 * MB, 0, 0 }, 2000,
		"  0%  0 B of 100 MB  0 packets/s  0 alerts\n" },
};

Test(progress, says_how_far_how_fast_and_how_long)
{
	for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
		over_pipe(PROGRESS_ALWAYS);
		progress_update(&p, &lines[i].facts, lines[i].at_ms * NS_PER_MS);
		const char *got = seen();
		cr_expect_str_eq(got, lines[i].want, "%s: %s", lines[i].name, got);
		close(from);
		close(to);
	}
}

Test(progress, lines_come_every_two_seconds_and_at_the_end)
{
	struct progress_facts facts = { MB, 2 * MB, 1, 0 };

	over_pipe(PROGRESS_ALWAYS);
	progress_update(&p, &facts, 1999 * NS_PER_MS);
	cr_expect_str_empty(seen());
	progress_update(&p, &facts, 2000 * NS_PER_MS);
	cr_expect_neq(seen()[0], '\0');
	progress_update(&p, &facts, 3999 * NS_PER_MS);
	cr_expect_str_empty(seen());
	progress_end(&p, &facts, 4000 * NS_PER_MS);
	cr_expect_neq(seen()[0], '\0');
	progress_update(&p, &facts, 9000 * NS_PER_MS);
	progress_end(&p, &facts, 9000 * NS_PER_MS);
	cr_expect_str_empty(seen(), "silent after the end");
}

Test(progress, on_a_terminal_the_line_is_redrawn_and_wiped)
{
	struct progress_facts facts = { MB, 2 * MB, 1, 0 };

	over_terminal(PROGRESS_AUTO, 80);
	progress_update(&p, &facts, 199 * NS_PER_MS);
	cr_expect_str_empty(seen());
	progress_update(&p, &facts, 200 * NS_PER_MS);
	const char *got = seen();
	cr_expect_eq(strncmp(got, "\r 50%", 5), 0, "%s", got);
	cr_expect_str_eq(got + strlen(got) - 3, "\033[K");
	cr_expect_null(strchr(got, '\n'));
	progress_end(&p, &facts, 300 * NS_PER_MS);
	cr_expect_str_eq(seen(), "\r\033[K");
}

Test(progress, a_line_that_was_never_drawn_is_not_wiped)
{
	struct progress_facts facts = { 0 };

	over_terminal(PROGRESS_AUTO, 80);
	progress_end(&p, &facts, 1);
	cr_expect_str_empty(seen());
}

Test(progress, is_cut_to_a_narrow_terminal)
{
	struct progress_facts facts = { MB, 2 * MB, 1, 0 };

	over_terminal(PROGRESS_AUTO, 20);
	progress_update(&p, &facts, NS_PER_S);
	cr_expect_str_eq(seen(), "\r 50%  1 MB of 2 MB \033[K");
}

Test(progress, auto_is_silent_without_a_terminal_and_never_always)
{
	struct progress_facts facts = { MB, 2 * MB, 1, 0 };

	over_pipe(PROGRESS_AUTO);
	progress_update(&p, &facts, 9 * NS_PER_S);
	progress_end(&p, &facts, 9 * NS_PER_S);
	cr_expect_str_empty(seen());
	over_terminal(PROGRESS_NEVER, 80);
	progress_update(&p, &facts, 9 * NS_PER_S);
	progress_end(&p, &facts, 9 * NS_PER_S);
	cr_expect_str_empty(seen());
}

Test(progress, modes_are_known_by_their_words)
{
	enum progress_mode mode = PROGRESS_AUTO;

	cr_expect(progress_mode_parse(&mode, "always"));
	cr_expect_eq(mode, PROGRESS_ALWAYS);
	cr_expect(progress_mode_parse(&mode, "never"));
	cr_expect_eq(mode, PROGRESS_NEVER);
	cr_expect(progress_mode_parse(&mode, "auto"));
	cr_expect_eq(mode, PROGRESS_AUTO);
	cr_expect_not(progress_mode_parse(&mode, "yes"));
	cr_expect_not(progress_mode_parse(&mode, ""));
}
