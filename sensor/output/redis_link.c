/* SPDX-License-Identifier: BSD-2-Clause */
#include "sensor/output/redis_link.h"

#include "sensor/base/clock.h"
#include "sensor/output/redis_tls.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#define WAIT_SLICE_MS 100

/* Errors by their first word (Redis: "-WORD text"). What is not here is tried again. */
static const struct {
	const char *code;
	enum redis_verdict verdict;
	const char *meaning;
} errors[] = {
	{ "LOADING", REDIS_RETRY, "the server is loading its data" },
	{ "OOM", REDIS_RETRY, "the server has reached its maxmemory and takes no more" },
	{ "READONLY", REDIS_RETRY, "the server is a read-only replica" },
	{ "MASTERDOWN", REDIS_RETRY, "the server has lost its master" },
	{ "MISCONF", REDIS_RETRY, "the server cannot save to disk and refuses writes" },
	{ "NOREPLICAS", REDIS_RETRY, "the server has too few replicas and refuses writes" },
	{ "BUSY", REDIS_RETRY, "the server is busy with a script" },
	{ "CLUSTERDOWN", REDIS_RETRY, "the cluster is down" },
	{ "TRYAGAIN", REDIS_RETRY, "the cluster is moving the stream" },
	{ "NOAUTH", REDIS_RETRY, "the server wants a login" },
	{ "WRONGPASS", REDIS_RETRY, "wrong user or password" },
	{ "DENIED", REDIS_RETRY, "the server is in protected mode" },
	{ "NOPERM", REDIS_REFUSED, "the user may not write there" },
	{ "WRONGTYPE", REDIS_REFUSED, "the key of the stream holds something else" },
	{ "MOVED", REDIS_REFUSED, "this cluster node does not hold the stream" },
	{ "ASK", REDIS_REFUSED, "this cluster node does not hold the stream" },
	{ "CROSSSLOT", REDIS_REFUSED, "this cluster node does not hold the stream" },
	{ "NOSCRIPT", REDIS_REFUSED, "the server did not take the command" },
	{ "ERR", REDIS_REFUSED, "the server did not take the command" },
};

static void PRINTF_LIKE(3, 4)
	set_fault(struct redis_fault *fault, const char *code, const char *format, ...)
{
	va_list args;

	snprintf(fault->code, sizeof(fault->code), "%s", code);
	va_start(args, format);
	vsnprintf(fault->text, sizeof(fault->text), format, args);
	va_end(args);
}

void redis_link_close(struct redis_link *link)
{
	if (link->context)
		redisFree(link->context);
	link->context = NULL;
}

/* hiredis' own error as a fault; the connection is of no further use. */
static bool fail_context(struct redis_link *link)
{
	const redisContext *c = link->context;

	if (c->err == REDIS_ERR_EOF)
		set_fault(&link->fault, "closed", "the server closed the connection");
	else if (c->err == REDIS_ERR_IO)
		set_fault(&link->fault, "io", "%s", c->errstr);
	else if (c->err == REDIS_ERR_PROTOCOL || c->err == REDIS_ERR_OOM)
		set_fault(&link->fault, "protocol", "what answers there does not speak Redis");
	else
		set_fault(&link->fault, "connect", "%s", c->errstr);
	redis_link_close(link);
	return false;
}

static bool PRINTF_LIKE(3, 4)
	fail(struct redis_link *link, const char *code, const char *format, ...)
{
	va_list args;

	snprintf(link->fault.code, sizeof(link->fault.code), "%s", code);
	va_start(args, format);
	vsnprintf(link->fault.text, sizeof(link->fault.text), format, args);
	va_end(args);
	redis_link_close(link);
	return false;
}

/* Wait a slice for `events`; false when the deadline has passed or the owner has given up. */
static bool wait_for(struct redis_link *link, short events, int64_t deadline_ns)
{
	struct pollfd at = { .fd = link->context->fd, .events = events };
	int64_t left_ns = deadline_ns - clock_monotonic_ns();

	if (left_ns <= 0)
		return fail(link, "timeout", "no answer in time");
	if (link->give_up && link->give_up(link->arg))
		return fail(link, "given up", "still waiting for an answer at the end");
	int64_t left_ms = left_ns / NS_PER_MS + 1;
	poll(&at, 1, left_ms < WAIT_SLICE_MS ? (int)left_ms : WAIT_SLICE_MS);
	return true;
}

