/* SPDX-License-Identifier: BSD-2-Clause */
#include "sensor/base/usage.h"

#include "sensor/base/error.h"

#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>

int usage_fail(const char *command, const char *format, ...)
{
	struct err_ctx what;
	va_list args;

	va_start(args, format);
	vsnprintf(what.text, sizeof(what.text), format, args);
	va_end(args);
	fprintf(stderr, "%s: %s; see %s --help\n", command, what.text, command);
	return ERR_USAGE;
}

int usage_bad_option(const char *command, char **argv, int result)
{
	const char *word = argv[optind - 1];

	if (result == ':') {
		if (optopt > 0 && optopt < 128 && word[0] == '-' && word[1] != '-')
			return usage_fail(command, "-%c needs a value", optopt);
		return usage_fail(command, "%s needs a value", word);
	}
	/* A known long option that was given a value it does not take leaves its number here. */
	if (optopt > 0 && optopt < 128 && !(word[0] == '-' && word[1] == '-'))
		return usage_fail(command, "unknown option -%c", optopt);
	return usage_fail(command, optopt ? "%s takes no value" : "unknown option %s", word);
}
