/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A capture file. Who reads it is seen from its first octets: pcapng.c, classic.c, or libpcap from a stdio
 * stream.
 *
 * The stream is ours (fopencookie): its read function waits for the file and for interruption
 * at once, so that a pipe that delivers nothing can still be given up, and counts bytes for
 * progress. What it gives goes through decompress.c, so that all three only see the capture.
 *
 * The records of a classic pcap file are then read by classic.c, past the stream: of such a file
 * libpcap is given the header and no byte more.
 *
 * What is compressed is decompressed by a thread of its own (ahead.h), if the caller likes that, from the
 * second read on: of many files most are only looked into.
 *
 * Frames that were read before the end or an error are delivered first: `last` keeps what is to
 * be said after them.
 */
#include "sensor/capture/file.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdio_ext.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sensor/capture/ahead.h"
#include "sensor/capture/classic.h"
#include "sensor/base/decompress.h"
#include "sensor/capture/dnstap.h"
#include "sensor/capture/libpcap.h"
#include "sensor/capture/pcapng.h"

#define STREAM_BUFFER_BYTES (256 * 1024)

struct file_source {
	struct source base; /* first: the ops get a pointer to it */
	pcap_t *pcap;
	FILE *stream; /* until the handle owns it */
	char *buffer; /* the stream's */
	int fd;
	int wake_fd; /* readable once interrupted */
	bool wake_borrowed;
	bool regular;       /* its offset tells how far it was read */
	bool ahead_allowed; /* by the caller; and not begun yet */
	struct decompress decompress;
	struct ahead *ahead; /* it has the file and `decompress` then; NULL: nobody else has */
	size_t reads;        /* since it was opened */
	bool opened;
	bool interrupted;
	bool read_failed;        /* decompress.why may say why */
	enum source_status last; /* SOURCE_OK: read on */
	struct err_ctx last_why;
	struct libpcap_batch batch;
	struct classic classic; /* one of them in use when the file is of that kind */
	struct pcapng pcapng;
	const struct source_interfaces *interfaces; /* or NULL */
	uint8_t header[CLASSIC_FILE_HEADER_BYTES];  /* the capture's first bytes */
	size_t header_len;
	size_t header_given; /* of them to libpcap's stream */
	bool header_passed;  /* and more than them */
	char name[];         /* for messages */
};

static struct file_source *file_of(struct source *s)
{
	return (struct file_source *)s;
}

/* The file as it is: 0 at its end and when interrupted, -1 with errno. Perhaps on the thread ahead. */
static ssize_t file_read(void *arg, void *buf, size_t size)
{
	struct file_source *f = arg;
	struct pollfd ready[] = {
		{ .fd = f->fd, .events = POLLIN },
		{ .fd = f->wake_fd, .events = POLLIN },
	};

	for (;;) {
		/* During open a signal is the only way out: nobody can interrupt us yet. */
		if (poll(ready, 2, -1) == -1) {
			if (errno == EINTR && f->opened)
				continue;
			return -1;
		}
		if (ready[1].revents)
			return 0;
		ssize_t got = read(f->fd, buf, size);
		if (got == -1 && (errno == EINTR || errno == EAGAIN) && f->opened)
			continue;
		if (got > 0 && !f->regular)
			f->base.position_bytes += (uint64_t)got;
		return got;
	}
}

static bool is_woken(const struct file_source *f)
{
	struct pollfd wake = { .fd = f->wake_fd, .events = POLLIN };

	return poll(&wake, 1, 0) == 1;
}

static ssize_t decompressed_read(void *arg, void *buf, size_t size)
{
	return decompress_read(arg, buf, size);
}

/* A thread that reads a pipe could not be ended. */
static bool is_for_ahead(const struct file_source *f)
{
	return f->ahead_allowed && f->regular && f->reads > 1 &&
	       decompress_is_needed(&f->decompress);
}

