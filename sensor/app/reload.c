/* SPDX-License-Identifier: BSD-2-Clause */
#include "sensor/app/reload.h"

#include <malloc.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include "sensor/app/changes.h"
#include "sensor/app/watch.h"
#include "sensor/base/clock.h"
#include "sensor/base/log.h"

/* Bounds how late the thread sees that it is to stop while it waits for others. */
#define PATIENCE_MS 100
/* The packets' threads go first when there is not enough of the machine for all. */
#define NICENESS 10
/* Between two tries to be rid of an old version. */
#define RETRY_MS 1000

struct version {
	struct knowledge *known; /* NULL: none */
	struct load_report report;
};

struct reload {
	struct reload_options options;
	struct watch *watch;
	int wake_fd;
	struct gauge stopping;
	pthread_t thread;
	bool started;
	pthread_mutex_t mutex; /* of which version is in force */
	struct version current, old;
	struct text said; /* the answer to whoever asked */
};

static void version_deinit(struct version *v)
{
	load_free(v->known);
	load_report_deinit(&v->report);
	*v = (struct version){ .known = NULL };
}

/* Every file that the version is made from is watched, before it is read. */
static void watch_sources(struct reload *r, const struct config *config)
{
	const char **path = calloc(config->feed_count + 3, sizeof(*path));
	size_t count = 0;

	if (!path)
		return;
	path[count++] = r->options.path;
	for (size_t i = 0; i < config->feed_count; i++)
		path[count++] = config->feed[i].spec.path;
	if (config->geoip_country)
		path[count++] = config->geoip_country;
	if (config->geoip_asn)
		path[count++] = config->geoip_asn;
	if (!watch_files(r->watch, path, config->watch ? count : 0))
		log_warning("out of memory: changed files are not seen");
	free(path);
}

struct reload *reload_new(const struct reload_options *options)
{
	struct reload *r = calloc(1, sizeof(*r));

	if (!r)
		return NULL;
	r->options = *options;
	r->watch = watch_new();
	r->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (!r->watch || r->wake_fd == -1) {
		watch_free(r->watch);
		free(r);
		return NULL;
	}
	pthread_mutex_init(&r->mutex, NULL);
	watch_sources(r, options->config);
	return r;
}

void reload_free(struct reload *r)
{
	if (!r)
		return;
	version_deinit(&r->current);
	version_deinit(&r->old);
	watch_free(r->watch);
	close(r->wake_fd);
	pthread_mutex_destroy(&r->mutex);
	text_deinit(&r->said);
	free(r);
}

static void wake(struct reload *r)
{
	uint64_t one = 1;

	(void)!write(r->wake_fd, &one, sizeof(one));
}

void reload_request(struct reload *r)
{
	wake(r);
}

static bool is_stopping(const struct reload *r)
{
	return gauge_read(&r->stopping) != 0;
}

struct reload_view reload_hold(struct reload *r)
{
	pthread_mutex_lock(&r->mutex);
	return (struct reload_view){ r->current.known, &r->current.report };
}

void reload_release(struct reload *r)
{
	pthread_mutex_unlock(&r->mutex);
}

/* --- one reload -------------------------------------------------------------------------------- */

static void tell_manager(bool begins)
{
	if (begins)
		sd_notifyf(0, "RELOADING=1\nMONOTONIC_USEC=%lld",
			(long long)(clock_monotonic_ns() / NS_PER_US));
	else
		sd_notify(0, "READY=1");
}

/* Is the old version free, or nobody's within that time? Then its memory goes back. */
static bool free_old(struct reload *r, int64_t patience_ns)
{
	int64_t end_ns = clock_monotonic_ns() + patience_ns;

	if (!r->old.known)
		return true;
	while (!engine_wait_adopted(r->options.engine, PATIENCE_MS)) {
		if (is_stopping(r) || clock_monotonic_ns() >= end_ns)
			return false;
	}
	version_deinit(&r->old);
	malloc_trim(0);
	return true;
}

static void log_line(void *arg, const char *line)
{
	(void)arg;
	log_warning("%s", line);
}

static enum err build(
	struct reload *r, struct config *config, struct version *next, struct err_ctx *why)
{
	const struct load_previous previous = { r->current.known, &r->current.report };
	struct load_options options = r->options.load;

	options.previous = &previous;
	options.now_s = clock_wall_ns() / NS_PER_S;
	enum err err = load_check_outputs(config, why);
	if (err)
		return err;
	err = load_knowledge(&next->known, config, &options, &next->report, why);
	if (err)
		load_report_deinit(&next->report);
	else
		load_warn(config, next->known, &next->report, log_line, NULL);
	return err;
}

static void publish(struct reload *r, const struct version *next)
{
	pthread_mutex_lock(&r->mutex);
	r->old = r->current;
	r->current = *next;
	pthread_mutex_unlock(&r->mutex);
	(void)engine_publish(r->options.engine, next->known);
}

