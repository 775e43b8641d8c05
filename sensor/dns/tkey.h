/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tkey.h -- the TKEY record of a message by which client and server agree on a key (RFC 2930; for
 * GSS-TSIG RFC 3645): of a query in the additional section, of a response in the answer.
 *
 * Owner: values.  Threads: no shared state.  Input: untrusted.
 */
#ifndef SENSOR_DNS_TKEY_H
#define SENSOR_DNS_TKEY_H

#include "sensor/dns/message.h"

struct dns_tkey {
	uint32_t inception_s, expiration_s; /* as on the wire: seconds, 32 bits */
	uint16_t mode;                      /* 3: GSS-API */
	uint16_t error;                     /* 0, or as an rcode; 16 is BADSIG, not BADVERS */
	uint16_t key_len;
};

/* The first TKEY record of a decoded message; false when there is none that is whole. */
NODISCARD bool dns_tkey_read(struct dns_tkey *out, const struct dns_message *m);

#endif
