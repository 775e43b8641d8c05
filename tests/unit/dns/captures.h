/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * captures.h -- the DNS messages of files: captures in $DYNWATCH_SHARED/pcaps and the fuzz
 * corpus.
 *
 * A small reader of its own, so that dns/ is tested without packet/: UDP and TCP over IPv4 and
 * IPv6 on Ethernet, 802.1Q, cooked and raw links; port 53; over TCP one message that fills a
 * segment.
 */
#ifndef TESTS_UNIT_DNS_CAPTURES_H
#define TESTS_UNIT_DNS_CAPTURES_H

#include <stddef.h>
#include <stdint.h>

/* Called for each message with the file it came from. */
typedef void captures_visit(
	void *context, const uint8_t *wire, size_t wire_len, const char *file);

/* Returns the number of messages; 0 when there are no captures. */
size_t captures_each(captures_visit *visit, void *context);

/* Every file of a folder is one message. */
size_t corpus_each(const char *folder, captures_visit *visit, void *context);

#endif
