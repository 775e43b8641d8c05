/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * address_set.h -- listed addresses and networks, as index.h is for names: each carries marks, and
 * an address is matched by every network that holds it.
 *
 * Made for answers of DNS, of which nearly none is listed: an address that is not costs a look
 * into 16 KiB that say which neighbourhoods have networks at all, and one word of a filter.
 *
 * Owner:    address_set_build makes it, address_set_free frees. Marks belong to the set.
 * Threads:  a builder belongs to one thread; a set is immutable: any number of readers.
 * Limits:   2^31 entries, about 60 bytes each; ADDRESS_HITS_MAX networks around one address.
 */
#ifndef FEEDS_ADDRESS_SET_H
#define FEEDS_ADDRESS_SET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "feeds/index.h"
#include "sensor/base/ip.h"

#define ADDRESS_HITS_MAX 4

struct address_hit {
	uint32_t entry; /* for address_set_marks */
	uint8_t bits;   /* of the network, of 128 */
};

struct address_set;
struct address_builder;

/* `seed` spreads the addresses; NULL when out of memory. */
struct address_builder *address_builder_new(uint64_t seed);
/* Add one mark to one network; the scope says nothing here. INDEX_DUPLICATE: the feed has said so
 * before. */
NODISCARD enum index_added address_builder_add(
	struct address_builder *b, const struct ip_net *net, struct mark mark);
void address_builder_free(struct address_builder *b);

/* Freeze. Frees the builder in every case; NULL when out of memory. */
NODISCARD struct address_set *address_set_build(struct address_builder *b);
void address_set_free(struct address_set *set);

size_t address_set_count(const struct address_set *set);
size_t address_set_bytes(const struct address_set *set);

/* The networks that hold the address, the widest first; the longest are kept. */
size_t address_set_match(const struct address_set *set, const struct ip *ip,
	struct address_hit hit[ADDRESS_HITS_MAX]);
/* The entry of exactly this network. */
NODISCARD bool address_set_find(
	const struct address_set *set, const struct ip_net *net, uint32_t *entry);

/* The marks of an entry, sorted by kind and feed. */
const struct mark *address_set_marks(
	const struct address_set *set, uint32_t entry, size_t *count);
const struct ip_net *address_set_net(const struct address_set *set, uint32_t entry);

#endif
