/* SPDX-License-Identifier: BSD-2-Clause */
/* options.h -- what mkpcap is asked for; the table is options.def. */
#ifndef TOOLS_MKPCAP_OPTIONS_H
#define TOOLS_MKPCAP_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

struct options {
	uint64_t packets, clients, tenants, names, records, rate, seed, feed_names;
	double ipv6, missing, flood, dynamic, updates, tcp, malformed; /* shares */
	bool vlans, is_signed, answers_only;
	const char *path, *feed_path;
};

enum options_result {
	OPTIONS_OK,
	OPTIONS_HELP, /* the text was asked for and printed */
	OPTIONS_BAD,  /* what is wrong was said on standard error */
};

/* Defaults, then the command line. */
enum options_result options_parse(struct options *o, int argc, char **argv);

#endif
