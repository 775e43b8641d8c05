/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * key.h -- a secret from a file: one line, which no message ever holds.
 *
 * The file belongs to root or to who runs this, and neither group nor others may do anything with it.
 *
 * Owner:    key_load .. key_free, which wipes it.  Threads: no shared state.
 */
#ifndef TOOLS_DYNWATCH_FEEDS_KEY_H
#define TOOLS_DYNWATCH_FEEDS_KEY_H

#include "sensor/base/error.h"

#define KEY_MAX 4096

NODISCARD enum err key_load(char **out, const char *path, struct err_ctx *why);
void key_free(char *key);

#endif
