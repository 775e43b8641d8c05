/* SPDX-License-Identifier: BSD-2-Clause */
#include "sensor/output/jsonl.h"

#include "tests/unit/output/sample.h"

#include <criterion/criterion.h>
#include <criterion/redirect.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

static char dir[] = "/tmp/test_jsonl.XXXXXX";
static char path[64], rotated[64];
static struct sink *sink;

static void set_up(void)
{
	cr_redirect_stderr();
	cr_assert_not_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/alerts.jsonl", dir);
	snprintf(rotated, sizeof(rotated), "%s/alerts.jsonl.1", dir);
}

static void tear_down(void)
{
	unlink(path);
	unlink(rotated);
	rmdir(dir);
}

TestSuite(jsonl, .init = set_up, .fini = tear_down);

static void open_file(enum jsonl_mode mode)
{
	struct err_ctx why = { "" };

	cr_assert_eq(jsonl_open(&sink, path, mode, &why), ERR_OK, "%s", why.text);
}

static void write_line(const char *json)
{
	struct alert a;
	struct sink_record record = { &a, "id", json, strlen(json) };

	sample_plain(&a, "k", SAMPLE_NOON_NS);
	sink->api->write(sink, &record);
}

static const char *content_of(const char *at)
{
	static char text[1 << 20];
	FILE *f = fopen(at, "r");

	if (!f)
		return "(no file)";
	text[fread(text, 1, sizeof(text) - 1, f)] = '\0';
	fclose(f);
	return text;
}

Test(jsonl, writes_a_line_each_and_not_before_the_flush)
{
	open_file(JSONL_APPEND);
	write_line("{\"a\":1}");
	write_line("{\"a\":2}");
	cr_expect_str_empty(content_of(path));
	sink->api->flush(sink);
	cr_expect_str_eq(content_of(path), "{\"a\":1}\n{\"a\":2}\n");
	write_line("{\"a\":3}");
	sink->api->close(sink, 0);
	cr_expect_str_eq(content_of(path), "{\"a\":1}\n{\"a\":2}\n{\"a\":3}\n");
	cr_expect_eq(sink_lost(sink), 0);
	sink->api->free(sink);
}

Test(jsonl, a_full_buffer_does_not_wait_for_the_flush)
{
	static char line[1000];

	memset(line, 'x', sizeof(line) - 1);
	open_file(JSONL_APPEND);
	for (int i = 0; i < 70; i++)
		write_line(line);
	cr_expect_gt(strlen(content_of(path)), JSONL_BUFFER_BYTES - 1);
	sink->api->free(sink);
	cr_expect_eq(strlen(content_of(path)), 70 * 1000);
}

Test(jsonl, a_log_is_appended_to_and_a_result_replaced)
{
	for (int i = 0; i < 2; i++) {
		open_file(JSONL_APPEND);
		write_line("1");
		sink->api->free(sink);
	}
	cr_expect_str_eq(content_of(path), "1\n1\n");
	open_file(JSONL_TRUNCATE);
	write_line("2");
	sink->api->free(sink);
	cr_expect_str_eq(content_of(path), "2\n");
}

Test(jsonl, the_file_is_not_for_everybody)
{
	struct stat st;

	umask(0);
	open_file(JSONL_APPEND);
	sink->api->free(sink);
	cr_assert_eq(stat(path, &st), 0);
	cr_expect_eq(st.st_mode & 07777, 0640);
}

Test(jsonl, follows_a_renamed_file_at_the_next_flush)
{
	open_file(JSONL_APPEND);
	write_line("1");
	sink->api->flush(sink);
	cr_assert_eq(rename(path, rotated), 0);
	write_line("2"); /* buffered before the rotation was seen: goes to the old file */
	sink->api->flush(sink);
	write_line("3");
	sink->api->flush(sink);
	cr_expect_str_eq(content_of(rotated), "1\n2\n");
	cr_expect_str_eq(content_of(path), "3\n");
	sink->api->free(sink);
}

Test(jsonl, follows_a_removed_file_and_one_put_in_its_place)
{
	open_file(JSONL_APPEND);
	unlink(path);
	sink->api->flush(sink);
	write_line("1");
	sink->api->flush(sink);
	cr_expect_str_eq(content_of(path), "1\n");
	unlink(path);
	close(open(rotated, O_CREAT | O_WRONLY, 0600));
	cr_assert_eq(rename(rotated, path), 0);
	sink->api->flush(sink);
	write_line("2");
	sink->api->free(sink);
	cr_expect_str_eq(content_of(path), "2\n");
}

