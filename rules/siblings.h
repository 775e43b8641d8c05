/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * siblings.h -- names below one registered domain that draw alerts together.
 *
 * Who carries data in names makes a new one for each message; an alert for each would bury the
 * reader. The first SIBLINGS_MAX names of a domain stand for themselves, from then on the domain
 * stands for all, until it has been quiet for a window.
 *
 * Owner: siblings_new/siblings_free.  Threads: one tracker.  Limits: a bounded table.
 */
#ifndef RULES_SIBLINGS_H
#define RULES_SIBLINGS_H

#include <stddef.h>
#include <stdint.h>

#include "rules/table.h"
#include "sensor/base/ip.h"

#define SIBLINGS_MAX 3

struct sibling {
	struct sibling_key {
		/* two hashes of the domain, so that no two domains meet */
		uint64_t domain_hash;
		uint64_t domain_check;
		uint64_t tenant;
	} key;
	struct ip client; /* of the first name: alerts of the domain are repeats of one */
	uint32_t since_s; /* when the window began */
	uint32_t names;   /* that drew an alert since */
};

struct siblings;

struct siblings *siblings_new(const char *name, size_t memory_bytes, uint64_t seed);
void siblings_free(struct siblings *s);
/* The domain's entry, made if need be and with an expired window forgotten; domain: folded wire. */
struct sibling *siblings_find(struct siblings *s, uint16_t tenant, const uint8_t *domain,
	size_t domain_len, uint32_t now_s, uint32_t window_s);
/* Another name of the domain draws an alert. */
void siblings_note(struct sibling *domain, const struct ip *client, uint32_t now_s);
struct table_stats siblings_stats(const struct siblings *s);

#endif
