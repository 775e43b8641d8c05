/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * decoded.h -- messages decoded: as dns_build.h built them, and its samples.
 *
 *	static struct dns_build b;
 *	static struct dns_message m;
 *
 *	decoded_sample(&m, &b, "query");
 *
 * Owner: both structs are the caller's; a message points into what was built, which must stay.
 */
#ifndef TESTS_UNIT_DNS_DECODED_H
#define TESTS_UNIT_DNS_DECODED_H

#include "sensor/dns/message.h"
#include "tests/support/dns_build.h"

/* What was built so far, as it is: well-formed or not. */
enum dns_error decoded_built(struct dns_message *m, const struct dns_build *b);

/* Build the sample of that name and decode it; asserts that it is well-formed. */
void decoded_sample(struct dns_message *m, struct dns_build *b, const char *name);

/* The name at offset `at` of the message reads so. */
void decoded_expect_name(const struct dns_message *m, uint16_t at, const char *expected);

#endif
