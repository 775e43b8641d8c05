/* SPDX-License-Identifier: BSD-2-Clause */
#include "rules/sights.h"

#include "rules/age.h"
#include "sensor/base/clock.h"
#include "sensor/base/hash.h"

#include <stdlib.h>

#define RESOLVER_ECHO_NS (5 * 60 * NS_PER_S)

struct entry {
	struct entry_key {
		uint64_t hash;
		uint16_t tenant;
		uint16_t unused[3];
	} key;
	int64_t client_ns; /* last look-up that was not a resolver's */
	uint32_t client[SIGHT_CLIENTS];
	uint32_t client_count;
};

struct sights {
	struct table *table;
	uint64_t seed;
};

struct sights *sights_new(const char *name, size_t memory_bytes, uint64_t seed)
{
	struct sights *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->seed = seed;
	s->table = table_new(
		name, sizeof(struct entry), sizeof(struct entry_key), memory_bytes, seed);
	if (s->table)
		return s;
	free(s);
	return NULL;
}

void sights_free(struct sights *s)
{
	if (!s)
		return;
	table_free(s->table);
	free(s);
}

struct table_stats sights_stats(const struct sights *s)
{
	return table_stats(s->table);
}

static void count_client(const struct sights *s, struct entry *e, const struct ip *client)
{
	uint32_t tag = (uint32_t)hash_bytes(s->seed, client->bytes, sizeof(client->bytes));

	for (unsigned i = 0; i < e->client_count; i++) {
		if (e->client[i] == tag)
			return;
	}
	if (e->client_count < SIGHT_CLIENTS)
		e->client[e->client_count++] = tag;
}

struct sight sights_note(struct sights *s, const struct exchange *x, uint64_t key_hash)
{
	struct entry_key key = { .hash = key_hash, .tenant = x->tenant_number };
	bool is_new;
	struct entry *e = table_add(s->table, table_hash(s->table, &key), &key, &is_new);
	bool asked_before =
		e->client_count > 0 && age_of(e->client_ns, x->ts_ns) <= RESOLVER_ECHO_NS;

	if (!ip_set_contains(&x->tenant->resolvers, &x->now->client)) {
		e->client_ns = x->ts_ns;
		count_client(s, e, &x->now->client);
	} else if (asked_before) {
		return (struct sight){ .is_echo = true };
	}
	return (struct sight){ .first_in_tenant = is_new, .clients = e->client_count };
}
