/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * update.h -- `dynwatch-feeds update`: fetch the feeds that have a url.
 */
#ifndef TOOLS_DYNWATCH_FEEDS_UPDATE_H
#define TOOLS_DYNWATCH_FEEDS_UPDATE_H

/* Takes its own arguments (argv[0] is its name), prints its own errors; returns the exit code. */
int update_command(int argc, char **argv);

#endif
