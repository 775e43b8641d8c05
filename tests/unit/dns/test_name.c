/* SPDX-License-Identifier: BSD-2-Clause */
#include "sensor/dns/message.h"

#include "sensor/base/hash.h"
#include "tests/support/guard.h"

#include <criterion/criterion.h>

#include <stdlib.h>
#include <string.h>

/* `labels` labels of `len` octets each and the root, in out[]; returns the length. */
static size_t make_labels(uint8_t *out, unsigned labels, unsigned len)
{
	size_t used = 0;

	for (unsigned i = 0; i < labels; i++) {
		out[used++] = (uint8_t)len;
		memset(out + used, 'a' + (int)(i % 26), len);
		used += len;
	}
	out[used++] = 0;
	return used;
}

static enum dns_error decode(struct dns_name *out, const uint8_t *wire, size_t len, size_t at)
{
	struct cursor c = cursor_init(wire + at, len - at);
	struct cursor skipped = c;
	enum dns_error error = dns_name_decode(out, &c, wire);
	enum dns_error skip_error = dns_name_skip(&skipped, wire);

	cr_expect_eq(error, skip_error, "decode says %s, skip says %s", dns_error_name(error),
		dns_error_name(skip_error));
	if (!error)
		cr_expect_eq(c.pos, skipped.pos, "decode and skip end at the same octet");
	cr_expect_eq(c.failed, error != DNS_OK, "the cursor fails with the name");
	return error;
}

Test(name, limits_of_labels_and_names)
{
	static const struct {
		const char *name;
		unsigned labels, len, last_len;
		enum dns_error error;
	} rows[] = {
		{ "label of 63", 1, 63, 0, DNS_OK },
		{ "label of 64", 1, 64, 0, DNS_LABEL_RESERVED },
		{ "label type 10", 1, 0x80, 0, DNS_LABEL_RESERVED },
		{ "127 labels are 255 octets", 127, 1, 0, DNS_OK },
		{ "128 labels", 128, 1, 0, DNS_NAME_TOO_LONG },
		{ "255 octets", 3, 63, 61, DNS_OK },
		{ "256 octets", 3, 63, 62, DNS_NAME_TOO_LONG },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		uint8_t wire[600] = { 0 };
		struct dns_name name;
		size_t len = make_labels(wire, rows[i].labels, rows[i].len);
		if (rows[i].last_len) {
			len = len - 1 + make_labels(wire + len - 1, 1, rows[i].last_len);
		}
		enum dns_error error = decode(&name, wire, len, 0);
		cr_assert_eq(
			error, rows[i].error, "%s: %s", rows[i].name, dns_error_name(error));
		if (!error) {
			cr_expect_eq(name.wire_len, len, "%s", rows[i].name);
			cr_expect_eq(name.label_count, rows[i].labels + !!rows[i].last_len,
				"%s", rows[i].name);
			cr_expect_arr_eq(name.wire, wire, len, "%s", rows[i].name);
		} else {
			cr_expect_eq(name.wire_len, 1, "%s: the root on failure", rows[i].name);
			cr_expect_eq(name.label_count, 0, "%s", rows[i].name);
		}
	}
}

