/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A unix socket that DNS servers tell dnstap to.
 *
 * One thread serves all connections: poll, then each connection in turn, beginning with another one
 * each time, so that a busy server does not hold up the others. A connection is read once a round,
 * and only when it has no whole frame left; what does not fit into a batch waits in its buffer, and
 * then in the socket, where the server sees that we are slow (and drops, as dnstap has it).
 *
 * Frames of a batch lie in the buffers of their connections, so a connection that ended is kept until
 * the next call.
 *
 * A connection may be silent for ever between two frames: a DNS server without clients. Before its
 * start and inside a frame it may not: it would hold one of the few places.
 */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "sensor/base/clock.h"
#include "sensor/base/listen.h"
#include "sensor/base/log.h"
#include "sensor/capture/dnstap.h"
#include "sensor/capture/dnstap_stream.h"

#define POLL_MS         100
#define STALL_NS        (10 * NS_PER_S)
#define FUTURE_MAX_NS   (60 * NS_PER_S)
#define LOG_EVERY_NS    NS_PER_S
#define ACCEPT_PAUSE_NS NS_PER_S

struct connection {
	int fd; /* -1: this place is free, once `ended` is false */
	bool ended;
	bool has_more; /* a whole frame may be left in the buffer */
	uint64_t number;
	uint64_t frames;
	int64_t heard_ns; /* monotonic: when it began, then when frames last came */
	struct dnstap_stream stream;
};

struct socket_source {
	struct source base; /* first: the ops get a pointer to it */
	struct listener listener;
	int wake_fd; /* readable once interrupted */
	uint16_t interface;
	int64_t stall_ns;
	size_t turn; /* the connection that is served first */
	uint64_t accepted;
	uint64_t ends[DNSTAP_END_COUNT];
	int64_t log_after_ns;    /* monotonic */
	uint64_t unsaid;         /* lines of log that were not written */
	int64_t accept_after_ns; /* monotonic */
	int64_t wall_ns;         /* of this round */
	struct packet packet[SOURCE_BATCH_MAX];
	struct connection connection[DNSTAP_CONNECTIONS_MAX];
};

static struct socket_source *socket_of(struct source *s)
{
	return (struct socket_source *)s;
}

/* --- the end of a connection ----------------------------------------------------------------- */

/* A line at most each second: a client that comes and goes must not fill the log. */
static bool may_log(struct socket_source *k, int64_t now_ns)
{
	if (now_ns < k->log_after_ns) {
		k->unsaid++;
		return false;
	}
	k->log_after_ns = now_ns + LOG_EVERY_NS;
	if (k->unsaid > 0)
		log_notice("%s: %llu more connections came and went", k->base.name,
			(unsigned long long)k->unsaid);
	k->unsaid = 0;
	return true;
}

static void count_end(
	struct socket_source *k, enum dnstap_end why, uint64_t number, uint64_t frames)
{
	k->ends[why]++;
	if (!may_log(k, clock_monotonic_ns()))
		return;
	if (dnstap_end_is_clean(why))
		log_notice("%s: connection %llu is over after %llu frames: %s", k->base.name,
			(unsigned long long)number, (unsigned long long)frames,
			dnstap_end_text(why));
	else
		log_warning("%s: connection %llu was closed after %llu frames: %s",
			k->base.name, (unsigned long long)number, (unsigned long long)frames,
			dnstap_end_text(why));
}

/* Frames of this batch may lie in its buffer, so that stays until the next one. */
static void connection_end(struct socket_source *k, struct connection *c, enum dnstap_end why)
{
	close(c->fd);
	c->fd = -1;
	c->ended = true;
	c->has_more = false;
	count_end(k, why, c->number, c->frames);
}

static void connections_bury(struct socket_source *k)
{
	for (size_t i = 0; i < DNSTAP_CONNECTIONS_MAX; i++) {
		struct connection *c = &k->connection[i];
		if (!c->ended)
			continue;
		dnstap_stream_deinit(&c->stream);
		c->ended = false;
	}
}

/* --- its beginning --------------------------------------------------------------------------- */

static struct connection *place_find(struct socket_source *k)
{
	for (size_t i = 0; i < DNSTAP_CONNECTIONS_MAX; i++) {
		struct connection *c = &k->connection[i];
		if (c->fd == -1 && !c->ended)
			return c;
	}
	return NULL;
}

static void connection_begin(struct socket_source *k, int fd)
{
	struct connection *c = place_find(k);

	k->accepted++;
	if (!c) {
		close(fd);
		count_end(k, DNSTAP_END_REFUSED, k->accepted, 0);
		return;
	}
	*c = (struct connection){
		.fd = fd,
		.number = k->accepted,
		.heard_ns = clock_monotonic_ns(),
	};
	if (!dnstap_stream_init(&c->stream))
		connection_end(k, c, DNSTAP_END_SYSTEM);
}