/* What is in the file: 0 at its end and when interrupted, -1 with errno or decompress.why. */
static ssize_t content_read(struct file_source *f, void *buf, size_t size)
{
	f->reads += f->opened;
	if (is_for_ahead(f)) {
		f->ahead_allowed = false;
		f->ahead = ahead_new(decompressed_read, &f->decompress);
	}
	ssize_t got = f->ahead ? ahead_read(f->ahead, buf, size)
			       : decompress_read(&f->decompress, buf, size);
	int saved = errno;
	if (f->regular)
		f->base.position_bytes = (uint64_t)lseek(f->fd, 0, SEEK_CUR);
	f->interrupted = f->interrupted || (got == 0 && is_woken(f));
	f->read_failed = f->read_failed || got == -1;
	errno = saved;
	return got;
}

/* Read for stdio: first the header, and only that. */
static ssize_t stream_read(void *cookie, char *buf, size_t size)
{
	struct file_source *f = cookie;
	size_t left = f->header_len - f->header_given;
	size_t give = size < left ? size : left;

	if (left == 0) {
		f->header_passed = true;
		return content_read(f, buf, size);
	}
	memcpy(buf, f->header + f->header_given, give);
	f->header_given += give;
	return (ssize_t)give;
}

/*
 * Read for classic.c and pcapng.c. Whoever interrupts is heard between two blocks: a compressed file may make many
 * of what was read at once.
 */
static ssize_t block_read(void *arg, void *buf, size_t size)
{
	struct file_source *f = arg;

	f->interrupted = f->interrupted || is_woken(f);
	return f->interrupted ? 0 : content_read(f, buf, size);
}

/* What is wrong: with what was compressed, or else as libpcap says. */
static const char *reason(const struct file_source *f, const char *text)
{
	return f->read_failed && f->decompress.why[0] ? f->decompress.why : text;
}

static enum source_status last_status(struct file_source *f, struct err_ctx *why)
{
	if (f->last == SOURCE_ERROR)
		*why = f->last_why;
	return f->last;
}

/* Read with libpcap; what comes after these frames is in f->last. */
static void read_libpcap(
	struct file_source *f, struct frame batch[SOURCE_BATCH_MAX], size_t *count)
{
	int result = libpcap_read(&f->batch, f->pcap, batch, count);

	if (result == PCAP_ERROR_BREAK) {
		f->last = SOURCE_END;
	} else if (result < 0) {
		f->last = SOURCE_ERROR;
		err_set(&f->last_why, ERR_INPUT, "%s: %s", f->name,
			reason(f, pcap_geterr(f->pcap)));
	} else if (*count < SOURCE_BATCH_MAX) {
		f->last = SOURCE_END;
	}
}

/* The same where the records are read in place. */
static void read_in_place(
	struct file_source *f, struct frame batch[SOURCE_BATCH_MAX], size_t *count)
{
	struct err_ctx why = { { 0 } };

	f->last = classic_is_used(&f->classic) ? classic_next(&f->classic, batch, count, &why)
					       : pcapng_next(&f->pcapng, batch, count, &why);
	if (f->last == SOURCE_ERROR)
		err_set(&f->last_why, ERR_INPUT, "%s: %s", f->name, reason(f, why.text));
}

static enum source_status file_next_batch(struct source *s,
	struct frame batch[SOURCE_BATCH_MAX], size_t *count, struct err_ctx *why)
{
	struct file_source *f = file_of(s);

	*count = 0;
	if (f->last != SOURCE_OK)
		return last_status(f, why);
	if (classic_is_used(&f->classic) || pcapng_is_used(&f->pcapng))
		read_in_place(f, batch, count);
	else
		read_libpcap(f, batch, count);
	if (f->interrupted)
		f->last = SOURCE_END;
	return *count > 0 ? SOURCE_OK : last_status(f, why);
}

static void file_losses(struct source *s, struct source_losses *out)
{
	(void)s;
	*out = (struct source_losses){ 0 };
}

