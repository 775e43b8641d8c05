/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The lines of a feed: where they end, which format they are of, what is taken of them and what
 * is refused, and by which rail.
 */
#include "feeds/feed.h"

#include <criterion/criterion.h>
#include <string.h>

#include "sensor/base/attribute.h"
#include "tests/unit/feeds/feed_rig.h"
#include "tests/unit/feeds/rows.h"

static const struct feed_spec malicious = { .kind = MARK_MALICIOUS };

/* --- lines ------------------------------------------------------------------------------- */

static const struct {
	const char *name;
	const char *content;
	uint64_t lines, accepted;
} endings[] = {
	{ "LF", "a.example\nb.example\n", 2, 2 },
	{ "no end", "a.example\nb.example", 2, 2 },
	{ "CR LF", "a.example\r\nb.example\r\n", 2, 2 },
	{ "CR", "a.example\rb.example\r", 2, 2 },
	{ "mixed", "a.example\r\nb.example\rc.example\nd.example", 4, 4 },
	{ "blank lines", "\n\r\n\ra.example\n\n", 5, 1 },
	{ "byte order mark",
		"\xef\xbb\xbf"
		"a.example\nb.example\n",
		2, 2 },
	{ "only a mark", "\xef\xbb\xbf", 0, 0 },
	{ "comments", "# c\n! c\n; c\n// c\n[Adblock Plus]\n  # c\na.example\n", 7, 1 },
	{ "nothing", "", 0, 0 },
};

Test(feed_line, lines_end_in_every_way)
{
	for (size_t i = 0; i < ARRAY_LEN(endings); i++) {
		struct feed_rig rig;
		feed_rig_init(&rig);
		feed_rig_load(&rig, malicious, endings[i].content);
		cr_expect_eq(rig.report.lines, endings[i].lines, "%s: lines", endings[i].name);
		cr_expect_eq(feed_report_accepted(&rig.report), endings[i].accepted, "%s",
			endings[i].name);
		cr_expect_eq(feed_report_rejected(&rig.report), 0, "%s", endings[i].name);
		cr_expect_eq(
			rig.report.bytes, strlen(endings[i].content), "%s", endings[i].name);
		feed_rig_deinit(&rig);
	}
}

Test(feed_line, a_long_line_costs_itself_alone)
{
	static char content[3 * FEED_LINE_MAX];
	struct feed_rig rig;

	for (size_t extra = 0; extra < 2; extra++) {
		size_t len = FEED_LINE_MAX + extra;
		memset(content, ' ', len);
		memcpy(content, "a.example", 9);
		strcpy(content + len, "\nb.example\n");
		feed_rig_init(&rig);
		feed_rig_load(&rig, malicious, content);
		cr_expect_eq(rig.report.rejected[FEED_REJECT_LINE_TOO_LONG], extra);
		cr_expect_eq(feed_report_accepted(&rig.report), 2 - extra);
		cr_expect_eq(rig.report.lines, 2);
		feed_rig_deinit(&rig);
	}
}

Test(feed_line, a_nul_byte_costs_its_line)
{
	static const char content[] = "a.example\nb\0.example\nc.example # \0\nd.example";
	struct feed_spec spec = { .name = "nul",
		.kind = MARK_MALICIOUS,
		.content = content,
		.content_len = sizeof(content) - 1 };
	struct feed_rig rig;

	feed_rig_init(&rig);
	cr_assert_eq(feed_load(&rig.target, &spec, 1, &rig.report, &rig.why), ERR_OK);
	cr_expect_eq(feed_report_accepted(&rig.report), 2);
	cr_expect_eq(rig.report.rejected[FEED_REJECT_NUL_BYTE], 2);
	cr_expect_str_eq(rig.report.sample[FEED_REJECT_NUL_BYTE][0], "2: b\\x00.example");
	feed_rig_deinit(&rig);
}

/* --- what a line means ------------------------------------------------------------------- */

