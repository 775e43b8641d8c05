/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * stream_fixture.h -- what each test of TCP streams starts from: a rig that has seen nothing
 * and an empty script (stream_rig.h).
 *
 *	TestSuite(tcp_stream, .init = fixture_start, .fini = fixture_end);
 *
 *	fixture_add(2, 100);
 *	fixture_send(1460);
 *	rig_expect(&rig, &script, 0, 2, "both");
 *
 * Owner: fixture_end frees both. In between a test may free the script, and end and start the
 * rig, as often as it likes.
 */
#ifndef TESTS_UNIT_PACKET_STREAM_FIXTURE_H
#define TESTS_UNIT_PACKET_STREAM_FIXTURE_H

#include "tests/unit/packet/stream_rig.h"

#define FIXTURE_BYTES ((size_t)1 << 20) /* the rig's memory */

extern struct rig rig;
extern struct script script;

void fixture_start(void);
void fixture_end(void);

/* So many more queries in the script, each of this length (0: as short as they get). */
void fixture_add(size_t count, size_t message_len);
/* The whole script after a SYN, in segments of so many bytes. */
void fixture_send(size_t segment_len);

#endif
