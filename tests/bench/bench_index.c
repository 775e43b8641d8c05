/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bench_index -- what listed names cost: loading, memory, and a look for names that are there and
 * that are not, at growing sizes.
 *
 *	bench_index [NAMES...]     default 1000 100000 1000000 5000000
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "feeds/feed.h"
#include "sensor/base/clock.h"
#include "sensor/base/hash.h"

#define PROBES      (1u << 16)
#define ROUNDS      16
#define TEXT_MAX    96
#define FAMILY_SIZE 3 /* listed hosts below one domain */

/* A name as malicious feeds hold them: a generated domain, mostly with a host in front. */
static size_t write_name(char text[TEXT_MAX], uint64_t number, char first)
{
	static const char *const tops[] = { "com", "net", "org", "xyz", "top", "info" };
	uint64_t random = hash_word(1, number / FAMILY_SIZE);
	char host[24] = "";

	if (number % FAMILY_SIZE == 1)
		strcpy(host, "www.");
	else if (number % FAMILY_SIZE == 2)
		snprintf(host, sizeof(host), "cdn-%x.", (unsigned)(random >> 40));
	return (size_t)snprintf(text, TEXT_MAX, "%s%c%08x-%04x.%s", host, first,
		(unsigned)random, (unsigned)(random >> 32) & 0xffff, tops[random % 6]);
}

static char *write_feed(size_t names, size_t *len)
{
	char *feed = malloc(names * 40 + TEXT_MAX);

	*len = 0;
	if (!feed)
		exit(1);
	for (size_t i = 0; i < names; i++) {
		*len += write_name(feed + *len, i, 'd');
		feed[(*len)++] = '\n';
	}
	return feed;
}

/* Mean nanoseconds of index_match with the hashes made before, as on the packet path. */
static double measure(const struct index *index, size_t names, char first, size_t want)
{
	struct probe {
		struct dns_name name;
		uint64_t hash[8];
	} *probe = calloc(PROBES, sizeof(*probe));
	struct index_hit hit[INDEX_HITS_MAX];
	size_t hits = 0;

	if (!probe)
		exit(1);
	for (size_t i = 0; i < PROBES; i++) {
		uint64_t hash[DNS_LABELS_MAX + 1];
		char text[TEXT_MAX];
		write_name(text, hash_word(7, i) % names, first);
		if (!dns_name_parse(&probe[i].name, text))
			exit(1);
		unsigned count =
			dns_name_hash_suffixes(&probe[i].name, index_seed(index), hash, 7);
		memcpy(probe[i].hash, hash, (count + 1) * sizeof(*hash));
	}
	int64_t start = clock_monotonic_ns();
	for (size_t round = 0; round < ROUNDS; round++)
		for (size_t i = 0; i < PROBES; i++)
			hits += index_match(index, &probe[i].name, probe[i].hash, hit) > 0;
	double ns = (double)(clock_monotonic_ns() - start) / (ROUNDS * PROBES);
	free(probe);
	if (hits != want * ROUNDS * PROBES) {
		fprintf(stderr, "%zu hits instead of %zu\n", hits, want * ROUNDS * PROBES);
		exit(1);
	}
	return ns;
}

static void bench(size_t names)
{
	struct feed_target target = { .builder = index_builder_new(hash_random_seed()),
		.providers = provider_registry_new() };
	struct feed_spec spec = { .name = "bench", .kind = MARK_MALICIOUS };
	struct feed_report report;
	struct err_ctx why;
	struct rusage usage;

	char *feed = write_feed(names, &spec.content_len);
	spec.content = feed;
	int64_t start = clock_monotonic_ns();
	if (feed_load(&target, &spec, 1, &report, &why) != ERR_OK) {
		fprintf(stderr, "%s\n", why.text);
		exit(1);
	}
	int64_t loaded = clock_monotonic_ns();
	size_t building_bytes = index_builder_memory_bytes(target.builder);
	struct index *index = index_build(target.builder);
	int64_t built = clock_monotonic_ns();
	free(feed);
	double count = (double)index_name_count(index);
	getrusage(RUSAGE_SELF, &usage);
	printf("%9zu  %7.0f %7.0f  %8.1f  %8.1f %8.1f  %7.1f %7.1f  %7ld\n",
		index_name_count(index), (double)(loaded - start) / count,
		(double)(built - loaded) / count, (double)(built - start) / 1e6,
		(double)building_bytes / count, (double)index_memory_bytes(index) / count,
		measure(index, names, 'm', 0), measure(index, names, 'd', 1),
		usage.ru_maxrss / 1024);
	index_free(index);
	provider_registry_free(target.providers);
}

int main(int argc, char **argv)
{
	static const size_t sizes[] = { 1000, 100000, 1000000, 5000000 };

	puts("    names  load/ns build/ns total/ms  bytes: building  built  miss/ns hit/ns  "
	     "peak/MB");
	for (int i = 1; i < argc; i++)
		bench(strtoull(argv[i], NULL, 10));
	for (size_t i = 0; argc < 2 && i < ARRAY_LEN(sizes); i++)
		bench(sizes[i]);
	return 0;
}
