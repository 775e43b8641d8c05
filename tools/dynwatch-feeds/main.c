/* SPDX-License-Identifier: BSD-2-Clause */
/* main.c -- the table of commands of dynwatch-feeds. */
#include <curl/curl.h>
#include <stdio.h>

#include "sensor/base/attribute.h"
#include "sensor/base/program.h"
#include "tools/dynwatch-feeds/export.h"
#include "tools/dynwatch-feeds/update.h"

static const struct program_command commands[] = {
	{ "update", update_command, "fetch the feeds that have a url" },
	{ "export", export_command, "write what feeds list for a resolver or a filter" },
};

static void print_libraries(void)
{
	printf("%s\n", curl_version());
}

int main(int argc, char **argv)
{
	static const struct program dynwatch_feeds = {
		.name = "dynwatch-feeds",
		.does = "Brings the lists of dynwatch up to date, and hands them on.",
		.print_libraries = print_libraries,
		.command = commands,
		.command_count = ARRAY_LEN(commands),
	};

	return program_run(&dynwatch_feeds, argc, argv);
}
