/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * usage.h -- how a command says that it was called wrongly: one line on standard error that names
 * the option, and exit code 2. A command is named as people call it: "dynwatch check".
 */
#ifndef SENSOR_BASE_USAGE_H
#define SENSOR_BASE_USAGE_H

#include "sensor/base/attribute.h"

/* "COMMAND: FORMAT; see COMMAND --help". Returns ERR_USAGE. */
int usage_fail(const char *command, const char *format, ...) PRINTF_LIKE(2, 3);

/*
 * What getopt_long could not take (it returned '?' or ':', with opterr 0 and a leading ":" in the
 * short options). Returns ERR_USAGE.
 */
int usage_bad_option(const char *command, char **argv, int result);

#endif
