/* SPDX-License-Identifier: BSD-2-Clause */
/* replay.c -- `dynwatch replay`: capture files in, alerts and evidence out. */
#include <errno.h>
#include <getopt.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sensor/app/account.h"
#include "sensor/app/commands.h"
#include "sensor/app/engine.h"
#include "sensor/app/interfaces.h"
#include "sensor/app/load.h"
#include "sensor/app/sinks.h"
#include "sensor/app/state.h"
#include "sensor/app/stop.h"
#include "sensor/base/clock.h"
#include "sensor/base/log.h"
#include "sensor/base/quantity.h"
#include "sensor/base/usage.h"
#include "sensor/capture/capture_files.h"
#include "sensor/capture/merge.h"
#include "sensor/capture/paced.h"
#include "sensor/output/progress.h"

/* Tables hash with this in a replay, so that the same capture gives the same alerts every time. */
#define REPLAY_SEED        UINT64_C(0x64796e7761746368)
#define REPLAY_DRAIN_MS    30000
#define PROGRESS_EVERY     64 /* batches between two looks at the clock, on one thread */
#define REPLAY_THREADS_MAX 66

struct replay_options {
	const char *config, *alerts, *changelog, *dns_log, *summary, *redis, *sensor, *state,
		*interface;
	enum sinks_format format;
	enum progress_mode progress;
	bool outputs, explain;
	double speed; /* 0: as fast as it goes */
	uint64_t threads;
	char **capture;
	size_t capture_count;
};

struct replay {
	struct replay_options opt;
	struct config *config;
	struct knowledge *known;
	struct output *output;
	struct sinks_redis redis;
	struct engine engine;
	struct state state;
	struct packet_options packet;
	struct dnslog *dnslog;
	struct progress progress;
	struct capture_files captures;
	struct source_interfaces interfaces;
	uint64_t bytes_total; /* of all captures; 0: not known */
	unsigned batches;
	double load_s;
	int64_t started_ns, started_cpu_ns;
	bool input_failed;
};

static const char usage[] =
	"Usage: dynwatch replay [OPTIONS] CAPTURE...\n"
	"Investigate capture files: pcap and pcapng, also compressed with gzip, zstd or xz; of a\n"
	"directory the captures in it; - is standard input. Several are read as one time line.\n"
	"\n"
	"  -c, --config FILE      configuration; without it one tenant 'default' has all private\n"
	"                         addresses, with the shipped lists and all rules at their defaults\n"
	"      --alerts FILE      alerts as ECS JSON lines; - is standard output (the default)\n"
	"      --format FORMAT    of standard output: table, json, or auto: a table on a terminal,\n"
	"                         JSON lines elsewhere\n"
	"      --changelog FILE   every record that an UPDATE changed, and every UPDATE that failed,\n"
	"                         as a JSON line\n"
	"      --explain-updates  each UPDATE in words, on standard output: who, what, how signed, what\n"
	"                         the server said and why; alerts then only go where --alerts says\n"
	"      --outputs          also send alerts to the configuration's outputs\n"
	"      --redis URL        also add alerts to the stream dynwatch:alerts of this server\n"
	"      --dns-log FILE     every decoded message as a JSON line\n"
	"      --summary FILE     what was read, decoded, judged and written, as JSON\n"
	"      --speed SPEED      max, or how many times faster than it was captured (1: as it was)\n"
	"      --progress WHEN    on standard error: auto (on a terminal), always, never\n"
	"      --threads N        1: everything in one thread; 2 (the default) or more: an input thread,\n"
	"                         one tracker thread for each of sensor.trackers, one for output\n"
	"      --interface NAME   where the captures come from, for tenants selected by interface; a pcapng\n"
	"                         file may say so itself\n"
	"      --sensor NAME      name of the sensor in alerts\n"
	"      --state FILE       begin with what is known of records and owners from earlier captures,\n"
	"                         and write down what is known at the end; without it every replay\n"
	"                         begins with nothing\n"
	"  -h, --help             this text\n"
	"\n"
	"The same captures and configuration give the same alerts, byte for byte, with any --threads.\n"
	"Exit codes: 0 done; 1 failed while running; 2 bad usage or configuration; 3 a capture could\n"
	"not be read or ended in the middle (what came before it was judged and reported).\n";

