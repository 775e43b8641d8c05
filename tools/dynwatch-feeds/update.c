/* SPDX-License-Identifier: BSD-2-Clause */
#include "tools/dynwatch-feeds/update.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "sensor/base/log.h"
#include "sensor/base/nearest.h"
#include "sensor/base/quantity.h"
#include "sensor/base/usage.h"
#include "tools/dynwatch-feeds/interrupt.h"
#include "tools/dynwatch-feeds/update_feed.h"

#define COMMAND      "dynwatch-feeds update"
#define JOBS_DEFAULT 4

static const char help[] =
	"Usage: " COMMAND " -c FILE [OPTIONS] [FEED]...\n"
	"Fetch the feeds that have a url, those named or all, and put each new list in place of\n"
	"the old one when it is fit to be: complete, and within max_rejected and max_shrink.\n"
	"\n"
	"  -c, --config FILE   the configuration\n"
	"      --dry-run       fetch and judge, change nothing\n"
	"      --force         take a list that shrank by more than max_shrink, too\n"
	"      --jobs N        fetch so many at a time (4)\n"
	"      --json          say what became of them as JSON\n"
	"  -h, --help          this text\n"
	"\n"
	"Exit codes: 0 all are up to date; 1 one could not be fetched, or is not to be believed:\n"
	"its file is as it was; 2 bad usage or configuration.\n";

struct arguments {
	const char *config;
	char **feed;
	size_t feed_count;
	uint64_t jobs;
	bool json;
	struct update_options options;
};

static const struct option long_options[] = {
	{ "config", required_argument, NULL, 'c' },
	{ "dry-run", no_argument, NULL, 'n' },
	{ "force", no_argument, NULL, 'f' },
	{ "jobs", required_argument, NULL, 'j' },
	{ "json", no_argument, NULL, 'J' },
	{ "help", no_argument, NULL, 'h' },
	{ NULL, 0, NULL, 0 },
};

/* -1: go on; otherwise the exit code. */
static int read_arguments(struct arguments *a, int argc, char **argv)
{
	int letter;

	optind = 1;
	opterr = 0;
	while ((letter = getopt_long(argc, argv, ":c:h", long_options, NULL)) != -1) {
		switch (letter) {
		case 'c':
			a->config = optarg;
			break;
		case 'n':
			a->options.dry_run = true;
			break;
		case 'f':
			a->options.force = true;
			break;
		case 'j':
			if (!quantity_parse_count(&a->jobs, optarg) || a->jobs < 1 ||
				a->jobs > FETCH_JOBS_MAX)
				return usage_fail(
					COMMAND, "--jobs takes 1 to %d", FETCH_JOBS_MAX);
			break;
		case 'J':
			a->json = true;
			break;
		case 'h':
			fputs(help, stdout);
			return 0;
		default:
			return usage_bad_option(COMMAND, argv, letter);
		}
	}
	a->feed = argv + optind;
	a->feed_count = (size_t)(argc - optind);
	return a->config ? -1 : usage_fail(COMMAND, "a configuration is needed: -c FILE");
}

/* --- which --------------------------------------------------------------------------------- */

static const struct config_feed *find_feed(const struct config *c, const char *name)
{
	for (size_t i = 0; i < c->feed_count; i++) {
		if (strcmp(c->feed[i].spec.name, name) == 0)
			return &c->feed[i];
	}
	return NULL;
}

static enum err check_name(const struct config *c, const char *name)
{
	const struct config_feed *feed = find_feed(c, name);
	struct nearest near = nearest_to(name);

	if (feed && feed->fetch.url)
		return ERR_OK;
	for (size_t i = 0; i < c->feed_count; i++)
		nearest_offer(&near, c->feed[i].spec.name);
	if (feed)
		log_error("%s:%u:%u: the feed %s has no url", c->path, feed->at.line,
			feed->at.column, name);
	else if (near.word)
		log_error(
			"%s: there is no feed %s; did you mean %s?", c->path, name, near.word);
	else
		log_error("%s: there is no feed %s", c->path, name);
	return ERR_USAGE;
}