static void file_interrupt(struct source *s)
{
	struct file_source *f = file_of(s);
	int saved = errno;

	if (eventfd_write(f->wake_fd, 1) == -1)
		errno = saved; /* the counter is full: it is readable, which is all we want */
	if (f->pcap)
		pcap_breakloop(f->pcap);
}

static void file_close(struct source *s)
{
	struct file_source *f = file_of(s);

	ahead_free(f->ahead);
	if (f->pcap)
		pcap_close(f->pcap); /* closes the stream */
	else if (f->stream)
		fclose(f->stream);
	if (f->fd > STDIN_FILENO)
		close(f->fd);
	if (f->wake_fd != -1 && !f->wake_borrowed)
		close(f->wake_fd);
	decompress_deinit(&f->decompress);
	libpcap_batch_deinit(&f->batch);
	classic_deinit(&f->classic);
	pcapng_deinit(&f->pcapng);
	free(f->buffer);
	free(f);
}

static const struct source_ops file_ops = {
	.next_batch = file_next_batch,
	.losses = file_losses,
	.interrupt = file_interrupt,
	.close = file_close,
};

static enum err descriptors_open(struct file_source *f, const char *path, struct err_ctx *why)
{
	struct stat st;

	f->fd = strcmp(path, "-") == 0 ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
	if (f->fd == -1 || fstat(f->fd, &st) == -1)
		return err_set(why, ERR_INPUT, "%s: %s", f->name, strerror(errno));
	f->regular = S_ISREG(st.st_mode);
	if (f->regular)
		f->base.size_bytes = (uint64_t)st.st_size;
	if (!f->wake_borrowed)
		f->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (f->wake_fd == -1)
		return err_set(why, ERR_FAILED, "%s: eventfd: %s", f->name, strerror(errno));
	return ERR_OK;
}

/* The first octets, as many as there are. */
static enum err header_read(struct file_source *f, struct err_ctx *why)
{
	ssize_t got = 1;

	while (f->header_len < sizeof(f->header) && got > 0) {
		got = content_read(
			f, f->header + f->header_len, sizeof(f->header) - f->header_len);
		f->header_len += got > 0 ? (size_t)got : 0;
	}
	if (got != -1)
		return ERR_OK;
	return err_set(why, ERR_INPUT, "%s: %s", f->name, reason(f, strerror(errno)));
}

static enum err pcapng_open(struct file_source *f, struct err_ctx *why)
{
	struct err_ctx what;
	enum err err = pcapng_init(
		&f->pcapng, f->header, f->header_len, block_read, f, f->interfaces, &what);

	return err == ERR_OK ? ERR_OK
			     : err_set(why, err, "%s: %s", f->name, reason(f, what.text));
}

/* The stream that libpcap reads from. */
static enum err stream_open(struct file_source *f, struct err_ctx *why)
{
	cookie_io_functions_t functions = { .read = stream_read };

	f->buffer = malloc(STREAM_BUFFER_BYTES);
	f->stream = f->buffer ? fopencookie(f, "rb", functions) : NULL;
	if (!f->stream)
		return err_set(why, ERR_FAILED, "%s: out of memory", f->name);
	/* glibc heeds the size only with a buffer of ours */
	setvbuf(f->stream, f->buffer, _IOFBF, STREAM_BUFFER_BYTES);
	__fsetlocking(f->stream, FSETLOCKING_BYCALLER); /* one thread; libpcap reads in bits */
	return ERR_OK;
}

static enum err libpcap_open(struct file_source *f, struct err_ctx *why)
{
	char text[PCAP_ERRBUF_SIZE] = "";
	enum err err = libpcap_batch_init(&f->batch, LIBPCAP_FRAME_MAX, why);

