/* SPDX-License-Identifier: BSD-2-Clause */
#include "sensor/app/commands.h"

#include "rules/rule.h"
#include "sensor/base/attribute.h"

#include <criterion/criterion.h>
#include <getopt.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define DEMO    "tests/data/demo.yaml"
#define REFUSED "tests/data/refused.yaml"

/* What a command said on both streams. */
struct said {
	int code;
	char out[65536], err[4096];
};

/* One of the two streams, led into a file for a while. */
struct stream {
	int fd, saved;
	FILE *file;
};

static struct stream stream_divert(int fd)
{
	struct stream s = { .fd = fd, .saved = dup(fd), .file = tmpfile() };

	cr_assert(s.saved != -1 && s.file);
	cr_assert_neq(dup2(fileno(s.file), fd), -1);
	return s;
}

static void stream_restore(struct stream *s, char *text, size_t size)
{
	dup2(s->saved, s->fd);
	close(s->saved);
	rewind(s->file);
	text[fread(text, 1, size - 1, s->file)] = '\0';
	fclose(s->file);
}

/* Call a command with the words of `line`. */
static void call(struct said *said, int (*command)(int argc, char **argv), const char *line)
{
	char words[512], *argv[16];
	int argc = 0;

	snprintf(words, sizeof(words), "%s", line);
	for (char *save, *word = strtok_r(words, " ", &save); word;
		word = strtok_r(NULL, " ", &save))
		argv[argc++] = word;
	argv[argc] = NULL;
	optind = 0; /* glibc: begin anew */
	fflush(NULL);
	struct stream out = stream_divert(STDOUT_FILENO), err = stream_divert(STDERR_FILENO);
	said->code = command(argc, argv);
	fflush(NULL);
	stream_restore(&out, said->out, sizeof(said->out));
	stream_restore(&err, said->err, sizeof(said->err));
}

static const struct usage_row {
	int (*command)(int argc, char **argv);
	const char *line, *error;
} usage_rows[] = {
	{ check_command, "check",
		"dynwatch check: -c FILE is missing; see dynwatch check --help\n" },
	{ check_command, "check -c",
		"dynwatch check: -c needs a value; see dynwatch check --help\n" },
	{ check_command, "check --config",
		"dynwatch check: --config needs a value; see dynwatch check --help\n" },
	{ check_command, "check -x",
		"dynwatch check: unknown option -x; see dynwatch check --help\n" },
	{ check_command, "check --frobnicate",
		"dynwatch check: unknown option --frobnicate; see dynwatch check --help\n" },
	{ check_command, "check --options=3",
		"dynwatch check: --options=3 takes no value; see dynwatch check --help\n" },
	{ check_command, "check -c " DEMO " more",
		"dynwatch check: unexpected argument \"more\"; see dynwatch check --help\n" },
	{ lookup_command, "lookup",
		"dynwatch lookup: a NAME is missing; see dynwatch lookup --help\n" },
	{ lookup_command, "lookup --client 1.2.3 x",
		"dynwatch lookup: --client 1.2.3: not an address; see dynwatch lookup "
		"--help\n" },
	{ lookup_command, "lookup -c " DEMO " --tenant nobody x.example",
		"dynwatch lookup: --tenant nobody: no tenant has that id; see dynwatch lookup "
		"--help\n" },
	{ lookup_command, "lookup a..b",
		"dynwatch lookup: \"a..b\" is not a domain name or an address; see dynwatch "
		"lookup "
		"--help\n" },
	{ rules_command, "rules --jso=1",
		"dynwatch rules: --jso=1 takes no value; see dynwatch rules --help\n" },
	{ rules_command, "rules x",
		"dynwatch rules: unexpected argument \"x\"; see dynwatch rules --help\n" },
};

