/* SPDX-License-Identifier: BSD-2-Clause */
/* What each format takes, excepts and refuses, entry by entry. */
#include "feeds/feed.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "tests/unit/feeds/feed_rig.h"

#define TAKEN FEED_REJECT_COUNT

struct row {
	const char *text;
	enum feed_reject reject; /* TAKEN: accepted */
	const char *hit;         /* a name or an address that must match then, or NULL */
	const char *miss;        /* one that must not */
};

static unsigned address_kinds(const struct feed_rig *rig, const struct ip *ip)
{
	struct address_hit hit[ADDRESS_HITS_MAX];
	size_t count = address_set_match(rig->addresses, ip, hit);
	unsigned kinds = 0;
	size_t marks;

	for (size_t i = 0; i < count; i++) {
		const struct mark *mark =
			address_set_marks(rig->addresses, hit[i].entry, &marks);
		for (size_t k = 0; k < marks; k++)
			kinds |= 1u << mark[k].kind;
	}
	return kinds;
}

static unsigned mark_kinds(const struct feed_rig *rig, const char *text)
{
	struct ip ip;
	if (ip_parse(&ip, text))
		return address_kinds(rig, &ip);
	struct index_hit hit[INDEX_HITS_MAX];
	struct dns_name name = name_of(text);
	unsigned kinds = 0;
	size_t marks;

	size_t count = index_match_name(rig->index, &name, hit);
	for (size_t i = 0; i < count; i++) {
		const struct mark *mark = index_marks(rig->index, hit[i].entry, &marks);
		for (size_t k = 0; k < marks; k++) {
			if (mark_applies(&mark[k], hit[i].labels, name.label_count))
				kinds |= 1u << mark[k].kind;
		}
	}
	return kinds;
}

static void expect_reject(const struct feed_rig *rig, const struct row *row)
{
	for (int k = 0; k < FEED_REJECT_COUNT; k++)
		cr_expect_eq(rig->report.rejected[k], k == (int)row->reject,
			"'%s': %s %lu times", row->text, feed_reject_name((enum feed_reject)k),
			(unsigned long)rig->report.rejected[k]);
}

/* Each row is a feed of its own between `before` and `after`, which are not refused. */
static void expect_framed(struct feed_spec spec, const char *before, const char *after,
	const struct row *row, size_t row_count, enum mark_kind kind)
{
	for (size_t i = 0; i < row_count; i++) {
		struct feed_rig rig;
		static char content[4 * FEED_LINE_MAX];
		snprintf(content, sizeof(content), "%s%s%s", before, row[i].text, after);
		feed_rig_init(&rig);
		feed_rig_load(&rig, spec, content);
		expect_reject(&rig, &row[i]);
		cr_expect_eq(feed_report_accepted(&rig.report), row[i].reject == TAKEN, "'%s'",
			row[i].text);
		cr_expect_eq(rig.report.exceptions,
			row[i].reject == TAKEN && kind != (enum mark_kind)spec.kind, "'%s'",
			row[i].text);
		feed_rig_build(&rig);
		if (row[i].hit)
			cr_expect_eq(mark_kinds(&rig, row[i].hit), 1u << kind, "'%s': %s",
				row[i].text, row[i].hit);
		if (row[i].miss)
			cr_expect_eq(mark_kinds(&rig, row[i].miss), 0, "'%s': not %s",
				row[i].text, row[i].miss);
		feed_rig_deinit(&rig);
	}
}

static void expect_rows(struct feed_spec spec, const char *before, const struct row *row,
	size_t row_count, enum mark_kind kind)
{
	expect_framed(spec, before, "", row, row_count, kind);
}

static struct feed_spec malicious_as(enum feed_format format)
{
	return (struct feed_spec){ .kind = MARK_MALICIOUS, .format = format };
}

/* --- adblock ------------------------------------------------------------------------------- */

