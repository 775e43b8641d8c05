/* SPDX-License-Identifier: BSD-2-Clause */
#include "feeds/feed.h"

#include <criterion/criterion.h>
#include <string.h>

#include "tests/unit/feeds/feed_rig.h"

#define ROW_MAX 300

struct row {
	const char *text;
	const char *name; /* NULL: rejected */
	enum feed_reject reject;
	enum mark_scope scope;
};

static const struct row rows[] = {
	/* plain */
	{ "evil.example", "evil.example", 0, 0 },
	{ "EVIL.Example", "evil.example", 0, 0 },
	{ "evil.example.", "evil.example", 0, 0 },
	{ "  evil.example\t", "evil.example", 0, 0 },
	{ "_dmarc.evil.example", "_dmarc.evil.example", 0, 0 },
	{ "-043ns11.net.daraz.com", "-043ns11.net.daraz.com", 0, 0 },
	{ "trailing-.example", "trailing-.example", 0, 0 },
	{ "1e100.net", "1e100.net", 0, 0 },
	{ "123.456.example", "123.456.example", 0, 0 },
	{ "xn--tt-8ja.net", "xn--tt-8ja.net", 0, 0 },
	{ "1.0.0.127.in-addr.arpa", "1.0.0.127.in-addr.arpa", 0, 0 },
	{ "single", "single", 0, 0 },
	/* dots and stars in front */
	{ ".cloudns.ph", "cloudns.ph", 0, SCOPE_SUFFIX },
	{ "*.evil.example", "evil.example", 0, SCOPE_BELOW },
	{ "*.evil.example.", "evil.example", 0, SCOPE_BELOW },
	{ "evil.*", NULL, FEED_REJECT_WILDCARD, 0 },
	{ "*evil*", NULL, FEED_REJECT_WILDCARD, 0 },
	{ "*evil.example", NULL, FEED_REJECT_WILDCARD, 0 },
	{ "*.*.evil.example", NULL, FEED_REJECT_WILDCARD, 0 },
	{ "a.*.evil.example", NULL, FEED_REJECT_WILDCARD, 0 },
	{ "*", NULL, FEED_REJECT_WILDCARD, 0 },
	{ "*.", NULL, FEED_REJECT_WILDCARD, 0 },
	/* wrapping */
	{ "\"evil.example\"", "evil.example", 0, 0 },
	{ "'evil.example'", "evil.example", 0, 0 },
	{ "`evil.example`", "evil.example", 0, 0 },
	{ "<evil.example>", "evil.example", 0, 0 },
	{ "<\"evil.example\">", "evil.example", 0, 0 },
	/* defanged */
	{ "evil[.]example", "evil.example", 0, 0 },
	{ "www(.)evil{.}example", "www.evil.example", 0, 0 },
	{ "evil[dot]example", "evil.example", 0, 0 },
	{ "evil\\.example", "evil.example", 0, 0 },
	{ "hxxp://evil.example/x", "evil.example", 0, 0 },
	{ "hXXps[:]//evil[.]example", "evil.example", 0, 0 },
	{ "hxxp[://]evil[.]example[/]x", "evil.example", 0, 0 },
	/* URLs */
	{ "http://a.ddns.net:8080/x.exe", "a.ddns.net", 0, 0 },
	{ "https://user:pass@evil.example:8443/p?q=1#f", "evil.example", 0, 0 },
	{ "ftp://evil.example", "evil.example", 0, 0 },
	{ "tcp+tls://evil.example:853", "evil.example", 0, 0 },
	{ "http://evil.example?x", "evil.example", 0, 0 },
	{ "http://evil.example#x", "evil.example", 0, 0 },
	{ "evil.example/path", "evil.example", 0, 0 },
	{ "evil.example:443", "evil.example", 0, 0 },
	{ "evil.example:", NULL, FEED_REJECT_SYNTAX, 0 },
	{ "evil.example:https", NULL, FEED_REJECT_SYNTAX, 0 },
	{ "evil.example:123456", NULL, FEED_REJECT_SYNTAX, 0 },
	{ "someone@evil.example", NULL, FEED_REJECT_SYNTAX, 0 },
	{ "http://", NULL, FEED_REJECT_NAME, 0 },
	{ "/path/only", NULL, FEED_REJECT_NAME, 0 },
	/* addresses and numbers */
	{ "192.0.2.1", NULL, FEED_REJECT_ADDRESS, 0 },
	{ "192.0.2.1:443", NULL, FEED_REJECT_ADDRESS, 0 },
	{ "192.0.2.0/24", NULL, FEED_REJECT_ADDRESS, 0 },
	{ "102.204..15", NULL, FEED_REJECT_ADDRESS, 0 },
	{ "http://192.0.2.1/x", NULL, FEED_REJECT_ADDRESS, 0 },
	{ "[2001:db8::1]:443", NULL, FEED_REJECT_ADDRESS, 0 },
	{ "http://[2001:db8::1]/", NULL, FEED_REJECT_ADDRESS, 0 },
	{ "2001:db8::1", NULL, FEED_REJECT_ADDRESS, 0 },
	{ "2001:db8::/32", NULL, FEED_REJECT_ADDRESS, 0 },
	{ "::", NULL, FEED_REJECT_ADDRESS, 0 },
	{ "fe80::1%lo0", NULL, FEED_REJECT_ADDRESS, 0 },
	{ "::ffff:192.0.2.1", NULL, FEED_REJECT_ADDRESS, 0 },
	{ "\xef\xbc\x91\xef\xbc\x92.\xef\xbc\x91.\xef\xbc\x91.\xef\xbc\x91", NULL,
		FEED_REJECT_ADDRESS, 0 },
	{ "evil.123", NULL, FEED_REJECT_NUMERIC, 0 },
	{ "12345", NULL, FEED_REJECT_NUMERIC, 0 },
	{ "192.0.2.1-192.0.2.9", NULL, FEED_REJECT_NUMERIC, 0 },
	/* IDN */
	{ "t\xc3\xb4t.net", "xn--tt-8ja.net", 0, 0 },
	{ "T\xc3\x94T.NET", "xn--tt-8ja.net", 0, 0 },
	{ "*.t\xc3\xb4t.net", "xn--tt-8ja.net", 0, SCOPE_BELOW },
	{ "http://t\xc3\xb4t.net/\xc3\xb4", "xn--tt-8ja.net", 0, 0 },
	{ "to\xcc\x82t.net", "xn--tt-8ja.net", 0, 0 }, /* decomposed */
	{ "stra\xc3\x9f"
	  "e.example",
		"xn--strae-oqa.example", 0, 0 },
	{ "_x.t\xc3\xb4t.net", "_x.xn--tt-8ja.net", 0, 0 },
	{ "t\xc3\xb4t\xe3\x80\x82net", "xn--tt-8ja.net", 0, 0 }, /* ideographic full stop */
	{ "t\xf4t.net", NULL, FEED_REJECT_ENCODING, 0 },         /* Latin-1 */
	{ "t\xc3.net", NULL, FEED_REJECT_ENCODING, 0 },
	{ "\xed\xa0\x80.net", NULL, FEED_REJECT_ENCODING, 0 }, /* surrogate */
	{ "\xe2\x98\x83.example", NULL, FEED_REJECT_IDN, 0 },  /* snowman */
	/* other formats */
	{ "||x.example^", NULL, FEED_REJECT_SYNTAX, 0 },
	{ "||*.x.example^", NULL, FEED_REJECT_SYNTAX, 0 },
	{ "@@||x.example^", NULL, FEED_REJECT_SYNTAX, 0 },
	{ "x.example^", NULL, FEED_REJECT_SYNTAX, 0 },
	{ "x.example##.ad", NULL, FEED_REJECT_SYNTAX, 0 },
	{ "x.example#@#.ad", NULL, FEED_REJECT_SYNTAX, 0 },
	{ "x.example$important", NULL, FEED_REJECT_SYNTAX, 0 },
	{ "$TTL", NULL, FEED_REJECT_SYNTAX, 0 },
	{ "address=/x.example/0.0.0.0", NULL, FEED_REJECT_SYNTAX, 0 },
	{ "local-zone:", NULL, FEED_REJECT_SYNTAX, 0 },
	{ "x.example,2024-02-18,afraid.org", NULL, FEED_REJECT_SYNTAX, 0 },
	{ "\"a.example\",\"malware\"", NULL, FEED_REJECT_SYNTAX, 0 },
	{ "{\"domain\":", NULL, FEED_REJECT_SYNTAX, 0 },
	{ "[Adblock", NULL, FEED_REJECT_SYNTAX, 0 },
	{ "/regex/", NULL, FEED_REJECT_REGEX, 0 },
	{ "/^ad[sx]\\d+\\./", NULL, FEED_REJECT_REGEX, 0 },
	{ "^evil", NULL, FEED_REJECT_REGEX, 0 },
	{ "(?i)evil.example", NULL, FEED_REJECT_REGEX, 0 },
	{ "ad\\d.example", NULL, FEED_REJECT_REGEX, 0 },
	{ "evil.+example", NULL, FEED_REJECT_REGEX, 0 },
	/* names that cannot be */
	{ "", NULL, FEED_REJECT_NAME, 0 },
	{ ".", NULL, FEED_REJECT_NAME, 0 },
	{ "..evil.example", NULL, FEED_REJECT_NAME, 0 },
	{ "evil..example", NULL, FEED_REJECT_NAME, 0 },
	{ "evil.example..", NULL, FEED_REJECT_NAME, 0 },
	{ "*..evil.example", NULL, FEED_REJECT_NAME, 0 },
	{ "a%20b.example", NULL, FEED_REJECT_CHARACTER, 0 },
	{ "a+b.example", NULL, FEED_REJECT_CHARACTER, 0 },
	{ "a\x01"
	  "b.example",
		NULL, FEED_REJECT_CHARACTER, 0 },
	{ "evil example", NULL, FEED_REJECT_CHARACTER, 0 },
};

