/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * rdata.h -- the shapes that RDATA of known types has (types.def, third column); inside dns/
 * only.
 *
 * Threads: no shared state.  Input: untrusted.
 */
#ifndef SENSOR_DNS_RDATA_H
#define SENSOR_DNS_RDATA_H

#include "sensor/dns/message.h"
#include "sensor/dns/walk.h"

/* See types.def for what each holds. OPAQUE is zero: the shape of every type not in the table.
 */
enum dns_shape {
	SHAPE_OPAQUE,
	SHAPE_A,
	SHAPE_AAAA,
	SHAPE_NAME,
	SHAPE_SOA,
	SHAPE_MX,
	SHAPE_SRV,
	SHAPE_SVCB,
	SHAPE_TXT,
	SHAPE_OPT,
};

enum dns_shape dns_shape_of(uint16_t type);

/*
 * Check the RDATA that `c` holds against the shape of r->type and set r->target_at. Returns
 * DNS_OK, RDATA_LENGTH, RDATA_NAME, OPT_OPTIONS or WORK_LIMIT.
 */
NODISCARD enum dns_error dns_rdata_check(
	struct dns_walk *w, struct dns_record *r, struct cursor *c);

#endif
