/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * program.h -- a program that is a table of commands: `NAME COMMAND [OPTIONS]`.
 *
 * Threads: main, before any other.
 */
#ifndef SENSOR_BASE_PROGRAM_H
#define SENSOR_BASE_PROGRAM_H

#include <stddef.h>

struct program {
	const char *name;
	const char *does;              /* one sentence of --help */
	void (*print_libraries)(void); /* what --version says after the program's own line */
	const struct program_command {
		const char *name;
		int (*run)(int argc, char **argv); /* argv[0] is the command's name */
		const char *summary;
	} * command;
	size_t command_count;
};

/*
 * Run the command that argv names, or answer --help and --version. Returns the exit code: 2 when no
 * such command is there. SIGPIPE is ignored from here on: a reader that went away is a write error,
 * reported like any other.
 */
int program_run(const struct program *p, int argc, char **argv);

#endif