static const struct {
	enum feed_format format;
	const char *line;
	enum feed_reject reject; /* TAKEN: accepted */
	const char *name;        /* must match then, if given */
} lines[] = {
	{ FEED_DOMAINS, "evil.example # seen 2026-08", TAKEN, "www.evil.example" },
	{ FEED_DOMAINS, "evil.example\tremark", TAKEN, "evil.example" },
	{ FEED_DOMAINS, "evil.example ; remark", TAKEN, "evil.example" },
	{ FEED_DOMAINS, "dynu.net.example - Corporate only", TAKEN, "dynu.net.example" },
	{ FEED_DOMAINS, ".cloudns.example", TAKEN, "cloudns.example" },
	{ FEED_DOMAINS, "http://evil.example/#a", TAKEN, "evil.example" },
	{ FEED_DOMAINS, "evil.example A bad place", TAKEN, "evil.example" },
	{ FEED_DOMAINS, "evil.example 3 times", TAKEN, "evil.example" },
	{ FEED_DOMAINS, "t\xc3\xb4t.net", TAKEN, "xn--tt-8ja.net" },
	{ FEED_DOMAINS, "t\xf4t.net", FEED_REJECT_ENCODING, NULL },
	{ FEED_DOMAINS, "\xf4.example # t\xf4t", FEED_REJECT_ENCODING, NULL },
	{ FEED_DOMAINS, "evil.example # t\xf4t", TAKEN, "evil.example" },
	{ FEED_DOMAINS, "102.204..15", FEED_REJECT_ADDRESS, NULL },
	{ FEED_DOMAINS, "0.0.0.0 evil.example", FEED_REJECT_ADDRESS, NULL },
	{ FEED_DOMAINS, "||x.example^", FEED_REJECT_SYNTAX, NULL },
	{ FEED_DOMAINS, "ok.example CNAME rpz-passthru.", FEED_REJECT_SYNTAX, NULL },
	{ FEED_DOMAINS, "ok.example\t300 IN\tCNAME .", FEED_REJECT_SYNTAX, NULL },
	{ FEED_DOMAINS, "garden.example A 192.0.2.5", FEED_REJECT_SYNTAX, NULL },
	{ FEED_DOMAINS, "@ IN SOA ns.example. h.example. (", FEED_REJECT_SYNTAX, NULL },
	{ FEED_DOMAINS, "local-zone: \"evil.example.\" always_nxdomain", FEED_REJECT_SYNTAX,
		NULL },
	{ FEED_DOMAINS, "*evil*", FEED_REJECT_WILDCARD, NULL },
	{ FEED_DOMAINS, "/regex/", FEED_REJECT_REGEX, NULL },
	{ FEED_DOMAINS, "localhost", FEED_REJECT_SINGLE_LABEL, NULL },
	{ FEED_DOMAINS, "com", FEED_REJECT_SINGLE_LABEL, NULL },
	{ FEED_DOMAINS, "co.uk", FEED_REJECT_PUBLIC_SUFFIX, NULL },
	{ FEED_DOMAINS, "*.co.uk", FEED_REJECT_PUBLIC_SUFFIX, NULL },
	{ FEED_DOMAINS, "evil.ck", FEED_REJECT_PUBLIC_SUFFIX, NULL },
	{ FEED_DOMAINS, "www.ck", TAKEN, "a.www.ck" },
	{ FEED_DOMAINS, "duckdns.org", FEED_REJECT_BROAD, NULL },
	{ FEED_DOMAINS, "*.github.io", FEED_REJECT_BROAD, NULL },
	{ FEED_DOMAINS, "evil.duckdns.org", TAKEN, "evil.duckdns.org" },
	{ FEED_DOMAINS, "1.2.3.4.5.6.7.8.9.a.1.2.3.4.5.6.7.8.9.a.1.2.3.4.5.6.7.8.9.a.b.example",
		TAKEN, NULL },
	{ FEED_DOMAINS,
		"0.1.2.3.4.5.6.7.8.9.a.1.2.3.4.5.6.7.8.9.a.1.2.3.4.5.6.7.8.9.a.b.example",
		FEED_REJECT_TOO_DEEP, NULL },
	{ FEED_HOSTS, "0.0.0.0 evil.example", TAKEN, "evil.example" },
	{ FEED_HOSTS, "127.0.0.1\tevil.example # c", TAKEN, "evil.example" },
	{ FEED_HOSTS, ":: evil.example", TAKEN, "evil.example" },
	{ FEED_HOSTS, "::1 localhost", FEED_REJECT_LOOPBACK, NULL },
	{ FEED_HOSTS, "fe80::1%lo0 localhost", FEED_REJECT_LOOPBACK, NULL },
	{ FEED_HOSTS, "ff02::1 ip6-allnodes", FEED_REJECT_LOOPBACK, NULL },
	{ FEED_HOSTS, "0.0.0.0 ip6-evil.example.com", TAKEN, "ip6-evil.example.com" },
	{ FEED_HOSTS, "255.255.255.255 broadcasthost", FEED_REJECT_LOOPBACK, NULL },
	{ FEED_HOSTS, "127.0.0.1 localhost.localdomain.", FEED_REJECT_LOOPBACK, NULL },
	{ FEED_HOSTS, "0.0.0.0 0.0.0.0", FEED_REJECT_LOOPBACK, NULL },
	{ FEED_HOSTS, "0.0.0.0 192.0.2.1", FEED_REJECT_ADDRESS, NULL },
	{ FEED_HOSTS, "0.0.0.0 com", FEED_REJECT_SINGLE_LABEL, NULL },
	{ FEED_HOSTS, "evil.example", FEED_REJECT_SYNTAX, NULL },
	{ FEED_HOSTS, "0.0.0.0", FEED_REJECT_SYNTAX, NULL },
	{ FEED_HOSTS, "0.0.0.0 # evil.example", FEED_REJECT_SYNTAX, NULL },
	{ FEED_HOSTS, "1.2.3 evil.example", FEED_REJECT_SYNTAX, NULL },
};

