/* SPDX-License-Identifier: BSD-2-Clause */
#include "tools/dynwatch-feeds/export_set.h"

#include "feeds/shipped.h"
#include "sensor/base/clock.h"
#include "sensor/base/log.h"
#include "tools/dynwatch-feeds/export_tenant.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* A list that is read twice gives the same, whatever the seed. */
#define SEED 1

static enum err out_of_memory(struct err_ctx *why)
{
	return err_set(why, ERR_FAILED, "out of memory");
}

/* --- which feeds ---------------------------------------------------------------------------- */

static bool is_named(const struct export_wanted *w, const char *name)
{
	for (size_t i = 0; i < w->feed_count; i++) {
		if (strcmp(w->feed[i], name) == 0)
			return true;
	}
	return w->feed_count == 0;
}

static bool is_chosen(
	const struct export_wanted *w, const struct feed_spec *spec, enum severity severity)
{
	return (w->kinds & 1u << spec->kind) && is_named(w, spec->name) &&
	       (spec->kind != MARK_MALICIOUS || severity >= w->min_severity);
}

/* Does the tenant approve providers, whose names are in these? */
static bool is_asked_for(const struct export_set *s, const struct feed_spec *spec)
{
	bool has_provider = spec->kind == MARK_PROVIDER || spec->kind == MARK_TUNNEL ||
			    spec->kind == MARK_UPDATE_HOST || spec->kind == MARK_IP_CHECK;

	return spec->kind == MARK_ALLOW ||
	       (has_provider && s->tenant && s->config->provider_count);
}

static void take_feed(struct export_set *s, const struct feed_spec *spec,
	const struct config_feed *configured, bool chosen, int64_t now_s)
{
	if (!chosen && !is_asked_for(s, spec))
		return;
	s->spec[s->feed_count] = *spec;
	s->spec[s->feed_count].now_s = now_s;
	s->feed[s->feed_count] = (struct export_feed){
		.spec = &s->spec[s->feed_count], .configured = configured, .chosen = chosen
	};
	s->feed_count++;
}

/* Every feed that was named has to be there, and chosen. */
static enum err check_names(
	const struct export_set *s, const struct export_wanted *w, struct err_ctx *why)
{
	for (size_t i = 0; i < w->feed_count; i++) {
		bool found = false;
		for (size_t k = 0; k < s->feed_count; k++)
			found = found || (s->feed[k].chosen && strcmp(s->feed[k].spec->name,
								       w->feed[i]) == 0);
		if (!found)
			return err_set(why, ERR_USAGE,
				"--feed %s: no feed has that name, or it is not of the kind or "
				"below the severity that is asked for",
				w->feed[i]);
	}
	return ERR_OK;
}

static enum err choose_feeds(
	struct export_set *s, const struct export_wanted *w, struct err_ctx *why)
{
	size_t most = s->config->feed_count + shipped_feed_count;
	size_t chosen = 0;

	if (most > UINT16_MAX)
		return err_set(
			why, ERR_USAGE, "%s: more than %d feeds", s->config->path, UINT16_MAX);
	s->spec = calloc(most, sizeof(*s->spec));
	s->feed = calloc(most, sizeof(*s->feed));
	if (!s->spec || !s->feed)
		return out_of_memory(why);
	for (size_t i = 0; i < shipped_feed_count && s->config->builtin_lists; i++)
		take_feed(s, &shipped_feeds[i], NULL,
			is_chosen(w, &shipped_feeds[i], SEVERITY_CRITICAL), w->now_s);
	for (size_t i = 0; i < s->config->feed_count; i++) {
		const struct config_feed *feed = &s->config->feed[i];
		take_feed(s, &feed->spec, feed, is_chosen(w, &feed->spec, feed->severity),
			w->now_s);
	}
	for (size_t i = 0; i < s->feed_count; i++)
		chosen += s->feed[i].chosen;
	enum err err = check_names(s, w, why);
	if (!err && chosen == 0)
		err = err_set(why, ERR_USAGE,
			"%s: there is no feed of the kind and severity that are asked for",
			s->config->path);
	return err;
}

/* --- reading -------------------------------------------------------------------------------- */

/* Shipped lists number their providers line by line, so they come by themselves. */
static enum err read_feeds(struct export_set *s, struct feed_target *target, bool with_facts,
	size_t first, size_t count, struct err_ctx *why)
{
	struct feed_item *item = calloc(count + 1, sizeof(*item));
	size_t failed;

	if (!item)
		return out_of_memory(why);
	for (size_t i = 0; i < count; i++)
		item[i] = (struct feed_item){ .spec = s->feed[first + i].spec,
			.report = &s->feed[first + i].report,
			.source = (uint16_t)(first + i),
			.facts = with_facts ? &s->feed[first + i].facts : NULL };
	enum err err = feed_load_all(target, item, count, FEED_THREADS_ALL, &failed, why);
	free(item);
	return err;
}

