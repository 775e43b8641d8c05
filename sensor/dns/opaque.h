/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * opaque.h -- RDATA that the decoder keeps opaque, read by libldns; inside dns/ only.
 *
 * Input: records of a message that dns_message_decode accepted; their RDATA may be anything.
 */
#ifndef SENSOR_DNS_OPAQUE_H
#define SENSOR_DNS_OPAQUE_H

#include "sensor/dns/message.h"

#include <ldns/ldns.h>

/*
 * The record as libldns reads it, class IN and without its owner; the caller frees it. NULL
 * when a field is missing, a name in it is broken, or octets are left over. Allocates.
 */
ldns_rr *opaque_parse(const struct dns_message *m, const struct dns_record *r);

#endif
