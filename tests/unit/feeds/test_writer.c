/* SPDX-License-Identifier: BSD-2-Clause */
#include "feeds/writer.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/feeds/feed_rig.h"
#include "tests/unit/feeds/writer_rig.h"

static void expect_entries(struct blocklist *list, const struct writer_options *options,
	const char *expected, struct writer_counts *counts)
{
	char *got = writer_rig_entries(writer_rig_write(list, options, counts));

	cr_expect_str_eq(got, expected, "%s: %s", feed_format_name(options->format), got);
	free(got);
}

static struct blocklist *some_list(void)
{
	struct blocklist *list = blocklist_new();

	writer_rig_add(list, "evil.example", SCOPE_SUFFIX, SAY_LISTED);
	writer_rig_add(list, "www.evil.example", SCOPE_EXACT, SAY_LISTED);
	writer_rig_add(list, "ok.shop.evil.example", SCOPE_SUFFIX, SAY_ALLOWED);
	writer_rig_add(list, "host.alone.example", SCOPE_EXACT, SAY_LISTED);
	writer_rig_add(list, "below.example", SCOPE_BELOW, SAY_LISTED);
	writer_rig_add(list, "good.example", SCOPE_SUFFIX, SAY_LISTED);
	writer_rig_add(list, "good.example", SCOPE_SUFFIX, SAY_ALLOWED);
	writer_rig_add(list, "mine.dyn.example", SCOPE_SUFFIX, SAY_APPROVED);
	writer_rig_add_network(list, "192.0.2.0/24", SAY_LISTED);
	writer_rig_add_network(list, "192.0.2.7", SAY_ALLOWED);
	writer_rig_add_network(list, "192.0.2.9", SAY_LISTED);
	writer_rig_add_network(list, "2001:db8::1", SAY_LISTED);
	blocklist_sort(list);
	return list;
}

Test(writer, each_format_says_what_it_can)
{
	static const struct {
		enum feed_format format;
		bool addresses;
		const char *expected;
	} rows[] = {
		{ FEED_RPZ, true,
			"host.alone.example CNAME .|*.below.example CNAME .|"
			"mine.dyn.example CNAME rpz-passthru.|*.mine.dyn.example CNAME "
			"rpz-passthru.|"
			"evil.example CNAME .|*.evil.example CNAME .|"
			"shop.evil.example CNAME .|*.shop.evil.example CNAME .|"
			"ok.shop.evil.example CNAME rpz-passthru.|"
			"*.ok.shop.evil.example CNAME rpz-passthru.|"
			"24.0.2.0.192.rpz-ip CNAME .|32.7.2.0.192.rpz-ip CNAME rpz-passthru.|"
			"128.1.zz.db8.2001.rpz-ip CNAME ." },
		{ FEED_ADBLOCK, false,
			"|host.alone.example^|||*.below.example^|@@||mine.dyn.example^|"
			"||evil.example^|@@||ok.shop.evil.example^" },
		{ FEED_HOSTS, false,
			"0.0.0.0 host.alone.example|0.0.0.0 evil.example|0.0.0.0 "
			"www.evil.example" },
		{ FEED_DOMAINS, false, "host.alone.example|evil.example|www.evil.example" },
		{ FEED_SURICATA, false,
			"aG9zdC5hbG9uZS5leGFtcGxl|ZXZpbC5leGFtcGxl|d3d3LmV2aWwuZXhhbXBsZQ==" },
		{ FEED_SURICATA, true, "192.0.2.9|2001:db8::1" },
	};
	struct blocklist *list = some_list();

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct writer_options options = writer_rig_options(rows[i].format);
		struct writer_counts counts;
		options.addresses = rows[i].addresses;
		options.names = !rows[i].addresses || rows[i].format == FEED_RPZ;
		expect_entries(list, &options, rows[i].expected, &counts);
	}
	blocklist_free(list);
}

