/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * watch.h -- have files changed, and are they whole again?
 *
 * Folders are watched with inotify, so that a file that is replaced (written beside and renamed) is
 * seen as one that is written in place. A change is due when nothing has happened for
 * WATCH_QUIET_MS, nobody is still writing (at most WATCH_WRITING_MAX_S) and a file is really another:
 * one that is only touched is not. Links are followed. What inotify does not tell (network file
 * systems, a folder that was exchanged as a whole) is found by looking every WATCH_LOOK_S.
 *
 * Owner:    watch_new/watch_free; paths are copied.  Threads: one.
 * Limits:   without inotify (its limits are the user's) looking every WATCH_LOOK_S is what remains.
 */
#ifndef SENSOR_APP_WATCH_H
#define SENSOR_APP_WATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sensor/base/attribute.h"

#define WATCH_QUIET_MS      2000
#define WATCH_WRITING_MAX_S 60
#define WATCH_LOOK_S        60

struct watch;

/* NULL when out of memory. */
struct watch *watch_new(void);
void watch_free(struct watch *w);
/*
 * Watch these files, as they are now, and no others. Called before they are read: what changes
 * while they are is a change. False when out of memory: those of before are watched on.
 */
NODISCARD bool watch_files(struct watch *w, const char *const *path, size_t path_count);
/* Readable when something has happened; -1: inotify is not to be had. */
int watch_fd(const struct watch *w);
/* Take what has happened; does not block. */
void watch_read(struct watch *w, int64_t now_ns);
/* In how many milliseconds watch_is_due is to be asked. */
int watch_timeout_ms(const struct watch *w, int64_t now_ns);
/* Is there a change that is ready to be read? Asked again it says no until there is another one. */
bool watch_is_due(struct watch *w, int64_t now_ns);

#endif
