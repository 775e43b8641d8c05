/* SPDX-License-Identifier: BSD-2-Clause */
/* reload_command.c -- `dynwatch reload`: ask the running sensor, and wait for its answer. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

#include "sensor/app/commands.h"
#include "sensor/app/control.h"
#include "sensor/base/quantity.h"
#include "sensor/base/usage.h"
#include "sensor/config/config.h"

#define TIMEOUT_S     120
#define TIMEOUT_MAX_S 3600

struct reload_command {
	const char *config, *socket;
	uint64_t timeout_s;
};

static const char usage[] =
	"Usage: dynwatch reload -c FILE [OPTIONS]\n"
	"Let the running sensor read its configuration, feeds and databases anew, and wait until they\n"
	"are in force.\n"
	"\n"
	"  -c, --config FILE       configuration; its control.socket is where the sensor listens\n"
	"      --socket PATH       ask there, whatever the configuration says\n"
	"      --timeout SECONDS   wait so long for the answer (120)\n"
	"  -h, --help              this text\n"
	"\n"
	"Exit codes: 0 in force; 2 something is wrong with configuration or feeds: what was in force\n"
	"stays; 1 the sensor could not be asked, or failed.\n";

static const struct option long_options[] = {
	{ "config", required_argument, NULL, 'c' },
	{ "socket", required_argument, NULL, 's' },
	{ "timeout", required_argument, NULL, 't' },
	{ "help", no_argument, NULL, 'h' },
	{ NULL, 0, NULL, 0 },
};

/* -1: go on; otherwise the exit code. */
static int parse(struct reload_command *o, int argc, char **argv)
{
	int letter;

	optind = 1;
	opterr = 0;
	while ((letter = getopt_long(argc, argv, ":c:h", long_options, NULL)) != -1) {
		switch (letter) {
		case 'c':
			o->config = optarg;
			break;
		case 's':
			o->socket = optarg;
			break;
		case 't':
			if (!quantity_parse_count(&o->timeout_s, optarg) || o->timeout_s < 1 ||
				o->timeout_s > TIMEOUT_MAX_S)
				return usage_fail("dynwatch reload",
					"--timeout takes 1 to %d seconds", TIMEOUT_MAX_S);
			break;
		case 'h':
			fputs(usage, stdout);
			return ERR_OK;
		default:
			return usage_bad_option("dynwatch reload", argv, letter);
		}
	}
	if (optind < argc)
		return usage_fail("dynwatch reload", "'%s' is not an option", argv[optind]);
	if (!o->config && !o->socket)
		return usage_fail("dynwatch reload", "a configuration is needed: -c FILE");
	return -1;
}

static int fail(enum err code, const char *text)
{
	fprintf(stderr, "dynwatch: %s\n", text);
	return code;
}

static int ask(const struct reload_command *o, const char *socket)
{
	char answer[CONTROL_ANSWER_MAX];
	enum err code = control_ask(socket, "reload", (int)o->timeout_s, answer);

	if (code != ERR_OK)
		return fail(code, answer);
	printf("%s\n", answer);
	return ERR_OK;
}

int reload_command(int argc, char **argv)
{
	struct reload_command o = { .timeout_s = TIMEOUT_S };
	struct config *config = NULL;
	struct err_ctx why;
	int status = parse(&o, argc, argv);

	if (status >= 0)
		return status;
	if (o.socket)
		return ask(&o, o.socket);
	/* Where an error is can be said without the sensor, which would say the same. */
	if (config_load(&config, o.config, &why) != ERR_OK)
		return fail(ERR_USAGE, why.text);
	if (config->control_socket)
		status = ask(&o, config->control_socket);
	else
		status = usage_fail("dynwatch reload",
			"%s has no control.socket: send SIGHUP to the sensor", o.config);
	config_free(config);
	return status;
}
