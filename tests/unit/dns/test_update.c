/* SPDX-License-Identifier: BSD-2-Clause */
#include "sensor/dns/update.h"

#include "tests/support/dns_build.h"
#include "tests/support/guard.h"

#include <criterion/criterion.h>

#include <string.h>

static struct dns_build b;

static struct update *decode_sample(const char *name)
{
	dns_sample_make(&b, name);
	struct update *u = update_decode(b.at, b.len);
	cr_assert(u, "%s", name);
	return u;
}

Test(update, zone_prerequisites_and_every_verb)
{
	static const struct {
		enum update_verb verb;
		uint16_t type;
		uint32_t ttl;
		const char *name, *rdata;
	} rows[] = {
		{ UPDATE_DELETE_RRSET, DNS_TYPE_AAAA, 0, "pc7.corp.example", "" },
		{ UPDATE_DELETE_NAME, DNS_TYPE_ANY, 0, "old.corp.example", "" },
		{ UPDATE_ADD, DNS_TYPE_A, 1200, "pc7.corp.example", "10.1.0.7" },
		{ UPDATE_DELETE_RECORD, DNS_TYPE_A, 0, "pc7.corp.example", "10.1.0.6" },
		{ UPDATE_DELETE_RRSET, DNS_TYPE_MX, 0, "corp.example", "" },
	};
	struct update *u = decode_sample("update_unsigned");

	cr_expect_str_eq(u->zone, "corp.example");
	cr_expect(u->zone_valid);
	cr_expect_eq(u->prerequisite_count, 1);
	cr_assert_eq(u->change_count, ARRAY_LEN(rows));
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		cr_expect_eq(u->change[i].verb, rows[i].verb, "change %zu", i);
		cr_expect_eq(u->change[i].type, rows[i].type, "change %zu", i);
		cr_expect_eq(u->change[i].ttl, rows[i].ttl, "change %zu", i);
		cr_expect_str_eq(u->change[i].name, rows[i].name, "change %zu", i);
		cr_expect_str_eq(u->change[i].rdata, rows[i].rdata, "change %zu", i);
	}
	cr_expect_eq(u->signature, UPDATE_UNSIGNED);
	cr_expect_null(u->key_name);
	cr_expect_null(u->algorithm);
	update_free(u);
}

Test(update, every_kind_of_signature)
{
	static const struct {
		const char *sample;
		enum update_signature signature;
		const char *key_name, *algorithm;
		uint64_t signed_at_s;
		unsigned fudge_s, mac_len, original_id;
	} rows[] = {
		{ "update_tsig", UPDATE_TSIG, "key.example", "hmac-sha256", 1700000000, 300, 32,
			0x0dd6 },
		{ "update_gss", UPDATE_GSS_TSIG, "1068-ms-7\\.328-2f02", "gss-tsig", 1700000000,
			300, 28, 0x0dd6 },
		{ "update_gss_microsoft", UPDATE_GSS_TSIG, "615736564.sig-dc1",
			"gss.microsoft.com", 1700000000, 300, 28, 0x0dd6 },
		{ "update_sig0", UPDATE_SIG0, "host.corp.example", "ECDSAP256SHA256",
			1700000000, 0, 16, 0x0dd5 },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct update *u = decode_sample(rows[i].sample);
		cr_expect_eq(u->signature, rows[i].signature, "%s", rows[i].sample);
		cr_expect_str_eq(u->algorithm, rows[i].algorithm, "%s", rows[i].sample);
		cr_expect_eq(u->fudge_s, rows[i].fudge_s, "%s", rows[i].sample);
		cr_expect_eq(u->mac_len, rows[i].mac_len, "%s", rows[i].sample);
		cr_expect_eq(u->original_id, rows[i].original_id, "%s", rows[i].sample);
		cr_expect_eq(u->tsig_error, 0, "%s", rows[i].sample);
		cr_expect_eq(u->change_count, 5, "%s", rows[i].sample);
		if (rows[i].signature == UPDATE_SIG0)
			cr_expect_eq(u->signed_at_s, 0x6553f000, "inception");
		else
			cr_expect_eq(u->signed_at_s, rows[i].signed_at_s, "%s", rows[i].sample);
		update_free(u);
	}
}

