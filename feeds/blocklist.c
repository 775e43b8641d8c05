/* SPDX-License-Identifier: BSD-2-Clause */
#include "feeds/blocklist.h"

#include <stdlib.h>
#include <string.h>

/*
 * A name is held as its key: the labels from the root down, each ended by a zero octet, so that
 * comparing keys as octets gives canonical order, and a name is below another when its key starts
 * with the other's. Octets 0 and 1 in a label, which nearly none has, become 1 1 and 1 2.
 */
#define KEY_MAX (2 * DNS_NAME_MAX)

/* What is said of an item: a bit for the name itself and one for all below, for each way. */
#define SAID_SELF(say)  (1u << (2 * (say)))
#define SAID_BELOW(say) (2u << (2 * (say)))

struct name_item {
	uint32_t key_at, origin;
	uint16_t key_len;
	uint8_t said;
};

struct network_item {
	struct ip_net net;
	uint8_t said; /* SAID_SELF */
	uint32_t origin;
};

struct blocklist {
	uint8_t *keys;
	size_t key_bytes, key_size;
	struct name_item *name;
	size_t name_count, name_size;
	struct network_item *network;
	size_t network_count, network_size;
};

struct blocklist *blocklist_new(void)
{
	return calloc(1, sizeof(struct blocklist));
}

void blocklist_free(struct blocklist *list)
{
	if (!list)
		return;
	free(list->keys);
	free(list->name);
	free(list->network);
	free(list);
}

size_t blocklist_bytes(const struct blocklist *list)
{
	return sizeof(*list) + list->key_size + list->name_size * sizeof(*list->name) +
	       list->network_size * sizeof(*list->network);
}

/* --- keys ----------------------------------------------------------------------------------- */

static size_t key_of(const struct dns_name *name, uint8_t key[KEY_MAX])
{
	size_t len = 0;

	for (unsigned i = name->label_count; i-- > 0;) {
		const uint8_t *label = name->wire + name->label_at[i];
		for (unsigned k = 1; k <= label[0]; k++) {
			if (label[k] <= 1)
				key[len++] = 1;
			key[len++] = label[k] <= 1 ? label[k] + 1 : label[k];
		}
		key[len++] = 0;
	}
	return len;
}

/* Back to the name: the labels are put down from the end. */
static void name_of(struct dns_name *out, const uint8_t *key, size_t key_len)
{
	uint8_t wire[DNS_NAME_MAX];
	size_t at = sizeof(wire) - 1, done = 0;

	wire[at] = 0;
	while (done < key_len) {
		uint8_t label[DNS_LABEL_MAX];
		uint8_t len = 0;
		for (; key[done] != 0; done++) {
			bool escaped = key[done] == 1;
			done += escaped;
			label[len++] = escaped ? key[done] - 1 : key[done];
		}
		done++;
		at -= len;
		memcpy(wire + at, label, len);
		wire[--at] = len;
	}
	/* It came out of a name. */
	if (!dns_name_from_wire(out, wire + at, sizeof(wire) - at))
		*out = (struct dns_name){ .wire_len = 1 };
}

/* --- adding --------------------------------------------------------------------------------- */

/* Room for `more` behind `count` of `*size` elements; false when out of memory. */
static bool make_room(void **at, size_t *size, size_t count, size_t more, size_t element)
{
	size_t wanted = *size ? *size : 1024;

	if (count + more <= *size)
		return true;
	while (wanted < count + more)
		wanted += wanted / 2;
	void *grown = realloc(*at, wanted * element);
	if (!grown)
		return false;
	*at = grown;
	*size = wanted;
	return true;
}

static uint8_t said_of(enum mark_scope scope, enum blocklist_say say)
{
	unsigned self = scope != SCOPE_BELOW ? SAID_SELF(say) : 0;
	unsigned below = scope != SCOPE_EXACT ? SAID_BELOW(say) : 0;

	return (uint8_t)(self | below);
}

bool blocklist_add_name(struct blocklist *list, const struct dns_name *name,
	enum mark_scope scope, enum blocklist_say say, uint32_t origin)
{
	if (list->key_bytes + KEY_MAX > UINT32_MAX ||
		!make_room(
			(void **)&list->keys, &list->key_size, list->key_bytes, KEY_MAX, 1) ||
		!make_room((void **)&list->name, &list->name_size, list->name_count, 1,
			sizeof(*list->name)))
		return false;
	size_t len = key_of(name, list->keys + list->key_bytes);
	list->name[list->name_count++] = (struct name_item){
		.key_at = (uint32_t)list->key_bytes,
		.key_len = (uint16_t)len,
		.origin = origin,
		.said = said_of(scope, say),
	};
	list->key_bytes += len;
	return true;
}

bool blocklist_add_network(struct blocklist *list, const struct ip_net *net,
	enum blocklist_say say, uint32_t origin)
{
	if (!make_room((void **)&list->network, &list->network_size, list->network_count, 1,
		    sizeof(*list->network)))
		return false;
	list->network[list->network_count++] =
		(struct network_item){ .net = *net, .said = SAID_SELF(say), .origin = origin };
	return true;
}

/* --- order ---------------------------------------------------------------------------------- */

static int compare_names(const void *left, const void *right, void *keys)
{
	const struct name_item *a = left, *b = right;
	size_t len = a->key_len < b->key_len ? a->key_len : b->key_len;
	int order = memcmp((uint8_t *)keys + a->key_at, (uint8_t *)keys + b->key_at, len);

	return order ? order : (int)a->key_len - (int)b->key_len;
}

static int compare_networks(const void *left, const void *right)
{
	const struct network_item *a = left, *b = right;
	int order = ip_compare(&a->net.base, &b->net.base);

	return order ? order : (int)a->net.bits - (int)b->net.bits;
}