static const struct row adblock[] = {
	{ "||evil.example^", TAKEN, "www.evil.example", "example" },
	{ "  ||evil.example^  ", TAKEN, "evil.example", NULL },
	{ "||evil.example^|", TAKEN, "evil.example", NULL },
	{ "||evil.example^$important", TAKEN, "evil.example", NULL },
	{ "||evil.example^$document,popup", TAKEN, "evil.example", NULL },
	{ "||evil.example^$all", TAKEN, "evil.example", NULL },
	{ "||*.evil.example^", TAKEN, "a.evil.example", "evil.example" },
	{ "|evil.example^", TAKEN, "evil.example", "www.evil.example" },
	{ "|evil.example^$important", TAKEN, "evil.example", "www.evil.example" },
	{ "|evil.example", FEED_REJECT_SYNTAX, NULL, "evil.example" },
	{ "|https://evil.example^", FEED_REJECT_PATH, NULL, "evil.example" },
	{ "||evil.example^$popup", FEED_REJECT_MODIFIER, NULL, "evil.example" },
	{ "||evil.example^$third-party", FEED_REJECT_MODIFIER, NULL, "evil.example" },
	{ "||evil.example^$important,script", FEED_REJECT_MODIFIER, NULL, "evil.example" },
	{ "||evil.example^$", FEED_REJECT_MODIFIER, NULL, "evil.example" },
	{ "||evil.example^$denyallow=ok.evil.example", FEED_REJECT_MODIFIER, NULL,
		"evil.example" },
	{ "||evil.example^$ctag=device_phone,client=192.0.2.0/24,dnstype=A",
		FEED_REJECT_MODIFIER, NULL, "evil.example" },
	{ "||evil.example", FEED_REJECT_SYNTAX, NULL, "evil.example" },
	{ "||evil.example/path^", FEED_REJECT_PATH, NULL, "evil.example" },
	{ "||evil.example^path", FEED_REJECT_SYNTAX, NULL, "evil.example" },
	{ "||evil.example^*/ads", FEED_REJECT_WILDCARD, NULL, "evil.example" },
	{ "||evil.example:8080^", FEED_REJECT_SYNTAX, NULL, "evil.example" },
	{ "||ads*.example^", FEED_REJECT_WILDCARD, NULL, "ads.example" },
	{ "||192.0.2.1^", TAKEN, "192.0.2.1", NULL },
	{ "||[2001:db8::1]^", FEED_REJECT_SYNTAX, NULL, NULL },
	{ "|http://evil.example/x", FEED_REJECT_PATH, NULL, "evil.example" },
	{ "/ads/banner", FEED_REJECT_REGEX, NULL, NULL },
	{ "/banner", FEED_REJECT_PATH, NULL, NULL },
	{ "/ev[il]+/", FEED_REJECT_REGEX, NULL, NULL },
	{ "example.com##.ad-banner", FEED_REJECT_COSMETIC, NULL, "example.com" },
	{ "example.com#@#.ad-banner", FEED_REJECT_COSMETIC, NULL, "example.com" },
	{ "example.com#?#div:has(a)", FEED_REJECT_COSMETIC, NULL, "example.com" },
	{ "##.ad", FEED_REJECT_COSMETIC, NULL, NULL },
	{ "evil.example", FEED_REJECT_SYNTAX, NULL, "evil.example" },
	{ "||to^", FEED_REJECT_SINGLE_LABEL, NULL, "a.to" },
	{ "||co.uk^", FEED_REJECT_PUBLIC_SUFFIX, NULL, NULL },
	{ "||duckdns.org^", FEED_REJECT_BROAD, NULL, NULL },
};

static const struct row adblock_exceptions[] = {
	{ "@@|good.example^", TAKEN, "good.example", "www.good.example" },
	{ "@@||good.example^", TAKEN, "www.good.example", NULL },
	{ "@@||good.example^|$important", TAKEN, "good.example", NULL },
	{ "@@||duckdns.org^", TAKEN, "x.duckdns.org", NULL },
	{ "@@||com^", FEED_REJECT_SINGLE_LABEL, NULL, NULL },
	{ "@@good.example", FEED_REJECT_SYNTAX, NULL, "good.example" },
	{ "@@||good.example^$script", FEED_REJECT_MODIFIER, NULL, "good.example" },
};

static const char adblock_start[] = "! Title: x\n[Adblock Plus]\n# remark\n#\n\n";

Test(formats, adblock_takes_rules_about_whole_hosts)
{
	expect_rows(malicious_as(FEED_ADBLOCK), adblock_start, adblock, ARRAY_LEN(adblock),
		MARK_MALICIOUS);
	expect_rows(malicious_as(FEED_ADBLOCK), adblock_start, adblock_exceptions,
		ARRAY_LEN(adblock_exceptions), MARK_ALLOW);
}

Test(formats, exceptions_are_for_feeds_of_good_and_bad_names)
{
	static const struct {
		enum mark_kind kind;
		enum feed_reject reject;
		uint64_t exceptions;
	} cases[] = {
		{ MARK_MALICIOUS, TAKEN, 1 },
		{ MARK_ALLOW, TAKEN, 0 },
		{ MARK_PROVIDER, FEED_REJECT_EXCEPTION, 0 },
		{ MARK_POOL, FEED_REJECT_EXCEPTION, 0 },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct feed_rig rig;
		struct feed_spec spec = { .kind = cases[i].kind, .format = FEED_ADBLOCK };
		struct row row = { .text = mark_kind_name(cases[i].kind),
			.reject = cases[i].reject };
		feed_rig_init(&rig);
		feed_rig_load(&rig, spec, "@@||good.example^");
		expect_reject(&rig, &row);
		cr_expect_eq(rig.report.exceptions, cases[i].exceptions, "%s", row.text);
		feed_rig_deinit(&rig);
	}
}

/* --- rpz ----------------------------------------------------------------------------------- */

static const char zone_start[] = "$TTL 2h ; remark\n$ORIGIN rpz.example.\n"
				 "@ IN SOA ns.example. hostmaster.example. ( 1 12h\n"
				 "  15m 3w ; remark )\n\t2h )\n"
				 "  IN NS ns.example.\n@ TXT \"a ; ( quoted\" \"version\"\n\n";

