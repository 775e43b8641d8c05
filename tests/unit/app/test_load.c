/* SPDX-License-Identifier: BSD-2-Clause */
#include "sensor/app/load.h"

#include "sensor/app/changes.h"

#include "sensor/base/clock.h"
#include "sensor/base/text.h"
#include "feeds/shipped.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A folder of its own for each test, with the files it wants; removed at the end. */
static char folder[] = "/tmp/dynwatch-load-XXXXXX";

static void make_folder(void)
{
	cr_assert_not_null(mkdtemp(folder));
}

static void remove_folder(void)
{
	static const char *const files[] = { "list", "other" };
	char path[128];

	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		snprintf(path, sizeof(path), "%s/%s", folder, files[i]);
		unlink(path);
	}
	rmdir(folder);
}

TestSuite(load, .init = make_folder, .fini = remove_folder);

static void write_file(const char *name, const char *content)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	FILE *file = fopen(path, "we");
	cr_assert_not_null(file, "%s", path);
	fputs(content, file);
	fclose(file);
}

/* Everything that one loading makes. */
struct loaded {
	struct config *config;
	struct knowledge *known;
	struct load_report report;
	struct err_ctx why;
	enum err err;
};

static struct loaded load_after(const struct loaded *before, const char *text)
{
	struct loaded l = { 0 };
	struct load_options options = { .seed = 7 };
	struct load_previous previous;
	char name[128];

	if (before) {
		previous = (struct load_previous){ before->known, &before->report };
		options.previous = &previous;
		options.seed = 8; /* which counts for nothing */
	}
	snprintf(name, sizeof(name), "%s/c.yaml", folder);
	cr_assert_eq(config_parse(&l.config, text, strlen(text), name, &l.why), ERR_OK, "%s",
		l.why.text);
	l.err = load_knowledge(&l.known, l.config, &options, &l.report, &l.why);
	return l;
}

static struct loaded load(const char *text)
{
	return load_after(NULL, text);
}

static void unload(struct loaded *l)
{
	load_report_deinit(&l->report);
	load_free(l->known);
	config_free(l->config);
}

/* The message without the folder it begins with. */
static const char *reason(const struct loaded *l)
{
	size_t folder_len = strlen(folder);

	return strncmp(l->why.text, folder, folder_len) == 0 ? l->why.text + folder_len + 1
							     : l->why.text;
}

/* Does a listed suffix of the name carry a mark of this kind? */
static bool has_mark(const struct loaded *l, const char *text, enum mark_kind kind)
{
	struct index_hit hit[INDEX_HITS_MAX];
	struct dns_name name;

	cr_assert(dns_name_parse(&name, text), "%s", text);
	size_t hits = index_match_name(l->known->index, &name, hit);
	for (size_t i = 0; i < hits; i++) {
		size_t count;
		const struct mark *mark = index_marks(l->known->index, hit[i].entry, &count);
		for (size_t k = 0; k < count; k++) {
			if (mark[k].kind == kind &&
				mark_applies(&mark[k], hit[i].labels, name.label_count))
				return true;
		}
	}
	return false;
}

Test(load, the_shipped_lists_are_in_force)
{
	struct loaded l = load("{}");

	cr_assert_eq(l.err, ERR_OK, "%s", l.why.text);
	cr_assert_eq(l.known->feed_count, shipped_feed_count);
	cr_assert_eq(l.report.feed_count, shipped_feed_count);
	cr_assert_neq(provider_find(l.known->providers, "no-ip"), PROVIDER_NONE);
	cr_assert(has_mark(&l, "x.ddns.net", MARK_PROVIDER));
	cr_assert_gt(l.report.name_count, 600);
	cr_assert_gt(l.report.elapsed_ns, 0);
	cr_assert_null(l.config->policies, "taken over");
	cr_assert_not_null(l.known->policies->map);
	cr_assert_null(l.known->geo);
	unload(&l);
}

