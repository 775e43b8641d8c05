/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * present.h -- records in presentation format (RFC 1035 5.1, RFC 3597 for unknown types), for
 * the DNS log and for alerts. The common types are written here without allocation; everything
 * else goes through libldns.
 *
 * Input: records of a message that dns_message_decode accepted.  Threads: no shared state.
 */
#ifndef SENSOR_DNS_PRESENT_H
#define SENSOR_DNS_PRESENT_H

#include "sensor/base/text.h"
#include "sensor/dns/message.h"

/* Append the record's RDATA as text ("192.0.2.1", "10 mail.example.com", "\\# 4 0a000001"). */
void present_rdata(struct text *out, const struct dns_message *m, const struct dns_record *r);

#endif