static const struct row zone[] = {
	{ "evil.example CNAME .", TAKEN, "www.evil.example", "evil.example.rpz.example" },
	{ "*.evil.example CNAME .", TAKEN, "a.evil.example", "evil.example" },
	{ "evil.example.rpz.example. CNAME .", TAKEN, "evil.example", NULL },
	{ "Evil.Example 300 IN cname . ; remark", TAKEN, "evil.example", NULL },
	{ "evil.example IN 1h30m CNAME .", TAKEN, "evil.example", NULL },
	{ "evil.example CLASS1 TYPE5 .", TAKEN, "evil.example", NULL },
	{ "evil.example (\n CNAME\n . ) ; remark", TAKEN, "evil.example", NULL },
	{ "nodata.example CNAME *.", TAKEN, "nodata.example", NULL },
	{ "drop.example CNAME rpz-drop.", TAKEN, "drop.example", NULL },
	{ "tcp.example CNAME rpz-tcp-only.", TAKEN, "tcp.example", NULL },
	{ "garden.example CNAME sink.example.", TAKEN, "garden.example", "sink.example" },
	{ "garden.example A 192.0.2.5", TAKEN, "garden.example", NULL },
	{ "garden.example TXT \"a b;c\" d", TAKEN, "garden.example", NULL },
	{ "\\097bc.example CNAME .", TAKEN, "abc.example", NULL },
	{ "evil.other. CNAME .", FEED_REJECT_SYNTAX, NULL, "evil.other" },
	{ "a\\.b.example CNAME .", FEED_REJECT_CHARACTER, NULL, "a.b.example" },
	{ "a\\000b.example CNAME .", FEED_REJECT_CHARACTER, NULL, NULL },
	{ "a\\999.example CNAME .", FEED_REJECT_NAME, NULL, NULL },
	{ "24.0.2.0.192.rpz-ip CNAME .", TAKEN, "192.0.2.200", "192.0.3.1" },
	{ "32.1.2.0.192.rpz-ip CNAME rpz-drop.", TAKEN, "192.0.2.1", "192.0.2.2" },
	{ "33.1.2.0.192.rpz-ip CNAME .", FEED_REJECT_SYNTAX, NULL, NULL },
	{ "24.1.2.0.192.rpz-ip CNAME .", FEED_REJECT_SYNTAX, NULL, "192.0.2.1" },
	{ "24.2.0.192.rpz-ip CNAME .", FEED_REJECT_SYNTAX, NULL, NULL },
	{ "rpz-ip CNAME .", FEED_REJECT_SYNTAX, NULL, NULL },
	{ "8.0.0.0.10.rpz-ip CNAME .", FEED_REJECT_RESERVED, NULL, "10.0.0.1" },
	{ "128.1.zz.db8.2001.rpz-ip CNAME .", TAKEN, "2001:db8::1", "2001:db8::2" },
	{ "48.zz.3.db8.2001.rpz-ip CNAME .", TAKEN, "2001:db8:3::9", "2001:db8:4::9" },
	{ "128.8.7.6.5.4.3.db8.2001.rpz-ip CNAME .", TAKEN, "2001:db8:3:4:5:6:7:8", NULL },
	{ "128.1.zz.2.zz.2001.rpz-ip CNAME .", FEED_REJECT_SYNTAX, NULL, NULL },
	{ "32.1.0.0.10.rpz-client-ip CNAME rpz-drop.", FEED_REJECT_TRIGGER, NULL, NULL },
	{ "24.0.2.0.192.rpz-nsip CNAME .", FEED_REJECT_TRIGGER, NULL, NULL },
	{ "ns1.bad.example.rpz-nsdname CNAME .", FEED_REJECT_TRIGGER, NULL, "ns1.bad.example" },
	{ "sub.example NS ns.sub.example.", FEED_REJECT_DIRECTIVE, NULL, "sub.example" },
	{ "evil.example CNAME rpz-passthru", FEED_REJECT_SYNTAX, NULL, "evil.example" },
	{ "evil.example CNAME rpz-new-action.", FEED_REJECT_SYNTAX, NULL, "evil.example" },
	{ "evil.example CNAME", FEED_REJECT_SYNTAX, NULL, "evil.example" },
	{ "evil.example", FEED_REJECT_SYNTAX, NULL, "evil.example" },
	{ "evil.example NOTYPE x", FEED_REJECT_SYNTAX, NULL, "evil.example" },
	{ "evil.example TXT \"not closed", FEED_REJECT_SYNTAX, NULL, "evil.example" },
	{ "evil.example CNAME . )", FEED_REJECT_SYNTAX, NULL, "evil.example" },
	{ "evil.example ( CNAME .", FEED_REJECT_SYNTAX, NULL, "evil.example" },
	{ "$INCLUDE /etc/passwd", FEED_REJECT_DIRECTIVE, NULL, NULL },
	{ "$GENERATE 1-9 x$.example CNAME .", FEED_REJECT_DIRECTIVE, NULL, NULL },
	{ "$ORIGIN", FEED_REJECT_SYNTAX, NULL, NULL },
	{ "$ORIGIN sub.rpz.example.\nx.example CNAME .", TAKEN, "x.example.sub", "x.example" },
	{ "to CNAME .", FEED_REJECT_SINGLE_LABEL, NULL, "a.to" },
	{ "* CNAME .", FEED_REJECT_WILDCARD, NULL, NULL },
	{ "duckdns.org CNAME .", FEED_REJECT_BROAD, NULL, NULL },
};

static const struct row zone_exceptions[] = {
	{ "ok.example CNAME rpz-passthru.", TAKEN, "ok.example", "example" },
	{ "*.ok.example 60 CNAME RPZ-PASSTHRU.", TAKEN, "a.ok.example", "ok.example" },
	{ "ok.example CNAME ok.example.", TAKEN, "ok.example", NULL },
};

/* Without an origin the zone is the root, or what the SOA record's owner says. */
static const struct row nameless_zone[] = {
	{ "evil.example CNAME .", TAKEN, "evil.example", NULL },
	{ "$TTL 60\n@ SOA a. b. 1 2 3 4 5\nevil.example CNAME .", TAKEN, "evil.example", NULL },
	{ "rpz.test. SOA a. b. 1 2 3 4 5\nevil.example CNAME .", TAKEN, "evil.example", NULL },
	{ "rpz.test. SOA a. b. 1 2 3 4 5\nevil.example.rpz.test. CNAME .", TAKEN,
		"evil.example", NULL },
	{ "  CNAME .", FEED_REJECT_SYNTAX, NULL, NULL },
};

