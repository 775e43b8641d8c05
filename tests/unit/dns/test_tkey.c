/* SPDX-License-Identifier: BSD-2-Clause */
#include "sensor/dns/tkey.h"

#include <criterion/criterion.h>
#include <string.h>

#include "tests/support/dns_build.h"

#define TKEY 249

/* A response whose TKEY record has this error and says it has `claimed` octets of key, but `real`. */
static void answer(struct dns_build *b, unsigned error, unsigned claimed, unsigned real)
{
	build_start(b, 1, 0x8000);
	build_question(b, "615736564.sig-dc1.corp.example", TKEY, 255);
	build_record(b, BUILD_ANSWER, NULL, TKEY, 255, 0);
	build_name(b, "gss-tsig");
	build_u32(b, 1700000000);
	build_u32(b, 1700003600);
	build_u16(b, 3);
	build_u16(b, error);
	build_u16(b, claimed);
	for (unsigned i = 0; i < real; i++)
		build_u8(b, 7);
	build_record_end(b);
}

Test(tkey, a_responses_record_is_read)
{
	struct dns_build b;
	struct dns_message m;
	struct dns_tkey tkey;

	answer(&b, 17, 4, 4);
	cr_assert_eq(dns_message_decode(&m, b.at, b.len), DNS_OK);
	cr_assert(dns_tkey_read(&tkey, &m));
	cr_expect_eq(tkey.mode, 3);
	cr_expect_eq(tkey.error, 17);
	cr_expect_eq(tkey.key_len, 4);
	cr_expect_eq(tkey.inception_s, 1700000000);
	cr_expect_eq(tkey.expiration_s, 1700003600);
}

Test(tkey, a_record_that_is_not_whole_is_none)
{
	struct dns_build b;
	struct dns_message m;
	struct dns_tkey tkey;

	answer(&b, 0, 5, 4);
	cr_assert_eq(dns_message_decode(&m, b.at, b.len), DNS_OK);
	cr_expect_not(dns_tkey_read(&tkey, &m), "the key ends behind the record");

	build_start(&b, 1, 0x8000);
	build_question(&b, "key.example", TKEY, 255);
	build_record(&b, BUILD_ANSWER, NULL, TKEY, 255, 0);
	build_octets(&b, "\x3f", 1);
	build_record_end(&b);
	cr_assert_eq(dns_message_decode(&m, b.at, b.len), DNS_OK);
	cr_expect_not(dns_tkey_read(&tkey, &m), "nor does its algorithm");

	build_start(&b, 1, 0x8000);
	build_question(&b, "key.example", TKEY, 255);
	cr_assert_eq(dns_message_decode(&m, b.at, b.len), DNS_OK);
	cr_expect_not(dns_tkey_read(&tkey, &m), "there is none");
}
