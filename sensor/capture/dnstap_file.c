/* SPDX-License-Identifier: BSD-2-Clause */
/* A recorded Frame Streams file with dnstap in it. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sensor/base/cursor.h"
#include "sensor/capture/dnstap.h"
#include "sensor/capture/dnstap_stream.h"
#include "sensor/capture/file.h"

#define HEAD_BYTES    12 /* escape, length and type of the first control frame */
#define CONTROL_START 2
#define CONTROL_MAX   512

struct file_source {
	struct source base; /* first: the ops get a pointer to it */
	int fd;
	int wake_fd; /* readable once interrupted */
	bool wake_borrowed;
	uint16_t interface; /* of all frames */
	struct dnstap_stream stream;
	int64_t last_ts_ns;
	enum source_status last; /* SOURCE_OK: read on */
	struct err_ctx last_why;
	struct packet packet[SOURCE_BATCH_MAX];
	char name[]; /* for messages */
};

static struct file_source *file_of(struct source *s)
{
	return (struct file_source *)s;
}

static bool is_head(const uint8_t *bytes, size_t bytes_len)
{
	struct cursor c = cursor_init(bytes, bytes_len);
	uint32_t escape = cursor_be32(&c);
	uint32_t len = cursor_be32(&c);
	uint32_t type = cursor_be32(&c);

	return !c.failed && escape == 0 && len <= CONTROL_MAX && type == CONTROL_START;
}

static int path_open(const char *path)
{
	return strcmp(path, "-") == 0 ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
}

static void path_close(int fd)
{
	if (fd > STDIN_FILENO)
		close(fd);
}

bool dnstap_is_recorded(const char *path)
{
	uint8_t head[HEAD_BYTES];
	struct stat st;
	bool standard = strcmp(path, "-") == 0;

	/* Only to open or to read a pipe would take something away from who reads it. */
	if ((standard ? fstat(STDIN_FILENO, &st) : stat(path, &st)) == -1 ||
		!S_ISREG(st.st_mode))
		return false;
	int fd = path_open(path);
	bool is = fd != -1 && pread(fd, head, sizeof(head), 0) == (ssize_t)sizeof(head) &&
		  is_head(head, sizeof(head));
	path_close(fd);
	return is;
}

static void end(struct file_source *f, enum source_status status)
{
	if (f->last == SOURCE_OK)
		f->last = status;
}

static void fail(struct file_source *f, const char *text)
{
	end(f, SOURCE_ERROR);
	err_set(&f->last_why, ERR_INPUT, "%s: %s", f->name, text);
}

static const char *failure_text(enum dnstap_end why)
{
	switch (why) {
	case DNSTAP_END_NOT_STARTED:
		return "no Frame Streams file, or what follows its end is none";
	case DNSTAP_END_CONTENT:
		return "its frames are not of the type " DNSTAP_CONTENT_TYPE;
	case DNSTAP_END_OVERSIZE:
		return "damaged: a frame larger than 128 KiB";
	case DNSTAP_END_CONTROL:
		return "damaged: a control frame that cannot be, or in the wrong place";
	default:
		return "out of memory";
	}
}

/* Wait until there is something to read; false when interrupted. */
static bool wait_readable(struct file_source *f)
{
	struct pollfd ready[] = {
		{ .fd = f->fd, .events = POLLIN },
		{ .fd = f->wake_fd, .events = POLLIN },
	};

	while (poll(ready, 2, -1) == -1)
		if (errno != EINTR)
			return true; /* reading will say what is wrong */
	return ready[1].revents == 0;
}

static void at_end(struct file_source *f)
{
	enum dnstap_stream_state state = f->stream.state;

	if (f->base.position_bytes == 0)
		fail(f, "empty");
	else if (state == DNSTAP_STREAM_NEW && !dnstap_stream_has_bytes(&f->stream))
		end(f, SOURCE_END);
	else if (dnstap_stream_is_within(&f->stream))
		fail(f, "ends in the middle of a frame");
	else
		fail(f, "ends without its STOP frame: cut, or still being written");
}

static void fill_buffer(struct file_source *f)
{
	size_t room;
	uint8_t *at = dnstap_stream_room(&f->stream, &room);
	ssize_t got;

	do {
		if (!wait_readable(f)) {
			end(f, SOURCE_END);
			return;
		}
		got = read(f->fd, at, room);
	} while (got == -1 && (errno == EINTR || errno == EAGAIN));
	if (got == -1) {
		fail(f, strerror(errno));
	} else if (got == 0) {
		at_end(f);
	} else {
		f->base.position_bytes += (uint64_t)got;
		dnstap_stream_filled(&f->stream, (size_t)got);
	}
}

