/* SPDX-License-Identifier: BSD-2-Clause */
/* What is read ahead comes as it was read, however much at a time, and ends as it ended. */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdint.h>

#include "sensor/base/attribute.h"
#include "sensor/capture/ahead.h"

/* A stream of so many bytes, of which a read gives no more than `step`; then `last`. */
struct stream {
	size_t len, at, step;
	ssize_t last;
	unsigned reads_after_end;
};

/* The byte at this place: no two blocks of any usual size are alike. */
static uint8_t byte_at(size_t place)
{
	return (uint8_t)(place ^ place >> 8 ^ place >> 16);
}

static ssize_t stream_read(void *arg, void *buf, size_t size)
{
	struct stream *s = arg;
	size_t left = s->len - s->at;
	size_t count = left < s->step ? left : s->step;

	if (left == 0) {
		s->reads_after_end++;
		errno = EIO;
		return s->last;
	}
	count = count < size ? count : size;
	for (size_t i = 0; i < count; i++)
		((uint8_t *)buf)[i] = byte_at(s->at++);
	return (ssize_t)count;
}

/* Read all, `size` at most at a time; returns how many bytes came, all of them right. */
static size_t read_all(struct ahead *a, size_t size, ssize_t *last)
{
	static uint8_t buf[1 << 20];
	size_t total = 0;

	while ((*last = ahead_read(a, buf, size)) > 0) {
		cr_assert_leq((size_t)*last, size);
		for (ssize_t i = 0; i < *last; i++, total++)
			cr_assert_eq(buf[i], byte_at(total), "at %zu", total);
	}
	return total;
}

Test(ahead, everything_comes_in_order_however_it_is_read)
{
	static const size_t sizes[] = { 1, 7, 4096, 100000, 1 << 20 };
	const size_t len = 3 * AHEAD_BYTES + 12345;
	ssize_t last;

	for (size_t i = 1; i < ARRAY_LEN(sizes); i++) {
		for (size_t k = 1; k < ARRAY_LEN(sizes); k++) {
			struct stream s = { .len = len, .step = sizes[i] };
			struct ahead *a = ahead_new(stream_read, &s);
			cr_assert_not_null(a);
			cr_assert_eq(read_all(a, sizes[k], &last), len);
			cr_assert_eq(last, 0);
			ahead_free(a);
		}
	}
}

Test(ahead, a_failure_comes_after_all_that_came_before_it_and_stays)
{
	struct stream s = { .len = 100, .step = 30, .last = -1 };
	struct ahead *a = ahead_new(stream_read, &s);
	uint8_t buf[10];
	ssize_t last;

	cr_assert_eq(read_all(a, 16, &last), 100);
	for (int i = 0; i < 3; i++) {
		cr_assert_eq(last, -1);
		cr_assert_eq(errno, EIO);
		errno = 0;
		last = ahead_read(a, buf, sizeof(buf));
	}
	ahead_free(a);
	cr_assert_eq(s.reads_after_end, 1, "nobody asks again");
}

Test(ahead, an_empty_stream_ends_at_once)
{
	struct stream s = { .step = 1 };
	struct ahead *a = ahead_new(stream_read, &s);
	uint8_t byte;

	cr_assert_eq(ahead_read(a, &byte, 1), 0);
	cr_assert_eq(ahead_read(a, &byte, 1), 0);
	ahead_free(a);
}

/* Also while the thread waits for room, and before anything was read. */
Test(ahead, it_may_be_given_up_at_any_time)
{
	uint8_t buf[1000];

	for (int reads = 0; reads < 50; reads++) {
		struct stream s = { .len = SIZE_MAX, .step = 100000 };
		struct ahead *a = ahead_new(stream_read, &s);
		for (int i = 0; i < reads; i++)
			cr_assert_gt(ahead_read(a, buf, sizeof(buf)), 0);
		ahead_free(a);
		cr_assert_leq(s.at, AHEAD_BYTES + (size_t)reads * sizeof(buf));
	}
	ahead_free(NULL);
}
