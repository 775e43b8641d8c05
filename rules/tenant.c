/* SPDX-License-Identifier: BSD-2-Clause */
#include "rules/tenant_layout.h"

#include "sensor/base/hash.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What is needed while the map is made. */
struct compiler {
	struct tenant_map *map;
	const struct policy_set *set;
	const char **name; /* of interfaces, sorted: a name's place is its id */
	size_t name_count;
	bool used[FAMILY_COUNT][KINDS_COUNT][BITS_MAX + 1];
	uint16_t culprit;
};

/* Sets of kinds in the order they are tried: more kinds first, nearer to the client first. */
static const uint8_t kinds_order[KINDS_COUNT] = {
	KIND_INTERFACE | KIND_VLAN | KIND_VNI,
	KIND_VLAN | KIND_VNI,
	KIND_INTERFACE | KIND_VNI,
	KIND_INTERFACE | KIND_VLAN,
	KIND_VNI,
	KIND_VLAN,
	KIND_INTERFACE,
	0,
};
/* Where the sets with 3, 2, 1 and 0 kinds begin in kinds_order, and its end. */
static const uint8_t level_start[] = { 0, 1, 4, 7, KINDS_COUNT };

static uint64_t key_hash(const struct key *key)
{
	uint64_t high, low;

	memcpy(&high, key->base.bytes, 8);
	memcpy(&low, key->base.bytes + 8, 8);
	uint64_t hash = hash_word(high, low);
	hash = hash_word(hash, (uint64_t)key->vni << 16 | key->vlan);
	return hash_word(hash, (uint64_t)key->interface << 16 | key->bits << 8 | key->kinds);
}

static bool key_equal(const struct key *a, const struct key *b)
{
	return a->kinds == b->kinds && a->bits == b->bits && a->vlan == b->vlan &&
	       a->vni == b->vni && a->interface == b->interface && ip_equal(&a->base, &b->base);
}

/* The row with this key, or the free slot where it would be. */
static struct row *row_find(const struct tenant_map *map, const struct key *key)
{
	size_t slot = key_hash(key) & map->row_mask;

	while (map->row[slot].tenant != NOBODY && !key_equal(&map->row[slot].key, key))
		slot = (slot + 1) & map->row_mask;
	return &map->row[slot];
}

/* "interface eth1, vlan 101, network 10.0.0.0/8" */
static void key_describe(
	const struct compiler *c, const struct key *key, char *text, size_t text_size)
{
	char interface[80] = "", vlan[24] = "", vni[24] = "",
	     network[IP_NET_TEXT_MAX + 16] = "";
	struct ip_net net = { .base = key->base, .bits = key->bits };

	if (key->kinds & KIND_INTERFACE)
		snprintf(interface, sizeof(interface), ", interface %.60s",
			c->name[key->interface]);
	if (key->kinds & KIND_VLAN)
		snprintf(vlan, sizeof(vlan), ", VLAN %u", key->vlan);
	if (key->kinds & KIND_VNI)
		snprintf(vni, sizeof(vni), ", VNI %u", key->vni);
	if (key->bits) {
		char net_text[IP_NET_TEXT_MAX];
		snprintf(network, sizeof(network), ", network %s",
			ip_net_format(&net, net_text));
	} else {
		snprintf(network, sizeof(network), ", every address");
	}
	char whole[256];
	snprintf(whole, sizeof(whole), "%s%s%s%s", interface, vlan, vni, network);
	snprintf(text, text_size, "%s", whole + 2);
}

static enum err fail_shared(struct compiler *c, const struct policy *p, uint16_t other,
	const char *what, struct err_ctx *why)
{
	c->culprit = p->number;
	return err_set(why, ERR_USAGE,
		"tenants \"%.100s\" and \"%.100s\" have the same selector: %s",
		c->set->tenant[other].id, p->id, what);
}

static void mark_used(struct compiler *c, const struct key *key)
{
	static const uint8_t any_v4[4];
	struct ip_net net = { .base = key->base, .bits = key->bits };
	struct ip mapped = ip_from_v4(any_v4);
	bool only_v4 = key->bits >= 96 && ip_is_v4(&key->base);

	if (only_v4 || ip_net_contains(&net, &mapped))
		c->used[FAMILY_V4][key->kinds][key->bits] = true;
	if (!only_v4)
		c->used[FAMILY_V6][key->kinds][key->bits] = true;
}

static enum err add_row(
	struct compiler *c, const struct policy *p, const struct key *key, struct err_ctx *why)
{
	struct row *row = row_find(c->map, key);