/* An UPDATE with one TSIG of the given algorithm, MAC length and error. */
static void build_signed(const char *algorithm, unsigned mac_len, unsigned error)
{
	build_start(&b, 9, 0xa809);
	build_question(&b, "corp.example", 6, 1);
	build_record(&b, BUILD_ADDITIONAL, "key", 250, 255, 0);
	build_name(&b, algorithm);
	build_u16(&b, 1); /* times beyond 2106 */
	build_u32(&b, 2);
	build_u16(&b, 36000);
	build_u16(&b, mac_len);
	for (unsigned i = 0; i < mac_len; i++)
		build_u8(&b, i);
	build_u16(&b, 9);
	build_u16(&b, error);
	build_u16(&b, 0);
	build_record_end(&b);
}

Test(update, refusal_carries_the_tsig_error_and_no_mac)
{
	build_signed("hmac-md5.sig-alg.reg.int", 0, 17);
	struct update *u = update_decode(b.at, b.len);
	cr_assert(u);
	cr_expect_eq(u->signature, UPDATE_TSIG);
	cr_expect_str_eq(u->algorithm, "hmac-md5.sig-alg.reg.int");
	cr_expect_eq(u->mac_len, 0);
	cr_expect_eq(u->tsig_error, 17);
	cr_expect_eq(u->fudge_s, 36000);
	cr_expect_eq(u->signed_at_s, (UINT64_C(1) << 32) + 2);
	update_free(u);
}

Test(update, what_is_asked_ends_before_additional_records)
{
	build_signed("hmac-sha256", 32, 0);
	struct update *u = update_decode(b.at, b.len);
	cr_assert(u);
	size_t zone_end = 12 + strlen("\4corp\7example") + 1 + 4;
	cr_expect_eq(u->asked_len, zone_end);
	update_free(u);

	build_start(&b, 9, 0x2800);
	build_question(&b, "corp.example", 6, 1);
	build_record(&b, BUILD_AUTHORITY, "pc", 1, 1, 300);
	build_u32(&b, 0x0a010007);
	build_record_end(&b);
	size_t changes_end = b.len;
	u = update_decode(b.at, b.len);
	cr_assert(u);
	cr_expect_eq(u->asked_len, changes_end, "nothing additional");
	update_free(u);
	build_opt(&b, 1232, 0, NULL, 0);
	u = update_decode(b.at, b.len);
	cr_assert(u);
	cr_expect_eq(u->asked_len, changes_end);
	update_free(u);
}

Test(update, algorithm_may_be_compressed)
{
	build_start(&b, 9, 0x2800);
	build_question(&b, "gss-tsig", 6, 1);
	build_record(&b, BUILD_ADDITIONAL, "key", 250, 255, 0);
	build_pointer(&b, 12);
	build_octets(&b, "\0\0\0\0\0\1\0\1\0\0\0\x09\0\0\0\0", 16);
	build_record_end(&b);
	struct update *u = update_decode(b.at, b.len);
	cr_assert(u);
	cr_expect_eq(u->signature, UPDATE_GSS_TSIG);
	update_free(u);
}

Test(update, zone_must_be_one_soa)
{
	build_start(&b, 9, 0x2800);
	build_question(&b, "corp.example", 1, 1);
	struct update *u = update_decode(b.at, b.len);
	cr_assert(u);
	cr_expect_not(u->zone_valid, "type A");
	update_free(u);
	build_start(&b, 9, 0x2800);
	build_question(&b, "corp.example", 6, 1);
	build_question(&b, "other.example", 6, 1);
	u = update_decode(b.at, b.len);
	cr_assert(u);
	cr_expect_not(u->zone_valid, "two zones");
	update_free(u);
	build_start(&b, 9, 0x2800);
	u = update_decode(b.at, b.len);
	cr_assert(u);
	cr_expect_not(u->zone_valid, "none");
	cr_expect_str_eq(u->zone, ".");
	update_free(u);
}

Test(update, changes_beyond_what_the_decoder_keeps)
{
	build_start(&b, 9, 0x2800);
	build_question(&b, "corp.example", 6, 1);
	for (unsigned i = 0; i < 300; i++) {
		build_record(&b, BUILD_AUTHORITY, NULL, 1, 1, i);
		build_u32(&b, i);
		build_record_end(&b);
	}
	size_t changes_end = b.len;
	build_record(&b, BUILD_ADDITIONAL, "key", 250, 255, 0);
	build_name(&b, "hmac-sha1");
	build_octets(&b, "\0\0\0\0\0\1\0\1\0\0\0\x09\0\0\0\0", 16);
	build_record_end(&b);
	struct update *u = update_decode(b.at, b.len);
	cr_assert(u);
	cr_assert_eq(u->change_count, 300);
	cr_expect_eq(u->change[299].ttl, 299);
	cr_expect_str_eq(u->change[299].rdata, "0.0.1.43");
	cr_expect_eq(u->asked_len, changes_end);
	cr_expect_eq(u->signature, UPDATE_TSIG);
	update_free(u);
}

