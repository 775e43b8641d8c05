/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * changelog.h -- the change log: who changed which DNS record, as one JSON object a line.
 *
 * A line is one record that an accepted UPDATE changed, or one UPDATE that failed. Every line
 * has all keys, in this order (dynwatch(8), CHANGE LOG, says what they mean): ts sensor tenant
 * result reason zone name type verb old new cut ttl owner previous_owner source source_port
 * server transport signature key algorithm rcode tsig_error latency_us dns_id number records
 * id. What is not known is null.
 *
 * Threads: no shared state.  Input: texts may hold anything that was on the wire and come out
 * as valid JSON. No MAC and no key material is ever in a record.
 */
#ifndef SENSOR_OUTPUT_CHANGELOG_H
#define SENSOR_OUTPUT_CHANGELOG_H

#include "rules/alert.h"
#include "sensor/base/text.h"

#define CHANGELOG_ID_LEN 32 /* hexadecimal digits */

/*
 * Append the object, without newline, and give its id: made from all that is in the line, so
 * that one capture gives the same ids each time. Out of memory shows as out->failed.
 */
void changelog_write(struct text *out, const struct alert *a, const char *sensor,
	char id[CHANGELOG_ID_LEN + 1]);

#endif
