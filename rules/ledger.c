/* SPDX-License-Identifier: BSD-2-Clause */
#include "rules/ledger_book.h"

#include "rules/age.h"
#include "rules/reverse.h"
#include "sensor/base/hash.h"
#include "sensor/dns/name.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Parts of the ledger's memory, of SHARES. */
#define SHARES          16
#define ENTRIES_SHARE   12
#define ZONES_SHARE     1
#define ADDRESSES_SHARE 2
#define UPDATERS_SHARE  1
/* A sensor that was away for so long has missed something. */
#define AWAY_NS (86400 * NS_PER_S)
/* Bits of the filter for each entry: few names that are not in the ledger get past it. */
#define FILTER_BITS 16

/* --- start and end ------------------------------------------------------------------------ */

void ledger_free(struct ledger *l)
{
	if (!l)
		return;
	table_free(l->entries);
	table_free(l->zones);
	table_free(l->addresses);
	table_free(l->updaters);
	free(l->filter);
	free(l->change);
	free(l);
}

static bool open_tables(struct ledger *l, size_t memory_bytes)
{
	size_t share = memory_bytes / SHARES;

	l->entries = table_new("ledger", sizeof(struct ledger_entry), sizeof(struct ledger_key),
		share * ENTRIES_SHARE, l->seed);
	l->zones = table_new("ledger_zones", sizeof(struct ledger_zone),
		sizeof(struct ledger_zone_key), share * ZONES_SHARE, l->seed);
	l->addresses = table_new("ledger_addresses", sizeof(struct ledger_address),
		sizeof(struct ledger_address_key), share * ADDRESSES_SHARE, l->seed);
	l->updaters = table_new("ledger_updaters", sizeof(struct ledger_updater),
		sizeof(struct ledger_address_key), share * UPDATERS_SHARE, l->seed);
	return l->entries && l->zones && l->addresses && l->updaters;
}

static bool open_filter(struct ledger *l)
{
	uint64_t bits = 64;

	while (bits < table_stats(l->entries).capacity * FILTER_BITS)
		bits *= 2;
	l->filter_mask = bits - 1;
	l->filter = calloc(bits / 64, sizeof(*l->filter));
	return l->filter != NULL;
}

struct ledger *ledger_new(size_t memory_bytes, uint64_t seed)
{
	struct ledger *l = calloc(1, sizeof(*l));

	if (!l)
		return NULL;
	l->seed = seed;
	l->watched_since_ns = l->swept_ns = l->now_ns = LEDGER_NEVER;
	if (!open_tables(l, memory_bytes) || !open_filter(l)) {
		ledger_free(l);
		return NULL;
	}
	return l;
}

/* --- the filter --------------------------------------------------------------------------- */

static void filter_add(struct ledger *l, const char *text)
{
	struct dns_name name;

	if (!dns_name_parse(&name, text))
		return;
	uint64_t bit = dns_name_hash(&name, l->filter_seed) & l->filter_mask;
	l->filter[bit / 64] |= UINT64_C(1) << bit % 64;
	l->names++;
}

static void filter_add_entry(void *entry, void *arg)
{
	const struct ledger_entry *e = entry;

	if (e->key.part == 0)
		filter_add(arg, ledger_name(e));
}

static void filter_rebuild(struct ledger *l)
{
	memset(l->filter, 0, (l->filter_mask + 1) / 8);
	l->names = 0;
	table_each(l->entries, filter_add_entry, l);
}

void ledger_adopt(struct ledger *l, const struct knowledge *known)
{
	uint64_t seed = index_seed(known->index);

	l->known = known;
	if (l->filter_seed == seed)
		return;
	l->filter_seed = seed;
	filter_rebuild(l);
}

bool ledger_is_in_zone(const char *name, const char *zone)
{
	size_t len = strlen(name), zone_len = strlen(zone);

	if (strcmp(zone, ".") == 0)
		return true;
	return len >= zone_len && strcmp(name + len - zone_len, zone) == 0 &&
	       (len == zone_len || name[len - zone_len - 1] == '.');
}