Test(commands, wrong_usage_is_one_line_naming_the_option_and_code_2)
{
	for (size_t i = 0; i < ARRAY_LEN(usage_rows); i++) {
		static struct said said;
		call(&said, usage_rows[i].command, usage_rows[i].line);
		cr_assert_eq(said.code, 2, "%s", usage_rows[i].line);
		cr_assert_str_eq(said.err, usage_rows[i].error, "%s", usage_rows[i].line);
		cr_assert_str_eq(said.out, "", "%s: %s", usage_rows[i].line, said.out);
	}
}

Test(commands, help_goes_to_standard_output)
{
	static struct said said;

	call(&said, check_command, "check --help");
	cr_assert(said.code == 0 && strncmp(said.out, "Usage: dynwatch check", 21) == 0);
	call(&said, lookup_command, "lookup -h");
	cr_assert(said.code == 0 && strncmp(said.out, "Usage: dynwatch lookup", 22) == 0);
	call(&said, rules_command, "rules --help");
	cr_assert(said.code == 0 && strncmp(said.out, "Usage: dynwatch rules", 21) == 0);
	cr_assert_str_eq(said.err, "");
}

Test(commands, check_reports_tenants_and_feeds_and_says_ok)
{
	static struct said said;
	static const char *const parts[] = {
		"configuration  " DEMO "\n",
		"tenants        2\n"
		"  acme         10.1.0.0/16, 2001:db8:1::/48; 1 approved, 3 zones, 0 excludes\n",
		"  demo-malicious\n    malicious, hosts, ",
		"names: 5 with all below, 0 alone, 0 below only; 0 addresses; 0 duplicates, 0 "
		"rejected\n",
	};

	call(&said, check_command, "check -c " DEMO);
	cr_assert_eq(said.code, 0, "%s", said.err);
	for (size_t i = 0; i < ARRAY_LEN(parts); i++)
		cr_assert(strstr(said.out, parts[i]), "no \"%s\" in\n%s", parts[i], said.out);
	cr_assert_str_eq(said.out + strlen(said.out) - 4, "\nok\n");
}

Test(commands, check_of_a_bad_configuration_names_the_place)
{
	static struct said said;

	call(&said, check_command, "check -c tests/data/config/bad/unknown-key.yaml");
	cr_assert_eq(said.code, 2);
	cr_assert(strstr(said.err,
			  "tests/data/config/bad/unknown-key.yaml:1:19: "
			  "sensor.memroy_mb: unknown key; did you mean \"memory_mb\"?\n"),
		"%s", said.err);
	cr_assert_str_eq(said.out, "");
}

