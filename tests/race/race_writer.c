/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * race_writer -- stress of the writer that writes aside, for ThreadSanitizer (make race).
 *
 * One side fills buffers of all sizes with one sequence of octets, flushes now and then, and goes away
 * without a last flush; the other reads them from a pipe, which is full most of the time. An octet that
 * is missing, comes twice or out of order fails the program; so does an error after the reader has gone
 * that nobody is told of.
 */
#include "sensor/output/writer.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define ALARM_S    120
#define ROOM       4096
#define PUTS       20000
#define FLUSH_EACH 97
#define PUTS_MAX   100000 /* more than any pipe holds */

struct reader {
	int fd;
	uint64_t octets;
};

static void fail(const char *what)
{
	fprintf(stderr, "race_writer: %s\n", what);
	exit(1);
}

/* The octet at this place of the sequence. */
static char octet_at(uint64_t place)
{
	return (char)('a' + place * 7 % 26);
}

static void *read_all(void *arg)
{
	struct reader *r = arg;
	char bytes[1000];
	ssize_t len;

	while ((len = read(r->fd, bytes, sizeof(bytes))) > 0) {
		for (ssize_t i = 0; i < len; i++)
			if (bytes[i] != octet_at(r->octets++))
				fail("an octet is missing or out of its place");
	}
	return NULL;
}

static void fill(struct text *t, size_t len, uint64_t *place)
{
	char bytes[ROOM];

	for (size_t i = 0; i < len; i++)
		bytes[i] = octet_at((*place)++);
	text_add(t, bytes, len);
}

static struct writer *open_writer(int fd)
{
	struct writer *w = writer_new(fd, true, ROOM);

	if (!w)
		fail("out of memory");
	return w;
}

static void write_everything(void)
{
	int ends[2];
	if (pipe(ends) != 0)
		fail("no pipe");
	struct reader reader = { .fd = ends[0] };
	struct text t = { 0 };
	uint64_t written = 0;
	pthread_t thread;

	struct writer *w = open_writer(ends[1]);
	if (pthread_create(&thread, NULL, read_all, &reader) != 0)
		fail("no thread");
	for (unsigned i = 1; i <= PUTS; i++) {
		fill(&t, i * 31 % (ROOM + 1), &written);
		if (writer_put(w, &t) != 0 || t.len != 0)
			fail("a buffer was not taken");
		if (i % FLUSH_EACH == 0 && writer_flush(w) != 0)
			fail("flush");
	}
	writer_free(w);
	close(ends[1]);
	pthread_join(thread, NULL);
	close(ends[0]);
	text_deinit(&t);
	if (reader.octets != written)
		fail("what was put last was not written");
}

static void lose_the_reader(void)
{
	int ends[2];
	if (pipe(ends) != 0)
		fail("no pipe");
	struct text t = { 0 };
	uint64_t written = 0;
	int error = 0;

	struct writer *w = open_writer(ends[1]);
	close(ends[0]);
	for (unsigned i = 0; i < PUTS_MAX && error == 0; i++) {
		fill(&t, ROOM / 2, &written);
		error = writer_put(w, &t);
	}
	if (error != EPIPE || writer_flush(w) != EPIPE)
		fail("nobody was told that the reader has gone");
	writer_free(w);
	close(ends[1]);
	text_deinit(&t);
}

int main(void)
{
	alarm(ALARM_S);
	signal(SIGPIPE, SIG_IGN);
	write_everything();
	lose_the_reader();
	printf("race_writer: every octet in its place\n");
	return 0;
}
