/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * race_ahead -- stress of reading ahead, for ThreadSanitizer (make race).
 *
 * One thread makes a sequence of bytes in pieces of all sizes, the other one takes it in pieces of all
 * sizes, and gives up at a place that differs each time. A byte that is missing, comes twice or out of
 * order fails the program; so does what the reading side left behind that is not there when it has ended.
 */
#include "sensor/capture/ahead.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define ALARM_S 120
#define ROUNDS  20
#define BYTES   (4 * AHEAD_BYTES)

static void fail(const char *what)
{
	fprintf(stderr, "race_ahead: %s\n", what);
	exit(1);
}

static uint8_t byte_at(size_t place)
{
	return (uint8_t)(place * 7 ^ place >> 8 ^ place >> 16);
}

/* A piece's size, from 1 to `most`, in no order. */
static size_t piece(uint32_t *state, size_t most)
{
	*state = *state * 1664525 + 1013904223;
	return 1 + *state % most;
}

/* The reading side writes this while it reads; the other one looks at it once that has ended. */
struct maker {
	size_t at;
	uint32_t state;
	const char *why;
};

static ssize_t make(void *arg, void *buf, size_t size)
{
	struct maker *m = arg;
	size_t count = piece(&m->state, 200000);

	count = count < size ? count : size;
	count = count < BYTES - m->at ? count : BYTES - m->at;
	for (size_t i = 0; i < count; i++)
		((uint8_t *)buf)[i] = byte_at(m->at++);
	if (count > 0)
		return (ssize_t)count;
	m->why = "as it should";
	errno = EBADMSG;
	return -1;
}

/* Returns how much was taken until there was as much as wanted, or no more. */
static size_t take(struct ahead *a, uint32_t *state, size_t wanted, ssize_t *got)
{
	static uint8_t buf[300000];
	size_t total = 0;

	*got = 1;
	while (total < wanted && (*got = ahead_read(a, buf, piece(state, sizeof(buf)))) > 0) {
		for (ssize_t i = 0; i < *got; i++)
			if (buf[i] != byte_at(total++))
				fail("a byte is missing or out of its place");
	}
	return total;
}

int main(void)
{
	uint32_t state = 1;

	alarm(ALARM_S);
	for (uint32_t i = 0; i < ROUNDS; i++) {
		struct maker m = { .state = i };
		struct ahead *a = ahead_new(make, &m);
		size_t wanted = i % 3 == 0 ? SIZE_MAX : piece(&state, BYTES);
		ssize_t got;
		if (!a)
			fail("cannot begin");
		size_t taken = take(a, &state, wanted, &got);
		if (wanted == SIZE_MAX &&
			(taken != BYTES || got != -1 || errno != EBADMSG || !m.why))
			fail("it did not end as the reading side did");
		ahead_free(a);
		if (m.at < taken)
			fail("more was taken than made");
	}
	printf("%d streams of %zu bytes\n", ROUNDS, (size_t)BYTES);
	return 0;
}
