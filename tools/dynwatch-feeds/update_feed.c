/* SPDX-License-Identifier: BSD-2-Clause */
#include "tools/dynwatch-feeds/update_feed.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "sensor/base/clock.h"
#include "sensor/base/log.h"
#include "sensor/base/quantity.h"
#include "tools/dynwatch-feeds/judged.h"
#include "tools/dynwatch-feeds/key.h"
#include "tools/dynwatch-feeds/received.h"

/* --- before -------------------------------------------------------------------------------- */

static enum err prepare(struct update_feed *u, struct err_ctx *why)
{
	const struct config_fetch *wanted = &u->feed->fetch;
	enum err err = feed_file_open(&u->file, u->feed->spec.path, why);

	if (!err && wanted->auth_file)
		err = key_load(&u->key, wanted->auth_file, why);
	if (err)
		return err;
	if (u->key && strncasecmp(wanted->url, "http:", 5) == 0)
		log_warning(
			"feed %s: the key of auth_file is sent unencrypted, for url is http",
			u->feed->spec.name);
	u->scratch = feed_file_scratch(&u->file);
	if (u->scratch == -1)
		return err_set(
			why, ERR_FAILED, "the folder of %s: %s", u->file.path, strerror(errno));
	feed_file_recall(&u->file, wanted->url, &u->last);
	return ERR_OK;
}

bool update_feed_begin(struct update_feed *u, const struct config_feed *feed,
	struct fetch *fetch, struct result *result)
{
	const struct config_fetch *wanted = &feed->fetch;

	*u = (struct update_feed){ .feed = feed, .file = { .lock = -1 }, .scratch = -1 };
	*result = (struct result){ .feed = feed->spec.name, .kind = RESULT_FAILED };
	if (prepare(u, &result->why) != ERR_OK)
		return false;
	*fetch = (struct fetch){
		.url = wanted->url,
		.proxy = wanted->proxy,
		.auth_header = wanted->auth_header,
		.key = u->key,
		.last = u->last.bytes ? &u->last : NULL,
		.max_bytes = wanted->max_bytes,
		.timeout_ns = wanted->timeout_ns,
		.fd = u->scratch,
	};
	return true;
}

/* --- the same as before -------------------------------------------------------------------- */

/*
 * The list is current, which max_age is to know. But a sensor takes a new time for a new file and reads
 * it again, so that is done only now and then.
 */
static void renew(const struct update_feed *u)
{
	int64_t age_ns = clock_wall_ns() - u->file.modified_s * NS_PER_S;

	if (age_ns > u->feed->max_age_ns / 4 && u->feed->max_age_ns > 0 &&
		!feed_file_renew(&u->file))
		log_warning("%s: its time could not be set: %s", u->file.path, strerror(errno));
}

static void remember(const struct update_feed *u, const struct fetch *fetch,
	struct fetched *now, uint64_t entries)
{
	struct err_ctx why;

	now->url = u->last.url;
	now->entries = entries;
	memcpy(now->etag, fetch->etag, sizeof(now->etag));
	memcpy(now->last_modified, fetch->last_modified, sizeof(now->last_modified));
	if (feed_file_remember(&u->file, now, &why) != ERR_OK)
		log_warning("%s; the next update fetches the whole file", why.text);
}

/* The server says that what was fetched before is current. */
static void leave_unchanged(const struct update_feed *u, const struct update_options *options,
	struct result *result)
{
	result->kind = RESULT_UNCHANGED;
	result->before_known = result->after_known = true;
	result->before = result->after = u->last.entries;
	if (!options->dry_run)
		renew(u);
}

/* --- a new list ---------------------------------------------------------------------------- */

/* One that came and is not to be used: what is in place stays, if there is something. */
static void refuse(const struct update_feed *u, enum err err, struct result *result)
{
	result->kind = u->file.exists && err != ERR_FAILED ? RESULT_KEPT : RESULT_FAILED;
}

/* Messages of readers begin with the path, and this one will not be there. */
static void drop_path(struct err_ctx *why, const char *path)
{
	size_t len = strlen(path);

	if (strncmp(why->text, path, len) != 0 || why->text[len] != ':')
		return;
	const char *rest = why->text + len + 1;
	rest += strspn(rest, " ");
	memmove(why->text, rest, strlen(rest) + 1);
}

static void count(struct result *result, const struct judged *j)
{
	result->before_known = j->before != NULL;
	result->before = j->before ? feed_report_accepted(j->before) : 0;
	result->after_known = true;
	result->after = feed_report_accepted(j->now);
	result->added = j->added;
	result->removed = j->removed;
	result->rejected = feed_report_rejected(j->now);
}

