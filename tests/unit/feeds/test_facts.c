/* SPDX-License-Identifier: BSD-2-Clause */
/* What feeds say of their entries: stored, and read from each format that says something. */
#include "feeds/facts.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "feeds/entry_time.h"
#include "sensor/base/attribute.h"
#include "tests/unit/feeds/feed_rig.h"

#define Y2026 1767225600 /* 2026-01-01 */

static struct entry_facts found(const struct facts *f, uint64_t key)
{
	struct entry_facts e;

	cr_assert(facts_find(f, key, &e), "%lu", (unsigned long)key);
	return e;
}

Test(facts, are_found_by_their_key_and_no_other)
{
	struct facts *f = facts_new();
	struct entry_facts e = { .confidence = 80, .first_seen_s = Y2026 };

	cr_assert(f);
	for (uint64_t i = 0; i < 5000; i++) {
		char family[32];
		snprintf(family, sizeof(family), "family %lu", (unsigned long)(i % 7));
		e.category = family;
		cr_assert(facts_add(f, i * UINT64_C(0x9e3779b97f4a7c15), &e));
	}
	for (uint64_t i = 0; i < 5000; i++) {
		char family[32];
		struct entry_facts out;
		snprintf(family, sizeof(family), "family %lu", (unsigned long)(i % 7));
		out = found(f, i * UINT64_C(0x9e3779b97f4a7c15));
		cr_assert_str_eq(out.category, family);
		cr_assert_null(out.reference);
		cr_assert_eq(out.confidence, 80);
		cr_assert_not(facts_find(f, i * UINT64_C(0x9e3779b97f4a7c15) + 1, &out));
	}
	cr_expect_lt(facts_bytes(f), 5000 * 32, "%zu", facts_bytes(f));
	facts_free(f);
}

Test(facts, many_texts_are_kept_apart)
{
	struct facts *f = facts_new();

	for (uint64_t i = 0; i < 3000; i++) {
		char text[64];
		snprintf(text, sizeof(text), "https://feed.example/%lu/", (unsigned long)i);
		cr_assert(facts_add(f, i << 32, &(struct entry_facts){ .reference = text }));
	}
	for (uint64_t i = 0; i < 3000; i++) {
		char text[64];
		snprintf(text, sizeof(text), "https://feed.example/%lu/", (unsigned long)i);
		cr_assert_str_eq(found(f, i << 32).reference, text);
	}
	facts_free(f);
}