Test(load, without_the_shipped_lists_nothing_is_known)
{
	struct loaded l = load("builtin_lists: false\n");

	cr_assert_eq(l.err, ERR_OK, "%s", l.why.text);
	cr_assert_eq(l.known->feed_count, 0);
	cr_assert_eq(l.report.name_count, 0);
	cr_assert(!has_mark(&l, "x.ddns.net", MARK_PROVIDER));
	unload(&l);
}

Test(load, approved_providers_get_their_numbers)
{
	write_file("list", "dyn.acme.example\n");
	struct loaded l = load(
		"tenants: [{id: a, ddns: {approved: [{provider: no-ip}, {provider: ours}]}}]\n"
		"feeds: [{name: list, path: list, kind: provider, provider: ours}]\n");

	cr_assert_eq(l.err, ERR_OK, "%s", l.why.text);
	const struct policy *a = &l.known->policies->tenant[1];
	cr_assert_eq(a->approved[0].provider, provider_find(l.known->providers, "no-ip"));
	cr_assert_eq(a->approved[1].provider, provider_find(l.known->providers, "ours"));
	cr_assert_neq(a->approved[1].provider, PROVIDER_NONE);
	cr_assert(has_mark(&l, "cam.dyn.acme.example", MARK_PROVIDER));
	unload(&l);
}

Test(load, an_unknown_provider_is_an_error_with_its_place_and_near_ids)
{
	struct loaded l =
		load("tenants:\n  - id: a\n    ddns:\n      approved: [{provider: no-ipp}]\n");

	cr_assert_eq(l.err, ERR_USAGE);
	cr_assert_eq(strncmp(reason(&l),
			     "c.yaml:4:29: tenants[0].ddns.approved[0].provider: there is no "
			     "provider \"no-ipp\"; did you mean no-ip",
			     100),
		0, "%s", reason(&l));
	cr_assert_null(l.known);
	cr_assert_not_null(l.config->policies, "left where they were");
	unload(&l);
	l = load("builtin_lists: false\ntenants: [{id: a, ddns: {approved: [{provider: "
		 "no-ip}]}}]\n");
	cr_assert_eq(l.err, ERR_USAGE);
	cr_assert_str_eq(reason(&l), "c.yaml:2:48: tenants[0].ddns.approved[0].provider: there "
				     "is no provider \"no-ip\"; "
				     "`dynwatch check --providers` lists them");
	unload(&l);
}

Test(load, a_feed_that_is_not_there_is_an_error_with_its_place)
{
	struct loaded l = load("feeds:\n  - {name: a, path: nowhere, kind: malicious}\n");
	char expected[300];

	snprintf(expected, sizeof(expected),
		"c.yaml:2:21: feeds[0].path: %s/nowhere: No such file or directory", folder);
	cr_assert_eq(l.err, ERR_USAGE);
	cr_assert_str_eq(reason(&l), expected);
	unload(&l);
}

Test(load, a_feed_has_its_severity_and_report)
{
	write_file("list", "# bad ones\nbad.example\nbad.example\nworse.example\nnot a name\n");
	struct loaded l =
		load("builtin_lists: false\n"
		     "feeds: [{name: f, path: list, kind: malicious, severity: critical}]\n");

	cr_assert_eq(l.err, ERR_OK, "%s", l.why.text);
	cr_assert_eq(l.known->feed_count, 1);
	cr_assert_str_eq(l.known->feed[0].name, "f");
	cr_assert_eq(l.known->feed[0].severity, SEVERITY_CRITICAL);
	cr_assert_eq(l.known->feed[0].kind, MARK_MALICIOUS);
	const struct feed_report *r = &l.report.feed[0].report;
	cr_assert_eq(r->lines, 5);
	cr_assert_eq(r->accepted[SCOPE_SUFFIX], 2);
	cr_assert_eq(r->duplicates, 1);
	cr_assert_eq(feed_report_rejected(r), 1);
	cr_assert(has_mark(&l, "www.worse.example", MARK_MALICIOUS));
	unload(&l);
}

