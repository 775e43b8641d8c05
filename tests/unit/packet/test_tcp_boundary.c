/* SPDX-License-Identifier: BSD-2-Clause */
#include <criterion/criterion.h>
#include <string.h>

#include "sensor/base/attribute.h"
#include "sensor/packet/tcp_boundary.h"
#include "tests/support/guard.h"

#define ID       "\x12\x34"
#define QUESTION "\1m\7example\0\0\1\0\1" /* 15 octets */
#define QUERY    ID "\1\0\0\1\0\0\0\0\0\0" QUESTION
#define LEN(n)   "\0" n
#define WHOLE    LEN("\x1b") QUERY /* 27 octets */
/* An answer without a question, as in the middle of a zone transfer: 12 + 16 octets. */
#define TRANSFER    ID "\x84\0\0\0\0\1\0\0\0\0\0\0\1\0\1\0\0\0\x3c\0\4\xc0\0\2\1"
#define BYTES(text) text, sizeof(text) - 1

static const struct row {
	const char *name;
	const char *bytes;
	size_t bytes_len;
	bool at_start, inside;
} rows[] = {
	{ "a query", BYTES(WHOLE), true, true },
	{ "two queries", BYTES(WHOLE WHOLE), true, true },
	{ "a query and an octet of a length", BYTES(WHOLE "\0"), true, true },
	{ "a query and a length", BYTES(WHOLE "\0\x20"), true, true },
	{ "a query and a length that is none", BYTES(WHOLE "\0\5"), false, false },
	{ "a query and no header", BYTES(WHOLE "\0\x40\0\0\xff\xff\0\1\0\0\0\0\0\0"), false,
		false },
	{ "a query that goes on elsewhere", BYTES("\1\0" QUERY), true, true },
	{ "cut in its question", BYTES("\1\0" ID "\1\0\0\1\0\0\0\0\0\0\1m\7exam"), false,
		false },
	{ "nine queries and something else",
		BYTES(WHOLE WHOLE WHOLE WHOLE WHOLE WHOLE WHOLE WHOLE WHOLE
			"\xff\xff\xff"
			"whatever else it is"),
		true, true },
	{ "an answer without a question", BYTES(LEN("\x1b") TRANSFER), true, false },
	{ "that goes on elsewhere", BYTES("\1\0" TRANSFER), true, false },
	{ "a header alone", BYTES(LEN("\x0c") ID "\x84\0\0\0\0\0\0\0\0\0"), true, false },
	{ "a header alone that claims more", BYTES("\1\0" ID "\x84\0\0\0\0\0\0\0\0\0"), false,
		false },
	{ "UPDATE", BYTES(LEN("\x1b") ID "\x28\0\0\1\0\0\0\0\0\0" QUESTION), true, true },
	{ "NOTIFY with AA", BYTES(LEN("\x1b") ID "\x24\0\0\1\0\0\0\0\0\0" QUESTION), true,
		true },
	{ "query with AA", BYTES(LEN("\x1b") ID "\5\0\0\1\0\0\0\0\0\0" QUESTION), false,
		false },
	{ "query with TC", BYTES(LEN("\x1b") ID "\3\0\0\1\0\0\0\0\0\0" QUESTION), false,
		false },
	{ "query with an rcode", BYTES(LEN("\x1b") ID "\1\3\0\1\0\0\0\0\0\0" QUESTION), false,
		false },
	{ "answer with an rcode", BYTES(LEN("\x1b") ID "\x81\x83\0\1\0\0\0\0\0\0" QUESTION),
		true, true },
	{ "an rcode that is none", BYTES(LEN("\x1b") ID "\x81\x8e\0\1\0\0\0\0\0\0" QUESTION),
		false, false },
	{ "Z", BYTES(LEN("\x1b") ID "\1\x40\0\1\0\0\0\0\0\0" QUESTION), false, false },
	{ "opcode 3", BYTES(LEN("\x1b") ID "\x18\0\0\1\0\0\0\0\0\0" QUESTION), false, false },
	{ "opcode 7", BYTES(LEN("\x1b") ID "\x38\0\0\1\0\0\0\0\0\0" QUESTION), false, false },
	{ "IQUERY", BYTES(LEN("\x1b") ID "\x08\0\0\1\0\0\0\0\0\0" QUESTION), false, false },
	{ "two questions", BYTES(LEN("\x1b") ID "\1\0\0\2\0\0\0\0\0\0" QUESTION), false,
		false },
	{ "more records than fit", BYTES(LEN("\x1b") ID "\1\0\0\1\0\1\0\0\0\0" QUESTION), false,
		false },
	{ "a class that is none",
		BYTES(LEN("\x1b") ID "\1\0\0\1\0\0\0\0\0\0\1m\7example\0\0\1\0\2"), true,
		false },
	{ "a type that is none",
		BYTES(LEN("\x1b") ID "\1\0\0\1\0\0\0\0\0\0\1m\7example\0\0\0\0\1"), true,
		false },
	{ "a pointer in the question",
		BYTES(LEN("\x12") ID "\1\0\0\1\0\0\0\0\0\0\xc0\x0c\0\1\0\1"), true, false },
	{ "a length below a header", BYTES(LEN("\x0b") QUERY), false, false },
	{ "no room for a header", BYTES("\0\x20" ID "\1\0\0\1\0\0\0\0\0"), false, false },
	{ "nothing", "", 0, false, false },
};