	if (row->tenant == p->number)
		return ERR_OK;
	if (row->tenant != NOBODY) {
		char text[256];
		key_describe(c, key, text, sizeof(text));
		return fail_shared(c, p, row->tenant, text, why);
	}
	row->key = *key;
	row->tenant = p->number;
	mark_used(c, key);
	return ERR_OK;
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The id of an interface is the place of its name in the sorted list of all names. */
static uint16_t interface_find(const struct compiler *c, const char *name)
{
	const char **at =
		bsearch(&name, c->name, c->name_count, sizeof(*c->name), compare_names);

	return (uint16_t)(at - c->name);
}

static size_t at_least_one(size_t count)
{
	return count ? count : 1;
}

/* How many rows a selector makes; more than TENANT_ROWS_MAX is as good as infinite. */
static size_t row_count(const struct policy_selector *s)
{
	const size_t factor[] = { s->interface_count, s->vlan_count, s->vni_count,
		s->network_count };
	size_t rows = 1;

	for (size_t i = 0; i < ARRAY_LEN(factor); i++) {
		if (__builtin_mul_overflow(rows, at_least_one(factor[i]), &rows) ||
			rows > TENANT_ROWS_MAX)
			return (size_t)TENANT_ROWS_MAX + 1;
	}
	return rows;
}

static bool is_empty(const struct policy_selector *s)
{
	return s->interface_count + s->vlan_count + s->vni_count + s->network_count == 0;
}

/* The row of one combination: digit by digit like a number whose digits have their own bases.
 */
static struct key key_of(const struct compiler *c, const struct policy_selector *s, size_t nth)
{
	struct key key = { 0 };

	if (s->network_count) {
		key.base = s->network[nth % s->network_count].base;
		key.bits = s->network[nth % s->network_count].bits;
		nth /= s->network_count;
	}
	if (s->vlan_count) {
		key.kinds |= KIND_VLAN;
		key.vlan = s->vlan[nth % s->vlan_count];
		nth /= s->vlan_count;
	}
	if (s->vni_count) {
		key.kinds |= KIND_VNI;
		key.vni = s->vni[nth % s->vni_count];
		nth /= s->vni_count;
	}
	if (s->interface_count) {
		key.kinds |= KIND_INTERFACE;
		key.interface = interface_find(c, s->interface[nth]);
	}
	return key;
}

static enum err add_tenant(struct compiler *c, const struct policy *p, struct err_ctx *why)
{
	size_t rows = row_count(&p->select);

	if (is_empty(&p->select)) {
		if (c->map->everyone != NOBODY)
			return fail_shared(c, p, c->map->everyone,
				"none, which takes what nobody else takes", why);
		c->map->everyone = p->number;
		return ERR_OK;
	}
	for (size_t i = 0; i < rows; i++) {
		struct key key = key_of(c, &p->select, i);
		enum err err = add_row(c, p, &key, why);
		if (err)
			return err;
	}
	return ERR_OK;
}

static void make_steps(struct compiler *c, enum family family)
{
	struct tenant_map *map = c->map;
	unsigned longest = 0;

	for (size_t level = 0; level + 1 < ARRAY_LEN(level_start); level++) {
		for (int bits = BITS_MAX; bits >= 0; bits--) {
			for (size_t i = level_start[level]; i < level_start[level + 1]; i++) {
				if (!c->used[family][kinds_order[i]][bits])
					continue;
				map->by_link |= kinds_order[i] != 0;
				map->step[family][map->step_count[family]++] =
					(struct step){ kinds_order[i], (uint8_t)bits };
				longest = (unsigned)bits > longest ? (unsigned)bits : longest;
			}
		}
	}
	struct ip ones;
	memset(ones.bytes, 0xff, sizeof(ones.bytes));
	struct ip mask = ip_masked(&ones, longest);
	map->mask[family] = tenant_address_of(&mask);
}

/* Sort and keep one of each. */
static void unite_names(struct compiler *c)
{
	size_t kept = 0;

	qsort(c->name, c->name_count, sizeof(*c->name), compare_names);
	for (size_t i = 0; i < c->name_count; i++) {
		if (kept == 0 || strcmp(c->name[kept - 1], c->name[i]) != 0)
			c->name[kept++] = c->name[i];
	}
	c->name_count = kept;
}

/* Ids for all interface names: those of the capture and those that selectors have. */
static enum err name_interfaces(struct compiler *c, const char *const *interface_name,
	size_t interface_count, struct err_ctx *why)
{
	size_t names = interface_count;

	for (size_t i = 0; i < c->set->tenant_count; i++)
		names += c->set->tenant[i].select.interface_count;
	c->name = calloc(at_least_one(names), sizeof(*c->name));
	c->map->interface_id = calloc(at_least_one(interface_count), sizeof(uint16_t));
	if (!c->name || !c->map->interface_id)
		return err_set(why, ERR_FAILED, "out of memory");

	for (size_t i = 0; i < interface_count; i++)
		c->name[c->name_count++] = interface_name[i];
	for (size_t i = 0; i < c->set->tenant_count; i++) {
		const struct policy_selector *s = &c->set->tenant[i].select;
		for (size_t j = 0; j < s->interface_count; j++)
			c->name[c->name_count++] = s->interface[j];
	}
	unite_names(c);
	if (c->name_count > UINT16_MAX)
		return err_set(why, ERR_USAGE, "more than %d interface names", UINT16_MAX);
	for (size_t i = 0; i < interface_count; i++)
		c->map->interface_id[i] = interface_find(c, interface_name[i]);
	c->map->interface_count = interface_count;
	return ERR_OK;
}

/* Slots for all rows at a load of a half at most. */
static enum err make_table(struct compiler *c, struct err_ctx *why)
{
	size_t rows = 0, slots = 64;

