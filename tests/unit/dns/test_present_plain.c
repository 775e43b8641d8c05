/* SPDX-License-Identifier: BSD-2-Clause */
#include "sensor/dns/present_plain.h"

#include "sensor/dns/present.h"
#include "tests/support/dns_build.h"
#include "tests/support/guard.h"
#include "tests/unit/dns/captures.h"

#include <criterion/criterion.h>

#include <stdlib.h>
#include <string.h>

#define MARK 0x5a

static struct dns_build b;
static struct dns_message m;

struct tally {
	struct text rdata;
	size_t names, plain_names;
	size_t records, plain_records;
};

/* Inside a JSON string or not, the text is the same; and nothing beyond the room was touched. */
static void expect_text(const char *room, size_t room_len, const char *end,
	const char *expected, size_t expected_len, const char *from)
{
	size_t len = (size_t)(end - room);

	cr_assert_eq(len, expected_len, "%s: \"%.*s\", not \"%.*s\"", from, (int)len, room,
		(int)expected_len, expected);
	cr_assert_eq(memcmp(room, expected, len), 0, "%s: \"%.*s\", not \"%.*s\"", from,
		(int)len, room, (int)expected_len, expected);
	cr_assert_null(memchr(room, '"', len), "%s: %.*s", from, (int)len, room);
	cr_assert_null(memchr(room, '\\', len), "%s: %.*s", from, (int)len, room);
	cr_assert_eq(room[room_len], MARK, "%s: %.*s", from, (int)len, room);
}

/* The name at an offset: plain, and the same; or not plain, and something in it is escaped. */
static bool compare_name(const struct dns_message *of, size_t at, const char *from)
{
	char room[PRESENT_PLAIN_NAME_MAX + 1], expected[DNS_NAME_TEXT_MAX];
	struct cursor c = cursor_init(of->wire + at, of->wire_len - at);
	struct cursor same = c;
	struct dns_name name;

	cr_assert_eq(dns_name_decode(&name, &same, of->wire), DNS_OK, "%s", from);
	size_t expected_len = dns_name_format(&name, expected);
	room[PRESENT_PLAIN_NAME_MAX] = MARK;
	const char *end = present_plain_expanded(room, &name);
	bool at_once = end;
	if (end)
		expect_text(room, PRESENT_PLAIN_NAME_MAX, end, expected, expected_len, from);
	end = present_plain_name(room, &c, of->wire);
	if (end) {
		cr_assert(at_once, "%s: plain, expanded or not", from);
		expect_text(room, PRESENT_PLAIN_NAME_MAX, end, expected, expected_len, from);
		cr_assert_eq(c.pos, same.pos, "%s: the cursor is behind the name", from);
		return true;
	}
	cr_assert_eq(c.pos, of->wire + at, "%s: the cursor stays", from);
	return false;
}

static void compare_record(struct tally *t, const struct dns_record *r, const char *from)
{
	char room[PRESENT_PLAIN_RDATA_MAX + 1];

	text_clear(&t->rdata);
	present_rdata(&t->rdata, &m, r);
	room[PRESENT_PLAIN_RDATA_MAX] = MARK;
	const char *end = present_plain_rdata(room, &m, r);
	t->records++;
	if (!end)
		return;
	t->plain_records++;
	expect_text(room, PRESENT_PLAIN_RDATA_MAX, end, t->rdata.at ? t->rdata.at : "",
		t->rdata.len, from);
}

static void compare_message(
	void *context, const uint8_t *wire, size_t wire_len, const char *from)
{
	struct tally *t = context;

	if (dns_message_decode(&m, wire, wire_len))
		return;
	if (m.has_question) {
		t->names++;
		t->plain_names += compare_name(&m, DNS_HEADER_LEN, from);
	}
	for (size_t i = 0; i < m.record_count; i++) {
		t->names++;
		t->plain_names += compare_name(&m, m.record[i].owner_at, from);
		compare_record(t, &m.record[i], from);
	}
}

/* Labels of seven octets, and any octet at any place of any length. */
Test(present_plain, an_expanded_name_is_plain_without_one_octet_that_is_not)
{
	static const uint8_t octets[] = { 'x', '-', '.', '\\', '"', ' ', 0, 0x20, 0x7e, 0x7f,
		0x80, 0xff, 7, '!' };
	char room[PRESENT_PLAIN_NAME_MAX + 1], expected[DNS_NAME_TEXT_MAX];
	uint8_t wire[DNS_NAME_MAX];
	struct dns_name name;

	for (size_t len = 1; len <= 72; len++) {
		for (size_t at = 0; at < len; at++) {
			for (size_t i = 0; i < ARRAY_LEN(octets); i++) {
				memset(wire, 'a', sizeof(wire));
				for (size_t label = 0; label < len; label += 8)
					wire[label] =
						(uint8_t)(len - label < 8 ? len - label : 7);
				wire[len + 1 - (len % 8 == 0)] = 0;
				if (at % 8 != 7)
					wire[at + 1] = octets[i];
				size_t wire_len = len + 2 - (len % 8 == 0);
				cr_assert(dns_name_from_wire(&name, wire, wire_len));
				size_t expected_len = dns_name_format(&name, expected);
				room[PRESENT_PLAIN_NAME_MAX] = MARK;
				const char *end = present_plain_expanded(room, &name);
				bool plain = expected_len == wire_len - 2 &&
					     !memchr(expected, '"', expected_len);
				cr_assert_eq(end != NULL, plain, "%s", expected);
				if (end)
					expect_text(room, PRESENT_PLAIN_NAME_MAX, end, expected,
						expected_len, expected);
			}
		}
	}
}

