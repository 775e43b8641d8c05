/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * octet_store.h -- octets that are needed for a while: a block of memory of fixed size, written
 * round and round. What is added overwrites the oldest; who asks for that is told it is gone.
 *
 * Owner: octet_store_new/octet_store_free.  Threads: one.
 */
#ifndef RULES_OCTET_STORE_H
#define RULES_OCTET_STORE_H

#include <stddef.h>
#include <stdint.h>

struct octet_store;

/* NULL when out of memory. */
struct octet_store *octet_store_new(size_t memory_bytes);
void octet_store_free(struct octet_store *s);
/* Where the copy is to be found; 0 when it is larger than a quarter of the store. */
uint64_t octet_store_add(struct octet_store *s, const uint8_t *octets, size_t len);
/* NULL when they were overwritten (or `place` is 0). Holds until the next octet_store_add. */
const uint8_t *octet_store_find(const struct octet_store *s, uint64_t place, size_t *len);

#endif
