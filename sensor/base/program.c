/* SPDX-License-Identifier: BSD-2-Clause */
#include "sensor/base/program.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

static void print_usage(const struct program *p, FILE *out)
{
	fprintf(out, "Usage: %s COMMAND [OPTIONS]\n%s\n\n", p->name, p->does);
	for (size_t i = 0; i < p->command_count; i++)
		fprintf(out, "  %-8s %s\n", p->command[i].name, p->command[i].summary);
	fprintf(out, "\n'%s COMMAND --help' says more; '%s --version' names the libraries.\n",
		p->name, p->name);
}

int program_run(const struct program *p, int argc, char **argv)
{
	signal(SIGPIPE, SIG_IGN);

	if (argc < 2) {
		print_usage(p, stderr);
		return 2;
	}
	if (strcmp(argv[1], "--version") == 0 || strcmp(argv[1], "-V") == 0) {
		printf("%s %s\n", p->name, DYNWATCH_VERSION);
		p->print_libraries();
		return 0;
	}
	if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
		print_usage(p, stdout);
		return 0;
	}
	for (size_t i = 0; i < p->command_count; i++)
		if (strcmp(argv[1], p->command[i].name) == 0)
			return p->command[i].run(argc - 1, argv + 1);
	fprintf(stderr, "%s: no command '%s'; see %s --help\n", p->name, argv[1], p->name);
	return 2;
}
