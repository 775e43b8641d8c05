/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fuzz_cache.c -- any bytes as a cache: what is not refused must be harmless to use. The first byte
 * chooses what they are taken for: an index, facts, all that a start keeps, or a file as it is; the
 * second how many feeds there are. The checksum is made to fit, so that what is behind it is reached.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sensor/app/load_cache.h"
#include "sensor/base/log.h"

#define IDENTITY  "x"
#define FEEDS_MAX 4
#define LOOKS     64

static char path[64];

static void must(bool condition)
{
	if (!condition)
		abort();
}

static void remove_file(void)
{
	unlink(path);
	*strrchr(path, '/') = '\0';
	rmdir(path);
}

/* In memory where that is to be had. */
static void make_path(void)
{
	if (path[0])
		return;
	log_set_level(LOG_LEVEL_ERROR);
	strcpy(path, access("/dev/shm", W_OK) == 0 ? "/dev/shm/dynwatch-fuzz-XXXXXX"
						   : "/tmp/dynwatch-fuzz-XXXXXX");
	must(mkdtemp(path) != NULL);
	strcat(path, "/cache");
	atexit(remove_file);
}

static void write_cache(const uint8_t *data, size_t size)
{
	struct err_ctx why;
	struct cache_writer *w = cache_create(path, IDENTITY, strlen(IDENTITY), &why);

	must(w != NULL);
	cache_put(w, data, size);
	must(cache_commit(w, &why) == ERR_OK);
}

static void write_file(const uint8_t *data, size_t size)
{
	FILE *file = fopen(path, "we");

	must(file && fwrite(data, 1, size, file) == size && fclose(file) == 0);
}

static struct cache_reader *open_cache(void)
{
	struct err_ctx why;

	return cache_open(path, IDENTITY, strlen(IDENTITY), &why);
}

/* Every name is looked for, itself and from below. */
static void use_index(const struct index *index)
{
	struct index_hit hit[INDEX_HITS_MAX];
	uint32_t entry = 0, found;
	size_t wire_len, count;

	for (int i = 0; i < LOOKS && index_next(index, &entry); i++) {
		struct dns_name name;
		const uint8_t *wire = index_entry_name(index, entry, &wire_len);
		must(dns_name_from_wire(&name, wire, wire_len));
		must(index_marks(index, entry, &count) != NULL || count == 0);
		if (index_find(index, &name, &found))
			must(index_entry_name(index, found, &wire_len) != NULL);
		size_t hits = index_match_name(index, &name, hit);
		for (size_t k = 0; k < hits; k++)
			(void)index_marks(index, hit[k].entry, &count);
	}
}

static void use_facts(const struct facts *facts, const uint8_t *data, size_t size)
{
	struct entry_facts found;
	uint64_t key;

	for (size_t at = 0; at + sizeof(key) <= size && at < LOOKS; at++) {
		memcpy(&key, data + at, sizeof(key));
		if (facts_find(facts, key, &found))
			must((!found.category || strlen(found.category) < size) &&
				(!found.reference || strlen(found.reference) < size));
	}
}

static void restore_index(void)
{
	struct cache_reader *r = open_cache();

	must(r != NULL);
	struct index *index = index_restore(r);
	if (cache_close(r) && index && index_is_sound(index))
		use_index(index);
	index_free(index);
}

static void restore_facts(const uint8_t *data, size_t size)
{
	struct cache_reader *r = open_cache();

	must(r != NULL);
	struct facts *facts = facts_restore(r);
	(void)!cache_close(r);
	if (facts)
		use_facts(facts, data, size);
	facts_free(facts);
}

static void use_addresses(struct address_builder *builder)
{
	struct address_hit hit[ADDRESS_HITS_MAX];
	struct address_set *set = address_set_build(builder);

	must(set != NULL);
	for (uint32_t i = 0; i < address_set_count(set); i++)
		(void)address_set_match(set, &address_set_net(set, i)->base, hit);
	address_set_free(set);
}

static void restore_all(size_t feed_count, const uint8_t *data, size_t size)
{
	struct load_feed feeds[FEEDS_MAX] = { 0 };
	struct knowledge_feed known_feeds[FEEDS_MAX] = { 0 };
	struct load_report report = { .feed = feeds, .feed_count = feed_count };
	struct knowledge known = { .feed = known_feeds,
		.feed_count = feed_count,
		.providers = provider_registry_new() };
	struct policy_set *policies = policy_set_new();
	struct address_builder *addresses = address_builder_new(1);
	struct load_cache cache = { .path = path, .policies = policies };

	text_puts(&cache.identity, IDENTITY);
	must(known.providers && policies && addresses && policy_set_add(policies, "acme"));
	if (load_cache_restore(&cache, &known, addresses, &report, feed_count)) {
		use_index(known.index);
		for (size_t i = 0; i < feed_count; i++) {
			must(strlen(feed_format_name(feeds[i].report.format)) > 0);
			if (known_feeds[i].facts)
				use_facts(known_feeds[i].facts, data, size);
			facts_free(known_feeds[i].facts);
		}
	}
	use_addresses(addresses);
	index_free(known.index);
	provider_registry_free(known.providers);
	policy_set_free(policies);
	text_deinit(&cache.identity);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 2)
		return 0;
	unsigned what = data[0] % 4;
	size_t feed_count = data[1] % FEEDS_MAX;
	data += 2;
	size -= 2;
	make_path();
	if (what == 3)
		write_file(data, size);
	else
		write_cache(data, size);
	if (what == 0)
		restore_index();
	else if (what == 1)
		restore_facts(data, size);
	else
		restore_all(feed_count, data, size);
	return 0;
}
