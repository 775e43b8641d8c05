/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fake_source.h -- a capture source that a test writes down frame by frame.
 *
 *	struct fake_source f;
 *	fake_init(&f, SOURCE_END);
 *	fake_message(&f, ts_ns, "10.1.0.7", "10.1.0.53", "www.example.com", false);
 *	fake_silence(&f, 1200);
 *	input.source = &f.base;
 *	fake_deinit(&f);
 *
 * Everything here fails the test (cr_assert) when it cannot do what it is told.
 */
#ifndef TESTS_UNIT_PIPELINE_FAKE_SOURCE_H
#define TESTS_UNIT_PIPELINE_FAKE_SOURCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sensor/capture/source.h"
#include "tests/support/frames.h"

struct fake_source {
	struct source base;
	struct fake_step {
		struct frame frame; /* bytes NULL: silence */
		int silence_ms;
	} * step;
	size_t count, next, size;
	size_t batch_max; /* frames in one batch; SOURCE_BATCH_MAX unless changed */
	enum source_status end;
	bool end_with_frames; /* the end comes with the last batch, not after it */
	struct source_losses losses;
};

void fake_init(struct fake_source *f, enum source_status end);
void fake_deinit(struct fake_source *f);
/* A frame of any bytes (copied). */
void fake_frame(struct fake_source *f, int64_t ts_ns, const void *bytes, size_t bytes_len);
/* A frame of frames_build. */
void fake_built(struct fake_source *f, int64_t ts_ns, const struct frame_spec *spec);
/* A query from client to server, or the answer to it (NXDOMAIN). */
void fake_message(struct fake_source *f, int64_t ts_ns, const char *client, const char *server,
	const char *qname, bool response);
/* A batch without frames that takes this long, as on a silent wire. */
void fake_silence(struct fake_source *f, int silence_ms);

#endif
