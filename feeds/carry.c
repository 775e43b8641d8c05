/* SPDX-License-Identifier: BSD-2-Clause */
#include "feeds/carry.h"

/* Numbers of providers are of one version: the id is what stays. False: out of memory. */
static bool carry_provider(
	struct feed_target *target, const struct carry_source *from, struct mark *mark)
{
	const struct provider *provider = provider_at(from->providers, mark->detail);

	if (!mark_kind_has_provider((enum mark_kind)mark->kind) || !provider)
		return true;
	mark->detail = provider_register(target->providers, provider->id, provider->tier);
	return mark->detail != PROVIDER_NONE;
}

/* Is it the feed's? Then it is the new one's from now on. */
static bool take_over(const struct carry_source *from, struct mark *mark, uint16_t number)
{
	if (!mark_kind_is_of_feeds((enum mark_kind)mark->kind) || mark->source != from->number)
		return false;
	mark->source = number;
	return true;
}

/* The marks of one name. False: out of memory. */
static bool carry_entry(struct feed_target *target, const struct carry_source *from,
	uint32_t entry, uint16_t number)
{
	size_t count, wire_len;
	const struct mark *mark = index_marks(from->index, entry, &count);
	const uint8_t *wire = index_entry_name(from->index, entry, &wire_len);
	struct dns_name name;

	for (size_t i = 0; i < count; i++) {
		struct mark copy = mark[i];
		if (!take_over(from, &copy, number))
			continue;
		if (!dns_name_from_wire(&name, wire, wire_len) ||
			!carry_provider(target, from, &copy) ||
			index_builder_add(target->builder, &name, copy) == INDEX_NO_MEMORY)
			return false;
	}
	return true;
}

static bool carry_addresses(
	struct feed_target *target, const struct carry_source *from, uint16_t number)
{
	size_t entries = from->addresses ? address_set_count(from->addresses) : 0;

	for (uint32_t entry = 0; entry < entries; entry++) {
		size_t count;
		const struct mark *mark = address_set_marks(from->addresses, entry, &count);
		for (size_t i = 0; i < count; i++) {
			struct mark copy = mark[i];
			if (take_over(from, &copy, number) &&
				address_builder_add(target->addresses,
					address_set_net(from->addresses, entry),
					copy) == INDEX_NO_MEMORY)
				return false;
		}
	}
	return true;
}

enum err feed_carry(struct feed_target *target, const struct carry_source *from,
	uint16_t number, struct err_ctx *why)
{
	uint32_t entry = 0;

	while (index_next(from->index, &entry)) {
		if (!carry_entry(target, from, entry, number))
			return err_set(why, ERR_FAILED, "out of memory");
	}
	if (!carry_addresses(target, from, number))
		return err_set(why, ERR_FAILED, "out of memory");
	return ERR_OK;
}
