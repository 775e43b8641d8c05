/* SPDX-License-Identifier: BSD-2-Clause */
/* Random streams in random segments: what must come out, and that nothing else does. */
#include <criterion/criterion.h>
#include <stdlib.h>

#include "tests/unit/packet/stream_fixture.h"

TestSuite(tcp_properties, .init = fixture_start, .fini = fixture_end);

struct segment {
	size_t from, to;
};

/* Cut at random; half of the time where messages begin, as programs do. */
static size_t cut(struct segment *out, uint64_t *random, size_t segment_max)
{
	size_t count = 0;
	for (size_t at = 0, k = 0; at < script.len;) {
		size_t to = at + 1 + rig_random(random, (uint32_t)segment_max);
		while (k < script.count && script.start[k] <= at)
			k++;
		if (to > script.start[k] && rig_random(random, 2))
			to = script.start[k];
		if (to > script.len)
			to = script.len;
		out[count++] = (struct segment){ at, to };
		at = to;
	}
	return count;
}

static void make_script(uint64_t *random)
{
	script_free(&script);
	size_t count = 1 + rig_random(random, 60);
	for (size_t i = 0; i < count; i++)
		script_add(&script,
			rig_random(random, 20) ? rig_random(random, 600)
					       : rig_random(random, 65536),
			rig_random(random, 2));
}

#define RUNS       150
#define SPREAD_MAX 16

Test(tcp_properties, split_shuffled_and_doubled_streams_give_exactly_their_messages)
{
	uint64_t random = 11;
	for (size_t run = 0; run < RUNS; run++) {
		rig_end(&rig);
		rig_start(&rig, 4 * FIXTURE_BYTES);
		make_script(&random);
		struct segment *segment = calloc(script.len, sizeof(*segment));
		size_t count = cut(segment, &random, run % 3 ? 1460 : 200);
		rig.isn = rig_random(&random, 3) ? rig_random(&random, UINT32_MAX)
						 : 0u - rig_random(&random, 5000);
		for (size_t i = 0; i + 1 < count; i++) { /* within a window */
			size_t other = i + rig_random(&random, SPREAD_MAX);
			if (other < count && rig_random(&random, 2)) {
				struct segment swapped = segment[i];
				segment[i] = segment[other];
				segment[other] = swapped;
			}
		}
		rig_syn(&rig);
		for (size_t i = 0; i < count; i++) {
			rig_send(&rig, &script, segment[i].from, segment[i].to);
			if (rig_random(&random, 4) == 0) { /* again, or with its neighbours */
				size_t again = i - rig_random(&random, (uint32_t)i + 1);
				rig_send(&rig, &script, segment[again].from, segment[again].to);
			}
		}
		rig_expect(&rig, &script, 0, script.count, "shuffled");
		cr_assert_eq(rig_stats(&rig).held_bytes, 0, "run %zu", run);
		cr_assert_eq(rig_stats(&rig).gaps, 0, "run %zu", run);
		free(segment);
	}
}

/* What came out is a part of the script, in order; returns which messages (by `out`). */
static void expect_none_invented(bool *out, size_t run)
{
	size_t k = 0;
	for (size_t i = 0; i < rig.count; i++) {
		while (k < script.count && !rig_is(&rig, i, &script, k))
			k++;
		cr_assert_lt(k, script.count, "run %zu: message %zu was never sent", run, i);
		out[k++] = true;
	}
}

/*
 * A message must come out when all its bytes were seen and its boundary is certain: the stream was
 * seen from its beginning or from a message at a segment's start, and no length was lost since.
 */
static void expect_untouched(const struct segment *segment, const bool *lost, size_t count,
	const bool *out, size_t run)
{
	bool certain = true;
	size_t i = 0;
	for (size_t k = 0; k < script.count; k++) {
		size_t from = script.start[k], to = script.start[k + 1];
		bool length_seen = true, whole = true;
		while (segment[i].to <= from)
			i++;
		bool begins_segment = segment[i].from == from;
		bool ends_segment = false;
		for (size_t j = i; j < count && segment[j].from < to; j++) {
			whole = whole && !lost[j];
			length_seen = length_seen && !(lost[j] && segment[j].from < from + 2);
			ends_segment = segment[j].to >= to;
		}
		bool provable = begins_segment && !lost[i] && segment[i].to - from >= 40;
		certain = length_seen && (certain || provable);
		if (certain && whole && ends_segment)
			cr_assert(out[k], "run %zu: message %zu is missing", run, k);
	}
}

Test(tcp_properties, losses_cost_only_what_they_touch_and_nothing_is_invented)
{
	uint64_t random = 12;
	for (size_t run = 0; run < RUNS; run++) {
		rig_end(&rig);
		rig_start(&rig, 4 * FIXTURE_BYTES);
		make_script(&random);
		struct segment *segment = calloc(script.len, sizeof(*segment));
		bool *lost = calloc(script.len, sizeof(*lost));
		bool *out = calloc(script.count, sizeof(*out));
		size_t count = cut(segment, &random, run % 3 ? 1460 : 200);
		uint32_t one_in = 2 + rig_random(&random, 30);
		if (rig_random(&random, 4))
			rig_syn(&rig);
		else
			lost[0] = true;
		for (size_t i = 0; i < count; i++) {
			lost[i] = lost[i] || rig_random(&random, one_in) == 0;
			if (!lost[i])
				rig_send(&rig, &script, segment[i].from, segment[i].to);
			if (rig_random(&random, 3) == 0)
				rig_acknowledge(&rig, segment[i].to);
			if (rig_random(&random, 50) == 0)
				rig_wait(&rig, NS_PER_S);
		}
		rig_flush(&rig);
		expect_none_invented(out, run);
		expect_untouched(segment, lost, count, out, run);
		free(segment);
		free(lost);
		free(out);
	}
}
