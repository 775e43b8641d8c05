/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Messages whose end is missing: refused when no more was sent; when it was the capture that cut
 * them, what is there is read.
 */
#include "sensor/dns/message.h"

#include "tests/support/dns_build.h"
#include "tests/support/guard.h"
#include "tests/unit/dns/captures.h"

#include <criterion/criterion.h>

static struct dns_build b;
static struct dns_message m;

struct prefixes {
	struct guard guard;
	size_t decoded;
};

/* Every cut of a message, with nothing readable behind it; of a large one, every 61st. */
static void cut_everywhere(
	void *context, const uint8_t *wire, size_t wire_len, const char *from)
{
	struct prefixes *p = context;
	size_t step = wire_len > 2048 ? 61 : 1;

	for (size_t len = 0; len < wire_len; len += step) {
		enum dns_error error =
			dns_message_decode(&m, guard_place(&p->guard, wire, len), len);
		cr_assert_lt(error, DNS_ERROR_COUNT, "%s at %zu", from, len);
		p->decoded++;
	}
	enum dns_error whole =
		dns_message_decode(&m, guard_place(&p->guard, wire, wire_len), wire_len);
	if (whole)
		return;
	size_t needed = wire_len - m.trailing_len;
	for (size_t cut = 1; cut <= needed && cut <= 16; cut++)
		cr_assert_neq(dns_message_decode(&m, wire, needed - cut), DNS_OK,
			"%s: %zu octets missing", from, cut);
}

Test(message_cut, every_cut_of_every_sample)
{
	struct prefixes p = { 0 };

	for (size_t i = 0; i < dns_samples_count; i++) {
		dns_samples[i].make(&b);
		cut_everywhere(&p, b.at, b.len, dns_samples[i].name);
	}
	corpus_each("tests/fuzz/corpus/fuzz_message", cut_everywhere, &p);
	guard_deinit(&p.guard);
	cr_expect_gt(p.decoded, 1000);
}

Test(message_cut, every_cut_of_every_captured_message)
{
	struct prefixes p = { 0 };

	size_t count = captures_each(cut_everywhere, &p);
	guard_deinit(&p.guard);
	cr_log_info("%zu messages, %zu cuts", count, p.decoded);
	cr_expect_geq(p.decoded, count);
}

/* --- messages that the capture cut ----------------------------------------------------------- */

/* What a beginning says is what the whole says, as far as it goes. */
static void expect_beginning(const struct dns_message *whole, const struct dns_message *part,
	const char *from, size_t len)
{
	cr_assert_eq(part->id, whole->id, "%s at %zu", from, len);
	cr_assert_eq(part->flags, whole->flags, "%s at %zu", from, len);
	cr_assert_eq(part->qtype, whole->qtype, "%s at %zu", from, len);
	cr_assert_eq(part->qname.wire_len, whole->qname.wire_len, "%s at %zu", from, len);
	cr_assert_arr_eq(part->qname.wire, whole->qname.wire, whole->qname.wire_len);
	cr_assert_arr_eq(part->count, whole->count, sizeof(whole->count));
	cr_assert_leq(part->record_count, whole->record_count);
	cr_assert_eq(part->trailing_len, 0);
	for (unsigned i = 0; i < part->record_count; i++) {
		cr_assert_eq(part->record[i].owner_at, whole->record[i].owner_at);
		cr_assert_eq(part->record[i].rdata_at, whole->record[i].rdata_at);
		cr_assert_eq(part->record[i].type, whole->record[i].type);
		cr_assert_leq(part->record[i].rdata_at + part->record[i].rdata_len, len);
	}
	struct dns_records it = dns_records_start(part);
	unsigned walked = 0;
	while (dns_records_next(&it))
		walked++;
	cr_assert_eq(walked, part->record_count + part->records_omitted);
}

static void capture_cut_everywhere(
	void *arg, const uint8_t *wire, size_t wire_len, const char *from)
{
	struct prefixes *p = arg;
	static struct dns_message whole;

	if (dns_message_decode(&whole, wire, wire_len))
		return;
	size_t needed = wire_len - whole.trailing_len;
	bool beyond = false; /* the question */
	for (size_t len = 0; len <= wire_len; len++) {
		enum dns_error error =
			dns_message_decode_cut(&m, guard_place(&p->guard, wire, len), len);
		if (len >= needed) {
			cr_assert_eq(error, DNS_OK, "%s at %zu: %s", from, len,
				dns_error_name(error));
		} else if (beyond || error == DNS_SNAPLEN) {
			cr_assert_eq(error, DNS_SNAPLEN, "%s at %zu of %zu: %s", from, len,
				wire_len, dns_error_name(error));
			beyond = true;
			expect_beginning(&whole, &m, from, len);
		} else {
			cr_assert(error == DNS_HEADER_TRUNCATED ||
					  error == DNS_QUESTION_TRUNCATED ||
					  error == DNS_NAME_TRUNCATED,
				"%s at %zu: %s", from, len, dns_error_name(error));
		}
		p->decoded++;
	}
}

Test(message_cut, of_a_message_that_the_capture_cut_its_beginning_is_known)
{
	struct prefixes p = { 0 };

	for (size_t i = 0; i < dns_samples_count; i++) {
		dns_samples[i].make(&b);
		capture_cut_everywhere(&p, b.at, b.len, dns_samples[i].name);
	}
	captures_each(capture_cut_everywhere, &p);
	guard_deinit(&p.guard);
	cr_expect_gt(p.decoded, 1000);
}

Test(message_cut, what_is_wrong_before_the_cut_is_still_wrong)
{
	build_start(&b, 1, DNS_FLAG_QR);
	build_question(&b, "www.example.com", DNS_TYPE_A, DNS_CLASS_IN);
	build_record(&b, BUILD_ANSWER, NULL, DNS_TYPE_A, DNS_CLASS_IN, 300);
	build_octets(&b, "abc", 3); /* an address of 3 octets */
	build_record_end(&b);
	build_set_count(&b, BUILD_ANSWER, 2);
	cr_assert_eq(dns_message_decode_cut(&m, b.at, b.len), DNS_RDATA_LENGTH);
	cr_assert_eq(dns_message_decode(&m, b.at, b.len), DNS_RDATA_LENGTH);
	cr_assert_eq(dns_message_decode_cut(&m, b.at, b.len - 1), DNS_SNAPLEN);
	cr_assert_eq(dns_message_decode(&m, b.at, b.len - 1), DNS_RECORD_TRUNCATED);
}
