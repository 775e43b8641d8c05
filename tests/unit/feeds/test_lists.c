/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The shipped lists are data, so their form is tested like code: what README in feeds/lists
 * promises of an entry holds for every line.
 */
#include "feeds/feed.h"
#include "feeds/index.h"
#include "feeds/provider.h"
#include "feeds/registered.h"
#include "feeds/shipped.h"
#include "sensor/base/attribute.h"
#include "sensor/dns/name.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ENTRIES_MAX 4096
#define COLUMNS_MAX 4
#define SEED        1

struct list {
	const char *path;
	unsigned columns;
	bool tier;    /* one of the lists that a customer's name may be in: A, B, C, V */
	bool nesting; /* an entry below another one of the list means something of its own */
	size_t entries_min;
};

static const struct list lists[] = {
	{ "feeds/lists/providers.list", 2, true, true, 550 },
	{ "feeds/lists/freedns.list", 2, true, false, 80 },
	{ "feeds/lists/tunnels.list", 2, true, false, 50 },
	{ "feeds/lists/vendors.list", 2, true, false, 50 },
	{ "feeds/lists/update-hosts.list", 3, false, true, 60 },
	{ "feeds/lists/ip-check.list", 2, false, true, 50 },
	{ "feeds/lists/pools.list", 2, false, false, 200 },
	{ "feeds/lists/lookup-services.list", 2, false, false, 60 },
	{ "feeds/lists/popular.list", 2, false, true, 90 },
};
#define LIST_COUNT ARRAY_LEN(lists)

struct entry {
	const struct list *list;
	unsigned line;
	unsigned columns;
	char name[128];
	char provider[64];
};

static struct entry entries[ENTRIES_MAX];
static size_t entry_count;

static void split(const struct list *list, unsigned line, char *text)
{
	char *column[COLUMNS_MAX], *rest = NULL;
	unsigned n = 0;

	for (char *c = strtok_r(text, " \t\n", &rest); c && n < COLUMNS_MAX;
		c = strtok_r(NULL, " \t\n", &rest))
		column[n++] = c;
	if (!n || column[0][0] == '#')
		return;
	cr_assert_lt(entry_count, ENTRIES_MAX);
	struct entry *e = &entries[entry_count++];
	*e = (struct entry){ .list = list, .line = line, .columns = n };
	snprintf(e->name, sizeof(e->name), "%s", column[0]);
	snprintf(e->provider, sizeof(e->provider), "%s", n > 1 ? column[1] : "");
}

static void read_lists(void)
{
	char text[512];

	for (size_t i = 0; i < LIST_COUNT; i++) {
		FILE *f = fopen(lists[i].path, "r");
		cr_assert_not_null(f, "%s", lists[i].path);
		for (unsigned line = 1; fgets(text, sizeof(text), f); line++)
			split(&lists[i], line, text);
		fclose(f);
	}
}

TestSuite(lists, .init = read_lists);

Test(lists, every_list_has_about_the_entries_that_were_promised)
{
	for (size_t i = 0; i < LIST_COUNT; i++) {
		size_t count = 0;
		for (size_t k = 0; k < entry_count; k++)
			count += entries[k].list == &lists[i];
		cr_expect_geq(count, lists[i].entries_min, "%s has %zu entries", lists[i].path,
			count);
	}
}

Test(lists, every_line_has_its_columns_and_a_provider_id)
{
	struct provider_registry *registry = provider_registry_new();

	for (size_t i = 0; i < entry_count; i++) {
		const struct entry *e = &entries[i];
		cr_expect_eq(e->columns, e->list->columns, "%s:%u: %u columns", e->list->path,
			e->line, e->columns);
		cr_expect_neq(provider_register(registry, e->provider, TIER_A), PROVIDER_NONE,
			"%s:%u: provider '%s'", e->list->path, e->line, e->provider);
	}
	provider_registry_free(registry);
}

Test(lists, every_name_is_written_in_the_form_that_is_matched)
{
	for (size_t i = 0; i < entry_count; i++) {
		const struct entry *e = &entries[i];
		struct dns_name name;
		enum mark_scope scope = SCOPE_SUFFIX;
		char text[DNS_NAME_TEXT_MAX];
		enum feed_reject reject =
			feed_normalise(&name, &scope, e->name, strlen(e->name));
		cr_expect_eq(reject, FEED_REJECT_COUNT, "%s:%u: %s is refused", e->list->path,
			e->line, e->name);
		if (reject != FEED_REJECT_COUNT)
			continue;
		dns_name_format(&name, text);
		cr_expect_str_eq(text, e->name, "%s:%u: %s", e->list->path, e->line, e->name);
		cr_expect_eq(scope, SCOPE_SUFFIX, "%s:%u: %s", e->list->path, e->line, e->name);
	}
}