/* ERR_INPUT: it is not to be believed. */
static enum err believe(const struct update_feed *u, const struct judged *j,
	const struct update_options *options, struct err_ctx *why)
{
	const struct guard_finding *doubt = &j->doubt;

	if (doubt->reason == GUARD_REJECTED)
		return err_set(why, ERR_INPUT, "%s", doubt->why);
	if (feed_report_accepted(j->now) == 0 && u->feed->limits.max_shrink < 100)
		return err_set(why, ERR_INPUT,
			"not one entry in it (as format: %s; max_shrink: 100 takes it)",
			feed_format_name(j->now->format));
	if (doubt->reason == GUARD_SHRUNK && !options->force)
		return err_set(why, ERR_INPUT, "%s; --force takes it", doubt->why);
	if (doubt->reason == GUARD_SHRUNK)
		err_set(why, ERR_OK, "%s; taken because of --force", doubt->why);
	return ERR_OK;
}

static enum err judge(const struct update_feed *u, const struct replace *to,
	const struct update_options *options, struct result *result)
{
	struct judged j;
	enum err err = judged_read(&j, u->feed, to->new_path, u->file.exists, &result->why);

	if (!err) {
		count(result, &j);
		err = believe(u, &j, options, &result->why);
	} else {
		drop_path(&result->why, to->new_path);
	}
	judged_deinit(&j);
	return err;
}

/* The server has sent what is in place already. */
static void take_same(const struct update_feed *u, const struct fetch *fetch,
	const struct update_options *options, struct fetched *now, struct result *result)
{
	result->kind = RESULT_UNCHANGED;
	if (options->dry_run)
		return;
	remember(u, fetch, now, result->after);
	renew(u);
}

static void take_new(const struct update_feed *u, const struct fetch *fetch,
	const struct update_options *options, struct replace *to, struct fetched *now,
	struct result *result)
{
	result->kind = RESULT_UPDATED;
	if (options->dry_run)
		return;
	if (replace_commit(to)) {
		remember(u, fetch, now, result->after);
		return;
	}
	err_set(&result->why, ERR_FAILED, "%s: %s", u->file.path, strerror(errno));
	refuse(u, ERR_FAILED, result);
}

static void take_list(const struct update_feed *u, const struct fetch *fetch,
	const struct update_options *options, struct result *result)
{
	const struct received received = { .fd = fetch->fd,
		.is_gzip = fetch->is_gzip,
		.length_known = fetch->length_known,
		.max_bytes = fetch->max_bytes };
	struct fetched now = { 0 };
	struct replace to;

	if (!feed_file_replace(&u->file, &to)) {
		err_set(&result->why, ERR_FAILED, "%s: %s", u->file.path, strerror(errno));
		return;
	}
	enum err err = received_store(&received, &to, &now, &result->why);
	if (!err)
		err = judge(u, &to, options, result);
	if (err)
		refuse(u, err, result);
	else if (feed_file_holds(&u->file, &now))
		take_same(u, fetch, options, &now, result);
	else
		take_new(u, fetch, options, &to, &now, result);
	replace_cancel(&to);
}

/* A publisher who has given up may go on answering for years. */
static void warn_stale(const struct update_feed *u, const char *last_modified)
{
	int64_t changed_s, max_age_ns = u->feed->max_age_ns;
	char age[QUANTITY_TEXT_MAX], limit[QUANTITY_TEXT_MAX];

	if (!max_age_ns || !fetch_date(last_modified, &changed_s))
		return;
	int64_t age_ns = (clock_wall_ns() / NS_PER_S - changed_s) / 3600 * 3600 * NS_PER_S;
	if (age_ns > max_age_ns)
		log_warning("feed %s: its publisher has not changed it for %s; max_age is %s",
			u->feed->spec.name, quantity_format_duration(age_ns, age),
			quantity_format_duration(max_age_ns, limit));
}

void update_feed_finish(const struct update_feed *u, const struct fetch *fetch,
	const struct update_options *options, struct result *result)
{
	result->bytes = fetch->bytes;
	result->elapsed_ns = fetch->elapsed_ns;
	switch (fetch->outcome) {
	case FETCH_FAILED:
		result->why = fetch->why;
		break;
	case FETCH_UNCHANGED:
		leave_unchanged(u, options, result);
		warn_stale(u, u->last.last_modified);
		break;
	case FETCH_CONTENT:
		take_list(u, fetch, options, result);
		warn_stale(u, fetch->last_modified);
		break;
	}
}

void update_feed_deinit(struct update_feed *u)
{
	if (u->scratch != -1)
		close(u->scratch);
	u->scratch = -1;
	feed_file_close(&u->file);
	key_free(u->key);
	u->key = NULL;
}
