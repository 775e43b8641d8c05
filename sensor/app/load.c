/* SPDX-License-Identifier: BSD-2-Clause */
#include "sensor/app/load.h"

#include "feeds/carry.h"
#include "feeds/shipped.h"
#include "sensor/app/collisions.h"
#include "sensor/app/load_cache.h"
#include "sensor/base/clock.h"
#include "sensor/base/log.h"
#include "sensor/base/quantity.h"
#include "sensor/base/text.h"
#include "sensor/output/redis_url.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* One loading. */
struct load {
	struct config *config;
	struct knowledge *known;
	struct load_report *report;
	struct index_builder *builder;
	struct address_builder *addresses;
	struct index *rail; /* the suffixes of the shipped provider lists */
	struct index *own;  /* what tenants call theirs; NULL: nothing */
	int64_t now_s;
	const struct load_previous *previous;
	/* Of each configured feed, in a reload: GUARD_FINE, or why it keeps what it had. */
	struct guard_finding *doubt;
	bool again; /* one of them was found while its content was in the builder already */
	struct err_ctx *why;
};

static enum err out_of_memory(struct load *l)
{
	return err_set(l->why, ERR_FAILED, "out of memory");
}

/* --- feeds --------------------------------------------------------------------------------- */

/* Room for all feeds, so that their numbers stay. */
static enum err reserve_feeds(struct load *l)
{
	size_t count = l->config->feed_count;

	if (l->config->builtin_lists)
		count += shipped_feed_count;
	if (count > UINT16_MAX)
		return err_set(l->why, ERR_USAGE, "%s: more than %d feeds", l->config->path,
			UINT16_MAX);
	l->known->feed = calloc(count ? count : 1, sizeof(*l->known->feed));
	l->report->feed = calloc(count ? count : 1, sizeof(*l->report->feed));
	l->doubt = calloc(l->config->feed_count + 1, sizeof(*l->doubt));
	return l->known->feed && l->report->feed && l->doubt ? ERR_OK : out_of_memory(l);
}

static struct feed_target target_of(const struct load *l)
{
	return (struct feed_target){
		.builder = l->builder,
		.addresses = l->addresses,
		.providers = l->known->providers,
		.provider_suffixes = l->rail,
		.own_suffixes = l->own,
	};
}

/* What the tenants say of names alone; most say nothing, and nothing is to be looked for. */
static enum err build_own(struct load *l, uint64_t seed)
{
	struct index_builder *builder = index_builder_new(seed);
	enum err err = builder ? policy_set_index(l->config->policies, builder, l->why)
			       : out_of_memory(l);

	if (err) {
		index_builder_free(builder);
		return err;
	}
	l->own = index_build(builder);
	if (!l->own)
		return out_of_memory(l);
	if (index_name_count(l->own) == 0) {
		index_free(l->own);
		l->own = NULL;
	}
	return ERR_OK;
}

/* Give the feed its number, and room for its report. */
static enum err add_feed(struct load *l, const struct feed_spec *spec, enum severity severity,
	struct feed_item *item)
{
	size_t number = l->known->feed_count;

	l->known->feed[number] = (struct knowledge_feed){
		.name = strdup(spec->name),
		.path = strdup(spec->path),
		.kind = spec->kind,
		.severity = severity,
		.facts = l->known->feed[number].facts, /* out of the cache */
	};
	l->known->feed_count++;
	if (!l->known->feed[number].name || !l->known->feed[number].path)
		return out_of_memory(l);
	*item = (struct feed_item){ .spec = spec,
		.report = &l->report->feed[l->report->feed_count++].report,
		.source = (uint16_t)number,
		.facts = &l->known->feed[number].facts };
	return ERR_OK;
}

/* Shipped lists register providers line by line, so they come one after the other. */
static enum err load_shipped(struct load *l)
{
	struct feed_target target = target_of(l);
	enum err err = ERR_OK;

