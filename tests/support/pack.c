/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/support/pack.h"

#include <criterion/criterion.h>
#include <lzma.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>

const char *const pack_names[PACK_FORMATS] = { "plain", "gzip", "zstd", "xz" };

static size_t pack_gzip(uint8_t *out, size_t room, const void *bytes, size_t bytes_len)
{
	z_stream z = { 0 };

	cr_assert_eq(deflateInit2(&z, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
	z.next_in = (Bytef *)(uintptr_t)bytes;
	z.avail_in = (uInt)bytes_len;
	z.next_out = out;
	z.avail_out = (uInt)room;
	cr_assert_eq(deflate(&z, Z_FINISH), Z_STREAM_END);
	deflateEnd(&z);
	return room - z.avail_out;
}

static size_t pack_zstd(uint8_t *out, size_t room, const void *bytes, size_t bytes_len)
{
	ZSTD_CCtx *z = ZSTD_createCCtx();

	ZSTD_CCtx_setParameter(z, ZSTD_c_checksumFlag, 1);
	size_t made = ZSTD_compress2(z, out, room, bytes, bytes_len);
	cr_assert_not(ZSTD_isError(made));
	ZSTD_freeCCtx(z);
	return made;
}

static size_t pack_xz(uint8_t *out, size_t room, const void *bytes, size_t bytes_len)
{
	size_t made = 0;

	cr_assert_eq(lzma_easy_buffer_encode(
			     0, LZMA_CHECK_CRC32, NULL, bytes, bytes_len, out, &made, room),
		LZMA_OK);
	return made;
}

uint8_t *pack(enum pack_format format, const void *bytes, size_t bytes_len, size_t *packed_len)
{
	size_t room = bytes_len * 2 + 1024;
	uint8_t *out = malloc(room);

	cr_assert_not_null(out);
	switch (format) {
	case PACK_GZIP:
		*packed_len = pack_gzip(out, room, bytes, bytes_len);
		break;
	case PACK_ZSTD:
		*packed_len = pack_zstd(out, room, bytes, bytes_len);
		break;
	case PACK_XZ:
		*packed_len = pack_xz(out, room, bytes, bytes_len);
		break;
	default:
		memcpy(out, bytes, bytes_len);
		*packed_len = bytes_len;
	}
	return out;
}

uint8_t *pack_wide(enum pack_format format, size_t *packed_len)
{
	/* RFC 8878 3.1.1.1: no content size, window of 2^(10 + 20); one raw block "ABCD" */
	static const uint8_t zstd[] = { 0x28, 0xb5, 0x2f, 0xfd, 0x00, 20 << 3, 4 << 3 | 1, 0, 0,
		'A', 'B', 'C', 'D' };
	size_t room = 4096, made = 0;
	uint8_t *out = malloc(room);

	cr_assert_not_null(out);
	if (format == PACK_ZSTD) {
		memcpy(out, zstd, sizeof(zstd));
		*packed_len = sizeof(zstd);
		return out;
	}
	lzma_options_lzma options;
	cr_assert_not(lzma_lzma_preset(&options, 0));
	lzma_filter filters[] = { { LZMA_FILTER_LZMA2, &options }, { LZMA_VLI_UNKNOWN, NULL } };
	cr_assert_eq(lzma_stream_buffer_encode(filters, LZMA_CHECK_CRC32, NULL,
			     (const uint8_t *)"ABCD", 4, out, &made, room),
		LZMA_OK);
	/* Behind the stream header (12): the block header of 12 octets, its filter's property is the
	 * dictionary's size (36: 1 GiB), and a CRC of 4 octets at its end (xz format 3.1, 5.3.1). */
	size_t header_len = (out[12] + 1u) * 4;
	for (size_t i = 14; i + 2 < 12 + header_len - 4; i++) {
		if (out[i] == 0x21 && out[i + 1] == 1) {
			out[i + 2] = 36;
			break;
		}
	}
	uint32_t crc = lzma_crc32(out + 12, header_len - 4, 0);
	memcpy(out + 12 + header_len - 4, &crc, 4);
	*packed_len = made;
	return out;
}