	for (size_t i = 0; i < c->set->tenant_count; i++) {
		const struct policy *p = &c->set->tenant[i];
		if (p->number == POLICY_UNMAPPED)
			continue;
		rows += row_count(&p->select);
		if (rows > TENANT_ROWS_MAX) {
			c->culprit = p->number;
			return err_set(why, ERR_USAGE,
				"tenant \"%.100s\": interfaces x VLANs x VNIs x networks are "
				"more than %u combinations",
				p->id, TENANT_ROWS_MAX);
		}
	}
	while (slots < rows * 2)
		slots *= 2;
	c->map->row = malloc(slots * sizeof(*c->map->row));
	if (!c->map->row)
		return err_set(why, ERR_FAILED, "out of memory");
	for (size_t i = 0; i < slots; i++)
		c->map->row[i].tenant = NOBODY;
	c->map->row_mask = slots - 1;
	return ERR_OK;
}

static enum err compile(struct compiler *c, const char *const *interface_name,
	size_t interface_count, struct err_ctx *why)
{
	enum err err = make_table(c, why);

	if (!err)
		err = name_interfaces(c, interface_name, interface_count, why);
	if (err)
		return err;
	for (size_t i = 0; i < c->set->tenant_count; i++) {
		const struct policy *p = &c->set->tenant[i];
		if (p->number == POLICY_UNMAPPED || p->retired)
			continue;
		err = add_tenant(c, p, why);
		if (err)
			return err;
	}
	make_steps(c, FAMILY_V4);
	make_steps(c, FAMILY_V6);
	return ERR_OK;
}

static enum err map_new(struct tenant_map **out, const struct policy_set *set,
	const char *const *interface_name, size_t interface_count, uint16_t *culprit,
	struct err_ctx *why)
{
	struct compiler c = { .set = set };
	enum err err;

	*out = NULL;
	c.map = calloc(1, sizeof(*c.map));
	if (!c.map)
		return err_set(why, ERR_FAILED, "out of memory");
	c.map->everyone = NOBODY;
	err = compile(&c, interface_name, interface_count, why);
	free(c.name);
	*culprit = c.culprit;
	if (err)
		tenant_map_free(c.map);
	else
		*out = c.map;
	return err;
}

enum err tenant_map_new(struct tenant_map **out, const struct policy_set *set,
	const char *const *interface_name, size_t interface_count, struct err_ctx *why)
{
	uint16_t culprit;

	return map_new(out, set, interface_name, interface_count, &culprit, why);
}

enum err tenant_map_check(const struct policy_set *set, uint16_t *culprit, struct err_ctx *why)
{
	struct tenant_map *map;
	enum err err = map_new(&map, set, NULL, 0, culprit, why);

	tenant_map_free(map);
	return err;
}

void tenant_map_free(struct tenant_map *map)
{
	if (!map)
		return;
	free(map->row);
	free(map->interface_id);
	free(map);
}

/* Try one step for a masked address; any VLAN tag of the link may be the selected one. */
static uint16_t try_step(const struct tenant_map *map, const struct tenant_link *link,
	struct step step, const struct ip *masked)
{
	struct key key = { .base = *masked, .bits = step.bits, .kinds = step.kinds };

	if (step.kinds & KIND_INTERFACE) {
		if (link->interface >= map->interface_count)
			return NOBODY;
		key.interface = map->interface_id[link->interface];
	}
	if (step.kinds & KIND_VNI) {
		if (link->vni == UINT32_MAX)
			return NOBODY;
		key.vni = link->vni;
	}
	if (!(step.kinds & KIND_VLAN))
		return row_find(map, &key)->tenant;
	for (uint8_t i = 0; i < link->vlan_count; i++) {
		key.vlan = link->vlan[i];
		uint16_t tenant = row_find(map, &key)->tenant;
		if (tenant != NOBODY)
			return tenant;
	}
	return NOBODY;
}

uint16_t tenant_find_end(
	const struct tenant_map *map, const struct tenant_link *link, const struct ip *end)
{
	enum family family = ip_is_v4(end) ? FAMILY_V4 : FAMILY_V6;
	struct ip masked = *end;
	unsigned masked_bits = BITS_MAX;

	for (size_t i = 0; i < map->step_count[family]; i++) {
		struct step step = map->step[family][i];
		if (step.bits != masked_bits) {
			masked = ip_masked(end, step.bits);
			masked_bits = step.bits;
		}
		uint16_t tenant = try_step(map, link, step, &masked);
		if (tenant != NOBODY)
			return tenant;
	}
	return NOBODY;
}

uint16_t tenant_nobodys(const struct tenant_map *map)
{
	return map->everyone == NOBODY ? POLICY_UNMAPPED : map->everyone;
}

uint16_t tenant_find(const struct tenant_map *map, const struct tenant_link *link,
	const struct ip *client, const struct ip *server)
{
	uint16_t tenant = tenant_find_end(map, link, client);

	if (tenant == NOBODY)
		tenant = tenant_find_end(map, link, server);
	return tenant == NOBODY ? tenant_nobodys(map) : tenant;
}
