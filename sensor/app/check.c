/* SPDX-License-Identifier: BSD-2-Clause */
/* dynwatch check: read configuration and feeds as `run` would, report, change nothing. */
#include "sensor/app/commands.h"

#include "sensor/app/captures.h"
#include "sensor/app/load.h"
#include "sensor/base/clock.h"
#include "sensor/base/hash.h"
#include "sensor/base/log.h"
#include "sensor/base/quantity.h"
#include "sensor/base/usage.h"
#include "sensor/output/redis_url.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static const char help[] =
	"Usage: dynwatch check -c FILE\n"
	"Read configuration and every feed, print what was found, change nothing.\n"
	"Exit code 0: all is well; 2: the first error stands on standard error with its place.\n"
	"\n"
	"  -c, --config FILE   the configuration\n"
	"      --options       instead: list every key of the configuration\n"
	"      --providers     instead: list the ids that `approved: provider:` takes (with -c,\n"
	"                      those of its feeds too)\n"
	"      --manual FILE   instead: fill FILE's @options@ lines, for dynwatch.conf(5)\n"
	"  -h, --help          this text\n";

struct arguments {
	const char *config;
	const char *manual;
	bool options, providers;
};

static void say(void *arg, const char *line)
{
	(void)arg;
	log_warning("%s", line);
}

/* --- configuration ------------------------------------------------------------------------- */

static void print_heading(const char *heading)
{
	printf("%-14s ", heading);
}

static void print_selector(const struct policy_selector *s)
{
	char text[IP_NET_TEXT_MAX];
	const char *between = "";

	for (size_t i = 0; i < s->interface_count; i++, between = ", ")
		printf("%sinterface %s", between, s->interface[i]);
	for (size_t i = 0; i < s->vlan_count; i++, between = ", ")
		printf("%sVLAN %u", between, s->vlan[i]);
	for (size_t i = 0; i < s->vni_count; i++, between = ", ")
		printf("%sVNI %u", between, s->vni[i]);
	for (size_t i = 0; i < s->network_count; i++, between = ", ")
		printf("%s%s", between, ip_net_format(&s->network[i], text));
	if (!*between)
		printf("what nobody else takes");
}

static void print_tenants(const struct policy_set *policies)
{
	print_heading("tenants");
	printf("%zu\n", policies->tenant_count - 1);
	for (size_t i = 1; i < policies->tenant_count; i++) {
		const struct policy *p = &policies->tenant[i];
		printf("  %-12s ", p->id);
		print_selector(&p->select);
		printf("; %zu approved, %zu zones, %zu excludes\n", p->approved_count,
			p->zone_count, p->exclude_count);
	}
}

static void print_output(const struct config_output *output)
{
	static const char *const kind[] = {
		[CONFIG_OUTPUT_JSONL] = "jsonl",
		[CONFIG_OUTPUT_REDIS] = "redis",
		[CONFIG_OUTPUT_DNSLOG] = "dnslog",
		[CONFIG_OUTPUT_CHANGELOG] = "changelog",
	};
	struct redis_url url;
	struct err_ctx why;

	if (!output->url)
		printf("%s %s", kind[output->kind], output->path);
	else if (redis_url_parse(&url, output->url, &why) == ERR_OK)
		printf("%s %s, stream %s", kind[output->kind], url.shown, /* no password */
			output->stream);
}

static void print_inputs(const struct config *c)
{
	const struct config_sensor *s = &c->sensor;

	print_heading("sensor");
	printf("%s, %" PRIu64 " MiB for tracking, %u input thread%s a capture", s->name,
		s->memory_mb, s->inputs, s->inputs == 1 ? "" : "s");
	if (s->trackers == 0)
		printf(", which judges too\n");
	else
		printf(", %u tracker%s\n", s->trackers, s->trackers == 1 ? "" : "s");
	for (size_t i = 0; i < c->capture_count; i++) {
		print_heading(i ? "" : "capture");
		const struct config_capture *capture = &c->capture[i];
		const char *filter = capture->dnstap ? "" : capture->filter;
		printf("%s%s%s%s\n", capture->dnstap ? "dnstap at " : "", capture->interface,
			filter[0] ? ", filter " : "", filter);
	}
	print_heading("ports");
	for (size_t i = 0; i < c->port_count; i++)
		printf("%s%u", i ? ", " : "", c->port[i]);
	printf("\n");
}

