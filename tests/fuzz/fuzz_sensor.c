/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fuzz_sensor.c -- any traffic through the whole sensor, as the demo's two companies have it: frames are
 * decoded, matched and judged; alerts, change log, explanations and DNS log are written.
 *
 * Twice: frames that come together and frames that come one by one. What is asked for ahead in a batch
 * must make no difference: every octet that is written is the same. Every line is JSON, and the books
 * balance.
 *
 * The input is cut into messages, each behind the four octets of struct head.
 */
#include <jansson.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "sensor/app/account.h"
#include "sensor/app/engine.h"
#include "sensor/app/load.h"
#include "sensor/base/clock.h"
#include "sensor/base/log.h"

#define CONFIG       "tests/data/demo.yaml"
#define START_NS     (INT64_C(1785585600) * NS_PER_S)
#define MEMORY_BYTES ((size_t)2 << 20)
#define SEED         1

#define FRAMES_MAX    192
#define HEAD_BYTES    4
#define HEADERS_BYTES (14 + 20 + 8)
#define MESSAGE_MAX   2048

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds)
{
	if (!holds)
		abort();
}

/* --- traffic ------------------------------------------------------------------------------------ */

/* Frames that were made before, so many at once. */
struct traffic {
	struct source base;
	const struct frame *frame;
	size_t left, at_once;
};

static enum source_status traffic_next_batch(struct source *s,
	struct frame batch[SOURCE_BATCH_MAX], size_t *count, struct err_ctx *why)
{
	struct traffic *t = (struct traffic *)s;

	(void)why;
	*count = t->left < t->at_once ? t->left : t->at_once;
	memcpy(batch, t->frame, *count * sizeof(*batch));
	t->frame += *count;
	t->left -= *count;
	return t->left > 0 ? SOURCE_OK : SOURCE_END;
}

static void traffic_losses(struct source *s, struct source_losses *out)
{
	(void)s;
	*out = (struct source_losses){ 0 };
}

static const struct source_ops traffic_ops = {
	.next_batch = traffic_next_batch,
	.losses = traffic_losses,
};

/* What stands before a message. */
struct head {
	unsigned gap, times; /* since the message before */
	bool is_frame;       /* the octets are a frame as it is, not a message over UDP */
	bool from_server;
	unsigned client, server;
	size_t len;
};

static struct head head_read(const uint8_t *at, size_t left)
{
	struct head h = {
		.gap = at[0] & 7,
		.times = 1u + (at[0] >> 5),
		.is_frame = at[0] >> 4 & 1,
		.from_server = at[0] >> 3 & 1,
		.client = at[1] & 15,
		.server = at[1] >> 4,
		.len = (size_t)at[2] << 8 | at[3],
	};

	if (h.len > left - HEAD_BYTES)
		h.len = left - HEAD_BYTES;
	return h;
}

static int64_t time_passed(const struct head *h)
{
	static const int64_t gaps[] = { 10 * NS_PER_US, 0, 20 * NS_PER_MS, NS_PER_S,
		61 * NS_PER_S, 3600 * NS_PER_S, 86400 * NS_PER_S, -2 * NS_PER_S };

	return gaps[h->gap] * h->times;
}

static void put_u16(uint8_t *at, size_t number)
{
	at[0] = (uint8_t)(number >> 8);
	at[1] = (uint8_t)number;
}

/* Ethernet, IPv4 and UDP before the message. Clients of both companies and of none, servers likewise. */
static size_t build(uint8_t *out, const struct head *h, const uint8_t *message, size_t len)
{
	static const uint8_t servers[][4] = { { 10, 1, 0, 53 }, { 10, 1, 0, 54 },
		{ 10, 2, 0, 53 }, { 10, 1, 0, 10 }, { 9, 9, 9, 9 }, { 192, 0, 2, 53 },
		{ 10, 2, 0, 9 }, { 10, 1, 0, 5 } };
	const uint8_t client[4] = { 10, (uint8_t)(1 + h->client / 6), (uint8_t)(h->client % 6),
		10 };
	const uint8_t *server = servers[h->server % ARRAY_LEN(servers)];
	uint8_t *ip = out + 14, *udp = ip + 20;

	memset(out, 0, HEADERS_BYTES);
	put_u16(out + 12, 0x0800);
	ip[0] = 0x45;
	put_u16(ip + 2, 28 + len);
	ip[8] = 64;
	ip[9] = IPPROTO_UDP;
	memcpy(ip + 12, h->from_server ? server : client, 4);
	memcpy(ip + 16, h->from_server ? client : server, 4);
	put_u16(udp, h->from_server ? 53 : 40000);
	put_u16(udp + 2, h->from_server ? 40000 : 53);
	put_u16(udp + 4, 8 + len);
	memcpy(udp + 8, message, len);
	return HEADERS_BYTES + len;
}