	for (size_t i = 0; !err && i < shipped_feed_count; i++) {
		struct feed_item item;
		err = add_feed(l, &shipped_feeds[i], SEVERITY_MEDIUM, &item);
		if (!err && !l->report->from_cache)
			err = feed_load(&target, item.spec, item.source, item.report, l->why);
	}
	return err;
}

/* Put the place in front of a sentence that others wrote. */
static enum err fail_at(struct load *l, enum err err, struct place_mark at, const char *key)
{
	struct err_ctx inner = *l->why;

	return err_set(l->why, err, "%s:%u:%u: %s: %s", l->config->path, at.line, at.column,
		key, inner.text);
}

/* --- feeds that keep what they had ----------------------------------------------------------- */

/* The number of the same feed in the version that is in force; false when there is none. */
static bool find_previous(const struct load *l, const struct config_feed *feed, size_t *number)
{
	const struct knowledge *known = l->previous ? l->previous->known : NULL;

	for (size_t i = 0; known && i < known->feed_count; i++) {
		if (strcmp(known->feed[i].name, feed->spec.name) != 0 ||
			strcmp(known->feed[i].path, feed->spec.path) != 0 ||
			known->feed[i].kind != feed->spec.kind)
			continue;
		*number = i;
		return true;
	}
	return false;
}

/* Instead of reading it. */
static enum err keep_feed(struct load *l, size_t i, const struct feed_item *item)
{
	const struct load_previous *before = l->previous;
	struct feed_target target = target_of(l);
	size_t number;

	if (!find_previous(l, &l->config->feed[i], &number))
		return ERR_OK; /* nothing is kept that was not there */
	const struct carry_source from = { before->known->index, before->known->addresses,
		before->known->providers, (uint16_t)number };
	*item->report = before->report->feed[number].report;
	/* Their keys hold: a reload has the seed of what is in force. */
	if (before->known->feed[number].facts) {
		*item->facts = facts_copy(before->known->feed[number].facts);
		if (!*item->facts)
			return out_of_memory(l);
	}
	return feed_carry(&target, &from, item->source, l->why);
}

/* Who starts for the first time learns where the file comes from. */
static void say_who_fetches(struct load *l, const struct config_feed *feed)
{
	size_t len = strlen(l->why->text);

	if (feed->fetch.url && access(feed->spec.path, F_OK) != 0)
		snprintf(l->why->text + len, sizeof(l->why->text) - len,
			"; `dynwatch-feeds update` fetches it");
}

/* The file cannot be read: an error, unless there is something to be kept. */
static enum err doubt_unread(struct load *l, size_t i)
{
	const struct config_feed *feed = &l->config->feed[i];
	struct guard_finding *doubt = &l->doubt[i];
	size_t number;
	char key[48];

	if (!find_previous(l, feed, &number)) {
		say_who_fetches(l, feed);
		snprintf(key, sizeof(key), "feeds[%zu].path", feed->number);
		return fail_at(l, ERR_USAGE, feed->at, key);
	}
	*doubt = (struct guard_finding){ .reason = GUARD_UNREADABLE, .value = 1 };
	snprintf(doubt->why, sizeof(doubt->why), "%.*s", GUARD_WHY_MAX - 1, l->why->text);
	l->again = true;
	return ERR_OK;
}

/* It was read: is it to be believed? */
static void examine_feed(struct load *l, size_t i, struct load_feed *loaded)
{
	const struct config_feed *feed = &l->config->feed[i];
	size_t number;
	bool was = find_previous(l, feed, &number);

	if (guard_accepts(&loaded->doubt, &feed->limits, &loaded->report,
		    was ? &l->previous->report->feed[number].report : NULL))
		return;
	/* Where nothing is there to be kept, the finding is for the operator. */
	if (was) {
		l->doubt[i] = loaded->doubt;
		l->again = true;
	}
}