static void accept_all(struct socket_source *k)
{
	/* Bounded: who connects without end must not keep us from reading. */
	for (int i = 0; i < DNSTAP_CONNECTIONS_MAX; i++) {
		int fd = accept4(k->listener.fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (fd != -1) {
			connection_begin(k, fd);
			continue;
		}
		/* Out of descriptors: the queue stays readable, which must not make us spin. */
		if (errno != EAGAIN && errno != EINTR && errno != ECONNABORTED)
			k->accept_after_ns = clock_monotonic_ns() + ACCEPT_PAUSE_NS;
		return;
	}
}

/* --- reading --------------------------------------------------------------------------------- */

static enum dnstap_end disconnect_reason(const struct connection *c)
{
	if (c->frames == 0 && !dnstap_stream_has_bytes(&c->stream))
		return DNSTAP_END_DISCONNECTED;
	return dnstap_stream_is_within(&c->stream) ? DNSTAP_END_CUT : DNSTAP_END_DISCONNECTED;
}

static void connection_read(struct socket_source *k, struct connection *c)
{
	size_t room;
	uint8_t *at = dnstap_stream_room(&c->stream, &room);
	ssize_t got = recv(c->fd, at, room, 0);

	if (got > 0) {
		dnstap_stream_filled(&c->stream, (size_t)got);
		k->base.position_bytes += (uint64_t)got;
		/* Until it has started there is one term for all of it, however it drips. */
		if (c->stream.state == DNSTAP_STREAM_STARTED)
			c->heard_ns = clock_monotonic_ns();
		c->has_more = true;
	} else if (got == 0 || errno == ECONNRESET) {
		connection_end(k, c, disconnect_reason(c));
	} else if (errno != EAGAIN && errno != EINTR) {
		connection_end(k, c, DNSTAP_END_SYSTEM);
	}
}

/* Our answers are a few bytes: a peer whose buffer has no room for them does not read at all. */
static bool send_reply(struct connection *c, const uint8_t *bytes, size_t bytes_len)
{
	return send(c->fd, bytes, bytes_len, MSG_NOSIGNAL) == (ssize_t)bytes_len;
}

/*
 * The clock of the machine that runs both is one, so a frame is never from the future; it would
 * move capture time ahead for all. One from the past is a recording that is told again.
 */
static void take_frame(struct socket_source *k, struct frame *out, struct packet *packet,
	const uint8_t *bytes, size_t bytes_len)
{
	int64_t ts_ns;
	enum packet_result result = dnstap_decode(packet, &ts_ns, bytes, bytes_len);

	if (result == PACKET_DNS && ts_ns > k->wall_ns + FUTURE_MAX_NS)
		result = PACKET_REJECT_DNSTAP_TIME;
	*out = (struct frame){
		.bytes = bytes,
		.caplen = (uint32_t)bytes_len,
		.wire_len = (uint32_t)bytes_len,
		.ts_ns = result == PACKET_DNS ? ts_ns : k->wall_ns,
		.interface = k->interface,
		.decoded = packet,
		.result = (uint8_t)result,
	};
}

/* Take frames out of a connection's buffer until the batch is full or there are no more. */
static void connection_take(
	struct socket_source *k, struct connection *c, struct frame batch[], size_t *count)
{
	const uint8_t *bytes;
	size_t bytes_len;

	while (*count < SOURCE_BATCH_MAX && c->has_more) {
		switch (dnstap_stream_next(&c->stream, &bytes, &bytes_len)) {
		case DNSTAP_STREAM_FRAME:
			take_frame(k, &batch[*count], &k->packet[*count], bytes, bytes_len);
			c->frames++;
			++*count;
			break;
		case DNSTAP_STREAM_REPLY:
			if (!send_reply(c, bytes, bytes_len))
				connection_end(k, c, DNSTAP_END_DEAF);
			break;
		case DNSTAP_STREAM_STOP:
			connection_end(k, c, DNSTAP_END_STOPPED);
			break;
		case DNSTAP_STREAM_FAIL:
			connection_end(k, c, c->stream.why);
			break;
		case DNSTAP_STREAM_MORE:
			c->has_more = false;
			break;
		}
	}
}

static void connection_check(struct socket_source *k, struct connection *c, int64_t now_ns)
{
	if (now_ns - c->heard_ns > k->stall_ns && !c->has_more &&
		dnstap_stream_is_within(&c->stream))
		connection_end(k, c, DNSTAP_END_STALLED);
}

/* --- a round --------------------------------------------------------------------------------- */

enum watched {
	WATCH_WAKE,
	WATCH_LISTEN,
	WATCH_CONNECTIONS, /* from here on, by place */
	WATCH_COUNT = WATCH_CONNECTIONS + DNSTAP_CONNECTIONS_MAX,
};

/* Wait for something to do; false when interrupted. */
static bool wait_ready(struct socket_source *k, struct pollfd ready[WATCH_COUNT])
{
	int timeout_ms = POLL_MS;

	ready[WATCH_WAKE] = (struct pollfd){ .fd = k->wake_fd, .events = POLLIN };
	bool accepting = clock_monotonic_ns() >= k->accept_after_ns;
	ready[WATCH_LISTEN] =
		(struct pollfd){ .fd = accepting ? k->listener.fd : -1, .events = POLLIN };
	for (size_t i = 0; i < DNSTAP_CONNECTIONS_MAX; i++) {
		struct connection *c = &k->connection[i];
		/* free places have fd -1, which poll ignores */
		ready[WATCH_CONNECTIONS + i] = (struct pollfd){ .fd = c->fd, .events = POLLIN };
		if (c->has_more)
			timeout_ms = 0;
	}
	if (poll(ready, WATCH_COUNT, timeout_ms) == -1) {
		/* a signal: what it wants comes through wake_fd */
		for (size_t i = 0; i < WATCH_COUNT; i++)
			ready[i].revents = 0;
	}
	return ready[WATCH_WAKE].revents == 0;
}

static void serve(struct socket_source *k, const struct pollfd ready[WATCH_COUNT],
	struct frame batch[], size_t *count)
{
	int64_t now_ns = clock_monotonic_ns();

	for (size_t i = 0; i < DNSTAP_CONNECTIONS_MAX && *count < SOURCE_BATCH_MAX; i++) {
		size_t place = (k->turn + i) % DNSTAP_CONNECTIONS_MAX;
		struct connection *c = &k->connection[place];
		if (c->fd == -1)
			continue;
		if (!c->has_more && ready[WATCH_CONNECTIONS + place].revents)
			connection_read(k, c);
		connection_take(k, c, batch, count);
		if (c->fd != -1)
			connection_check(k, c, now_ns);
	}
	k->turn = (k->turn + 1) % DNSTAP_CONNECTIONS_MAX;
}

static enum source_status socket_next_batch(struct source *s,
	struct frame batch[SOURCE_BATCH_MAX], size_t *count, struct err_ctx *why)
{
	struct socket_source *k = socket_of(s);
	struct pollfd ready[WATCH_COUNT];

	(void)why; /* trouble with a connection ends that one alone */
	*count = 0;
	connections_bury(k);
	if (!wait_ready(k, ready))
		return SOURCE_END;
	k->wall_ns = clock_wall_ns();
	serve(k, ready, batch, count);
	if (ready[WATCH_LISTEN].revents)
		accept_all(k);
	return SOURCE_OK;
}

/* The socket makes its senders wait, or drop what they know of; nothing is lost here. */
static void socket_losses(struct source *s, struct source_losses *out)
{
	(void)s;
	*out = (struct source_losses){ 0 };
}

static void socket_interrupt(struct source *s)
{
	int saved = errno;

	if (eventfd_write(socket_of(s)->wake_fd, 1) == -1)
		errno = saved; /* the counter is full: it is readable, which is all we want */
}

/* --- open and close -------------------------------------------------------------------------- */

static void log_ends(const struct socket_source *k)
{
	for (size_t i = 0; i < DNSTAP_END_COUNT; i++)
		if (k->ends[i] > 0 && !dnstap_end_is_clean((enum dnstap_end)i))
			log_notice("%s: %llu of %llu connections were closed because %s",
				k->base.name, (unsigned long long)k->ends[i],
				(unsigned long long)k->accepted,
				dnstap_end_text((enum dnstap_end)i));
}

static void socket_close(struct source *s)
{
	struct socket_source *k = socket_of(s);

	for (size_t i = 0; i < DNSTAP_CONNECTIONS_MAX; i++) {
		if (k->connection[i].fd != -1)
			close(k->connection[i].fd);
		dnstap_stream_deinit(&k->connection[i].stream);
	}
	if (k->base.name)
		log_ends(k);
	listener_close(&k->listener);
	if (k->wake_fd != -1)
		close(k->wake_fd);
	free((void *)k->base.name);
	free(k);
}

static const struct source_ops socket_ops = {
	.next_batch = socket_next_batch,
	.losses = socket_losses,
	.interrupt = socket_interrupt,
	.close = socket_close,
};

enum err source_open_dnstap(
	struct source **out, const struct dnstap_options *options, struct err_ctx *why)
{
	struct socket_source *k = calloc(1, sizeof(*k));
	const struct listener_options listen = { options->socket_path, options->owner,
		options->group, 0660 };
	enum err err;

	*out = NULL;
	if (!k)
		return err_set(why, ERR_FAILED, "%s: out of memory", options->socket_path);
	k->base.ops = &socket_ops;
	k->listener.fd = -1;
	k->interface = options->interface_index;
	k->stall_ns = options->stall_ms ? options->stall_ms * NS_PER_MS : STALL_NS;
	for (size_t i = 0; i < DNSTAP_CONNECTIONS_MAX; i++)
		k->connection[i].fd = -1;
	k->base.name = strdup(options->socket_path);
	k->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (!k->base.name || k->wake_fd == -1)
		err = err_set(why, ERR_FAILED, "%s: %s", options->socket_path, strerror(errno));
	else
		err = listener_open(&k->listener, &listen, why);
	if (err != ERR_OK) {
		socket_close(&k->base);
		return err;
	}
	*out = &k->base;
	return ERR_OK;
}
