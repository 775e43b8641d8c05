/* SPDX-License-Identifier: BSD-2-Clause */
#include "sensor/dns/message.h"

#include <criterion/criterion.h>

#include <string.h>

Test(mnemonic, every_type_reads_back_as_its_number)
{
	char text[16];
	uint16_t number;

#define RRTYPE(mnemonic, value, rdata)                                                         \
	cr_expect_str_eq(dns_type_name(value, text), #mnemonic, #mnemonic);                    \
	cr_expect(dns_type_parse(&number, #mnemonic), #mnemonic);                              \
	cr_expect_eq(number, value, #mnemonic);
#include "sensor/dns/types.def"
#undef RRTYPE
}

Test(mnemonic, every_number_without_a_name_reads_back)
{
	char text[16];
	uint16_t number;

	for (unsigned type = 0; type <= 65535; type++) {
		cr_assert(dns_type_parse(&number, dns_type_name((uint16_t)type, text)), "%u",
			type);
		cr_assert_eq(number, type);
	}
	cr_expect_str_eq(dns_type_name(65280, text), "TYPE65280");
}

/* In the middle of a text: the same, in sixteen octets. */
static void expect_put(char *(*put)(char *, uint16_t), uint16_t number, const char *name)
{
	char room[DNS_MNEMONIC_MAX + 1];

	room[DNS_MNEMONIC_MAX] = 'x';
	size_t len = (size_t)(put(room, number) - room);
	cr_assert_eq(len, strlen(name), "%u: %.*s, not %s", number, (int)len, room, name);
	cr_assert_arr_eq(room, name, len, "%u: %.*s, not %s", number, (int)len, room, name);
	cr_assert_eq(room[DNS_MNEMONIC_MAX], 'x', "%u: %s", number, name);
}

static char *put_opcode(char *at, uint16_t opcode)
{
	return dns_opcode_put(at, (uint8_t)opcode);
}

Test(mnemonic, in_the_middle_of_a_text_they_are_the_same)
{
	char text[DNS_MNEMONIC_MAX];

	for (unsigned i = 0; i <= 65535; i++) {
		uint16_t number = (uint16_t)i;
		expect_put(dns_type_put, number, dns_type_name(number, text));
		expect_put(dns_class_put, number, dns_class_name(number, text));
		expect_put(dns_rcode_put, number, dns_rcode_name(number, text));
		if (i <= 255)
			expect_put(put_opcode, number, dns_opcode_name((uint8_t)i, text));
	}
}

Test(mnemonic, what_is_no_type_is_refused)
{
	static const char *const rows[] = { "", "AA", "TYPE", "TYPE65536", "TYPE-1", "TYPE1x",
		"TYPE 1", "TYPE000001", "A " };
	uint16_t number;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		cr_expect_not(dns_type_parse(&number, rows[i]), "\"%s\"", rows[i]);
	cr_expect(dns_type_parse(&number, "https"));
	cr_expect_eq(number, 65);
}

Test(mnemonic, rcodes_classes_and_opcodes)
{
	char text[16];

#define RCODE(mnemonic, value) cr_expect_str_eq(dns_rcode_name(value, text), #mnemonic);
#include "sensor/dns/rcodes.def"
#undef RCODE
	cr_expect_str_eq(dns_rcode_name(4095, text), "RCODE4095");
	cr_expect_str_eq(dns_rcode_name(17 + 100, text), "RCODE117");
	cr_expect_str_eq(dns_tsig_error_name(16, text), "BADSIG");
	cr_expect_str_eq(dns_tsig_error_name(17, text), "BADKEY");
	cr_expect_str_eq(dns_tsig_error_name(60000, text), "RCODE60000");
	cr_expect_str_eq(dns_class_name(1, text), "IN");
	cr_expect_str_eq(dns_class_name(3, text), "CH");
	cr_expect_str_eq(dns_class_name(254, text), "NONE");
	cr_expect_str_eq(dns_class_name(255, text), "ANY");
	cr_expect_str_eq(dns_class_name(7, text), "CLASS7");
	cr_expect_str_eq(dns_class_name(65535, text), "CLASS65535");
	cr_expect_str_eq(dns_opcode_name(0, text), "QUERY");
	cr_expect_str_eq(dns_opcode_name(5, text), "UPDATE");
	cr_expect_str_eq(dns_opcode_name(6, text), "DSO");
	cr_expect_str_eq(dns_opcode_name(9, text), "OPCODE9");
}

Test(mnemonic, every_reason_has_a_name_and_a_meaning)
{
	for (int error = 0; error < DNS_ERROR_COUNT; error++) {
		cr_expect_gt(strlen(dns_error_name((enum dns_error)error)), 0, "%d", error);
		cr_expect_gt(strlen(dns_error_meaning((enum dns_error)error)), 0, "%d", error);
		for (int other = 0; other < error; other++)
			cr_expect_str_neq(dns_error_name((enum dns_error)error),
				dns_error_name((enum dns_error)other));
	}
	cr_expect_str_eq(dns_error_name(DNS_POINTER_FORWARD), "pointer_forward");
}
