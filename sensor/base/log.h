/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * log.h -- what is said to the operator, always on standard error, one line each.
 *
 * Never called per packet. Under systemd (JOURNAL_STREAM is set) lines carry a priority prefix
 * ("<4>"), elsewhere the program name: "dynwatch: warning: ...".
 * Threads: safe from any thread; a line is one write.
 */
#ifndef SENSOR_BASE_LOG_H
#define SENSOR_BASE_LOG_H

#include "sensor/base/attribute.h"

enum log_level {
	LOG_LEVEL_ERROR,
	LOG_LEVEL_WARNING,
	LOG_LEVEL_NOTICE,
	LOG_LEVEL_DEBUG,
};

/* Lines above `level` are not written; default LOG_LEVEL_NOTICE. Call before threads start. */
void log_set_level(enum log_level level);

void log_error(const char *format, ...) PRINTF_LIKE(1, 2);
void log_warning(const char *format, ...) PRINTF_LIKE(1, 2);
void log_notice(const char *format, ...) PRINTF_LIKE(1, 2);
void log_debug(const char *format, ...) PRINTF_LIKE(1, 2);

#endif