Test(load, a_providers_suffix_becomes_malicious_only_when_said_so)
{
	static const struct {
		const char *name, *config;
		bool malicious;
	} rows[] = {
		{ "with the shipped lists", "feeds: [{name: f, path: list, kind: malicious}]\n",
			false },
		{ "without them",
			"builtin_lists: false\n"
			"feeds: [{name: f, path: list, kind: malicious}]\n",
			false },
		{ "said so",
			"feeds: [{name: f, path: list, kind: malicious, allow_broad: true}]\n",
			true },
	};

	write_file("list", "ddns.net\nbad.ddns.net\n");
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct loaded l = load(rows[i].config);
		cr_assert_eq(l.err, ERR_OK, "%s: %s", rows[i].name, l.why.text);
		cr_assert_eq(has_mark(&l, "any.ddns.net", MARK_MALICIOUS), rows[i].malicious,
			"%s", rows[i].name);
		cr_assert(has_mark(&l, "bad.ddns.net", MARK_MALICIOUS), "%s", rows[i].name);
		unload(&l);
	}
}

Test(load, a_database_that_cannot_be_read_is_an_error_with_its_place)
{
	write_file("list", "this is no database");
	struct loaded l = load("ports: [53]\ngeoip: {country: list}\n");

	cr_assert_eq(l.err, ERR_USAGE, "%s", l.why.text);
	cr_assert_eq(strncmp(reason(&l), "c.yaml:2:8: geoip: ", 19), 0, "%s", reason(&l));
	cr_assert(strstr(reason(&l), "/list"), "%s", reason(&l));
	unload(&l);
}

Test(load, the_url_of_an_output_is_checked_without_showing_its_password)
{
	struct config *c = NULL;
	struct err_ctx why = { "" };
	static const char text[] =
		"outputs:\n  - {type: redis, url: \"http://user:secret@host\"}\n";

	cr_assert_eq(
		config_parse(&c, text, strlen(text), "c.yaml", &why), ERR_OK, "%s", why.text);
	cr_assert_eq(load_check_outputs(c, &why), ERR_USAGE);
	cr_assert_eq(strncmp(why.text, "c.yaml:2:24: outputs[0].url: ", 29), 0, "%s", why.text);
	cr_assert_null(strstr(why.text, "secret"), "%s", why.text);
	config_free(c);
}

static void keep_line(void *arg, const char *line)
{
	text_printf(arg, "%s\n", line);
}

Test(load, feeds_that_are_old_or_gave_nothing_are_told)
{
	char path[128];
	struct text said = { 0 };
	struct timespec hour_ago[2] = { 0 };

	write_file("list", "bad.example\n");
	write_file("other", "# nothing\n");
	snprintf(path, sizeof(path), "%s/list", folder);
	hour_ago[0].tv_sec = hour_ago[1].tv_sec = clock_wall_ns() / NS_PER_S - 3610;
	cr_assert_eq(utimensat(AT_FDCWD, path, hour_ago, 0), 0);
	struct loaded l = load("feeds:\n"
			       "  - {name: old, path: list, kind: malicious, max_age: 30m}\n"
			       "  - {name: fresh, path: list, kind: allow, max_age: 2h}\n"
			       "  - {name: none, path: other, kind: pool}\n");
	cr_assert_eq(l.err, ERR_OK, "%s", l.why.text);
	load_warn(l.config, l.known, &l.report, keep_line, &said);
	cr_assert_not_null(said.at);
	cr_assert(strstr(said.at, "c.yaml:2:23: feed old is 1h old; max_age is 30m\n"), "%s",
		said.at);
	cr_assert(strstr(said.at, "c.yaml:4:24: feed none gave nothing\n"), "%s", said.at);
	cr_assert_null(strstr(said.at, "fresh"), "%s", said.at);
	text_deinit(&said);
	unload(&l);
}

