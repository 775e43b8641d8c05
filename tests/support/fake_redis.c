/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/support/fake_redis.h"

#include "sensor/base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define CLIENTS_MAX   8
#define ARGUMENTS_MAX 32
#define POLL_MS       20

struct client {
	int fd; /* -1: none */
	struct text in;
	bool stalled;
	const char *drip; /* text to go on with, NULL for none */
	size_t drip_at;
};

struct fake_redis {
	char dir[64], path[96];
	const struct fake_redis_step *script;
	size_t step_count;
	pthread_t thread;
	pthread_mutex_t lock; /* for all below */
	bool stop, listening;
	int listener; /* -1: closed */
	int done_of_step, connections;
	size_t step;
	unsigned next_id;
	struct text received, added;
	struct client client[CLIENTS_MAX];
};

static void need(bool ok, const char *what)
{
	if (ok)
		return;
	perror(what);
	abort();
}

/* --- protocol ---------------------------------------------------------------------------- */

struct argument {
	const char *at;
	size_t len;
};

/* "*3\r\n" or "$5\r\n": the number, stepping over the line. -1: not all there. */
static long take_number(const char **at, const char *end, char mark)
{
	const char *line_end = memmem(*at, (size_t)(end - *at), "\r\n", 2);

	if (!line_end)
		return -1;
	need(**at == mark, "the client sent something other than a command");
	long number = strtol(*at + 1, NULL, 10);
	*at = line_end + 2;
	return number;
}

/* One whole command; the bytes it took, 0 when it is not all there. */
static size_t parse(const struct text *in, struct argument *arg, long *count)
{
	const char *at = in->at, *end = in->at + in->len;

	if (in->len == 0)
		return 0;
	*count = take_number(&at, end, '*');
	need(*count <= ARGUMENTS_MAX, "too many arguments");
	for (long i = 0; i < *count; i++) {
		long len = at < end ? take_number(&at, end, '$') : -1;
		if (len < 0 || end - at < len + 2)
			return 0;
		arg[i] = (struct argument){ at, (size_t)len };
		at += len + 2;
	}
	return *count < 0 ? 0 : (size_t)(at - in->at);
}

static bool is_word(const struct argument *arg, const char *word)
{
	return arg->len == strlen(word) && strncasecmp(arg->at, word, arg->len) == 0;
}

static void send_text(struct client *c, const char *text)
{
	/* A test that hangs here fails by its time limit. */
	ssize_t n = send(c->fd, text, strlen(text), MSG_NOSIGNAL);
	(void)n;
}

static void answer(struct fake_redis *f, struct client *c, struct argument *arg, long count)
{
	char id[64], reply[96];

	if (is_word(&arg[0], "XADD")) {
		snprintf(id, sizeof(id), "1-%u", ++f->next_id);
		snprintf(reply, sizeof(reply), "$%zu\r\n%s\r\n", strlen(id), id);
		for (long i = 2; i + 1 < count; i++) {
			if (!is_word(&arg[i], "id"))
				continue;
			text_add(&f->added, arg[i + 1].at, arg[i + 1].len);
			text_putc(&f->added, ' ');
			break;
		}
		send_text(c, reply);
	} else if (is_word(&arg[0], "HSET") || is_word(&arg[0], "EXPIRE")) {
		send_text(c, ":1\r\n");
	} else if (is_word(&arg[0], "PING")) {
		send_text(c, "+PONG\r\n");
	} else {
		send_text(c, "+OK\r\n");
	}
}

static void hang_up(struct client *c)
{
	close(c->fd);
	c->fd = -1;
	text_deinit(&c->in);
	*c = (struct client){ .fd = -1 };
}

static const struct fake_redis_step *next_step(struct fake_redis *f)
{
	static const struct fake_redis_step properly = { 1, FAKE_ANSWER, NULL };

	while (f->step < f->step_count && f->done_of_step >= f->script[f->step].commands) {
		f->step++;
		f->done_of_step = 0;
	}
	if (f->step == f->step_count)
		return &properly;
	f->done_of_step++;
	return &f->script[f->step];
}

static void act(struct fake_redis *f, struct client *c, struct argument *arg, long count)
{
	const struct fake_redis_step *step = next_step(f);

	for (long i = 0; i < count; i++) {
		text_add(&f->received, arg[i].at, arg[i].len);
		text_putc(&f->received, i + 1 < count ? ' ' : '\n');
	}
	switch (step->act) {
	case FAKE_ANSWER:
		answer(f, c, arg, count);
		break;
	case FAKE_SAY:
		send_text(c, step->text);
		break;
	case FAKE_STALL:
		c->stalled = true;
		break;
	case FAKE_HANGUP:
		hang_up(c);
		break;
	case FAKE_DRIP:
		c->drip = step->text;
		c->drip_at = 0;
		break;
	}
}

static void serve(struct fake_redis *f, struct client *c)
{
	struct argument arg[ARGUMENTS_MAX];
	char bytes[65536];
	long count;
	size_t used;

	ssize_t n = recv(c->fd, bytes, sizeof(bytes), MSG_DONTWAIT);
	if (n == -1 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		hang_up(c);
		return;
	}
	text_add(&c->in, bytes, (size_t)n);
	while (c->fd != -1 && !c->stalled && !c->drip &&
		(used = parse(&c->in, arg, &count)) > 0) {
		act(f, c, arg, count);
		if (c->fd == -1)
			return;
		c->in.len -= used;
		memmove(c->in.at, c->in.at + used, c->in.len);
	}
}

