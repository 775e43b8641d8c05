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
#define FORMAT         1
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
		.day = options->now_s / SECONDS_A_DAY };
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
	struct feed_report *report, size_t count)
{
	uint64_t found = 0;
	int64_t day = 0;

	if (!cache_get(r, &day, sizeof(day)) || !cache_get(r, &found, sizeof(found)) ||
		found != count)
		return false;
	for (size_t i = 0; i < count; i++) {
		if (!get_report(r, &report[i]))
			return false;
		if (day != cache->day && entries_may_end(report[i].format))
			return false;
	}
	return true;
}

/* All of it, and checked; NULL if something is wrong or of another day. */
static struct index *get_all(const struct load_cache *cache, struct cache_reader *r,
	struct feed_report *report, size_t count, struct provider_registry **providers)
{
	struct index *index = NULL;
	bool ok = get_reports(cache, r, report, count);
	bool wanted = ok;

	*providers = ok ? get_providers(r) : NULL;
	if (*providers)
		index = index_restore(r);
	ok = cache_close(r);
	if (ok && index && index_is_sound(index))
		return index;
	if (wanted)
		log_warning("cache %s: damaged; the feeds are read again", cache->path);
	index_free(index);
	provider_registry_free(*providers);
	return NULL;
}

bool load_cache_restore(const struct load_cache *cache, struct knowledge *known,
	struct load_report *report, size_t feed_count)
{
	struct provider_registry *providers;
	struct err_ctx why;

	if (!cache->path)
		return false;
	struct cache_reader *r =
		cache_open(cache->path, cache->identity.at, cache->identity.len, &why);
	if (!r) {
		if (why.text[0])
			log_warning("cache %s; the feeds are read again", why.text);
		return false;
	}
	struct feed_report *reports = calloc(feed_count + 1, sizeof(*reports));
	struct index *index =
		reports ? get_all(cache, r, reports, feed_count, &providers) : NULL;
	if (!reports)
		(void)!cache_close(r);
	for (size_t i = 0; index && i < feed_count; i++)
		report->feed[i].report = reports[i];
	free(reports);
	if (!index)
		return false;
	provider_registry_free(known->providers);
	known->providers = providers;
	known->index = index;
	return true;
}

/* --- into the file ------------------------------------------------------------------------- */

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
	index_save(known->index, w);
}

void load_cache_store(const struct load_cache *cache, const struct config *config,
	const struct load_options *options, const struct knowledge *known,
	const struct load_report *report)
{
	struct load_cache now;
	struct err_ctx why;

	/* The file has no addresses: where there are some, the feeds are read. */
	if (!cache->path || options->cache != LOAD_CACHE_KEEP || known->addresses)
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