enum option_letter {
	OPT_ALERTS = 256,
	OPT_FORMAT,
	OPT_CHANGELOG,
	OPT_EXPLAIN,
	OPT_OUTPUTS,
	OPT_REDIS,
	OPT_DNS_LOG,
	OPT_SUMMARY,
	OPT_SPEED,
	OPT_PROGRESS,
	OPT_THREADS,
	OPT_SENSOR,
	OPT_INTERFACE,
	OPT_STATE,
};

static const struct option long_options[] = {
	{ "config", required_argument, NULL, 'c' },
	{ "alerts", required_argument, NULL, OPT_ALERTS },
	{ "format", required_argument, NULL, OPT_FORMAT },
	{ "changelog", required_argument, NULL, OPT_CHANGELOG },
	{ "explain-updates", no_argument, NULL, OPT_EXPLAIN },
	{ "outputs", no_argument, NULL, OPT_OUTPUTS },
	{ "redis", required_argument, NULL, OPT_REDIS },
	{ "dns-log", required_argument, NULL, OPT_DNS_LOG },
	{ "summary", required_argument, NULL, OPT_SUMMARY },
	{ "speed", required_argument, NULL, OPT_SPEED },
	{ "progress", required_argument, NULL, OPT_PROGRESS },
	{ "threads", required_argument, NULL, OPT_THREADS },
	{ "sensor", required_argument, NULL, OPT_SENSOR },
	{ "interface", required_argument, NULL, OPT_INTERFACE },
	{ "state", required_argument, NULL, OPT_STATE },
	{ "help", no_argument, NULL, 'h' },
	{ NULL, 0, NULL, 0 },
};

static bool parse_speed(double *out, const char *text)
{
	if (strcmp(text, "max") == 0) {
		*out = 0;
		return true;
	}
	return quantity_parse_number(out, text) && *out > 0;
}

/* Take one option; false when its value is not one. */
static bool take_option(struct replay_options *o, int letter, const char *value)
{
	switch (letter) {
	case 'c':
		o->config = value;
		return true;
	case OPT_ALERTS:
		o->alerts = value;
		return true;
	case OPT_FORMAT:
		return sinks_format_parse(&o->format, value);
	case OPT_CHANGELOG:
		o->changelog = value;
		return true;
	case OPT_EXPLAIN:
		o->explain = true;
		return true;
	case OPT_OUTPUTS:
		o->outputs = true;
		return true;
	case OPT_REDIS:
		o->redis = value;
		return true;
	case OPT_DNS_LOG:
		o->dns_log = value;
		return true;
	case OPT_SUMMARY:
		o->summary = value;
		return true;
	case OPT_SPEED:
		return parse_speed(&o->speed, value);
	case OPT_PROGRESS:
		return progress_mode_parse(&o->progress, value);
	case OPT_THREADS:
		return quantity_parse_count(&o->threads, value) && o->threads >= 1 &&
		       o->threads <= REPLAY_THREADS_MAX;
	case OPT_STATE:
		o->state = value;
		return *value != '\0';
	case OPT_SENSOR:
		o->sensor = value;
		return *value != '\0';
	case OPT_INTERFACE:
		o->interface = value;
		return *value != '\0';
	default:
		return false;
	}
}

static bool is_standard(const char *path)
{
	return path && strcmp(path, "-") == 0;
}