Test(feed_line, every_line_is_taken_or_refused_with_its_reason)
{
	for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
		struct feed_rig rig;
		struct feed_spec spec = malicious;
		spec.format = lines[i].format;
		feed_rig_init(&rig);
		feed_rig_load(&rig, spec, lines[i].line);
		for (size_t k = 0; k < FEED_REJECT_COUNT; k++)
			cr_expect_eq(rig.report.rejected[k], k == lines[i].reject,
				"'%s': %s %lu times", lines[i].line,
				feed_reject_name((enum feed_reject)k),
				(unsigned long)rig.report.rejected[k]);
		cr_expect_eq(feed_report_accepted(&rig.report), lines[i].reject == TAKEN,
			"'%s'", lines[i].line);
		feed_rig_build(&rig);
		if (lines[i].name)
			cr_expect_eq(feed_rig_hits(&rig, lines[i].name), 1, "'%s': %s",
				lines[i].line, lines[i].name);
		feed_rig_deinit(&rig);
	}
}

Test(feed_line, a_hosts_line_may_hold_many_names)
{
	struct feed_rig rig;

	feed_rig_init(&rig);
	feed_rig_load(&rig, malicious,
		"0.0.0.0 a.example  b.example\tlocalhost c.example # d.example\n"
		"0.0.0.0 a.example\n");
	cr_expect_eq(rig.report.format, FEED_HOSTS);
	cr_expect_eq(feed_report_accepted(&rig.report), 3);
	cr_expect_eq(rig.report.duplicates, 1);
	cr_expect_eq(rig.report.rejected[FEED_REJECT_LOOPBACK], 1);
	feed_rig_deinit(&rig);
}