/* --- the thread -------------------------------------------------------------------------- */

static void open_listener(struct fake_redis *f)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };

	snprintf(at.sun_path, sizeof(at.sun_path), "%s", f->path);
	unlink(f->path);
	f->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	need(f->listener != -1, "socket");
	need(bind(f->listener, (struct sockaddr *)&at, sizeof(at)) == 0, f->path);
	need(listen(f->listener, CLIENTS_MAX) == 0, "listen");
}

static void close_listener(struct fake_redis *f)
{
	if (f->listener != -1)
		close(f->listener);
	f->listener = -1;
}

static void take_client(struct fake_redis *f)
{
	int fd = accept4(f->listener, NULL, NULL, SOCK_CLOEXEC);

	if (fd == -1)
		return;
	f->connections++;
	for (size_t i = 0; i < CLIENTS_MAX; i++) {
		if (f->client[i].fd == -1) {
			f->client[i].fd = fd;
			return;
		}
	}
	close(fd);
}

static void drip(struct client *c)
{
	char byte[2] = { c->drip[c->drip_at], '\0' };

	c->drip_at = (c->drip_at + 1) % strlen(c->drip);
	send_text(c, byte);
}

static bool round_of(struct fake_redis *f)
{
	pthread_mutex_lock(&f->lock);
	if (f->listener != -1)
		take_client(f);
	for (size_t i = 0; i < CLIENTS_MAX; i++) {
		if (f->client[i].fd == -1)
			continue;
		if (f->client[i].drip)
			drip(&f->client[i]);
		serve(f, &f->client[i]);
	}
	bool stop = f->stop;
	pthread_mutex_unlock(&f->lock);
	return !stop;
}

static void *run(void *arg)
{
	struct fake_redis *f = arg;
	struct pollfd at[CLIENTS_MAX + 1];

	while (round_of(f)) {
		pthread_mutex_lock(&f->lock);
		at[CLIENTS_MAX] = (struct pollfd){ .fd = f->listener, .events = POLLIN };
		for (size_t i = 0; i < CLIENTS_MAX; i++)
			at[i] = (struct pollfd){ .fd = f->client[i].fd, .events = POLLIN };
		pthread_mutex_unlock(&f->lock);
		poll(at, CLIENTS_MAX + 1, POLL_MS);
	}
	return NULL;
}

/* --- for the test ------------------------------------------------------------------------ */

struct fake_redis *fake_redis_new(const struct fake_redis_step *script, size_t step_count)
{
	struct fake_redis *f = calloc(1, sizeof(*f));

	need(f != NULL, "memory");
	strcpy(f->dir, "/tmp/fake_redis.XXXXXX");
	need(mkdtemp(f->dir) != NULL, f->dir);
	snprintf(f->path, sizeof(f->path), "%s/redis.sock", f->dir);
	f->script = script;
	f->step_count = step_count;
	for (size_t i = 0; i < CLIENTS_MAX; i++)
		f->client[i].fd = -1;
	pthread_mutex_init(&f->lock, NULL);
	open_listener(f);
	need(pthread_create(&f->thread, NULL, run, f) == 0, "thread");
	return f;
}

void fake_redis_free(struct fake_redis *f)
{
	pthread_mutex_lock(&f->lock);
	f->stop = true;
	pthread_mutex_unlock(&f->lock);
	pthread_join(f->thread, NULL);
	for (size_t i = 0; i < CLIENTS_MAX; i++) {
		if (f->client[i].fd != -1)
			hang_up(&f->client[i]);
	}
	close_listener(f);
	unlink(f->path);
	rmdir(f->dir);
	text_deinit(&f->received);
	text_deinit(&f->added);
	pthread_mutex_destroy(&f->lock);
	free(f);
}

const char *fake_redis_path(const struct fake_redis *f)
{
	return f->path;
}

void fake_redis_listen(struct fake_redis *f, bool listening)
{
	pthread_mutex_lock(&f->lock);
	close_listener(f);
	if (listening)
		open_listener(f);
	for (size_t i = 0; !listening && i < CLIENTS_MAX; i++) {
		if (f->client[i].fd != -1)
			hang_up(&f->client[i]);
	}
	pthread_mutex_unlock(&f->lock);
}

static char *copy_of(struct fake_redis *f, const struct text *t)
{
	pthread_mutex_lock(&f->lock);
	char *copy = strdup(t->at ? t->at : "");
	pthread_mutex_unlock(&f->lock);
	need(copy != NULL, "memory");
	return copy;
}

char *fake_redis_received(struct fake_redis *f)
{
	return copy_of(f, &f->received);
}

char *fake_redis_added(struct fake_redis *f)
{
	return copy_of(f, &f->added);
}

int fake_redis_connections(struct fake_redis *f)
{
	pthread_mutex_lock(&f->lock);
	int connections = f->connections;
	pthread_mutex_unlock(&f->lock);
	return connections;
}
