/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/pipeline/fake_source.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <criterion/criterion.h>

#include "sensor/dns/message.h"
#include "tests/support/dns_build.h"

static struct fake_source *fake_of(struct source *s)
{
	return (struct fake_source *)s;
}

static enum source_status fake_next_batch(struct source *s,
	struct frame batch[SOURCE_BATCH_MAX], size_t *count, struct err_ctx *why)
{
	struct fake_source *f = fake_of(s);

	*count = 0;
	if (f->next < f->count && !f->step[f->next].frame.bytes) {
		usleep((useconds_t)f->step[f->next++].silence_ms * 1000);
		return SOURCE_OK;
	}
	while (f->next < f->count && *count < f->batch_max && f->step[f->next].frame.bytes) {
		batch[*count] = f->step[f->next++].frame;
		s->position_bytes += batch[(*count)++].caplen;
	}
	if (f->next < f->count || (*count > 0 && !f->end_with_frames))
		return SOURCE_OK;
	if (f->end == SOURCE_ERROR)
		err_set(why, ERR_INPUT, "the fake source is damaged");
	return f->end;
}

static void fake_losses(struct source *s, struct source_losses *out)
{
	*out = fake_of(s)->losses;
}

static void fake_interrupt(struct source *s)
{
	(void)s;
}

static void fake_close(struct source *s)
{
	(void)s;
}

static const struct source_ops fake_ops = {
	.next_batch = fake_next_batch,
	.losses = fake_losses,
	.interrupt = fake_interrupt,
	.close = fake_close,
};

void fake_init(struct fake_source *f, enum source_status end)
{
	*f = (struct fake_source){
		.base = { .ops = &fake_ops, .name = "fake" },
		.batch_max = SOURCE_BATCH_MAX,
		.end = end,
	};
}

void fake_deinit(struct fake_source *f)
{
	for (size_t i = 0; i < f->count; i++)
		free((void *)(uintptr_t)f->step[i].frame.bytes);
	free(f->step);
}

static struct fake_step *step_add(struct fake_source *f)
{
	if (f->count == f->size) {
		f->size = f->size ? 2 * f->size : 64;
		f->step = realloc(f->step, f->size * sizeof(*f->step));
		cr_assert_not_null(f->step);
	}
	f->step[f->count] = (struct fake_step){ .silence_ms = 0 };
	return &f->step[f->count++];
}

void fake_frame(struct fake_source *f, int64_t ts_ns, const void *bytes, size_t bytes_len)
{
	uint8_t *copy = malloc(bytes_len + 1);

	cr_assert_not_null(copy);
	memcpy(copy, bytes, bytes_len);
	step_add(f)->frame = (struct frame){
		.bytes = copy,
		.caplen = (uint32_t)bytes_len,
		.wire_len = (uint32_t)bytes_len,
		.ts_ns = ts_ns,
		.link = PACKET_LINK_ETHERNET,
	};
}

void fake_built(struct fake_source *f, int64_t ts_ns, const struct frame_spec *spec)
{
	struct frame_spec ethernet = *spec;
	uint8_t bytes[FRAMES_BYTES_MAX];

	ethernet.link = PACKET_LINK_ETHERNET;
	fake_frame(f, ts_ns, bytes, frames_build(bytes, &ethernet));
}

void fake_message(struct fake_source *f, int64_t ts_ns, const char *client, const char *server,
	const char *qname, bool response)
{
	static struct dns_build b;
	struct frame_spec spec = {
		.src = response ? server : client,
		.dst = response ? client : server,
		.sport = response ? 53 : 40000,
		.dport = response ? 40000 : 53,
	};

	build_start(&b, 1, response ? DNS_FLAG_QR | DNS_RCODE_NXDOMAIN : 0);
	build_question(&b, qname, DNS_TYPE_A, DNS_CLASS_IN);
	spec.payload = b.at;
	spec.payload_len = b.len;
	fake_built(f, ts_ns, &spec);
}

void fake_silence(struct fake_source *f, int silence_ms)
{
	step_add(f)->silence_ms = silence_ms;
}
