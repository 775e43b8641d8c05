/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the formats that blockers are set up with take, except and refuse, entry by entry: rules
 * of adblock, response policy zones, options of dnsmasq and unbound.
 */
#include "feeds/feed.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "sensor/base/attribute.h"
#include "tests/unit/feeds/feed_rig.h"
#include "tests/unit/feeds/rows.h"

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

Test(formats_blocker, adblock_takes_rules_about_whole_hosts)
{
	rows_expect(malicious_as(FEED_ADBLOCK), adblock_start, adblock, ARRAY_LEN(adblock),
		MARK_MALICIOUS);
	rows_expect(malicious_as(FEED_ADBLOCK), adblock_start, adblock_exceptions,
		ARRAY_LEN(adblock_exceptions), MARK_ALLOW);
}

Test(formats_blocker, exceptions_are_for_feeds_of_good_and_bad_names)
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
		rows_expect_reject(&rig, &row);
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

Test(formats_blocker, zones_list_by_their_actions)
{
	rows_expect(malicious_as(FEED_RPZ), zone_start, zone, ARRAY_LEN(zone), MARK_MALICIOUS);
	rows_expect(malicious_as(FEED_RPZ), zone_start, zone_exceptions,
		ARRAY_LEN(zone_exceptions), MARK_ALLOW);
	rows_expect(malicious_as(FEED_RPZ), "", nameless_zone, ARRAY_LEN(nameless_zone),
		MARK_MALICIOUS);
}

Test(formats_blocker, a_blank_owner_is_the_one_before)
{
	struct feed_rig rig;

	feed_rig_init(&rig);
	feed_rig_load(&rig, malicious_as(FEED_RPZ),
		"a.example A 192.0.2.1\n"
		"  AAAA 2001:db8::1\n"
		"bad..name A 192.0.2.1\n"
		"\tA 192.0.2.2\n"
		"c.example A 192.0.2.1\n");
	cr_expect_eq(feed_report_accepted(&rig.report), 2);
	cr_expect_eq(rig.report.duplicates, 1);
	cr_expect_eq(rig.report.rejected[FEED_REJECT_NAME], 2);
	feed_rig_deinit(&rig);
}

/* A parenthesis too many costs a bounded number of lines, not the rest of the zone. */
Test(formats_blocker, a_zone_goes_on_behind_a_parenthesis_that_is_not_closed)
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

/* --- dnsmasq, unbound ---------------------------------------------------------------------- */

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

Test(formats_blocker, dnsmasq_options_list_what_they_keep_away)
{
	rows_expect(malicious_as(FEED_DNSMASQ), "# remark\n\n", dnsmasq, ARRAY_LEN(dnsmasq),
		MARK_MALICIOUS);
	rows_expect(malicious_as(FEED_DNSMASQ), "", dnsmasq_exceptions,
		ARRAY_LEN(dnsmasq_exceptions), MARK_ALLOW);
}

Test(formats_blocker, unbound_zones_list_by_their_type)
{
	rows_expect(malicious_as(FEED_UNBOUND), "# remark\nserver:\n", unbound,
		ARRAY_LEN(unbound), MARK_MALICIOUS);
	rows_expect(malicious_as(FEED_UNBOUND), "server:\n", unbound_exceptions,
		ARRAY_LEN(unbound_exceptions), MARK_ALLOW);
}
