/* SPDX-License-Identifier: BSD-2-Clause */
/* fuzz_update.c -- any octets as an UPDATE. */
#include "sensor/dns/update.h"

#include <stdlib.h>
#include <string.h>

static void require(bool holds)
{
	if (!holds)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct update *u = update_decode(data, size);

	if (!u)
		return 0;
	require(u->zone != NULL);
	for (size_t i = 0; i < u->change_count; i++) {
		require(strlen(u->change[i].name) > 0);
		require(u->change[i].rdata != NULL);
	}
	require((u->signature == UPDATE_UNSIGNED) == (u->key_name == NULL));
	require((u->key_name == NULL) == (u->algorithm == NULL));
	update_free(u);
	return 0;
}
