/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/packet/stream_fixture.h"

struct rig rig;
struct script script;

void fixture_start(void)
{
	rig_start(&rig, FIXTURE_BYTES);
}

void fixture_end(void)
{
	rig_end(&rig);
	script_free(&script);
}

void fixture_add(size_t count, size_t message_len)
{
	for (size_t i = 0; i < count; i++)
		script_add(&script, message_len, false);
}

void fixture_send(size_t segment_len)
{
	rig_syn(&rig);
	for (size_t at = 0; at < script.len; at += segment_len)
		rig_send(&rig, &script, at,
			at + segment_len < script.len ? at + segment_len : script.len);
}
