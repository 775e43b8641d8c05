/* SPDX-License-Identifier: BSD-2-Clause */
#include "sensor/app/control.h"

#include <criterion/criterion.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "sensor/base/attribute.h"
#include "sensor/base/clock.h"

static char folder[] = "/tmp/dynwatch-control-XXXXXX";
static char path[64];
static struct control control;
static int64_t now = 1000 * NS_PER_S;

static void start(void)
{
	struct err_ctx why;

	cr_assert_not_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/socket", folder);
	cr_assert_eq(control_open(&control, path, (uid_t)-1, (gid_t)-1, &why), ERR_OK, "%s",
		why.text);
}

static void end(void)
{
	control_close(&control);
	cr_assert_eq(rmdir(folder), 0, "the socket is gone");
}

TestSuite(control, .init = start, .fini = end);

static int client(const char *line)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	cr_assert_eq(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	cr_assert_eq(send(fd, line, strlen(line), MSG_NOSIGNAL), (ssize_t)strlen(line));
	return fd;
}

/* What came, up to now; "" when nothing, "-" when the connection has ended. */
static const char *heard(int fd)
{
	static char text[CONTROL_ANSWER_MAX + 1];
	ssize_t got = recv(fd, text, sizeof(text) - 1, MSG_DONTWAIT);

	if (got == 0)
		return "-";
	text[got > 0 ? got : 0] = '\0';
	return text;
}

Test(control, a_reload_is_wanted_and_answered)
{
	int fd = client("reload\n");

	cr_assert(control_serve(&control, now));
	cr_assert_str_eq(heard(fd), "");
	control_answer(&control, ERR_OK, "all is well");
	cr_assert_str_eq(heard(fd), "0 all is well\n");
	cr_assert_str_eq(heard(fd), "-");
	cr_assert_not(control_serve(&control, now));
	close(fd);
}

Test(control, all_who_wait_get_the_answer)
{
	int one = client("reload\n"), two = client("reload\n"), late = client("relo");

	cr_assert(control_serve(&control, now));
	control_answer(&control, ERR_USAGE, "a.yaml:3:1: no");
	cr_assert_str_eq(heard(one), "2 a.yaml:3:1: no\n");
	cr_assert_str_eq(heard(two), "2 a.yaml:3:1: no\n");
	cr_assert_str_eq(heard(late), "");
	cr_assert_eq(send(late, "ad\n", 3, 0), 3);
	cr_assert(control_serve(&control, now), "a line may come in pieces");
	close(one);
	close(two);
	close(late);
}

Test(control, anything_else_is_refused_at_once)
{
	static const struct {
		const char *line, *answer;
	} rows[] = {
		{ "stop\n", "2 there is only: reload\n" },
		{ "\n", "2 there is only: reload\n" },
		{ "reload now\n", "2 there is only: reload\n" },
		{ "0123456789012345678901234567890123456789012345678901234567890123",
			"2 that line is too long\n" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		int fd = client(rows[i].line);
		cr_assert_not(control_serve(&control, now), "%s", rows[i].line);
		cr_assert_str_eq(heard(fd), rows[i].answer, "%s", rows[i].line);
		close(fd);
	}
}

Test(control, a_long_answer_is_cut_and_still_a_line)
{
	char *longest = malloc(10000), answer[CONTROL_ANSWER_MAX + 1];
	int fd = client("reload\n");

	memset(longest, 'x', 9999);
	longest[9999] = '\0';
	cr_assert(control_serve(&control, now));
	control_answer(&control, ERR_OK, longest);
	snprintf(answer, sizeof(answer), "%s", heard(fd));
	cr_assert_leq(strlen(answer), CONTROL_ANSWER_MAX);
	cr_assert_eq(answer[strlen(answer) - 1], '\n');
	free(longest);
	close(fd);
}

Test(control, clients_that_stall_make_room_in_time)
{
	int fd[CONTROL_CLIENTS_MAX];
	struct pollfd polled[CONTROL_POLLED_MAX];

	for (size_t i = 0; i < ARRAY_LEN(fd); i++)
		fd[i] = client("rel");
	cr_assert_not(control_serve(&control, now));
	cr_assert_eq(control_polled(&control, polled), CONTROL_CLIENTS_MAX);
	int waiting = client("reload\n");
	cr_assert_not(control_serve(&control, now), "there is no place");
	int timeout_ms = control_timeout_ms(&control, now);
	cr_assert(timeout_ms > 0 && timeout_ms <= CONTROL_STALL_S * 1000 + 1, "%d", timeout_ms);
	now += CONTROL_STALL_S * NS_PER_S;
	cr_assert_eq(control_timeout_ms(&control, now), 0);
	(void)control_serve(&control, now);
	cr_assert_str_eq(heard(fd[0]), "-");
	cr_assert(control_serve(&control, now), "now there is one");
	cr_assert_eq(control_timeout_ms(&control, now), -1, "who waits is not dropped");
	for (size_t i = 0; i < ARRAY_LEN(fd); i++)
		close(fd[i]);
	close(waiting);
}

Test(control, a_client_that_leaves_is_forgotten)
{
	struct pollfd polled[CONTROL_POLLED_MAX];

	close(client("rel"));
	(void)control_serve(&control, now); /* takes what it said, */
	(void)control_serve(&control, now); /* and that it has gone */
	cr_assert_eq(control_polled(&control, polled), 1);
	close(client("reload\n"));
	cr_assert(control_serve(&control, now), "what was asked is done");
	control_answer(&control, ERR_OK, "nobody hears it");
	cr_assert_eq(control_polled(&control, polled), 1);
}

/* --- both ends --------------------------------------------------------------------------------- */

static void *serve_once(void *arg)
{
	for (int i = 0; i < 1000; i++) {
		if (control_serve(&control, clock_monotonic_ns())) {
			control_answer(&control, ERR_USAGE, arg);
			break;
		}
		usleep(10000);
	}
	return NULL;
}

Test(control, who_asks_gets_code_and_sentence, .timeout = 30)
{
	char answer[CONTROL_ANSWER_MAX];
	pthread_t thread;

	cr_assert_eq(pthread_create(&thread, NULL, serve_once, (void *)"a sentence"), 0);
	cr_assert_eq(control_ask(path, "reload", 20, answer), ERR_USAGE);
	cr_assert_str_eq(answer, "a sentence");
	pthread_join(thread, NULL);
}

Test(control, nobody_to_ask_is_said, .timeout = 30)
{
	char answer[CONTROL_ANSWER_MAX], none[96];

	snprintf(none, sizeof(none), "%s.none", path);
	cr_assert_eq(control_ask(none, "reload", 1, answer), ERR_FAILED);
	cr_assert(strstr(answer, "is the sensor running"), "%s", answer);
	cr_assert_eq(control_ask(path, "reload", 1, answer), ERR_FAILED);
	cr_assert(strstr(answer, "no answer within 1 seconds"), "%s", answer);
}

Test(control, without_a_path_there_is_nothing_to_poll)
{
	struct pollfd polled[CONTROL_POLLED_MAX];
	struct control none;
	struct err_ctx why;

	cr_assert_eq(control_open(&none, "", (uid_t)-1, (gid_t)-1, &why), ERR_OK);
	cr_assert_eq(control_polled(&none, polled), 0);
	cr_assert_not(control_serve(&none, now));
	cr_assert_eq(control_timeout_ms(&none, now), -1);
	control_close(&none);
}
