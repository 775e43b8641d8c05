/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dnslog_file.h -- where the lines of a DNS log go; for dnslog.c.
 *
 * A replay's log is emptied first, and the first write that fails ends it. The log of a sensor lasts: it is
 * appended to, opened anew when logrotate has moved it (at once on request, else within a second: what is
 * written to a file without a name fills the disk and nobody sees it), and a failed write is said and tried
 * again once a second, when there may be room again.
 *
 * Owner:    dnslog_file_close frees.
 * Threads:  one at a time; dnslog_file_reopen any.
 * Blocking: dnslog_file_put as writer.h says.
 */
#ifndef SENSOR_OUTPUT_DNSLOG_FILE_H
#define SENSOR_OUTPUT_DNSLOG_FILE_H

#include <stdbool.h>
#include <stddef.h>

#include "sensor/base/attribute.h"
#include "sensor/base/text.h"

struct dnslog_file;

/* `path` "-": standard output; `how`: enum dnslog_how; `room`: of the texts that will be put. NULL: see errno. */
NODISCARD struct dnslog_file *dnslog_file_open(const char *path, unsigned how, size_t room);

/* Whole lines; `t` is empty again and has room. Returns the errno of the write that failed; 0: none. */
int dnslog_file_put(struct dnslog_file *f, struct text *t);
/* Would dnslog_file_put have to wait? */
bool dnslog_file_is_busy(struct dnslog_file *f);

/*
 * About once a second: open it anew if it was moved or that was asked for, or try again to write.
 * Returns as above.
 */
int dnslog_file_keep(struct dnslog_file *f);
void dnslog_file_reopen(struct dnslog_file *f);

/* Until all is written, or never will be. Return as above. */
int dnslog_file_flush(struct dnslog_file *f);
int dnslog_file_close(struct dnslog_file *f);

#endif