static void join(uint8_t *said, uint32_t *origin, uint8_t more, uint32_t its_origin)
{
	*said |= more;
	if (its_origin < *origin)
		*origin = its_origin;
}

static void join_equal_names(struct blocklist *list)
{
	size_t kept = 0;

	for (size_t i = 0; i < list->name_count; i++) {
		const struct name_item *item = &list->name[i];
		if (kept > 0 && compare_names(&list->name[kept - 1], item, list->keys) == 0)
			join(&list->name[kept - 1].said, &list->name[kept - 1].origin,
				item->said, item->origin);
		else
			list->name[kept++] = *item;
	}
	list->name_count = kept;
}

static void join_equal_networks(struct blocklist *list)
{
	size_t kept = 0;

	for (size_t i = 0; i < list->network_count; i++) {
		const struct network_item *item = &list->network[i];
		if (kept > 0 && compare_networks(&list->network[kept - 1], item) == 0)
			join(&list->network[kept - 1].said, &list->network[kept - 1].origin,
				item->said, item->origin);
		else
			list->network[kept++] = *item;
	}
	list->network_count = kept;
}

void blocklist_sort(struct blocklist *list)
{
	if (list->name_count > 0)
		qsort_r(list->name, list->name_count, sizeof(*list->name), compare_names,
			list->keys);
	if (list->network_count > 0)
		qsort(list->network, list->network_count, sizeof(*list->network),
			compare_networks);
	join_equal_names(list);
	join_equal_networks(list);
}

/* --- what is to be done --------------------------------------------------------------------- */

static const struct blocklist_order nothing = { ACTION_NONE, -1 };

/* The order, as strong as it has to be over what is above. */
static struct blocklist_order order_over(
	struct blocklist_order above, enum blocklist_action action)
{
	bool odd = action == ACTION_PASS;

	if (action == above.action)
		return above;
	if (action == ACTION_NONE)
		return nothing;
	int rank = above.rank + 1;
	return (struct blocklist_order){ action, rank + ((rank & 1) != odd) };
}

/* What the item's own words mean for the name itself, or for what is below it. */
static enum blocklist_action action_of(
	unsigned allowed, unsigned approved, unsigned listed, enum blocklist_action above)
{
	if (approved)
		return ACTION_PASS;
	if (allowed) /* not worth a word where nothing refuses */
		return above == ACTION_NONE ? ACTION_NONE : ACTION_PASS;
	return listed ? ACTION_REFUSE : above;
}

static void decide(struct blocklist_name *out, const struct name_item *item, bool excluded)
{
	unsigned said = item->said;

	out->listed = said & SAID_SELF(SAY_LISTED);
	out->listed_below = said & SAID_BELOW(SAY_LISTED);
	/* An alert about a name below bears the listed name, and goes with it. */
	if (said & SAID_SELF(SAY_EXCLUDED))
		said &= ~SAID_BELOW(SAY_LISTED);
	unsigned self_passes = said & (SAID_SELF(SAY_APPROVED) | SAID_SELF(SAY_EXCLUDED));
	unsigned below_passes = said & (SAID_BELOW(SAY_APPROVED) | SAID_BELOW(SAY_EXCLUDED));
	enum blocklist_action self = action_of(said & SAID_SELF(SAY_ALLOWED),
		excluded || self_passes, said & SAID_SELF(SAY_LISTED), out->above.action);
	enum blocklist_action below = action_of(said & SAID_BELOW(SAY_ALLOWED),
		excluded || below_passes, said & SAID_BELOW(SAY_LISTED), out->above.action);

	out->self = order_over(out->above, self);
	out->below = order_over(out->above, below);
}

static bool is_below(
	const struct blocklist *list, const struct name_item *item, const struct name_item *of)
{
	return item->key_len > of->key_len &&
	       memcmp(list->keys + item->key_at, list->keys + of->key_at, of->key_len) == 0;
}

static void push(struct blocklist_walk *w, struct blocklist_order below, bool excluded)
{
	w->ancestor[w->depth++] = (struct blocklist_ancestor){
		.item = w->next, .below = below, .excluded = excluded
	};
}

bool blocklist_next_name(struct blocklist_walk *w, struct blocklist_name *out)
{
	const struct blocklist *list = w->list;

	if (w->next >= list->name_count)
		return false;
	const struct name_item *item = &list->name[w->next];
	while (w->depth > 0 &&
		!is_below(list, item, &list->name[w->ancestor[w->depth - 1].item]))
		w->depth--;
	const struct blocklist_ancestor *above = w->depth ? &w->ancestor[w->depth - 1] : NULL;
	bool excluded = above && above->excluded;
	name_of(&out->name, list->keys + item->key_at, item->key_len);
	out->above = above ? above->below : nothing;
	out->origin = item->origin;
	decide(out, item, excluded);
	push(w, out->below, excluded || item->said & SAID_BELOW(SAY_EXCLUDED));
	w->next++;
	return true;
}

bool blocklist_next_network(struct blocklist_walk *w, struct blocklist_network *out)
{
	const struct blocklist *list = w->list;

	if (w->next >= list->network_count)
		return false;
	const struct network_item *item = &list->network[w->next];
	while (w->depth > 0 &&
		!ip_net_contains(
			&list->network[w->ancestor[w->depth - 1].item].net, &item->net.base))
		w->depth--;
	out->net = item->net;
	out->above = w->depth ? w->ancestor[w->depth - 1].below.action : ACTION_NONE;
	out->listed = item->said & SAID_SELF(SAY_LISTED);
	out->origin = item->origin;
	out->action =
		action_of(item->said & SAID_SELF(SAY_ALLOWED), 0, out->listed, out->above);
	push(w, (struct blocklist_order){ out->action, 0 }, false);
	w->next++;
	return true;
}
