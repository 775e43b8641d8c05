/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * stop.h -- SIGTERM and SIGINT: the first one ends the sources, so that everything read so far is
 * judged and written; a second one exits at once. SIGHUP is only noted.
 *
 * Threads: the handlers run on the main thread alone, since every other thread is started between
 * stop_block and stop_install and so has the signals blocked.
 */
#ifndef SENSOR_APP_STOP_H
#define SENSOR_APP_STOP_H

#include <stdbool.h>
#include <stddef.h>

#include "sensor/capture/source.h"

#define STOP_SOURCES_MAX 64

/* Block the signals for this thread and all that it starts from now on. */
void stop_block(void);
/* Install the handlers and let the main thread have the signals. */
void stop_install(void);
/* Source number i (NULL: none any more) is to be interrupted. Interrupted at once when the signal
 * has come already. Main thread only. */
void stop_watch(size_t i, struct source *source);
bool stop_requested(void);
/* True once for each SIGHUP. */
bool stop_hup(void);

#endif
