/* SPDX-License-Identifier: BSD-2-Clause */
/* rpz_address.h -- the network in an owner of a response policy zone (private to feeds/). */
#ifndef FEEDS_RPZ_ADDRESS_H
#define FEEDS_RPZ_ADDRESS_H

#include <stdbool.h>

#include "feeds/span.h"
#include "sensor/base/attribute.h"
#include "sensor/base/ip.h"

/* "24.0.2.0.192" is 192.0.2.0/24, "128.1.zz.db8.2001" is 2001:db8::1; what follows (".rpz-ip") is
 * off already. */
NODISCARD bool rpz_address_parse(struct ip_net *out, struct span labels);

/* "128.", eight words of four digits with dots between them, and the NUL. */
#define RPZ_ADDRESS_TEXT_MAX 48
/* The other way; of several ways to write a network the one that resolvers call canonical. Returns
 * the length. */
size_t rpz_address_format(const struct ip_net *net, char text[RPZ_ADDRESS_TEXT_MAX]);

#endif