Test(formats, zones_list_by_their_actions)
{
	expect_rows(malicious_as(FEED_RPZ), zone_start, zone, ARRAY_LEN(zone), MARK_MALICIOUS);
	expect_rows(malicious_as(FEED_RPZ), zone_start, zone_exceptions,
		ARRAY_LEN(zone_exceptions), MARK_ALLOW);
	expect_rows(malicious_as(FEED_RPZ), "", nameless_zone, ARRAY_LEN(nameless_zone),
		MARK_MALICIOUS);
}

Test(formats, a_blank_owner_is_the_one_before)
{
	struct feed_rig rig;

	feed_rig_init(&rig);
	feed_rig_load(&rig, malicious_as(FEED_RPZ),
		"a.example A 192.0.2.1\n  AAAA 2001:db8::1\nbad..name A 192.0.2.1\n\tA "
		"192.0.2.2\n"
		"c.example A 192.0.2.1\n");
	cr_expect_eq(feed_report_accepted(&rig.report), 2);
	cr_expect_eq(rig.report.duplicates, 1);
	cr_expect_eq(rig.report.rejected[FEED_REJECT_NAME], 2);
	feed_rig_deinit(&rig);
}

/* A parenthesis too many costs a bounded number of lines, not the rest of the zone. */
Test(formats, a_zone_goes_on_behind_a_parenthesis_that_is_not_closed)
{
	static char content[8192];
	struct feed_rig rig;

	strcpy(content, "a.example TXT ( x\n");
	for (int i = 0; i < 100; i++)
		snprintf(content + strlen(content), 40, "n%d.example CNAME .\n", i);
	feed_rig_init(&rig);
	feed_rig_load(&rig, malicious_as(FEED_RPZ), content);
	cr_expect_eq(rig.report.rejected[FEED_REJECT_SYNTAX], 1);
	cr_expect_eq(feed_report_accepted(&rig.report), 100 - 63);
	feed_rig_deinit(&rig);
}

/* --- csv ----------------------------------------------------------------------------------- */

static const struct row untitled[] = {
	{ "evil.example,2024-02-18T18:00:22.076Z,x", TAKEN, "www.evil.example", NULL },
	{ "2024-02-18,evil.example,good.example", TAKEN, "evil.example", "good.example" },
	{ "Domain,RetrievedAt,Provider\nevil.example,2024-02-18,x", TAKEN, "evil.example",
		NULL },
	{ "dynamic_dns_domains, isDynDNS_default\n*.evil.example, True", TAKEN,
		"a.evil.example", "evil.example" },
	{ "a;evil.example;b,c", TAKEN, "evil.example", NULL },
	{ "a\tevil.example\tb", TAKEN, "evil.example", NULL },
	{ "a|evil.example|b", TAKEN, "evil.example", NULL },
	{ "evil.example", TAKEN, "evil.example", NULL },
	{ "\"a,b\" , \"evil.example\" , \"c\"", TAKEN, "evil.example", NULL },
	{ "\"a \"\"b\"\"\",evil.example", TAKEN, "evil.example", NULL },
	{ "\"a\nb\n# c\n\nd\",evil.example", TAKEN, "evil.example", NULL },
	{ "a,t\xc3\xb4t.net", TAKEN, "xn--tt-8ja.net", NULL },
	{ "\"a\" b,evil.example", FEED_REJECT_SYNTAX, NULL, "evil.example" },
	{ "\"a,evil.example", FEED_REJECT_SYNTAX, NULL, "evil.example" },
	{ "192.0.2.1,x", TAKEN, "192.0.2.1", NULL },
	{ "x,192.0.2.1", FEED_REJECT_SYNTAX, NULL, "192.0.2.1" },
	{ "192.0.2.1,evil.example", TAKEN, "evil.example", "192.0.2.1" },
	{ "a,co.uk", FEED_REJECT_PUBLIC_SUFFIX, NULL, NULL },
};

static const struct row urlhaus[] = {
	{ "\"1\",\"2024-01-01\",\"http://a.evil.example:8080/x.exe\",\"online\"", TAKEN,
		"a.evil.example", "evil.example" },
	{ "\"1\",\"2024-01-01\",\"http://192.0.2.1/x.exe\",\"online\"", TAKEN, "192.0.2.1",
		"192.0.2.2" },
	{ "\"1\",\"2024-01-01\",\"http://[2001:db8::1]:80/x\",\"online\"", TAKEN, "2001:db8::1",
		NULL },
	{ "\"1\",\"2024-01-01\"", FEED_REJECT_SYNTAX, NULL, NULL },
	{ "\"1\",\"2024-01-01\",\"\",\"online\"", FEED_REJECT_SYNTAX, NULL, NULL },
};

static const struct row threatfox[] = {
	{ "\"2024\", \"1\", \"evil.example\", \"domain\", \"75\"", TAKEN, "evil.example",
		NULL },
	{ "\"2024\", \"1\", \"https://evil.example/x\", \"url\", \"100\"", TAKEN,
		"evil.example", NULL },
	{ "\"2024\", \"1\", \"evil.example\", \"domain\", \"74\"", FEED_REJECT_CONFIDENCE, NULL,
		"evil.example" },
	{ "\"2024\", \"1\", \"evil.example\", \"domain\", \"\"", FEED_REJECT_CONFIDENCE, NULL,
		"evil.example" },
	{ "\"2024\", \"1\", \"192.0.2.1:443\", \"ip:port\", \"100\"", TAKEN, "192.0.2.1",
		NULL },
	{ "\"2024\", \"1\", \"d41d8cd98f00b204e9800998ecf8427e\", \"md5_hash\", \"100\"",
		FEED_REJECT_TYPE, NULL, NULL },
};