Test(normalise, every_spelling_of_a_name_and_every_trap)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct dns_name name;
		char text[DNS_NAME_TEXT_MAX];
		enum mark_scope scope = SCOPE_SUFFIX;
		enum feed_reject want = rows[i].name ? FEED_REJECT_COUNT : rows[i].reject;
		enum feed_reject got =
			feed_normalise(&name, &scope, rows[i].text, strlen(rows[i].text));

		cr_expect_eq(got, want, "'%s': %s instead of %s", rows[i].text,
			feed_reject_name(got), feed_reject_name(want));
		if (got != FEED_REJECT_COUNT || !rows[i].name)
			continue;
		dns_name_format(&name, text);
		cr_expect_str_eq(text, rows[i].name, "'%s'", rows[i].text);
		cr_expect_eq(scope, rows[i].scope, "'%s': scope", rows[i].text);
	}
}

/* Accepted or not, and why, of `labels` labels of `len` letters each. */
static enum feed_reject try_size(size_t labels, size_t len, size_t last_len)
{
	char text[ROW_MAX * 2] = "";
	struct dns_name name;
	enum mark_scope scope = SCOPE_SUFFIX;

	for (size_t i = 0; i < labels; i++) {
		size_t at = strlen(text);
		memset(text + at, 'a', i + 1 < labels ? len : last_len);
		text[at + (i + 1 < labels ? len : last_len)] = '\0';
		if (i + 1 < labels)
			strcat(text, ".");
	}
	return feed_normalise(&name, &scope, text, strlen(text));
}

