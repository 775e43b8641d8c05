/* SPDX-License-Identifier: BSD-2-Clause */
#include "sensor/app/load.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sensor/base/clock.h"

#define DAY_S 86400

static char folder[] = "/tmp/dynwatch-cache-XXXXXX";

static const char config_text[] =
	"cache: kept\n"
	"feeds:\n"
	"  - {name: bad, path: bad.txt, kind: malicious}\n"
	"  - {name: own, path: own.txt, kind: provider}\n"
	"tenants:\n"
	"  - {id: acme, ddns: {approved: [{name: cam.own.example}, {provider: own}]}}\n";

static char *path_of(const char *name)
{
	static char path[128];

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	return path;
}

static void write_file(const char *name, const char *content)
{
	FILE *file = fopen(path_of(name), "we");

	cr_assert_not_null(file);
	fputs(content, file);
	fclose(file);
}

static void make_folder(void)
{
	cr_assert_not_null(mkdtemp(folder));
	write_file("bad.txt",
		"evil.example\nnot a name..\n*.wild.example\n198.51.100.7\n203.0.113.0/24\n");
	write_file("own.txt", "own.example\n");
}

static void remove_folder(void)
{
	static const char *const files[] = { "bad.txt", "own.txt", "kept", "bad.csv" };

	for (size_t i = 0; i < ARRAY_LEN(files); i++)
		unlink(path_of(files[i]));
	cr_expect_eq(rmdir(folder), 0, "nothing else was left");
}

TestSuite(load_cache, .init = make_folder, .fini = remove_folder);

struct loaded {
	struct config *config;
	struct knowledge *known;
	struct load_report report;
	struct err_ctx why;
};

static struct loaded load_on(
	const char *text, enum load_cache_use use, uint64_t seed, int64_t now_s)
{
	struct loaded l = { 0 };
	const struct load_options options = { .seed = seed, .cache = use, .now_s = now_s };

	cr_assert_eq(config_parse(&l.config, text, strlen(text), path_of("c.yaml"), &l.why),
		ERR_OK, "%s", l.why.text);
	cr_assert_eq(load_knowledge(&l.known, l.config, &options, &l.report, &l.why), ERR_OK,
		"%s", l.why.text);
	return l;
}

static struct loaded load(const char *text, enum load_cache_use use, uint64_t seed)
{
	return load_on(text, use, seed, 100 * DAY_S);
}

static void unload(struct loaded *l)
{
	load_report_deinit(&l->report);
	load_free(l->known);
	config_free(l->config);
}

/* Load; says whether it came out of the cache. */
static bool is_from_cache(const char *text)
{
	struct loaded l = load(text, LOAD_CACHE_READ, 1);
	bool is = l.report.from_cache;

	unload(&l);
	return is;
}

static void keep(const char *text)
{
	struct loaded l = load(text, LOAD_CACHE_KEEP, 1);

	unload(&l);
}

static size_t mark_count(const struct knowledge *known, const char *text, struct mark *first)
{
	struct dns_name name;
	uint32_t entry;
	size_t count;

	cr_assert(dns_name_parse(&name, text));
	if (!index_find(known->index, &name, &entry))
		return 0;
	*first = *index_marks(known->index, entry, &count);
	return count;
}

static size_t address_hits(const struct knowledge *known, const char *text)
{
	struct address_hit hit[ADDRESS_HITS_MAX];
	struct ip ip;

	cr_assert(ip_parse(&ip, text));
	return known->addresses ? address_set_match(known->addresses, &ip, hit) : 0;
}

