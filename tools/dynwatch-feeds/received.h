/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * received.h -- what came over the network, before anybody reads it as a list: unpacked, measured,
 * and refused where it is plainly no list.
 *
 * Owner:    the caller's files.  Threads: no shared state.
 * Input:    untrusted, any bytes.
 * Limits:   `max_bytes`, of what is stored and of what it is uncompressed.
 */
#ifndef TOOLS_DYNWATCH_FEEDS_RECEIVED_H
#define TOOLS_DYNWATCH_FEEDS_RECEIVED_H

#include <stdbool.h>
#include <stdint.h>

#include "sensor/base/error.h"
#include "sensor/base/replace.h"
#include "tools/dynwatch-feeds/fetched.h"

struct received {
	int fd;            /* as it came */
	bool is_gzip;      /* on the way only */
	bool length_known; /* the protocol would have told of an end in the middle */
	uint64_t max_bytes;
};

/*
 * Unpack what came into `to`, and look at it. ERR_INPUT: it is not to be used, `why` says why; what
 * was written to `to` is then of no use. ERR_FAILED: it could not be written.
 */
NODISCARD enum err received_store(
	const struct received *r, struct replace *to, struct fetched *out, struct err_ctx *why);

#endif
