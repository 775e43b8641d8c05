/* SPDX-License-Identifier: BSD-2-Clause */
#include "sensor/output/console.h"

#include "sensor/base/attribute.h"
#include "tests/unit/output/sample.h"

#include <criterion/criterion.h>
#include <criterion/redirect.h>
#include <fcntl.h>
#include <pty.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

static struct alert a;

/* What the table writes for the alert in this style, head line included. */
static const char *written(struct console_style style, int times)
{
	static char text[16384];
	struct sink *sink;
	struct err_ctx why;
	struct sink_record record = { &a, "id", "{}", 2 };
	int fds[2];

	cr_assert_eq(pipe(fds), 0);
	cr_assert_eq(console_open(&sink, fds[1], style, &why), ERR_OK);
	for (int i = 0; i < times; i++)
		sink->api->write(sink, &record);
	sink->api->flush(sink);
	sink->api->close(sink, 0);
	cr_expect_eq(sink_lost(sink), 0);
	sink->api->free(sink);
	close(fds[1]);
	ssize_t n = read(fds[0], text, sizeof(text) - 1);
	text[n > 0 ? n : 0] = '\0';
	close(fds[0]);
	return text;
}

static void make(const char *client, const char *message)
{
	sample_plain(&a, "k", SAMPLE_NOON_NS + 125 * SAMPLE_S);
	a.has_source = client != NULL;
	cr_assert(!client || ip_parse(&a.source, client));
	a.message = alert_put(&a, message);
}

#define HEAD                                                                                   \
	"time (UTC)      severity  tenant      client           rule                      "    \
	"message\n"
#define HEAD_NO_RULE       "time (UTC)      severity  tenant      client           message\n"
#define HEAD_NO_TENANT     "time (UTC)      severity  client           message\n"
#define HEAD_NO_TENANT_CUT "time (UTC)      severity  client           me…\n"
#define M40                "1234567890123456789012345678901234567890"

static const struct {
	const char *name;
	unsigned width;
	const char *client, *message;
	const char *want;
} rows[] = {
	{ "no limit", 0, "10.1.0.9", M40 M40 M40,
		HEAD "11-22 12:02:05  medium    acme        10.1.0.9         lookup.unapproved"
		     "         " M40 M40 M40 "\n" },
	{ "no client", 0, NULL, "x",
		HEAD "11-22 12:02:05  medium    acme        -                lookup.unapproved"
		     "         x\n" },
	{ "long client pushes", 0, "2001:db8:1234:5678:9abc:def0:1234:5678", "x",
		HEAD "11-22 12:02:05  medium    acme        "
		     "2001:db8:1234:5678:9abc:def0:1234:5678  lookup.unapproved         x\n" },
	{ "one column too few for the rule", 118, "10.1.0.9", "x",
		HEAD_NO_RULE "11-22 12:02:05  medium    acme        10.1.0.9         x\n" },
	{ "just wide enough for the rule", 119, "10.1.0.9", "x",
		HEAD "11-22 12:02:05  medium    acme        10.1.0.9         lookup.unapproved"
		     "         x\n" },
	{ "narrow, message fits with room", 84, "10.1.0.9", M40,
		HEAD_NO_TENANT "11-22 12:02:05  medium    10.1.0.9         " M40 "\n" },
	{ "narrow, message fits to the last column", 83, "10.1.0.9", M40,
		HEAD_NO_TENANT "11-22 12:02:05  medium    10.1.0.9         " M40 "\n" },
	{ "narrow, message is cut by one", 82, "10.1.0.9", M40,
		HEAD_NO_TENANT "11-22 12:02:05  medium    10.1.0.9         "
			       "12345678901234567890123456789012345678…\n" },
	{ "hopeless", 20, "10.1.0.9", "x", "time (UTC)      sev…\n11-22 12:02:05  med…\n" },
	{ "one column", 1, "10.1.0.9", "x", "…\n…\n" },
	{ "umlaut is one column", 46, "10.1.0.9", "m\xc3\xbcn",
		HEAD_NO_TENANT_CUT "11-22 12:02:05  medium    10.1.0.9         m\xc3\xbcn\n" },
	{ "control characters", 0, NULL, "a\x1b[2Jb\x07\x7f\nc\xc2\x9bz\xff",
		HEAD "11-22 12:02:05  medium    acme        -                lookup.unapproved"
		     "         a?[2Jb???c??z?\n" },
};