Test(update, other_messages_and_broken_ones_are_refused)
{
	dns_sample_make(&b, "query");
	cr_expect_null(update_decode(b.at, b.len), "a query");
	dns_sample_make(&b, "update_tsig");
	cr_expect_null(update_decode(b.at, b.len - 1), "cut");
	cr_expect_null(update_decode(b.at, 0), "nothing");
	/* RDLENGTH 0 is legal for the decoder in class ANY, but no TSIG is empty. */
	build_start(&b, 9, 0x2800);
	build_record(&b, BUILD_ADDITIONAL, "key", 250, 255, 0);
	build_record_end(&b);
	cr_expect_null(update_decode(b.at, b.len), "an empty TSIG");
	/* MAC longer than the record. */
	build_signed("hmac-sha256", 4, 0);
	b.at[b.len - 4 - 6 - 1] = 200;
	cr_expect_null(update_decode(b.at, b.len), "a MAC that overruns");
	update_free(NULL);
}

Test(update, several_tsig_records_are_read_without_a_leak)
{
	build_signed("hmac-sha256", 4, 0);
	build_record(&b, BUILD_ADDITIONAL, "last", 250, 255, 0);
	build_name(&b, "hmac-sha512");
	build_octets(&b, "\0\0\0\0\0\1\0\1\0\0\0\x09\0\0\0\0", 16);
	build_record_end(&b);
	struct update *u = update_decode(b.at, b.len);
	cr_assert(u);
	cr_expect_str_eq(u->key_name, "last");
	update_free(u);
}

Test(update, every_cut_is_refused)
{
	static const char *const samples[] = { "update_unsigned", "update_tsig", "update_gss",
		"update_sig0" };
	struct guard g = { 0 };

	for (size_t i = 0; i < ARRAY_LEN(samples); i++) {
		dns_sample_make(&b, samples[i]);
		for (size_t len = 0; len < b.len; len++)
			cr_assert_null(update_decode(guard_place(&g, b.at, len), len),
				"%s at %zu", samples[i], len);
	}
	guard_deinit(&g);
}

/* --- prerequisites, times, faults --------------------------------------------------------- */

static void start_update(void)
{
	build_start(&b, 9, 0x2800);
	build_question(&b, "corp.example", 6, 1);
}

static void put_record(enum build_count section, const char *owner, unsigned type,
	unsigned class, uint32_t ttl)
{
	build_record(&b, section, owner, type, class, ttl);
}

/* Every kind of RFC 2136 2.4. */
Test(update, each_kind_of_prerequisite)
{
	static const struct {
		unsigned type, class;
		bool has_data;
		enum update_condition condition;
	} rows[] = {
		{ 255, 255, false, UPDATE_NAME_IN_USE },
		{ 255, 254, false, UPDATE_NAME_IS_UNUSED },
		{ 1, 255, false, UPDATE_RRSET_EXISTS },
		{ 1, 254, false, UPDATE_RRSET_ABSENT },
		{ 1, 1, true, UPDATE_RRSET_EQUALS },
	};

	start_update();
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		put_record(BUILD_ANSWER, "PC7.corp.example", rows[i].type, rows[i].class, 0);
		if (rows[i].has_data)
			build_u32(&b, 0x0a010007);
		build_record_end(&b);
	}
	struct update *u = update_decode(b.at, b.len);
	cr_assert(u);
	cr_assert_eq(u->prerequisite_count, ARRAY_LEN(rows));
	cr_expect_eq(u->fault, UPDATE_FAULT_NONE);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct update_prerequisite *p = &u->prerequisite[i];
		cr_expect_eq(p->condition, rows[i].condition, "%zu", i);
		cr_expect_eq(p->type, rows[i].type, "%zu", i);
		cr_expect_str_eq(p->name, "pc7.corp.example", "%zu", i);
		cr_expect_str_eq(p->rdata, rows[i].has_data ? "10.1.0.7" : "", "%zu", i);
	}
	update_free(u);
}

