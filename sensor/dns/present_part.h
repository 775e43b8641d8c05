/* SPDX-License-Identifier: BSD-2-Clause */
/* present_part.h -- the pieces RDATA text is made of; inside dns/ only. */
#ifndef SENSOR_DNS_PRESENT_PART_H
#define SENSOR_DNS_PRESENT_PART_H

#include "sensor/base/cursor.h"
#include "sensor/base/text.h"

/* One octet inside a quoted string: as it is, \" \\ or \DDD (RFC 1035 5.1). */
void present_octet(struct text *out, uint8_t octet);

/* All that is left in `c` as one quoted string. */
void present_string(struct text *out, struct cursor *c);

void present_ipv4(struct text *out, const uint8_t address[4]);
void present_ipv6(struct text *out, const uint8_t address[16]);

/* Octets as RFC 3597 5 has them: "\# 4 0a000001". */
void present_unknown(struct text *out, const uint8_t *octets, size_t octets_len);

#endif
