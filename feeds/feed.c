/* SPDX-License-Identifier: BSD-2-Clause */
#include "feeds/feed.h"

#include <sched.h>
#include <stdlib.h>

#include "feeds/loader.h"

/* The provider of lines that do not name one. */
static enum err find_provider(
	struct feed_target *target, struct source *source, struct err_ctx *why)
{
	const struct feed_spec *spec = source->spec;
	const char *id = spec->provider ? spec->provider : spec->name;

	if (!mark_kind_has_provider(spec->kind) || spec->format == FEED_SHIPPED)
		return ERR_OK;
	source->detail = provider_register(target->providers, id, spec->tier);
	if (source->detail != PROVIDER_NONE)
		return ERR_OK;
	return err_set(why, ERR_USAGE,
		"feed %s: \"%s\" cannot be a provider's id (1 to 63 of a-z 0-9 . _ -)",
		spec->name, id);
}

static enum err load_sources(struct feed_target *target, struct source *source,
	const struct feed_item *item, size_t count, unsigned threads, size_t *failed,
	struct err_ctx *why)
{
	for (*failed = 0; *failed < count; ++*failed) {
		const struct feed_item *i = &item[*failed];
		/* Every line of such a list may name a new provider: numbers are given in order. */
		if (i->spec->format == FEED_SHIPPED)
			threads = 1;
		*i->report = (struct feed_report){ .format = i->spec->format };
		source[*failed] = (struct source){ .spec = i->spec, .number = i->source };
		enum err err = find_provider(target, &source[*failed], why);
		if (err)
			return err;
	}
	return loader_run(target, source, item, count, threads, failed, why);
}

static unsigned processor_count(void)
{
	cpu_set_t usable;

	return sched_getaffinity(0, sizeof(usable), &usable) == 0 ? (unsigned)CPU_COUNT(&usable)
								  : 1;
}

enum err feed_load_all(struct feed_target *target, const struct feed_item *item, size_t count,
	unsigned threads, size_t *failed, struct err_ctx *why)
{
	struct source *source = calloc(count ? count : 1, sizeof(*source));

	*failed = 0;
	if (!source)
		return err_set(why, ERR_FAILED, "out of memory");
	if (threads == FEED_THREADS_ALL)
		threads = processor_count();
	enum err err = load_sources(target, source, item, count, threads, failed, why);
	for (size_t i = 0; i < count; i++)
		source_close(&source[i]);
	free(source);
	return err;
}

enum err feed_load(struct feed_target *target, const struct feed_spec *spec, uint16_t source,
	struct feed_report *report, struct err_ctx *why)
{
	const struct feed_item item = { .spec = spec, .report = report, .source = source };
	size_t failed;

	return feed_load_all(target, &item, 1, 1, &failed, why);
}

enum err feed_locate(
	const struct feed_spec *spec, const struct feed_watch *watch, struct err_ctx *why)
{
	struct feed_target target = {
		.builder = index_builder_new(0),
		.providers = provider_registry_new(),
		.addresses = address_builder_new(0),
		.watch = watch,
		.provider_suffixes = watch->provider_suffixes,
	};
	struct feed_report *report = calloc(1, sizeof(*report));
	enum err err = ERR_OK;

	if (!target.builder || !target.providers || !target.addresses || !report)
		err = err_set(why, ERR_FAILED, "out of memory");
	if (!err)
		err = feed_load(&target, spec, 0, report, why);
	index_builder_free(target.builder);
	provider_registry_free(target.providers);
	address_builder_free(target.addresses);
	free(report);
	return err;
}
