/* SPDX-License-Identifier: BSD-2-Clause */
#include "tools/dynwatch-feeds/judged.h"

#include <stdlib.h>

#include "feeds/shipped.h"
#include "sensor/base/clock.h"
#include "sensor/base/hash.h"

/* Numbers of the two lists in one index. */
enum side { OLD, NEW, SIDES };

struct reading {
	struct feed_target target;
	struct index *rail;
	uint64_t seed;
};

static enum err out_of_memory(struct err_ctx *why)
{
	return err_set(why, ERR_FAILED, "out of memory");
}

static void forget(struct reading *r)
{
	index_builder_free(r->target.builder);
	address_builder_free(r->target.addresses);
	provider_registry_free(r->target.providers);
	r->target = (struct feed_target){ .provider_suffixes = r->rail };
}

static enum err begin(struct reading *r, struct err_ctx *why)
{
	forget(r);
	r->target.builder = index_builder_new(r->seed);
	r->target.addresses = address_builder_new(r->seed);
	r->target.providers = provider_registry_new();
	return r->target.builder && r->target.addresses && r->target.providers
		       ? ERR_OK
		       : out_of_memory(why);
}

static enum err read_side(struct reading *r, const struct feed_spec *spec, enum side side,
	struct feed_report *report, struct err_ctx *why)
{
	const struct feed_item item = { .spec = spec, .report = report, .source = side };
	size_t failed;

	*report = (struct feed_report){ 0 };
	return feed_load_all(&r->target, &item, 1, FEED_THREADS_ALL, &failed, why);
}

/* --- what has come and gone ---------------------------------------------------------------- */

static bool has_twin(const struct mark *mark, size_t count, const struct mark *of)
{
	for (size_t i = 0; i < count; i++) {
		if (mark[i].source != of->source && mark[i].kind == of->kind &&
			mark[i].scope == of->scope)
			return true;
	}
	return false;
}

static void count_marks(struct judged *out, const struct mark *mark, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (has_twin(mark, count, &mark[i]))
			continue;
		if (mark[i].source == NEW)
			out->added++;
		else
			out->removed++;
	}
}

static enum err compare(struct judged *out, struct reading *r, struct err_ctx *why)
{
	struct index *names = index_build(r->target.builder);
	struct address_set *addresses = address_set_build(r->target.addresses);
	uint32_t entry = 0;
	size_t count;

	r->target.builder = NULL; /* both are freed in every case */
	r->target.addresses = NULL;
	while (names && index_next(names, &entry)) {
		const struct mark *mark = index_marks(names, entry, &count);
		count_marks(out, mark, count);
	}
	for (uint32_t i = 0; addresses && i < address_set_count(addresses); i++) {
		const struct mark *mark = address_set_marks(addresses, i, &count);
		count_marks(out, mark, count);
	}
	enum err err = names && addresses ? ERR_OK : out_of_memory(why);
	index_free(names);
	address_set_free(addresses);
	return err;
}

/* --- both ---------------------------------------------------------------------------------- */

static enum err read_both(struct judged *out, struct reading *r, const struct feed_spec *old,
	const struct feed_spec *new, struct err_ctx *why)
{
	enum err err = begin(r, why);

	if (!err && old && read_side(r, old, OLD, out->before, why) != ERR_OK) {
		free(out->before);
		out->before = NULL;
		err = begin(r, why);
	}
	return err ? err : read_side(r, new, NEW, out->now, why);
}

enum err judged_read(struct judged *out, const struct config_feed *feed, const char *new_path,
	bool has_old, struct err_ctx *why)
{
	struct feed_spec old = feed->spec;
	struct reading r = { .seed = hash_random_seed() };

	old.now_s = clock_wall_ns() / NS_PER_S;
	struct feed_spec new = old;
	new.path = new_path;
	*out = (struct judged){ .now = calloc(1, sizeof(*out->now)) };
	if (has_old)
		out->before = calloc(1, sizeof(*out->before));
	if (!out->now || (has_old && !out->before))
		return out_of_memory(why);
	enum err err = shipped_build_rail(&r.rail, r.seed, why);
	if (!err)
		err = read_both(out, &r, has_old ? &old : NULL, &new, why);
	if (!err)
		err = compare(out, &r, why);
	if (!err)
		guard_accepts(&out->doubt, &feed->limits, out->now, out->before);
	forget(&r);
	index_free(r.rail);
	return err;
}

void judged_deinit(struct judged *j)
{
	free(j->now);
	free(j->before);
	*j = (struct judged){ 0 };
}