static void take_frame(struct file_source *f, struct frame *out, struct packet *packet,
	const uint8_t *bytes, size_t bytes_len)
{
	int64_t ts_ns;
	enum packet_result result = dnstap_decode(packet, &ts_ns, bytes, bytes_len);

	/* A frame that tells no time is counted at that of the one before. */
	if (result == PACKET_DNS)
		f->last_ts_ns = ts_ns;
	*out = (struct frame){
		.bytes = bytes,
		.caplen = (uint32_t)bytes_len,
		.wire_len = (uint32_t)bytes_len,
		.ts_ns = f->last_ts_ns,
		.interface = f->interface,
		.decoded = packet,
		.result = (uint8_t)result,
	};
}

/* The frames that are in the buffer. */
static void take_frames(struct file_source *f, struct frame batch[], size_t *count)
{
	const uint8_t *bytes;
	size_t bytes_len;

	while (*count < SOURCE_BATCH_MAX) {
		switch (dnstap_stream_next(&f->stream, &bytes, &bytes_len)) {
		case DNSTAP_STREAM_FRAME:
			take_frame(f, &batch[*count], &f->packet[*count], bytes, bytes_len);
			++*count;
			break;
		case DNSTAP_STREAM_REPLY:
			break; /* a recorded handshake: nobody waits for our side of it */
		case DNSTAP_STREAM_STOP:
			dnstap_stream_restart(&f->stream);
			break;
		case DNSTAP_STREAM_FAIL:
			fail(f, failure_text(f->stream.why));
			return;
		case DNSTAP_STREAM_MORE:
			return;
		}
	}
}

/* Frames at the beginning that tell no time are counted at that of the first one that does. */
static void date_first(struct frame batch[], size_t count)
{
	size_t dated = 0;

	while (dated < count && batch[dated].ts_ns == 0)
		dated++;
	for (size_t i = 0; dated < count && i < dated; i++)
		batch[i].ts_ns = batch[dated].ts_ns;
}

static enum source_status file_next_batch(struct source *s,
	struct frame batch[SOURCE_BATCH_MAX], size_t *count, struct err_ctx *why)
{
	struct file_source *f = file_of(s);

	*count = 0;
	take_frames(f, batch, count);
	while (*count == 0 && f->last == SOURCE_OK) {
		fill_buffer(f);
		take_frames(f, batch, count);
	}
	date_first(batch, *count);
	if (*count > 0)
		return SOURCE_OK;
	if (f->last == SOURCE_ERROR)
		*why = f->last_why;
	return f->last;
}

static void file_losses(struct source *s, struct source_losses *out)
{
	(void)s;
	*out = (struct source_losses){ 0 };
}

static void file_interrupt(struct source *s)
{
	int saved = errno;

	if (eventfd_write(file_of(s)->wake_fd, 1) == -1)
		errno = saved; /* the counter is full: it is readable, which is all we want */
}

static void file_close(struct source *s)
{
	struct file_source *f = file_of(s);

	path_close(f->fd);
	if (f->wake_fd != -1 && !f->wake_borrowed)
		close(f->wake_fd);
	dnstap_stream_deinit(&f->stream);
	free(f);
}

static const struct source_ops file_ops = {
	.next_batch = file_next_batch,
	.losses = file_losses,
	.interrupt = file_interrupt,
	.close = file_close,
};

static enum err resources_open(struct file_source *f, const char *path, struct err_ctx *why)
{
	struct stat st;

	f->fd = path_open(path);
	if (f->fd == -1 || fstat(f->fd, &st) == -1)
		return err_set(why, ERR_INPUT, "%s: %s", f->name, strerror(errno));
	if (S_ISREG(st.st_mode))
		f->base.size_bytes = (uint64_t)st.st_size;
	if (!f->wake_borrowed)
		f->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (f->wake_fd == -1)
		return err_set(why, ERR_FAILED, "%s: eventfd: %s", f->name, strerror(errno));
	if (!dnstap_stream_init(&f->stream))
		return err_set(why, ERR_FAILED, "%s: out of memory", f->name);
	return ERR_OK;
}

enum err dnstap_file_open(struct source **out, const char *path,
	const struct file_options *options, struct err_ctx *why)
{
	const char *name = strcmp(path, "-") == 0 ? "standard input" : path;
	size_t name_len = strlen(name);
	struct file_source *f = calloc(1, sizeof(*f) + name_len + 1);

	*out = NULL;
	if (!f)
		return err_set(why, ERR_FAILED, "%s: out of memory", name);
	memcpy(f->name, name, name_len + 1);
	f->base.ops = &file_ops;
	f->base.name = f->name;
	f->fd = -1;
	f->interface = source_interface_otherwise(options->interfaces);
	f->wake_fd = options->wake_fd;
	f->wake_borrowed = options->wake_fd != -1;
	enum err err = resources_open(f, path, why);
	if (err != ERR_OK) {
		file_close(&f->base);
		return err;
	}
	*out = &f->base;
	return ERR_OK;
}
