/* SPDX-License-Identifier: BSD-2-Clause */
#include "feeds/harvest.h"

#include "feeds/wire_copy.h"

#include <stdlib.h>
#include <string.h>

#define WORDS_AT_FIRST 16384
#define RECORDS_AHEAD  12 /* whose places in the index are asked for before they are stored */

/* A name: its hash and its mark, then the octets of the name, filled up to whole words. With no
 * label, a network instead: the 16 octets of its base and its length; or, with no octets either,
 * the facts of what was before. */
struct record {
	uint64_t hash;
	struct mark mark;
	uint16_t words; /* of the whole record */
	uint8_t wire_len;
	uint8_t label_count;
	uint8_t wire[4]; /* the first of them */
};

_Static_assert(sizeof(struct record) == 24, "a record starts with three whole words");

/* Room for so many words, and the one that copying may touch behind them. */
static bool reserve(struct harvest *h, size_t words)
{
	if (h->size - h->len > words)
		return true;
	size_t size = h->size ? h->size * 2 : WORDS_AT_FIRST;
	uint64_t *word = realloc(h->word, size * sizeof(*word));
	if (!word) {
		h->failed = true;
		return false;
	}
	h->word = word;
	h->size = size;
	return true;
}

/* A new record with room for so many octets; NULL when out of memory. */
static struct record *add(
	struct harvest *h, size_t wire_len, unsigned label_count, struct mark mark)
{
	size_t bytes = offsetof(struct record, wire) + wire_len;
	size_t words = (bytes + 7) / 8;

	if (words < sizeof(struct record) / 8)
		words = sizeof(struct record) / 8;
	if (!reserve(h, words))
		return NULL;
	struct record *r = (struct record *)(h->word + h->len);
	r->hash = 0;
	r->mark = mark;
	r->words = (uint16_t)words;
	r->wire_len = (uint8_t)wire_len;
	r->label_count = (uint8_t)label_count;
	h->len += words;
	return r;
}

static uint8_t *octets_of(struct record *r)
{
	return (uint8_t *)r + offsetof(struct record, wire);
}

void harvest_add_name(
	struct harvest *h, const struct dns_name *name, uint64_t hash, struct mark mark)
{
	struct record *r = add(h, name->wire_len, name->label_count, mark);

	if (!r)
		return;
	r->hash = hash;
	wire_copy(octets_of(r), name->wire, name->wire_len);
}

void harvest_add_network(struct harvest *h, const struct ip_net *net, struct mark mark)
{
	struct record *r = add(h, sizeof(*net), 0, mark);

	if (r)
		memcpy(octets_of(r), net, sizeof(*net));
}

/* Behind the start of a record. */
struct told {
	int64_t first_seen_s, until_s;
	uint8_t confidence, tlp;
	uint8_t category_len, reference_len;
	char text[4]; /* category and reference, a NUL behind each */
};

static size_t text_len(const char *text)
{
	return text ? strnlen(text, FACTS_TEXT_MAX) : 0;
}

void harvest_add_facts(struct harvest *h, const struct entry_facts *facts)
{
	size_t category_len = text_len(facts->category);
	size_t reference_len = text_len(facts->reference);
	size_t bytes = sizeof(struct record) + offsetof(struct told, text) + category_len +
		       reference_len + 2;
	size_t words = (bytes + 7) / 8;

	if (!reserve(h, words))
		return;
	struct record *r = (struct record *)(h->word + h->len);
	struct told *told = (struct told *)(r + 1);
	*r = (struct record){ .words = (uint16_t)words };
	*told = (struct told){ .first_seen_s = facts->first_seen_s,
		.until_s = facts->until_s,
		.confidence = facts->confidence,
		.tlp = facts->tlp,
		.category_len = (uint8_t)category_len,
		.reference_len = (uint8_t)reference_len };
	char *text = (char *)told + offsetof(struct told, text);
	memcpy(text, facts->category ? facts->category : "", category_len);
	text[category_len] = '\0';
	memcpy(text + category_len + 1, facts->reference ? facts->reference : "",
		reference_len);
	text[category_len + 1 + reference_len] = '\0';
	h->len += words;
}

/* Most feeds have none, and so no table for them. */
static bool store_facts(
	const struct feed_item *item, const struct record *r, const struct record *about)
{
	const struct told *told = (const struct told *)(r + 1);
	const char *text = (const char *)told + offsetof(struct told, text);
	struct ip_net net;
	uint64_t key = about->hash;

	if (!item->facts)
		return true;
	if (!*item->facts)
		*item->facts = facts_new();
	if (about->label_count == 0) {
		memcpy(&net, (const uint8_t *)about + offsetof(struct record, wire),
			sizeof(net));
		key = facts_network_key(&net);
	}
	const struct entry_facts facts = {
		.category = text,
		.reference = text + told->category_len + 1,
		.first_seen_s = told->first_seen_s,
		.until_s = told->until_s,
		.confidence = told->confidence,
		.tlp = told->tlp,
	};
	return *item->facts && facts_add(*item->facts, key, &facts);
}

static enum index_added store_network(struct feed_target *target, const struct record *r)
{
	struct ip_net net;

	memcpy(&net, (const uint8_t *)r + offsetof(struct record, wire), sizeof(net));
	return address_builder_add(target->addresses, &net, r->mark);
}

static enum index_added store_name(struct feed_target *target, const struct record *r)
{
	const struct index_addition addition = {
		.hash = r->hash,
		.wire = (const uint8_t *)r + offsetof(struct record, wire),
		.wire_len = r->wire_len,
		.label_count = r->label_count,
		.mark = r->mark,
	};

	return index_builder_put(target->builder, &addition);
}

static const struct record *record_at(const struct harvest *h, size_t at)
{
	return (const struct record *)(h->word + at);
}

bool harvest_store(
	const struct harvest *h, struct feed_target *target, const struct feed_item *item)
{
	struct feed_report *report = item->report;
	const struct record *before = NULL;
	size_t ahead = 0;
	unsigned distance = 0; /* records from the one that is stored to `ahead` */

	for (size_t at = 0; at < h->len; at += record_at(h, at)->words) {
		for (; distance < RECORDS_AHEAD && ahead < h->len; distance++) {
			index_builder_prefetch(target->builder, record_at(h, ahead)->hash);
			ahead += record_at(h, ahead)->words;
		}
		distance--;
		const struct record *r = record_at(h, at);
		if (UNLIKELY(r->wire_len == 0)) {
			if (before && !store_facts(item, r, before))
				return false;
			continue;
		}
		before = r;
		bool is_name = r->label_count > 0;
		enum index_added added =
			is_name ? store_name(target, r) : store_network(target, r);
		if (added == INDEX_NO_MEMORY)
			return false;
		report->duplicates += added == INDEX_DUPLICATE;
		*(is_name ? &report->accepted[r->mark.scope] : &report->addresses) +=
			added == INDEX_ADDED;
		report->exceptions += added == INDEX_ADDED && r->mark.kind != item->spec->kind;
	}
	return true;
}

void harvest_deinit(struct harvest *h)
{
	free(h->word);
	*h = (struct harvest){ 0 };
}