Test(console, writes_a_line_that_fits)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct console_style style = { .width = rows[i].width };
		make(rows[i].client, rows[i].message);
		const char *got = written(style, 1);
		cr_expect_str_eq(
			got, rows[i].want, "%s:\n%s%s", rows[i].name, got, rows[i].want);
	}
}

Test(console, a_closing_alert_shows_its_number_where_it_is_not_cut)
{
	make("10.1.0.9", M40 " (41 more times until 12:31 UTC)");
	a.suppressed = 41;
	cr_expect(
		strstr(written((struct console_style){ .width = 60 }, 1), "  (+41) 123456789"));
}

Test(console, the_head_comes_once)
{
	make("10.1.0.9", "x");
	const char *got = written((struct console_style){ .width = 0 }, 3);
	int lines = 0;
	for (const char *at = got; *at; at++)
		lines += *at == '\n';
	cr_expect_eq(lines, 4, "%s", got);
	cr_expect_null(strstr(strstr(got, "severity") + 1, "severity"));
}

Test(console, colours_the_severity_and_nothing_runs_over)
{
	static const struct {
		enum severity severity;
		const char *want;
	} colours[] = {
		{ SEVERITY_INFO, "\033[2minfo\033[0m " },
		{ SEVERITY_LOW, "\033[36mlow\033[0m " },
		{ SEVERITY_MEDIUM, "\033[33mmedium\033[0m " },
		{ SEVERITY_HIGH, "\033[31mhigh\033[0m " },
		{ SEVERITY_CRITICAL, "\033[1;97;41mcritical\033[0m " },
	};

	for (size_t i = 0; i < ARRAY_LEN(colours); i++) {
		make("10.1.0.9", "x");
		a.severity = (uint8_t)colours[i].severity;
		const char *got = written((struct console_style){ .colour = true }, 1);
		cr_expect(strstr(got, colours[i].want), "%s", got);
		got = written((struct console_style){ .colour = false }, 1);
		cr_expect_null(strchr(got, '\033'), "%s", got);
	}
}

Test(console, wipes_a_progress_line_before_a_row)
{
	make("10.1.0.9", "x");
	const char *got = written((struct console_style){ .escapes = true }, 1);
	cr_expect_eq(strncmp(got, "\r\033[Ktime", 8), 0, "%s", got);
	cr_expect(strstr(got, "\n\r\033[K11-22"), "%s", got);
}

static const struct {
	const char *name, *no_color, *term;
	bool terminal, colour, escapes;
	unsigned width;
} styles[] = {
	{ "terminal", NULL, "xterm", true, true, true, 123 },
	{ "NO_COLOR", "1", "xterm", true, false, true, 123 },
	{ "empty NO_COLOR is none", "", "xterm", true, true, true, 123 },
	{ "dumb terminal", NULL, "dumb", true, false, false, 123 },
	{ "no TERM", NULL, NULL, true, false, false, 123 },
	{ "pipe", NULL, "xterm", false, false, false, 0 },
};

static void set_env(const char *key, const char *value)
{
	if (value)
		setenv(key, value, 1);
	else
		unsetenv(key);
}

Test(console, style_is_that_of_the_place_it_writes_to)
{
	struct winsize size = { .ws_row = 24, .ws_col = 123 };
	int master, slave, fds[2];

	cr_assert_eq(openpty(&master, &slave, NULL, NULL, &size), 0);
	cr_assert_eq(pipe(fds), 0);
	for (size_t i = 0; i < ARRAY_LEN(styles); i++) {
		set_env("NO_COLOR", styles[i].no_color);
		set_env("TERM", styles[i].term);
		struct console_style style =
			console_style_of(styles[i].terminal ? slave : fds[1]);
		cr_expect_eq(style.colour, styles[i].colour, "%s", styles[i].name);
		cr_expect_eq(style.escapes, styles[i].escapes, "%s", styles[i].name);
		cr_expect_eq(style.width, styles[i].width, "%s", styles[i].name);
	}
	close(master);
	close(slave);
	close(fds[0]);
	close(fds[1]);
}

Test(console, what_cannot_be_shown_is_counted)
{
	struct sink *sink;
	struct err_ctx why;
	struct sink_record record = { &a, "id", "{}", 2 };
	int null = open("/dev/null", O_RDONLY);

	cr_redirect_stderr();
	make("10.1.0.9", "x");
	cr_assert_eq(
		console_open(&sink, null, (struct console_style){ .width = 0 }, &why), ERR_OK);
	sink->api->write(sink, &record);
	sink->api->write(sink, &record);
	cr_expect_eq(sink_lost(sink), 2);
	sink->api->free(sink);
	close(null);
}