Test(writer, what_is_written_and_what_is_not_is_counted)
{
	struct blocklist *list = some_list();
	struct writer_options options = writer_rig_options(FEED_RPZ);
	struct writer_counts c;

	free(writer_rig_write(list, &options, &c));
	cr_expect_eq(c.names, 3);
	cr_expect_eq(c.suffixes, 2);
	cr_expect_eq(c.networks, 2);
	cr_expect_eq(c.passes, 3);
	cr_expect_eq(c.covered, 2);
	cr_expect_eq(c.removed, 1);
	options = writer_rig_options(FEED_HOSTS);
	options.addresses = true;
	free(writer_rig_write(list, &options, &c));
	cr_expect_eq(c.names, 3);
	cr_expect_eq(c.suffixes, 1);
	cr_expect_eq(c.removed, 1);
	cr_expect_eq(c.unsaid[UNSAID_BELOW_ONLY], 1);
	cr_expect_eq(c.unsaid[UNSAID_HOLE], 1);
	cr_expect_eq(c.unsaid[UNSAID_ADDRESS], 3);
	options = writer_rig_options(FEED_SURICATA);
	options.names = false;
	options.addresses = true;
	free(writer_rig_write(list, &options, &c));
	cr_expect_eq(c.networks, 2);
	cr_expect_eq(c.unsaid[UNSAID_NETWORK], 1);
	blocklist_free(list);
}

Test(writer, the_policy_is_the_one_asked_for)
{
	static const struct {
		const char *word, *expected;
	} rows[] = {
		{ "nxdomain", "x.example CNAME ." },
		{ "nodata", "x.example CNAME *." },
		{ "drop", "x.example CNAME rpz-drop." },
		{ "tcp-only", "x.example CNAME rpz-tcp-only." },
	};
	struct blocklist *list = blocklist_new();
	struct writer_options options = writer_rig_options(FEED_RPZ);
	struct writer_counts counts;

	writer_rig_add(list, "x.example", SCOPE_EXACT, SAY_LISTED);
	blocklist_sort(list);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		cr_assert(writer_policy_parse(&options.policy, rows[i].word));
		expect_entries(list, &options, rows[i].expected, &counts);
	}
	cr_expect_not(writer_policy_parse(&options.policy, "no"));
	blocklist_free(list);
}

/* A name of exactly so many octets on the wire, the root's included. */
static const char *name_of_octets(unsigned octets)
{
	static char text[DNS_NAME_TEXT_MAX];
	size_t at = 0;

	for (octets--; octets > 0;) {
		unsigned label = octets > 64 ? 64 : octets;
		if (octets - label == 1)
			label--;
		memset(text + at, 'a', label - 1);
		at += label - 1;
		text[at++] = '.';
		octets -= label;
	}
	text[at - 1] = '\0';
	return text;
}

Test(writer, names_that_do_not_fit_into_the_zone_are_left_out_and_counted)
{
	static const struct {
		unsigned octets;
		unsigned lines, unsaid;
	} rows[] = {
		/* "rpz.test" is 10 octets, of which the root's is shared */
		{ 244, 2, 0 },
		{ 245, 1, 1 },
		{ 246, 1, 1 },
		{ 247, 0, 1 },
		{ 255, 0, 1 },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct blocklist *list = blocklist_new();
		struct writer_options options = writer_rig_options(FEED_RPZ);
		struct writer_counts counts;
		writer_rig_add(list, name_of_octets(rows[i].octets), SCOPE_SUFFIX, SAY_LISTED);
		blocklist_sort(list);
		char *got = writer_rig_entries(writer_rig_write(list, &options, &counts));
		unsigned lines = *got != '\0';
		for (const char *c = got; *c; c++)
			lines += *c == '|';
		cr_expect_eq(lines, rows[i].lines, "%u: %u", rows[i].octets, lines);
		cr_expect_eq(
			counts.unsaid[UNSAID_TOO_LONG], rows[i].unsaid, "%u", rows[i].octets);
		free(got);
		blocklist_free(list);
	}
}

