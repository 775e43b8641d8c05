/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * svcb.h -- SvcParams of SVCB and HTTPS records as text (RFC 9460 2.1, 14.3.2); inside dns/
 * only.
 */
#ifndef SENSOR_DNS_SVCB_H
#define SENSOR_DNS_SVCB_H

#include "sensor/base/cursor.h"
#include "sensor/base/text.h"

/*
 * Append ' key=value' for each parameter of an RDATA that dns_rdata_check accepted. A value
 * that is not what its key promises is written like that of an unknown key: key4="\010".
 */
void svcb_present_params(struct text *out, struct cursor *params);

#endif