static enum err read_into(
	struct export_set *s, struct feed_target *target, bool with_facts, struct err_ctx *why)
{
	size_t shipped = 0;

	while (shipped < s->feed_count && !s->feed[shipped].configured)
		shipped++;
	enum err err = read_feeds(s, target, with_facts, 0, shipped, why);
	if (!err)
		err = read_feeds(s, target, with_facts, shipped, s->feed_count - shipped, why);
	return err;
}

static enum err build(struct export_set *s, struct feed_target *target, struct err_ctx *why)
{
	enum err err = ERR_OK;

	if (s->tenant && s->config->provider_count > 0)
		err = config_resolve_providers(s->config, s->providers, why);
	if (!err && s->tenant)
		err = policy_set_index(s->config->policies, target->builder, why);
	if (err)
		return err;
	s->index = index_build(target->builder);
	s->addresses = address_set_build(target->addresses);
	target->builder = NULL; /* both are freed in every case */
	target->addresses = NULL;
	return s->index && s->addresses ? ERR_OK : out_of_memory(why);
}

static enum err load_feeds(
	struct export_set *s, const struct export_wanted *w, struct err_ctx *why)
{
	struct index *rail;
	enum err err = shipped_build_rail(&rail, SEED, why);
	struct feed_target target = {
		.builder = index_builder_new(SEED),
		.addresses = address_builder_new(SEED),
		.providers = s->providers = provider_registry_new(),
		.provider_suffixes = rail,
	};

	if (!err && (!target.builder || !target.addresses || !target.providers))
		err = out_of_memory(why);
	if (!err)
		err = read_into(s, &target, w->max_tlp < TLP_RED, why);
	if (!err)
		err = build(s, &target, why);
	index_builder_free(target.builder);
	address_builder_free(target.addresses);
	index_free(rail);
	return err;
}

/* Half a list would let through what the whole one refuses, and nobody would know. */
static enum err judge_feeds(struct export_set *s, bool force, struct err_ctx *why)
{
	struct guard_finding doubt;

	for (size_t i = 0; i < s->feed_count; i++) {
		const struct export_feed *feed = &s->feed[i];
		const struct config_feed *at = feed->configured;
		if (feed->report.modified_s > s->newest_s)
			s->newest_s = feed->report.modified_s;
		if (at && !guard_accepts(&doubt, &at->limits, &feed->report, NULL)) {
			err_set(why, ERR_FAILED, "%s:%u:%u: feed %s: %s", s->config->path,
				at->at.line, at->at.column, feed->spec->name, doubt.why);
			if (!force)
				return ERR_FAILED;
			log_warning("%s; what could be read is taken", why->text);
		} else if (feed->chosen && feed_report_accepted(&feed->report) == 0) {
			log_warning(
				"%s: feed %s gave nothing", s->config->path, feed->spec->name);
		}
	}
	return ERR_OK;
}

/* --- the list ------------------------------------------------------------------------------- */

/* Is the entry for fewer eyes than the file is? */
static bool is_hidden(struct export_set *s, const struct export_wanted *w, const struct mark *m,
	uint64_t fact_key)
{
	const struct facts *facts = s->feed[m->source].facts;
	struct entry_facts e;
	bool hidden = facts && facts_find(facts, fact_key, &e) && e.tlp > w->max_tlp;

	s->hidden += hidden;
	return hidden;
}

/* What the mark says of the name; false: nothing here. */
static bool say_of(struct export_set *s, const struct export_wanted *w, const struct mark *m,
	uint64_t fact_key, enum blocklist_say *say)
{
	if (!mark_kind_is_of_feeds((enum mark_kind)m->kind))
		return export_tenant_says(s->tenant, w, m, say);
	if (m->kind == MARK_ALLOW)
		*say = SAY_ALLOWED;
	else if (s->feed[m->source].chosen && (w->kinds & 1u << m->kind) &&
		 !is_hidden(s, w, m, fact_key))
		*say = SAY_LISTED;
	else
		return false;
	return true;
}

