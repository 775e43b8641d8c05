/* SPDX-License-Identifier: BSD-2-Clause */
/* run.c -- `dynwatch run`: the live sensor, in the foreground. */
#include <errno.h>
#include <getopt.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-daemon.h>
#include <time.h>
#include <unistd.h>

#include "sensor/app/account.h"
#include "sensor/app/captures.h"
#include "sensor/app/commands.h"
#include "sensor/app/degraded.h"
#include "sensor/app/engine.h"
#include "sensor/app/feed_health.h"
#include "sensor/app/load.h"
#include "sensor/app/privilege.h"
#include "sensor/app/reload.h"
#include "sensor/app/sinks.h"
#include "sensor/app/state.h"
#include "sensor/app/stop.h"
#include "sensor/base/clock.h"
#include "sensor/base/hash.h"
#include "sensor/base/log.h"
#include "sensor/base/usage.h"
#include "sensor/output/redis.h"

#define RUN_DRAIN_MS    10000
#define SUMMARY_EVERY_S 60
#define HEARTBEAT_S     10
#define FEEDS_EVERY_S   3600

_Static_assert(STOP_SOURCES_MAX >= LANE_INPUTS_MAX, "every input hears of the end");

struct run_options {
	const char *config, *summary;
	const char *interface[CAPTURES_MAX];
	size_t interface_count;
};

/* One input and its thread. */
struct run_input {
	struct input *input;
	pthread_t thread;
	bool started;
	enum source_status status;
	struct err_ctx why;
};

struct run {
	struct run_options opt;
	struct config *config;
	struct knowledge *known; /* the first version; the reloader's once that has started */
	struct load_report loaded;
	struct reload *reload;
	struct control control;
	struct reload_view view; /* while it is held: of the thread that drives the output */
	const struct knowledge *feeds_of; /* the version whose feeds were looked at last */
	struct output *output;
	struct sinks_redis redis;
	struct engine engine;
	struct packet_options packet;
	struct dnslog *dnslog;
	struct captures captures;
	struct run_input input[LANE_INPUTS_MAX];
	struct degraded *degraded;
	struct state state;
	/* written by the main thread, and by the output's when it is done */
	struct gauge reopen;
	bool watchdog; /* systemd wants to hear from us */
	double load_s;
	int64_t started_ns, started_wall_ns, started_cpu_ns;
	unsigned seconds; /* of the output thread's clock */
};

static const char usage[] =
	"Usage: dynwatch run -c FILE [OPTIONS]\n"
	"Watch network interfaces, in the foreground, until SIGTERM or SIGINT.\n"
	"\n"
	"  -c, --config FILE       configuration\n"
	"  -i, --interface IFACE   capture here instead of the configuration's capture: (repeatable)\n"
	"      --summary FILE      what was read, judged and written, as JSON; rewritten every minute\n"
	"  -h, --help              this text\n"
	"\n"
	"Signals: SIGTERM and SIGINT judge and deliver what was read, then exit 0; a second one exits at\n"
	"once. SIGHUP reloads configuration and feeds, and opens output files anew (log rotation).\n";

static const struct option long_options[] = {
	{ "config", required_argument, NULL, 'c' },
	{ "interface", required_argument, NULL, 'i' },
	{ "summary", required_argument, NULL, 's' },
	{ "help", no_argument, NULL, 'h' },
	{ NULL, 0, NULL, 0 },
};

/* -1: go on; otherwise the exit code. */
static int parse(struct run_options *o, int argc, char **argv)
{
	int letter;
	optind = 1;
	opterr = 0;
	while ((letter = getopt_long(argc, argv, ":c:i:h", long_options, NULL)) != -1) {
		switch (letter) {
		case 'c':
			o->config = optarg;
			break;
		case 'i':
			if (o->interface_count == CAPTURES_MAX)
				return usage_fail("dynwatch run", "more than %d interfaces",
					CAPTURES_MAX);
			o->interface[o->interface_count++] = optarg;
			break;
		case 's':
			o->summary = optarg;
			break;
		case 'h':
			fputs(usage, stdout);
			return ERR_OK;
		default:
			return usage_bad_option("dynwatch run", argv, letter);
		}
	}
	if (optind < argc)
		return usage_fail("dynwatch run", "'%s' is not an option", argv[optind]);
	return o->config ? -1
			 : usage_fail("dynwatch run", "a configuration is needed: -c FILE");
}

/* --- setting up ----------------------------------------------------------------------------- */

static enum err prepare_reload(
	struct run *r, const struct load_options *load, struct err_ctx *why)
{
	const struct reload_options options = {
		.path = r->opt.config,
		.config = r->config,
		.load = *load,
		.engine = &r->engine,
		.control = &r->control,
	};
	r->reload = reload_new(&options);
	return r->reload ? ERR_OK : err_set(why, ERR_FAILED, "out of memory");
}