Test(name, pointers_lead_strictly_backwards)
{
	static const struct {
		const char *name, *wire;
		size_t len, at;
		enum dns_error error;
		const char *text;
	} rows[] = {
		{ "to the start", "\3com\0\xc0\0", 7, 5, DNS_OK, "com" },
		{ "after labels", "\3com\0\2ab\xc0\0", 10, 5, DNS_OK, "ab.com" },
		{ "into a name", "\2ab\3com\0\xc0\3", 10, 8, DNS_OK, "com" },
		{ "to a root", "\3com\0\xc0\4", 7, 5, DNS_OK, "." },
		{ "to a pointer", "\3com\0\xc0\0\xc0\5", 9, 7, DNS_OK, "com" },
		{ "at itself", "\3com\0\xc0\5", 7, 5, DNS_POINTER_FORWARD, NULL },
		{ "at its second octet", "\3com\0\xc0\6\0", 8, 5, DNS_POINTER_FORWARD, NULL },
		{ "forward", "\xc0\2\3com\0", 7, 0, DNS_POINTER_FORWARD, NULL },
		{ "out of the message", "\3com\0\xff\xff", 7, 5, DNS_POINTER_FORWARD, NULL },
		{ "before its own label", "\3com\xc0\0", 6, 0, DNS_NAME_TOO_LONG, NULL },
		{ "cut in half", "\3com\0\xc0", 6, 5, DNS_NAME_TRUNCATED, NULL },
		{ "two that chase each other", "\1a\xc0\4\1b\xc0\0", 8, 0, DNS_POINTER_FORWARD,
			NULL },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const uint8_t *wire = (const uint8_t *)rows[i].wire;
		char text[DNS_NAME_TEXT_MAX];
		struct dns_name name;
		enum dns_error error = decode(&name, wire, rows[i].len, rows[i].at);
		cr_assert_eq(
			error, rows[i].error, "%s: %s", rows[i].name, dns_error_name(error));
		dns_name_format(&name, text);
		cr_expect_str_eq(text, rows[i].text ? rows[i].text : ".", "%s", rows[i].name);
	}
}

Test(name, cursor_stands_behind_the_first_pointer)
{
	static const uint8_t wire[] = "\3com\0\2ab\xc0\0\xee";
	struct cursor c = cursor_init(wire + 5, 6);
	struct dns_name name;

	cr_assert_eq(dns_name_decode(&name, &c, wire), DNS_OK);
	cr_assert_eq(cursor_u8(&c), 0xee);
}

Test(name, a_row_of_pointers_ends_at_the_limit)
{
	uint8_t wire[2 * DNS_POINTERS_MAX + 8] = { 0 };
	struct dns_name name;

	/* wire[0] is a root, at 2, 4, ... stand pointers to the one before. */
	for (unsigned i = 1; i <= DNS_POINTERS_MAX + 1; i++) {
		wire[2 * i] = 0xc0 | (uint8_t)((2 * i - 2) >> 8);
		wire[2 * i + 1] = (uint8_t)(2 * i - 2);
	}
	size_t last = 2 * DNS_POINTERS_MAX;
	cr_expect_eq(decode(&name, wire, sizeof(wire), last), DNS_OK);
	cr_expect_eq(decode(&name, wire, sizeof(wire), last + 2), DNS_WORK_LIMIT);
}

Test(name, every_cut_of_a_name_is_refused_without_reading_past_it)
{
	static const char wire[] = "\3www\7example\3com";
	struct guard g = { 0 };
	struct dns_name name;

	for (size_t len = 0; len < sizeof(wire); len++) {
		const uint8_t *at = guard_place(&g, wire, len);
		cr_expect_eq(decode(&name, at, len, 0), DNS_NAME_TRUNCATED, "%zu octets", len);
	}
	const uint8_t *at = guard_place(&g, wire, sizeof(wire));
	cr_expect_eq(decode(&name, at, sizeof(wire), 0), DNS_OK);
	guard_deinit(&g);
}

Test(name, folding_is_for_ascii_letters_only)
{
	uint8_t wire[65] = { 63 };
	struct dns_name name;

	for (unsigned first = 0; first < 256; first += 63) {
		for (unsigned i = 0; i < 63; i++)
			wire[1 + i] = (uint8_t)(first + i);
		cr_assert_eq(decode(&name, wire, 65, 0), DNS_OK);
		for (unsigned i = 0; i < 63; i++) {
			uint8_t octet = (uint8_t)(first + i);
			uint8_t folded = octet >= 'A' && octet <= 'Z' ? octet + 32 : octet;
			cr_expect_eq(name.wire[1 + i], folded, "octet %u", octet);
		}
	}
}

