/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * blocklist.h -- what is to be refused and what is to pass, in the order of the names: made from what
 * feeds and a tenant say, for programs that know nothing of either.
 *
 * A file for a resolver has to say itself what the sensor works out of the marks of a name's
 * suffixes. The rules are the sensor's (rules/verdict.h): the longest suffix that says anything
 * decides; at one depth allowed beats listed. What is approved counts like what is allowed; what is
 * excluded passes at any depth. Where nothing refuses above, what an allow feed has need not be said,
 * and is not; what the tenant itself lets pass is said always.
 *
 * Names come in canonical order (RFC 4034 section 6.1), each before those below it; networks by
 * address, each before those inside it. The same says give the same order, whoever says them first.
 *
 * Owner:    blocklist_new/blocklist_free.
 * Threads:  one while adding; sorted it is immutable: any number of walks.
 * Limits:   4 GiB of names; about 40 bytes for each of usual length.
 */
#ifndef FEEDS_BLOCKLIST_H
#define FEEDS_BLOCKLIST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "feeds/index.h"
#include "sensor/base/attribute.h"
#include "sensor/base/ip.h"
#include "sensor/dns/name.h"

#define BLOCKLIST_NO_ORIGIN UINT32_MAX
/* Names above one, or networks around one, that say something. */
#define BLOCKLIST_DEPTH_MAX 129

/* What is said of a name; its scope says of which names. */
enum blocklist_say {
	SAY_LISTED,   /* a feed has it as bad */
	SAY_ALLOWED,  /* a feed has it as good */
	SAY_APPROVED, /* the tenant has approved it */
	SAY_EXCLUDED, /* the tenant wants no alert about it, whatever feeds say */
};

enum blocklist_action {
	ACTION_NONE, /* nothing to be done */
	ACTION_REFUSE,
	ACTION_PASS,
};

struct blocklist;

/* NULL when out of memory. */
struct blocklist *blocklist_new(void);
void blocklist_free(struct blocklist *list);

/*
 * `origin` is the caller's number of what says it, for remarks; of several the smallest stays. False: out of memory, or more than 4 GiB.
 */
NODISCARD bool blocklist_add_name(struct blocklist *list, const struct dns_name *name,
	enum mark_scope scope, enum blocklist_say say, uint32_t origin);
/* SAY_LISTED or SAY_ALLOWED. */
NODISCARD bool blocklist_add_network(struct blocklist *list, const struct ip_net *net,
	enum blocklist_say say, uint32_t origin);
/* Once, when all is added and before any walk. */
void blocklist_sort(struct blocklist *list);
size_t blocklist_bytes(const struct blocklist *list);

/* What is to be done about some names, and how strongly it must be said. */
struct blocklist_order {
	enum blocklist_action action;
	/* Greater than that of the order that it overrides; even ones refuse, odd ones pass. For
	 * formats where not the longer name wins but the stronger word. -1: ACTION_NONE. */
	int rank;
};

struct blocklist_name {
	struct dns_name name;
	struct blocklist_order above; /* that the names above give to this one and all below */
	struct blocklist_order self;  /* of the name alone */
	struct blocklist_order below; /* of all names below, but for those with their own */
	bool listed;       /* a feed has this very name as bad, whatever is made of it */
	bool listed_below; /* and the names below it */
	uint32_t origin;
};

struct blocklist_network {
	struct ip_net net;
	enum blocklist_action above, action;
	bool listed;
	uint32_t origin;
};

/* Where a walk is: zero-initialised but for `list` it is before the first. */
struct blocklist_walk {
	const struct blocklist *list;
	size_t next;
	unsigned depth; /* of the stack */
	struct blocklist_ancestor {
		size_t item;
		struct blocklist_order below;
		bool excluded;
	} ancestor[BLOCKLIST_DEPTH_MAX];
};

/* False when there are no more. */
NODISCARD bool blocklist_next_name(struct blocklist_walk *w, struct blocklist_name *out);
NODISCARD bool blocklist_next_network(struct blocklist_walk *w, struct blocklist_network *out);

/* Does what is said of the name differ from what the names above say of it anyway? */
static inline bool blocklist_name_matters(const struct blocklist_name *n)
{
	return n->self.action != n->above.action || n->below.action != n->above.action;
}

#endif
