/* SPDX-License-Identifier: BSD-2-Clause */
/* dynwatch-feeds export: what the configured feeds say, in the formats of other programs. */
#include "tools/dynwatch-feeds/export.h"

#include "feeds/writer.h"
#include "sensor/base/clock.h"
#include "sensor/base/log.h"
#include "sensor/base/usage.h"
#include "tools/dynwatch-feeds/export_file.h"
#include "tools/dynwatch-feeds/export_set.h"
#include "tools/dynwatch-feeds/export_tenant.h"

#include <getopt.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define COMMAND      "dynwatch-feeds export"
#define ZONE_DEFAULT "dynwatch.rpz"
#define FEEDS_MAX    64
#define ABOUT_MAX    1000 /* of feeds' names in the head */

static const char help[] =
	"Usage: dynwatch-feeds export [-c FILE] --format FORMAT [OPTIONS]\n"
	"Write what the feeds of a configuration list as one file for another program.\n"
	"\n"
	"  -c, --config FILE     the configuration; without it the shipped lists alone\n"
	"  -f, --format FORMAT   rpz, hosts, domains, adblock or suricata (a dataset)\n"
	"  -o, --output FILE     replaced when all is written; - (default): standard output\n"
	"      --tenant T        what this tenant approved, or excluded, passes\n"
	"      --feed NAME       this feed only; may be given several times\n"
	"      --kind KIND       malicious (default), provider, tunnel, update_host or\n"
	"                        ip_check; may be given several times\n"
	"      --min-severity S  malicious feeds of this severity or higher only\n"
	"      --max-tlp LEVEL   without entries marked for fewer eyes than that: clear, green,\n"
	"                        amber, amber+strict or red (default: all)\n"
	"      --what WHAT       names, addresses or all; of a dataset names or addresses\n"
	"                        (default: all of an rpz, else names)\n"
	"      --zone NAME       of an rpz: its name (default " ZONE_DEFAULT ")\n"
	"      --policy POLICY   of an rpz: nxdomain (default), nodata, drop or tcp-only\n"
	"      --comments        say behind each entry which feeds have it (rpz, hosts,\n"
	"                        domains)\n"
	"      --force           take what could be read of a feed that is mostly broken\n"
	"  -h, --help            this text\n";

struct arguments {
	struct export_wanted wanted;
	const char *feed[FEEDS_MAX];
	const char *format, *output, *what, *zone, *policy, *severity, *tlp;
	bool comments;
	struct writer_options options;
};

/* --- arguments ------------------------------------------------------------------------------ */

/* Kinds of which something can be refused. */
static bool take_kind(struct arguments *args, const char *word)
{
	enum mark_kind kind;

	if (!mark_kind_parse(&kind, word))
		return false;
	args->wanted.kinds |= 1u << kind;
	return kind == MARK_MALICIOUS || kind == MARK_PROVIDER || kind == MARK_TUNNEL ||
	       kind == MARK_UPDATE_HOST || kind == MARK_IP_CHECK;
}

static int take_format(struct arguments *args)
{
	enum feed_format *format = &args->options.format;

	if (!args->format)
		return usage_fail(COMMAND, "--format is missing");
	if (!feed_format_parse(format, args->format) || !writer_writes(*format))
		return usage_fail(COMMAND,
			"--format %s: not one of rpz, hosts, domains, adblock, suricata",
			args->format);
	if (args->comments && !writer_has_remarks(*format))
		return usage_fail(
			COMMAND, "--comments: %s has none behind entries", args->format);
	if ((args->zone || args->policy) && *format != FEED_RPZ)
		return usage_fail(COMMAND, "--zone and --policy are of --format rpz");
	return 0;
}

static int take_what(struct arguments *args)
{
	struct writer_options *o = &args->options;
	const char *what = args->what                   ? args->what
			   : writer_has_both(o->format) ? "all"
							: "names";

	o->names = strcmp(what, "addresses") != 0;
	o->addresses = strcmp(what, "names") != 0;
	if (o->names && o->addresses && strcmp(what, "all") != 0)
		return usage_fail(COMMAND, "--what %s: not one of names, addresses, all", what);
	if (o->addresses && !writer_has_addresses(o->format))
		return usage_fail(
			COMMAND, "--what %s: %s cannot have addresses", what, args->format);
	if (o->names && o->addresses && !writer_has_both(o->format))
		return usage_fail(COMMAND,
			"--what %s: one file of %s has either names or addresses", what,
			args->format);
	return 0;
}