/* The socket belongs to whom we are to become. */
static enum err open_control(struct run *r, struct err_ctx *why)
{
	const char *path = r->config->control_socket;
	uid_t owner;
	gid_t group;
	enum err err = privilege_user(r->config->sensor.user, &owner, &group, why);
	return err == ERR_OK ? control_open(&r->control, path ? path : "", owner, group, why)
			     : err;
}

static enum err load(struct run *r, struct err_ctx *why)
{
	int64_t start = clock_monotonic_ns();
	enum err err = config_load(&r->config, r->opt.config, why);
	if (err == ERR_OK)
		err = captures_choose(
			&r->captures, r->config, r->opt.interface, r->opt.interface_count, why);
	if (err == ERR_OK)
		err = load_check_outputs(r->config, why);
	const struct load_options options = { .seed = hash_random_seed(),
		.cache = LOAD_CACHE_KEEP,
		.interface_name = r->captures.name,
		.interface_count = r->captures.count,
		.now_s = clock_wall_ns() / NS_PER_S };
	if (err == ERR_OK)
		err = prepare_reload(r, &options, why);
	if (err == ERR_OK)
		err = load_and_warn(&r->known, r->config, &options, &r->loaded, why);
	if (err != ERR_OK)
		return err;
	load_packet_options(&r->packet, r->config, options.seed);
	r->load_s = (double)(clock_monotonic_ns() - start) / 1e9;
	return ERR_OK;
}

static enum err open_outputs(struct run *r, struct err_ctx *why)
{
	struct output_options options = { .sensor = r->config->sensor.name,
		.version = DYNWATCH_VERSION };
	const char *dnslog = sinks_dnslog_path(r->config);
	r->output = output_new(&options);
	if (!r->output)
		return err_set(why, ERR_FAILED, "out of memory");
	enum err err = sinks_add_configured(
		r->output, r->config, r->config->sensor.name, &r->redis, why);
	if (err != ERR_OK || !dnslog)
		return err;
	r->dnslog = dnslog_open(dnslog, DNSLOG_ASIDE | DNSLOG_APPEND | DNSLOG_LASTING);
	if (r->dnslog)
		return ERR_OK;
	return err_set(why, ERR_FAILED, "%s: %s", dnslog, strerror(errno));
}

/* --- once a second, on the output thread ------------------------------------------------------ */

static void write_summary(struct run *r)
{
	struct account account;
	struct err_ctx why = { { 0 } };
	if (!account_take(&account, &r->engine, r->output, r->view.known->policies))
		return;
	struct summary *s = &account.summary;
	s->load_s = r->load_s;
	s->elapsed_s = (double)(clock_monotonic_ns() - r->started_ns) / 1e9;
	s->cpu_s = (double)(clock_cpu_ns() - r->started_cpu_ns) / 1e9;
	s->packets_per_s = s->elapsed_s > 0 ? (double)s->packets.read / s->elapsed_s : 0;
	if (r->opt.summary && summary_write(s, r->opt.summary, &why) != ERR_OK)
		log_error("%s", why.text);
	log_notice("%llu packets, %llu DNS messages, %llu alerts, %llu packets dropped",
		(unsigned long long)s->packets.read, (unsigned long long)s->dns.messages,
		(unsigned long long)s->alerts.written, (unsigned long long)s->packets.dropped);
	sd_notifyf(0, "STATUS=%llu packets, %llu DNS messages, %llu alerts, %llu dropped",
		(unsigned long long)s->packets.read, (unsigned long long)s->dns.messages,
		(unsigned long long)s->alerts.written, (unsigned long long)s->packets.dropped);
	account_deinit(&account);
}

/* What an input lost by now, and what there was. */
static struct degraded_input input_losses(const struct input_counters *c)
{
	struct degraded_input now = {
		.packets.lost =
			gauge_read(&c->dropped_kernel) + gauge_read(&c->dropped_interface),
		.messages.lost = gauge_read(&c->packets[PACKET_REJECT_RING_FULL]),
	};
	now.packets.all = gauge_read(&c->read) + now.packets.lost;
	now.messages.all = gauge_read(&c->packets[PACKET_DNS]) + now.messages.lost;
	return now;
}

