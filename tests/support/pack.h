/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pack.h -- bytes compressed in every format that decompress.c reads, by the libraries themselves.
 *
 * Owner: the caller frees what pack returns.
 */
#ifndef TESTS_SUPPORT_PACK_H
#define TESTS_SUPPORT_PACK_H

#include <stddef.h>
#include <stdint.h>

enum pack_format {
	PACK_PLAIN,
	PACK_GZIP,
	PACK_ZSTD,
	PACK_XZ,
	PACK_FORMATS,
};

extern const char *const pack_names[PACK_FORMATS];

/* malloc'ed; ends the test when it fails. */
uint8_t *pack(enum pack_format format, const void *bytes, size_t bytes_len, size_t *packed_len);

/* A zstd frame and an xz stream that ask for a window of 1 GiB for their few bytes. */
uint8_t *pack_wide(enum pack_format format, size_t *packed_len);

#endif
