/* SPDX-License-Identifier: BSD-2-Clause */
/* writer_rig.h -- for the tests of writers: lists from text, and what is written as text. */
#ifndef TESTS_UNIT_FEEDS_WRITER_RIG_H
#define TESTS_UNIT_FEEDS_WRITER_RIG_H

#include "feeds/writer.h"

void writer_rig_add(struct blocklist *list, const char *text, enum mark_scope scope,
	enum blocklist_say say);
void writer_rig_add_network(struct blocklist *list, const char *text, enum blocklist_say say);
/* Names, and of a zone addresses too; the zone is "rpz.test", the serial 7. */
struct writer_options writer_rig_options(enum feed_format format);
/* Freed by the caller. */
char *writer_rig_write(const struct blocklist *list, const struct writer_options *options,
	struct writer_counts *counts);
/* The same without remarks and what every zone has, lines joined by '|'; frees `text`, and is freed
 * by the caller. */
char *writer_rig_entries(char *text);

#endif