static void finish_feed(struct load *l, size_t i, struct load_feed *loaded)
{
	const struct config_feed *feed = &l->config->feed[i];

	loaded->max_age_ns = feed->max_age_ns;
	loaded->limits = feed->limits;
	loaded->at = feed->at;
	if (l->doubt[i].reason == GUARD_FINE) {
		examine_feed(l, i, loaded);
	} else {
		loaded->doubt = l->doubt[i];
		loaded->kept = true;
	}
}

/* --- configured feeds ------------------------------------------------------------------------ */

/* What is to be read, and which of the configured feeds each is. */
struct to_read {
	struct feed_item *item;
	struct feed_spec *spec;
	size_t *which;
	size_t count;
};

static enum err begin_feed(struct load *l, size_t i, struct to_read *r)
{
	const struct config_feed *feed = &l->config->feed[i];
	struct feed_item *item = &r->item[r->count];

	r->spec[i] = feed->spec;
	r->spec[i].now_s = l->now_s;
	enum err err = add_feed(l, &r->spec[i], feed->severity, item);
	if (!err && l->doubt[i].reason != GUARD_FINE)
		return keep_feed(l, i, item);
	r->which[r->count++] = i;
	return err;
}

static enum err read_feeds(struct load *l, const struct to_read *r)
{
	struct feed_target target = target_of(l);
	size_t failed;
	enum err err =
		feed_load_all(&target, r->item, r->count, FEED_THREADS_ALL, &failed, l->why);

	return err == ERR_USAGE ? doubt_unread(l, r->which[failed]) : err;
}

static enum err load_configured(struct load *l)
{
	size_t count = l->config->feed_count;
	size_t first = l->report->feed_count;
	struct to_read r = {
		.item = calloc(count + 1, sizeof(*r.item)),
		.spec = calloc(count + 1, sizeof(*r.spec)),
		.which = calloc(count + 1, sizeof(*r.which)),
	};
	enum err err = r.item && r.spec && r.which ? ERR_OK : out_of_memory(l);

	for (size_t i = 0; !err && i < count; i++)
		err = begin_feed(l, i, &r);
	if (!err && !l->report->from_cache)
		err = read_feeds(l, &r);
	/* After one that could not be read, those behind it were not, either. */
	bool all_read = !l->again;
	for (size_t i = 0; !err && all_read && i < count; i++)
		finish_feed(l, i, &l->report->feed[first + i]);
	free(r.item);
	free(r.spec);
	free(r.which);
	return err;
}

/* What is filled while the feeds are read. */
static enum err begin_builders(struct load *l, uint64_t seed)
{
	l->known->providers = provider_registry_new();
	l->builder = index_builder_new(seed);
	l->addresses = address_builder_new(seed);
	return l->known->providers && l->builder && l->addresses ? ERR_OK : out_of_memory(l);
}

static enum err begin_again(struct load *l, uint64_t seed)
{
	for (size_t i = 0; i < l->known->feed_count; i++) {
		free(l->known->feed[i].name);
		free(l->known->feed[i].path);
		facts_free(l->known->feed[i].facts);
		l->known->feed[i].facts = NULL;
	}
	memset(l->report->feed, 0, l->report->feed_count * sizeof(*l->report->feed));
	l->known->feed_count = l->report->feed_count = 0;
	provider_registry_free(l->known->providers);
	index_builder_free(l->builder);
	address_builder_free(l->addresses);
	l->again = false;
	return begin_builders(l, seed);
}

/*
 * Whether a feed is to be believed is known when it is in the builder, from where it cannot be taken
 * out: then all is loaded anew, but for the doubted ones. That is rare.
 */
static enum err load_feeds(struct load *l, uint64_t seed)
{
	enum err err;

	do {
		err = l->again ? begin_again(l, seed) : ERR_OK;
		if (!err && l->config->builtin_lists)
			err = load_shipped(l);
		if (!err)
			err = load_configured(l);
	} while (!err && l->again);
	return err;
}

