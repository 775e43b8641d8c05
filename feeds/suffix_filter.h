/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * suffix_filter.h -- tells in nanoseconds that a name is no public suffix (private to feeds/).
 *
 * Asking libpsl costs 0.6 us, three times as much as everything else that loading a name takes, and
 * the answer is nearly always no. libpsl cannot list its rules, but its package names the file they
 * were made from: each rule of that file that libpsl confirms goes into a Bloom filter, and when as
 * many were confirmed as libpsl says that it has, the filter knows them all. Otherwise (no file,
 * another version of it) nothing is ruled out and libpsl is asked each time: slower, never different.
 *
 * Threads: made once, at the first call (some 5 ms); any number of readers.
 */
#ifndef FEEDS_SUFFIX_FILTER_H
#define FEEDS_SUFFIX_FILTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct suffix_filter;

/* The filter for libpsl's built-in list; never NULL. */
const struct suffix_filter *suffix_filter_get(void);
/* Does it rule anything out? */
bool suffix_filter_is_complete(const struct suffix_filter *f);
/*
 * Must libpsl be asked about this name of two labels or more? `wire` is a name, or the end of one, as in struct
 * dns_name, behind which eight octets can be read.
 */
bool suffix_filter_may_be(const struct suffix_filter *f, const uint8_t *wire, size_t wire_len);

#endif