/* Without it nothing is hidden. */
static bool take_tlp(struct arguments *args)
{
	args->wanted.max_tlp = TLP_RED;
	if (!args->tlp)
		return true;
	for (int i = TLP_CLEAR; i <= TLP_RED; i++) {
		if (strcasecmp(facts_tlp_name((enum facts_tlp)i), args->tlp) != 0)
			continue;
		args->wanted.max_tlp = (enum facts_tlp)i;
		return true;
	}
	return false;
}

static int take_zone(struct arguments *args)
{
	const char *zone = args->zone ? args->zone : ZONE_DEFAULT;

	if (!dns_name_parse(&args->options.zone, zone) || args->options.zone.label_count == 0)
		return usage_fail(COMMAND, "--zone %s: not a domain name", zone);
	if (args->policy && !writer_policy_parse(&args->options.policy, args->policy))
		return usage_fail(COMMAND,
			"--policy %s: not one of nxdomain, nodata, drop, tcp-only",
			args->policy);
	if (args->severity && !severity_parse(&args->wanted.min_severity, args->severity))
		return usage_fail(COMMAND,
			"--min-severity %s: not one of info, low, medium, high, critical",
			args->severity);
	if (!take_tlp(args))
		return usage_fail(COMMAND,
			"--max-tlp %s: not one of clear, green, amber, amber+strict, red",
			args->tlp);
	return 0;
}

enum long_only {
	OPTION_TENANT = 256,
	OPTION_FEED,
	OPTION_KIND,
	OPTION_MIN_SEVERITY,
	OPTION_MAX_TLP,
	OPTION_WHAT,
	OPTION_ZONE,
	OPTION_POLICY,
	OPTION_COMMENTS,
	OPTION_FORCE,
};

static const struct option options[] = {
	{ "config", required_argument, NULL, 'c' },
	{ "format", required_argument, NULL, 'f' },
	{ "output", required_argument, NULL, 'o' },
	{ "tenant", required_argument, NULL, OPTION_TENANT },
	{ "feed", required_argument, NULL, OPTION_FEED },
	{ "kind", required_argument, NULL, OPTION_KIND },
	{ "min-severity", required_argument, NULL, OPTION_MIN_SEVERITY },
	{ "max-tlp", required_argument, NULL, OPTION_MAX_TLP },
	{ "what", required_argument, NULL, OPTION_WHAT },
	{ "zone", required_argument, NULL, OPTION_ZONE },
	{ "policy", required_argument, NULL, OPTION_POLICY },
	{ "comments", no_argument, NULL, OPTION_COMMENTS },
	{ "force", no_argument, NULL, OPTION_FORCE },
	{ "help", no_argument, NULL, 'h' },
	{ 0 },
};

/* Options that are one word to be kept; NULL: it is none of them. */
static const char **word_of(struct arguments *args, int option)
{
	switch (option) {
	case 'c':
		return &args->wanted.config;
	case 'f':
		return &args->format;
	case 'o':
		return &args->output;
	case OPTION_TENANT:
		return &args->wanted.tenant;
	case OPTION_MIN_SEVERITY:
		return &args->severity;
	case OPTION_MAX_TLP:
		return &args->tlp;
	case OPTION_WHAT:
		return &args->what;
	case OPTION_ZONE:
		return &args->zone;
	case OPTION_POLICY:
		return &args->policy;
	default:
		return NULL;
	}
}

/* -1: go on; else the exit code. */
static int take_option(struct arguments *args, int option, char **argv)
{
	const char **word = word_of(args, option);

	if (word) {
		*word = optarg;
		return -1;
	}
	switch (option) {
	case OPTION_FEED:
		if (args->wanted.feed_count == FEEDS_MAX)
			return usage_fail(COMMAND, "more than %d --feed", FEEDS_MAX);
		args->feed[args->wanted.feed_count++] = optarg;
		return -1;
	case OPTION_KIND:
		return take_kind(args, optarg)
			       ? -1
			       : usage_fail(COMMAND,
					 "--kind %s: not one of malicious, provider, tunnel, "
					 "update_host, ip_check",
					 optarg);
	case OPTION_COMMENTS:
		args->comments = true;
		return -1;
	case OPTION_FORCE:
		args->wanted.force = true;
		return -1;
	case 'h':
		fputs(help, stdout);
		return 0;
	default:
		return usage_bad_option(COMMAND, argv, option);
	}
}

static int read_arguments(int argc, char **argv, struct arguments *args)
{
	int option, done = -1;

	opterr = 0;
	while (done == -1 &&
		(option = getopt_long(argc, argv, ":c:f:o:h", options, NULL)) != -1)
		done = take_option(args, option, argv);
	if (done != -1)
		return done;
	if (optind < argc)
		return usage_fail(COMMAND, "\"%s\" is one word too many", argv[optind]);
	if (args->wanted.kinds == 0)
		args->wanted.kinds = 1u << MARK_MALICIOUS;
	args->wanted.feed = args->feed;
	args->wanted.now_s = clock_wall_ns() / NS_PER_S;
	done = take_format(args);
	if (!done)
		done = take_what(args);
	if (!done)
		done = take_zone(args);
	return done ? done : -1;
}

