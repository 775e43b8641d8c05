/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * commands.h -- the commands of dynwatch. Each takes its own arguments (argv[0] is its name),
 * prints its own errors and returns the exit code: 0 done, 1 failed, 2 usage, 3 input.
 */
#ifndef SENSOR_APP_COMMANDS_H
#define SENSOR_APP_COMMANDS_H

int run_command(int argc, char **argv);
int reload_command(int argc, char **argv);
int replay_command(int argc, char **argv);
int check_command(int argc, char **argv);
int lookup_command(int argc, char **argv);
int rules_command(int argc, char **argv);

#endif