/* Standard output has one kind of result; alerts, when nothing else was asked for. */
static int claim_standard(struct replay_options *o)
{
	bool changelog = is_standard(o->changelog);
	if (o->explain + changelog + is_standard(o->alerts) > 1)
		return usage_fail("dynwatch replay",
			"only one of --alerts -, --changelog - and --explain-updates can have "
			"standard output: give the others a file");
	if (!o->alerts && !o->explain && !changelog)
		o->alerts = "-";
	return -1;
}

/* -1: go on; otherwise the exit code. */
static int parse(struct replay_options *o, int argc, char **argv)
{
	int letter, index = 0;
	*o = (struct replay_options){ .threads = 2 };
	optind = 1;
	opterr = 0;
	while ((letter = getopt_long(argc, argv, ":c:h", long_options, &index)) != -1) {
		if (letter == 'h') {
			fputs(usage, stdout);
			return 0;
		}
		if (letter == '?' || letter == ':')
			return usage_bad_option("dynwatch replay", argv, letter);
		if (!take_option(o, letter, optarg)) {
			return usage_fail("dynwatch replay", "'%s' is no value for --%s",
				optarg, long_options[index].name);
		}
	}
	o->capture = argv + optind;
	o->capture_count = (size_t)(argc - optind);
	if (o->capture_count == 0)
		return usage_fail("dynwatch replay", "name at least one capture");
	for (size_t i = 0; o->capture_count > 1 && i < o->capture_count; i++)
		if (strcmp(o->capture[i], "-") == 0)
			return usage_fail("dynwatch replay",
				"standard input (-) cannot be merged with other captures");
	return claim_standard(o);
}

/* --- setting up ----------------------------------------------------------------------------- */

static const char *sensor_name(const struct replay *r)
{
	return r->opt.sensor ? r->opt.sensor : r->config->sensor.name;
}

static enum err load(struct replay *r, struct err_ctx *why)
{
	int64_t start = clock_monotonic_ns();
	enum err err = r->opt.config ? config_load(&r->config, r->opt.config, why)
				     : config_builtin(&r->config, why);
	if (err == ERR_OK && r->opt.outputs)
		err = load_check_outputs(r->config, why);
	if (err == ERR_OK)
		err = interfaces_init(
			&r->interfaces, r->config->policies, r->opt.interface, why);
	const struct load_options options = {
		.seed = REPLAY_SEED,
		.interface_name = r->interfaces.name,
		.interface_count = r->interfaces.count,
	};
	if (err == ERR_OK)
		err = load_and_warn(&r->known, r->config, &options, NULL, why);
	if (err != ERR_OK)
		return err;
	load_packet_options(&r->packet, r->config, options.seed);
	r->load_s = (double)(clock_monotonic_ns() - start) / 1e9;
	return ERR_OK;
}

static enum err open_outputs(struct replay *r, struct err_ctx *why)
{
	const struct replay_options *o = &r->opt;
	struct output_options options = { .sensor = sensor_name(r),
		.version = DYNWATCH_VERSION };
	r->output = output_new(&options);
	if (!r->output)
		return err_set(why, ERR_FAILED, "out of memory");
	enum err err = ERR_OK;
	if (o->alerts)
		err = sinks_add_alerts(r->output, o->alerts, o->format, why);
	if (err == ERR_OK && o->changelog)
		err = sinks_add_changelog(r->output, o->changelog, why);
	if (err == ERR_OK && o->explain)
		err = sinks_add_explanations(r->output, why);
	if (err == ERR_OK && o->outputs)
		err = sinks_add_configured(
			r->output, r->config, sensor_name(r), &r->redis, why);
	if (err == ERR_OK && o->redis)
		err = sinks_add_redis(r->output, o->redis, sensor_name(r), &r->redis, why);
	unsigned how = r->opt.threads > 1 ? DNSLOG_ASIDE : 0;
	const char *dns_log = o->dns_log;
	if (!dns_log && o->outputs) {
		dns_log = sinks_dnslog_path(r->config);
		how |= DNSLOG_APPEND;
	}
	if (err != ERR_OK || !dns_log)
		return err;
	r->dnslog = dnslog_open(dns_log, how);
	if (r->dnslog)
		return ERR_OK;
	return err_set(why, ERR_FAILED, "%s: %s", dns_log, strerror(errno));
}

