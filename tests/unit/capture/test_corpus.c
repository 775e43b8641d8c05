/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Real captures, when $DYNWATCH_SHARED/pcaps (default ../shared) is there: every frame has exactly
 * one result, whole and cut at every length.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sensor/capture/source.h"
#include "tests/support/guard.h"
#include "tests/unit/capture/file_rig.h"

static struct packet_options options;
static struct decoder *decoder, *prefixes;

/* What one frame's result must keep, whatever it is. */
static void expect_sane(const struct packet *p, enum packet_result result,
	const struct frame *frame, const char *name)
{
	cr_assert_lt(result, PACKET_RESULT_COUNT, "%s", name);
	bool cut_segment = result == PACKET_REJECT_SNAPLEN && p->tcp_len > 0;
	cr_assert_eq(result == PACKET_DNS || cut_segment, p->payload != NULL, "%s", name);
	if (p->payload && p->held == 0) { /* else it is the decoder's */
		cr_assert_geq(p->payload, frame->bytes, "%s", name);
		cr_assert_leq(
			p->payload + p->payload_len, frame->bytes + frame->caplen, "%s", name);
	}
}

static void try_every_prefix(struct guard *g, const struct frame *whole, const char *name)
{
	for (uint32_t len = 0; len <= whole->caplen; len++) {
		struct frame cut = *whole;
		struct packet p;
		cut.bytes = guard_place(g, whole->bytes, len);
		cut.caplen = len;
		expect_sane(&p, packet_decode(&p, &cut, prefixes), &cut, name);
		cut.wire_len = len;
		expect_sane(&p, packet_decode(&p, &cut, prefixes), &cut, name);
	}
}

static void try_capture(const char *path)
{
	uint64_t read = 0, results[PACKET_RESULT_COUNT] = { 0 }, sum = 0;
	struct frame batch[SOURCE_BATCH_MAX];
	struct err_ctx why = { 0 };
	struct guard g = { 0 };
	struct source *s;
	size_t count;

	decoder = decoder_new(&options, DECODER_BYTES_MIN);
	prefixes = decoder_new(&options, DECODER_BYTES_MIN);
	if (source_open_file(&s, path, &why) != ERR_OK) {
		/* the collection has link types that are not decoded, and says so in their names */
		cr_assert_not_null(strstr(why.text, "link type"), "%s", why.text);
		return;
	}
	while (source_next_batch(s, batch, &count, &why) == SOURCE_OK) {
		for (size_t i = 0; i < count; i++) {
			struct packet p;
			enum packet_result result = packet_decode(&p, &batch[i], decoder);
			expect_sane(&p, result, &batch[i], path);
			read++;
			results[result] += result != PACKET_HELD;
			results[result] += p.held;
			try_every_prefix(&g, &batch[i], path);
		}
	}
	decoder_flush(decoder);
	struct decoder_settled settled = decoder_settled(decoder);
	sum = settled.incomplete + settled.evicted;
	for (size_t i = 0; i < PACKET_RESULT_COUNT; i++)
		sum += results[i];
	cr_assert_eq(sum, read, "%s", path);
	cr_assert_gt(read, 0, "%s", path);
	cr_assert_eq(results[PACKET_REJECT_RING_FULL] + results[PACKET_HELD], 0);
	guard_deinit(&g);
	decoder_free(decoder);
	decoder_free(prefixes);
	source_close(s);
}

Test(corpus, every_frame_cut_at_every_length_has_one_result)
{
	packet_options_init(&options);
	port_set_add(&options.ports, 53);
	shared_captures_each(false, try_capture);
}