static void print_outputs(const struct config *c)
{
	for (size_t i = 0; i < c->output_count; i++) {
		print_heading(i ? "" : "outputs");
		print_output(&c->output[i]);
		printf("\n");
	}
	if (c->geoip_country || c->geoip_asn) {
		print_heading("geoip");
		printf("%s%s%s\n", c->geoip_country ? c->geoip_country : "",
			c->geoip_country && c->geoip_asn ? ", " : "",
			c->geoip_asn ? c->geoip_asn : "");
	}
}

/* --- feeds --------------------------------------------------------------------------------- */

static void print_rejects(const struct feed_report *r)
{
	for (int i = 0; i < FEED_REJECT_COUNT; i++) {
		enum feed_reject reject = (enum feed_reject)i;
		if (!r->rejected[i])
			continue;
		printf("      %" PRIu64 " %s (%s)\n", r->rejected[i], feed_reject_name(reject),
			feed_reject_meaning(reject));
		for (size_t k = 0; k < FEED_SAMPLES_MAX && r->sample[i][k][0]; k++)
			printf("        line %s\n", r->sample[i][k]);
	}
}

static void print_feed(const struct knowledge_feed *feed, const struct load_feed *loaded)
{
	const struct feed_report *r = &loaded->report;
	char age[QUANTITY_TEXT_MAX] = "", size[QUANTITY_TEXT_MAX];
	int64_t age_min = (clock_wall_ns() / NS_PER_S - r->modified_s) / 60;

	if (r->modified_s)
		quantity_format_duration(age_min * 60 * NS_PER_S, age);
	printf("  %s\n    %s, %s, %s%s%s%s\n", feed->name, mark_kind_name(feed->kind),
		feed_format_name(r->format), quantity_format_size(r->bytes, size),
		age[0] ? ", " : "", age, age[0] ? " old" : "");
	printf("    %" PRIu64 " lines; names: %" PRIu64 " with all below, %" PRIu64
	       " alone, %" PRIu64 " below only; %" PRIu64 " addresses; %" PRIu64
	       " duplicates, %" PRIu64 " rejected\n",
		r->lines, r->accepted[SCOPE_SUFFIX], r->accepted[SCOPE_EXACT],
		r->accepted[SCOPE_BELOW], r->addresses, r->duplicates, feed_report_rejected(r));
	if (r->exceptions)
		printf("    %" PRIu64 " of them are exceptions, which are allowed\n",
			r->exceptions);
	print_rejects(r);
}

static void print_feeds(const struct knowledge *known, const struct load_report *report)
{
	char size[QUANTITY_TEXT_MAX];

	print_heading("feeds");
	printf("%zu\n", report->feed_count);
	for (size_t i = 0; i < report->feed_count; i++)
		print_feed(&known->feed[i], &report->feed[i]);
	print_heading("index");
	printf("%zu names, %zu addresses, %s", report->name_count, report->address_count,
		quantity_format_size(report->index_bytes, size));
	if (report->name_count)
		printf(" (%.0f bytes each)",
			(double)report->index_bytes / (double)report->name_count);
	printf(", loaded in %.2f s\n", (double)report->elapsed_ns / (double)NS_PER_S);
}

static void print_providers(const struct knowledge *known)
{
	for (uint32_t i = 0; i < provider_count(known->providers); i++) {
		const struct provider *p = provider_at(known->providers, i);
		printf("%s\t%s\n", p->id, provider_tier_name(p->tier));
	}
}