/* Look for losses; returns how much was lost since the start, of anything. */
static uint64_t check_losses(struct run *r)
{
	struct degraded_input input[LANE_INPUTS_MAX];
	struct degraded_outputs outputs = {
		.alerts = { output_written(r->output), output_lost(r->output) },
	};
	uint64_t lost = outputs.alerts.lost;
	for (size_t i = 0; i < r->captures.input_count; i++) {
		input[i] = input_losses(&r->engine.counters[i]);
		lost += input[i].packets.lost + input[i].messages.lost;
		outputs.logged.all += input[i].messages.all;
	}
	outputs.logged.lost = logger_missing(r->engine.logger);
	degraded_check(r->degraded, input, &outputs,
		&r->view.known->policies->tenant[POLICY_UNMAPPED], r->output, clock_wall_ns());
	return lost;
}

static void send_heartbeats(struct run *r, uint64_t lost)
{
	struct redis_facts facts = {
		.started_ns = r->started_wall_ns,
		.packets = engine_progress(&r->engine).packets,
		.alerts = output_written(r->output),
		.dropped = lost,
		.interval_s = HEARTBEAT_S,
	};
	for (size_t i = 0; i < r->captures.input_count; i++) {
		int64_t last = (int64_t)gauge_read(&r->engine.counters[i].last_ts_ns);
		if (last > facts.last_packet_ns)
			facts.last_packet_ns = last;
	}
	for (size_t i = 0; i < r->redis.count; i++)
		redis_heartbeat(r->redis.sink[i], &facts);
}

/* When they have been loaded, and every hour: they grow old. */
static void check_feeds(struct run *r)
{
	if (r->view.known == r->feeds_of && r->seconds % FEEDS_EVERY_S != 0)
		return;
	r->feeds_of = r->view.known;
	feed_health_check(r->view.known, r->view.loaded, r->output, clock_wall_ns());
}

static void each_second(void *arg)
{
	struct run *r = arg;
	if (r->watchdog)
		sd_notify(0, "WATCHDOG=1");
	if (gauge_read(&r->reopen)) {
		gauge_set(&r->reopen, 0);
		output_reopen(r->output);
	}
	r->view = reload_hold(r->reload);
	uint64_t lost = check_losses(r);
	check_feeds(r);
	output_idle(r->output);
	if (r->seconds % HEARTBEAT_S == 0)
		send_heartbeats(r, lost);
	if (++r->seconds % SUMMARY_EVERY_S == 0)
		write_summary(r);
	reload_release(r->reload);
}

/* --- running ---------------------------------------------------------------------------------- */

static enum err start_engine(struct run *r, struct err_ctx *why)
{
	const char *label[LANE_INPUTS_MAX];
	enum dedup_mode dedup[LANE_INPUTS_MAX];
	for (size_t i = 0; i < r->captures.input_count; i++) {
		label[i] = r->captures.input[i].label;
		dedup[i] = r->captures.input[i].dedup;
	}
	r->degraded = degraded_new(label, r->captures.input_count);
	if (!r->degraded)
		return err_set(why, ERR_FAILED, "out of memory");
	struct engine_options options = {
		.shard_count = r->config->sensor.trackers,
		.input_count = r->captures.input_count,
		.threaded = true,
		.memory_bytes = r->config->sensor.memory_mb << 20,
		.seed = hash_random_seed(),
		.live = true,
		.known = r->known,
		.packet = &r->packet,
		.dedup = dedup,
		.output = r->output,
		.dnslog = r->dnslog,
		.idle = each_second,
		.idle_arg = r,
	};
	enum err err = engine_init(&r->engine, &options, why);
	if (err == ERR_OK)
		err = state_init(&r->state, r->config->state_path, why);
	if (err == ERR_OK)
		err = state_load(&r->state, &r->engine, true, why);
	if (err == ERR_OK)
		err = reload_start(r->reload, r->known, &r->loaded, why);
	if (err != ERR_OK)
		return err;
	r->known = NULL;
	r->loaded = (struct load_report){ 0 };
	return engine_start(&r->engine, why);
}

static void *read_source(void *arg)
{
	struct run_input *in = arg;
	pthread_setname_np(pthread_self(), "dw-input");
	in->status = input_run(in->input, &in->why);
	if (in->status == SOURCE_ERROR)
		log_error("%s", in->why.text);
	return NULL;
}

static enum err start_inputs(struct run *r, struct err_ctx *why)
{
	for (size_t i = 0; i < r->captures.input_count; i++) {
		struct run_input *in = &r->input[i];
		in->input = engine_input(&r->engine, i);
		in->input->source = r->captures.input[i].source;
		int error = pthread_create(&in->thread, NULL, read_source, in);
		if (error)
			return err_set(
				why, ERR_FAILED, "cannot start a thread: %s", strerror(error));
		in->started = true;
	}
	return ERR_OK;
}

static bool input_alive(const struct run_input *in)
{
	return in->started && pthread_tryjoin_np(in->thread, NULL) == EBUSY;
}