static const struct row misp_csv[] = {
	{ "u,1,c,domain,evil.example,\"a, b\",1,20240101", TAKEN, "evil.example", NULL },
	{ "u,1,c,domain|ip,evil.example|192.0.2.1,,1,20240101", TAKEN, "evil.example",
		"192.0.2.1" },
	{ "u,1,c,url,http://evil.example/,,1,20240101", TAKEN, "evil.example", NULL },
	{ "u,1,c,domain,evil.example,,0,20240101", FEED_REJECT_UNUSED, NULL, "evil.example" },
	{ "u,1,c,ip-dst,192.0.2.1,,1,20240101", TAKEN, "192.0.2.1", NULL },
	{ "u,1,c,ip-dst|port,192.0.2.1|443,,1,20240101", TAKEN, "192.0.2.1", NULL },
	{ "u,1,c,ip-src,192.0.2.1,,1,20240101", FEED_REJECT_TYPE, NULL, "192.0.2.1" },
	{ "u,1,c,email-src,a@evil.example,,1,20240101", FEED_REJECT_TYPE, NULL,
		"evil.example" },
	{ "u,1,c,regex,evil.*,,1,20240101", FEED_REJECT_REGEX, NULL, NULL },
};

Test(formats, csv_finds_the_names)
{
	struct feed_spec spec = malicious_as(FEED_CSV);

	expect_rows(spec, "# remark, with a comma\n\n", untitled, ARRAY_LEN(untitled),
		MARK_MALICIOUS);
	expect_rows(spec, "# x, y\r\n# id,dateadded,url,url_status\r\n", urlhaus,
		ARRAY_LEN(urlhaus), MARK_MALICIOUS);
	spec.min_confidence = 75;
	expect_rows(spec,
		"#\n# \"first_seen_utc\",\"ioc_id\",\"ioc_value\",\"ioc_type\","
		"\"confidence_level\"\n",
		threatfox, ARRAY_LEN(threatfox), MARK_MALICIOUS);
	expect_rows(spec, "uuid,event_id,category,type,value,comment,to_ids,date\n", misp_csv,
		ARRAY_LEN(misp_csv), MARK_MALICIOUS);
}

Test(formats, csv_takes_the_column_that_the_feed_names)
{
	static const struct row rows[] = {
		{ "a.example,b.example,c.example", TAKEN, "b.example", "a.example" },
		{ "Domain,Other\na.example,b.example", TAKEN, "b.example", "a.example" },
		{ "One,Two\na.example,b.example", TAKEN, "b.example", "a.example" },
		{ "a.example", FEED_REJECT_SYNTAX, NULL, "a.example" },
	};
	struct feed_spec spec = malicious_as(FEED_CSV);

	spec.column = 2;
	expect_rows(spec, "", rows, ARRAY_LEN(rows), MARK_MALICIOUS);
}

/* --- urls, dnsmasq, unbound, maltrail ------------------------------------------------------ */

static const struct row urls[] = {
	{ "http://a.evil.example:8080/x.exe", TAKEN, "a.evil.example", "evil.example" },
	{ "https://u:p@evil.example/a?b#c", TAKEN, "evil.example", NULL },
	{ "hxxps[:]//evil[.]example/x y", TAKEN, "evil.example", NULL },
	{ "http://evil.example/a # b", TAKEN, "evil.example", NULL },
	{ "evil.example/x", TAKEN, "evil.example", NULL },
	{ "http://192.0.2.1/x", TAKEN, "192.0.2.1", NULL },
	{ "http://[2001:db8::1]:80/x", TAKEN, "2001:db8::1", NULL },
	{ "/only/a/path", FEED_REJECT_PATH, NULL, NULL },
	{ "http://to/x", FEED_REJECT_SINGLE_LABEL, NULL, NULL },
	{ "http:///x", FEED_REJECT_NAME, NULL, NULL },
};

static const struct row dnsmasq[] = {
	{ "address=/evil.example/0.0.0.0", TAKEN, "www.evil.example", NULL },
	{ "address=/evil.example/#", TAKEN, "evil.example", NULL },
	{ "address = /evil.example/ # remark", TAKEN, "evil.example", NULL },
	{ "address=/evil.example/2001:db8::1", TAKEN, "evil.example", NULL },
	{ "server=/evil.example/", TAKEN, "evil.example", NULL },
	{ "local=/evil.example/", TAKEN, "evil.example", NULL },
	{ "address=/*.evil.example/", TAKEN, "a.evil.example", "evil.example" },
	{ "server=/evil.example/192.0.2.1", FEED_REJECT_DIRECTIVE, NULL, "evil.example" },
	{ "server=192.0.2.1", FEED_REJECT_SYNTAX, NULL, NULL },
	{ "address=/evil.example", FEED_REJECT_SYNTAX, NULL, "evil.example" },
	{ "address=//", FEED_REJECT_SYNTAX, NULL, NULL },
	{ "address=/#/0.0.0.0", FEED_REJECT_NAME, NULL, NULL },
	{ "address=/com/0.0.0.0", FEED_REJECT_SINGLE_LABEL, NULL, NULL },
	{ "cache-size=1000", FEED_REJECT_DIRECTIVE, NULL, NULL },
	{ "evil.example", FEED_REJECT_DIRECTIVE, NULL, "evil.example" },
};

