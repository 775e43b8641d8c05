/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fake_redis.h -- a server that speaks enough of the Redis protocol to misbehave in it.
 *
 * It answers commands as a script says, one step after the other over all connections, and
 * properly when the script is at its end. It notes each XADD that it answered with an id.
 *
 * Listens on a unix socket in a directory of its own (path[]).  Threads: one of its own.
 */
#ifndef TESTS_SUPPORT_FAKE_REDIS_H
#define TESTS_SUPPORT_FAKE_REDIS_H

#include <stdbool.h>
#include <stddef.h>

enum fake_redis_act {
	FAKE_ANSWER, /* properly */
	FAKE_SAY,    /* answer with `text` as it is */
	FAKE_STALL,  /* never answer on this connection again */
	FAKE_HANGUP, /* take the command and close the connection */
	FAKE_DRIP,   /* answer `text` over and over, a byte each 20 ms, without an end */
};

struct fake_redis_step {
	int commands; /* it holds for so many */
	enum fake_redis_act act;
	const char *text;
};

struct fake_redis;

/* Begins to listen at once. The script must outlive it. Aborts when it cannot. */
struct fake_redis *fake_redis_new(const struct fake_redis_step *script, size_t step_count);
void fake_redis_free(struct fake_redis *f);

const char *fake_redis_path(const struct fake_redis *f);
/* Close the socket (a connect is refused from then on), or listen again. */
void fake_redis_listen(struct fake_redis *f, bool listening);

/* Everything received so far as one line per command, arguments in single spaces. The caller
 * frees it. */
char *fake_redis_received(struct fake_redis *f);
/* The id fields of the XADDs acknowledged so far, in order, each followed by a space. */
char *fake_redis_added(struct fake_redis *f);
int fake_redis_connections(struct fake_redis *f);

#endif