/* --- the command --------------------------------------------------------------------------- */

/* Interfaces as `run` would number them. NULL: out of memory. */
static const char **interface_names(const struct config *c)
{
	const char **name = calloc(c->capture_count + 1, sizeof(*name));

	for (size_t i = 0; name && i < c->capture_count; i++)
		name[i] = c->capture[i].interface;
	return name;
}

static enum err load(const struct arguments *args, struct config **config,
	struct knowledge **known, struct load_report *report, struct err_ctx *why)
{
	enum err err = args->config ? config_load(config, args->config, why)
				    : config_builtin(config, why);
	struct captures captures;

	if (!err)
		err = load_check_outputs(*config, why);
	if (!err && (*config)->capture_count > 0)
		err = captures_choose(&captures, *config, NULL, 0, why);
	if (err)
		return err;
	const char **name = interface_names(*config);
	if (!name)
		return err_set(why, ERR_FAILED, "out of memory");
	struct load_options options = {
		.seed = hash_random_seed(),
		.interface_name = name,
		.interface_count = (*config)->capture_count,
		.now_s = clock_wall_ns() / NS_PER_S,
	};
	err = load_knowledge(known, *config, &options, report, why);
	free(name);
	return err;
}

static int check(const struct arguments *args)
{
	struct config *config = NULL;
	struct knowledge *known = NULL;
	struct load_report report = { 0 };
	struct err_ctx why;
	enum err err = load(args, &config, &known, &report, &why);

	if (err) {
		log_error("%s", why.text);
	} else if (args->providers) {
		print_providers(known);
	} else {
		print_heading("configuration");
		printf("%s\n", config->path);
		print_inputs(config);
		print_tenants(known->policies);
		print_outputs(config);
		print_feeds(known, &report);
		load_warn(config, known, &report, say, NULL);
		printf("ok\n");
	}
	load_report_deinit(&report);
	load_free(known);
	config_free(config);
	return (int)err;
}

static int print_manual(const char *path)
{
	FILE *page = fopen(path, "re");

	if (!page) {
		log_error("%s: %s", path, strerror(errno));
		return ERR_USAGE;
	}
	bool known = config_print_manual(stdout, page);
	fclose(page);
	if (!known)
		log_error("%s: an @options line names no section", path);
	return known ? ERR_OK : ERR_USAGE;
}

/* -1: go on; else the exit code. */
static int read_arguments(int argc, char **argv, struct arguments *args)
{
	static const struct option options[] = {
		{ "config", required_argument, NULL, 'c' },
		{ "options", no_argument, NULL, 'o' },
		{ "providers", no_argument, NULL, 'p' },
		{ "manual", required_argument, NULL, 'm' },
		{ "help", no_argument, NULL, 'h' },
		{ 0 },
	};
	int option;

	opterr = 0;
	while ((option = getopt_long(argc, argv, ":c:h", options, NULL)) != -1) {
		switch (option) {
		case 'c':
			args->config = optarg;
			break;
		case 'o':
			args->options = true;
			break;
		case 'p':
			args->providers = true;
			break;
		case 'm':
			args->manual = optarg;
			break;
		case 'h':
			fputs(help, stdout);
			return 0;
		default:
			return usage_bad_option("dynwatch check", argv, option);
		}
	}
	if (optind < argc)
		return usage_fail("dynwatch check", "unexpected argument \"%s\"", argv[optind]);
	return -1;
}

int check_command(int argc, char **argv)
{
	struct arguments args = { 0 };
	int done = read_arguments(argc, argv, &args);

	if (done != -1)
		return done;
	if (args.manual)
		return print_manual(args.manual);
	if (args.options) {
		config_print_options(stdout);
		return 0;
	}
	if (!args.config && !args.providers)
		return usage_fail("dynwatch check", "-c FILE is missing");
	return check(&args);
}
