/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * provider.h -- the providers of dynamic DNS and of tunnels by number, tier and id.
 *
 * Tiers: A operated by a provider for its customers; B private domains shared through a
 * provider (FreeDNS); C tunnel services; V vendors of routers, NAS and cameras.
 *
 * Owner:    the registry owns all strings.  Threads: built once, then immutable.
 */
#ifndef FEEDS_PROVIDER_H
#define FEEDS_PROVIDER_H

#include <stddef.h>
#include <stdint.h>

#include "sensor/base/attribute.h"

#define PROVIDER_NONE UINT32_MAX

enum provider_tier {
	TIER_A,
	TIER_B,
	TIER_C,
	TIER_V,
};

struct provider {
	const char *id; /* "no-ip": what `provider:` in a policy names */
	enum provider_tier tier;
};

struct provider_registry;

struct provider_registry *provider_registry_new(void);
void provider_registry_free(struct provider_registry *r);
/* The number of the provider with this id, made when it is new (its tier is the first one
 * given). PROVIDER_NONE when out of memory or the id is not [a-z0-9._-]{1,63}. */
uint32_t provider_register(
	struct provider_registry *r, const char *id, enum provider_tier tier);
/* PROVIDER_NONE when there is none. */
uint32_t provider_find(const struct provider_registry *r, const char *id);
const struct provider *provider_at(const struct provider_registry *r, uint32_t number);
size_t provider_count(const struct provider_registry *r);
/* "A", "B", "C", "V" */
const char *provider_tier_name(enum provider_tier tier);

#endif
