/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * edns.h -- what an OPT record says (RFC 6891) and its client subnet (RFC 7871); inside dns/
 * only.
 */
#ifndef SENSOR_DNS_EDNS_H
#define SENSOR_DNS_EDNS_H

#include "sensor/dns/message.h"

#define DNS_OPTION_CLIENT_SUBNET 8 /* RFC 7871 */

/* What the fixed part says; returns the upper eight bits of the extended rcode. */
static inline unsigned dns_edns_start(struct dns_edns *out, const struct dns_record *opt)
{
	out->present = true;
	out->udp_size = opt->class;
	out->version = (uint8_t)(opt->ttl >> 16);
	out->do_bit = opt->ttl >> 15 & 1;
	return opt->ttl >> 24;
}

/*
 * Fill *out from an OPT whose options dns_rdata_check found to fill it; returns the upper eight
 * bits of the extended rcode. A client subnet that breaks RFC 7871 6 is left out: the OPT
 * around it, and so the message, is well-formed all the same.
 */
unsigned dns_edns_read(struct dns_edns *out, const struct dns_record *opt, const uint8_t *wire);

#endif