/* --- entries ------------------------------------------------------------------------------ */

struct ledger_key ledger_key_of(const struct ledger *l, uint16_t tenant, const char *name)
{
	size_t len = strlen(name);

	return (struct ledger_key){
		.hash = hash_bytes(l->seed, name, len),
		.check = hash_bytes(~l->seed, name, len),
		.tenant = tenant,
	};
}

/* All parts of a name are in one bucket: `part` is compared, not hashed. */
static uint64_t hash_of(const struct ledger_key *key)
{
	return hash_word(key->hash, key->tenant);
}

struct ledger_entry *ledger_part(struct ledger *l, const struct ledger_key *key, unsigned part)
{
	struct ledger_key wanted = *key;

	wanted.part = (uint16_t)part;
	return table_find(l->entries, hash_of(&wanted), &wanted);
}

struct ledger_entry *ledger_by_ref(
	struct ledger *l, uint16_t tenant, const struct ledger_ref *ref)
{
	struct ledger_key key = { .hash = ref->hash, .check = ref->check, .tenant = tenant };

	return ref->hash || ref->check ? ledger_part(l, &key, 0) : NULL;
}

static bool has_value(const struct ledger_entry *e, const struct ledger_slot *slot,
	uint64_t digest, const char *value)
{
	return slot->digest == digest &&
	       strncmp(ledger_text(e, slot->value_at), value, LEDGER_VALUE_MAX) == 0;
}

struct ledger_slot *ledger_record(struct ledger *l, const struct ledger_key *key, uint16_t type,
	const char *value, struct ledger_entry **entry)
{
	uint64_t digest = ledger_digest(value);

	for (unsigned part = 0; part < LEDGER_PARTS_MAX; part++) {
		struct ledger_entry *e = ledger_part(l, key, part);
		for (unsigned i = 0; e && i < LEDGER_SLOTS; i++) {
			struct ledger_slot *slot = &e->slot[i];
			if (slot->type != type || !has_value(e, slot, digest, value))
				continue;
			*entry = e;
			return slot;
		}
		if (!e)
			break;
	}
	return NULL;
}

struct ledger_entry *ledger_new_part(
	struct ledger *l, const struct ledger_key *key, const char *name, const char *zone)
{
	bool is_new;
	struct ledger_entry *e = table_add(l->entries, hash_of(key), key, &is_new);

	if (!is_new)
		return e;
	if (!ledger_entry_init(e, name, zone)) {
		table_remove(l->entries, e);
		return NULL;
	}
	/* Names that left the ledger leave their bits behind: begin anew now and then. */
	if (key->part == 0 && l->names >= 2 * table_stats(l->entries).capacity)
		filter_rebuild(l);
	else if (key->part == 0)
		filter_add(l, name);
	return e;
}

/* --- what else is known ------------------------------------------------------------------- */

struct ledger_zone *ledger_zone_of(struct ledger *l, uint16_t tenant, const char *zone)
{
	struct ledger_key name = ledger_key_of(l, tenant, zone);
	struct ledger_zone_key key = {
		.hash = name.hash, .check = name.check, .tenant = tenant
	};
	bool is_new;
	struct ledger_zone *z = table_add(l->zones, table_hash(l->zones, &key), &key, &is_new);

	if (is_new)
		snprintf(z->name, sizeof(z->name), "%s", zone);
	return z;
}

static struct ledger_address_key address_key(uint16_t tenant, const struct ip *ip)
{
	return (struct ledger_address_key){ .ip = *ip, .tenant = tenant };
}

struct ledger_updater *ledger_updater_of(
	struct ledger *l, uint16_t tenant, const struct ip *source)
{
	struct ledger_address_key key = address_key(tenant, source);
	bool is_new;

	return table_add(l->updaters, table_hash(l->updaters, &key), &key, &is_new);
}