/* The main thread only waits for signals, for inputs that fail for good, and writes the state. */
static void wait_for_end(struct run *r)
{
	const struct timespec nap = { .tv_nsec = 200 * NS_PER_MS };
	for (;;) {
		bool alive = false;
		for (size_t i = 0; i < r->captures.input_count; i++) {
			struct run_input *in = &r->input[i];
			if (in->started && input_alive(in)) {
				alive = true;
				continue;
			}
			in->started = false;
			if (in->input)
				input_keep_up(in->input);
		}
		if (!alive)
			return;
		if (stop_hup()) {
			log_notice("opening output files anew, and reloading");
			gauge_set(&r->reopen, 1);
			if (r->dnslog)
				dnslog_reopen(r->dnslog);
			reload_request(r->reload);
		}
		state_poll(&r->state, &r->engine, clock_monotonic_ns());
		nanosleep(&nap, NULL);
	}
}

/* The inputs have ended: what was lost in their last second. */
static void count_last_losses(struct run *r)
{
	for (size_t i = 0; i < r->captures.input_count; i++) {
		struct source_losses losses;
		source_losses(r->captures.input[i].source, &losses);
		gauge_set(&r->engine.counters[i].dropped_kernel, losses.dropped_kernel);
		gauge_set(&r->engine.counters[i].dropped_interface, losses.dropped_interface);
	}
}

static int finish(struct run *r)
{
	count_last_losses(r);
	engine_finish(&r->engine);
	uint64_t lost = output_close(r->output, RUN_DRAIN_MS);
	int log_errno = dnslog_close(r->dnslog);
	r->view = reload_hold(r->reload);
	bool state_saved = state_save(&r->state, &r->engine);
	write_summary(r);
	reload_release(r->reload);
	if (lost > 0)
		log_error("%llu alerts or lines of the change log could not be delivered",
			(unsigned long long)lost);
	if (log_errno)
		log_error("the DNS log could not be written: %s", strerror(log_errno));
	for (size_t i = 0; i < r->captures.input_count; i++)
		if (r->input[i].status == SOURCE_ERROR)
			return ERR_INPUT;
	return lost > 0 || log_errno || !state_saved ? ERR_FAILED : ERR_OK;
}

static int run_until_stopped(struct run *r)
{
	struct err_ctx why = { { 0 } };
	r->started_ns = clock_monotonic_ns();
	r->started_cpu_ns = clock_cpu_ns();
	r->started_wall_ns = clock_wall_ns();
	r->watchdog = sd_watchdog_enabled(0, NULL) > 0;
	enum err err = start_inputs(r, &why);
	stop_install();
	for (size_t i = 0; i < r->captures.input_count; i++)
		stop_watch(i, r->captures.input[i].source);
	if (err == ERR_OK) {
		sd_notifyf(0, "READY=1\nSTATUS=watching %s%s", r->captures.name[0],
			r->captures.count > 1 ? " and more" : "");
		wait_for_end(r);
		sd_notify(0, "STOPPING=1");
	} else {
		log_error("%s", why.text);
		for (size_t i = 0; i < r->captures.input_count; i++)
			source_interrupt(r->captures.input[i].source);
		wait_for_end(r);
	}
	for (size_t i = 0; i < r->captures.input_count; i++)
		stop_watch(i, NULL);
	reload_cease(r->reload);
	int status = finish(r);
	return err == ERR_OK ? status : (int)err;
}

static void close_all(struct run *r)
{
	reload_stop(r->reload);
	engine_deinit(&r->engine);
	reload_free(r->reload);
	control_close(&r->control);
	state_deinit(&r->state);
	captures_close(&r->captures);
	degraded_free(r->degraded);
	output_free(r->output);
	load_free(r->known);
	load_report_deinit(&r->loaded);
	config_free(r->config);
}

int run_command(int argc, char **argv)
{
	struct run *r = calloc(1, sizeof(*r));
	struct err_ctx why = { { 0 } };
	if (!r)
		return ERR_FAILED;
	r->control.listener.fd = -1;
	int status = parse(&r->opt, argc, argv);
	if (status >= 0) {
		free(r);
		return status;
	}
	enum err err = load(r, &why);
	if (err == ERR_OK)
		err = captures_open(&r->captures, r->config, &r->packet, &why);
	if (err == ERR_OK)
		err = open_control(r, &why);
	if (err == ERR_OK)
		err = privilege_drop(r->config->sensor.user, &why);
	stop_block();
	if (err == ERR_OK)
		err = open_outputs(r, &why);
	if (err == ERR_OK)
		err = start_engine(r, &why);
	if (err == ERR_OK) {
		status = run_until_stopped(r);
	} else {
		log_error("%s", why.text);
		status = (int)err;
	}
	close_all(r);
	free(r);
	return status;
}
