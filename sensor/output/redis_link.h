/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * redis_link.h -- one connection to a Redis server: commands out, every reply in.
 *
 * hiredis does protocol and buffers; waiting is done here, on a non-blocking socket, so that
 * nothing waits longer than its timeout (not even for a server that sends a byte at a time) and
 * the owner can call it off.
 *
 * Input:    replies are untrusted: arrays, which no command used here answers with, and replies
 *           beyond REDIS_REPLY_MAX bytes break the connection. What a server says in an error is
 *           never passed on when it could hold the password.
 * Threads:  one.  The only wait without a timeout of its own is the resolver's (getaddrinfo).
 */
#ifndef SENSOR_OUTPUT_REDIS_LINK_H
#define SENSOR_OUTPUT_REDIS_LINK_H

#include <stdbool.h>
#include <stddef.h>

#include <hiredis/hiredis.h>

#include "sensor/base/attribute.h"
#include "sensor/output/redis_url.h"

#define REDIS_REPLY_MAX ((size_t)1 << 20)

/* Why something failed: a word that does not change while the reason does not, and a sentence. */
struct redis_fault {
	char code[24];
	char text[256];
};

struct redis_link {
	const struct redis_url *url;
	int connect_timeout_ms, command_timeout_ms;
	bool (*give_up)(void *arg); /* asked at least every 100 ms while waiting; may be NULL */
	void *arg;
	redisContext *context;    /* NULL: not connected */
	struct redis_fault fault; /* of the last failure */
	bool secret;              /* the command under way holds the password */
	redisReplyObjectFunctions functions;
};

/* What a reply to a write means for what was written. */
enum redis_verdict {
	REDIS_DONE,
	REDIS_RETRY,   /* the server cannot now: same command again later */
	REDIS_REFUSED, /* it never will */
};

/* Connect, log in, select the database. False with link->fault. */
NODISCARD bool redis_link_open(struct redis_link *link);
void redis_link_close(struct redis_link *link);
/* Between commands: is the connection still there and silent? Closes it, with a fault, when not. */
NODISCARD bool redis_link_check(struct redis_link *link);

/* Queue a command; it leaves with the next redis_link_reply. False when out of memory. */
NODISCARD bool redis_link_append(
	struct redis_link *link, int argc, const char **argv, const size_t *argv_len);
/* The next reply (freeReplyObject), or NULL: the connection is broken and closed, see fault. */
NODISCARD redisReply *redis_link_reply(struct redis_link *link);

/*
 * Judge a reply; REDIS_DONE only if it is of the type that the command is answered with (an XADD
 * by its id, a REDIS_REPLY_STRING). `fault` is filled in otherwise.
 */
enum redis_verdict redis_link_judge(const struct redis_link *link, const redisReply *reply,
	int expected_type, struct redis_fault *fault);

#endif
