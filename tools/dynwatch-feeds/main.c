/* SPDX-License-Identifier: BSD-2-Clause */
/* main.c -- the table of commands of dynwatch-feeds. */
#include <curl/curl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "tools/dynwatch-feeds/export.h"
#include "tools/dynwatch-feeds/update.h"

static const struct command {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *summary;
} commands[] = {
	{ "update", update_command, "fetch the feeds that have a url" },
	{ "export", export_command, "write what feeds list for a resolver or a filter" },
	{ NULL },
};

static void print_usage(FILE *out)
{
	fprintf(out, "Usage: dynwatch-feeds COMMAND [OPTIONS]\n"
		     "Brings the lists of dynwatch up to date, and hands them on.\n\n");
	for (const struct command *c = commands; c->name; c++)
		fprintf(out, "  %-8s %s\n", c->name, c->summary);
	fprintf(out,
		"\n'dynwatch-feeds COMMAND --help' says more; 'dynwatch-feeds --version' names "
		"the libraries.\n");
}

static int print_version(void)
{
	printf("dynwatch-feeds %s\n", DYNWATCH_VERSION);
	printf("%s\n", curl_version());
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
	for (const struct command *c = commands; c->name; c++)
		if (strcmp(argv[1], c->name) == 0)
			return c->run(argc - 1, argv + 1);
	fprintf(stderr, "dynwatch-feeds: no command '%s'; see dynwatch-feeds --help\n",
		argv[1]);
	return 2;
}
