/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * console.h -- the sink for people: a table on a terminal, one alert a line.
 *
 *	time (UTC)      severity  tenant      client     rule              message
 *	11-22 12:31:05  high      acme        10.1.0.9   lookup.malicious  10.1.0.9 asked ...
 *
 * A line is never wider than the terminal: the message is cut, on narrow terminals the rule and
 * then the tenant give way. "(+41)" before a message: so many repeats of the alert were held
 * back. Without a terminal nothing is cut or coloured.
 *
 * Input:    texts of an alert may come from the wire: control characters are not passed on.
 * Threads:  as sink.h.
 */
#ifndef SENSOR_OUTPUT_CONSOLE_H
#define SENSOR_OUTPUT_CONSOLE_H

#include <stdbool.h>

#include "sensor/base/attribute.h"
#include "sensor/base/error.h"
#include "sensor/output/sink.h"

struct console_style {
	bool escapes; /* the terminal obeys them; a progress line on it is wiped before a row */
	bool colour;
	unsigned width; /* columns; 0: no limit */
};

/* What suits the file descriptor: is it a terminal, how wide, NO_COLOR, TERM=dumb. */
struct console_style console_style_of(int fd);
NODISCARD enum err console_open(
	struct sink **out, int fd, struct console_style style, struct err_ctx *why);

#endif
