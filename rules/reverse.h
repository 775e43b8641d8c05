/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * reverse.h -- names that stand for addresses (RFC 1035 3.5, RFC 3596 2.5).
 *
 * Input: untrusted text.  Threads: no shared state.
 */
#ifndef RULES_REVERSE_H
#define RULES_REVERSE_H

#include <stdbool.h>

#include "sensor/base/attribute.h"
#include "sensor/base/ip.h"

/* "4.3.2.1.in-addr.arpa" is 1.2.3.4; the same of ip6.arpa. False for other names, those of networks
 * and classless delegations (RFC 2317) included. Lower case, without the trailing dot. */
NODISCARD bool reverse_parse(struct ip *out, const char *name);

#endif
