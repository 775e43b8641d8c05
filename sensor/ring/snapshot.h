/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * snapshot.h -- one immutable thing that readers use without locks while a writer replaces it.
 *
 * The writer publishes the next version; each reader adopts it at the end of a batch, by which
 * it says that it no longer looks at the one before. The writer waits until every reader has
 * adopted and then frees the old version.
 *
 * A reader that cannot change over at once looks first (snapshot_current) and adopts what it saw
 * when it is ready (snapshot_adopt_version). One whose work is made by another reader does not look
 * at all: it adopts a version when it comes to the first work made with it.
 *
 * Threads:  one writer; a fixed number of readers (<= SNAPSHOT_READERS_MAX), each with its
 *           slot.
 * Owner:    the writer owns every version. It may free one when a later one was published
 *           and snapshot_wait_adopted has returned true; after a timeout it keeps them all until
 *           it does. A version is published once: never go back to an earlier one, build it anew.
 * Limits:   a reader that sleeps holds up the writer: it wakes now and then to adopt, or leaves.
 */
#ifndef SENSOR_RING_SNAPSHOT_H
#define SENSOR_RING_SNAPSHOT_H

#include <stdbool.h>
#include <stddef.h>

#include "sensor/base/attribute.h"

#define SNAPSHOT_READERS_MAX 256

struct snapshot;

/* Every reader counts as using `first` from now on. NULL when out of memory. */
struct snapshot *snapshot_new(const void *first, size_t reader_count);
void snapshot_free(struct snapshot *s);
/* [writer] Make `next` the current version; returns the one before, still in use by readers. */
const void *snapshot_publish(struct snapshot *s, const void *next);
/*
 * [writer] Wait until every reader has adopted the current version or left; false on timeout
 * (0: only look).
 */
NODISCARD bool snapshot_wait_adopted(struct snapshot *s, int timeout_ms);
/* [reader] The current version; from now on this reader uses only it. Cheap when unchanged. */
const void *snapshot_adopt(struct snapshot *s, size_t reader);
/* [reader] The current version, not adopted yet: nothing in it may be looked at before that. */
const void *snapshot_current(struct snapshot *s);
/*
 * [reader] From now on this reader uses only `version`, which is what snapshot_current returned
 * to it, or to the reader whose work it does.
 */
void snapshot_adopt_version(struct snapshot *s, size_t reader, const void *version);
/* [reader] This reader will not look again (it ends). */
void snapshot_leave(struct snapshot *s, size_t reader);

#endif
