/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * export.h -- `dynwatch-feeds export`: what the configured feeds say, in the formats of others.
 */
#ifndef TOOLS_DYNWATCH_FEEDS_EXPORT_H
#define TOOLS_DYNWATCH_FEEDS_EXPORT_H

/* Takes its own arguments (argv[0] is its name), prints its own errors; returns the exit code. */
int export_command(int argc, char **argv);

#endif
