/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * feed_file.h -- the file of a feed on the disk: who may replace it, whose it is afterwards, and
 * whether it is still the one that was fetched.
 *
 * Where the path is a link, the file behind it is meant. A folder belongs to one update at a time
 * (.dynwatch-feeds.lock in it). What root writes into the folder of another user is that user's, so
 * that a run by hand does not lock out the timer.
 *
 * Owner:    feed_file_open .. feed_file_close. The lock is the process's: closing one file gives up
 *           the folder for all that are in it, so those of one run are closed together.
 * Threads:  no shared state.
 */
#ifndef TOOLS_DYNWATCH_FEEDS_FEED_FILE_H
#define TOOLS_DYNWATCH_FEEDS_FEED_FILE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "sensor/base/error.h"
#include "sensor/base/replace.h"
#include "tools/dynwatch-feeds/fetched.h"

struct feed_file {
	char *path, *state_path; /* of struct fetched */
	bool exists;
	int64_t modified_s; /* when it exists */
	mode_t mode;        /* of what takes its place, as are these */
	uid_t uid;
	gid_t gid;
	int lock; /* -1: none */
};

/* ERR_FAILED: no such folder, not writable, or another update is at work in it. */
NODISCARD enum err feed_file_open(struct feed_file *f, const char *path, struct err_ctx *why);
/* The zero state is allowed only with lock -1. */
void feed_file_close(struct feed_file *f);

/* A file without a name on the same disk; -1 with errno. */
int feed_file_scratch(const struct feed_file *f);
/* The file that is to take its place; false with errno. */
NODISCARD bool feed_file_replace(const struct feed_file *f, struct replace *r);

/* Is this its content? */
bool feed_file_holds(const struct feed_file *f, const struct fetched *content);
/* What is remembered of it, when it is still what was fetched from this URL; else zero. Warns. */
void feed_file_recall(const struct feed_file *f, const char *url, struct fetched *out);
NODISCARD enum err feed_file_remember(
	const struct feed_file *f, const struct fetched *fetched, struct err_ctx *why);
/* It is as new as if it had been fetched now. False with errno. */
NODISCARD bool feed_file_renew(const struct feed_file *f);

#endif
