/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bench_index -- what listed names cost at growing sizes: a start that reads them from a file (on one
 * processor by its CPU time, on all by the clock), memory, a start from the cache, and a look for a
 * name that is not there, for one that is, and for one five labels below one that is.
 *
 *	bench_index [NAMES...]     default 1000 100000 1000000 10000000
 */
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "feeds/suffix_filter.h"
#include "sensor/app/load.h"
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

static void fail(const char *what)
{
	fprintf(stderr, "bench_index: %s\n", what);
	exit(1);
}

static void write_feed(const char *path, size_t names)
{
	FILE *file = fopen(path, "we");
	char text[TEXT_MAX];

	if (!file)
		fail(path);
	for (size_t i = 0; i < names; i++) {
		size_t len = write_name(text, i, 'd');
		text[len++] = '\n';
		if (fwrite(text, 1, len, file) != len)
			fail(path);
	}
	if (fclose(file) != 0)
		fail(path);
}

/* Mean nanoseconds of index_match with the hashes made before, as on the packet path. */
static double measure(
	const struct index *index, size_t names, char first, const char *front, size_t want)
{
	struct probe {
		struct dns_name name;
		struct index_look look;
	} *probe = calloc(PROBES, sizeof(*probe));
	struct index_hit hit[INDEX_HITS_MAX];
	size_t hits = 0;

	if (!probe)
		exit(1);
	for (size_t i = 0; i < PROBES; i++) {
		char text[TEXT_MAX * 2];
		strcpy(text, front);
		write_name(text + strlen(front), hash_word(7, i) % names, first);
		if (!dns_name_parse(&probe[i].name, text))
			exit(1);
		index_prepare(index, &probe[i].name, &probe[i].look);
	}
	int64_t start = clock_monotonic_ns();
	for (size_t round = 0; round < ROUNDS; round++)
		for (size_t i = 0; i < PROBES; i++)
			hits += index_match(index, &probe[i].name, &probe[i].look, hit) > 0;
	double ns = (double)(clock_monotonic_ns() - start) / (ROUNDS * PROBES);
	free(probe);
	if (hits != want * ROUNDS * PROBES) {
		fprintf(stderr, "%zu hits instead of %zu\n", hits, want * ROUNDS * PROBES);
		exit(1);
	}
	return ns;
}

/* One start of a sensor with this feed: what it cost, and what a look costs afterwards. */
struct start {
	double wall_s, cpu_s;
	double bytes, peak_bytes;
	double miss_ns, hit_ns, deep_ns;
	int from_cache;
};

static double cpu_seconds(const struct rusage *u)
{
	return (double)(u->ru_utime.tv_sec + u->ru_stime.tv_sec) +
	       (double)(u->ru_utime.tv_usec + u->ru_stime.tv_usec) / 1e6;
}

static struct start measure_start(const char *folder, size_t names, enum load_cache_use use)
{
	static const char text[] = "cache: kept\nbuiltin_lists: false\n"
				   "feeds: [{name: bench, path: feed, kind: malicious}]\n";
	const struct load_options options = { .seed = hash_random_seed(), .cache = use };
	struct config *config = NULL;
	struct knowledge *known = NULL;
	struct load_report report;
	struct rusage before, after;
	struct err_ctx why;
	char path[64];

	snprintf(path, sizeof(path), "%s/c.yaml", folder);
	(void)suffix_filter_get(); /* a few milliseconds, whatever the feeds */
	getrusage(RUSAGE_SELF, &before);
	if (config_parse(&config, text, strlen(text), path, &why) != ERR_OK ||
		load_knowledge(&known, config, &options, &report, &why) != ERR_OK)
		fail(why.text);
	getrusage(RUSAGE_SELF, &after);
	struct start s = { .wall_s = (double)report.elapsed_ns / 1e9,
		.cpu_s = cpu_seconds(&after) - cpu_seconds(&before),
		.bytes = (double)index_memory_bytes(known->index),
		.peak_bytes = (double)after.ru_maxrss * 1024,
		.from_cache = report.from_cache };
	if (index_name_count(known->index) != names)
		fail("not all names were loaded");
	s.miss_ns = measure(known->index, names, 'm', "", 0);
	s.hit_ns = measure(known->index, names, 'd', "", 1);
	s.deep_ns = measure(known->index, names, 'd', "a.b.c.d.e.", 1);
	load_free(known);
	load_report_deinit(&report);
	config_free(config);
	return s;
}

/* In a process of its own, so that the peak of memory is its own; on `processors` of them. */
static struct start start_apart(
	const char *folder, size_t names, enum load_cache_use use, int processors)
{
	struct start s;
	int fds[2];

	fflush(stdout);
	if (pipe(fds) != 0)
		fail("pipe");
	pid_t child = fork();
	if (child == 0) {
		cpu_set_t set;
		CPU_ZERO(&set);
		for (int i = 0; i < processors; i++)
			CPU_SET(i, &set);
		if (processors && sched_setaffinity(0, sizeof(set), &set) != 0)
			fail("sched_setaffinity");
		s = measure_start(folder, names, use);
		_exit(write(fds[1], &s, sizeof(s)) == sizeof(s) ? 0 : 1);
	}
	close(fds[1]);
	if (child == -1 || read(fds[0], &s, sizeof(s)) != sizeof(s))
		fail("a start failed");
	close(fds[0]);
	waitpid(child, NULL, 0);
	return s;
}

static void bench(size_t names)
{
	char folder[] = "/tmp/dynwatch-bench-XXXXXX";
	char feed[64], kept[64];
	double n = (double)names;

	if (!mkdtemp(folder))
		fail("mkdtemp");
	snprintf(feed, sizeof(feed), "%s/feed", folder);
	snprintf(kept, sizeof(kept), "%s/kept", folder);
	write_feed(feed, names);
	struct start one = start_apart(folder, names, LOAD_CACHE_NO, 1);
	struct start all = start_apart(folder, names, LOAD_CACHE_NO, 0);
	(void)start_apart(folder, names, LOAD_CACHE_KEEP, 0);
	struct start again = start_apart(folder, names, LOAD_CACHE_KEEP, 0);
	unlink(feed);
	unlink(kept);
	rmdir(folder);
	if (!again.from_cache)
		fail("the cache was not used");
	printf("%9zu  %6.2f %7.0f  %6.2f %7.0f  %6.1f %6.1f %6.1f  %6.1f %6.1f %6.1f  %7.0f\n",
		names, n / one.cpu_s / 1e6, one.wall_s * 1e3, n / all.wall_s / 1e6,
		all.wall_s * 1e3, all.bytes / n, one.peak_bytes / n, all.peak_bytes / n,
		all.miss_ns, all.hit_ns, all.deep_ns, again.wall_s * 1e3);
}

int main(int argc, char **argv)
{
	static const size_t sizes[] = { 1000, 100000, 1000000, 10000000 };

	puts("           one processor   all of them   bytes a name         ns a look-up     "
	     "from\n"
	     "    names   M/s      ms    M/s      ms   index  peak  (all)   miss   hit  deep  "
	     "cache/ms");
	for (int i = 1; i < argc; i++)
		bench(strtoull(argv[i], NULL, 10));
	for (size_t i = 0; argc < 2 && i < ARRAY_LEN(sizes); i++)
		bench(sizes[i]);
	return 0;
}
