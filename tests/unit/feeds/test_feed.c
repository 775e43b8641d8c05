/* SPDX-License-Identifier: BSD-2-Clause */
/* A feed as a whole: its providers, what is reported of it, the file that it is read from. */
#include "feeds/feed.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sensor/base/attribute.h"
#include "tests/support/pack.h"
#include "tests/unit/feeds/feed_rig.h"

/* --- providers --------------------------------------------------------------------------- */

static const struct mark *only_mark(const struct feed_rig *rig, const char *text)
{
	struct index_hit hit[INDEX_HITS_MAX];
	struct dns_name name = name_of(text);
	size_t count;

	cr_assert_eq(index_match_name(rig->index, &name, hit), 1, "%s", text);
	const struct mark *mark = index_marks(rig->index, hit[0].entry, &count);
	cr_assert_eq(count, 1, "%s", text);
	return mark;
}

Test(feed, provider_feeds_name_their_provider)
{
	struct feed_rig rig;
	struct feed_spec spec = { .name = "my-ddns", .kind = MARK_PROVIDER, .tier = TIER_B };

	feed_rig_init(&rig);
	feed_rig_load(&rig, spec, "a.example\n");
	spec.provider = "other";
	feed_rig_load(&rig, spec, "b.example\n");
	feed_rig_build(&rig);
	const struct provider *p =
		provider_at(rig.target.providers, only_mark(&rig, "a.example")->detail);
	cr_expect_str_eq(p->id, "my-ddns");
	cr_expect_eq(p->tier, TIER_B);
	p = provider_at(rig.target.providers, only_mark(&rig, "b.example")->detail);
	cr_expect_str_eq(p->id, "other");
	feed_rig_deinit(&rig);
}

Test(feed, a_provider_id_that_cannot_be_one_is_an_error)
{
	struct feed_rig rig;
	struct feed_spec spec = {
		.name = "My DDNS!", .kind = MARK_PROVIDER, .content = "a.example\n"
	};

	feed_rig_init(&rig);
	cr_expect_eq(feed_load(&rig.target, &spec, 1, &rig.report, &rig.why), ERR_USAGE);
	cr_expect(strstr(rig.why.text, "My DDNS!"), "%s", rig.why.text);
	feed_rig_deinit(&rig);
}

Test(feed, shipped_lists_have_a_provider_in_every_line)
{
	struct feed_rig rig;
	struct feed_spec spec = {
		.kind = MARK_UPDATE_HOST, .scope = SCOPE_EXACT, .format = FEED_SHIPPED
	};

	feed_rig_init(&rig);
	feed_rig_load(&rig, spec,
		"# comment\n\nupdate.example  one  /nic/update # why\n.x.example one\n"
		"*.y.example\ttwo\nbare.example\nz.example Bad-Id\n");
	cr_expect_eq(feed_report_accepted(&rig.report), 3);
	cr_expect_eq(rig.report.rejected[FEED_REJECT_SYNTAX], 2);
	cr_expect_eq(provider_count(rig.target.providers), 2);
	feed_rig_build(&rig);
	cr_expect_eq(only_mark(&rig, "a.y.example")->detail,
		provider_find(rig.target.providers, "two"));
	feed_rig_deinit(&rig);
}

/* --- reports ----------------------------------------------------------------------------- */

Test(feed, samples_are_kept_short_printable_and_few)
{
	struct feed_spec spec = { .kind = MARK_MALICIOUS };
	struct feed_rig rig;
	char content[4000] = "a.example\n";

	for (int i = 0; i < 7; i++)
		strcat(content, "t\xf4t.net\x1b[31m\n");
	memset(content + strlen(content), '|', 300);
	feed_rig_init(&rig);
	feed_rig_load(&rig, spec, content);
	cr_expect_eq(rig.report.rejected[FEED_REJECT_ENCODING], 7);
	cr_expect_str_eq(rig.report.sample[FEED_REJECT_ENCODING][0], "2: t\\xf4t.net\\x1b[31m");
	cr_expect_str_eq(rig.report.sample[FEED_REJECT_ENCODING][4], "6: t\\xf4t.net\\x1b[31m");
	cr_expect_leq(strlen(rig.report.sample[FEED_REJECT_SYNTAX][0]), FEED_SAMPLE_MAX - 1);
	cr_expect_geq(strlen(rig.report.sample[FEED_REJECT_SYNTAX][0]), FEED_SAMPLE_MAX - 6);
	feed_rig_deinit(&rig);
}