/* The sentence about what is in force now. */
static void say_changes(struct reload *r, const struct config *config)
{
	char *fixed = config_needs_restart(r->options.config, config);

	text_printf(&r->said,
		"reloaded in %.2f s, %zu names: ", (double)r->current.report.elapsed_ns / 1e9,
		r->current.report.name_count);
	changes_describe(&r->said, r->old.known, r->current.known);
	for (size_t i = 0; i < r->current.report.feed_count; i++) {
		if (r->current.report.feed[i].kept)
			text_printf(&r->said, "; feed %s keeps what it had",
				r->current.known->feed[i].name);
	}
	if (fixed)
		text_printf(&r->said, "; only a restart changes %s", fixed);
	free(fixed);
}

static enum err load_next(struct reload *r, struct err_ctx *why)
{
	struct version next = { .known = NULL };
	struct config *config = NULL;

	if (!free_old(r, RELOAD_LEAVE_S * NS_PER_S))
		return err_set(why, ERR_FAILED,
			"the version before the one in force is still in use: a thread hangs");
	enum err err = config_load(&config, r->options.path, why);
	if (err)
		return err;
	watch_sources(r, config);
	err = build(r, config, &next, why);
	if (!err) {
		publish(r, &next);
		say_changes(r, config);
		if (!free_old(r, RELOAD_LEAVE_S * NS_PER_S) && !is_stopping(r))
			log_warning("the version before is still in use after %d s: "
				    "a thread hangs",
				RELOAD_LEAVE_S);
	}
	config_free(config);
	malloc_trim(0);
	return err;
}

static void reload_now(struct reload *r)
{
	struct err_ctx why = { { 0 } };

	text_clear(&r->said);
	tell_manager(true);
	enum err err = load_next(r, &why);
	tell_manager(false);
	if (err) {
		log_error("%s; what was in force stays in force", why.text);
		text_printf(&r->said, "%s; what was in force stays in force", why.text);
	} else {
		log_notice("%s", r->said.at ? r->said.at : "reloaded");
	}
	control_answer(r->options.control, err, r->said.at ? r->said.at : "out of memory");
}

/* --- the thread ---------------------------------------------------------------------------------- */

static int sooner(int a_ms, int b_ms)
{
	if (a_ms < 0 || b_ms < 0)
		return a_ms < 0 ? b_ms : a_ms;
	return a_ms < b_ms ? a_ms : b_ms;
}

/* Sleep until there is something to do. */
static void wait_for_reason(const struct reload *r)
{
	int64_t now_ns = clock_monotonic_ns();
	struct pollfd polled[CONTROL_POLLED_MAX + 2] = {
		{ r->wake_fd, POLLIN, 0 },
		{ watch_fd(r->watch), POLLIN, 0 }, /* -1 is passed over */
	};
	size_t count = 2 + control_polled(r->options.control, polled + 2);
	int timeout_ms = sooner(watch_timeout_ms(r->watch, now_ns),
		control_timeout_ms(r->options.control, now_ns));

	if (r->old.known)
		timeout_ms = sooner(timeout_ms, RETRY_MS);
	(void)!poll(polled, count, timeout_ms);
}

/* Is there a reason? */
static bool take_reasons(struct reload *r)
{
	int64_t now_ns = clock_monotonic_ns();
	uint64_t requests = 0;

	bool requested = read(r->wake_fd, &requests, sizeof(requests)) == sizeof(requests);
	bool asked = control_serve(r->options.control, now_ns);
	watch_read(r->watch, now_ns);
	bool changed = watch_is_due(r->watch, now_ns);
	return requested || asked || changed;
}

static void *reload_run(void *arg)
{
	struct reload *r = arg;

	pthread_setname_np(pthread_self(), "dw-reload");
	/* On Linux this is about the calling thread. */
	(void)setpriority(PRIO_PROCESS, 0, NICENESS);
	while (!is_stopping(r)) {
		wait_for_reason(r);
		bool wanted = take_reasons(r);
		if (is_stopping(r))
			break;
		if (wanted)
			reload_now(r);
		else
			(void)free_old(r, 0);
	}
	control_answer(r->options.control, ERR_FAILED, "the sensor is stopping");
	return NULL;
}

enum err reload_start(struct reload *r, struct knowledge *known,
	const struct load_report *loaded, struct err_ctx *why)
{
	r->current = (struct version){ known, *loaded };
	int error = pthread_create(&r->thread, NULL, reload_run, r);
	if (error) {
		r->current = (struct version){ .known = NULL };
		return err_set(why, ERR_FAILED, "cannot start a thread: %s", strerror(error));
	}
	r->started = true;
	return ERR_OK;
}

void reload_cease(struct reload *r)
{
	gauge_set(&r->stopping, 1);
	wake(r);
}

void reload_stop(struct reload *r)
{
	if (!r || !r->started)
		return;
	reload_cease(r);
	pthread_join(r->thread, NULL);
	r->started = false;
}
