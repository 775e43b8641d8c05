/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * append_file.h -- files that a sensor appends to for months, and that logrotate(8) moves away meanwhile;
 * for jsonl.c and dnslog_file.c.
 */
#ifndef SENSOR_OUTPUT_APPEND_FILE_H
#define SENSOR_OUTPUT_APPEND_FILE_H

#include <stdbool.h>

#include "sensor/base/attribute.h"

/* Made if it is not there, readable for its group. `flags`: more of them (O_TRUNC). -1: see errno. */
NODISCARD int append_file_open(const char *path, int flags);
/* Is what was opened at this path there no more? Asked once a second, say; two system calls. */
bool append_file_has_moved(int fd, const char *path);

#endif
