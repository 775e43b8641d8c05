/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/support/mmdb_build.h"

#include <criterion/criterion.h>
#include <string.h>

/* Control byte: type in the upper three bits, size in the lower five; map 7, string 2, uint32 6,
 * uint16 5. */
#define MAP(pairs)   (uint8_t)(7 << 5 | (pairs))
#define STRING(len)  (uint8_t)(2 << 5 | (len))
#define UINT32(size) (uint8_t)(6 << 5 | (size))
#define UINT16(size) (uint8_t)(5 << 5 | (size))

#define NODES 24 /* one for each bit of 192.0.2.0/24 */

const uint8_t mmdb_build_record[] = { MAP(2), STRING(7), 'c', 'o', 'u', 'n', 't', 'r', 'y',
	MAP(1), STRING(8), 'i', 's', 'o', '_', 'c', 'o', 'd', 'e', STRING(2), 'N', 'L',
	STRING(24), 'a', 'u', 't', 'o', 'n', 'o', 'm', 'o', 'u', 's', '_', 's', 'y', 's', 't',
	'e', 'm', '_', 'n', 'u', 'm', 'b', 'e', 'r', UINT32(2), 64500 >> 8, 64500 & 255 };
const size_t mmdb_build_record_len = sizeof(mmdb_build_record);

static void put(struct mmdb_build *db, const void *bytes, size_t len)
{
	cr_assert_leq(db->len + len, sizeof(db->bytes));
	memcpy(db->bytes + db->len, bytes, len);
	db->len += len;
}

static void put_node(struct mmdb_build *db, unsigned bits, uint32_t left, uint32_t right)
{
	uint8_t node[8] = { 0 };
	unsigned len = bits == 32 ? 4 : 3;

	for (unsigned i = 0; i < len; i++) {
		node[i] = (uint8_t)(left >> (8 * (len - 1 - i)));
		node[bits / 4 - len + i] = (uint8_t)(right >> (8 * (len - 1 - i)));
	}
	if (bits == 28)
		node[3] = (uint8_t)(left >> 24 << 4 | (right >> 24 & 15));
	put(db, node, bits / 4);
}

static void put_number(struct mmdb_build *db, const char *key, uint8_t number)
{
	put(db, (uint8_t[]){ STRING(strlen(key)) }, 1);
	put(db, key, strlen(key));
	put(db, (uint8_t[]){ UINT16(1), number }, 2);
}

static void put_string(struct mmdb_build *db, const char *key, const char *value)
{
	put(db, (uint8_t[]){ STRING(strlen(key)) }, 1);
	put(db, key, strlen(key));
	put(db, (uint8_t[]){ STRING(strlen(value)) }, 1);
	put(db, value, strlen(value));
}

void mmdb_build(struct mmdb_build *db, unsigned record_bits, const void *data, size_t data_len)
{
	const uint32_t prefix = 0xc00002;

	*db = (struct mmdb_build){ 0 };
	for (uint32_t i = 0; i < NODES; i++) {
		uint32_t next = i + 1 < NODES ? i + 1 : NODES + 16;
		bool right = prefix >> (NODES - 1 - i) & 1;
		put_node(db, record_bits, right ? NODES : next, right ? next : NODES);
	}
	put(db, (uint8_t[16]){ 0 }, 16);
	db->data_at = db->len;
	put(db, data, data_len);
	put(db, "\xab\xcd\xefMaxMind.com", 14);
	put(db, (uint8_t[]){ MAP(9) }, 1);
	put(db, (uint8_t[]){ STRING(10) }, 1);
	put(db, "node_count", 10);
	put(db, (uint8_t[]){ UINT32(1), NODES }, 2);
	put_number(db, "record_size", (uint8_t)record_bits);
	put_number(db, "ip_version", 4);
	put_number(db, "binary_format_major_version", 2);
	put_number(db, "binary_format_minor_version", 0);
	put_string(db, "database_type", "dynwatch-Test");
	put(db, (uint8_t[]){ STRING(9) }, 1);
	put(db, "languages", 9);
	put(db, (uint8_t[]){ 0, 4 }, 2); /* extended type 11, array, empty */
	put(db, (uint8_t[]){ STRING(11) }, 1);
	put(db, "description", 11);
	put(db, (uint8_t[]){ MAP(0) }, 1);
	put(db, (uint8_t[]){ STRING(11) }, 1);
	put(db, "build_epoch", 11);
	put(db, (uint8_t[]){ 1, 2, 1 }, 3); /* extended type 9, uint64, one byte */
}