Test(load, entries_that_nobody_can_mean_are_told)
{
	struct text said = { 0 };

	write_file("list", "acme.example\nupdate.microsoft.com\nharmless.example\n"
			   "below.globex.example\nfine.example\n");
	write_file("other", "fine.example\n");
	struct loaded l = load("tenants:\n  - id: acme\n    select: {networks: [10.0.0.0/8]}\n"
			       "    zones: [{name: corp.acme.example}]\n"
			       "    suffixes: [globex.example, fine.example]\n"
			       "feeds:\n  - {name: bad, path: list, kind: malicious}\n"
			       "  - {name: good, path: other, kind: allow}\n");
	cr_assert_eq(l.err, ERR_OK, "%s", l.why.text);
	load_warn(l.config, l.known, &l.report, keep_line, &said);
	cr_assert_not_null(said.at);
	cr_expect(strstr(said.at, "feed bad: its entry acme.example covers corp.acme.example, "
				  "a zone of tenant acme"),
		"%s", said.at);
	cr_expect(strstr(said.at, "update.microsoft.com, a name that everybody needs"), "%s",
		said.at);
	cr_expect_null(strstr(said.at, "harmless"), "%s", said.at);
	cr_expect(strstr(said.at,
			  "/list:4: feed bad: below.globex.example is listed as malicious and "
			  "is below globex.example, a search suffix of tenant acme"),
		"%s", said.at);
	cr_expect_null(strstr(said.at, "fine.example"), "%s", said.at);
	text_deinit(&said);
	unload(&l);
}

Test(load, of_many_malicious_names_below_a_zone_most_are_only_counted)
{
	struct text said = { 0 }, list = { 0 };
	size_t lines = 0;

	text_puts(&list, "corp.example\nok.corp.example\n");
	for (unsigned i = 0; i < 100; i++)
		text_printf(&list, "h%u.corp.example\n", i);
	write_file("list", list.at);
	write_file("other", "ok.corp.example\n");
	struct loaded l = load("tenants:\n  - id: acme\n    select: {networks: [10.0.0.0/8]}\n"
			       "    zones: [{name: corp.example}]\n"
			       "feeds:\n  - {name: bad, path: list, kind: malicious}\n"
			       "  - {name: good, path: other, kind: allow}\n");
	cr_assert_eq(l.err, ERR_OK, "%s", l.why.text);
	load_warn(l.config, l.known, &l.report, keep_line, &said);
	cr_assert_not_null(said.at);
	for (const char *at = said.at; (at = strchr(at, '\n')); at++)
		lines++;
	cr_expect_leq(lines, 7, "%s", said.at);
	cr_expect(strstr(said.at, "/list:3: feed bad: h0.corp.example"), "%s", said.at);
	cr_expect_null(strstr(said.at, "ok.corp.example"), "%s", said.at);
	cr_expect(strstr(said.at, "96 more names"), "%s", said.at);
	text_deinit(&list);
	text_deinit(&said);
	unload(&l);
}

Test(load, a_file_of_broken_lines_is_told)
{
	struct text said = { 0 };

	write_file("list", "evil.example\n<p>\n<b> x\n<i> y\n<hr> z\n<u> w\n");
	struct loaded l =
		load("feeds:\n  - {name: page, path: list, kind: malicious}\n"
		     "  - {name: any, path: list, kind: malicious, max_rejected: 100}\n");
	cr_assert_eq(l.err, ERR_OK, "%s", l.why.text);
	load_warn(l.config, l.known, &l.report, keep_line, &said);
	cr_assert_not_null(said.at);
	cr_expect(strstr(said.at, "feed page: 5 of 6 entries are broken (max_rejected: 25 %); "
				  "what could be read is in force"),
		"%s", said.at);
	cr_expect_null(strstr(said.at, "feed any"), "%s", said.at);
	text_deinit(&said);
	unload(&l);
}

/* --- a reload ------------------------------------------------------------------------------------ */