Test(present_plain, samples_and_captures_read_as_the_general_path_writes_them)
{
	struct tally t = { 0 };
	struct guard g = { 0 };

	/* Where a page ends with the message, reading in steps of sixteen would fault. */
	for (size_t i = 0; i < dns_samples_count; i++) {
		dns_samples[i].make(&b);
		compare_message(&t, guard_place(&g, b.at, b.len), b.len, dns_samples[i].name);
	}
	guard_deinit(&g);
	cr_expect_gt(t.names, 100);
	captures_each(compare_message, &t);
	corpus_each("tests/fuzz/corpus/fuzz_message", compare_message, &t);
	cr_log_info("%zu of %zu names and %zu of %zu records were plain", t.plain_names,
		t.names, t.plain_records, t.records);
	/* A fast path that nothing takes would be right, too. */
	cr_expect_gt(t.plain_names, t.names * 8 / 10);
	cr_expect_gt(t.plain_records, t.records / 2);
	text_deinit(&t.rdata);
}

Test(present_plain, changed_octets_make_no_difference)
{
	struct tally t = { 0 };
	struct guard g = { 0 };

	srand(11);
	for (size_t i = 0; i < dns_samples_count; i++) {
		dns_samples[i].make(&b);
		for (int round = 0; round < 300; round++) {
			uint8_t *octet = &b.at[DNS_HEADER_LEN +
					       (unsigned)rand() %
						       (unsigned)(b.len - DNS_HEADER_LEN + 1)];
			uint8_t before = *octet;
			*octet = (uint8_t)rand();
			compare_message(
				&t, guard_place(&g, b.at, b.len), b.len, dns_samples[i].name);
			*octet = before;
		}
	}
	cr_expect_gt(t.names, 10000);
	guard_deinit(&g);
	text_deinit(&t.rdata);
}

/* A message that is a question of one label between others; `behind` octets follow its class. */
static void build_label(unsigned len, unsigned at, uint8_t octet, unsigned behind)
{
	char label[64] = "";

	memset(label, 'a', len);
	build_start(&b, 1, 0x0100);
	build_question(&b, "", 1, 1);
	b.len = DNS_HEADER_LEN;
	build_u8(&b, 2);
	build_octets(&b, "Xy", 2);
	build_u8(&b, len);
	build_octets(&b, label, len);
	b.at[b.len - len + at] = octet;
	build_name(&b, "Example");
	build_u16(&b, 1);
	build_u16(&b, 1);
	for (unsigned i = 0; i < behind; i++)
		build_u8(&b, '.'); /* special, but not of the name */
	cr_assert_eq(dns_message_decode(&m, b.at, b.len), DNS_OK);
}

Test(present_plain, every_octet_in_every_place_of_a_label)
{
	struct guard g = { 0 };

	for (unsigned len = 1; len <= DNS_LABEL_MAX; len += len < 34 ? 1 : 29) {
		for (unsigned octet = 0; octet <= 0xff; octet++) {
			for (unsigned at = 0; at < len; at++) {
				unsigned behind = (octet + at) % 2 ? 0 : 20;
				build_label(len, at, (uint8_t)octet, behind);
				m.wire = guard_place(&g, b.at, b.len);
				bool odd = octet <= ' ' || octet >= 0x7f ||
					   memchr(".\\\"", (int)octet, 3);
				cr_assert_eq(compare_name(&m, DNS_HEADER_LEN, "label"), !odd,
					"octet %u at %u of %u", octet, at, len);
			}
		}
	}
	guard_deinit(&g);
}

Test(present_plain, the_longest_names_and_the_root)
{
	char longest[DNS_NAME_MAX];

	build_start(&b, 1, 0x0100);
	build_question(&b, "", 1, 1);
	cr_assert_eq(dns_message_decode(&m, b.at, b.len), DNS_OK);
	cr_expect(compare_name(&m, DNS_HEADER_LEN, "root"));
	for (size_t label = 1; label <= DNS_LABEL_MAX; label++) {
		size_t len = 0;
		for (; len + 1 < DNS_NAME_MAX - 1; len++)
			longest[len] = (len + 1) % (label + 1) ? 'L' : '.';
		longest[len - (longest[len - 1] == '.')] = '\0';
		build_start(&b, 1, 0x0100);
		build_question(&b, longest, 1, 1);
		cr_assert_eq(dns_message_decode(&m, b.at, b.len), DNS_OK, "%zu", label);
		cr_expect(compare_name(&m, DNS_HEADER_LEN, "longest"), "%zu", label);
	}
}

/* What dns_message_decode would not let through must not be read out of its bounds either. */
Test(present_plain, names_that_are_none_are_not_plain)
{
	static const struct {
		const char *name, *octets;
		size_t len;
	} rows[] = {
		{ "nothing", "", 0 },
		{ "label without its end", "\3ab", 3 },
		{ "no root", "\3abc", 4 },
		{ "half a pointer", "\3abc\xc0", 5 },
		{ "pointer to itself", "\xc0\0", 2 },
		{ "pointer forward", "\xc0\2\0", 3 },
		{ "reserved kind", "\x80\1\0", 3 },
		{ "label that runs over its pointer", "\1a\xc0\0", 4 },
	};
	struct guard g = { 0 };
	char room[PRESENT_PLAIN_NAME_MAX + 1];

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const uint8_t *wire = guard_place(&g, rows[i].octets, rows[i].len);
		struct cursor c = cursor_init(wire, rows[i].len);
		room[PRESENT_PLAIN_NAME_MAX] = MARK;
		cr_expect_null(present_plain_name(room, &c, wire), "%s", rows[i].name);
		cr_expect_eq(c.pos, wire, "%s", rows[i].name);
		cr_expect_eq(room[PRESENT_PLAIN_NAME_MAX], MARK, "%s", rows[i].name);
	}
	guard_deinit(&g);
}
