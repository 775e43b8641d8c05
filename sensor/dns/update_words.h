/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * update_words.h -- the parts of an UPDATE in words: for logs, where the words are fixed, and
 * for people.
 *
 * Threads: no shared state.
 */
#ifndef SENSOR_DNS_UPDATE_WORDS_H
#define SENSOR_DNS_UPDATE_WORDS_H

#include "sensor/base/text.h"
#include "sensor/dns/update.h"

/* Longer RDATA is cut in the texts for people. */
#define UPDATE_WORDS_RDATA_MAX 160

/* "none", "tsig", "gss-tsig", "sig0": static text. */
const char *update_signature_name(enum update_signature signature);

/* Append "add www.corp.example A 192.0.2.1 (TTL 300)", "delete www.corp.example, all types". */
void update_put_change(struct text *out, const struct update_change *change);
/* Append "www.corp.example has no A records". */
void update_put_prerequisite(struct text *out, const struct update_prerequisite *p);

#endif