static void expect_changes(
	const struct loaded *before, const struct loaded *after, const char *want)
{
	struct text said = { 0 };

	changes_describe(&said, before->known, after->known);
	cr_assert_str_eq(said.at, want);
	text_deinit(&said);
}

#define FEEDS_OF_TWO                                                                           \
	"feeds: [{name: list, path: list, kind: malicious},"                                   \
	" {name: dyn, path: other, kind: provider, provider: mine}]\n"

Test(load, a_reload_says_what_has_come_and_gone)
{
	write_file("list", "a.example\nb.example\n");
	struct loaded one = load("tenants: [{id: acme, select: {vlans: [1]}}]\n"
				 "feeds: [{name: list, path: list, kind: malicious}]\n");
	write_file("list", "b.example\nc.example\nd.example\n192.0.2.7\n");
	write_file("other", "dyn.example\n");
	struct loaded two = load_after(&one, "tenants: [{id: beta}]\n" FEEDS_OF_TWO);
	cr_assert_eq(two.err, ERR_OK, "%s", two.why.text);
	expect_changes(&one, &two,
		"feed list +3 -1, feed dyn new (+1), tenant acme gone, tenant beta new");
	write_file("list", "b.example\nc.example\nd.example\n");
	struct loaded three =
		load_after(&two, "tenants: [{id: acme}]\nbuiltin_lists: true\n"
				 "feeds: [{name: list, path: list, kind: malicious,"
				 " match: exact}]\n");
	expect_changes(&two, &three,
		"feed list +3 -4, feed dyn gone (-1), tenant acme new, tenant beta gone");
	expect_changes(&three, &three, "no name and no tenant changed");
	unload(&one);
	unload(&two);
	unload(&three);
}

Test(load, a_reload_keeps_numbers_and_seed)
{
	struct loaded one = load("tenants: [{id: acme, select: {vlans: [1]}}, {id: beta}]");
	struct loaded two =
		load_after(&one, "tenants: [{id: new, select: {vlans: [1]}}, "
				 "{id: beta, ddns: {approved: [{provider: no-ip}]}}]");

	cr_assert_eq(two.err, ERR_OK, "%s", two.why.text);
	const struct policy_set *set = two.known->policies;
	cr_assert_eq(set->tenant_count, 4);
	cr_assert(set->tenant[1].retired);
	cr_assert_str_eq(set->tenant[2].id, "beta");
	cr_assert_str_eq(set->tenant[3].id, "new");
	cr_assert_str_eq(
		provider_at(two.known->providers, set->tenant[2].approved[0].provider)->id,
		"no-ip");
	cr_assert_eq(index_seed(one.known->index), index_seed(two.known->index));
	unload(&one);
	unload(&two);
}

/* Both feeds, good at first; then the first one has `content`, or none when NULL. */
static void check_kept(const char *content, enum guard_reason reason)
{
	char path[128];
	write_file("list", "a.example\nb.example\n192.0.2.0/24\n");
	write_file("other", "dyn.example\n");
	struct loaded one = load("tenants: [{id: acme}]\n" FEEDS_OF_TWO);
	cr_assert_eq(one.err, ERR_OK, "%s", one.why.text);

	snprintf(path, sizeof(path), "%s/list", folder);
	unlink(path);
	if (content)
		write_file("list", content);
	write_file("other", "dyn.example\nmore.example\n");
	struct loaded two = load_after(&one, "tenants: [{id: acme}]\n" FEEDS_OF_TWO);
	cr_assert_eq(two.err, ERR_OK, "%s", two.why.text);
	expect_changes(&one, &two, "feed dyn +1 -0");
	const struct load_feed *kept = &two.report.feed[two.report.feed_count - 2];
	cr_assert(kept->kept);
	cr_assert_eq(kept->doubt.reason, reason, "%d", kept->doubt.reason);
	cr_assert_not(kept[1].kept);
	cr_assert_eq(feed_report_accepted(&kept->report),
		feed_report_accepted(&one.report.feed[one.report.feed_count - 2].report));
	cr_assert(has_mark(&two, "www.a.example", MARK_MALICIOUS));
	cr_assert_eq(address_set_count(two.known->addresses), 1);

	/* And once more: what is kept is measured by what was good. */
	struct loaded three = load_after(&two, "tenants: [{id: acme}]\n" FEEDS_OF_TWO);
	expect_changes(&two, &three, "no name and no tenant changed");
	cr_assert(three.report.feed[three.report.feed_count - 2].kept);
	unload(&one);
	unload(&two);
	unload(&three);
}

