/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the formats that indicators are published in take and refuse, entry by entry: CSV, URLs,
 * maltrail's trails, datasets of suricata, MISP and STIX.
 */
#include "feeds/feed.h"

#include <criterion/criterion.h>
#include <string.h>

#include "sensor/base/attribute.h"
#include "tests/unit/feeds/feed_rig.h"
#include "tests/unit/feeds/rows.h"

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

Test(formats_indicator, csv_finds_the_names)
{
	struct feed_spec spec = malicious_as(FEED_CSV);

	rows_expect(spec, "# remark, with a comma\n\n", untitled, ARRAY_LEN(untitled),
		MARK_MALICIOUS);
	rows_expect(spec, "# x, y\r\n# id,dateadded,url,url_status\r\n", urlhaus,
		ARRAY_LEN(urlhaus), MARK_MALICIOUS);
	spec.min_confidence = 75;
	rows_expect(spec,
		"#\n# \"first_seen_utc\",\"ioc_id\",\"ioc_value\",\"ioc_type\","
		"\"confidence_level\"\n",
		threatfox, ARRAY_LEN(threatfox), MARK_MALICIOUS);
	rows_expect(spec, "uuid,event_id,category,type,value,comment,to_ids,date\n", misp_csv,
		ARRAY_LEN(misp_csv), MARK_MALICIOUS);
}

Test(formats_indicator, csv_takes_the_column_that_the_feed_names)
{
	static const struct row rows[] = {
		{ "a.example,b.example,c.example", TAKEN, "b.example", "a.example" },
		{ "Domain,Other\na.example,b.example", TAKEN, "b.example", "a.example" },
		{ "One,Two\na.example,b.example", TAKEN, "b.example", "a.example" },
		{ "a.example", FEED_REJECT_SYNTAX, NULL, "a.example" },
	};
	struct feed_spec spec = malicious_as(FEED_CSV);

	spec.column = 2;
	rows_expect(spec, "", rows, ARRAY_LEN(rows), MARK_MALICIOUS);
}

/* --- urls, maltrail ------------------------------------------------------------------------ */

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

Test(formats_indicator, urls_give_their_hosts)
{
	rows_expect(
		malicious_as(FEED_URLS), "# remark\n", urls, ARRAY_LEN(urls), MARK_MALICIOUS);
}

Test(formats_indicator, trails_with_a_path_say_nothing_of_the_host)
{
	rows_expect(malicious_as(FEED_MALTRAIL), "# Reference: x\ntrail,info,reference\n",
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

Test(formats_indicator, datasets_are_base64_or_json_lines)
{
	rows_expect(malicious_as(FEED_SURICATA), "# remark\n\n", suricata, ARRAY_LEN(suricata),
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

Test(formats_indicator, misp_has_warninglists_events_and_csv)
{
	struct feed_spec spec = malicious_as(FEED_MISP);

	rows_expect_framed(spec, "{\"name\":\"x\",", "}", warninglist, ARRAY_LEN(warninglist),
		MARK_MALICIOUS);
	rows_expect_framed(spec, "{\"Event\":{\"Attribute\":[{\"type\":", "}]}}", attributes,
		ARRAY_LEN(attributes), MARK_MALICIOUS);
	rows_expect_framed(spec,
		"\xef\xbb\xbf\n{\"response\":[{\"Event\":{\"Object\":[{\"Attribute\":[{"
		"\"type\":",
		"}]}]}}]}", attributes, ARRAY_LEN(attributes), MARK_MALICIOUS);
	rows_expect(spec, "uuid,event_id,category,type,value,comment,to_ids,date\n", misp_csv,
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

Test(formats_indicator, stix_patterns_that_ask_for_a_name)
{
	struct feed_spec spec = malicious_as(FEED_STIX);

	spec.min_confidence = 50;
	spec.now_s = 1780272000; /* 2026-06-01T00:00:00Z */
	rows_expect_framed(spec,
		"{\"type\":\"bundle\",\"objects\":[{\"type\":\"malware\"},"
		"{\"type\":\"indicator\",\"pattern\":\"",
		"}]}", patterns, ARRAY_LEN(patterns), MARK_MALICIOUS);
}

Test(formats_indicator, a_stix_pattern_may_ask_for_one_of_many)
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
Test(formats_indicator, json_that_is_damaged_is_an_error_with_its_place)
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