/* --- looking at a feed again ------------------------------------------------------------- */

struct told {
	char text[512];
};

static void tell_found(void *arg, uint64_t line)
{
	struct told *told = arg;
	size_t len = strlen(told->text);

	snprintf(told->text + len, sizeof(told->text) - len, "%d found\n", (int)line);
}

static void tell_refused(void *arg, const struct feed_refusal *r)
{
	struct told *told = arg;
	size_t len = strlen(told->text);
	char text[DNS_NAME_TEXT_MAX];

	if (r->name)
		(void)dns_name_format(r->name, text);
	else
		ip_net_format(&r->net, text);
	snprintf(told->text + len, sizeof(told->text) - len, "%d %s%s %s\n", (int)r->line,
		r->name && r->scope == SCOPE_BELOW ? "below " : "", text,
		feed_reject_name(r->reject));
}

static const char content_to_look_at[] = "# a list\n"
					 "evil.example\n"
					 "*.co.uk\n"
					 "com\n"
					 "no..name\n"
					 "127.0.0.0/8\n"
					 "EVIL.example.\n"
					 "blogspot.com\n";

Test(feed, one_name_and_all_that_is_refused_are_told_with_their_lines)
{
	struct dns_name name = name_of("evil.example");
	struct told told = { "" };
	struct feed_watch watch = { .name = &name, .found = tell_found, .arg = &told };
	struct feed_spec spec = { .name = "x",
		.kind = MARK_MALICIOUS,
		.format = FEED_DOMAINS,
		.content = content_to_look_at };
	struct err_ctx why;

	cr_assert_eq(feed_locate(&spec, &watch, &why), ERR_OK);
	cr_expect_str_eq(told.text, "2 found\n7 found\n");
	told.text[0] = '\0';
	watch.found = NULL;
	watch.refused = tell_refused;
	cr_assert_eq(feed_locate(&spec, &watch, &why), ERR_OK);
	cr_expect_str_eq(told.text,
		"3 below co.uk public_suffix\n4 com single_label\n6 127.0.0.0/8 reserved\n"
		"8 blogspot.com broad\n");
}

Test(feed, every_format_and_reason_has_a_name)
{
	enum feed_format format;

	for (size_t i = 0; i < FEED_FORMAT_COUNT; i++) {
		const char *name = feed_format_name((enum feed_format)i);
		cr_expect(feed_format_parse(&format, name) && format == i, "%s", name);
	}
	cr_expect_not(feed_format_parse(&format, "yaml"));
	for (size_t i = 0; i < FEED_REJECT_COUNT; i++) {
		const char *name = feed_reject_name((enum feed_reject)i);
		cr_expect(name && *name && *feed_reject_meaning((enum feed_reject)i));
		for (size_t k = 0; k < i; k++)
			cr_expect_str_neq(name, feed_reject_name((enum feed_reject)k));
	}
}

/* --- files ------------------------------------------------------------------------------- */

static enum err load_path(struct feed_rig *rig, const char *path)
{
	struct feed_spec spec = { .name = "file", .path = path, .kind = MARK_MALICIOUS };

	return feed_load(&rig->target, &spec, 1, &rig->report, &rig->why);
}

Test(feed, what_is_no_file_is_an_error_with_its_path)
{
	char dir[] = "/tmp/dynwatch-feed-XXXXXX";
	char path[64];
	struct feed_rig rig;

	cr_assert(mkdtemp(dir));
	feed_rig_init(&rig);
	cr_expect_eq(load_path(&rig, dir), ERR_USAGE);
	cr_expect(strstr(rig.why.text, dir), "%s", rig.why.text);
	snprintf(path, sizeof(path), "%s/none", dir);
	cr_expect_eq(load_path(&rig, path), ERR_USAGE);
	cr_expect(strstr(rig.why.text, "No such file"), "%s", rig.why.text);
	cr_assert_eq(mkfifo(path, 0600), 0);
	cr_expect_eq(load_path(&rig, path), ERR_USAGE, "a pipe must not hang");
	cr_expect(strstr(rig.why.text, "not a regular file"), "%s", rig.why.text);
	unlink(path);
	rmdir(dir);
	feed_rig_deinit(&rig);
}

