/* SPDX-License-Identifier: BSD-2-Clause */
/* fuzz_decompress.c -- any bytes as a file that may be compressed: it ends, or says why not. */
#include "sensor/base/decompress.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define OUTPUT_MAX ((size_t)1 << 20)

struct memory {
	const uint8_t *bytes;
	size_t left, at_once;
};

static void require(bool holds)
{
	if (!holds)
		abort();
}

static ssize_t memory_read(void *arg, void *buf, size_t size)
{
	struct memory *m = arg;

	if (size > m->left)
		size = m->left;
	if (size > m->at_once)
		size = m->at_once;
	memcpy(buf, m->bytes, size);
	m->bytes += size;
	m->left -= size;
	return (ssize_t)size;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The first byte says how many come at once. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t out[4096];

	if (size == 0)
		return 0;
	struct memory m = { data + 1, size - 1, data[0] ? data[0] : size };
	struct decompress d = { .read = memory_read, .arg = &m };
	size_t total = 0;
	ssize_t got;

	while ((got = decompress_read(&d, out, sizeof(out))) > 0 && total < OUTPUT_MAX) {
		require((size_t)got <= sizeof(out));
		total += (size_t)got;
	}
	if (got == -1)
		require(d.why[0] != '\0' && errno == EBADMSG);
	if (got <= 0)
		require(decompress_read(&d, out, sizeof(out)) == got);
	decompress_deinit(&d);
	return 0;
}