struct ledger_updater *ledger_updater_find(
	struct ledger *l, uint16_t tenant, const struct ip *source)
{
	struct ledger_address_key key = address_key(tenant, source);

	return table_find(l->updaters, table_hash(l->updaters, &key), &key);
}

struct ledger_address *ledger_address_of(
	struct ledger *l, uint16_t tenant, const struct ip *address)
{
	struct ledger_address_key key = address_key(tenant, address);

	return table_find(l->addresses, table_hash(l->addresses, &key), &key);
}

/* The name comes to the front; the one that was not heard of for longest falls off the end. */
static void note_name(struct ledger_address *a, struct ledger_ref ref)
{
	unsigned at = 0;

	while (at < LEDGER_ADDRESS_NAMES - 1 &&
		(a->name[at].hash != ref.hash || a->name[at].check != ref.check))
		at++;
	memmove(&a->name[1], &a->name[0], at * sizeof(a->name[0]));
	a->name[0] = ref;
}

void ledger_note_address(
	struct ledger *l, const struct ledger_entry *e, uint16_t type, const char *value)
{
	struct ledger_ref ref = { e->key.hash, e->key.check };
	struct ip ip;
	bool is_new;

	if (type == DNS_TYPE_PTR ? !reverse_parse(&ip, ledger_name(e))
				 : (type != DNS_TYPE_A && type != DNS_TYPE_AAAA) ||
					   !ip_parse(&ip, value))
		return;
	struct ledger_address_key key = address_key(e->key.tenant, &ip);
	struct ledger_address *a =
		table_add(l->addresses, table_hash(l->addresses, &key), &key, &is_new);
	if (type == DNS_TYPE_PTR)
		a->pointer = ref;
	else
		note_name(a, ref);
}

void ledger_tick(struct ledger *l, int64_t ts_ns)
{
	int64_t turn = ts_ns - ts_ns % LEDGER_SWEEP_NS;

	/* Longer than hosts take to say again who they are: refreshes may have been missed. */
	if (l->was_away && l->now_ns != LEDGER_NEVER && age_of(l->now_ns, ts_ns) >= AWAY_NS)
		l->watched_since_ns = ts_ns;
	l->was_away = false;
	if (ts_ns > l->now_ns)
		l->now_ns = ts_ns;

	l->sweeping = turn > l->swept_ns && l->swept_ns != LEDGER_NEVER;
	if (turn > l->swept_ns)
		l->swept_ns = turn;
}

/* --- figures ------------------------------------------------------------------------------ */

struct zone_visit {
	void (*visit)(void *arg, const struct ledger_zone_stats *zone);
	void *arg;
};

static struct ledger_delay figures_of(const struct delay *d)
{
	return (struct ledger_delay){
		.count = d->count,
		.p50_ns = delay_quantile(d, 0.5),
		.p95_ns = delay_quantile(d, 0.95),
		.max_ns = d->max_ns,
	};
}

static void visit_zone(void *entry, void *arg)
{
	const struct ledger_zone *z = entry;
	const struct zone_visit *v = arg;
	struct ledger_zone_stats stats = {
		.tenant = (uint16_t)z->key.tenant,
		.zone = z->name,
		.updates = z->updates,
		.authoritative = figures_of(&z->authoritative),
		.resolved = figures_of(&z->resolved),
	};

	v->visit(v->arg, &stats);
}

void ledger_zone_stats(const struct ledger *l,
	void (*visit)(void *arg, const struct ledger_zone_stats *zone), void *arg)
{
	struct zone_visit v = { visit, arg };

	table_each(l->zones, visit_zone, &v);
}

void ledger_stats(const struct ledger *l, struct judge_stats *out)
{
	judge_stats_add(out, table_stats(l->entries));
	judge_stats_add(out, table_stats(l->zones));
	judge_stats_add(out, table_stats(l->addresses));
	judge_stats_add(out, table_stats(l->updaters));
}
