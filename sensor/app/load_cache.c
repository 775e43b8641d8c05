/* SPDX-License-Identifier: BSD-2-Clause */
#include "sensor/app/load_cache.h"

#include <libpsl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "feeds/cache.h"
#include "feeds/shipped.h"
#include "sensor/base/hash.h"
#include "sensor/base/log.h"

/* Another number whenever the same sources would give something else, or lie otherwise. */
#define FORMAT         6
#define SECONDS_A_DAY  86400
#define PROVIDER_BYTES 64

/* --- identity ------------------------------------------------------------------------------ */

static void add_text(struct text *out, const char *what, const char *text)
{
	text_printf(out, "%s=%zu:%s\n", what, text ? strlen(text) : 0, text ? text : "");
}

static void add_program(struct text *out)
{
	uint64_t lists = 0;

	for (size_t i = 0; i < shipped_feed_count; i++)
		lists = hash_bytes(
			lists, shipped_feeds[i].content, strlen(shipped_feeds[i].content));
	text_printf(out, "dynwatch " DYNWATCH_VERSION " format %d report %zu lists %016llx\n",
		FORMAT, sizeof(struct feed_report), (unsigned long long)lists);
	text_printf(out, "psl %s %d\n", psl_get_version(), psl_suffix_count(psl_builtin()));
}

/* What tenants say of names, as marks. */
static void add_policies(struct text *out, const struct config *config)
{
	struct index_builder *builder = index_builder_new(0);
	struct err_ctx unsaid;
	uint64_t sum[2] = { 1, 2 };
	uint32_t entry = 0;

	/* What cannot be taken fails the loading itself, with its reason. */
	if (!builder || policy_set_index(config->policies, builder, &unsaid) != ERR_OK) {
		index_builder_free(builder);
		out->failed = true;
		return;
	}
	struct index *index = index_build(builder);
	out->failed = out->failed || !index;
	while (index && index_next(index, &entry)) {
		size_t wire_len, count;
		const uint8_t *wire = index_entry_name(index, entry, &wire_len);
		const struct mark *mark = index_marks(index, entry, &count);
		for (size_t i = 0; i < 2; i++) {
			sum[i] = hash_bytes(sum[i], wire, wire_len);
			sum[i] = hash_bytes(sum[i], mark, count * sizeof(*mark));
		}
	}
	index_free(index);
	text_printf(out, "tenants %016llx%016llx\n", (unsigned long long)sum[0],
		(unsigned long long)sum[1]);
}

static void add_feed(struct text *out, const struct feed_spec *s)
{
	struct stat st;

	add_text(out, "feed", s->name);
	add_text(out, "provider", s->provider);
	add_text(out, "path", s->path);
	text_printf(out,
		"kind %d scope %d format %d broad %d column %u confidence %u tier %d\n",
		s->kind, s->scope, s->format, s->allow_broad, s->column, s->min_confidence,
		s->tier);
	if (stat(s->path, &st) != 0) {
		out->failed = true; /* loading will say so */
		return;
	}
	text_printf(out, "file %llu %llu %lld %lld.%09ld %lld.%09ld\n",
		(unsigned long long)st.st_dev, (unsigned long long)st.st_ino,
		(long long)st.st_size, (long long)st.st_mtim.tv_sec, st.st_mtim.tv_nsec,
		(long long)st.st_ctim.tv_sec, st.st_ctim.tv_nsec);
}

void load_cache_init(struct load_cache *cache, const struct config *config,
	const struct load_options *options)
{
	*cache = (struct load_cache){ .path = options->cache != LOAD_CACHE_NO ? config->cache
									      : NULL,
		.day = options->now_s / SECONDS_A_DAY,
		.policies = config->policies };
	if (!cache->path)
		return;
	add_program(&cache->identity);
	text_printf(&cache->identity, "shipped %d\n", config->builtin_lists);
	add_policies(&cache->identity, config);
	for (size_t i = 0; i < config->feed_count; i++)
		add_feed(&cache->identity, &config->feed[i].spec);
	if (cache->identity.failed)
		cache->path = NULL;
}

void load_cache_deinit(struct load_cache *cache)
{
	text_deinit(&cache->identity);
	cache->path = NULL;
}

/* --- out of the file ----------------------------------------------------------------------- */

static struct provider_registry *get_providers(struct cache_reader *r)
{
	struct provider_registry *all = provider_registry_new();
	uint32_t count = 0;
	bool ok = all && cache_get(r, &count, sizeof(count));

	for (uint32_t i = 0; ok && i < count; i++) {
		char id[PROVIDER_BYTES];
		uint32_t tier = 0;
		ok = cache_get(r, id, sizeof(id)) && cache_get(r, &tier, sizeof(tier)) &&
		     tier <= TIER_V && memchr(id, '\0', sizeof(id)) &&
		     provider_register(all, id, (enum provider_tier)tier) == i;
	}
	if (ok)
		return all;
	provider_registry_free(all);
	return NULL;
}

