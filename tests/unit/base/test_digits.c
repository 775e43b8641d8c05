/* SPDX-License-Identifier: BSD-2-Clause */
#include "sensor/base/digits.h"

#include <criterion/criterion.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MARK 'x'

/* Text and the octets behind it: as expected, and nothing beyond the slack was touched. */
static void expect(const char room[64], const char *end, const char *expected)
{
	size_t len = (size_t)(end - room);

	cr_assert_eq(len, strlen(expected), "%.*s, expected %s", (int)len, room, expected);
	cr_assert_arr_eq(room, expected, len, "%.*s, expected %s", (int)len, room, expected);
	for (size_t i = len + DIGITS_SLACK; i < 64; i++)
		cr_assert_eq(room[i], MARK, "%s: octet %zu", expected, i);
}

static void expect_number(uint64_t number)
{
	char room[64], expected[32];

	snprintf(expected, sizeof(expected), "%llu", (unsigned long long)number);
	memset(room, MARK, sizeof(room));
	expect(room, digits_put_u64(room, number), expected);
	if (number <= UINT32_MAX) {
		memset(room, MARK, sizeof(room));
		expect(room, digits_put_u32(room, (uint32_t)number), expected);
	}
}

Test(digits, numbers_around_every_power_of_ten_and_the_limits)
{
	uint64_t power = 1;

	for (int i = 0; i < 20; i++, power *= 10) {
		for (uint64_t number = power - (power > 2 ? 2 : 1); number <= power + 2;
			number++)
			expect_number(number);
		expect_number(power * 9);
	}
	expect_number(UINT16_MAX);
	expect_number(UINT32_MAX - 1);
	expect_number(UINT32_MAX);
	expect_number(UINT64_C(1) << 32);
	expect_number(UINT64_MAX);
}

Test(digits, any_number)
{
	srand(7);
	for (int i = 0; i < 200000; i++) {
		uint64_t bits =
			(uint64_t)rand() << 42 ^ (uint64_t)rand() << 21 ^ (uint64_t)rand();
		expect_number(bits >> rand() % 64);
	}
	for (unsigned number = 0; number <= UINT16_MAX; number++)
		expect_number(number);
}

Test(digits, eight_keep_their_zeros)
{
	static const uint32_t rows[] = { 0, 1, 10, 12345678, 99999999, 90000000, 10203040 };
	char room[64], expected[16];

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		memset(room, MARK, sizeof(room));
		snprintf(expected, sizeof(expected), "%08u", rows[i]);
		expect(room, digits_put_eight(room, rows[i]), expected);
	}
}

Test(digits, every_octet_and_every_hexadecimal_group)
{
	char room[64], expected[16];

	for (unsigned number = 0; number <= UINT16_MAX; number++) {
		memset(room, MARK, sizeof(room));
		snprintf(expected, sizeof(expected), "%x", number);
		expect(room, digits_put_hex_group(room, (uint16_t)number), expected);
		if (number > UINT8_MAX)
			continue;
		memset(room, MARK, sizeof(room));
		snprintf(expected, sizeof(expected), "%u", number);
		expect(room, digits_put_octet(room, (uint8_t)number), expected);
	}
}

Test(digits, octets_in_hexadecimal_of_any_length)
{
	uint8_t octets[24];
	char room[64], expected[64] = "";

	for (size_t len = 0; len <= sizeof(octets); len++) {
		for (unsigned first = 0; first <= 0xff; first++) {
			for (size_t i = 0; i < len; i++) {
				octets[i] = (uint8_t)(first + 89 * i);
				snprintf(expected + 2 * i, 3, "%02x", octets[i]);
			}
			memset(room, MARK, sizeof(room));
			expect(room, digits_put_hex(room, octets, len), expected);
		}
	}
}
