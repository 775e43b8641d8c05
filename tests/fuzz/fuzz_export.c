/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Any bytes as a malicious feed, written in every format: what is written is taken whole by the reader
 * of the format, and written again it is the same. The first two bytes choose.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "feeds/writer.h"

static void must(bool condition)
{
	if (!condition)
		abort();
}

static enum blocklist_say say_of(const struct mark *m)
{
	return m->kind == MARK_ALLOW ? SAY_ALLOWED : SAY_LISTED;
}

static void list_index(struct blocklist *list, struct index *index)
{
	uint32_t entry = 0;

	while (index_next(index, &entry)) {
		size_t count, len;
		const struct mark *mark = index_marks(index, entry, &count);
		const uint8_t *wire = index_entry_name(index, entry, &len);
		struct dns_name name;
		must(dns_name_from_wire(&name, wire, len));
		for (size_t i = 0; i < count; i++)
			must(blocklist_add_name(list, &name, (enum mark_scope)mark[i].scope,
				say_of(&mark[i]), BLOCKLIST_NO_ORIGIN));
	}
	index_free(index);
}

static void list_addresses(struct blocklist *list, struct address_set *set)
{
	for (uint32_t entry = 0; entry < address_set_count(set); entry++) {
		size_t count;
		const struct mark *mark = address_set_marks(set, entry, &count);
		for (size_t i = 0; i < count; i++)
			must(blocklist_add_network(list, address_set_net(set, entry),
				say_of(&mark[i]), BLOCKLIST_NO_ORIGIN));
	}
	address_set_free(set);
}

/* NULL: it cannot be read. */
static struct blocklist *read_feed(const char *content, size_t len, enum feed_format format,
	enum mark_scope scope, bool must_be_whole)
{
	struct feed_target target = {
		.builder = index_builder_new(7),
		.providers = provider_registry_new(),
		.addresses = address_builder_new(7),
	};
	struct feed_spec spec = {
		.name = "fuzz",
		.path = "fuzz",
		.content = len ? content : "",
		.content_len = len,
		.format = format,
		.kind = MARK_MALICIOUS,
		.scope = scope,
	};
	struct blocklist *list = blocklist_new();
	struct feed_report report;
	struct err_ctx why;

	must(list && target.builder && target.providers && target.addresses);
	enum err err = feed_load(&target, &spec, 1, &report, &why);
	must(!must_be_whole || (!err && feed_report_rejected(&report) == 0));
	list_index(list, index_build(target.builder));
	list_addresses(list, address_set_build(target.addresses));
	provider_registry_free(target.providers);
	blocklist_sort(list);
	return list;
}

/* Without remarks; freed by the caller. */
static char *write_list(
	const struct blocklist *list, struct writer_options *options, size_t *len)
{
	struct writer_counts counts;
	struct err_ctx why;
	char *text;
	FILE *out = open_memstream(&text, len);

	must(out != NULL);
	must(writer_write(out, list, options, &counts, &why) == ERR_OK);
	must(fclose(out) == 0);
	return text;
}

/* Where the remarks in front end: they count what the second one has no longer. */
static const char *entries_of(const char *text)
{
	while (*text && strchr("#!;[", *text))
		text = strchrnul(text, '\n') + 1;
	return text;
}

static void write_and_read(const struct blocklist *list, enum feed_format format,
	bool addresses, const struct dns_name *zone)
{
	bool zone_file = format == FEED_RPZ;
	struct writer_options options = {
		.format = format,
		.names = !addresses || zone_file,
		.addresses = addresses || zone_file,
		.about = "fuzz",
		.zone = *zone,
		.serial = 1,
	};
	enum feed_format read_as = addresses && !zone_file ? FEED_DOMAINS : format;
	enum mark_scope scope = format == FEED_ADBLOCK ? SCOPE_SUFFIX : SCOPE_EXACT;
	size_t once_len, twice_len;

	char *once = write_list(list, &options, &once_len);
	struct blocklist *again = read_feed(once, once_len, read_as, scope, true);
	char *twice = write_list(again, &options, &twice_len);
	must(strcmp(entries_of(once), entries_of(twice)) == 0);
	blocklist_free(again);
	free(once);
	free(twice);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const enum feed_format formats[] = { FEED_RPZ, FEED_ADBLOCK, FEED_HOSTS,
		FEED_DOMAINS, FEED_SURICATA };
	static const char *const zones[] = { "rpz.test", ".",
		"a.very.long.zone.whose.octets.leave.little.room.to.the.names.that.are.meant."
		"to."
		"stand.in.it.because.their.sum.is.limited.to.two.hundred.fifty.five" };
	struct dns_name zone;

	if (size < 2)
		return 0;
	must(dns_name_parse(&zone, zones[data[0] / 32 % ARRAY_LEN(zones)]));
	struct blocklist *list = read_feed((const char *)data + 2, size - 2,
		data[0] % 32 % FEED_SHIPPED, data[1] & 1 ? SCOPE_EXACT : SCOPE_SUFFIX, false);
	for (size_t i = 0; i < ARRAY_LEN(formats); i++)
		write_and_read(list, formats[i], false, &zone);
	write_and_read(list, FEED_SURICATA, true, &zone);
	blocklist_free(list);
	return 0;
}