Test(lists, no_entry_is_a_single_label_or_an_icann_public_suffix)
{
	for (size_t i = 0; i < entry_count; i++) {
		const struct entry *e = &entries[i];
		struct dns_name name;
		cr_assert(dns_name_parse(&name, e->name), "%s", e->name);
		cr_expect_gt(name.label_count, 1, "%s:%u: %s", e->list->path, e->line, e->name);
		cr_expect(!registered_is_icann_suffix(&name), "%s:%u: %s is a public suffix",
			e->list->path, e->line, e->name);
	}
}

static int by_name(const void *a, const void *b)
{
	const struct entry *ea = *(const struct entry *const *)a;
	const struct entry *eb = *(const struct entry *const *)b;

	return strcmp(ea->name, eb->name);
}

Test(lists, no_name_is_twice_in_a_list_nor_in_two_tiers)
{
	static const struct entry *sorted[ENTRIES_MAX];

	for (size_t i = 0; i < entry_count; i++)
		sorted[i] = &entries[i];
	qsort(sorted, entry_count, sizeof(sorted[0]), by_name);
	for (size_t i = 0; i < entry_count; i++) {
		const struct entry *a = sorted[i];
		for (size_t k = i + 1; k < entry_count && !strcmp(a->name, sorted[k]->name);
			k++) {
			const struct entry *b = sorted[k];
			cr_expect(a->list != b->list && !(a->list->tier && b->list->tier),
				"%s:%u and %s:%u: %s", a->list->path, a->line, b->list->path,
				b->line, a->name);
		}
	}
}

static bool is_below(const char *name, const char *ancestor)
{
	size_t len = strlen(name), above = strlen(ancestor);

	return len > above && name[len - above - 1] == '.' &&
	       !strcmp(name + len - above, ancestor);
}

Test(lists, no_suffix_repeats_what_a_shorter_one_of_its_list_says)
{
	for (size_t i = 0; i < entry_count; i++) {
		for (size_t k = 0; k < entry_count; k++) {
			const struct entry *e = &entries[i], *up = &entries[k];
			if (e->list != up->list || e->list->nesting)
				continue;
			cr_expect(!is_below(e->name, up->name),
				"%s:%u: %s is below %s (line %u)", e->list->path, e->line,
				e->name, up->name, up->line);
		}
	}
}

/* A pool silences churn: a name that anybody can have pointed anywhere may not be in one. */
Test(lists, no_customers_suffix_is_inside_a_pool)
{
	for (size_t i = 0; i < entry_count; i++) {
		for (size_t k = 0; k < entry_count; k++) {
			const struct entry *e = &entries[i], *pool = &entries[k];
			if (!e->list->tier ||
				strcmp(pool->list->path, "feeds/lists/pools.list"))
				continue;
			cr_expect(strcmp(e->name, pool->name) && !is_below(e->name, pool->name),
				"%s:%u: %s is in pool %s", e->list->path, e->line, e->name,
				pool->name);
		}
	}
}

/* What the compiled-in lists, loaded as any feed is, know of a name: the deepest mark's
 * provider. */
static struct provider_registry *providers;

static struct index *load_shipped(void)
{
	struct feed_target target = { .builder = index_builder_new(SEED),
		.providers = provider_registry_new() };

	for (size_t i = 0; i < shipped_feed_count; i++) {
		struct feed_report report;
		struct err_ctx why;
		enum err err =
			feed_load(&target, &shipped_feeds[i], (uint16_t)i, &report, &why);
		cr_assert_eq(err, ERR_OK, "%s", shipped_feeds[i].name);
		cr_expect_eq(feed_report_rejected(&report), 0, "%s: %lu lines refused",
			shipped_feeds[i].name, (unsigned long)feed_report_rejected(&report));
		cr_expect_eq(report.duplicates, 0, "%s", shipped_feeds[i].name);
	}
	providers = target.providers;
	return index_build(target.builder);
}

