/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/dns/decoded.h"

#include <criterion/criterion.h>

enum dns_error decoded_built(struct dns_message *m, const struct dns_build *b)
{
	return dns_message_decode(m, b->at, b->len);
}

void decoded_sample(struct dns_message *m, struct dns_build *b, const char *name)
{
	dns_sample_make(b, name);
	cr_assert_eq(decoded_built(m, b), DNS_OK, "%s", name);
}

void decoded_expect_name(const struct dns_message *m, uint16_t at, const char *expected)
{
	char text[DNS_NAME_TEXT_MAX];
	struct dns_name name;

	dns_message_name(m, at, &name);
	dns_name_format(&name, text);
	cr_expect_str_eq(text, expected);
}
