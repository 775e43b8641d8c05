/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bench_index -- what listed names cost: a start that reads them from a file (on one processor by its
 * CPU time, on all by the clock), memory, a start from the cache, and a look for a name that is not
 * there, for one that is, and for one five labels below one that is.
 *
 *	bench_index names [N...]     at growing sizes; default 1000 100000 1000000 10000000
 *	bench_index formats [N]      what reading each format costs; default 1000000
 *
 * Every start is in a process of its own, and the best of ROUNDS starts counts (default 3). Columns are
 * separated by tabs: millions of names a second on one processor (of its CPU time) and on all of them
 * (by the clock), bytes a name in the index and, with the program, at the peak.
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
#define LOOKS       16 /* at each of them */
#define TEXT_MAX    96
#define FAMILY_SIZE 3 /* listed hosts below one domain */
#define SCATTER     UINT64_C(1000000007)

static void fail(const char *what)
{
	fprintf(stderr, "bench_index: %s\n", what);
	exit(1);
}

/* --- feeds to read ------------------------------------------------------------------------- */

/* How a feed of one format is written: what is before, between and behind its names. */
static const struct layout {
	const char *format; /* as in the configuration */
	const char *start, *before, *behind, *end;
} layouts[] = {
	{ "domains", "", "", "\n", "" },
	{ "hosts", "", "0.0.0.0 ", "\n", "" },
	{ "adblock", "[Adblock Plus]\n", "||", "^\n", "" },
	{ "dnsmasq", "", "address=/", "/0.0.0.0\n", "" },
	{ "unbound", "server:\n", "local-zone: \"", ".\" always_nxdomain\n", "" },
	{ "urls", "", "http://", "/gate.php?id=1\n", "" },
	{ "rpz", "$TTL 2h\n$ORIGIN rpz.example.\n@ SOA ns. host. 1 12h 15m 3w 2h\n @ NS ns.\n",
		"", " CNAME .\n", "" },
	{ "csv", "first_seen_utc,ioc_value,malware_printable,confidence_level\n",
		"2026-11-01 10:00:00,", ",AsyncRAT,90\n", "" },
	{ "maltrail", "# Reference: https://example.com/report\n", "", "\n", "" },
	{ "suricata", "", "{\"domain\":\"", "\"}\n", "" },
	{ "misp", "{\"name\":\"bench\",\"type\":\"hostname\",\"version\":1,\"list\":[\"", "",
		"\",\"", "last.bench.example\"]}" },
};

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

/* Hosts of one domain are neighbours, as in a list that was sorted, or far from each other. */
static void write_feed(
	const char *path, const struct layout *layout, size_t names, bool scattered)
{
	FILE *file = fopen(path, "we");
	char text[TEXT_MAX];

	if (!file)
		fail(path);
	fputs(layout->start, file);
	for (size_t i = 0; i < names; i++) {
		write_name(text, scattered ? i * SCATTER % names : i, 'd');
		fputs(layout->before, file);
		fputs(text, file);
		fputs(layout->behind, file);
	}
	fputs(layout->end, file);
	if (ferror(file) || fclose(file) != 0)
		fail(path);
}

/* --- one start ----------------------------------------------------------------------------- */

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
	for (size_t look = 0; look < LOOKS; look++)
		for (size_t i = 0; i < PROBES; i++)
			hits += index_match(index, &probe[i].name, &probe[i].look, hit) > 0;
	double ns = (double)(clock_monotonic_ns() - start) / (LOOKS * PROBES);
	free(probe);
	if (hits != want * LOOKS * PROBES) {
		fprintf(stderr, "%zu hits instead of %zu\n", hits, want * LOOKS * PROBES);
		exit(1);
	}
	return ns;
}

/* What to start, and how. */
struct plan {
	char folder[32]; /* the feed is in it */
	const char *format;
	size_t names;
	enum load_cache_use use;
	int processors; /* 0: all */
	bool looks;     /* measure them, too */
};

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

static struct start measure_start(const struct plan *plan)
{
	const struct load_options options = { .seed = hash_random_seed(), .cache = plan->use };
	struct config *config = NULL;
	struct knowledge *known = NULL;
	struct load_report report;
	struct rusage before, after;
	struct err_ctx why;
	char path[64], text[256];

	snprintf(path, sizeof(path), "%s/c.yaml", plan->folder);
	snprintf(text, sizeof(text),
		"cache: kept\nbuiltin_lists: false\n"
		"feeds: [{name: bench, path: feed, kind: malicious, format: %s}]\n",
		plan->format);
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
	if (index_name_count(known->index) < plan->names)
		fail("not all names were loaded");
	if (plan->looks) {
		s.miss_ns = measure(known->index, plan->names, 'm', "", 0);
		s.hit_ns = measure(known->index, plan->names, 'd', "", 1);
		s.deep_ns = measure(known->index, plan->names, 'd', "a.b.c.d.e.", 1);
	}
	load_free(known);
	load_report_deinit(&report);
	config_free(config);
	return s;
}

/* In a process of its own, so that the peak of memory is its own. */
static struct start start_apart(const struct plan *plan)
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
		for (int i = 0; i < plan->processors; i++)
			CPU_SET(i, &set);
		if (plan->processors && sched_setaffinity(0, sizeof(set), &set) != 0)
			fail("sched_setaffinity");
		s = measure_start(plan);
		_exit(write(fds[1], &s, sizeof(s)) == sizeof(s) ? 0 : 1);
	}
	close(fds[1]);
	if (child == -1 || read(fds[0], &s, sizeof(s)) != sizeof(s))
		fail("a start failed");
	close(fds[0]);
	waitpid(child, NULL, 0);
	return s;
}

