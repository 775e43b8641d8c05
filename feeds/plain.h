/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * plain.h -- the short way from text to a name for what nearly every line of nearly every feed is: a
 * bare host name. One look at each octet (private to feeds/).
 *
 * Threads: no shared state.  Input: untrusted, any bytes.
 */
#ifndef FEEDS_PLAIN_H
#define FEEDS_PLAIN_H

#include <stdbool.h>

#include "feeds/span.h"
#include "sensor/dns/name.h"

/*
 * True when the text is nothing but letters, digits, hyphens and underscores in labels of 1 to 63
 * with single dots between them, the last label no number: then *out is what feed_normalise would
 * make of it. False says nothing: the long way decides (*out is undefined).
 */
NODISCARD bool plain_name(struct dns_name *out, struct span text);

#endif
