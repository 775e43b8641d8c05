/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * change_words.h -- how the update rules speak of a change: the parts that all their alerts
 * share.
 *
 * Threads: one tracker.
 */
#ifndef RULES_CHANGE_WORDS_H
#define RULES_CHANGE_WORDS_H

#include "rules/change.h"
#include "rules/emit.h"

#define CHANGE_LIST_MAX (DNS_NAME_TEXT_MAX + 40)

/* May the rule choose the severity, or has the tenant set it? */
bool change_severity_is_free(const struct policy *tenant, enum rule_id rule);
/* Is the client on the outside: a public address that is not in the tenant's networks? */
bool change_is_outside(const struct policy *tenant, const struct ip *client);
/* "cam.corp.example", "cam.corp.example and 3 more names", "names in corp.example". */
void change_list(const struct change *c, unsigned first, char *to, size_t size);
/* Zone, the first record as question, all names as hosts. */
void change_fill(struct emit *e, struct alert *a, const struct change *c);
void change_why(struct alert *a, const struct change *c);
void change_why_outside(struct alert *a);
/* The lines that let this zone be changed without signatures. */
void change_hint_unsigned(struct emit *e, const struct change *c);

#endif