Test(writer, octets_that_mean_something_in_a_zone_file_are_escaped)
{
	struct blocklist *list = blocklist_new();
	struct writer_options options = writer_rig_options(FEED_RPZ);
	struct writer_counts counts;

	writer_rig_add(list, "a\\.b.\\;c.\\\"d\\(e\\).\\@.\\$f.g\\\\h.\\032i\\200.example",
		SCOPE_EXACT, SAY_APPROVED);
	writer_rig_add(list, "*.star.example", SCOPE_EXACT, SAY_APPROVED);
	writer_rig_add(list, "192.0.2.1.rpz-ip", SCOPE_EXACT, SAY_APPROVED);
	writer_rig_add(list, "x.rpz-client-ip", SCOPE_EXACT, SAY_LISTED);
	writer_rig_add(list, "x.rpz-nsdname", SCOPE_SUFFIX, SAY_LISTED);
	writer_rig_add(list, "x.rpz-nsip", SCOPE_BELOW, SAY_LISTED);
	blocklist_sort(list);
	expect_entries(list, &options,
		"a\\.b.\\;c.\\\"d\\(e\\).\\@.\\$f.g\\\\h.\\032i\\200.example CNAME "
		"rpz-passthru.",
		&counts);
	cr_expect_eq(counts.unsaid[UNSAID_TRIGGER], 5);
	options = writer_rig_options(FEED_ADBLOCK);
	expect_entries(list, &options,
		"|x.rpz-client-ip^|@@|192.0.2.1.rpz-ip^|||x.rpz-nsdname^|||*.x.rpz-nsip^",
		&counts);
	cr_expect_eq(counts.unsaid[UNSAID_CHARACTER], 2);
	blocklist_free(list);
}

static void remark(void *arg, struct text *out, bool is_network, uint32_t origin)
{
	text_printf(out, "%s%s %u", (const char *)arg, is_network ? "net" : "name", origin);
}

Test(writer, entries_say_who_listed_them_where_the_format_lets_them)
{
	struct blocklist *list = blocklist_new();
	struct dns_name name = name_of("x.example");
	struct ip_net net;
	struct writer_counts counts;
	char by[] = "by ";

	cr_assert(ip_net_parse(&net, "192.0.2.1"));
	cr_assert(blocklist_add_name(list, &name, SCOPE_EXACT, SAY_LISTED, 5));
	cr_assert(blocklist_add_network(list, &net, SAY_LISTED, 6));
	writer_rig_add(list, "y.example", SCOPE_EXACT, SAY_LISTED);
	blocklist_sort(list);
	static const struct {
		enum feed_format format;
		const char *expected;
	} rows[] = {
		{ FEED_RPZ, "x.example CNAME . ; by name 5|y.example CNAME .|"
			    "32.1.2.0.192.rpz-ip CNAME . ; by net 6" },
		{ FEED_DOMAINS, "x.example # by name 5|y.example" },
		{ FEED_HOSTS, "0.0.0.0 x.example # by name 5|0.0.0.0 y.example" },
		{ FEED_ADBLOCK, "|x.example^||y.example^" },
		{ FEED_SURICATA, "eC5leGFtcGxl|eS5leGFtcGxl" },
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct writer_options options = writer_rig_options(rows[i].format);
		options.remark = remark;
		options.remark_arg = by;
		expect_entries(list, &options, rows[i].expected, &counts);
	}
	blocklist_free(list);
}

Test(writer, the_serial_stands_where_it_is_said_to)
{
	struct blocklist *list = some_list();
	struct writer_options options = writer_rig_options(FEED_RPZ);
	struct writer_counts counts;
	char serial[16];

	options.serial = 4294967295;
	char *text = writer_rig_write(list, &options, &counts);
	memcpy(serial, text + counts.serial_at, 10);
	serial[10] = '\0';
	cr_expect_str_eq(serial, "4294967295");
	free(text);
	blocklist_free(list);
}

Test(writer, a_file_that_takes_not_all_is_an_error)
{
	struct blocklist *list = some_list();
	struct writer_options options = writer_rig_options(FEED_RPZ);
	struct writer_counts counts;
	struct err_ctx why;
	FILE *full = fopen("/dev/full", "w");

	cr_assert(full);
	setvbuf(full, NULL, _IONBF, 0);
	cr_expect_eq(writer_write(full, list, &options, &counts, &why), ERR_FAILED);
	cr_expect_str_eq(why.text, "No space left on device");
	fclose(full);
	blocklist_free(list);
}