/* --- what is written, and said -------------------------------------------------------------- */

/* "dynwatch-feeds export, for tenant acme: urlhaus, threatfox" */
static void put_about(struct text *out, const struct export_set *set)
{
	const char *between = ": ";
	size_t more = 0;

	text_puts(out, COMMAND);
	if (set->tenant)
		text_printf(out, ", for tenant %s", set->tenant->id);
	for (size_t i = 0; i < set->feed_count; i++) {
		if (!set->feed[i].chosen)
			continue;
		more += out->len > ABOUT_MAX;
		if (more == 0)
			text_printf(out, "%s%s", between, set->feed[i].spec->name);
		between = ", ";
	}
	if (more > 0)
		text_printf(out, " and %zu more", more);
}

static void say_counts(
	const struct arguments *args, const struct writer_counts *c, bool unchanged)
{
	log_notice("%s%s: names %" PRIu64 " (with all below: %" PRIu64
		   "), addresses and networks %" PRIu64 ", let pass %" PRIu64
		   "; covered by others %" PRIu64 ", listed but allowed %" PRIu64,
		args->format, unchanged ? ", unchanged" : "", c->names, c->suffixes,
		c->networks, c->passes, c->covered, c->removed);
	for (int i = 0; i < UNSAID_COUNT; i++) {
		if (c->unsaid[i] > 0)
			log_warning("%s: left out, %s: %" PRIu64, args->format,
				writer_unsaid_meaning((enum unsaid)i), c->unsaid[i]);
	}
}

/* What the format has no place for at all is counted as well, for the operator. */
static void count_other(const struct arguments *args, const struct export_set *set,
	struct writer_counts *counts)
{
	struct blocklist_walk walk = { .list = set->list };
	struct blocklist_network network;

	while (!writer_has_addresses(args->options.format) &&
		blocklist_next_network(&walk, &network))
		counts->unsaid[UNSAID_ADDRESS] += network.action == ACTION_REFUSE;
}

static enum err write_file(struct arguments *args, struct export_set *set,
	struct writer_counts *counts, bool *unchanged, struct err_ctx *why)
{
	struct writer_options *o = &args->options;
	/* The shipped lists alone have no time. */
	int64_t time_s = set->newest_s ? set->newest_s : args->wanted.now_s;
	uint32_t wanted = (uint32_t)time_s, serial;
	struct export_file file;
	struct err_ctx inner;

	enum err err = export_file_open(&file, args->output ? args->output : "-", why);
	if (err)
		return err;
	/* With the serial of before it is equal, or there is something new. */
	bool was = export_file_serial(&file, &serial);
	o->serial = was ? serial : wanted;
	err = writer_write(file.out, set->list, o, counts, &inner);
	if (err) {
		err_set(why, err, "%s: %s", file.path ? file.path : "standard output",
			inner.text);
		export_file_cancel(&file);
		return err;
	}
	return export_file_finish(&file, counts->serial_at,
		was ? export_file_next_serial(serial, wanted) : wanted, unchanged, why);
}

static enum err export_feeds(struct arguments *args, struct err_ctx *why)
{
	struct writer_counts counts;
	struct export_set set;
	struct text about = { 0 };
	bool unchanged = false;
	enum err err = export_set_load(&set, &args->wanted, why);

	if (!err) {
		put_about(&about, &set);
		args->options.about = about.at;
		args->options.remark = args->comments ? export_set_remark : NULL;
		args->options.remark_arg = &set;
		err = about.failed ? err_set(why, ERR_FAILED, "out of memory")
				   : write_file(args, &set, &counts, &unchanged, why);
	}
	if (!err) {
		count_other(args, &set, &counts);
		export_tenant_warn(set.tenant, &args->wanted);
		say_counts(args, &counts, unchanged);
		if (set.hidden > 0)
			log_warning("%s: left out, marked for fewer eyes: %" PRIu64,
				args->format, set.hidden);
	}
	text_deinit(&about);
	export_set_free(&set);
	return err;
}

int export_command(int argc, char **argv)
{
	struct arguments args = { 0 };
	struct err_ctx why;
	int done = read_arguments(argc, argv, &args);

	if (done != -1)
		return done;
	enum err err = export_feeds(&args, &why);
	if (err)
		log_error("%s", why.text);
	return (int)err;
}