struct capture {
	size_t count;
	struct frame frame[FRAMES_MAX];
	uint8_t octets[FRAMES_MAX][HEADERS_BYTES + MESSAGE_MAX];
};

static void add_frame(
	struct capture *c, const struct head *h, const uint8_t *message, int64_t ts_ns)
{
	uint8_t *octets = c->octets[c->count];
	size_t len = h->len < MESSAGE_MAX ? h->len : MESSAGE_MAX;

	if (h->is_frame)
		memcpy(octets, message, len);
	else
		len = build(octets, h, message, len);
	c->frame[c->count++] = (struct frame){
		.bytes = octets,
		.caplen = (uint32_t)len,
		.wire_len = (uint32_t)len,
		.ts_ns = ts_ns,
		.link = PACKET_LINK_ETHERNET,
	};
}

static void make_capture(struct capture *c, const uint8_t *data, size_t size)
{
	int64_t ts_ns = START_NS;

	c->count = 0;
	while (size > HEAD_BYTES && c->count < FRAMES_MAX) {
		struct head h = head_read(data, size);
		ts_ns += time_passed(&h);
		add_frame(c, &h, data + HEAD_BYTES, ts_ns);
		data += HEAD_BYTES + h.len;
		size -= HEAD_BYTES + h.len;
	}
}

/* --- what is written ------------------------------------------------------------------------------ */

/* All lines that go to it, one behind the other. */
struct lines {
	struct sink base;
	struct text *text;
};

static void lines_write(struct sink *s, const struct sink_record *record)
{
	struct lines *l = (struct lines *)s;

	text_add(l->text, record->json, record->json_len);
	text_putc(l->text, '\n');
}

static void lines_flush(struct sink *s)
{
	(void)s;
}

static void lines_close(struct sink *s, int timeout_ms)
{
	(void)s;
	(void)timeout_ms;
}

static void lines_free(struct sink *s)
{
	free(s);
}

static const struct sink_api lines_api = {
	.write = lines_write,
	.flush = lines_flush,
	.close = lines_close,
	.free = lines_free,
};

static void listen_for(struct output *o, enum alert_kind kind, struct text *text)
{
	struct lines *l = calloc(1, sizeof(*l));

	require(l != NULL);
	*l = (struct lines){ .base = { .api = &lines_api, .name = "lines" }, .text = text };
	require(output_add_sink_for(o, kind, &l->base));
}

static size_t check_json(const struct text *t)
{
	size_t count = 0;

	require(!t->failed);
	if (t->len == 0)
		return 0;
	for (const char *at = t->at, *end = t->at + t->len; at < end; count++) {
		const char *newline = memchr(at, '\n', (size_t)(end - at));
		require(newline != NULL);
		json_t *object =
			json_loadb(at, (size_t)(newline - at), JSON_REJECT_DUPLICATES, NULL);
		require(json_is_object(object));
		json_decref(object);
		at = newline + 1;
	}
	return count;
}

/* --- the run ------------------------------------------------------------------------------------------ */

struct run {
	struct text alerts, changes, explanations, dnslog;
};

static void run_deinit(struct run *r)
{
	text_deinit(&r->alerts);
	text_deinit(&r->changes);
	text_deinit(&r->explanations);
	text_deinit(&r->dnslog);
}

static struct knowledge *known;
static struct packet_options packet_options;