static const struct verdict_row {
	const char *name, *line, *part;
} verdict_rows[] = {
	{ "not approved", "lookup -c " DEMO " --tenant acme office-printer.ddns.net",
		"  acme, client 10.1.0.1: lookup.unapproved (medium)\n" },
	{ "the line that would allow it", "lookup -c " DEMO " --tenant acme cam9.ddns.net",
		"                      approved:\n                        - name: "
		"cam9.ddns.net\n" },
	{ "provider and tier", "lookup x.ddns.net",
		"  listed      ddns.net (and all below): provider no-ip, tier A, by "
		"shipped:providers (feeds/lists/providers.list:" },
	{ "where it is listed", "lookup -c " DEMO " c2-panel.hopto.org",
		"malicious, severity high, by demo-malicious "
		"(tests/data/demo-malicious.hosts:" },
	{ "an address", "lookup -c " DEMO " 203.0.113.9",
		"203.0.113.9\n  listed      nowhere\n"
		"  acme, client 10.1.0.1: nothing to report\n" },
	{ "an IPv6 address", "lookup -c " DEMO " 2001:db8::9",
		"2001:db8::9\n  listed      "
		"nowhere\n" },
	{ "approved provider", "lookup -c " DEMO " --tenant globex office-printer.ddns.net",
		"  globex, client 10.2.0.1: nothing to report: approved\n" },
	{ "approved for this client", "lookup -c " DEMO " --client 10.1.4.7 cam7.duckdns.org",
		"  acme, client 10.1.4.7: nothing to report: approved\n" },
	{ "not for another client", "lookup -c " DEMO " --client 10.1.5.7 cam7.duckdns.org",
		"  acme, client 10.1.5.7: lookup.unapproved (medium)\n" },
	{ "malicious", "lookup -c " DEMO " --tenant acme c2-panel.hopto.org",
		"lookup.malicious (high)\n" },
	{ "registered domain", "lookup www.example.co.uk", "  registered  example.co.uk\n" },
	{ "listed nowhere", "lookup www.example.co.uk", "  listed      nowhere\n" },
	{ "a public suffix", "lookup co.uk", "  registered  none: a public suffix" },
	{ "IDN",
		"lookup b\xc3\xbc"
		"cher.example",
		"xn--bcher-kva.example\n" },
	{ "a provider's suffix is not malicious", "lookup -c " REFUSED " x.duckdns.org",
		"  refused     duckdns.org: malicious, by mixed (tests/data/feeds/refused.csv:2)\n"
		"              malicious, but a provider's suffix" },
	{ "refused and nothing else", "lookup -c " REFUSED " www.bbc.co.uk",
		"  listed      nowhere\n  refused     co.uk: malicious, by mixed "
		"(tests/data/feeds/refused.csv:3)\n              an ICANN public suffix\n" },
	{ "what has ended", "lookup -c " REFUSED " taken.example www.ended.example",
		"  listed      nowhere\n  refused     ended.example: malicious, by mixed "
		"(tests/data/feeds/refused.csv:4)\n              valid until a time that is over\n" },
	{ "a refused network", "lookup -c " REFUSED " 10.9.8.7",
		"  listed      nowhere\n  refused     10.0.0.0/8: malicious, by mixed "
		"(tests/data/feeds/refused.csv:5)\n" },
	{ "refused is of what was asked for", "lookup -c " REFUSED " taken.example 10.9.8.7",
		"refused.csv:6)\n  acme, client 10.1.0.1: lookup.malicious (high)\n" },
	{ "a client of nobody", "lookup -c " DEMO " --client 203.0.113.9 x.ddns.net",
		"  unmapped, client 203.0.113.9: lookup.unapproved (medium)\n" },
};

Test(commands, lookup_gives_the_verdict_of_the_rules)
{
	for (size_t i = 0; i < ARRAY_LEN(verdict_rows); i++) {
		static struct said said;
		call(&said, lookup_command, verdict_rows[i].line);
		cr_assert_eq(said.code, 0, "%s: %s", verdict_rows[i].name, said.err);
		cr_assert(strstr(said.out, verdict_rows[i].part), "%s:\n%s",
			verdict_rows[i].name, said.out);
	}
}

Test(commands, rules_as_json_has_every_rule_with_its_options)
{
	static struct said said;
	json_error_t error;
	size_t options = 0;

	call(&said, rules_command, "rules --json");
	cr_assert_eq(said.code, 0);
	json_t *rules = json_loads(said.out, 0, &error);
	cr_assert_not_null(rules, "%s", error.text);
	cr_assert_eq(json_array_size(rules), RULE_COUNT);
	for (size_t i = 0; i < RULE_COUNT; i++) {
		json_t *rule = json_array_get(rules, i);
		cr_assert_str_eq(
			json_string_value(json_object_get(rule, "id")), rule_table[i].id);
		options += json_array_size(json_object_get(rule, "options"));
	}
	cr_assert_eq(options, RULE_COUNT * RULE_COMMON_COUNT + RULE_OPTION_COUNT);
	json_decref(rules);
}

Test(commands, rules_as_text_has_every_rule_with_its_meaning)
{
	static struct said said;

	call(&said, rules_command, "rules");
	cr_assert_eq(said.code, 0);
	for (size_t i = 0; i < RULE_COUNT; i++) {
		cr_assert(strstr(said.out, rule_table[i].id), "%s", rule_table[i].id);
		cr_assert(strstr(said.out, rule_table[i].meaning), "%s", rule_table[i].id);
	}
}
