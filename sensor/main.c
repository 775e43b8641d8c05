/* SPDX-License-Identifier: BSD-2-Clause */
/* main.c -- the table of commands. Each lives in app/. */
#include <hiredis/hiredis.h>
#include <ldns/ldns.h>
#include <libpsl.h>
#include <maxminddb.h>
#include <pcap/pcap.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "sensor/app/commands.h"
#include "sensor/base/attribute.h"

static const struct command {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *summary;
} commands[] = {
	{ "run", run_command, "watch network interfaces" },
	{ "reload", reload_command,
		"let a running sensor read its configuration and feeds anew" },
	{ "replay", replay_command, "investigate capture files" },
	{ "check", check_command, "read configuration and feeds, report, change nothing" },
	{ "lookup", lookup_command, "say what the sensor makes of a name" },
	{ "rules", rules_command, "list every rule with its options" },
};

static void print_usage(FILE *out)
{
	fprintf(out, "Usage: dynwatch COMMAND [OPTIONS]\n"
		     "A passive DNS sensor that finds abuse of dynamic DNS.\n\n");
	for (size_t i = 0; i < ARRAY_LEN(commands); i++)
		fprintf(out, "  %-8s %s\n", commands[i].name, commands[i].summary);
	fprintf(out, "\n'dynwatch COMMAND --help' says more; 'dynwatch --version' names the "
		     "libraries.\n");
}

static int print_version(void)
{
	printf("dynwatch %s\n", DYNWATCH_VERSION);
	printf("%s\n", pcap_lib_version());
	printf("libldns %s\n", ldns_version());
	printf("hiredis %d.%d.%d\n", HIREDIS_MAJOR, HIREDIS_MINOR, HIREDIS_PATCH);
	printf("libmaxminddb %s\n", MMDB_lib_version());
	printf("libpsl %s\n", psl_get_version());
	return 0;
}

int main(int argc, char **argv)
{
	/* A reader that went away is a write error, reported like any other. */
	signal(SIGPIPE, SIG_IGN);

	if (argc < 2) {
		print_usage(stderr);
		return 2;
	}
	if (strcmp(argv[1], "--version") == 0 || strcmp(argv[1], "-V") == 0)
		return print_version();
	if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
		print_usage(stdout);
		return 0;
	}
	for (size_t i = 0; i < ARRAY_LEN(commands); i++)
		if (strcmp(argv[1], commands[i].name) == 0)
			return commands[i].run(argc - 1, argv + 1);
	fprintf(stderr, "dynwatch: no command '%s'; see dynwatch --help\n", argv[1]);
	return 2;
}