Test(feed_line, match_exact_and_leading_stars_set_the_scope)
{
	struct feed_rig rig;
	struct feed_spec spec = malicious;

	spec.scope = SCOPE_EXACT;
	feed_rig_init(&rig);
	feed_rig_load(&rig, spec, "a.example\n.b.example\n*.c.example\na.example.\n");
	cr_expect_eq(rig.report.accepted[SCOPE_EXACT], 2);
	cr_expect_eq(rig.report.accepted[SCOPE_BELOW], 1);
	cr_expect_eq(rig.report.duplicates, 1);
	feed_rig_build(&rig);
	cr_expect_eq(feed_rig_hits(&rig, "a.example"), 1);
	cr_expect_eq(feed_rig_hits(&rig, "x.a.example"), 0);
	cr_expect_eq(feed_rig_hits(&rig, "c.example"), 0);
	cr_expect_eq(feed_rig_hits(&rig, "x.c.example"), 1);
	feed_rig_deinit(&rig);
}

Test(feed_line, the_format_is_recognised_from_most_of_the_lines)
{
	static const struct {
		const char *name;
		const char *content;
		enum feed_format format;
	} cases[] = {
		{ "names", "# c\na.example\nb.example\n", FEED_DOMAINS },
		{ "hosts", "# c\n127.0.0.1 localhost\n0.0.0.0 a.example\n", FEED_HOSTS },
		{ "hosts with a mark", "\xef\xbb\xbf::1 localhost\r\n:: a.example\r\n",
			FEED_HOSTS },
		{ "names, some addresses", "a.example\n192.0.2.1\nb.example\n192.0.2.2 x\n",
			FEED_DOMAINS },
		{ "addresses only", "192.0.2.1\n192.0.2.2\n", FEED_DOMAINS },
		{ "hosts, a name or two", "0.0.0.0 a.example\n0.0.0.0 b.example\nc.example\n",
			FEED_HOSTS },
		{ "adblock, and JSON's words in it",
			"[Adblock Plus 2.0]\n||a.example^\n||b.example^\n"
			"c.example##[class=\"list\"]\n",
			FEED_ADBLOCK },
		{ "adblock, a name or two", "||a.example^\n@@||b.example^\nc.example\n",
			FEED_ADBLOCK },
		{ "a zone", "; c\n$TTL 60\n@ SOA a. b. 1 2 3 4 5\na.example CNAME .\n",
			FEED_RPZ },
		{ "a zone without a head", "a.example 60 IN CNAME .\nb.example CNAME .\n",
			FEED_RPZ },
		{ "columns", "Domain,Seen,By\na.example,2024,x\nb.example,2024,x\n", FEED_CSV },
		{ "URLhaus", "# id,dateadded,url\n\"1\",\"2024\",\"http://a.example/\"\n",
			FEED_CSV },
		{ "names with remarks", "a.example ; x, y\nb.example - c, d\n", FEED_DOMAINS },
		{ "URLs", "http://a.example/\nhxxps://b.example/c,d\n", FEED_URLS },
		{ "wildcards", "*.a.example\n.b.example\n", FEED_DOMAINS },
		{ "dnsmasq", "# c\naddress=/a.example/#\nserver=/b.example/\n", FEED_DNSMASQ },
		{ "unbound", "server:\nlocal-zone: \"a.example\" static\n", FEED_UNBOUND },
		{ "trails.csv", "trail,info,reference\na.example,x,y\n", FEED_MALTRAIL },
		{ "trails.csv with quotes",
			"\"trail\",\"info\",\"reference\"\n\"a.example\",\"x\",\"y\"\n",
			FEED_MALTRAIL },
		{ "base64", "YS5leGFtcGxl\nYi5leGFtcGxl,7\n", FEED_SURICATA },
		{ "JSON lines",
			"{\"host\":\"a.example\",\"list\":1}\n{\"host\":\"b.example\"}\n",
			FEED_SURICATA },
		{ "one JSON line", "{\"host\":\"a.example\"}\n", FEED_SURICATA },
		{ "warninglist in one line",
			"{\"name\":\"x\",\"type\":\"hostname\",\"list\":[\".a.example\"]}",
			FEED_MISP },
		{ "event", "\xef\xbb\xbf\n{\n\"Event\": {\"Attribute\": []}}", FEED_MISP },
		{ "export of MISP", "uuid,event_id,category,type,value,comment,to_ids,date\n",
			FEED_MISP },
		{ "bundle", "{\"type\": \"bundle\",\n\"objects\": []}", FEED_STIX },
		{ "indicators", "[\n{\"pattern_type\": \"stix\"}]", FEED_STIX },
		{ "comments only", "# 0.0.0.0 a.example\n", FEED_DOMAINS },
		{ "nothing", "", FEED_DOMAINS },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct feed_rig rig;
		feed_rig_init(&rig);
		feed_rig_load(&rig, malicious, cases[i].content);
		cr_expect_eq(rig.report.format, cases[i].format, "%s: %s", cases[i].name,
			feed_format_name(rig.report.format));
		feed_rig_deinit(&rig);
	}
}