static const struct row dnsmasq_exceptions[] = {
	{ "server=/good.example/#", TAKEN, "www.good.example", NULL },
};

static const struct row unbound[] = {
	{ "local-zone: \"evil.example.\" always_nxdomain", TAKEN, "www.evil.example", NULL },
	{ "  local-zone: 'evil.example' always_null # c", TAKEN, "evil.example", NULL },
	{ "local-zone: evil.example redirect", TAKEN, "evil.example", NULL },
	{ "local-zone: \"evil.example\" inform", FEED_REJECT_DIRECTIVE, NULL, "evil.example" },
	{ "local-zone: \"evil.example\"", FEED_REJECT_SYNTAX, NULL, "evil.example" },
	{ "local-zone: \"evil.example static", FEED_REJECT_SYNTAX, NULL, "evil.example" },
	{ "local-zone: \"evil.example\" static x", FEED_REJECT_SYNTAX, NULL, "evil.example" },
	{ "local-zone:", FEED_REJECT_SYNTAX, NULL, NULL },
	{ "local-data: \"evil.example A 0.0.0.0\"", FEED_REJECT_DIRECTIVE, NULL,
		"evil.example" },
	{ "include: /etc/passwd", FEED_REJECT_DIRECTIVE, NULL, NULL },
	{ "local-zone: \"com.\" static", FEED_REJECT_SINGLE_LABEL, NULL, NULL },
};

static const struct row unbound_exceptions[] = {
	{ "local-zone: \"good.example\" always_transparent", TAKEN, "good.example", NULL },
	{ "local-zone: good.example. transparent", TAKEN, "good.example", NULL },
};

static const struct row maltrail[] = {
	{ "evil.example", TAKEN, "www.evil.example", NULL },
	{ "evil.example # remark", TAKEN, "evil.example", NULL },
	{ "evil.example/", TAKEN, "evil.example", NULL },
	{ "http://evil.example", TAKEN, "evil.example", NULL },
	{ "_x.evil.example", TAKEN, "_x.evil.example", NULL },
	{ "\"evil.example\",\"asyncrat (malware)\",\"(static)\"", TAKEN, "evil.example", NULL },
	{ "evil.example,asyncrat (malware),(static)", TAKEN, "evil.example", NULL },
	{ "evil.example/gate.php", FEED_REJECT_PATH, NULL, "evil.example" },
	{ "http://evil.example/gate.php", FEED_REJECT_PATH, NULL, "evil.example" },
	{ "/gate.php?id=", FEED_REJECT_PATH, NULL, NULL },
	{ "192.0.2.1", TAKEN, "192.0.2.1", NULL },
	{ "192.0.2.1:443", TAKEN, "192.0.2.1", NULL },
	{ "http://192.0.2.1", TAKEN, "192.0.2.1", NULL },
	{ "(?i)evil.+example", FEED_REJECT_REGEX, NULL, NULL },
	{ "evil\\.example", FEED_REJECT_REGEX, NULL, "evil.example" },
	{ "duckdns.org", FEED_REJECT_BROAD, NULL, NULL },
};

Test(formats, urls_give_their_hosts)
{
	expect_rows(
		malicious_as(FEED_URLS), "# remark\n", urls, ARRAY_LEN(urls), MARK_MALICIOUS);
}

Test(formats, dnsmasq_options_list_what_they_keep_away)
{
	expect_rows(malicious_as(FEED_DNSMASQ), "# remark\n\n", dnsmasq, ARRAY_LEN(dnsmasq),
		MARK_MALICIOUS);
	expect_rows(malicious_as(FEED_DNSMASQ), "", dnsmasq_exceptions,
		ARRAY_LEN(dnsmasq_exceptions), MARK_ALLOW);
}

Test(formats, unbound_zones_list_by_their_type)
{
	expect_rows(malicious_as(FEED_UNBOUND), "# remark\nserver:\n", unbound,
		ARRAY_LEN(unbound), MARK_MALICIOUS);
	expect_rows(malicious_as(FEED_UNBOUND), "server:\n", unbound_exceptions,
		ARRAY_LEN(unbound_exceptions), MARK_ALLOW);
}

Test(formats, trails_with_a_path_say_nothing_of_the_host)
{
	expect_rows(malicious_as(FEED_MALTRAIL), "# Reference: x\ntrail,info,reference\n",
		maltrail, ARRAY_LEN(maltrail), MARK_MALICIOUS);
}

/* --- suricata ------------------------------------------------------------------------------ */

static const struct row suricata[] = {
	{ "ZXZpbC5leGFtcGxl", TAKEN, "www.evil.example", NULL }, /* evil.example */
	{ "LmV2aWwuZXhhbXBsZQo=", TAKEN, "evil.example", NULL }, /* .evil.example\n */
	{ "ZXZpbC5leGFtcGxl,100", TAKEN, "evil.example", NULL },
	{ "aHR0cDovL2V2aWwuZXhhbXBsZS94", TAKEN, "evil.example", NULL }, /* a URL */
	{ "{\"host\": \"evil.example\", \"year\": 2005}", TAKEN, "evil.example", NULL },
	{ "{\"domain\": \".evil.example\"}", TAKEN, "evil.example", NULL },
	{ "Y3VybC83LjQzLjA=", FEED_REJECT_PATH, NULL, NULL }, /* curl/7.43.0 */
	{ "MTkyLjAuMi4x", TAKEN, "192.0.2.1", NULL },         /* 192.0.2.1 */
	{ "Y29t", FEED_REJECT_SINGLE_LABEL, NULL, NULL },     /* com */
	{ "AAAA", FEED_REJECT_BASE64, NULL, NULL },
	{ "ZXZpbC5leGFtcGx", FEED_REJECT_BASE64, NULL, NULL },
	{ "evil.example", FEED_REJECT_BASE64, NULL, "evil.example" },
	{ "====", FEED_REJECT_BASE64, NULL, NULL },
	{ "d41d8cd98f00b204e9800998ecf8427e", FEED_REJECT_TYPE, NULL, NULL },
	{ "{\"host\": 1}", FEED_REJECT_SYNTAX, NULL, NULL },
	{ "{\"host\": \"evil.example\"", FEED_REJECT_SYNTAX, NULL, "evil.example" },
	{ "{\"host\": \"evil\\u0000.example\"}", FEED_REJECT_NUL_BYTE, NULL, NULL },
};