/* An entry that is said twice ends when the later of both does. */
Test(facts, the_first_stay_unless_others_last_longer)
{
	static const struct {
		int64_t first, second, until;
		const char *category;
	} rows[] = {
		{ 100, 200, 200, "second" },
		{ 200, 100, 200, "first" },
		{ 100, 0, 0, "second" },
		{ 0, 100, 0, "first" },
		{ 0, 0, 0, "first" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct facts *f = facts_new();
		cr_assert(facts_add(f, 7,
			&(struct entry_facts){
				.category = "first", .until_s = rows[i].first }));
		cr_assert(facts_add(f, 7,
			&(struct entry_facts){
				.category = "second", .until_s = rows[i].second }));
		cr_expect_eq(found(f, 7).until_s, rows[i].until, "row %zu", i);
		cr_expect_str_eq(found(f, 7).category, rows[i].category, "row %zu", i);
		facts_free(f);
	}
}

Test(facts, texts_are_printable_and_not_too_long)
{
	struct facts *f = facts_new();
	char text[FACTS_TEXT_MAX + 100];

	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	memcpy(text, "a\x1b[2J\n\xc3\xa4", 8);
	cr_assert(facts_add(f, 7, &(struct entry_facts){ .category = text }));
	const char *category = found(f, 7).category;
	cr_expect_eq(strlen(category), FACTS_TEXT_MAX);
	cr_expect(strncmp(category, "a?[2J???x", 9) == 0, "%s", category);
	facts_free(f);
}

static const struct {
	const char *text;
	bool at_end;
	int64_t s; /* -1: none */
} times[] = {
	{ "2026-01-01", false, Y2026 },
	{ "2026-01-01", true, Y2026 + 86400 },
	{ "2026-01-01 00:01:00", true, Y2026 + 60 },
	{ "2026-01-01T00:01:00Z", false, Y2026 + 60 },
	{ "2026-01-01T00:01:00.123456Z", false, Y2026 + 60 },
	{ "2026-01-01 00:01:00 UTC", false, Y2026 + 60 },
	{ "2026-01-01T00:01:00+00:00", false, Y2026 + 60 },
	{ " 1767225600 ", false, Y2026 },
	{ "2026-01-01T00:01:00+02:00", false, -1 },
	{ "20260101", false, -1 },
	{ "2026-13-01", false, -1 },
	{ "2026-01-01 25:00:00", false, -1 },
	{ "2026-01-01x", false, -1 },
	{ "yesterday", false, -1 },
	{ "", false, -1 },
};

Test(facts, times_as_feeds_write_them)
{
	for (size_t i = 0; i < ARRAY_LEN(times); i++) {
		int64_t s = -1;
		struct span text = { times[i].text, strlen(times[i].text) };
		cr_expect_eq(entry_time_parse(text, times[i].at_end, &s), times[i].s != -1,
			"'%s'", times[i].text);
		if (times[i].s != -1)
			cr_expect_eq(s, times[i].s, "'%s': %ld", times[i].text, (long)s);
	}
}

Test(facts, a_copy_says_the_same)
{
	struct facts *f = facts_new();
	struct entry_facts e = { .category = "Emotet", .confidence = 70, .until_s = 100 };

	cr_assert(facts_add(f, 7, &e) && facts_add(f, 8, &(struct entry_facts){ .tlp = 1 }));
	struct facts *copy = facts_copy(f);
	facts_free(f);
	cr_assert(copy);
	cr_expect_str_eq(found(copy, 7).category, "Emotet");
	cr_expect_eq(found(copy, 7).until_s, 100);
	cr_expect_eq(found(copy, 8).tlp, 1);
	cr_expect_null(found(copy, 8).category);
	cr_expect_not(facts_find(copy, 9, &e));
	facts_free(copy);
}

/* --- from feeds ---------------------------------------------------------------------------- */

static const struct {
	const char *name;
	enum feed_format format;
	const char *content;
	const char *category, *reference;
	int64_t first_seen_s, until_s;
	unsigned confidence, tlp;
} feeds[] = {
	{ "ThreatFox", FEED_AUTO,
		"# \"first_seen_utc\",\"ioc_id\",\"ioc_value\",\"ioc_type\",\"threat_type\","
		"\"fk_malware\",\"malware_alias\",\"malware_printable\",\"last_seen_utc\","
		"\"confidence_level\",\"reference\"\n"
		"\"2026-01-01 00:00:10\", \"1\", \"evil.example\", \"domain\", \"botnet_cc\", "
		"\"win.x\", \"\", \"Cobalt Strike\", \"\", \"90\", \"https://r.example/\"\n",
		"Cobalt Strike", "https://r.example/", Y2026 + 10, 0, 90, TLP_NONE },
	{ "URLhaus", FEED_AUTO,
		"# id,dateadded,url,url_status,last_online,threat,tags,urlhaus_link\n"
		"\"1\",\"2026-01-01 00:00:10\",\"http://evil.example/x\",\"online\",\"\","
		"\"malware_download\",\"elf\",\"https://urlhaus.example/url/1/\"\n",
		"malware_download", "https://urlhaus.example/url/1/", Y2026 + 10, 0,
		FACTS_NO_CONFIDENCE, TLP_NONE },
	{ "a CSV with an end", FEED_CSV,
		"domain,category,valid_until\nevil.example,phish,2026-12-31\n", "phish", NULL,
		0, Y2026 + 365 * 86400, FACTS_NO_CONFIDENCE, TLP_NONE },
	{ "STIX", FEED_STIX,
		"{\"type\":\"indicator\",\"name\":\"Emotet\",\"confidence\":60,"
		"\"valid_from\":\"2026-01-01T00:00:00Z\",\"valid_until\":"
		"\"2027-01-01T00:00:00Z\",\"object_marking_refs\":[\"marking-definition--"
		"f88d31f6-486f-44da-b317-01333bde0b82\"],\"external_references\":[{\"url\":"
		"\"https://r.example/\"}],\"pattern\":\"[domain-name:value = "
		"'evil.example']\"}",
		"Emotet", "https://r.example/", Y2026, Y2026 + 365 * 86400, 60, TLP_AMBER },
	{ "MISP", FEED_MISP,
		"{\"Event\":{\"info\":\"Campaign\",\"Tag\":[{\"name\":\"tlp:green\"}],"
		"\"Attribute\":[{\"type\":\"domain\",\"value\":\"evil.example\",\"timestamp\":"
		"\"1767225600\"}]}}",
		"Campaign", NULL, Y2026, 0, FACTS_NO_CONFIDENCE, TLP_GREEN },
	{ "Maltrail", FEED_MALTRAIL,
		"\"trail\",\"info\",\"reference\"\n"
		"\"evil.example\",\"emotet (malware)\",\"(static)\"\n",
		"emotet (malware)", "(static)", 0, 0, FACTS_NO_CONFIDENCE, TLP_NONE },
	{ "Maltrail's text", FEED_MALTRAIL,
		"# Copyright\n# Reference: https://old.example/\nother.example\n\n"
		"# Reference: https://r.example/1\n# Reference: https://r.example/2\n"
		"evil.example\n# a remark\nmore.example\n",
		NULL, "https://r.example/1", 0, 0, FACTS_NO_CONFIDENCE, TLP_NONE },
	{ "STIX with relationships", FEED_STIX,
		"{\"objects\":[{\"type\":\"relationship\",\"relationship_type\":\"indicates\","
		"\"source_ref\":\"indicator--1\",\"target_ref\":\"malware--2\"},"
		"{\"type\":\"relationship\",\"relationship_type\":\"based-on\","
		"\"source_ref\":\"indicator--1\",\"target_ref\":\"malware--3\"},"
		"{\"type\":\"malware\",\"id\":\"malware--3\",\"name\":\"Other\"},"
		"{\"type\":\"indicator\",\"id\":\"indicator--1\",\"name\":\"evil.example\","
		"\"pattern\":\"[domain-name:value = 'evil.example']\"},"
		"{\"type\":\"malware\",\"id\":\"malware--2\",\"name\":\"AsyncRAT\"}]}",
		"AsyncRAT", NULL, 0, 0, FACTS_NO_CONFIDENCE, TLP_NONE },
	{ "STIX with a relationship to nothing", FEED_STIX,
		"{\"objects\":[{\"type\":\"relationship\",\"relationship_type\":\"indicates\","
		"\"source_ref\":\"indicator--1\",\"target_ref\":\"malware--2\"},"
		"{\"type\":\"indicator\",\"id\":\"indicator--1\",\"name\":\"Known\","
		"\"pattern\":\"[domain-name:value = 'evil.example']\"}]}",
		"Known", NULL, 0, 0, FACTS_NO_CONFIDENCE, TLP_NONE },
	{ "MISP's CSV with a remark", FEED_AUTO,
		"uuid,event_id,category,type,value,comment,to_ids,date\n"
		"1,2,Network activity,domain,evil.example,AsyncRAT C2,1,2026-01-01\n",
		"AsyncRAT C2", NULL, Y2026, 0, FACTS_NO_CONFIDENCE, TLP_NONE },
	{ "MISP's CSV without one", FEED_AUTO,
		"uuid,event_id,category,type,value,comment,to_ids,date\n"
		"1,2,Network activity,domain,evil.example,,1,2026-01-01\n",
		"Network activity", NULL, Y2026, 0, FACTS_NO_CONFIDENCE, TLP_NONE },
	{ "MISP's attribute with a remark", FEED_MISP,
		"{\"Attribute\":[{\"type\":\"domain\",\"value\":\"evil.example\","
		"\"comment\":\"dropper\"}]}",
		"dropper", NULL, 0, 0, FACTS_NO_CONFIDENCE, TLP_NONE },
};

static void expect_text(const char *got, const char *want, const char *name)
{
	cr_expect(got == want || (got && want && strcmp(got, want) == 0), "%s: '%s'", name,
		got ? got : "none");
}

static struct facts *load(
	const char *content, struct feed_spec spec, struct feed_report *report)
{
	struct facts *facts = NULL;
	struct feed_rig rig;
	size_t failed;

	feed_rig_init(&rig);
	spec.name = "test";
	spec.path = "test";
	spec.content = content;
	struct feed_item item = {
		.spec = &spec, .report = report, .source = 1, .facts = &facts
	};
	cr_assert_eq(feed_load_all(&rig.target, &item, 1, 1, &failed, &rig.why), ERR_OK, "%s",
		rig.why.text);
	feed_rig_deinit(&rig);
	return facts;
}

static uint64_t key_of(const char *name)
{
	struct dns_name wire = name_of(name);

	return dns_name_hash(&wire, 42); /* the rig's seed */
}

Test(facts, are_read_from_every_format_that_has_some)
{
	for (size_t i = 0; i < ARRAY_LEN(feeds); i++) {
		struct feed_spec spec = { .kind = MARK_MALICIOUS, .format = feeds[i].format };
		struct feed_report report;
		struct facts *facts = load(feeds[i].content, spec, &report);
		cr_assert(facts, "%s", feeds[i].name);
		struct entry_facts e = found(facts, key_of("evil.example"));
		expect_text(e.category, feeds[i].category, feeds[i].name);
		expect_text(e.reference, feeds[i].reference, feeds[i].name);
		cr_expect_eq(e.first_seen_s, feeds[i].first_seen_s, "%s: %ld", feeds[i].name,
			(long)e.first_seen_s);
		cr_expect_eq(
			e.until_s, feeds[i].until_s, "%s: %ld", feeds[i].name, (long)e.until_s);
		cr_expect_eq(e.confidence, feeds[i].confidence, "%s", feeds[i].name);
		cr_expect_eq(e.tlp, feeds[i].tlp, "%s", feeds[i].name);
		facts_free(facts);
	}
}

Test(facts, of_a_network_are_found_by_the_network)
{
	struct feed_spec spec = { .kind = MARK_MALICIOUS, .format = FEED_CSV };
	struct feed_report report;
	struct facts *facts = load("dst_ip,malware\n198.51.100.7,Dridex\n", spec, &report);
	struct ip_net net;

	cr_assert(facts && ip_net_parse(&net, "198.51.100.7"));
	cr_expect_str_eq(found(facts, facts_network_key(&net)).category, "Dridex");
	facts_free(facts);
}

Test(facts, a_feed_that_says_nothing_has_none)
{
	struct feed_spec spec = { .kind = MARK_MALICIOUS };
	struct feed_report report;

	cr_expect_null(load("evil.example\n198.51.100.7\n", spec, &report));
	spec.kind = MARK_PROVIDER;
	spec.format = FEED_CSV;
	cr_expect_null(load("domain,category\nevil.example,x\n", spec, &report));
}

Test(facts, what_has_ended_is_refused_by_the_day_it_is_loaded)
{
	struct feed_spec spec = { .kind = MARK_MALICIOUS, .format = FEED_CSV };
	static const char content[] = "domain,expires\nevil.example,2026-01-01\n";
	struct feed_report report;

	spec.now_s = Y2026 + 86399;
	facts_free(load(content, spec, &report));
	cr_expect_eq(feed_report_accepted(&report), 1, "a day lasts to its end");
	spec.now_s = Y2026 + 86400;
	facts_free(load(content, spec, &report));
	cr_expect_eq(report.rejected[FEED_REJECT_EXPIRED], 1);
	spec.now_s = 0;
	facts_free(load(content, spec, &report));
	cr_expect_eq(feed_report_accepted(&report), 1, "a replay goes by capture time");
}