/* Not a byte of it is held that the limit does not allow: the file is a hole behind its start. */
Test(feed, a_json_text_over_the_limit_is_an_error_that_names_the_limit)
{
	static const enum feed_format formats[] = { FEED_AUTO, FEED_STIX, FEED_MISP };
	char path[] = "/tmp/dynwatch-feed-XXXXXX";
	struct feed_report report;
	struct feed_rig rig;
	int fd = mkstemp(path);

	cr_assert_neq(fd, -1);
	cr_assert_eq(write(fd, "{\"type\":\"bundle\",\"objects\":[", 29), 29);
	cr_assert_eq(ftruncate(fd, (off_t)FEED_DOCUMENT_MAX + 1), 0);
	close(fd);
	for (size_t i = 0; i < ARRAY_LEN(formats); i++) {
		struct feed_spec spec = { .name = "large",
			.path = path,
			.kind = MARK_MALICIOUS,
			.format = formats[i] };
		feed_rig_init(&rig);
		cr_expect_eq(feed_load(&rig.target, &spec, 1, &report, &rig.why), ERR_USAGE);
		cr_expect(strstr(rig.why.text, path) && strstr(rig.why.text, "256 MiB of JSON"),
			"%s", rig.why.text);
		feed_rig_deinit(&rig);
	}
	unlink(path);
}

Test(feed, chunks_of_a_file_may_end_anywhere)
{
	char path[] = "/tmp/dynwatch-feed-XXXXXX";
	int fd = mkstemp(path);
	FILE *file = fdopen(fd, "w");
	struct feed_rig rig;

	/* CR LF at every distance from the end of a 64 kB chunk, over some chunks. */
	for (unsigned i = 0; i < 30000; i++)
		fprintf(file, "name-%u.example\r\n", i * 2654435761u);
	cr_assert_eq(fclose(file), 0);
	feed_rig_init(&rig);
	cr_expect_eq(load_path(&rig, path), ERR_OK, "%s", rig.why.text);
	cr_expect_eq(rig.report.lines, 30000);
	cr_expect_eq(feed_report_accepted(&rig.report), 30000);
	cr_expect_gt(rig.report.modified_s, 1700000000);
	unlink(path);
	feed_rig_deinit(&rig);
}

/* --- compressed files -------------------------------------------------------------------- */

static void write_file(const char *path, const uint8_t *bytes, size_t len)
{
	FILE *file = fopen(path, "w");

	cr_assert_not_null(file);
	cr_assert_eq(fwrite(bytes, 1, len, file), len);
	cr_assert_eq(fclose(file), 0);
}

Test(feed, compressed_files_are_read_as_they_are)
{
	static const char *const contents[] = { "0.0.0.0 a.example\n0.0.0.0 b.example\n",
		"{\"type\":\"hostname\",\"list\":[\".a.example\",\"b.example\"]}" };
	static const enum feed_format formats[] = { FEED_HOSTS, FEED_MISP };
	char path[] = "/tmp/dynwatch-feed-XXXXXX";

	close(mkstemp(path));
	for (int i = 0; i < PACK_FORMATS * 2; i++) {
		struct feed_rig rig;
		size_t len;
		const char *content = contents[i % 2];
		uint8_t *packed =
			pack((enum pack_format)(i / 2), content, strlen(content), &len);
		write_file(path, packed, len);
		free(packed);
		feed_rig_init(&rig);
		cr_expect_eq(load_path(&rig, path), ERR_OK, "%s: %s", pack_names[i / 2],
			rig.why.text);
		cr_expect_eq(rig.report.format, formats[i % 2], "%s", pack_names[i / 2]);
		cr_expect_eq(feed_report_accepted(&rig.report), 2, "%s", pack_names[i / 2]);
		cr_expect_eq(rig.report.bytes, strlen(content), "%s", pack_names[i / 2]);
		feed_rig_deinit(&rig);
	}
	unlink(path);
}