static bool is_wanted(const struct arguments *a, const struct config_feed *feed)
{
	for (size_t i = 0; i < a->feed_count; i++) {
		if (strcmp(a->feed[i], feed->spec.name) == 0)
			return true;
	}
	return a->feed_count == 0 && feed->fetch.url;
}

/* --- the run ------------------------------------------------------------------------------- */

struct run {
	struct update_feed *update;
	struct fetch *fetch; /* of those that can be fetched, without gaps */
	size_t *which;       /* the update that each fetch is for */
	struct result *result;
	size_t count, fetch_count;
};

static bool run_init(struct run *r, size_t feed_count)
{
	*r = (struct run){
		.update = calloc(feed_count + 1, sizeof(*r->update)),
		.fetch = calloc(feed_count + 1, sizeof(*r->fetch)),
		.which = calloc(feed_count + 1, sizeof(*r->which)),
		.result = calloc(feed_count + 1, sizeof(*r->result)),
	};
	return r->update && r->fetch && r->which && r->result;
}

static void run_deinit(struct run *r)
{
	for (size_t i = 0; i < r->count; i++)
		update_feed_deinit(&r->update[i]);
	free(r->update);
	free(r->fetch);
	free(r->which);
	free(r->result);
}

static void begin(struct run *r, const struct config_feed *feed)
{
	size_t i = r->count++;
	struct fetch *fetch = &r->fetch[r->fetch_count];

	if (update_feed_begin(&r->update[i], feed, fetch, &r->result[i]))
		r->which[r->fetch_count++] = i;
}

static void finish(struct run *r, const struct update_options *options)
{
	for (size_t i = 0; i < r->fetch_count; i++) {
		struct result *result = &r->result[r->which[i]];
		if (interrupt_requested())
			err_set(&result->why, ERR_FAILED, "interrupted");
		else
			update_feed_finish(
				&r->update[r->which[i]], &r->fetch[i], options, result);
	}
}

static bool print(const struct run *r, const struct arguments *a)
{
	struct text out = { 0 };

	if (a->json)
		results_json(&out, r->result, r->count, a->options.dry_run);
	else if (r->count > 0)
		results_table(&out, r->result, r->count);
	bool printed = !out.failed && (out.len == 0 || fputs(out.at, stdout) != EOF) &&
		       fflush(stdout) == 0;
	if (!printed)
		log_error("what became of the feeds could not be printed");
	else if (a->options.dry_run)
		log_notice("a dry run: nothing was changed");
	text_deinit(&out);
	return printed;
}

/* Each feed has two files open. */
static void allow_descriptors(void)
{
	struct rlimit files;

	if (getrlimit(RLIMIT_NOFILE, &files) != 0)
		return;
	files.rlim_cur = files.rlim_max;
	(void)setrlimit(RLIMIT_NOFILE, &files);
}

static int update(const struct arguments *a, const struct config *c)
{
	struct run r;
	int status = ERR_FAILED;

	if (run_init(&r, c->feed_count)) {
		for (size_t i = 0; i < c->feed_count; i++) {
			if (is_wanted(a, &c->feed[i]))
				begin(&r, &c->feed[i]);
		}
		if (r.count == 0)
			log_warning("%s: no feed has a url", c->path);
		fetch_all(r.fetch, r.fetch_count, (unsigned)a->jobs, interrupt_requested);
		finish(&r, &a->options);
		if (print(&r, a) && !results_any_bad(r.result, r.count))
			status = ERR_OK;
	} else {
		log_error("out of memory");
	}
	run_deinit(&r);
	return status;
}

int update_command(int argc, char **argv)
{
	struct arguments a = { .jobs = JOBS_DEFAULT };
	int status = read_arguments(&a, argc, argv);
	struct config *config = NULL;
	struct err_ctx why;

	if (status != -1)
		return status;
	interrupt_install();
	allow_descriptors();
	status = (int)config_load(&config, a.config, &why);
	if (status)
		log_error("%s", why.text);
	for (size_t i = 0; !status && i < a.feed_count; i++)
		status = (int)check_name(config, a.feed[i]);
	if (!status)
		status = update(&a, config);
	config_free(config);
	return status;
}
