/* SPDX-License-Identifier: BSD-2-Clause */
/* rpz_address.h -- the network in an owner of a response policy zone (private to rpz.c). */
#ifndef FEEDS_RPZ_ADDRESS_H
#define FEEDS_RPZ_ADDRESS_H

#include <stdbool.h>

#include "feeds/span.h"
#include "sensor/base/attribute.h"
#include "sensor/base/ip.h"

/* "24.0.2.0.192" is 192.0.2.0/24, "128.1.zz.db8.2001" is 2001:db8::1; what follows (".rpz-ip") is
 * off already. */
NODISCARD bool rpz_address_parse(struct ip_net *out, struct span labels);

#endif
