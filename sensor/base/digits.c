/* SPDX-License-Identifier: BSD-2-Clause */
#include "sensor/base/digits.h"

#define TEN(tens)                                                                              \
	tens "0", tens "1", tens "2", tens "3", tens "4", tens "5", tens "6", tens "7",        \
		tens "8", tens "9"
#define HUNDRED(hundreds)                                                                      \
	TEN(hundreds "0"), TEN(hundreds "1"), TEN(hundreds "2"), TEN(hundreds "3"),            \
		TEN(hundreds "4"), TEN(hundreds "5"), TEN(hundreds "6"), TEN(hundreds "7"),    \
		TEN(hundreds "8"), TEN(hundreds "9")

const char digits_octet[256][4] = { TEN(""), TEN("1"), TEN("2"), TEN("3"), TEN("4"), TEN("5"),
	TEN("6"), TEN("7"), TEN("8"), TEN("9"), HUNDRED("1"), TEN("20"), TEN("21"), TEN("22"),
	TEN("23"), TEN("24"), "250", "251", "252", "253", "254", "255" };

char *digits_put_u64(char *at, uint64_t number)
{
	const uint64_t eight = 100000000;

	if (number < eight)
		return digits_put_u32(at, (uint32_t)number);
	at = digits_put_u64(at, number / eight);
	return digits_put_eight(at, (uint32_t)(number % eight));
}

char *digits_put_hex(char *at, const uint8_t *octets, size_t octets_len)
{
	size_t i = 0;

	for (; octets_len - i >= 4; i += 4)
		at = digits_store(at, digits_hexadecimal(digits_of_octets(octets + i)), 8);
	for (; i < octets_len; i++)
		at = digits_store(
			at, digits_hexadecimal(digits_of_nibbles(octets[i]) >> 16), 2);
	return at;
}
