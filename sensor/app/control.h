/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * control.h -- the control socket: other programs ask the running sensor for something.
 *
 * A client sends one line ("reload") and gets one answer: the exit code, a space, a sentence, a
 * newline; then the connection is closed. Only root and the sensor's own user are served.
 *
 * Owner:    control_open/control_close.
 * Threads:  one; nothing here blocks.
 * Input:    untrusted: lines of CONTROL_LINE_MAX, CONTROL_CLIENTS_MAX clients at once; one that has
 *           not sent its line within CONTROL_STALL_S, or does not take its answer, is dropped.
 */
#ifndef SENSOR_APP_CONTROL_H
#define SENSOR_APP_CONTROL_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sensor/base/error.h"
#include "sensor/base/listen.h"

#define CONTROL_CLIENTS_MAX 8
#define CONTROL_LINE_MAX    64
#define CONTROL_ANSWER_MAX  4096
#define CONTROL_STALL_S     5
#define CONTROL_POLLED_MAX  (CONTROL_CLIENTS_MAX + 1)

struct control {
	struct listener listener; /* fd -1: there is no socket */
	struct control_client {
		bool used;
		int fd;
		bool waits; /* for the answer to a reload */
		int64_t drop_ns;
		char line[CONTROL_LINE_MAX];
		size_t line_len;
	} client[CONTROL_CLIENTS_MAX];
};

/* A path of "" is no socket: nobody can ask. */
NODISCARD enum err control_open(
	struct control *c, const char *path, uid_t owner, gid_t group, struct err_ctx *why);
void control_close(struct control *c);

/* What to poll for; returns how many. */
size_t control_polled(const struct control *c, struct pollfd polled[CONTROL_POLLED_MAX]);
/* Take what has come. True: somebody waits for a reload. */
bool control_serve(struct control *c, int64_t now_ns);
/* In how many milliseconds control_serve is to be called even if nothing comes; -1: never. */
int control_timeout_ms(const struct control *c, int64_t now_ns);
/* Answer everybody who waits. */
void control_answer(struct control *c, enum err code, const char *sentence);

/*
 * [client] Ask the sensor that listens at `path`, and wait for its answer up to timeout_s. Returns
 * the code it answered with, the sentence in `answer` (CONTROL_ANSWER_MAX); ERR_FAILED with the reason
 * in `answer` when there is no answer.
 */
enum err control_ask(
	const char *path, const char *line, int timeout_s, char answer[CONTROL_ANSWER_MAX]);

#endif
