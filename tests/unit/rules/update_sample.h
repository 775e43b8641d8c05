/* SPDX-License-Identifier: BSD-2-Clause */
/* update_sample.h -- a transaction made by hand, for what looks at finished ones. */
#ifndef TESTS_UNIT_RULES_UPDATE_SAMPLE_H
#define TESTS_UNIT_RULES_UPDATE_SAMPLE_H

#include "rules/transaction.h"

/* 2026-11-22T12:00:00Z */
#define UPDATE_SAMPLE_NOON_S INT64_C(1795348800)
#define UPDATE_SAMPLE_MAX    20 /* changes, prerequisites */

struct update_sample {
	struct update request, response;
	struct update_prerequisite prerequisite[UPDATE_SAMPLE_MAX];
	struct update_change change[UPDATE_SAMPLE_MAX];
	struct change summary;
	struct policy_zone zone; /* t.zone may point here */
	struct transaction t;
};

/* An UPDATE of corp.example by 10.1.0.9 to 10.1.0.53 at noon: empty, unsigned, unanswered. */
void update_sample_start(struct update_sample *s);
/* Add an A record with TTL 300. */
void update_sample_add(struct update_sample *s, const char *name, const char *rdata);
/* A deletion, of type A unless the verb says otherwise. */
void update_sample_delete(struct update_sample *s, enum update_verb verb, const char *name);
/* A prerequisite about type A; UPDATE_RRSET_EQUALS wants 192.0.2.9. */
void update_sample_require(
	struct update_sample *s, enum update_condition condition, const char *name);
/* TSIG with hmac-sha256 and the key ddns-key, at noon. */
void update_sample_sign(struct update_sample *s);
/* Answered after 1.234567 ms. */
void update_sample_answer(struct update_sample *s, uint16_t rcode, uint16_t tsig_error);
/* Bring t.change up to date with the request, unless that is not there. */
void update_sample_finish(struct update_sample *s);

#endif
