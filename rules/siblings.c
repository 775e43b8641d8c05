/* SPDX-License-Identifier: BSD-2-Clause */
#include "rules/siblings.h"

#include "sensor/base/hash.h"

#include <stdlib.h>

struct siblings {
	struct table *table;
	uint64_t seed;
};

struct siblings *siblings_new(const char *name, size_t memory_bytes, uint64_t seed)
{
	struct siblings *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->seed = seed;
	s->table = table_new(
		name, sizeof(struct sibling), sizeof(struct sibling_key), memory_bytes, seed);
	if (!s->table) {
		free(s);
		return NULL;
	}
	return s;
}

void siblings_free(struct siblings *s)
{
	if (!s)
		return;
	table_free(s->table);
	free(s);
}

struct sibling *siblings_find(struct siblings *s, uint16_t tenant, const uint8_t *domain,
	size_t domain_len, uint32_t now_s, uint32_t window_s)
{
	struct sibling_key key = {
		.domain_hash = hash_bytes(s->seed, domain, domain_len),
		.domain_check = hash_bytes(~s->seed, domain, domain_len),
		.tenant = tenant,
	};
	bool is_new;
	struct sibling *d = table_add(s->table, table_hash(s->table, &key), &key, &is_new);

	if (now_s - d->since_s >= window_s)
		d->names = 0;
	return d;
}

void siblings_note(struct sibling *domain, const struct ip *client, uint32_t now_s)
{
	if (domain->names == 0)
		domain->client = *client;
	/* Once the domain stands for all, its window goes on with each of them. */
	if (domain->names == 0 || domain->names >= SIBLINGS_MAX)
		domain->since_s = now_s;
	if (domain->names < UINT32_MAX)
		domain->names++;
}

struct table_stats siblings_stats(const struct siblings *s)
{
	return table_stats(s->table);
}