static void load(void)
{
	const struct load_options options = { .seed = SEED };
	struct config *config;
	struct err_ctx why;

	log_set_level(LOG_LEVEL_ERROR);
	if (config_load(&config, CONFIG, &why) != ERR_OK ||
		load_knowledge(&known, config, &options, NULL, &why) != ERR_OK) {
		fprintf(stderr, "%s\n", why.text);
		exit(1);
	}
	load_packet_options(&packet_options, config, SEED);
	config_free(config);
}

static uint64_t sum_of(const struct summary_pairs *pairs)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < pairs->count; i++)
		sum += pairs->pair[i].count;
	return sum;
}

static void check_books(
	struct engine *e, const struct output *output, const struct run *r, size_t frames)
{
	struct account account;

	require(account_take(&account, e, output, known->policies));
	const struct summary *s = &account.summary;
	require(s->packets.read == frames);
	require(s->packets.read ==
		s->packets.dns + s->packets.other + sum_of(&s->packets.rejected));
	require(s->dns.messages == s->dns.queries + s->dns.responses);
	require(s->dns.messages == sum_of(&s->dns.opcodes));
	require(s->dns.responses == sum_of(&s->dns.rcodes));
	require(s->alerts.written == sum_of(&s->alerts.by_rule));
	require(s->alerts.written == check_json(&r->alerts));
	require(s->dns.messages == check_json(&r->dnslog));
	require(s->pairs.pending == 0);
	check_json(&r->changes);
	account_deinit(&account);
}

static void read_dnslog(struct text *out, int fd)
{
	char octets[65536];
	ssize_t got;

	for (off_t at = 0; (got = pread(fd, octets, sizeof(octets), at)) > 0; at += got)
		text_add(out, octets, (size_t)got);
}

static void run(struct run *r, const struct capture *c, size_t at_once)
{
	static int log_fd = -1;
	const struct output_options names = { .sensor = "fuzz", .version = "0" };
	const enum dedup_mode dedup = DEDUP_AUTO;
	struct output *output = output_new(&names);
	struct engine engine;
	struct err_ctx why;
	char log_path[64];

	*r = (struct run){ 0 };
	if (log_fd == -1)
		log_fd = memfd_create("dns-log", 0);
	snprintf(log_path, sizeof(log_path), "/proc/self/fd/%d", log_fd);
	struct dnslog *dnslog = dnslog_open(log_path, 0);
	require(output && dnslog);
	listen_for(output, ALERT_RAISED, &r->alerts);
	listen_for(output, ALERT_CHANGE, &r->changes);
	listen_for(output, ALERT_EXPLANATION, &r->explanations);
	const struct engine_options options = {
		.shard_count = 1,
		.input_count = 1,
		.memory_bytes = MEMORY_BYTES,
		.seed = SEED,
		.known = known,
		.packet = &packet_options,
		.dedup = &dedup,
		.output = output,
		.dnslog = dnslog,
	};
	require(engine_init(&engine, &options, &why) == ERR_OK);
	struct traffic traffic = { { .ops = &traffic_ops, .name = "fuzz" }, c->frame, c->count,
		at_once };
	struct input *in = engine_input(&engine, 0);
	in->source = &traffic.base;
	require(engine_start(&engine, &why) == ERR_OK);
	require(input_run(in, &why) == SOURCE_END);
	engine_finish(&engine);
	require(output_close(output, 0) == 0);
	require(dnslog_close(dnslog) == 0);
	read_dnslog(&r->dnslog, log_fd);
	check_books(&engine, output, r, c->count);
	engine_deinit(&engine);
	output_free(output);
}

static bool same(const struct text *a, const struct text *b)
{
	return a->len == b->len && (a->len == 0 || memcmp(a->at, b->at, a->len) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct capture capture;
	struct run together, alone;

	if (!known)
		load();
	make_capture(&capture, data, size);
	run(&together, &capture, SOURCE_BATCH_MAX);
	run(&alone, &capture, 1);
	require(same(&together.alerts, &alone.alerts));
	require(same(&together.changes, &alone.changes));
	require(same(&together.explanations, &alone.explanations));
	require(same(&together.dnslog, &alone.dnslog));
	run_deinit(&together);
	run_deinit(&alone);
	return 0;
}