static int64_t deadline_in(int timeout_ms)
{
	return clock_monotonic_ns() + timeout_ms * NS_PER_MS;
}

/* --- replies ----------------------------------------------------------------------------- */

#if HIREDIS_MAJOR >= 1
typedef size_t element_count;
#else
typedef int element_count;
#endif

/* No command of ours is answered by an array, and a hostile one may be of any size. */
static void *refuse_array(const redisReadTask *task, element_count count)
{
	(void)task;
	(void)count;
	return NULL;
}

/* One step of input and output; waits only when nothing could be read. */
static bool move(struct redis_link *link, int64_t deadline_ns)
{
	redisContext *c = link->context;
	size_t had = c->reader->len;
	int sent = 0;

	if (redisBufferWrite(c, &sent) != REDIS_OK || redisBufferRead(c) != REDIS_OK)
		return fail_context(link);
	if (c->reader->len > REDIS_REPLY_MAX)
		return fail(link, "protocol", "the server's answer is far too long");
	if (c->reader->len != had)
		return true;
	return wait_for(link, sent ? POLLIN : POLLIN | POLLOUT, deadline_ns);
}

redisReply *redis_link_reply(struct redis_link *link)
{
	int64_t deadline_ns = deadline_in(link->command_timeout_ms);
	void *reply = NULL;

	if (!link->context)
		return NULL;
	for (;;) {
		if (redisGetReplyFromReader(link->context, &reply) != REDIS_OK) {
			(void)fail_context(link);
			return NULL;
		}
		if (reply)
			return reply;
		if (!move(link, deadline_ns))
			return NULL;
	}
}

bool redis_link_append(
	struct redis_link *link, int argc, const char **argv, const size_t *argv_len)
{
	if (redisAppendCommandArgv(link->context, argc, argv, argv_len) == REDIS_OK)
		return true;
	return fail(link, "memory", "out of memory");
}

static enum redis_verdict judge_error(
	const struct redis_link *link, const char *text, struct redis_fault *fault)
{
	size_t len = strcspn(text, " ");
	const char *password = link->url->password;
	/* An "unknown command" quotes the arguments, cut after some bytes. */
	bool quotable = !link->secret && !(password[0] && strstr(text, password));

	for (size_t i = 0; i < ARRAY_LEN(errors); i++) {
		if (strlen(errors[i].code) != len || strncmp(errors[i].code, text, len) != 0)
			continue;
		set_fault(fault, errors[i].code, "%s%s%.100s%s", errors[i].meaning,
			quotable ? " (" : "", quotable ? text : "", quotable ? ")" : "");
		/* The greeting of a full server, instead of an answer. */
		if (strstr(text, "max number of clients"))
			return REDIS_RETRY;
		return errors[i].verdict;
	}
	set_fault(fault, "error", "the server answered %.100s",
		quotable ? text : "with an error that cannot be shown");
	return REDIS_RETRY;
}

enum redis_verdict redis_link_judge(const struct redis_link *link, const redisReply *reply,
	int expected_type, struct redis_fault *fault)
{
	if (reply->type == expected_type)
		return REDIS_DONE;
	if (reply->type == REDIS_REPLY_ERROR)
		return judge_error(link, reply->str, fault);
	set_fault(fault, "protocol", "the server answered with something unexpected");
	return REDIS_RETRY;
}

/* --- opening ----------------------------------------------------------------------------- */

static bool wait_connected(struct redis_link *link)
{
	int64_t deadline_ns = deadline_in(link->connect_timeout_ms);
	int fd = link->context->fd, error = 0;
	socklen_t error_len = sizeof(error);
	struct pollfd at = { .fd = fd, .events = POLLOUT };

	while (poll(&at, 1, 0) != 1) {
		if (!wait_for(link, POLLOUT, deadline_ns))
			return false;
	}
	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &error_len) == -1)
		error = errno;
	if (error)
		return fail(link, "connect", "%s", strerror(error));
	return true;
}

