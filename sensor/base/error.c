/* SPDX-License-Identifier: BSD-2-Clause */
#include "sensor/base/error.h"

#include <stdarg.h>
#include <stdio.h>

enum err err_set(struct err_ctx *why, enum err code, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(why->text, sizeof(why->text), format, args);
	va_end(args);
	/* What is quoted comes from files and servers: it may not break the line or drive a
	 * terminal. */
	for (char *c = why->text; *c; c++) {
		if ((unsigned char)*c < 0x20 || *c == 0x7f)
			*c = ' ';
	}
	return code;
}