Test(formats, datasets_are_base64_or_json_lines)
{
	expect_rows(malicious_as(FEED_SURICATA), "# remark\n\n", suricata, ARRAY_LEN(suricata),
		MARK_MALICIOUS);
}

/* --- misp ---------------------------------------------------------------------------------- */

static const struct row attributes[] = {
	{ "\"domain\",\"value\":\"evil.example\",\"to_ids\":true", TAKEN, "a.evil.example",
		NULL },
	{ "\"hostname\",\"value\":\"evil.example\"", TAKEN, "evil.example", NULL },
	{ "\"url\",\"value\":\"http://evil.example/x\",\"to_ids\":\"1\"", TAKEN, "evil.example",
		NULL },
	{ "\"domain|ip\",\"value\":\"evil.example|192.0.2.1\",\"to_ids\":1", TAKEN,
		"evil.example", NULL },
	{ "\"domain\",\"value\":\"evil.example\",\"to_ids\":false", FEED_REJECT_UNUSED, NULL,
		"evil.example" },
	{ "\"domain\",\"value\":\"evil.example\",\"to_ids\":\"0\"", FEED_REJECT_UNUSED, NULL,
		"evil.example" },
	{ "\"domain\",\"value\":\"evil.example\",\"deleted\":true", FEED_REJECT_UNUSED, NULL,
		"evil.example" },
	{ "\"ip-dst\",\"value\":\"192.0.2.1\",\"to_ids\":true", TAKEN, "192.0.2.1", NULL },
	{ "\"md5\",\"value\":\"evil.example\",\"to_ids\":true", FEED_REJECT_TYPE, NULL,
		"evil.example" },
	{ "\"domain\",\"value\":1", FEED_REJECT_SYNTAX, NULL, NULL },
	{ "\"domain\",\"value\":\"a\\u0000.example\"", FEED_REJECT_NUL_BYTE, NULL, NULL },
};

static const struct row warninglist[] = {
	{ "\"type\":\"hostname\",\"list\":[\".evil.example\"]", TAKEN, "a.evil.example", NULL },
	{ "\"type\":\"string\",\"list\":[\"evil.example\"]", TAKEN, "evil.example", NULL },
	{ "\"type\":\"cidr\",\"list\":[\"192.0.2.0/24\"]", TAKEN, "192.0.2.7", "192.0.3.7" },
	{ "\"type\":\"substring\",\"list\":[\"evil.example\"]", FEED_REJECT_WILDCARD, NULL,
		"evil.example" },
	{ "\"type\":\"regex\",\"list\":[\"evil.example\"]", FEED_REJECT_REGEX, NULL,
		"evil.example" },
	{ "\"type\":\"hostname\",\"list\":[7]", FEED_REJECT_SYNTAX, NULL, NULL },
};

Test(formats, misp_has_warninglists_events_and_csv)
{
	struct feed_spec spec = malicious_as(FEED_MISP);

	expect_framed(spec, "{\"name\":\"x\",", "}", warninglist, ARRAY_LEN(warninglist),
		MARK_MALICIOUS);
	expect_framed(spec, "{\"Event\":{\"Attribute\":[{\"type\":", "}]}}", attributes,
		ARRAY_LEN(attributes), MARK_MALICIOUS);
	expect_framed(spec,
		"\xef\xbb\xbf\n{\"response\":[{\"Event\":{\"Object\":[{\"Attribute\":[{"
		"\"type\":",
		"}]}]}}]}", attributes, ARRAY_LEN(attributes), MARK_MALICIOUS);
	expect_rows(spec, "uuid,event_id,category,type,value,comment,to_ids,date\n", misp_csv,
		ARRAY_LEN(misp_csv), MARK_MALICIOUS);
}

/* --- stix ---------------------------------------------------------------------------------- */