Test(update, badtime_carries_the_servers_clock)
{
	static const unsigned errors[] = { 18, 16 };

	for (size_t i = 0; i < ARRAY_LEN(errors); i++) {
		build_start(&b, 9, 0xa809);
		put_record(BUILD_ADDITIONAL, "key", 250, 255, 0);
		build_name(&b, "hmac-sha256");
		build_octets(&b, "\0\0\x65\0\0\0\1\x2c\0\0\0\x09", 12);
		build_u16(&b, errors[i]);
		build_octets(&b, "\0\6\0\1\x65\0\0\x09", 8);
		build_record_end(&b);
		struct update *u = update_decode(b.at, b.len);
		cr_assert(u);
		cr_expect_eq(u->tsig_error, errors[i]);
		cr_expect_eq(
			u->has_server_time, errors[i] == 18, "other data of BADTIME alone");
		if (errors[i] == 18)
			cr_expect_eq(u->server_time_s, (UINT64_C(1) << 32) + 0x65000009);
		update_free(u);
	}
}

Test(update, every_fault_has_its_name)
{
	static const struct {
		enum update_fault fault;
		const char *name;
		enum build_count section;
		unsigned type, class, data_len;
		uint32_t ttl;
	} rows[] = {
		{ UPDATE_FAULT_PREREQUISITE_CLASS, "of another class", BUILD_ANSWER, 1, 3, 4,
			0 },
		{ UPDATE_FAULT_PREREQUISITE_TTL, "with a TTL", BUILD_ANSWER, 1, 255, 0, 9 },
		{ UPDATE_FAULT_PREREQUISITE_RDATA, "exists, with RDATA", BUILD_ANSWER, 1, 255,
			4, 0 },
		{ UPDATE_FAULT_CHANGE_CLASS, "of another class", BUILD_AUTHORITY, 1, 3, 4, 9 },
		{ UPDATE_FAULT_CHANGE_TYPE, "adds ANY", BUILD_AUTHORITY, 255, 1, 4, 9 },
		{ UPDATE_FAULT_CHANGE_TYPE, "deletes AXFR", BUILD_AUTHORITY, 252, 255, 0, 0 },
		{ UPDATE_FAULT_CHANGE_TTL, "deletes with a TTL", BUILD_AUTHORITY, 1, 255, 0,
			9 },
		{ UPDATE_FAULT_CHANGE_RDATA, "deletes an RRset by RDATA", BUILD_AUTHORITY, 1,
			255, 4, 0 },
		{ UPDATE_FAULT_NONE, "adds", BUILD_AUTHORITY, 1, 1, 4, 9 },
		{ UPDATE_FAULT_NONE, "deletes a name", BUILD_AUTHORITY, 255, 255, 0, 0 },
		{ UPDATE_FAULT_NONE, "deletes a record", BUILD_AUTHORITY, 1, 254, 4, 0 },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		start_update();
		put_record(rows[i].section, NULL, rows[i].type, rows[i].class, rows[i].ttl);
		build_octets(&b, "\x0a\1\0\7", rows[i].data_len);
		build_record_end(&b);
		struct update *u = update_decode(b.at, b.len);
		cr_assert(u, "%s", rows[i].name);
		cr_expect_str_eq(update_fault_name(u->fault), update_fault_name(rows[i].fault),
			"%s", rows[i].name);
		update_free(u);
	}
}

Test(update, records_that_share_an_owner_by_pointer_and_in_full)
{
	start_update();
	put_record(BUILD_AUTHORITY, "a.corp.example", 1, 255, 0);
	build_record_end(&b);
	unsigned first = 12 + 14 + 4; /* header, question */
	build_pointer(&b, first);
	build_octets(&b, "\0\x1c\0\xff\0\0\0\0\0\0", 10);
	build_set_count(&b, BUILD_AUTHORITY, 2);
	put_record(BUILD_AUTHORITY, NULL, 16, 255, 0);
	build_record_end(&b);
	build_set_count(&b, BUILD_AUTHORITY, 3);
	struct update *u = update_decode(b.at, b.len);
	cr_assert(u);
	cr_assert_eq(u->change_count, 3);
	cr_expect_str_eq(u->change[0].name, "a.corp.example");
	cr_expect_str_eq(u->change[1].name, "a.corp.example");
	cr_expect_str_eq(u->change[2].name, "corp.example");
	update_free(u);
}