Test(load_cache, gives_what_loading_gave)
{
	static const char *const names[] = { "evil.example", "wild.example", "own.example",
		"cam.own.example", "duckdns.org", "none.example" };
	struct loaded first = load(config_text, LOAD_CACHE_KEEP, 1);
	struct loaded again = load(config_text, LOAD_CACHE_KEEP, 2);

	cr_expect_not(first.report.from_cache);
	cr_expect(again.report.from_cache);
	cr_expect_eq(index_seed(again.known->index), 1, "the seed comes with the index");
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		struct mark a = { 0 }, b = { 0 };
		cr_expect_eq(mark_count(first.known, names[i], &a),
			mark_count(again.known, names[i], &b), "%s", names[i]);
		cr_expect_eq(memcmp(&a, &b, sizeof(a)), 0, "%s", names[i]);
	}
	cr_assert_eq(first.report.feed_count, again.report.feed_count);
	cr_assert_eq(first.known->feed_count, again.known->feed_count);
	for (size_t i = 0; i < first.report.feed_count; i++) {
		cr_expect_eq(memcmp(&first.report.feed[i].report, &again.report.feed[i].report,
				     sizeof(struct feed_report)),
			0, "feed %zu", i);
		cr_expect_eq(first.report.feed[i].at.line, again.report.feed[i].at.line);
		cr_expect_str_eq(first.known->feed[i].name, again.known->feed[i].name);
	}
	cr_expect_eq(address_hits(first.known, "198.51.100.7"), 1);
	cr_expect_eq(address_hits(again.known, "198.51.100.7"), 1);
	cr_expect_eq(address_hits(again.known, "203.0.113.9"), 1);
	cr_expect_eq(address_hits(again.known, "198.51.100.8"), 0);
	cr_expect_eq(first.report.address_count, again.report.address_count);
	cr_expect_eq(first.report.name_count, again.report.name_count);
	cr_expect_eq(
		provider_count(first.known->providers), provider_count(again.known->providers));
	cr_expect_eq(provider_find(first.known->providers, "own"),
		provider_find(again.known->providers, "own"));
	for (size_t t = 0; t < first.known->policies->tenant_count; t++) {
		const struct policy *a = &first.known->policies->tenant[t];
		const struct policy *b = &again.known->policies->tenant[t];
		cr_assert_eq(a->approved_count, b->approved_count);
		for (size_t i = 0; i < a->approved_count; i++)
			cr_expect_eq(a->approved[i].provider, b->approved[i].provider);
	}
	unload(&first);
	unload(&again);
}

Test(load_cache, is_written_only_where_it_is_to_be_kept)
{
	cr_expect_not(is_from_cache(config_text));
	cr_expect_not(is_from_cache(config_text), "reading does not write");
	struct loaded l = load(config_text, LOAD_CACHE_NO, 1);
	unload(&l);
	cr_expect_not(is_from_cache(config_text));
	keep(config_text);
	cr_expect(is_from_cache(config_text));
	l = load(config_text, LOAD_CACHE_NO, 5);
	cr_expect_not(l.report.from_cache);
	cr_expect_eq(index_seed(l.known->index), 5);
	unload(&l);
}

Test(load_cache, any_change_of_what_it_was_made_from_ends_it)
{
	static const struct {
		const char *what, *config;
	} rows[] = {
		{ "a feed of another kind",
			"cache: kept\nfeeds: [{name: bad, path: bad.txt, kind: allow}]\n" },
		{ "another name of a feed", "cache: kept\nfeeds: [{name: worse, path: bad.txt, "
					    "kind: malicious}]\n" },
		{ "another reach", "cache: kept\nfeeds: [{name: bad, path: bad.txt, kind: "
				   "malicious, match: exact}]\n" },
		{ "no shipped lists", "cache: kept\nbuiltin_lists: false\nfeeds: [{name: bad, "
				      "path: bad.txt, kind: malicious}]\n" },
		{ "one more feed", "cache: kept\nfeeds: [{name: bad, path: bad.txt, kind: "
				   "malicious}, {name: own, path: own.txt, kind: pool}]\n" },
		{ "a tenant's name",
			"cache: kept\nfeeds: [{name: bad, path: bad.txt, kind: "
			"malicious}]\ntenants: [{id: a, suffixes: [x.example]}]\n" },
	};
	static const char same[] =
		"cache: kept\nfeeds: [{name: bad, path: bad.txt, kind: malicious}]\n"
		"rules: {nxdomain.spike: {min_domains: 40}}\n";

	keep("cache: kept\nfeeds: [{name: bad, path: bad.txt, kind: malicious}]\n");
	cr_expect(is_from_cache(same), "rules say nothing of names");
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		cr_expect_not(is_from_cache(rows[i].config), "%s", rows[i].what);
}

Test(load_cache, a_changed_feed_is_read_again)
{
	struct timespec old[2] = { { .tv_sec = 1000 }, { .tv_sec = 1000 } };
	struct mark mark;

	keep(config_text);
	write_file("bad.txt", "evil.exampl2\nnot a name..\n*.wild.example\n");
	cr_assert_eq(utimensat(AT_FDCWD, path_of("bad.txt"), old, 0), 0);
	struct loaded l = load(config_text, LOAD_CACHE_READ, 1);
	cr_expect_not(l.report.from_cache);
	cr_expect_eq(mark_count(l.known, "evil.exampl2", &mark), 1);
	cr_expect_eq(mark_count(l.known, "evil.example", &mark), 0);
	unload(&l);
}

