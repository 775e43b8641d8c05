/* SPDX-License-Identifier: BSD-2-Clause */
#include "rules/tenant_rows.h"

#include <stdlib.h>
#include <string.h>

#include "sensor/base/attribute.h"

void *tenant_rows_grow(void *rows, size_t *count, size_t wanted, size_t row_bytes)
{
	size_t kept_bytes = *count * row_bytes;
	size_t bytes = (wanted * row_bytes + CACHE_LINE - 1) / CACHE_LINE * CACHE_LINE;

	if (wanted <= *count)
		return rows;
	char *grown = aligned_alloc(CACHE_LINE, bytes);
	if (!grown)
		return rows;
	if (rows)
		memcpy(grown, rows, kept_bytes);
	memset(grown + kept_bytes, 0, bytes - kept_bytes);
	free(rows);
	*count = wanted;
	return grown;
}
