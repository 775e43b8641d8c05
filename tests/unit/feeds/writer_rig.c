/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/feeds/writer_rig.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/feeds/feed_rig.h"

void writer_rig_add(
	struct blocklist *list, const char *text, enum mark_scope scope, enum blocklist_say say)
{
	struct dns_name name = name_of(text);

	cr_assert(blocklist_add_name(list, &name, scope, say, BLOCKLIST_NO_ORIGIN));
}

void writer_rig_add_network(struct blocklist *list, const char *text, enum blocklist_say say)
{
	struct ip_net net;

	cr_assert(ip_net_parse(&net, text), "%s", text);
	cr_assert(blocklist_add_network(list, &net, say, BLOCKLIST_NO_ORIGIN));
}

struct writer_options writer_rig_options(enum feed_format format)
{
	return (struct writer_options){
		.format = format,
		.names = true,
		.addresses = format == FEED_RPZ,
		.about = "test",
		.zone = name_of("rpz.test"),
		.serial = 7,
	};
}

char *writer_rig_write(const struct blocklist *list, const struct writer_options *options,
	struct writer_counts *counts)
{
	char *text;
	size_t len;
	FILE *out = open_memstream(&text, &len);
	struct err_ctx why;

	cr_assert(out);
	cr_assert_eq(writer_write(out, list, options, counts, &why), ERR_OK, "%s", why.text);
	fclose(out);
	return text;
}

char *writer_rig_entries(char *text)
{
	char *out = calloc(1, strlen(text) + 2), *rest;

	for (char *line = strtok_r(text, "\n", &rest); line;
		line = strtok_r(NULL, "\n", &rest)) {
		if (strchr("#!;[$@\t", line[0]) && strncmp(line, "@@", 2) != 0)
			continue;
		if (*out)
			strcat(out, "|");
		strcat(out, line);
	}
	free(text);
	return out;
}
