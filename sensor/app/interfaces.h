/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * interfaces.h -- the interfaces by which tenants are selected, for captures that are replayed: a pcapng file says
 * by name where a packet was captured, and --interface says so of all others.
 *
 * Owner:   interfaces_deinit frees; the names are the policies', which outlive them.
 * Threads: no shared state.
 */
#ifndef SENSOR_APP_INTERFACES_H
#define SENSOR_APP_INTERFACES_H

#include "rules/policy.h"
#include "sensor/base/error.h"
#include "sensor/capture/source.h"

/*
 * `otherwise`: the interface of frames that do not tell, or NULL: they are of none. ERR_USAGE when no tenant is
 * selected by it; ERR_FAILED: out of memory.
 */
NODISCARD enum err interfaces_init(struct source_interfaces *out,
	const struct policy_set *policies, const char *otherwise, struct err_ctx *why);
void interfaces_deinit(struct source_interfaces *interfaces);

#endif
