/* SPDX-License-Identifier: BSD-2-Clause */
/* main.c -- the table of commands. Each lives in app/. */
#include <hiredis/hiredis.h>
#include <ldns/ldns.h>
#include <libpsl.h>
#include <maxminddb.h>
#include <pcap/pcap.h>
#include <stdio.h>

#include "sensor/app/commands.h"
#include "sensor/base/attribute.h"
#include "sensor/base/program.h"

static const struct program_command commands[] = {
	{ "run", run_command, "watch network interfaces" },
	{ "reload", reload_command,
		"let a running sensor read its configuration and feeds anew" },
	{ "replay", replay_command, "investigate capture files" },
	{ "check", check_command, "read configuration and feeds, report, change nothing" },
	{ "lookup", lookup_command, "say what the sensor makes of a name" },
	{ "rules", rules_command, "list every rule with its options" },
};

static void print_libraries(void)
{
	printf("%s\n", pcap_lib_version());
	printf("libldns %s\n", ldns_version());
	printf("hiredis %d.%d.%d\n", HIREDIS_MAJOR, HIREDIS_MINOR, HIREDIS_PATCH);
	printf("libmaxminddb %s\n", MMDB_lib_version());
	printf("libpsl %s\n", psl_get_version());
}

int main(int argc, char **argv)
{
	static const struct program dynwatch = {
		.name = "dynwatch",
		.does = "A passive DNS sensor that finds abuse of dynamic DNS.",
		.print_libraries = print_libraries,
		.command = commands,
		.command_count = ARRAY_LEN(commands),
	};

	return program_run(&dynwatch, argc, argv);
}
