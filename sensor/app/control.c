/* SPDX-License-Identifier: BSD-2-Clause */
#include "sensor/app/control.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "sensor/base/clock.h"
#include "sensor/base/log.h"

enum err control_open(
	struct control *c, const char *path, uid_t owner, gid_t group, struct err_ctx *why)
{
	const struct listener_options options = {
		.path = path, .owner = owner, .group = group, .mode = 0600
	};

	*c = (struct control){ .listener.fd = -1 };
	return *path ? listener_open(&c->listener, &options, why) : ERR_OK;
}

static void drop(struct control_client *client)
{
	close(client->fd);
	*client = (struct control_client){ .used = false };
}

void control_close(struct control *c)
{
	for (size_t i = 0; i < CONTROL_CLIENTS_MAX; i++) {
		if (c->client[i].used)
			drop(&c->client[i]);
	}
	listener_close(&c->listener);
}

size_t control_polled(const struct control *c, struct pollfd polled[CONTROL_POLLED_MAX])
{
	size_t count = 0, used = 0;

	for (size_t i = 0; i < CONTROL_CLIENTS_MAX; i++) {
		const struct control_client *client = &c->client[i];
		used += client->used;
		/* One that waits has nothing to say that we would read. */
		if (client->used && !client->waits)
			polled[count++] = (struct pollfd){ client->fd, POLLIN, 0 };
	}
	/* With all places taken the next one waits in the kernel. */
	if (c->listener.fd != -1 && used < CONTROL_CLIENTS_MAX)
		polled[count++] = (struct pollfd){ c->listener.fd, POLLIN, 0 };
	return count;
}

static void answer(struct control_client *client, enum err code, const char *sentence)
{
	char text[CONTROL_ANSWER_MAX];
	int len = snprintf(text, sizeof(text) - 1, "%d %s", (int)code, sentence);

	if (len > (int)sizeof(text) - 2)
		len = (int)sizeof(text) - 2;
	text[len++] = '\n';
	/* It fits into an empty socket buffer; who made that full does not want it. */
	(void)!send(client->fd, text, (size_t)len, MSG_DONTWAIT | MSG_NOSIGNAL);
	drop(client);
}

static bool may_ask(int fd)
{
	struct ucred who;
	socklen_t len = sizeof(who);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &len) == -1)
		return false;
	return who.uid == 0 || who.uid == geteuid();
}

static struct control_client *free_place(struct control *c)
{
	for (size_t i = 0; i < CONTROL_CLIENTS_MAX; i++) {
		if (!c->client[i].used)
			return &c->client[i];
	}
	return NULL;
}