static enum err start_engine(struct replay *r, struct err_ctx *why)
{
	const enum dedup_mode dedup = load_dedup_mode(r->config->dedup);
	struct engine_options options = {
		.shard_count = r->config->sensor.trackers,
		.input_count = 1,
		.threaded = r->opt.threads > 1,
		.memory_bytes = r->config->sensor.memory_mb << 20,
		.seed = REPLAY_SEED,
		.known = r->known,
		.packet = &r->packet,
		.dedup = &dedup,
		.output = r->output,
		.dnslog = r->dnslog,
	};
	enum err err = engine_init(&r->engine, &options, why);
	if (err != ERR_OK)
		return err;
	err = state_init(&r->state, r->opt.state, why);
	if (err == ERR_OK)
		err = state_load(&r->state, &r->engine, false, why);
	return err != ERR_OK ? err : engine_start(&r->engine, why);
}

/* --- reading -------------------------------------------------------------------------------- */

static struct progress_facts facts_now(const struct replay *r)
{
	struct engine_progress now = engine_progress(&r->engine);
	return (struct progress_facts){ now.position_bytes, r->bytes_total, now.packets,
		now.alerts };
}

static void show_progress(struct replay *r)
{
	struct progress_facts facts = facts_now(r);
	progress_update(&r->progress, &facts, clock_monotonic_ns());
}

static void each_batch(void *arg)
{
	struct replay *r = arg;
	if (++r->batches % PROGRESS_EVERY == 0)
		show_progress(r);
}

/* What the input thread needs and leaves. */
struct read_job {
	struct input *input;
	enum source_status status;
	struct err_ctx why;
};

static void *read_source(void *arg)
{
	struct read_job *job = arg;
	job->status = input_run(job->input, &job->why);
	return NULL;
}

/* The main thread shows how far the input thread is, and takes the signals. */
static bool read_on_thread(struct replay *r, struct read_job *job)
{
	pthread_t thread;
	stop_block();
	int error = pthread_create(&thread, NULL, read_source, job);
	stop_install();
	if (error)
		return false;
	for (;;) {
		struct timespec until;
		clock_gettime(CLOCK_REALTIME, &until);
		until.tv_nsec += PROGRESS_REDRAW_MS / 2 * NS_PER_MS;
		until.tv_sec += until.tv_nsec / NS_PER_S;
		until.tv_nsec %= NS_PER_S;
		if (pthread_timedjoin_np(thread, NULL, &until) != ETIMEDOUT)
			return true;
		show_progress(r);
	}
}

static void input_failure(struct replay *r, const struct err_ctx *why)
{
	log_error("%s", why->text);
	r->input_failed = true;
}

/* The files that the arguments mean. A directory that cannot be read costs itself only. */
static bool find_captures(struct replay *r)
{
	for (size_t i = 0; i < r->opt.capture_count; i++) {
		struct err_ctx why;
		if (capture_files_add(&r->captures, r->opt.capture[i], &why) != ERR_OK)
			input_failure(r, &why);
	}
	return r->captures.count > 0;
}

static enum err open_captures(struct replay *r, struct source **out, struct err_ctx *why)
{
	enum err err = source_open_merged(out, r->captures.path, r->captures.count,
		r->engine.options.threaded, &r->interfaces, why);
	if (err != ERR_OK)
		return err;
	r->bytes_total = (*out)->size_bytes;
	return r->opt.speed == 0 ? ERR_OK : source_open_paced(out, *out, r->opt.speed, why);
}

