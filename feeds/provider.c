/* SPDX-License-Identifier: BSD-2-Clause */
#include "feeds/provider.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define PROVIDER_ID_MAX 63

/* Some hundred providers and lists that name the same one many times in a row: a linear search
 * that starts with the last answer is enough. */
struct provider_registry {
	struct provider *provider;
	uint32_t count, size;
	uint32_t last; /* number of the last one registered */
};

struct provider_registry *provider_registry_new(void)
{
	return calloc(1, sizeof(struct provider_registry));
}

void provider_registry_free(struct provider_registry *r)
{
	if (!r)
		return;
	for (uint32_t i = 0; i < r->count; i++)
		free((char *)r->provider[i].id);
	free(r->provider);
	free(r);
}

static bool id_is_valid(const char *id)
{
	size_t len = strspn(id, "abcdefghijklmnopqrstuvwxyz0123456789._-");
	return len >= 1 && len <= PROVIDER_ID_MAX && id[len] == '\0';
}

uint32_t provider_register(struct provider_registry *r, const char *id, enum provider_tier tier)
{
	if (r->last < r->count && strcmp(r->provider[r->last].id, id) == 0)
		return r->last;
	uint32_t number = provider_find(r, id);
	if (number != PROVIDER_NONE)
		return r->last = number;
	if (!id_is_valid(id))
		return PROVIDER_NONE;
	if (r->count == r->size) {
		uint32_t size = r->size ? r->size * 2 : 64;
		struct provider *grown = realloc(r->provider, size * sizeof(*grown));
		if (!grown)
			return PROVIDER_NONE;
		r->provider = grown;
		r->size = size;
	}
	char *own = strdup(id);
	if (!own)
		return PROVIDER_NONE;
	r->provider[r->count] = (struct provider){ .id = own, .tier = tier };
	r->last = r->count;
	return r->count++;
}

uint32_t provider_find(const struct provider_registry *r, const char *id)
{
	for (uint32_t i = 0; i < r->count; i++) {
		if (strcmp(r->provider[i].id, id) == 0)
			return i;
	}
	return PROVIDER_NONE;
}

const struct provider *provider_at(const struct provider_registry *r, uint32_t number)
{
	return number < r->count ? &r->provider[number] : NULL;
}

size_t provider_count(const struct provider_registry *r)
{
	return r->count;
}

const char *provider_tier_name(enum provider_tier tier)
{
	switch (tier) {
	case TIER_A:
		return "A";
	case TIER_B:
		return "B";
	case TIER_C:
		return "C";
	case TIER_V:
		return "V";
	}
	return "?";
}