static bool keeps_some(const struct load *l)
{
	for (size_t i = 0; i < l->config->feed_count; i++) {
		if (l->doubt[i].reason != GUARD_FINE)
			return true;
	}
	return false;
}

/* --- all of it ----------------------------------------------------------------------------- */

/* Without any, input threads need not look. */
static enum err build_addresses(struct load *l)
{
	struct address_set *set = address_set_build(l->addresses);

	l->addresses = NULL; /* freed in every case */
	if (!set)
		return out_of_memory(l);
	l->report->address_count = address_set_count(set);
	if (l->report->address_count > 0) {
		l->report->index_bytes += address_set_bytes(set);
		l->known->addresses = set;
	} else {
		address_set_free(set);
	}
	return ERR_OK;
}

static enum err build_index(struct load *l)
{
	if (!l->report->from_cache) {
		enum err err = policy_set_index(l->config->policies, l->builder, l->why);
		if (err)
			return err;
		l->known->index = index_build(l->builder);
		l->builder = NULL; /* freed in every case */
	}
	if (!l->known->index)
		return out_of_memory(l);
	l->report->name_count = index_name_count(l->known->index);
	l->report->index_bytes = index_memory_bytes(l->known->index);
	return build_addresses(l);
}

static enum err open_geo(struct load *l)
{
	const struct config *c = l->config;
	enum err err = geo_open(&l->known->geo, c->geoip_country, c->geoip_asn, l->why);

	return err ? fail_at(l, err, c->geoip_at, "geoip") : ERR_OK;
}

/*
 * Everything that is known of names: as it was kept, or from the feeds. A reload has a reason to read
 * them, and hashes with the seed of before, not with that of the file.
 */
static enum err load_names(struct load *l, const struct load_options *options, uint64_t seed)
{
	size_t feed_count =
		l->config->feed_count + (l->config->builtin_lists ? shipped_feed_count : 0);
	struct load_cache cache;

	load_cache_init(&cache, l->config, options);
	l->report->from_cache = !l->previous && load_cache_restore(&cache, l->known,
							l->addresses, l->report, feed_count);
	enum err err =
		l->report->from_cache ? ERR_OK : shipped_build_rail(&l->rail, seed, l->why);
	if (!err && !l->report->from_cache)
		err = build_own(l, seed);
	if (!err)
		err = load_feeds(l, seed);
	if (!err)
		err = config_resolve_providers(l->config, l->known->providers, l->why);
	if (!err)
		err = build_index(l);
	if (!err && !l->report->from_cache && !keeps_some(l))
		load_cache_store(&cache, l->config, options, l->known, l->report);
	load_cache_deinit(&cache);
	return err;
}

static enum err load_all(struct load *l, const struct load_options *options)
{
	uint64_t seed = l->previous ? index_seed(l->previous->known->index) : options->seed;
	enum err err = begin_builders(l, seed);

	if (!err)
		err = reserve_feeds(l);
	if (!err && l->previous)
		err = config_keep_numbers(l->config, l->previous->known->policies, l->why);
	if (!err)
		err = load_names(l, options, seed);
	if (!err)
		err = open_geo(l);
	if (!err)
		err = tenant_map_new(&l->config->policies->map, l->config->policies,
			options->interface_name, options->interface_count, l->why);
	return err;
}

enum err load_knowledge(struct knowledge **out, struct config *config,
	const struct load_options *options, struct load_report *report, struct err_ctx *why)
{
	int64_t start_ns = clock_monotonic_ns();
	struct load_report unwanted = { 0 };
	struct load l = {
		.config = config,
		.known = calloc(1, sizeof(*l.known)),
		.report = report ? report : &unwanted,
		.now_s = options->now_s,
		.previous = options->previous,
		.why = why,
	};

	*out = NULL;
	*l.report = (struct load_report){ 0 };
	enum err err = l.known ? load_all(&l, options) : out_of_memory(&l);
	index_builder_free(l.builder);
	address_builder_free(l.addresses);
	index_free(l.rail);
	index_free(l.own);
	free(l.doubt);
	l.report->elapsed_ns = clock_monotonic_ns() - start_ns;
	load_report_deinit(&unwanted);
	if (err) {
		load_free(l.known);
		return err;
	}
	l.known->policies = config->policies;
	config->policies = NULL;
	*out = l.known;
	return ERR_OK;
}

