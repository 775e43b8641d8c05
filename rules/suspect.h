/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * suspect.h -- the different registered domains at which one client failed lately: a set with a
 * time for each, that forgets the oldest when it is full.
 *
 * Threads: one tracker.  Limits: SUSPECT_DOMAINS_MAX domains; options that count them stay
 * below.
 */
#ifndef RULES_SUSPECT_H
#define RULES_SUSPECT_H

#include <stdbool.h>
#include <stdint.h>

#include "sensor/base/ip.h"
#include "sensor/dns/name.h"

#define SUSPECT_DOMAINS_MAX 256
#define SUSPECT_SAMPLES_MAX 6
#define SUSPECT_SAMPLE_MAX  72

struct suspect_key {
	struct ip ip;
	/* as a word: written narrow and read wide, it would wait for the store */
	uint64_t tenant;
};

struct suspect_domain {
	uint32_t hash; /* 0: free */
	uint32_t at_s; /* last failure */
	bool generated;
};

struct suspect {
	struct suspect_key key;
	struct suspect_domain domain[SUSPECT_DOMAINS_MAX];
	char sample[SUSPECT_SAMPLES_MAX][SUSPECT_SAMPLE_MAX];
	uint8_t sample_count;
	/* an nxdomain.dga was raised: the next answer may be the meeting point */
	bool generator;
};

/* Note a failure at the domain; true when it is new within the window. `hash` is never 0. */
bool suspect_add(
	struct suspect *t, uint32_t hash, bool generated, uint32_t now_s, uint32_t window_s);

/* Keep the name as an example for the alert, while there is room. */
void suspect_sample(struct suspect *t, const struct dns_name *n);

/* How many domains failed within the window, and how many of them look generated. */
void suspect_count(const struct suspect *t, uint32_t now_s, uint32_t window_s,
	uint32_t *domains, uint32_t *generated);

#endif