/* A report as it lay in memory: texts that end, a format that there is. */
static bool get_report(struct cache_reader *r, struct feed_report *report)
{
	if (!cache_get(r, report, sizeof(*report)))
		return false;
	for (size_t i = 0; i < FEED_REJECT_COUNT; i++) {
		for (size_t k = 0; k < FEED_SAMPLES_MAX; k++)
			report->sample[i][k][FEED_SAMPLE_MAX - 1] = '\0';
	}
	return report->format < FEED_FORMAT_COUNT;
}

/* Formats whose entries can say until when they hold. */
static bool entries_may_end(enum feed_format format)
{
	return format == FEED_CSV || format == FEED_STIX || format == FEED_MISP;
}

static bool get_reports(const struct load_cache *cache, struct cache_reader *r,
	struct feed_report *report, size_t count, bool *stale)
{
	uint64_t found = 0;
	int64_t day = 0;

	if (!cache_get(r, &day, sizeof(day)) || !cache_get(r, &found, sizeof(found)) ||
		found != count)
		return false;
	for (size_t i = 0; i < count; i++) {
		if (!get_report(r, &report[i]))
			return false;
		*stale = *stale || (day != cache->day && entries_may_end(report[i].format));
	}
	return !*stale;
}

/* A listed address or network with one of its marks. */
struct cached_address {
	struct ip_net net;
	uint8_t zero[7];
	struct mark mark;
};

_Static_assert(sizeof(struct cached_address) == 32, "no octet is left to chance");

/* What is read from the file, until all of it is known to be undamaged. */
struct restored {
	struct index *index;
	struct provider_registry *providers;
	struct feed_report *report;
	struct facts **facts; /* of each feed, NULL for those that have none */
	struct cached_address *address;
	uint64_t address_count;
};

/* Does the mark speak of feeds, providers and tenants that there are? */
static bool mark_is_sound(const struct mark *m, const struct policy_set *policies,
	const struct provider_registry *providers, size_t feed_count)
{
	if (mark_kind_is_of_feeds((enum mark_kind)m->kind))
		return m->source < feed_count &&
		       (!mark_kind_has_provider((enum mark_kind)m->kind) ||
			       m->detail < provider_count(providers));
	return m->source < policies->tenant_count &&
	       (m->kind != MARK_APPROVED ||
		       m->detail < policies->tenant[m->source].approved_count);
}

static bool marks_are_sound(
	const struct restored *r, const struct policy_set *policies, size_t feed_count)
{
	size_t count;
	const struct mark *mark = index_all_marks(r->index, &count);

	for (size_t i = 0; i < count; i++) {
		if (!mark_is_sound(&mark[i], policies, r->providers, feed_count))
			return false;
	}
	return true;
}

static bool get_addresses(struct restored *out, struct cache_reader *r, size_t feed_count)
{
	uint64_t *count = &out->address_count;

	if (!cache_get(r, count, sizeof(*count)) ||
		*count > cache_left(r) / sizeof(*out->address))
		return false;
	size_t bytes = (size_t)*count * sizeof(*out->address);
	out->address = malloc(bytes + 1);
	if (!out->address || !cache_get(r, out->address, bytes))
		return false;
	for (uint64_t i = 0; i < *count; i++) {
		const struct cached_address *a = &out->address[i];
		if (a->net.bits > 128 || a->mark.source >= feed_count ||
			(a->mark.kind != MARK_MALICIOUS && a->mark.kind != MARK_ALLOW))
			return false;
	}
	return true;
}

static bool get_facts(struct restored *out, struct cache_reader *r, size_t feed_count)
{
	out->facts = calloc(feed_count + 1, sizeof(struct facts *));
	for (size_t i = 0; out->facts && i < feed_count; i++) {
		uint8_t has_facts = 0;
		if (!cache_get(r, &has_facts, sizeof(has_facts)))
			return false;
		if (has_facts && !(out->facts[i] = facts_restore(r)))
			return false;
	}
	return out->facts != NULL;
}

static void restored_deinit(struct restored *r, size_t feed_count)
{
	for (size_t i = 0; r->facts && i < feed_count; i++)
		facts_free(r->facts[i]);
	index_free(r->index);
	provider_registry_free(r->providers);
	free(r->report);
	free(r->facts);
	free(r->address);
}

/* All of it, and checked. `*stale`: nothing is wrong with it, it is of another day. */
static bool get_all(const struct load_cache *cache, struct cache_reader *r,
	struct restored *out, size_t feed_count, bool *stale)
{
	out->report = calloc(feed_count + 1, sizeof(*out->report));
	bool ok = out->report && get_reports(cache, r, out->report, feed_count, stale);

