/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * race_snapshot -- stress of the version hand-over, for ThreadSanitizer (make race).
 *
 * A writer publishes versions as fast as readers adopt them and frees each old one, poisoned
 * first, as soon as it may; readers keep reading the version they adopted. A reader that meets
 * poison, an older version than before, or freed memory fails the program.
 */
#include "sensor/ring/snapshot.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "sensor/base/clock.h"

#define ALARM_S         120
#define READERS         4
#define VERSIONS        1000
#define WORDS           64
#define LOOKS_PER_BATCH 20

struct version {
	uint64_t number;
	uint64_t word[WORDS]; /* all are number */
};

struct reader {
	struct snapshot *snapshot;
	size_t index;
	_Atomic bool *over;
	bool leaves_early;
	uint64_t adopted; /* changes of version, read after the join */
};

static void fail(const char *what)
{
	fprintf(stderr, "race_snapshot: %s\n", what);
	exit(1);
}

static struct version *version_new(uint64_t number)
{
	struct version *v = malloc(sizeof(*v));

	if (!v)
		fail("out of memory");
	v->number = number;
	for (size_t i = 0; i < WORDS; i++)
		v->word[i] = number;
	return v;
}

static void version_free(const struct version *old)
{
	struct version *v = (struct version *)(uintptr_t)old;

	v->number = UINT64_MAX;
	for (size_t i = 0; i < WORDS; i++)
		v->word[i] = UINT64_MAX;
	free(v);
}

static void check_version(const struct version *v, uint64_t last)
{
	if (v->number == UINT64_MAX || v->number < last)
		fail("a reader got a version that is gone");
	for (size_t i = 0; i < WORDS; i++) {
		if (v->word[i] != v->number)
			fail("a version changed while it was read");
	}
}

static void *read_versions(void *arg)
{
	struct reader *reader = arg;
	uint64_t last = 0;

	while (!atomic_load_explicit(reader->over, memory_order_relaxed)) {
		const struct version *v = snapshot_adopt(reader->snapshot, reader->index);
		for (int i = 0; i < LOOKS_PER_BATCH; i++)
			check_version(v, last);
		reader->adopted += v->number != last;
		last = v->number;
		if (reader->leaves_early && last > VERSIONS / 2)
			break;
	}
	snapshot_leave(reader->snapshot, reader->index);
	return NULL;
}

/*
 * Publish versions; every third together with the one after it, so that readers are caught
 * between two. Old ones are freed only when all have adopted.
 */
static const struct version *write_versions(struct snapshot *s)
{
	const struct version *old[2], *current = NULL;

	for (uint64_t number = 1; number <= VERSIONS; number++) {
		size_t old_count = 0;
		current = version_new(number);
		old[old_count++] = snapshot_publish(s, current);
		if (number % 3 == 0) {
			current = version_new(++number);
			old[old_count++] = snapshot_publish(s, current);
		}
		if (!snapshot_wait_adopted(s, 10000))
			fail("a reader did not adopt");
		while (old_count > 0)
			version_free(old[--old_count]);
	}
	return current;
}

int main(void)
{
	struct snapshot *s = snapshot_new(version_new(0), READERS);
	struct reader reader[READERS];
	pthread_t thread[READERS];
	_Atomic bool over = false;

	alarm(ALARM_S);
	if (!s)
		fail("out of memory");
	for (size_t i = 0; i < READERS; i++) {
		reader[i] = (struct reader){ s, i, &over, i == READERS - 1, 0 };
		if (pthread_create(&thread[i], NULL, read_versions, &reader[i]) != 0)
			fail("cannot start");
	}
	const struct version *last = write_versions(s);
	atomic_store(&over, true);
	for (size_t i = 0; i < READERS; i++) {
		pthread_join(thread[i], NULL);
		printf("reader %zu adopted %llu versions\n", i,
			(unsigned long long)reader[i].adopted);
		if (reader[i].adopted < VERSIONS / 4)
			fail("a reader missed too many versions");
	}
	version_free(last);
	snapshot_free(s);
	return 0;
}
