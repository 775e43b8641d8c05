/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * update_subject.h -- whom the counts of the update rules are about: a source, its subnet, a TSIG
 * key, a zone, a name; and the few sources seen with one.
 *
 * Owner: values.  Threads: one tracker.
 */
#ifndef RULES_UPDATE_SUBJECT_H
#define RULES_UPDATE_SUBJECT_H

#include "rules/transaction.h"

enum subject_kind {
	SUBJECT_SOURCE,
	SUBJECT_SUBNET, /* /24, /64 */
	SUBJECT_KEY,
	SUBJECT_ZONE,
	SUBJECT_NAME,
};

/* Begins the entries of tables; compared octet by octet. */
struct subject {
	struct ip ip;  /* source, subnet */
	uint64_t hash; /* of the text of a key, zone or name */
	uint16_t tenant;
	uint8_t kind; /* enum subject_kind */
	uint8_t unused[5];
};

struct subject subject_source(const struct exchange *x, const struct ip *ip);
struct subject subject_subnet(const struct exchange *x, const struct ip *ip);
struct subject subject_text(
	const struct exchange *x, enum subject_kind kind, const char *text, uint64_t seed);
/* "10.1.4.0/24" */
const char *subject_subnet_text(const struct subject *s, char text[IP_NET_TEXT_MAX]);

/* The first different sources, as many as it takes to call them many. */
#define SUBJECT_SOURCES_MANY 3
struct subject_sources {
	uint8_t count;
	struct ip ip[SUBJECT_SOURCES_MANY];
};

void subject_sources_add(struct subject_sources *s, const struct ip *ip);
static inline bool subject_sources_are_many(const struct subject_sources *s)
{
	return s->count == SUBJECT_SOURCES_MANY;
}

#endif