static double least(double a, double b)
{
	return a < b ? a : b;
}

/* Two ways to start, in turns: what disturbs one of them disturbs the other. */
static void start_in_turns(struct start best[2], const struct plan plan[2])
{
	const char *set = getenv("ROUNDS");
	int rounds = set ? atoi(set) : 3;

	for (int round = 0; round < rounds || round == 0; round++) {
		for (int i = 0; i < 2; i++) {
			struct start s = start_apart(&plan[i]);
			if (round == 0)
				best[i] = s;
			best[i].wall_s = least(best[i].wall_s, s.wall_s);
			best[i].cpu_s = least(best[i].cpu_s, s.cpu_s);
			best[i].miss_ns = least(best[i].miss_ns, s.miss_ns);
			best[i].hit_ns = least(best[i].hit_ns, s.hit_ns);
			best[i].deep_ns = least(best[i].deep_ns, s.deep_ns);
		}
	}
}

/* --- tables -------------------------------------------------------------------------------- */

static void begin(
	struct plan plan[2], const struct layout *layout, size_t names, bool scattered)
{
	char feed[64];

	plan[0] = (struct plan){ .folder = "/tmp/dynwatch-bench-XXXXXX",
		.format = layout->format,
		.names = names,
		.use = LOAD_CACHE_NO,
		.processors = 1 };
	if (!mkdtemp(plan[0].folder))
		fail("mkdtemp");
	plan[1] = plan[0];
	plan[1].processors = 0;
	snprintf(feed, sizeof(feed), "%s/feed", plan[0].folder);
	write_feed(feed, layout, names, scattered);
}

static void end(const struct plan *plan)
{
	static const char *const files[] = { "feed", "kept" };
	char path[64];

	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		snprintf(path, sizeof(path), "%s/%s", plan->folder, files[i]);
		unlink(path);
	}
	rmdir(plan->folder);
}

static double rate(const struct plan *plan, double seconds)
{
	return (double)plan->names / seconds / 1e6;
}

static void bench_names(size_t names, bool scattered)
{
	double n = (double)names;
	struct start best[2], again[2];
	struct plan plan[2];

	begin(plan, &layouts[0], names, scattered);
	plan[1].looks = true;
	start_in_turns(best, plan);
	plan[0].use = plan[1].use = LOAD_CACHE_KEEP;
	plan[1].looks = false;
	(void)start_apart(&plan[1]);
	start_in_turns(again, plan);
	end(plan);
	if (!again[0].from_cache || !again[1].from_cache)
		fail("the cache was not used");
	printf("%zu\t%s\t%.2f\t%.0f\t%.2f\t%.0f\t%.1f\t%.1f\t%.1f\t%.0f\t%.0f\t%.0f\t%.0f\n",
		names, scattered ? "scattered" : "sorted", rate(plan, best[0].cpu_s),
		best[0].wall_s * 1e3, rate(plan, best[1].wall_s), best[1].wall_s * 1e3,
		best[1].bytes / n, best[0].peak_bytes / n, best[1].peak_bytes / n,
		best[1].miss_ns, best[1].hit_ns, best[1].deep_ns,
		least(again[0].wall_s, again[1].wall_s) * 1e3);
}

static void bench_format(const struct layout *layout, size_t names)
{
	struct start best[2];
	struct plan plan[2];

	begin(plan, layout, names, false);
	start_in_turns(best, plan);
	end(plan);
	printf("%s\t%.2f\t%.0f\t%.2f\t%.0f\t%.1f\t%.1f\n", layout->format,
		rate(plan, best[0].cpu_s), best[0].wall_s * 1e3, rate(plan, best[1].wall_s),
		best[1].wall_s * 1e3, best[0].peak_bytes / (double)names,
		best[1].peak_bytes / (double)names);
}

static void bench_all_names(char **sizes, size_t count)
{
	static const size_t usual[] = { 1000, 100000, 1000000, 10000000 };

	puts("names\torder\tone: M/s\tms\tall: M/s\tms\tindex B\tpeak, one\tpeak, all\tmiss "
	     "ns\thit "
	     "ns\tdeep ns\tcache ms");
	for (size_t i = 0; i < (count ? count : ARRAY_LEN(usual)); i++) {
		size_t names = count ? strtoull(sizes[i], NULL, 10) : usual[i];
		bench_names(names, false);
		bench_names(names, true);
	}
}

int main(int argc, char **argv)
{
	if (argc >= 2 && strcmp(argv[1], "names") == 0) {
		bench_all_names(argv + 2, (size_t)argc - 2);
		return 0;
	}
	if (argc < 2 || argc > 3 || strcmp(argv[1], "formats") != 0)
		fail("names [N...] | formats [N]");
	puts("format\tone: M/s\tms\tall: M/s\tms\tpeak, one\tpeak, all");
	for (size_t i = 0; i < ARRAY_LEN(layouts); i++)
		bench_format(&layouts[i], argc > 2 ? strtoull(argv[2], NULL, 10) : 1000000);
	return 0;
}
