/* SPDX-License-Identifier: BSD-2-Clause */
/* What is an address in a feed, and which may be listed. */
#include "feeds/feed.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "sensor/base/attribute.h"
#include "tests/unit/feeds/feed_rig.h"

static const struct {
	const char *text;
	const char *net; /* NULL: it is none */
} texts[] = {
	{ "192.0.2.1", "192.0.2.1/32" },
	{ " \"192.0.2.1\" ", "192.0.2.1/32" },
	{ "192.0.2.1:443", "192.0.2.1/32" },
	{ "192.0.2.0/24", "192.0.2.0/24" },
	{ "192[.]0[.]2[.]1", "192.0.2.1/32" },
	{ "192.0.2[.]1[:]443", "192.0.2.1/32" },
	{ "http://192.0.2.1/x.exe", "192.0.2.1/32" },
	{ "hxxp://192.0.2.1:8080/24", "192.0.2.1/32" },
	{ "http://user:word@192.0.2.1/", "192.0.2.1/32" },
	{ "192.0.2.1/x.exe", "192.0.2.1/32" },
	{ "2001:db8::1", "2001:db8::1/128" },
	{ "2001:db8::/32", "2001:db8::/32" },
	{ "[2001:db8::1]:443", "2001:db8::1/128" },
	{ "[2001:db8::1]", "2001:db8::1/128" },
	{ "http://[2001:db8::1]:80/x", "2001:db8::1/128" },
	{ "::ffff:192.0.2.1", "192.0.2.1/32" },
	{ "192.0.2.1/24", NULL }, /* host bits: a typing error */
	{ "192.0.2.1/33", NULL },
	{ "192.0.2.1/", "192.0.2.1/32" },
	{ "192.0.2.1:", NULL },
	{ "192.0.2.1:http", NULL },
	{ "192.0.2.1:443:1", NULL },
	{ "192.0.2", NULL },
	{ "102.204..15", NULL },
	{ "192.0.2.256", NULL },
	{ "192.0.2.1.example", NULL },
	{ "192.0.2.1 x", NULL },
	{ "[192.0.2.1", NULL },
	{ "[2001:db8::1]x", NULL },
	{ "2001:db8::1::2", NULL },
	{ "fe80::1%lo0", NULL },
	{ "", NULL },
	{ "/24", NULL },
	{ "[]", NULL },
	{ "evil.example", NULL },
};

Test(address, is_understood_as_people_write_it)
{
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		char text[IP_NET_TEXT_MAX] = "none";
		struct ip_net net;
		enum feed_reject reject =
			feed_normalise_address(&net, texts[i].text, strlen(texts[i].text));
		cr_expect_eq(reject, texts[i].net ? FEED_REJECT_COUNT : FEED_REJECT_ADDRESS,
			"'%s': %s", texts[i].text, feed_reject_name(reject));
		if (reject == FEED_REJECT_COUNT && texts[i].net)
			cr_expect_str_eq(
				ip_net_format(&net, text), texts[i].net, "'%s'", texts[i].text);
	}
}

static const struct {
	const char *net;
	enum feed_reject reject, broad; /* without and with allow_broad */
} rails[] = {
	{ "192.0.2.1", FEED_REJECT_COUNT, FEED_REJECT_COUNT },
	{ "198.51.100.0/24", FEED_REJECT_COUNT, FEED_REJECT_COUNT },
	{ "5.0.0.0/8", FEED_REJECT_COUNT, FEED_REJECT_COUNT },
	{ "4.0.0.0/7", FEED_REJECT_WIDE, FEED_REJECT_WIDE },
	{ "0.0.0.0/0", FEED_REJECT_WIDE, FEED_REJECT_WIDE },
	{ "::/0", FEED_REJECT_WIDE, FEED_REJECT_WIDE },
	{ "2000::/3", FEED_REJECT_WIDE, FEED_REJECT_WIDE },
	{ "2001::/16", FEED_REJECT_RESOLVER, FEED_REJECT_COUNT },
	{ "2001:db8::/32", FEED_REJECT_COUNT, FEED_REJECT_COUNT },
	{ "0.0.0.0", FEED_REJECT_RESERVED, FEED_REJECT_RESERVED },
	{ "0.1.2.3", FEED_REJECT_RESERVED, FEED_REJECT_RESERVED },
	{ "127.0.0.1", FEED_REJECT_RESERVED, FEED_REJECT_RESERVED },
	{ "10.1.2.3", FEED_REJECT_RESERVED, FEED_REJECT_RESERVED },
	{ "172.16.0.1", FEED_REJECT_RESERVED, FEED_REJECT_RESERVED },
	{ "172.32.0.1", FEED_REJECT_COUNT, FEED_REJECT_COUNT },
	{ "172.0.0.0/8", FEED_REJECT_RESERVED, FEED_REJECT_RESERVED },
	{ "192.168.1.0/24", FEED_REJECT_RESERVED, FEED_REJECT_RESERVED },
	{ "100.64.0.1", FEED_REJECT_RESERVED, FEED_REJECT_RESERVED },
	{ "169.254.1.1", FEED_REJECT_RESERVED, FEED_REJECT_RESERVED },
	{ "224.0.0.1", FEED_REJECT_RESERVED, FEED_REJECT_RESERVED },
	{ "255.255.255.255", FEED_REJECT_RESERVED, FEED_REJECT_RESERVED },
	{ "::", FEED_REJECT_RESERVED, FEED_REJECT_RESERVED },
	{ "::1", FEED_REJECT_RESERVED, FEED_REJECT_RESERVED },
	{ "fe80::1", FEED_REJECT_RESERVED, FEED_REJECT_RESERVED },
	{ "fd00::1", FEED_REJECT_RESERVED, FEED_REJECT_RESERVED },
	{ "ff02::1", FEED_REJECT_RESERVED, FEED_REJECT_RESERVED },
	{ "8.8.8.8", FEED_REJECT_RESOLVER, FEED_REJECT_COUNT },
	{ "8.8.8.0/24", FEED_REJECT_RESOLVER, FEED_REJECT_COUNT },
	{ "8.8.9.0/24", FEED_REJECT_COUNT, FEED_REJECT_COUNT },
	{ "1.1.1.1", FEED_REJECT_RESOLVER, FEED_REJECT_COUNT },
	{ "2606:4700:4700::1111", FEED_REJECT_RESOLVER, FEED_REJECT_COUNT },
};