Test(load, a_feed_that_turned_empty_keeps_what_it_had)
{
	check_kept("", GUARD_EMPTY);
	check_kept("# nothing any more\n", GUARD_EMPTY);
}

Test(load, a_feed_that_cannot_be_read_keeps_what_it_had)
{
	check_kept(NULL, GUARD_UNREADABLE);
}

Test(load, a_provider_feed_keeps_its_provider)
{
	char path[128];
	write_file("list", "a.example\n");
	write_file("other", "dyn.example\n");
	struct loaded one = load("tenants: [{id: acme}]\n" FEEDS_OF_TWO);
	snprintf(path, sizeof(path), "%s/other", folder);
	unlink(path);
	/* It stands first now, so that numbers of feeds and providers are others. */
	struct loaded two =
		load_after(&one, "tenants: [{id: acme, ddns: {approved: [{provider: "
				 "mine}]}}]\n"
				 "feeds: [{name: dyn, path: other, kind: provider, "
				 "provider: mine}]\n");
	cr_assert_eq(two.err, ERR_OK, "%s", two.why.text);
	expect_changes(&one, &two, "feed list gone (-1)");
	cr_assert(has_mark(&two, "cam.dyn.example", MARK_PROVIDER));
	unload(&one);
	unload(&two);
}

Test(load, a_feed_of_another_path_or_kind_keeps_nothing)
{
	write_file("list", "a.example\n");
	struct loaded one = load("feeds: [{name: list, path: list, kind: malicious}]\n");
	struct loaded two =
		load_after(&one, "feeds: [{name: list, path: none, kind: malicious}]\n");
	cr_assert_eq(two.err, ERR_USAGE);
	cr_assert(strstr(two.why.text, "feeds[0].path"), "%s", two.why.text);
	write_file("list", "");
	struct loaded three =
		load_after(&one, "feeds: [{name: list, path: list, kind: pool}]\n");
	cr_assert_eq(three.err, ERR_OK, "%s", three.why.text);
	cr_assert_not(three.report.feed[three.report.feed_count - 1].kept);
	unload(&one);
	unload(&two);
	unload(&three);
}

/* The content of before, with what was said of it; nothing of what the damaged file says. */
Test(load, a_feed_that_is_kept_keeps_its_facts)
{
	static const char text[] = "feeds: [{name: fox, path: list, kind: malicious, "
				   "format: csv}]\n";
	static const struct {
		const char *name, *category;
	} rows[] = { { "evil.example", "Emotet" }, { "bad.example", "Dridex" } };

	write_file("list", "domain,malware\nevil.example,Emotet\nbad.example,Dridex\n");
	struct loaded before = load(text);
	write_file("list", "domain,malware\nevil.example,Other\n,\n,\n,\n,\n,\n");
	struct loaded now = load_after(&before, text);
	cr_assert_eq(now.err, ERR_OK, "%s", now.why.text);
	size_t last = now.known->feed_count - 1;
	cr_assert(now.report.feed[last].kept, "%s", now.report.feed[last].doubt.why);
	const struct facts *facts = now.known->feed[last].facts;
	cr_assert(facts);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct entry_facts e;
		struct dns_name name;
		cr_assert(dns_name_parse(&name, rows[i].name));
		cr_assert(facts_find(
			facts, dns_name_hash(&name, index_seed(now.known->index)), &e));
		cr_expect_str_eq(e.category, rows[i].category, "%s", rows[i].name);
	}
	unload(&now);
	unload(&before);
}