	if (ok)
		out->providers = get_providers(r);
	ok = ok && out->providers && get_facts(out, r, feed_count) &&
	     get_addresses(out, r, feed_count);
	if (ok)
		out->index = index_restore(r);
	ok = cache_close(r) && out->index;
	return ok && index_is_sound(out->index) &&
	       marks_are_sound(out, cache->policies, feed_count);
}

/* Hand over what was read. False when out of memory. */
static bool take_all(struct restored *from, struct knowledge *known,
	struct address_builder *addresses, struct load_report *report, size_t feed_count)
{
	for (uint64_t i = 0; i < from->address_count; i++) {
		const struct cached_address *a = &from->address[i];
		if (address_builder_add(addresses, &a->net, a->mark) == INDEX_NO_MEMORY)
			return false;
	}
	for (size_t i = 0; i < feed_count; i++) {
		report->feed[i].report = from->report[i];
		known->feed[i].facts = from->facts[i];
		from->facts[i] = NULL;
	}
	provider_registry_free(known->providers);
	known->providers = from->providers;
	known->index = from->index;
	from->providers = NULL;
	from->index = NULL;
	return true;
}

bool load_cache_restore(const struct load_cache *cache, struct knowledge *known,
	struct address_builder *addresses, struct load_report *report, size_t feed_count)
{
	struct restored from = { 0 };
	struct err_ctx why;
	bool stale = false;

	if (!cache->path)
		return false;
	struct cache_reader *r =
		cache_open(cache->path, cache->identity.at, cache->identity.len, &why);
	if (!r) {
		if (why.text[0])
			log_warning("cache %s; the feeds are read again", why.text);
		return false;
	}
	bool ok = get_all(cache, r, &from, feed_count, &stale);
	if (!ok && !stale)
		log_warning("cache %s: damaged; the feeds are read again", cache->path);
	ok = ok && take_all(&from, known, addresses, report, feed_count);
	restored_deinit(&from, feed_count);
	return ok;
}

/* --- into the file ------------------------------------------------------------------------- */

static void put_addresses(struct cache_writer *w, const struct address_set *set)
{
	size_t entries = set ? address_set_count(set) : 0;
	uint64_t total = 0;
	size_t count;

	for (uint32_t i = 0; i < entries; i++) {
		(void)address_set_marks(set, i, &count);
		total += count;
	}
	cache_put(w, &total, sizeof(total));
	for (uint32_t i = 0; i < entries; i++) {
		const struct mark *mark = address_set_marks(set, i, &count);
		struct cached_address a = { .net = *address_set_net(set, i) };
		for (size_t k = 0; k < count; k++) {
			a.mark = mark[k];
			cache_put(w, &a, sizeof(a));
		}
	}
}

static void put_facts(struct cache_writer *w, const struct knowledge *known)
{
	for (size_t i = 0; i < known->feed_count; i++) {
		uint8_t has_facts = known->feed[i].facts != NULL;
		cache_put(w, &has_facts, sizeof(has_facts));
		if (has_facts)
			facts_save(known->feed[i].facts, w);
	}
}

static void put_all(const struct load_cache *cache, struct cache_writer *w,
	const struct knowledge *known, const struct load_report *report)
{
	uint64_t feeds = report->feed_count;
	uint32_t count = (uint32_t)provider_count(known->providers);

	cache_put(w, &cache->day, sizeof(cache->day));
	cache_put(w, &feeds, sizeof(feeds));
	for (size_t i = 0; i < report->feed_count; i++)
		cache_put(w, &report->feed[i].report, sizeof(report->feed[i].report));
	cache_put(w, &count, sizeof(count));
	for (uint32_t i = 0; i < count; i++) {
		const struct provider *p = provider_at(known->providers, i);
		char id[PROVIDER_BYTES] = "";
		uint32_t tier = p->tier;
		snprintf(id, sizeof(id), "%s", p->id);
		cache_put(w, id, sizeof(id));
		cache_put(w, &tier, sizeof(tier));
	}
	put_facts(w, known);
	put_addresses(w, known->addresses);
	index_save(known->index, w);
}

void load_cache_store(const struct load_cache *cache, const struct config *config,
	const struct load_options *options, const struct knowledge *known,
	const struct load_report *report)
{
	struct load_cache now;
	struct err_ctx why;

	if (!cache->path || options->cache != LOAD_CACHE_KEEP)
		return;
	load_cache_init(&now, config, options);
	bool same = now.path && now.identity.len == cache->identity.len &&
		    memcmp(now.identity.at, cache->identity.at, now.identity.len) == 0;
	load_cache_deinit(&now);
	if (!same)
		return;
	struct cache_writer *w =
		cache_create(cache->path, cache->identity.at, cache->identity.len, &why);
	if (!w) {
		log_warning("cache %s", why.text);
		return;
	}
	put_all(cache, w, known, report);
	if (cache_commit(w, &why) != ERR_OK)
		log_warning("cache %s", why.text);
}
