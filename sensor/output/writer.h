/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * writer.h -- buffers of text to a descriptor, in order: at once, or by a thread of its own while the
 * next buffer is filled.
 *
 *	struct writer *w = writer_new(fd, aside, room);
 *	... fill t ...; error = writer_put(w, &t);   // t is empty again and has `room`
 *	error = writer_flush(w);                     // all is written, or will never be
 *	writer_free(w);
 *
 * Owner:    the descriptor stays the caller's.  Threads: one at a time.
 * Blocking: until the descriptor took the buffer; aside, the one before it.
 * Errors:   the first stops all writing and is what every later call returns (errno; 0: none).
 */
#ifndef SENSOR_OUTPUT_WRITER_H
#define SENSOR_OUTPUT_WRITER_H

#include <stdbool.h>
#include <stddef.h>

#include "sensor/base/attribute.h"
#include "sensor/base/text.h"

struct writer;

/* Aside: a thread starts with the first buffer, if it can. NULL when out of memory. */
struct writer *writer_new(int fd, bool aside, size_t room);
int writer_put(struct writer *w, struct text *t);
NODISCARD int writer_flush(struct writer *w);
/* Would writer_put have to wait? */
bool writer_is_busy(struct writer *w);
/* After writer_flush: go on with this descriptor, as if no write had failed. */
void writer_go_on(struct writer *w, int fd);
/* What writer_flush has not waited for is written still. */
void writer_free(struct writer *w);

#endif