/* Half a list is no smaller list. */
Test(feed, a_compressed_file_that_ends_in_the_middle_is_an_error)
{
	static const char content[] = "a.example\nb.example\nc.example\n";
	char path[] = "/tmp/dynwatch-feed-XXXXXX";

	close(mkstemp(path));
	for (int i = PACK_GZIP; i < PACK_FORMATS; i++) {
		struct feed_rig rig;
		size_t len;
		uint8_t *packed = pack((enum pack_format)i, content, strlen(content), &len);
		write_file(path, packed, len - 5);
		free(packed);
		feed_rig_init(&rig);
		cr_expect_eq(load_path(&rig, path), ERR_USAGE, "%s", pack_names[i]);
		cr_expect(strstr(rig.why.text, path) && strstr(rig.why.text, pack_names[i]),
			"%s", rig.why.text);
		feed_rig_deinit(&rig);
	}
	unlink(path);
}

/* --- kept and real files ----------------------------------------------------------------- */

struct file_case {
	const char *file;
	enum feed_format format;
	uint64_t lines, suffix, below, duplicates, rejected, addresses;
};

static void expect_file(const char *path, const struct file_case *want)
{
	struct feed_rig rig;

	feed_rig_init(&rig);
	cr_expect_eq(load_path(&rig, path), ERR_OK, "%s", rig.why.text);
	cr_expect_eq(rig.report.format, want->format, "%s: format", path);
	cr_expect_eq(rig.report.lines, want->lines, "%s: %lu lines", path,
		(unsigned long)rig.report.lines);
	cr_expect_eq(rig.report.accepted[SCOPE_SUFFIX], want->suffix, "%s: %lu accepted", path,
		(unsigned long)rig.report.accepted[SCOPE_SUFFIX]);
	cr_expect_eq(rig.report.accepted[SCOPE_BELOW], want->below, "%s: %lu below", path,
		(unsigned long)rig.report.accepted[SCOPE_BELOW]);
	cr_expect_eq(rig.report.addresses, want->addresses, "%s: %lu addresses", path,
		(unsigned long)rig.report.addresses);
	cr_expect_eq(rig.report.duplicates, want->duplicates, "%s: %lu duplicates", path,
		(unsigned long)rig.report.duplicates);
	cr_expect_eq(feed_report_rejected(&rig.report), want->rejected, "%s: %lu rejected",
		path, (unsigned long)feed_report_rejected(&rig.report));
	feed_rig_deinit(&rig);
}