static const struct row patterns[] = {
	{ "[domain-name:value = 'evil.example']\"", TAKEN, "a.evil.example", NULL },
	{ "[domain-name:value='evil.example']\"", TAKEN, "evil.example", NULL },
	{ "[ url:value = 'http://evil.example/a\\\\'b' ]\"", TAKEN, "evil.example", NULL },
	{ "[domain-name:value IN ('evil.example')]\"", TAKEN, "evil.example", NULL },
	{ "[domain-name:value LIKE '%.evil.example']\"", TAKEN, "a.evil.example",
		"evil.example" },
	{ "[domain-name:value = 'evil.example']\",\"confidence\":50", TAKEN, "evil.example",
		NULL },
	{ "[domain-name:value = 'evil.example']\",\"valid_until\":\"2026-06-01T00:00:01Z\"",
		TAKEN, "evil.example", NULL },
	{ "[domain-name:value LIKE '%evil.example']\"", FEED_REJECT_WILDCARD, NULL,
		"evil.example" },
	{ "[ipv4-addr:value = '192.0.2.1']\"", TAKEN, "192.0.2.1", NULL },
	{ "[ipv4-addr:value ISSUBSET '192.0.2.0/24']\"", TAKEN, "192.0.2.9", NULL },
	{ "[file:hashes.'SHA-256' = 'aa']\"", FEED_REJECT_TYPE, NULL, NULL },
	{ "[url:value LIKE 'http://evil.example/%']\"", FEED_REJECT_TYPE, NULL,
		"evil.example" },
	{ "[domain-name:value = 'evil.example' AND url:value = 'http://b.example/']\"",
		FEED_REJECT_PATTERN, NULL, "evil.example" },
	{ "[domain-name:value = 'evil.example' OR url:value = 'http://b.example/' AND "
	  "x:y = 'z']\"",
		FEED_REJECT_PATTERN, NULL, "evil.example" },
	{ "[domain-name:value = 'evil.example'] FOLLOWEDBY [x:y = 'z']\"", FEED_REJECT_PATTERN,
		NULL, "evil.example" },
	{ "[domain-name:value = 'evil.example'] REPEATS 5 TIMES\"", FEED_REJECT_PATTERN, NULL,
		"evil.example" },
	{ "[domain-name:value != 'evil.example']\"", FEED_REJECT_PATTERN, NULL,
		"evil.example" },
	{ "[domain-name:value NOT = 'evil.example']\"", FEED_REJECT_PATTERN, NULL,
		"evil.example" },
	{ "[domain-name:value MATCHES 'evil.*']\"", FEED_REJECT_PATTERN, NULL, NULL },
	{ "[domain-name:value = 'evil.example'\"", FEED_REJECT_PATTERN, NULL, "evil.example" },
	{ "[domain-name:value = 'evil.example]\"", FEED_REJECT_PATTERN, NULL, "evil.example" },
	{ "[domain-name:value IN ('evil.example',)]\"", FEED_REJECT_PATTERN, NULL,
		"evil.example" },
	{ "\"", FEED_REJECT_PATTERN, NULL, NULL },
	{ "[domain-name:value = 'evil.example']\",\"pattern_type\":\"yara\"",
		FEED_REJECT_PATTERN, NULL, "evil.example" },
	{ "[domain-name:value = 'evil.example']\",\"revoked\":true", FEED_REJECT_REVOKED, NULL,
		"evil.example" },
	{ "[domain-name:value = 'evil.example']\",\"valid_until\":\"2026-06-01T00:00:00.5Z\"",
		FEED_REJECT_EXPIRED, NULL, "evil.example" },
	{ "[domain-name:value = 'evil.example']\",\"confidence\":49", FEED_REJECT_CONFIDENCE,
		NULL, "evil.example" },
	{ "[domain-name:value = 'evil.example']\",\"indicator_types\":[\"benign\"]",
		FEED_REJECT_UNUSED, NULL, "evil.example" },
	{ "[domain-name:value = 'com']\"", FEED_REJECT_SINGLE_LABEL, NULL, NULL },
	{ "[domain-name:value = 'a\\u0000.example']\"", FEED_REJECT_NUL_BYTE, NULL, NULL },
};

Test(formats, stix_patterns_that_ask_for_a_name)
{
	struct feed_spec spec = malicious_as(FEED_STIX);

	spec.min_confidence = 50;
	spec.now_s = 1780272000; /* 2026-06-01T00:00:00Z */
	expect_framed(spec,
		"{\"type\":\"bundle\",\"objects\":[{\"type\":\"malware\"},"
		"{\"type\":\"indicator\",\"pattern\":\"",
		"}]}", patterns, ARRAY_LEN(patterns), MARK_MALICIOUS);
}

Test(formats, a_stix_pattern_may_ask_for_one_of_many)
{
	struct feed_rig rig;

	feed_rig_init(&rig);
	feed_rig_load(&rig, malicious_as(FEED_STIX),
		"[{\"type\":\"indicator\",\"valid_until\":\"1970-01-02T00:00:00Z\",\"pattern\":"
		"\"[domain-name:value = 'a.example' OR domain-name:value IN ('b.example', "
		"'c.example') OR ipv4-addr:value = '192.0.2.1'] OR [url:value = "
		"'https://d.example/']\"}]");
	cr_expect_eq(feed_report_accepted(&rig.report), 5);
	cr_expect_eq(rig.report.addresses, 1);
	cr_expect_eq(rig.report.lines, 1);
	feed_rig_deinit(&rig);
}

/* Half a JSON text is no smaller list but a damaged one. */
Test(formats, json_that_is_damaged_is_an_error_with_its_place)
{
	static const struct {
		enum feed_format format;
		const char *content;
	} cases[] = {
		{ FEED_MISP, "{\"list\":[\"evil.example\"," },
		{ FEED_STIX, "{\"type\":\"bundle\"" },
		{ FEED_STIX, "<html>" },
		{ FEED_STIX, "{\"a\":\"\xf4\"}" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct feed_rig rig;
		struct feed_spec spec = malicious_as(cases[i].format);
		feed_rig_init(&rig);
		spec.name = spec.path = "x.json";
		spec.content = cases[i].content;
		cr_expect_eq(feed_load(&rig.target, &spec, 1, &rig.report, &rig.why), ERR_USAGE,
			"%s", spec.content);
		cr_expect(strstr(rig.why.text, "x.json:1:"), "%s", rig.why.text);
		feed_rig_deinit(&rig);
	}
}