static void read_captures(struct replay *r)
{
	struct input *in = engine_input(&r->engine, 0);
	struct read_job job = { .input = in };
	if (!find_captures(r))
		return;
	if (open_captures(r, &in->source, &job.why) != ERR_OK) {
		input_failure(r, &job.why);
		return;
	}
	stop_watch(0, in->source);
	if (stop_requested())
		source_interrupt(in->source);
	if (r->engine.options.threaded) {
		if (!read_on_thread(r, &job))
			log_error("cannot start a thread");
	} else {
		in->each_batch = each_batch;
		in->each_batch_arg = r;
		read_source(&job);
	}
	stop_watch(0, NULL);
	if (job.status == SOURCE_ERROR)
		input_failure(r, &job.why);
	source_close(in->source);
	in->source = NULL;
}

/* --- finishing ------------------------------------------------------------------------------ */

static int write_summary(struct replay *r, uint64_t lost)
{
	struct account account;
	struct err_ctx why = { { 0 } };
	int status = 0;
	if (!account_take(&account, &r->engine, r->output, r->known->policies)) {
		log_error("out of memory for the summary");
		return 1;
	}
	struct summary *s = &account.summary;
	s->alerts.lost = lost;
	s->load_s = r->load_s;
	s->elapsed_s = (double)(clock_monotonic_ns() - r->started_ns) / 1e9;
	s->cpu_s = (double)(clock_cpu_ns() - r->started_cpu_ns) / 1e9;
	s->packets_per_s = s->elapsed_s > 0 ? (double)s->packets.read / s->elapsed_s : 0;
	s->alerts_path = is_standard(r->opt.alerts) ? NULL : r->opt.alerts;
	s->summary_path = r->opt.summary;
	if (r->opt.summary && summary_write(s, r->opt.summary, &why) != ERR_OK) {
		log_error("%s", why.text);
		status = 1;
	}
	fflush(stdout);
	summary_print(stderr, s);
	account_deinit(&account);
	return status;
}

static int finish(struct replay *r)
{
	engine_finish(&r->engine);
	struct progress_facts facts = facts_now(r);
	progress_end(&r->progress, &facts, clock_monotonic_ns());

	uint64_t lost = output_close(r->output, REPLAY_DRAIN_MS);
	int log_errno = dnslog_close(r->dnslog);
	r->dnslog = NULL;
	int status = write_summary(r, lost);
	if (!state_save(&r->state, &r->engine))
		status = 1;
	if (lost > 0) {
		log_error("%llu alerts or lines of the change log could not be delivered",
			(unsigned long long)lost);
		status = 1;
	}
	if (log_errno != 0) {
		log_error("the DNS log could not be written: %s", strerror(log_errno));
		status = 1;
	}
	if (status == 0 && r->input_failed)
		status = ERR_INPUT;
	return status;
}

static void close_all(struct replay *r)
{
	engine_deinit(&r->engine);
	state_deinit(&r->state);
	output_free(r->output);
	load_free(r->known);
	config_free(r->config);
	capture_files_deinit(&r->captures);
	interfaces_deinit(&r->interfaces);
}

int replay_command(int argc, char **argv)
{
	struct replay *r = calloc(1, sizeof(*r));
	struct err_ctx why = { { 0 } };
	if (!r)
		return ERR_FAILED;
	int status = parse(&r->opt, argc, argv);
	if (status >= 0) {
		free(r);
		return status;
	}
	enum err err = load(r, &why);
	stop_block();
	if (err == ERR_OK)
		err = open_outputs(r, &why);
	if (err == ERR_OK)
		err = start_engine(r, &why);
	stop_install();
	if (err != ERR_OK) {
		log_error("%s", why.text);
		status = (int)err;
	} else {
		r->started_ns = clock_monotonic_ns();
		r->started_cpu_ns = clock_cpu_ns();
		progress_init(&r->progress, r->opt.progress, STDERR_FILENO, r->started_ns);
		read_captures(r);
		status = finish(r);
	}
	close_all(r);
	free(r);
	return status;
}