Test(load_cache, damage_costs_time_and_nothing_else)
{
	struct mark mark;
	struct stat st;

	keep(config_text);
	cr_assert_eq(stat(path_of("kept"), &st), 0);
	int fd = open(path_of("kept"), O_WRONLY | O_CLOEXEC);
	cr_assert_eq(pwrite(fd, "\xff\xff\xff\xff", 4, st.st_size - 200), 4);
	close(fd);
	struct loaded l = load(config_text, LOAD_CACHE_KEEP, 1);
	cr_expect_not(l.report.from_cache);
	cr_expect_eq(mark_count(l.known, "evil.example", &mark), 1);
	unload(&l);
	cr_expect(is_from_cache(config_text), "it was written anew");
}

Test(load_cache, what_feeds_say_of_their_entries_comes_back)
{
	static const char text[] =
		"cache: kept\nbuiltin_lists: false\n"
		"feeds: [{name: own, path: own.txt, kind: provider}, "
		"{name: bad, path: bad.csv, kind: malicious, format: csv}]\n";
	struct entry_facts facts;
	struct dns_name name;

	write_file("bad.csv", "domain,confidence\nevil.example,90\n");
	keep(text);
	struct loaded l = load(text, LOAD_CACHE_READ, 1);
	cr_assert(l.report.from_cache);
	cr_assert(dns_name_parse(&name, "evil.example"));
	cr_expect_null(l.known->feed[0].facts);
	cr_assert(l.known->feed[1].facts);
	uint64_t key = dns_name_hash(&name, index_seed(l.known->index));
	cr_assert(facts_find(l.known->feed[1].facts, key, &facts));
	cr_expect_eq(facts.confidence, 90);
	cr_expect_not(facts_find(l.known->feed[1].facts, key + 1, &facts));
	unload(&l);
}

Test(load_cache, entries_that_may_end_are_kept_for_the_day)
{
	static const char text[] = "cache: kept\nfeeds: [{name: bad, path: bad.csv, kind: "
				   "malicious, format: csv}]\n";

	write_file("bad.csv", "domain,confidence\nevil.example,90\n");
	keep(text);
	cr_expect(is_from_cache(text));
	struct loaded l = load_on(text, LOAD_CACHE_READ, 1, 101 * DAY_S);
	cr_expect_not(l.report.from_cache);
	unload(&l);
	keep(config_text);
	l = load_on(config_text, LOAD_CACHE_READ, 1, 101 * DAY_S);
	cr_expect(l.report.from_cache, "plain names do not end");
	unload(&l);
}

/* What is not in the index: addresses, and what feeds say of their entries. */
Test(load_cache, keeps_addresses_and_facts)
{
	static const char text[] = "cache: kept\nfeeds: [{name: fox, path: bad.txt, kind: "
				   "malicious, format: csv}]\n";
	struct ip_net net;

	write_file("bad.txt", "ioc,malware,confidence\nevil.example,Emotet,70\n"
			      "198.51.100.7,Dridex,80\n");
	cr_assert(ip_net_parse(&net, "198.51.100.7"));
	for (unsigned turn = 0; turn < 2; turn++) {
		struct loaded l = load(text, LOAD_CACHE_KEEP, 1 + turn);
		const struct knowledge_feed *fox = &l.known->feed[l.known->feed_count - 1];
		struct address_hit hit[ADDRESS_HITS_MAX];
		struct entry_facts e;
		struct dns_name name;
		cr_assert_eq(l.report.from_cache, turn == 1);
		cr_assert(l.known->addresses && fox->facts);
		cr_assert_eq(address_set_match(l.known->addresses, &net.base, hit), 1);
		cr_assert_eq(l.report.address_count, 1);
		cr_assert(facts_find(fox->facts, facts_network_key(&net), &e));
		cr_expect_str_eq(e.category, "Dridex");
		cr_assert(dns_name_parse(&name, "evil.example"));
		cr_assert(facts_find(
			fox->facts, dns_name_hash(&name, index_seed(l.known->index)), &e));
		cr_expect_str_eq(e.category, "Emotet");
		cr_expect_eq(e.confidence, 70);
		unload(&l);
	}
}
