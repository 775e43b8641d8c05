/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bench_stages -- what each stage of the way costs per packet, on one thread: read, decode (link to
 * UDP), message (DNS), observe (tenant, matching, copying), judge (pairing and every rule). Each
 * stage runs over a batch before the next, so the figures are of warm code and of one stage alone.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rules/judge.h"
#include "sensor/app/load.h"
#include "sensor/base/clock.h"
#include "sensor/capture/source.h"
#include "sensor/config/config.h"
#include "sensor/pipeline/observe.h"

enum stage {
	STAGE_READ,
	STAGE_DECODE,
	STAGE_MESSAGE,
	STAGE_OBSERVE,
	STAGE_JUDGE,
	STAGE_COUNT,
};

static const char *const stage_name[STAGE_COUNT] = { "read", "decode", "message", "observe",
	"judge" };

struct bench {
	struct source *source;
	struct observer observer;
	struct decoder *decoder;
	struct judge *judge;
	int64_t ns[STAGE_COUNT];
	uint64_t packets, alerts, seq;
	struct frame frame[SOURCE_BATCH_MAX];
	struct packet packet[SOURCE_BATCH_MAX];
	bool is_dns[SOURCE_BATCH_MAX];
	struct parties who[SOURCE_BATCH_MAX];
	struct judge_places places[SOURCE_BATCH_MAX];
	struct dns_message *message; /* one per frame of a batch */
	char *block[SOURCE_BATCH_MAX];
};

static int64_t lap(int64_t *total, int64_t since)
{
	int64_t now = clock_monotonic_ns();
	*total += now - since;
	return now;
}

static void count_alert(void *arg, const struct alert *a)
{
	(void)a;
	++*(uint64_t *)arg;
}

static void run_batch(struct bench *b, size_t count, int64_t t)
{
	for (size_t i = 0; i < count; i++)
		b->is_dns[i] =
			packet_decode(&b->packet[i], &b->frame[i], b->decoder) == PACKET_DNS;
	t = lap(&b->ns[STAGE_DECODE], t);
	for (size_t i = 0; i < count; i++)
		b->is_dns[i] =
			b->is_dns[i] && dns_message_decode(&b->message[i], b->packet[i].payload,
						b->packet[i].payload_len) == DNS_OK;
	t = lap(&b->ns[STAGE_MESSAGE], t);
	for (size_t i = 0; i < count; i++)
		if (b->is_dns[i])
			observe_prepare(&b->observer, &b->who[i], &b->frame[i], &b->packet[i],
				&b->message[i]);
	for (size_t i = 0; i < count; i++) {
		if (!b->is_dns[i])
			continue;
		struct observation *o = (struct observation *)b->block[i];
		observe_tenant(&b->observer, &b->who[i], &b->frame[i], &b->packet[i]);
		observe_build(&b->observer, o, &b->frame[i], &b->packet[i], &b->who[i],
			&b->message[i]);
		o->seq = ++b->seq;
	}
	t = lap(&b->ns[STAGE_OBSERVE], t);
	for (size_t i = 0; i < count; i++)
		if (b->is_dns[i])
			judge_prepare(
				b->judge, (struct observation *)b->block[i], &b->places[i]);
	for (size_t i = 0; i < count; i++)
		if (b->is_dns[i])
			judge_prefetch(
				b->judge, (struct observation *)b->block[i], &b->places[i]);
	for (size_t i = 0; i < count; i++)
		if (b->is_dns[i])
			judge_observe_prepared(
				b->judge, (struct observation *)b->block[i], &b->places[i]);
	lap(&b->ns[STAGE_JUDGE], t);
}

static int run(struct bench *b)
{
	struct err_ctx why = { { 0 } };
	enum source_status status;
	size_t count;
	do {
		int64_t t = clock_monotonic_ns();
		status = source_next_batch(b->source, b->frame, &count, &why);
		t = lap(&b->ns[STAGE_READ], t);
		b->packets += count;
		run_batch(b, count, t);
	} while (status == SOURCE_OK);
	if (status == SOURCE_ERROR)
		fprintf(stderr, "bench_stages: %s\n", why.text);
	return status == SOURCE_ERROR;
}

static void print(const struct bench *b)
{
	double total = 0;
	for (int i = 0; i < STAGE_COUNT; i++)
		total += (double)b->ns[i];
	for (int i = 0; i < STAGE_COUNT; i++)
		printf("stage %-10s %7.1f ns/packet  %4.0f %%\n", stage_name[i],
			(double)b->ns[i] / (double)b->packets, 100 * (double)b->ns[i] / total);
	printf("stage %-10s %7.1f ns/packet  (%llu packets, %llu alerts before suppression)\n",
		"all", total / (double)b->packets, (unsigned long long)b->packets,
		(unsigned long long)b->alerts);
}

int main(int argc, char **argv)
{
	struct err_ctx why = { { 0 } };
	struct bench b = { 0 };
	static struct packet_options packet;
	struct config *config = NULL;
	struct knowledge *known = NULL;
	if (argc != 3) {
		fprintf(stderr, "usage: bench_stages CONFIG CAPTURE\n");
		return 2;
	}
	if (config_load(&config, argv[1], &why) != ERR_OK ||
		load_knowledge(&known, config, &(struct load_options){ .seed = 1 }, NULL,
			&why) != ERR_OK ||
		source_open_file(&b.source, argv[2], &why) != ERR_OK) {
		fprintf(stderr, "bench_stages: %s\n", why.text);
		return 1;
	}
	packet_options_init(&packet);
	port_set_add(&packet.ports, 53);
	b.decoder = decoder_new(&packet, DECODER_BYTES_MIN);
	b.message = calloc(SOURCE_BATCH_MAX, sizeof(*b.message));
	for (size_t i = 0; i < SOURCE_BATCH_MAX; i++)
		b.block[i] = aligned_alloc(CACHE_LINE, 128 * 1024);
	b.observer = (struct observer){ known, &packet.ports, tenant_cache_new() };
	b.judge = judge_new(
		&(struct judge_options){ .memory_bytes = config->sensor.memory_mb << 20,
			.seed = 1,
			.sink = count_alert,
			.sink_arg = &b.alerts },
		known);
	int status = run(&b);
	print(&b);
	judge_free(b.judge);
	decoder_free(b.decoder);
	source_close(b.source);
	load_free(known);
	config_free(config);
	return status;
}