/* --- rails ------------------------------------------------------------------------------- */

Test(feed_line, the_broad_rail_is_for_malicious_feeds_that_were_not_told_otherwise)
{
	static const struct {
		enum mark_kind kind;
		bool allow_broad;
		const char *name;
		enum feed_reject reject;
	} cases[] = {
		{ MARK_MALICIOUS, false, "geekgalaxy.com", FEED_REJECT_BROAD },
		{ MARK_MALICIOUS, false, "below-only.example", FEED_REJECT_BROAD },
		{ MARK_MALICIOUS, false, "exact.example", TAKEN },
		{ MARK_MALICIOUS, false, "host.geekgalaxy.com", TAKEN },
		{ MARK_MALICIOUS, true, "geekgalaxy.com", TAKEN },
		{ MARK_MALICIOUS, true, "duckdns.org", TAKEN },
		{ MARK_MALICIOUS, true, "co.uk", FEED_REJECT_PUBLIC_SUFFIX },
		{ MARK_MALICIOUS, true, "com", FEED_REJECT_SINGLE_LABEL },
		{ MARK_PROVIDER, false, "geekgalaxy.com", TAKEN },
		{ MARK_PROVIDER, false, "duckdns.org", TAKEN },
		{ MARK_PROVIDER, false, "co.uk", FEED_REJECT_PUBLIC_SUFFIX },
		{ MARK_ALLOW, false, "duckdns.org", TAKEN },
		{ MARK_ALLOW, false, "com", FEED_REJECT_SINGLE_LABEL },
		{ MARK_POOL, false, "co.uk", FEED_REJECT_PUBLIC_SUFFIX },
		{ MARK_LOOKUP_SERVICE, false, "co.uk", FEED_REJECT_PUBLIC_SUFFIX },
		{ MARK_LOOKUP_SERVICE, false, "in-addr.arpa", TAKEN },
		{ MARK_ALLOW, false, "in-addr.arpa", FEED_REJECT_PUBLIC_SUFFIX },
	};
	struct feed_rig lists;

	feed_rig_init(&lists);
	struct feed_spec provider = { .kind = MARK_PROVIDER };
	feed_rig_load(&lists, provider, "geekgalaxy.com\n*.below-only.example\n");
	provider.scope = SCOPE_EXACT;
	feed_rig_load(&lists, provider, "exact.example\n");
	feed_rig_build(&lists);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct feed_rig rig;
		struct feed_spec spec = { .kind = cases[i].kind,
			.allow_broad = cases[i].allow_broad };
		feed_rig_init(&rig);
		rig.target.provider_suffixes = lists.index;
		feed_rig_load(&rig, spec, cases[i].name);
		if (cases[i].reject == TAKEN)
			cr_expect_eq(feed_report_accepted(&rig.report), 1, "%s as %s",
				cases[i].name, mark_kind_name(cases[i].kind));
		else
			cr_expect_eq(rig.report.rejected[cases[i].reject], 1, "%s as %s",
				cases[i].name, mark_kind_name(cases[i].kind));
		feed_rig_deinit(&rig);
	}
	feed_rig_deinit(&lists);
}
