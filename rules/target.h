/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * target.h -- one name (or address) of one message that somebody lists: how a look-up rule speaks of it.
 *
 * Owner: the caller's stack, while the exchange lasts.  Threads: one tracker.
 */
#ifndef RULES_TARGET_H
#define RULES_TARGET_H

#include "rules/emit.h"
#include "rules/sights.h"
#include "rules/verdict.h"

/* One name of one message. */
struct target {
	const struct exchange *x;
	unsigned number; /* 0: the question */
	struct verdict_name name;
	struct verdict verdict;
	uint64_t key_hash;
	/* As text: */
	const char *key;   /* what counts as one name: the end of `full`, or in key_text */
	const char *asked; /* the question: `full`, or in asked_text */
	char full[DNS_NAME_TEXT_MAX]; /* the name itself */
	char key_text[DNS_NAME_TEXT_MAX], asked_text[DNS_NAME_TEXT_MAX];
	char client[IP_TEXT_MAX];
	struct sight sight;
};

/* Fill in the texts: all of them, or the question alone (of an address). */
void target_write_names(struct target *t);
void target_write_question(struct target *t);

/* Is it the name of a question, or one of the answer? */
bool target_is_question(const struct observation *o, unsigned number);

/* "10.1.0.7 asked for " or "10.1.0.7 asked for www.example, which leads by CNAME to ". */
void target_begin_sentence(const struct target *t, char *to, size_t size);
/* "acme has not approved", "nobody has approved". Returns `to`. */
const char *target_refusal(const struct target *t, const char *verb, char *to, size_t size);

/* How the client came to it; who else of the tenant did. */
void target_why_reached(struct alert *a, const struct target *t);
void target_why_tenant(struct alert *a, const struct target *t);

/* The key in the alert, which has it already when its question ends with it. */
alert_text target_put_key(struct alert *a, const struct target *t);

#endif