static void accept_clients(struct control *c, int64_t now_ns)
{
	struct control_client *place = c->listener.fd != -1 ? free_place(c) : NULL;

	for (; place; place = free_place(c)) {
		int fd = accept4(c->listener.fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
		if (fd == -1)
			return;
		*place = (struct control_client){
			.used = true, .fd = fd, .drop_ns = now_ns + CONTROL_STALL_S * NS_PER_S
		};
		if (!may_ask(fd))
			answer(place, ERR_FAILED,
				"only root and the sensor's own user may ask");
	}
}

static void take_line(struct control_client *client)
{
	client->line[client->line_len] = '\0';
	if (strcmp(client->line, "reload") == 0)
		client->waits = true;
	else
		answer(client, ERR_USAGE, "there is only: reload");
}

static void read_client(struct control_client *client, int64_t now_ns)
{
	size_t room = sizeof(client->line) - client->line_len;
	ssize_t got = recv(client->fd, client->line + client->line_len, room, MSG_DONTWAIT);

	if (got == -1 && (errno == EAGAIN || errno == EINTR)) {
		if (now_ns >= client->drop_ns)
			drop(client);
		return;
	}
	if (got <= 0) {
		drop(client);
		return;
	}
	client->line_len += (size_t)got;
	char *end = memchr(client->line, '\n', client->line_len);
	if (end) {
		client->line_len = (size_t)(end - client->line);
		take_line(client);
	} else if (client->line_len == sizeof(client->line)) {
		answer(client, ERR_USAGE, "that line is too long");
	}
}

bool control_serve(struct control *c, int64_t now_ns)
{
	bool waits = false;

	accept_clients(c, now_ns);
	for (size_t i = 0; i < CONTROL_CLIENTS_MAX; i++) {
		struct control_client *client = &c->client[i];
		if (client->used && !client->waits)
			read_client(client, now_ns);
		waits = waits || client->waits;
	}
	return waits;
}

int control_timeout_ms(const struct control *c, int64_t now_ns)
{
	int64_t first_ns = INT64_MAX;

	for (size_t i = 0; i < CONTROL_CLIENTS_MAX; i++) {
		const struct control_client *client = &c->client[i];
		if (client->used && !client->waits && client->drop_ns < first_ns)
			first_ns = client->drop_ns;
	}
	if (first_ns == INT64_MAX)
		return -1;
	return first_ns > now_ns ? (int)((first_ns - now_ns) / NS_PER_MS) + 1 : 0;
}

void control_answer(struct control *c, enum err code, const char *sentence)
{
	for (size_t i = 0; i < CONTROL_CLIENTS_MAX; i++) {
		if (c->client[i].used && c->client[i].waits)
			answer(&c->client[i], code, sentence);
	}
}

/* --- the other end ---------------------------------------------------------------------------- */

static int connect_to(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	if (strlen(path) >= sizeof(address.sun_path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	memcpy(address.sun_path, path, strlen(path) + 1);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd == -1)
		return -1;
	if (connect(fd, (const struct sockaddr *)&address, sizeof(address)) == 0)
		return fd;
	int error = errno;
	close(fd);
	errno = error;
	return -1;
}

/* Up to the end of the connection; false when that does not come in time. */
static bool read_answer(int fd, int timeout_s, char text[CONTROL_ANSWER_MAX])
{
	int64_t end_ns = clock_monotonic_ns() + timeout_s * NS_PER_S;
	size_t len = 0;

	text[0] = '\0';
	for (;;) {
		int64_t left_ms = (end_ns - clock_monotonic_ns()) / NS_PER_MS;
		struct pollfd polled = { fd, POLLIN, 0 };
		if (left_ms <= 0 || len == CONTROL_ANSWER_MAX - 1)
			return false;
		if (poll(&polled, 1, (int)left_ms) <= 0)
			continue;
		ssize_t got = recv(fd, text + len, CONTROL_ANSWER_MAX - 1 - len, 0);
		if (got <= 0) /* it may be gone with our line unread */
			return got == 0 || len > 0;
		len += (size_t)got;
		text[len] = '\0';
	}
}

/* "2 sentence\n" */
static enum err read_code(char text[CONTROL_ANSWER_MAX])
{
	size_t len = strlen(text);

	if (len < 3 || text[0] < '0' || text[0] > '3' || text[1] != ' ' ||
		text[len - 1] != '\n') {
		snprintf(text, CONTROL_ANSWER_MAX, "the sensor ended without an answer");
		return ERR_FAILED;
	}
	enum err code = (enum err)(text[0] - '0');
	text[len - 1] = '\0';
	memmove(text, text + 2, len - 2);
	return code;
}

enum err control_ask(
	const char *path, const char *line, int timeout_s, char answer_text[CONTROL_ANSWER_MAX])
{
	int fd = connect_to(path);

	if (fd == -1) {
		snprintf(answer_text, CONTROL_ANSWER_MAX, "%s: %s%s", path, strerror(errno),
			errno == ENOENT || errno == ECONNREFUSED ? "; is the sensor running?"
								 : "");
		return ERR_FAILED;
	}
	char sent[CONTROL_LINE_MAX];
	int len = snprintf(sent, sizeof(sent), "%s\n", line);
	/* Who may not ask is told so before, and the sensor has gone then. */
	(void)!send(fd, sent, (size_t)len, MSG_NOSIGNAL);
	bool answered = read_answer(fd, timeout_s, answer_text);
	close(fd);
	if (answered)
		return read_code(answer_text);
	snprintf(answer_text, CONTROL_ANSWER_MAX, "%s: no answer within %d seconds", path,
		timeout_s);
	return ERR_FAILED;
}