Test(normalise, labels_of_63_and_names_of_253_are_the_limit)
{
	cr_expect_eq(try_size(2, 63, 3), FEED_REJECT_COUNT);
	cr_expect_eq(try_size(2, 64, 3), FEED_REJECT_NAME);
	cr_expect_eq(try_size(4, 63, 61), FEED_REJECT_COUNT);
	cr_expect_eq(try_size(4, 63, 62), FEED_REJECT_NAME);
}

Test(normalise, a_scope_that_was_asked_for_stays)
{
	struct dns_name name;
	enum mark_scope scope = SCOPE_EXACT;

	cr_expect_eq(feed_normalise(&name, &scope, ".x.example", 10), FEED_REJECT_COUNT);
	cr_expect_eq(scope, SCOPE_EXACT);
	cr_expect_eq(feed_normalise(&name, &scope, "*.x.example", 11), FEED_REJECT_COUNT);
	cr_expect_eq(scope, SCOPE_BELOW);
}

Test(normalise, text_may_hold_nul_bytes_and_any_length)
{
	struct dns_name name;
	enum mark_scope scope = SCOPE_SUFFIX;
	static char big[FEED_LINE_MAX + 1];

	cr_expect_eq(feed_normalise(&name, &scope, "a\0b.example", 11), FEED_REJECT_NUL_BYTE);
	memset(big, 'a', sizeof(big));
	cr_expect_eq(
		feed_normalise(&name, &scope, big, sizeof(big)), FEED_REJECT_LINE_TOO_LONG);
	cr_expect_eq(feed_normalise(&name, &scope, big, sizeof(big) - 1), FEED_REJECT_NAME);
	memset(big, '[', sizeof(big));
	cr_expect_eq(feed_normalise(&name, &scope, big, sizeof(big) - 1), FEED_REJECT_SYNTAX);
	memset(big, '\xc3', sizeof(big));
	cr_expect_eq(feed_normalise(&name, &scope, big, sizeof(big) - 1), FEED_REJECT_ENCODING);
}