Test(name, presentation_escapes_what_is_no_plain_character)
{
	static const struct {
		const char *name, *text, *formatted;
	} rows[] = {
		{ "mixed case", "Www.Example.COM", "www.example.com" },
		{ "trailing dot", "example.com.", "example.com" },
		{ "root", ".", "." },
		{ "empty", "", "." },
		{ "escaped dot", "a\\.b.example", "a\\.b.example" },
		{ "escaped backslash", "a\\\\b", "a\\\\b" },
		{ "decimal letter", "\\065.x", "a.x" },
		{ "decimal dot", "a\\046b", "a\\.b" },
		{ "blank", "a b", "a\\032b" },
		{ "NUL and 255", "\\000\\255", "\\000\\255" },
		{ "quote stays", "a\"b", "a\"b" },
		{ "needless escape", "\\a\\-", "a-" },
		{ "DEL", "abcdefgh\\127", "abcdefgh\\127" },
		{ "long label with a blank", "abcdefghijklmnop\\032q",
			"abcdefghijklmnop\\032q" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char text[DNS_NAME_TEXT_MAX];
		struct dns_name name;
		cr_assert(dns_name_parse(&name, rows[i].text), "%s", rows[i].name);
		size_t len = dns_name_format(&name, text);
		cr_expect_str_eq(text, rows[i].formatted, "%s", rows[i].name);
		cr_expect_eq(len, strlen(text), "%s", rows[i].name);
	}
}

Test(name, parse_refuses_what_is_no_name)
{
	static const char *const rows[] = { "..", ".a", "a..b", "a.b..", "\\", "a\\", "\\25",
		"\\256", "\\2x5", "a.\\" };
	char text[600];
	struct dns_name name;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		cr_expect_not(dns_name_parse(&name, rows[i]), "\"%s\"", rows[i]);
	memset(text, 'a', sizeof(text));
	text[64] = '\0';
	cr_expect_not(dns_name_parse(&name, text), "label of 64");
	cr_expect_eq(name.wire_len, 1, "the root on failure");
	text[63] = '\0';
	cr_expect(dns_name_parse(&name, text), "label of 63");
	for (size_t i = 0; i < 127; i++)
		memcpy(text + 2 * i, "a.", 2);
	text[254] = '\0';
	cr_expect(dns_name_parse(&name, text), "127 labels");
	cr_expect_eq(name.wire_len, 255);
	memcpy(text + 254, "a", 2);
	cr_expect_not(dns_name_parse(&name, text), "128 labels");
}

/* A random well-formed name with labels of any octets. */
static void random_name(struct dns_name *out)
{
	uint8_t wire[DNS_NAME_MAX];
	size_t used = 0;
	size_t limit = 1 + (size_t)rand() % DNS_NAME_MAX;

	for (;;) {
		size_t len = 1 + (size_t)rand() % (rand() % 4 ? 12 : DNS_LABEL_MAX);
		if (used + 1 + len + 1 > limit)
			break;
		wire[used++] = (uint8_t)len;
		for (size_t i = 0; i < len; i++)
			wire[used++] = (uint8_t)(rand() % 3 ? 'A' + rand() % 58 : rand());
	}
	wire[used++] = 0;
	cr_assert(dns_name_from_wire(out, wire, used));
	cr_assert_eq(out->wire_len, used);
}

Test(name, what_is_formatted_parses_back_to_the_same_name)
{
	srand(7);
	for (int i = 0; i < 20000; i++) {
		char text[DNS_NAME_TEXT_MAX];
		char again[DNS_NAME_TEXT_MAX];
		struct dns_name name;
		struct dns_name parsed;
		random_name(&name);
		size_t len = dns_name_format(&name, text);
		cr_assert_lt(len, DNS_NAME_TEXT_MAX);
		cr_assert(dns_name_parse(&parsed, text), "%s", text);
		cr_assert(dns_name_equal(&name, &parsed), "%s", text);
		cr_assert_eq(name.label_count, parsed.label_count, "%s", text);
		cr_assert_arr_eq(name.label_at, parsed.label_at, name.label_count, "%s", text);
		dns_name_format_suffix(&name, name.label_count, again);
		cr_assert_str_eq(text, again);
	}
}

Test(name, from_wire_takes_uncompressed_whole_names_only)
{
	static const struct {
		const char *name, *wire;
		size_t len;
		bool taken;
	} rows[] = {
		{ "a name", "\1A\2bc\0", 6, true },
		{ "the root", "\0", 1, true },
		{ "nothing", "", 0, false },
		{ "without root", "\1a", 2, false },
		{ "octets after it", "\1a\0\0", 4, false },
		{ "a pointer", "\1a\xc0\0", 4, false },
		{ "a pointer to a root in a label", "\2\0\0\xc0\1", 5, false },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct dns_name name;
		bool taken =
			dns_name_from_wire(&name, (const uint8_t *)rows[i].wire, rows[i].len);
		cr_expect_eq(taken, rows[i].taken, "%s", rows[i].name);
		cr_expect_eq(name.wire_len, taken ? rows[i].len : 1, "%s", rows[i].name);
	}
}

Test(name, suffixes_are_the_rightmost_labels)
{
	char text[DNS_NAME_TEXT_MAX];
	struct dns_name name;
	size_t len;

	cr_assert(dns_name_parse(&name, "a.bc.def"));
	dns_name_format_suffix(&name, 0, text);
	cr_expect_str_eq(text, ".");
	dns_name_format_suffix(&name, 1, text);
	cr_expect_str_eq(text, "def");
	dns_name_format_suffix(&name, 2, text);
	cr_expect_str_eq(text, "bc.def");
	cr_expect_arr_eq(dns_name_suffix(&name, 1, &len), "\3def", 5);
	cr_expect_eq(len, 5);
	dns_name_suffix(&name, 0, &len);
	cr_expect_eq(len, 1);
}

Test(name, under_means_whole_labels)
{
	static const struct {
		const char *name, *ancestor;
		bool under;
	} rows[] = {
		{ "a.example.com", "example.com", true },
		{ "example.com", "EXAMPLE.com", true },
		{ "badexample.com", "example.com", false },
		{ "com", "example.com", false },
		{ "a.example.com", ".", true },
		{ "a.example.org", "example.com", false },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct dns_name name;
		struct dns_name ancestor;
		cr_assert(dns_name_parse(&name, rows[i].name));
		cr_assert(dns_name_parse(&ancestor, rows[i].ancestor));
		cr_expect_eq(dns_name_is_under(&name, &ancestor), rows[i].under, "%s under %s",
			rows[i].name, rows[i].ancestor);
	}
}

Test(name, hash_of_a_suffix_is_that_of_the_name_alone)
{
	srand(11);
	for (int i = 0; i < 5000; i++) {
		uint64_t hash[DNS_LABELS_MAX + 1];
		struct dns_name name;
		struct dns_name suffix;
		random_name(&name);
		unsigned n = dns_name_hash_suffixes(&name, 99, hash, DNS_LABELS_MAX);
		cr_assert_eq(n, name.label_count);
		for (unsigned k = 0; k <= n; k++) {
			size_t len;
			const uint8_t *wire = dns_name_suffix(&name, k, &len);
			cr_assert(dns_name_from_wire(&suffix, wire, len));
			/* Octets behind the name must not matter. */
			memset(suffix.wire + len, i, sizeof(suffix.wire) - len);
			cr_assert_eq(hash[k], dns_name_hash(&suffix, 99), "%u labels", k);
		}
	}
}

Test(name, hash_depends_on_every_octet_and_on_the_length)
{
	for (unsigned len = 1; len < DNS_NAME_MAX; len++) {
		struct dns_name name = { .wire_len = (uint8_t)len };
		memset(name.wire, 'a', len);
		uint64_t hash = dns_name_hash(&name, 5);
		for (unsigned i = 0; i < len; i++) {
			name.wire[i] ^= 1;
			cr_assert_neq(dns_name_hash(&name, 5), hash, "octet %u of %u", i, len);
			name.wire[i] ^= 1;
		}
		name.wire[len] = 0;
		name.wire_len++;
		cr_assert_neq(dns_name_hash(&name, 5), hash, "%u octets and a zero", len);
	}
}

static void expect_same_name(
	const struct dns_name *a, const struct dns_name *b, const char *way)
{
	cr_assert_eq(a->wire_len, b->wire_len, "%s", way);
	cr_assert_arr_eq(a->wire, b->wire, a->wire_len);
	cr_assert_eq(a->label_count, b->label_count, "%s", way);
	cr_assert_arr_eq(a->label_at, b->label_at, a->label_count);
}

/* The labels of `wire` one by one, nothing shared with the decoder. */
static void take_apart(struct dns_name *out, const uint8_t *wire)
{
	unsigned at = 0;

	out->label_count = 0;
	for (; wire[at] != 0; at += 1u + wire[at])
		out->label_at[out->label_count++] = (uint8_t)at;
	out->wire_len = (uint8_t)(at + 1);
	for (unsigned i = 0; i <= at; i++)
		out->wire[i] = wire[i] >= 'A' && wire[i] <= 'Z' ? wire[i] + 32 : wire[i];
}

/*
 * A name alone, with nothing readable behind it; with others behind it; and cut in two at each label,
 * its end somewhere before, led to by a pointer. Each way is that of other names in the decoder.
 */
Test(name, however_a_name_is_written_it_is_the_same)
{
	struct guard guard = { 0 };

	srand(12);
	for (unsigned i = 0; i < 4000; i++) {
		struct dns_name random, name, expected;
		uint8_t wire[2 * DNS_NAME_MAX + 64];
		random_name(&random);
		/* Upper case again, here and there; never a length. */
		memcpy(wire, random.wire, random.wire_len);
		for (unsigned k = 0; k < random.wire_len; k++)
			if (wire[k] >= 'a' && wire[k] <= 'z' && rand() % 2)
				wire[k] &= 0xdf;
		take_apart(&expected, wire);
		expect_same_name(&random, &expected, "folded");

		size_t len = expected.wire_len;
		cr_assert_eq(decode(&name, guard_place(&guard, wire, len), len, 0), DNS_OK);
		expect_same_name(&name, &expected, "alone");
		memset(wire + len, rand(), 64);
		cr_assert_eq(decode(&name, wire, len + 64, 0), DNS_OK);
		expect_same_name(&name, &expected, "with others behind");

		for (unsigned k = 0; k < expected.label_count; k++) {
			unsigned cut = expected.label_at[k];
			wire[len] = wire[len + cut + 2] = 0xee;
			memcpy(wire + len, wire, cut);
			wire[len + cut] = (uint8_t)(0xc0 | cut >> 8);
			wire[len + cut + 1] = (uint8_t)cut;
			size_t whole = len + cut + 2;
			const uint8_t *at = guard_place(&guard, wire, whole);
			cr_assert_eq(decode(&name, at, whole, len), DNS_OK);
			expect_same_name(&name, &expected, "in two, at the end");
			memset(wire + whole, rand(), 32);
			cr_assert_eq(decode(&name, wire, whole + 32, len), DNS_OK);
			expect_same_name(&name, &expected, "in two");
		}
	}
	guard_deinit(&guard);
}

Test(name, hash_knows_no_case_and_stops_at_the_maximum)
{
	uint64_t hash[DNS_LABELS_MAX + 1] = { 0 };
	struct dns_name upper;
	struct dns_name lower;

	cr_assert(dns_name_parse(&upper, "WWW.Example.Com"));
	cr_assert(dns_name_parse(&lower, "www.example.com"));
	cr_expect_eq(dns_name_hash(&upper, 1), dns_name_hash(&lower, 1));
	cr_expect_neq(dns_name_hash(&upper, 1), dns_name_hash(&lower, 2), "the seed matters");
	cr_expect_eq(dns_name_hash_suffixes(&lower, 1, hash, 2), 2);
	cr_expect_neq(hash[2], 0);
	cr_expect_eq(hash[3], 0, "written only up to the maximum");
}