Test(tcp_boundary, is_proven_by_what_stands_there)
{
	struct guard guard = { 0 };
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct row *row = &rows[i];
		const uint8_t *bytes =
			guard_place(&guard, (const uint8_t *)row->bytes, row->bytes_len);
		cr_expect_eq(tcp_boundary_proven(bytes, row->bytes_len, TCP_PLACE_START),
			row->at_start, "%s, at the start", row->name);
		cr_expect_eq(tcp_boundary_proven(bytes, row->bytes_len, TCP_PLACE_INSIDE),
			row->inside, "%s, inside", row->name);
	}
	guard_deinit(&guard);
}

Test(tcp_boundary, no_prefix_is_read_beyond_its_end)
{
	struct guard guard = { 0 };
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		for (size_t len = 0; len <= rows[i].bytes_len; len++) {
			const uint8_t *bytes =
				guard_place(&guard, (const uint8_t *)rows[i].bytes, len);
			bool start = tcp_boundary_proven(bytes, len, TCP_PLACE_START);
			bool inside = tcp_boundary_proven(bytes, len, TCP_PLACE_INSIDE);
			cr_assert(start || !inside, "%s: proven inside only", rows[i].name);
		}
	guard_deinit(&guard);
}

Test(tcp_boundary, a_known_boundary_needs_a_header_that_can_be)
{
	static const struct {
		const char *name;
		const char *header;
		size_t message_len;
		bool can_be;
	} headers[] = {
		{ "query", ID "\1\0\0\1\0\0\0\0\0\0", 27, true },
		{ "many questions", ID "\1\0\0\3\0\0\0\0\0\0", 27, true },
		{ "more questions than fit", ID "\1\0\0\4\0\0\0\0\0\0", 27, false },
		{ "Z and an odd rcode", ID "\1\x4f\0\1\0\0\0\0\0\0", 27, true },
		{ "STATUS", ID "\x10\0\0\0\0\0\0\0\0\0", 12, true },
		{ "DSO", ID "\x30\0\0\0\0\0\0\0\0\0", 12, true },
		{ "opcode 3", ID "\x18\0\0\0\0\0\0\0\0\0", 12, false },
		{ "opcode 15", ID "\x78\0\0\0\0\0\0\0\0\0", 12, false },
		{ "too short", ID "\1\0\0\0\0\0\0\0\0\0", 11, false },
		{ "counts that overflow when added", ID "\1\0\0\0\xff\xff\xff\xff\xff\xff",
			65535, false },
	};
	for (size_t i = 0; i < ARRAY_LEN(headers); i++)
		cr_expect_eq(tcp_boundary_header((const uint8_t *)headers[i].header,
				     headers[i].message_len),
			headers[i].can_be, "%s", headers[i].name);
}