Test(jsonl, reopen_makes_the_file_anew)
{
	open_file(JSONL_APPEND);
	write_line("1");
	cr_assert_eq(unlink(path), 0);
	sink->api->reopen(sink);
	write_line("2");
	sink->api->free(sink);
	cr_expect_str_eq(content_of(path), "2\n");
}

Test(jsonl, a_file_that_cannot_be_opened_is_an_error_with_its_path)
{
	struct err_ctx why = { "" };

	cr_expect_eq(jsonl_open(&sink, "/nonexistent/alerts", JSONL_APPEND, &why), ERR_FAILED);
	cr_expect(strstr(why.text, "/nonexistent/alerts"), "%s", why.text);
}

/* A file system that takes only so many bytes: RLIMIT_FSIZE in place of a full disk. */
static void limit_file(rlim_t bytes)
{
	struct rlimit limit = { bytes, RLIM_INFINITY };

	signal(SIGXFSZ, SIG_IGN);
	cr_assert_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

Test(jsonl, a_full_disk_tears_no_line_and_loses_none_when_it_has_room_again)
{
	open_file(JSONL_APPEND);
	write_line("11111111");
	limit_file(13); /* a line and a half */
	write_line("22222222");
	sink->api->flush(sink);
	sink->api->flush(sink);
	cr_expect_eq(strlen(content_of(path)), 13);
	write_line("33333333");
	limit_file(RLIM_INFINITY);
	sink->api->flush(sink);
	cr_expect_str_eq(content_of(path), "11111111\n22222222\n33333333\n");
	cr_expect_eq(sink_lost(sink), 0);
	sink->api->free(sink);
}

Test(jsonl, what_a_full_disk_never_took_is_counted)
{
	open_file(JSONL_APPEND);
	limit_file(13);
	write_line("11111111");
	write_line("22222222");
	write_line("33333333");
	sink->api->close(sink, 0);
	limit_file(RLIM_INFINITY);
	cr_expect_eq(sink_lost(sink), 2);
	sink->api->free(sink);
}

Test(jsonl, a_torn_line_is_not_continued_in_another_file)
{
	open_file(JSONL_APPEND);
	limit_file(13);
	write_line("11111111");
	write_line("22222222");
	write_line("33");
	sink->api->flush(sink);
	cr_assert_eq(rename(path, rotated), 0);
	sink->api->flush(sink);
	cr_expect_str_eq(content_of(path), "33\n");
	cr_expect_eq(sink_lost(sink), 1);
	limit_file(RLIM_INFINITY);
	sink->api->free(sink);
}

Test(jsonl, memory_is_bounded_while_nothing_can_be_written)
{
	static char line[100001];

	memset(line, 'x', sizeof(line) - 1);
	open_file(JSONL_APPEND);
	limit_file(0);
	for (int i = 0; i < 200; i++) /* 20 MB */
		write_line(line);
	cr_expect_eq(sink_lost(sink), 200 - JSONL_PENDING_MAX / 100001);
	sink->api->close(sink, 0);
	cr_expect_eq(sink_lost(sink), 200);
	limit_file(RLIM_INFINITY);
	sink->api->free(sink);
}

Test(jsonl, an_error_is_told_once_and_so_is_its_end)
{
	static char text[4096];

	open_file(JSONL_APPEND);
	limit_file(0);
	for (int i = 0; i < 5; i++) {
		write_line("1");
		sink->api->flush(sink);
	}
	limit_file(RLIM_INFINITY);
	sink->api->flush(sink);
	write_line("1");
	sink->api->flush(sink);
	sink->api->free(sink);
	fflush(stderr);
	text[fread(text, 1, sizeof(text) - 1, cr_get_redirected_stderr())] = '\0';
	char *first = strstr(text, "cannot write");
	cr_assert_not_null(first, "%s", text);
	cr_expect_null(strstr(first + 1, "cannot write"), "%s", text);
	char *end = strstr(text, "written again");
	cr_assert_not_null(end, "%s", text);
	cr_expect_null(strstr(end + 1, "written again"), "%s", text);
}

Test(jsonl, dash_is_standard_output)
{
	struct err_ctx why;

	cr_redirect_stdout();
	cr_assert_eq(jsonl_open(&sink, "-", JSONL_TRUNCATE, &why), ERR_OK);
	write_line("{}");
	sink->api->reopen(sink);
	sink->api->free(sink);
	cr_expect_stdout_eq_str("{}\n");
	cr_expect_neq(fcntl(STDOUT_FILENO, F_GETFD), -1, "it stays open");
}