void load_free(struct knowledge *known)
{
	if (!known)
		return;
	index_free(known->index);
	address_set_free(known->addresses);
	provider_registry_free(known->providers);
	policy_set_free(known->policies);
	geo_close(known->geo);
	for (size_t i = 0; i < known->feed_count; i++) {
		free(known->feed[i].name);
		free(known->feed[i].path);
		facts_free(known->feed[i].facts);
	}
	free(known->feed);
	free(known);
}

void load_report_deinit(struct load_report *report)
{
	free(report->feed);
	report->feed = NULL;
	report->feed_count = 0;
}

enum err load_check_outputs(const struct config *config, struct err_ctx *why)
{
	for (size_t i = 0; i < config->output_count; i++) {
		const struct config_output *output = &config->output[i];
		struct redis_url url;
		struct err_ctx inner;
		if (output->url && redis_url_parse(&url, output->url, &inner) != ERR_OK)
			return err_set(why, ERR_USAGE, "%s:%u:%u: outputs[%zu].url: %s",
				config->path, output->at.line, output->at.column, i,
				inner.text);
	}
	return ERR_OK;
}

static void warn_feed(const struct config *config, const struct knowledge_feed *feed,
	const struct load_feed *loaded, struct text *line)
{
	int64_t age_ns = clock_wall_ns() - loaded->report.modified_s * NS_PER_S;
	char age[QUANTITY_TEXT_MAX], max_age[QUANTITY_TEXT_MAX];

	text_clear(line);
	if (loaded->at.line == 0)
		return;
	if (loaded->doubt.reason != GUARD_FINE)
		text_printf(line, "%s:%u:%u: feed %s: %s; %s", config->path, loaded->at.line,
			loaded->at.column, feed->name, loaded->doubt.why,
			loaded->kept ? "what was loaded before stays in force"
				     : "what could be read is in force, for nothing was loaded "
				       "before");
	else if (feed_report_accepted(&loaded->report) + loaded->report.duplicates == 0)
		text_printf(line, "%s:%u:%u: feed %s gave nothing", config->path,
			loaded->at.line, loaded->at.column, feed->name);
	else if (loaded->max_age_ns && age_ns > loaded->max_age_ns)
		text_printf(line, "%s:%u:%u: feed %s is %s old; max_age is %s", config->path,
			loaded->at.line, loaded->at.column, feed->name,
			quantity_format_duration(age_ns / NS_PER_S / 60 * 60 * NS_PER_S, age),
			quantity_format_duration(loaded->max_age_ns, max_age));
}

void load_warn(const struct config *config, const struct knowledge *known,
	const struct load_report *report, void (*say)(void *arg, const char *line), void *arg)
{
	struct text line = { 0 };

	config_warn(config, say, arg);
	for (size_t i = 0; i < report->feed_count; i++) {
		warn_feed(config, &known->feed[i], &report->feed[i], &line);
		if (line.len)
			say(arg, line.at);
	}
	text_deinit(&line);
	collisions_warn(known, report, say, arg);
}

static void log_line(void *arg, const char *line)
{
	(void)arg;
	log_warning("%s", line);
}

enum err load_and_warn(struct knowledge **out, struct config *config,
	const struct load_options *options, struct load_report *report, struct err_ctx *why)
{
	struct load_report own = { 0 };
	enum err err = load_knowledge(out, config, options, report ? report : &own, why);

	if (err == ERR_OK)
		load_warn(config, *out, report ? report : &own, log_line, NULL);
	load_report_deinit(&own);
	return err;
}