static bool list_name(struct export_set *s, const struct export_wanted *w, uint32_t entry)
{
	size_t count, len;
	const struct mark *mark = index_marks(s->index, entry, &count);
	const uint8_t *wire = index_entry_name(s->index, entry, &len);
	enum blocklist_say say;
	struct dns_name name;

	if (!dns_name_from_wire(&name, wire, len))
		return true; /* there is none of that kind */
	uint64_t fact_key = dns_name_hash(&name, SEED);
	for (size_t i = 0; i < count; i++) {
		enum mark_scope scope = (enum mark_scope)mark[i].scope;
		uint32_t origin = BLOCKLIST_NO_ORIGIN;
		if (export_tenant_approves_provider(s->tenant, w, &mark[i]) &&
			!blocklist_add_name(s->list, &name, scope, SAY_APPROVED, origin))
			return false;
		if (!say_of(s, w, &mark[i], fact_key, &say))
			continue;
		if (say == SAY_LISTED)
			origin = entry;
		if (!blocklist_add_name(s->list, &name, scope, say, origin))
			return false;
	}
	return true;
}

static bool list_network(struct export_set *s, const struct export_wanted *w, uint32_t entry)
{
	size_t count;
	const struct mark *mark = address_set_marks(s->addresses, entry, &count);
	uint64_t fact_key = facts_network_key(address_set_net(s->addresses, entry));
	enum blocklist_say say;

	for (size_t i = 0; i < count; i++) {
		if (say_of(s, w, &mark[i], fact_key, &say) &&
			!blocklist_add_network(s->list, address_set_net(s->addresses, entry),
				say, say == SAY_LISTED ? entry : BLOCKLIST_NO_ORIGIN))
			return false;
	}
	return true;
}

static enum err make_list(
	struct export_set *s, const struct export_wanted *w, struct err_ctx *why)
{
	uint32_t entry = 0;

	s->list = blocklist_new();
	bool done = s->list != NULL;
	while (done && index_next(s->index, &entry))
		done = list_name(s, w, entry);
	for (uint32_t i = 0; done && i < address_set_count(s->addresses); i++)
		done = list_network(s, w, i);
	if (!done || !export_tenant_add_excludes(s->tenant, w, s->list))
		return out_of_memory(why);
	blocklist_sort(s->list);
	return ERR_OK;
}

/* --- all of it ------------------------------------------------------------------------------ */

static enum err open_config(
	struct export_set *s, const struct export_wanted *w, struct err_ctx *why)
{
	struct stat st;
	enum err err = w->config ? config_load(&s->config, w->config, why)
				 : config_builtin(&s->config, why);

	if (err)
		return err;
	if (w->config && stat(w->config, &st) == 0)
		s->newest_s = st.st_mtime;
	if (!w->tenant)
		return ERR_OK;
	for (size_t i = 0; i < s->config->policies->tenant_count; i++) {
		if (strcmp(s->config->policies->tenant[i].id, w->tenant) == 0)
			s->tenant = &s->config->policies->tenant[i];
	}
	return s->tenant ? ERR_OK
			 : err_set(why, ERR_USAGE, "--tenant %s: no tenant has that id",
				   w->tenant);
}

enum err export_set_load(
	struct export_set *out, const struct export_wanted *wanted, struct err_ctx *why)
{
	*out = (struct export_set){ 0 };
	enum err err = open_config(out, wanted, why);
	if (!err)
		err = choose_feeds(out, wanted, why);
	if (!err)
		err = load_feeds(out, wanted, why);
	if (!err)
		err = judge_feeds(out, wanted->force, why);
	if (!err)
		err = make_list(out, wanted, why);
	return err;
}

void export_set_free(struct export_set *set)
{
	blocklist_free(set->list);
	index_free(set->index);
	address_set_free(set->addresses);
	provider_registry_free(set->providers);
	for (size_t i = 0; i < set->feed_count; i++)
		facts_free(set->feed[i].facts);
	free(set->feed);
	free(set->spec);
	config_free(set->config);
}

void export_set_remark(void *arg, struct text *out, bool is_network, uint32_t origin)
{
	const struct export_set *s = arg;
	const char *between = "";
	size_t count;
	const struct mark *mark = is_network ? address_set_marks(s->addresses, origin, &count)
					     : index_marks(s->index, origin, &count);

	for (size_t i = 0; i < count; i++) {
		if (!mark_kind_is_of_feeds((enum mark_kind)mark[i].kind) ||
			mark[i].kind == MARK_ALLOW || !s->feed[mark[i].source].chosen)
			continue;
		/* One feed may list it in several ways; its marks stand together. */
		if (i > 0 && *between && mark[i].source == mark[i - 1].source)
			continue;
		text_printf(out, "%s%s", between, s->feed[mark[i].source].spec->name);
		between = ", ";
	}
}