/* errstr goes with the context, so it is copied first. */
static bool fail_connect(struct redis_link *link)
{
	set_fault(&link->fault, "connect", "%s", link->context->errstr);
	redis_link_close(link);
	return false;
}

static bool connect_socket(struct redis_link *link)
{
	const struct redis_url *url = link->url;

	link->context = url->path[0] ? redisConnectUnixNonBlock(url->path)
				     : redisConnectNonBlock(url->host, url->port);
	if (!link->context)
		return fail(link, "memory", "out of memory");
	if (link->context->err)
		return fail_connect(link);
	if (!wait_connected(link))
		return false;
	link->functions = *link->context->reader->fn;
	link->functions.createArray = refuse_array;
	link->context->reader->fn = &link->functions;
	return true;
}

static bool start_tls(struct redis_link *link)
{
	int64_t deadline_ns = deadline_in(link->connect_timeout_ms);
	enum redis_tls_step step = REDIS_TLS_FAILED;
	void *session;
	short events;

	if (redis_tls_start(link->context, link->url->host, &session, &link->fault)) {
		while ((step = redis_tls_shake(session, &events, &link->fault)) ==
			REDIS_TLS_WAIT) {
			if (!wait_for(link, events, deadline_ns))
				return false;
		}
	}
	if (step != REDIS_TLS_DONE)
		redis_link_close(link);
	return step == REDIS_TLS_DONE;
}

/* Send one command of the greeting and say what its failure means. */
static bool greet(struct redis_link *link, int argc, const char **argv, const char *failed)
{
	struct redis_fault fault = { .code = "" };
	size_t len[3];

	for (int i = 0; i < argc; i++)
		len[i] = strlen(argv[i]);
	if (!redis_link_append(link, argc, argv, len))
		return false;
	redisReply *reply = redis_link_reply(link);
	if (!reply)
		return false;
	enum redis_verdict verdict = redis_link_judge(link, reply, REDIS_REPLY_STATUS, &fault);
	freeReplyObject(reply);
	/* Whether this user may PING does not matter: the server has answered. */
	if (verdict == REDIS_DONE || (argc == 1 && strcmp(fault.code, "NOPERM") == 0))
		return true;
	return fail(link, fault.code, "%s: %s", failed, fault.text);
}

static bool log_in(struct redis_link *link)
{
	const struct redis_url *url = link->url;
	const char *with_user[] = { "AUTH", url->user, url->password };
	const char *without[] = { "AUTH", url->password };

	link->secret = true;
	bool done = url->user[0] ? greet(link, 3, with_user, "login failed")
				 : greet(link, 2, without, "login failed");
	link->secret = false;
	return done;
}

static bool select_database(struct redis_link *link)
{
	char number[16];
	const char *command[] = { "SELECT", number };

	snprintf(number, sizeof(number), "%u", link->url->database);
	return greet(link, 2, command, "cannot select the database");
}

bool redis_link_open(struct redis_link *link)
{
	const char *ping[] = { "PING" };

	redis_link_close(link);
	if (!connect_socket(link))
		return false;
	if (!link->url->path[0])
		redisEnableKeepAlive(link->context);
	if (link->url->tls && !start_tls(link))
		return false;
	if (link->url->has_password && !log_in(link))
		return false;
	if (link->url->database != 0 && !select_database(link))
		return false;
	return greet(link, 1, ping, "the server does not answer as it should");
}

/* Nothing was asked, so what there is to read is the end, or an answer to nothing. */
bool redis_link_check(struct redis_link *link)
{
	struct pollfd at = { .fd = -1, .events = POLLIN };

	if (!link->context)
		return false;
	at.fd = link->context->fd;
	if (poll(&at, 1, 0) == 1 && redisBufferRead(link->context) != REDIS_OK)
		return fail_context(link);
	if (link->context->reader->len > link->context->reader->pos)
		return fail(link, "protocol", "the server answered what was not asked");
	return true;
}