static const char *known_as(const struct index *index, const char *text, enum mark_kind kind)
{
	struct index_hit hit[INDEX_HITS_MAX];
	struct dns_name name;
	const char *id = "";

	cr_assert(dns_name_parse(&name, text), "%s", text);
	size_t hits = index_match_name(index, &name, hit);
	for (size_t i = 0; i < hits; i++) {
		size_t count;
		const struct mark *mark = index_marks(index, hit[i].entry, &count);
		for (size_t k = 0; k < count; k++)
			if (mark[k].kind == kind &&
				mark_applies(&mark[k], hit[i].labels, name.label_count))
				id = kind == MARK_POOL || kind == MARK_LOOKUP_SERVICE
					     ? "yes"
					     : provider_at(providers, mark[k].detail)->id;
	}
	return id;
}

static const struct {
	const char *name;
	enum mark_kind kind;
	const char *provider;
} known[] = {
	{ "cam7.duckdns.org", MARK_PROVIDER, "duckdns" },
	{ "a.b.ddns.net", MARK_PROVIDER, "no-ip" },
	{ "x.zapto.org", MARK_PROVIDER, "no-ip" },
	{ "x.homeip.net", MARK_PROVIDER, "dyn" },
	{ "x.is-a-geek.com", MARK_PROVIDER, "dyn" },
	{ "x.home.dyndns.org", MARK_PROVIDER, "dyn" },
	{ "x.dns.army", MARK_PROVIDER, "dynv6" },
	{ "x.dedyn.io", MARK_PROVIDER, "desec" },
	{ "x.kozow.com", MARK_PROVIDER, "dynu" },
	{ "x.linkpc.net", MARK_PROVIDER, "dnsexit" },
	{ "x.f3322.net", MARK_PROVIDER, "3322" },
	{ "x.vicp.net", MARK_PROVIDER, "oray" },
	{ "x.kro.kr", MARK_PROVIDER, "naedomain" },
	{ "x.ddns.info", MARK_PROVIDER, "changeip" },
	{ "x.mooo.com", MARK_PROVIDER, "freedns" },
	{ "abc.myfritz.net", MARK_PROVIDER, "avm" },
	{ "abc.direct.quickconnect.to", MARK_PROVIDER, "synology" },
	{ "hex.sn.mynetname.net", MARK_PROVIDER, "mikrotik" },
	{ "x.example.org", MARK_PROVIDER, "" },
	{ "notduckdns.org", MARK_PROVIDER, "" },
	{ "0.tcp.eu.ngrok.io", MARK_TUNNEL, "ngrok" },
	{ "some-words.trycloudflare.com", MARK_TUNNEL, "cloudflare-tunnel" },
	{ "x.gl.at.ply.gg", MARK_TUNNEL, "playit" },
	{ "dynupdate.no-ip.com", MARK_UPDATE_HOST, "no-ip" },
	{ "www.duckdns.org", MARK_UPDATE_HOST, "duckdns" },
	{ "cam7.duckdns.org", MARK_UPDATE_HOST, "" },
	{ "api.cloudflare.com", MARK_UPDATE_HOST, "" },
	{ "checkip.dyndns.org", MARK_IP_CHECK, "dyn" },
	{ "ipinfo.io", MARK_IP_CHECK, "generic" },
	{ "www.ipinfo.io", MARK_IP_CHECK, "" },
	{ "e1234.a.akamaiedge.net", MARK_POOL, "yes" },
	{ "2.debian.pool.ntp.org", MARK_POOL, "yes" },
	{ "seed.bitcoin.sipa.be", MARK_POOL, "yes" },
	{ "example.net", MARK_POOL, "" },
	{ "2.0.0.127.zen.spamhaus.org", MARK_LOOKUP_SERVICE, "yes" },
	{ "abc.avqs.mcafee.com", MARK_LOOKUP_SERVICE, "yes" },
	{ "www.mcafee.com", MARK_LOOKUP_SERVICE, "" },
};

Test(lists, well_known_names_are_known_for_what_they_are)
{
	struct index *index = load_shipped();

	cr_assert_not_null(index);
	for (size_t i = 0; i < ARRAY_LEN(known); i++)
		cr_expect_str_eq(known_as(index, known[i].name, known[i].kind),
			known[i].provider, "%s as %s", known[i].name,
			mark_kind_name(known[i].kind));
	index_free(index);
	provider_registry_free(providers);
}
