/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tenant_layout.h -- the compiled selectors (private to tenant.c and tenant_cache.c).
 *
 * Every combination that a selector allows (interface x VLAN x VNI x network) is one row of a hash
 * table. Which look-ups can succeed at all, and in which order they must be tried, is a list of steps
 * made beforehand: (kinds, prefix length) in the order of precedence, one list a family.
 *
 * Owner, threads: as tenant.h; not written once it is made.
 */
#ifndef RULES_TENANT_LAYOUT_H
#define RULES_TENANT_LAYOUT_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "rules/tenant.h"

#define KIND_INTERFACE 1u
#define KIND_VLAN      2u
#define KIND_VNI       4u
#define KINDS_COUNT    8u

#define BITS_MAX 128
#define NOBODY   UINT16_MAX

/* An address or a mask as two words in memory order. */
struct tenant_address {
	uint64_t high, low;
};

struct key {
	struct ip base;
	uint32_t vni;
	uint16_t interface;
	uint16_t vlan;
	uint8_t bits;
	uint8_t kinds;
};

struct row {
	struct key key;
	uint16_t tenant; /* NOBODY: free slot */
};

struct step {
	uint8_t kinds;
	uint8_t bits;
};

enum family {
	FAMILY_V4,
	FAMILY_V6,
	FAMILY_COUNT,
};

struct tenant_map {
	struct row *row;
	size_t row_mask; /* slots - 1 */
	struct step step[FAMILY_COUNT][KINDS_COUNT * (BITS_MAX + 1)];
	size_t step_count[FAMILY_COUNT];
	/* of the longest prefix in use: no bit behind it matters */
	struct tenant_address mask[FAMILY_COUNT];
	bool by_link;           /* some selector names a VLAN, a VNI or an interface */
	uint16_t everyone;      /* the tenant without a selector, or NOBODY */
	uint16_t *interface_id; /* by frame interface; equal names share an id */
	size_t interface_count;
};

static inline struct tenant_address tenant_address_of(const struct ip *ip)
{
	struct tenant_address a;

	memcpy(&a, ip->bytes, sizeof(a));
	return a;
}

/* Whose is this end of a conversation? NOBODY: no selector's. */
uint16_t tenant_find_end(
	const struct tenant_map *map, const struct tenant_link *link, const struct ip *end);
/* Whose is a conversation of which neither end is anybody's? */
uint16_t tenant_nobodys(const struct tenant_map *map);

#endif
