/* SPDX-License-Identifier: BSD-2-Clause */
#include "feeds/plain.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "feeds/feed.h"
#include "tests/unit/feeds/feed_rig.h"

#define TEXTS 200000

static struct span span_of(const char *text)
{
	return (struct span){ text, strlen(text) };
}

/* What feed_normalise makes of it the long way, which quotes force. */
static bool the_long_way(struct dns_name *out, const char *text)
{
	enum mark_scope scope = SCOPE_SUFFIX;
	char quoted[512];
	int len = snprintf(quoted, sizeof(quoted), "\"%s\"", text);

	return feed_normalise(out, &scope, quoted, (size_t)len) == FEED_REJECT_COUNT &&
	       scope == SCOPE_SUFFIX;
}

static void check_agrees(const char *text)
{
	struct dns_name plain, other;

	if (!plain_name(&plain, span_of(text)))
		return;
	cr_assert(the_long_way(&other, text), "\"%s\" is refused the long way", text);
	cr_assert(dns_name_equal(&plain, &other), "\"%s\"", text);
	cr_assert_eq(plain.label_count, other.label_count, "\"%s\"", text);
	cr_assert_eq(
		memcmp(plain.label_at, other.label_at, plain.label_count), 0, "\"%s\"", text);
}

Test(plain, bare_names_are_taken)
{
	static const char *const texts[] = { "a.b", "evil.example", "EVIL.Example",
		"_dmarc.evil-1.example", "1.2.3.x4", "single", "-a.b-" };
	struct dns_name name;

	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		cr_expect(plain_name(&name, span_of(texts[i])), "%s", texts[i]);
		check_agrees(texts[i]);
	}
}

Test(plain, all_else_is_left_to_the_long_way)
{
	static const char *const texts[] = { "", ".", ".a", "a.", "a..b", "*.a", "a b",
		"192.0.2.1", "a.1", "\"a\"", "a/b", "a\tb", "a:1", "\xc3\xa4.b", "a\\.b",
		"a[.]b" };
	struct dns_name name;

	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		cr_expect_not(plain_name(&name, span_of(texts[i])), "\"%s\"", texts[i]);
	cr_expect_not(plain_name(&name, (struct span){ "a\0b.c", 5 }), "a NUL inside");
}

Test(plain, labels_and_names_have_their_longest)
{
	char text[300];
	struct dns_name name;

	memset(text, 'a', sizeof(text));
	cr_expect(plain_name(&name, (struct span){ text, 63 }), "a label of 63");
	cr_expect_not(plain_name(&name, (struct span){ text, 64 }), "a label of 64");
	for (size_t i = 63; i < 254; i += 64)
		text[i] = '.';
	cr_expect(plain_name(&name, (struct span){ text, 253 }), "a name of 253");
	cr_expect_eq(name.wire_len, 255);
	cr_expect_not(plain_name(&name, (struct span){ text, 254 }), "a name of 254");
}

Test(plain, says_what_the_long_way_says)
{
	static const char octets[] = "abcXYZ019-_...*/ :\\#\x80";
	uint64_t state = 88172645463325252;
	char text[24];

	for (unsigned round = 0; round < TEXTS; round++) {
		size_t len = 0;
		do {
			state ^= state << 13;
			state ^= state >> 7;
			state ^= state << 17;
			/* Mostly octets of names: strings of all of them are hardly ever names. */
			unsigned limit = (state >> 20) % 16 ? 14 : sizeof(octets) - 1;
			text[len++] = octets[(state >> 33) % limit];
		} while (len < sizeof(text) - 1 && (state >> 50) % 12);
		text[len] = '\0';
		check_agrees(text);
	}
}
