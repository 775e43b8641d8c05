/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tenant_rows.h -- what is kept of each tenant: rows by tenant number, which new versions of the policies
 * only add to (policy_set_follow).
 *
 * Owner:    who has the pointer; free() ends it.  Threads: one.
 */
#ifndef RULES_TENANT_ROWS_H
#define RULES_TENANT_ROWS_H

#include <stddef.h>

/*
 * Returns at least `wanted` rows that begin at a cache line: those of `rows` (NULL: none) as they are, new
 * ones all zero. *count is how many there are. Without memory `rows` serves on as it is, so whoever reads
 * compares with *count.
 */
void *tenant_rows_grow(void *rows, size_t *count, size_t wanted, size_t row_bytes);

#endif
