/* SPDX-License-Identifier: BSD-2-Clause */
#include "sensor/app/changes.h"

#include <stdlib.h>
#include <string.h>

#define NO_FEED UINT16_MAX

/* By number of the feed in its own version. */
struct feed_changes {
	const struct knowledge *known, *other;
	uint16_t *twin; /* its number in the other version, or NO_FEED */
	uint64_t *only; /* names and addresses that it has in this version only */
};

static uint16_t find_feed(const struct knowledge *known, const struct knowledge_feed *feed)
{
	for (size_t i = 0; i < known->feed_count; i++) {
		if (strcmp(known->feed[i].name, feed->name) == 0)
			return (uint16_t)i;
	}
	return NO_FEED;
}

static bool changes_init(
	struct feed_changes *c, const struct knowledge *known, const struct knowledge *other)
{
	*c = (struct feed_changes){
		.known = known,
		.other = other,
		.twin = calloc(known->feed_count + 1, sizeof(*c->twin)),
		.only = calloc(known->feed_count + 1, sizeof(*c->only)),
	};
	for (size_t i = 0; c->twin && i < known->feed_count; i++)
		c->twin[i] = find_feed(other, &known->feed[i]);
	return c->twin && c->only;
}

static void changes_deinit(struct feed_changes *c)
{
	free(c->twin);
	free(c->only);
}

/* Is there a mark of that feed, kind and scope? Details are numbers of one version. */
static bool has_mark(const struct mark *mark, size_t count, const struct mark *wanted)
{
	for (size_t i = 0; i < count; i++) {
		if (mark[i].source == wanted->source && mark[i].kind == wanted->kind &&
			mark[i].scope == wanted->scope)
			return true;
	}
	return false;
}

/* Marks of feeds that the other version does not have count as one more for their feed. */
static void count_marks(struct feed_changes *c, const struct mark *mark, size_t count,
	const struct mark *other, size_t other_count)
{
	for (size_t i = 0; i < count; i++) {
		struct mark wanted = mark[i];
		if (!mark_kind_is_of_feeds((enum mark_kind)wanted.kind) ||
			wanted.source >= c->known->feed_count)
			continue;
		wanted.source = c->twin[mark[i].source];
		if (!has_mark(other, other_count, &wanted))
			c->only[mark[i].source]++;
	}
}

static void count_name(struct feed_changes *c, uint32_t entry)
{
	size_t count, other_count = 0, wire_len;
	const struct mark *mark = index_marks(c->known->index, entry, &count), *other = NULL;
	const uint8_t *wire = index_entry_name(c->known->index, entry, &wire_len);
	struct dns_name name;
	uint32_t found;

	if (dns_name_from_wire(&name, wire, wire_len) &&
		index_find(c->other->index, &name, &found))
		other = index_marks(c->other->index, found, &other_count);
	count_marks(c, mark, count, other, other_count);
}

static void count_address(struct feed_changes *c, uint32_t entry)
{
	const struct address_set *addresses = c->other->addresses;
	size_t count, other_count = 0;
	const struct mark *mark = address_set_marks(c->known->addresses, entry, &count),
			  *other = NULL;
	uint32_t found;

	if (addresses && address_set_find(addresses,
				 address_set_net(c->known->addresses, entry), &found))
		other = address_set_marks(addresses, found, &other_count);
	count_marks(c, mark, count, other, other_count);
}

static void count_entries(struct feed_changes *c)
{
	size_t addresses = c->known->addresses ? address_set_count(c->known->addresses) : 0;
	uint32_t entry = 0;

	while (index_next(c->known->index, &entry))
		count_name(c, entry);
	for (entry = 0; entry < addresses; entry++)
		count_address(c, entry);
}

/* Begin one more item; false when there are too many to be named. */
static bool begin_item(struct text *out, size_t *items, const char *what, const char *name)
{
	if (++*items > CHANGES_NAMED_MAX)
		return false;
	text_printf(out, "%s%s %s", out->len ? ", " : "", what, name);
	return true;
}

static void end_items(struct text *out, size_t items, const char *what)
{
	if (items > CHANGES_NAMED_MAX)
		text_printf(out, " and %zu more %s", items - CHANGES_NAMED_MAX, what);
}

static void describe_feeds(
	struct text *out, const struct feed_changes *old, const struct feed_changes *new)
{
	size_t items = 0;

	for (size_t i = 0; i < new->known->feed_count; i++) {
		bool is_new = new->twin[i] == NO_FEED;
		uint64_t gone = is_new ? 0 : old->only[new->twin[i]];
		if (!is_new && new->only[i] == 0 && gone == 0)
			continue;
		if (!begin_item(out, &items, "feed", new->known->feed[i].name))
			continue;
		text_printf(out, is_new ? " new (+%llu)" : " +%llu",
			(unsigned long long)new->only[i]);
		if (!is_new)
			text_printf(out, " -%llu", (unsigned long long)gone);
	}
	for (size_t i = 0; i < old->known->feed_count; i++) {
		if (old->twin[i] == NO_FEED &&
			begin_item(out, &items, "feed", old->known->feed[i].name))
			text_printf(out, " gone (-%llu)", (unsigned long long)old->only[i]);
	}
	end_items(out, items, "feeds");
}

/* Numbers are the same in both: what is behind the old ones, or was retired, is new. */
static void describe_tenants(
	struct text *out, const struct policy_set *old, const struct policy_set *new)
{
	size_t items = 0;

	for (size_t i = 0; i < new->tenant_count; i++) {
		bool was = i < old->tenant_count && !old->tenant[i].retired;
		bool is = !new->tenant[i].retired;
		if (was != is && begin_item(out, &items, "tenant", new->tenant[i].id))
			text_puts(out, is ? " new" : " gone");
	}
	end_items(out, items, "tenants");
}

void changes_describe(
	struct text *out, const struct knowledge *before, const struct knowledge *after)
{
	struct feed_changes old = { 0 }, new = { 0 };
	struct text line = { 0 };

	if (changes_init(&old, before, after) && changes_init(&new, after, before)) {
		count_entries(&old);
		count_entries(&new);
		describe_feeds(&line, &old, &new);
		describe_tenants(&line, before->policies, after->policies);
		text_puts(out, line.len ? line.at : "no name and no tenant changed");
	}
	text_deinit(&line);
	changes_deinit(&old);
	changes_deinit(&new);
}
