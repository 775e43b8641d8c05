/* SPDX-License-Identifier: BSD-2-Clause */
#include "sensor/ring/snapshot.h"

#include <criterion/criterion.h>
#include <pthread.h>
#include <time.h>

#include "sensor/base/clock.h"

static const int first = 1, second = 2, third = 3;

Test(snapshot, readers_start_with_the_first_version)
{
	struct snapshot *s = snapshot_new(&first, 2);

	cr_assert(snapshot_wait_adopted(s, 0));
	cr_assert_eq(snapshot_adopt(s, 0), &first);
	cr_assert_eq(snapshot_adopt(s, 1), &first);
	snapshot_free(s);
}

Test(snapshot, publishing_returns_the_version_before)
{
	struct snapshot *s = snapshot_new(&first, 1);

	cr_assert_eq(snapshot_publish(s, &second), &first);
	cr_assert_eq(snapshot_publish(s, &third), &second);
	cr_assert_eq(snapshot_adopt(s, 0), &third);
	snapshot_free(s);
}

Test(snapshot, every_reader_must_adopt_before_the_old_version_may_go)
{
	struct snapshot *s = snapshot_new(&first, 3);

	snapshot_publish(s, &second);
	for (size_t reader = 0; reader < 3; reader++) {
		cr_assert_not(
			snapshot_wait_adopted(s, 0), "reader %zu has not adopted", reader);
		cr_assert_eq(snapshot_adopt(s, reader), &second);
	}
	cr_assert(snapshot_wait_adopted(s, 0));
	snapshot_free(s);
}

Test(snapshot, a_reader_that_adopted_the_one_in_between_is_waited_for)
{
	struct snapshot *s = snapshot_new(&first, 1);

	snapshot_publish(s, &second);
	snapshot_adopt(s, 0);
	snapshot_publish(s, &third);
	cr_assert_not(snapshot_wait_adopted(s, 0));
	snapshot_adopt(s, 0);
	cr_assert(snapshot_wait_adopted(s, 0));
	snapshot_free(s);
}

Test(snapshot, a_reader_that_left_is_not_waited_for)
{
	struct snapshot *s = snapshot_new(&first, 2);

	snapshot_leave(s, 0);
	snapshot_publish(s, &second);
	cr_assert_not(snapshot_wait_adopted(s, 0));
	snapshot_leave(s, 1);
	cr_assert(snapshot_wait_adopted(s, 0));
	snapshot_free(s);
}

Test(snapshot, with_no_readers_there_is_nobody_to_wait_for)
{
	struct snapshot *s = snapshot_new(&first, 0);

	snapshot_publish(s, &second);
	cr_assert(snapshot_wait_adopted(s, 0));
	snapshot_free(s);
}

Test(snapshot, waiting_ends_at_its_time)
{
	struct snapshot *s = snapshot_new(&first, 1);

	snapshot_publish(s, &second);
	int64_t start_ns = clock_monotonic_ns();
	cr_assert_not(snapshot_wait_adopted(s, 20));
	cr_assert_geq(clock_monotonic_ns() - start_ns, 20 * NS_PER_MS);
	snapshot_free(s);
}

static void *adopt_later(void *arg)
{
	nanosleep(&(struct timespec){ .tv_nsec = 10 * NS_PER_MS }, NULL);
	snapshot_adopt(arg, 0);
	return NULL;
}

Test(snapshot, waiting_ends_when_the_last_reader_adopts, .timeout = 20)
{
	struct snapshot *s = snapshot_new(&first, 1);
	pthread_t thread;

	snapshot_publish(s, &second);
	pthread_create(&thread, NULL, adopt_later, s);
	cr_assert(snapshot_wait_adopted(s, 10000));
	pthread_join(thread, NULL);
	snapshot_free(s);
}

Test(snapshot, looking_at_the_current_version_is_not_adopting_it)
{
	struct snapshot *s = snapshot_new(&first, 1);

	snapshot_publish(s, &second);
	cr_assert_eq(snapshot_current(s), &second);
	cr_assert_not(snapshot_wait_adopted(s, 0));
	snapshot_adopt_version(s, 0, &second);
	cr_assert(snapshot_wait_adopted(s, 0));
	snapshot_free(s);
}

Test(snapshot, what_was_looked_at_may_be_adopted_when_it_is_current_no_more)
{
	struct snapshot *s = snapshot_new(&first, 1);

	snapshot_publish(s, &second);
	const void *seen = snapshot_current(s);
	snapshot_publish(s, &third);
	snapshot_adopt_version(s, 0, seen);
	cr_assert_not(snapshot_wait_adopted(s, 0));
	snapshot_adopt_version(s, 0, snapshot_current(s));
	cr_assert(snapshot_wait_adopted(s, 0));
	snapshot_free(s);
}