Test(feed, the_kept_files_give_the_counts_that_were_counted_by_hand)
{
	static const struct file_case cases[] = {
		{ "tests/data/feeds/traps.domains", FEED_DOMAINS, 28, 9, 1, 2, 9, 2 },
		{ "tests/data/feeds/traps.hosts", FEED_HOSTS, 13, 5, 0, 1, 9, 0 },
		{ "tests/data/feeds/traps.adblock", FEED_ADBLOCK, 20, 3, 1, 1, 9, 1 },
		{ "tests/data/feeds/traps.rpz", FEED_RPZ, 25, 7, 1, 2, 7, 1 },
		{ "tests/data/feeds/traps.csv", FEED_CSV, 16, 3, 0, 1, 3, 2 },
		{ "tests/data/feeds/traps.urls", FEED_URLS, 10, 4, 0, 2, 1, 2 },
		{ "tests/data/feeds/traps.dnsmasq", FEED_DNSMASQ, 11, 7, 0, 1, 4, 0 },
		{ "tests/data/feeds/traps.unbound", FEED_UNBOUND, 10, 3, 0, 1, 4, 0 },
		{ "tests/data/feeds/traps.maltrail", FEED_MALTRAIL, 15, 3, 0, 1, 4, 3 },
		{ "tests/data/feeds/traps.suricata", FEED_SURICATA, 10, 3, 0, 1, 4, 1 },
		{ "tests/data/feeds/traps.ndjson", FEED_SURICATA, 4, 2, 0, 0, 2, 0 },
		{ "tests/data/feeds/traps.event.json", FEED_MISP, 9, 4, 0, 1, 3, 1 },
		{ "tests/data/feeds/traps.warninglist.json", FEED_MISP, 7, 2, 0, 1, 3, 1 },
		{ "tests/data/feeds/traps.misp.csv", FEED_MISP, 7, 2, 0, 0, 2, 1 },
		{ "tests/data/feeds/traps.stix.json", FEED_STIX, 11, 6, 1, 0, 5, 1 },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		expect_file(cases[i].file, &cases[i]);
}

Test(feed, what_stands_around_a_name_or_in_its_place_is_taken_or_refused)
{
	static const struct {
		enum feed_reject reject;
		uint64_t count;
	} refused[] = { { FEED_REJECT_LINE_TOO_LONG, 1 }, { FEED_REJECT_NUL_BYTE, 1 },
		{ FEED_REJECT_ENCODING, 1 }, { FEED_REJECT_SYNTAX, 3 },
		{ FEED_REJECT_RESERVED, 1 }, { FEED_REJECT_RESOLVER, 1 },
		{ FEED_REJECT_WIDE, 1 }, { FEED_REJECT_NUMERIC, 1 }, { FEED_REJECT_NAME, 3 },
		{ FEED_REJECT_SINGLE_LABEL, 1 }, { FEED_REJECT_PUBLIC_SUFFIX, 1 },
		{ FEED_REJECT_BROAD, 2 }, { FEED_REJECT_TOO_DEEP, 1 } };
	static const char *const taken[] = { "quoted.example", "single.example",
		"angle.example", "evil.paren.example", "evil.brace.example",
		"evil.word.example", "userinfo.example", "www.leading.example",
		"trailing.example", "host.example", "page.example", "xn--tt-8ja.example",
		"xn--bcher-kva.example" };
	struct feed_spec spec = { .name = "names",
		.path = "tests/data/feeds/traps.names",
		.kind = MARK_MALICIOUS,
		.format = FEED_DOMAINS };
	struct feed_rig rig;
	uint64_t all = 0;

	feed_rig_init(&rig);
	cr_assert_eq(feed_load(&rig.target, &spec, 1, &rig.report, &rig.why), ERR_OK, "%s",
		rig.why.text);
	for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
		cr_expect_eq(rig.report.rejected[refused[i].reject], refused[i].count, "%s",
			feed_reject_name(refused[i].reject));
		all += refused[i].count;
	}
	cr_expect_eq(feed_report_rejected(&rig.report), all);
	cr_expect_eq(rig.report.accepted[SCOPE_SUFFIX], ARRAY_LEN(taken));
	cr_expect_eq(rig.report.addresses, 2);
	feed_rig_build(&rig);
	for (size_t i = 0; i < ARRAY_LEN(taken); i++)
		cr_expect_eq(feed_rig_hits(&rig, taken[i]), 1, "%s", taken[i]);
	feed_rig_deinit(&rig);
}

/* One source, converted to six formats by its publisher; in four of them with the names below a
 * listed one left out. All names of those must be listed by all. */
Test(feed, one_list_in_many_formats_lists_the_same_names)
{
	static const struct {
		const char *file;
		enum feed_format format;
	} cases[] = {
		{ "data/feeds/adaway.hosts.txt", FEED_HOSTS },
		{ "data/feeds/adaway.domains.txt", FEED_DOMAINS },
		{ "data/feeds/adaway.adblock.txt", FEED_ADBLOCK },
		{ "data/feeds/adaway.dnsmasq.txt", FEED_DNSMASQ },
		{ "data/feeds/adaway.unbound.conf", FEED_UNBOUND },
		{ "data/feeds/adaway.wildcard.txt", FEED_DOMAINS },
	};
	char line[FEED_LINE_MAX];
	struct feed_rig rig[ARRAY_LEN(cases)];
	uint64_t names = 0, missed[ARRAY_LEN(cases)] = { 0 };

	if (access(shared_path(cases[0].file), R_OK) != 0)
		return; /* the formats' own tests have the same lines */
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		feed_rig_init(&rig[i]);
		cr_assert_eq(load_path(&rig[i], shared_path(cases[i].file)), ERR_OK);
		cr_expect_eq(rig[i].report.format, cases[i].format, "%s", cases[i].file);
		feed_rig_build(&rig[i]);
	}
	FILE *in = fopen(shared_path("data/feeds/adaway.wildcard.txt"), "r");
	while (fgets(line, sizeof(line), in)) {
		line[strcspn(line, "\n")] = '\0';
		if (strncmp(line, "*.", 2) != 0)
			continue;
		line[0] = 'x';
		names++;
		for (size_t i = 0; i < ARRAY_LEN(cases); i++)
			missed[i] += feed_rig_hits(&rig[i], line) == 0;
	}
	fclose(in);
	cr_expect_gt(names, 4000);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		cr_expect_leq(missed[i], names / 50, "%s: %lu of %lu missing", cases[i].file,
			(unsigned long)missed[i], (unsigned long)names);
		feed_rig_deinit(&rig[i]);
	}
}