Test(address, rails_keep_out_what_no_list_means)
{
	for (size_t i = 0; i < ARRAY_LEN(rails); i++) {
		struct ip_net net;
		cr_assert(ip_net_parse(&net, rails[i].net), "%s", rails[i].net);
		cr_expect_eq(
			feed_check_address(&net, false), rails[i].reject, "%s", rails[i].net);
		cr_expect_eq(feed_check_address(&net, true), rails[i].broad, "%s, allow_broad",
			rails[i].net);
	}
}

/* Every address of the table of resolvers can be read: a typing error would be let through. */
Test(address, every_known_resolver_is_an_address)
{
	static const char *const resolvers[] = {
#define RESOLVER(text) text,
#include "feeds/resolvers.def"
#undef RESOLVER
	};

	for (size_t i = 0; i < ARRAY_LEN(resolvers); i++) {
		struct ip_net net;
		cr_assert(ip_net_parse(&net, resolvers[i]), "%s", resolvers[i]);
		cr_expect_eq(feed_check_address(&net, false), FEED_REJECT_RESOLVER, "%s",
			resolvers[i]);
	}
}

Test(address, is_for_feeds_of_good_and_bad_alone)
{
	for (int kind = 0; kind < MARK_APPROVED; kind++) {
		struct feed_rig rig;
		struct feed_spec spec = { .kind = (enum mark_kind)kind };
		bool taken = kind == MARK_MALICIOUS || kind == MARK_ALLOW;
		feed_rig_init(&rig);
		feed_rig_load(&rig, spec, "198.51.100.7\n198.51.100.0/24\n198.51.100.7\n");
		cr_expect_eq(rig.report.addresses, taken ? 2 : 0, "%s",
			mark_kind_name((enum mark_kind)kind));
		cr_expect_eq(rig.report.duplicates, taken ? 1 : 0);
		cr_expect_eq(rig.report.rejected[FEED_REJECT_ADDRESS], taken ? 0 : 3);
		feed_rig_deinit(&rig);
	}
}

/* Where a hosts file sends a name is no indicator, whatever format it is read as. */
Test(address, beside_a_name_is_where_it_leads)
{
	static const enum feed_format formats[] = { FEED_AUTO, FEED_DOMAINS, FEED_HOSTS };

	for (size_t i = 0; i < ARRAY_LEN(formats); i++) {
		struct feed_rig rig;
		struct feed_spec spec = { .kind = MARK_MALICIOUS, .format = formats[i] };
		feed_rig_init(&rig);
		feed_rig_load(&rig, spec,
			"198.51.100.7 evil.example\n198.51.100.8 www.evil.example\n");
		cr_expect_eq(rig.report.addresses, 0, "%s", feed_format_name(formats[i]));
		feed_rig_deinit(&rig);
	}
}

Test(address, may_be_followed_by_a_remark)
{
	struct feed_rig rig;
	struct feed_spec spec = { .kind = MARK_MALICIOUS };

	feed_rig_init(&rig);
	feed_rig_load(&rig, spec,
		"; a list of networks\n198.51.100.0/24 ; SBL1\n"
		"203.0.113.0/24 ; SBL2\n192.0.2.7 # seen\n");
	cr_expect_eq(rig.report.format, FEED_DOMAINS);
	cr_expect_eq(rig.report.addresses, 3);
	cr_expect_eq(feed_report_rejected(&rig.report), 0);
	feed_rig_deinit(&rig);
}