	if (err == ERR_OK)
		err = stream_open(f, why);
	if (err != ERR_OK)
		return err;
	f->pcap = pcap_fopen_offline_with_tstamp_precision(
		f->stream, PCAP_TSTAMP_PRECISION_NANO, text);
	if (!f->pcap)
		return err_set(why, ERR_INPUT, "%s: %s", f->name, reason(f, text));
	err = libpcap_batch_adopt(&f->batch, f->pcap, f->name, why);
	if (err == ERR_OK && f->header_len == sizeof(f->header) && !f->header_passed)
		(void)!classic_init(&f->classic, f->pcap, f->header, block_read, f);
	f->batch.interface = f->classic.interface = source_interface_otherwise(f->interfaces);
	return err;
}

enum err file_open(struct source **out, const char *path, const struct file_options *options,
	struct err_ctx *why)
{
	if (dnstap_is_recorded(path))
		return dnstap_file_open(out, path, options, why);

	const char *name = strcmp(path, "-") == 0 ? "standard input" : path;
	size_t name_len = strlen(name);
	struct file_source *f = calloc(1, sizeof(*f) + name_len + 1);
	enum err err;

	*out = NULL;
	if (!f)
		return err_set(why, ERR_FAILED, "%s: out of memory", name);
	memcpy(f->name, name, name_len + 1);
	f->base.ops = &file_ops;
	f->base.name = f->name;
	f->fd = -1;
	f->wake_fd = options->wake_fd;
	f->wake_borrowed = options->wake_fd != -1;
	f->ahead_allowed = options->ahead;
	f->interfaces = options->interfaces;
	f->decompress.read = file_read;
	f->decompress.arg = f;
	err = descriptors_open(f, path, why);
	if (err == ERR_OK)
		err = header_read(f, why);
	if (err == ERR_OK)
		err = pcapng_is_start(f->header, f->header_len) ? pcapng_open(f, why)
								: libpcap_open(f, why);
	if (err != ERR_OK) {
		file_close(&f->base);
		return err;
	}
	f->opened = true;
	*out = &f->base;
	return ERR_OK;
}

enum err source_open_file(struct source **out, const char *path, struct err_ctx *why)
{
	return file_open(out, path, &(struct file_options){ .wake_fd = -1 }, why);
}

static ssize_t descriptor_read(void *arg, void *buf, size_t size)
{
	const int *fd = arg;
	ssize_t got;

	do
		got = read(*fd, buf, size);
	while (got == -1 && errno == EINTR);
	return got;
}

/* pcap with times in micro- or nanoseconds or with longer headers, in either byte order; pcapng. */
static bool is_magic(const uint8_t magic[4])
{
	static const uint8_t known[][4] = {
		{ 0xa1, 0xb2, 0xc3, 0xd4 },
		{ 0xd4, 0xc3, 0xb2, 0xa1 },
		{ 0xa1, 0xb2, 0x3c, 0x4d },
		{ 0x4d, 0x3c, 0xb2, 0xa1 },
		{ 0xa1, 0xb2, 0xcd, 0x34 },
		{ 0x34, 0xcd, 0xb2, 0xa1 },
		{ 0x0a, 0x0d, 0x0d, 0x0a },
	};

	for (size_t i = 0; i < ARRAY_LEN(known); i++)
		if (memcmp(magic, known[i], 4) == 0)
			return true;
	return false;
}

bool file_is_capture(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct decompress d = { .read = descriptor_read, .arg = &fd };
	uint8_t magic[4];
	size_t have = 0;
	ssize_t got = 1;

	if (fd == -1)
		return false;
	if (dnstap_is_recorded(path)) {
		close(fd);
		errno = 0;
		return true;
	}
	errno = 0;
	while (have < sizeof(magic) && got > 0) {
		got = decompress_read(&d, magic + have, sizeof(magic) - have);
		have += got > 0 ? (size_t)got : 0;
	}
	int saved = errno;
	bool capture = d.why[0] || (have == sizeof(magic) && is_magic(magic));
	decompress_deinit(&d);
	close(fd);
	errno = got == -1 ? saved : 0;
	return capture;
}