Test(feed, real_lists_of_other_formats_are_recognised)
{
	static const struct {
		const char *file;
		enum feed_format format;
		enum mark_kind kind;
		uint64_t accepted_min, rejected_max;
	} cases[] = {
		{ "misp-warninglist-dynamic-dns.json", FEED_MISP, MARK_PROVIDER, 30000, 100 },
		{ "dyndnslist-links-head.csv", FEED_CSV, MARK_PROVIDER, 4000, 100 },
		{ "suricata-datajson.ndjson", FEED_SURICATA, MARK_MALICIOUS, 2, 0 },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct feed_rig rig;
		char file[128];
		snprintf(file, sizeof(file), "data/feeds/%s", cases[i].file);
		struct feed_spec spec = { .name = "real", .kind = cases[i].kind };
		spec.path = shared_path(file);
		if (access(spec.path, R_OK) != 0)
			continue; /* traps.* have the same cases */
		feed_rig_init(&rig);
		cr_assert_eq(feed_load(&rig.target, &spec, 1, &rig.report, &rig.why), ERR_OK,
			"%s", rig.why.text);
		cr_expect_eq(rig.report.format, cases[i].format, "%s: %s", file,
			feed_format_name(rig.report.format));
		cr_expect_geq(feed_report_accepted(&rig.report), cases[i].accepted_min,
			"%s: %lu", file, (unsigned long)feed_report_accepted(&rig.report));
		cr_expect_leq(feed_report_rejected(&rig.report), cases[i].rejected_max,
			"%s: %lu", file, (unsigned long)feed_report_rejected(&rig.report));
		feed_rig_deinit(&rig);
	}
}

/* Every line that says something is counted once, whatever became of it. */
Test(feed, real_files_balance)
{
	static const struct {
		const char *file;
		enum feed_format format;
		uint64_t accepted_min;
	} cases[] = {
		{ "adaway.domains.txt", FEED_DOMAINS, 6000 },
		{ "adaway.hosts.txt", FEED_HOSTS, 6000 },
		{ "dyndnslist-links.txt", FEED_DOMAINS, 30000 },
		{ "maltrail-dynamic_domain.txt", FEED_MALTRAIL, 1500 },
		{ "maltrail-asyncrat-head.txt", FEED_MALTRAIL, 400 },
		{ "adaway.adblock.txt", FEED_ADBLOCK, 4000 },
		{ "adaway.dnsmasq.txt", FEED_DNSMASQ, 4000 },
		{ "adaway.wildcard.txt", FEED_DOMAINS, 4000 },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		char file[128];
		char line[FEED_LINE_MAX * 2];
		uint64_t said = 0;
		struct feed_rig rig;
		snprintf(file, sizeof(file), "data/feeds/%s", cases[i].file);
		FILE *in = fopen(shared_path(file), "r");
		if (!in) /* the shared folder is not here; traps.* above hold the same cases */
			continue;
		while (fgets(line, sizeof(line), in)) {
			size_t at = strspn(line, " \t\r\n");
			if (line[at] == '\0' || strchr("#;!", line[at]))
				continue;
			said++;
		}
		fclose(in);
		feed_rig_init(&rig);
		cr_expect_eq(load_path(&rig, shared_path(file)), ERR_OK, "%s", rig.why.text);
		cr_expect_eq(rig.report.format, cases[i].format, "%s", file);
		cr_expect_eq(feed_report_accepted(&rig.report) + rig.report.duplicates +
				     feed_report_rejected(&rig.report),
			said, "%s: %lu + %lu + %lu of %lu", file,
			(unsigned long)feed_report_accepted(&rig.report),
			(unsigned long)rig.report.duplicates,
			(unsigned long)feed_report_rejected(&rig.report), (unsigned long)said);
		cr_expect_geq(feed_report_accepted(&rig.report), cases[i].accepted_min,
			"%s: %lu", file, (unsigned long)feed_report_accepted(&rig.report));
		feed_rig_deinit(&rig);
	}
}
