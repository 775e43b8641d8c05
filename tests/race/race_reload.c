/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * race_reload -- what is known changes as fast as it can be published, under ThreadSanitizer (make
 * race): two live inputs, three lanes with trackers, one output, and a reloader that frees each old
 * version as soon as it may.
 *
 * Every version lists stable.test, at another entry, and has another set of tenants. So every message
 * that is judged has its alert, and every message is counted for a tenant, whatever version it met; a
 * number taken for one of another version would miss one or the other, or read freed memory.
 */
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "sensor/app/account.h"
#include "sensor/app/engine.h"
#include "sensor/base/clock.h"

#define ALARM_S      240
#define VERSIONS     500
#define SHARDS       3
#define INPUTS       2
#define TENANTS      5
#define FILLERS      7
#define SEED         1
#define QUERY_BYTES  64
#define BATCH        4
#define START_NS     (INT64_C(1785585600) * NS_PER_S)
#define MEMORY_BYTES ((size_t)32 << 20)

static void fail(const char *what)
{
	fprintf(stderr, "race_reload: %s\n", what);
	exit(1);
}

/* --- traffic ----------------------------------------------------------------------------------- */

/* Queries for n<number>.stable.test by clients of all tenants, until it is over. */
struct traffic {
	struct source base;
	struct gauge *over;
	unsigned next;
	struct packet packet[SOURCE_BATCH_MAX];
	uint8_t bytes[SOURCE_BATCH_MAX][QUERY_BYTES];
};

static size_t make_query(uint8_t bytes[QUERY_BYTES], unsigned number)
{
	static const uint8_t header[12] = { 0, 1, 1, 0, 0, 1 };
	char label[16];
	int label_len = snprintf(label, sizeof(label), "n%u", number % 1000000);
	uint8_t *at = bytes;

	memcpy(at, header, sizeof(header));
	at += sizeof(header);
	*at++ = (uint8_t)label_len;
	memcpy(at, label, (size_t)label_len);
	at += label_len;
	memcpy(at, "\6stable\4test\0\0\1\0\1", 17);
	return (size_t)(at + 17 - bytes);
}

static void make_packet(struct traffic *t, size_t slot, struct frame *frame)
{
	unsigned number = t->next++;
	struct packet *p = &t->packet[slot];

	*p = (struct packet){
		.src = ip_from_v4((uint8_t[]){ 10, (uint8_t)(number % TENANTS), 0, 1 }),
		.dst = ip_from_v4((uint8_t[]){ 192, 0, 2, 53 }),
		.sport = (uint16_t)(1024 + number % 60000),
		.dport = 53,
		.protocol = IPPROTO_UDP,
		.payload = t->bytes[slot],
		.payload_len = make_query(t->bytes[slot], number),
	};
	*frame = (struct frame){
		/* as it is: an input that ran ahead would be waited for by all of its lanes */
		.ts_ns = START_NS + clock_monotonic_ns(),
		.decoded = p,
		.result = PACKET_DNS,
	};
}

static enum source_status traffic_next_batch(struct source *s,
	struct frame batch[SOURCE_BATCH_MAX], size_t *count, struct err_ctx *why)
{
	struct traffic *t = (struct traffic *)s;
	/* As much as trackers and output can follow: what waits in the rings is of its version. */
	const struct timespec pause = { .tv_nsec = 2 * NS_PER_MS };

	(void)why;
	if (gauge_read(t->over))
		return SOURCE_END;
	/* Some batches are empty, as on a silent wire. */
	for (*count = 0; t->next % 1000 != 0 && *count < BATCH; ++*count)
		make_packet(t, *count, &batch[*count]);
	if (*count == 0)
		t->next++;
	nanosleep(&pause, NULL);
	return SOURCE_OK;
}

static void traffic_losses(struct source *s, struct source_losses *out)
{
	(void)s;
	*out = (struct source_losses){ 0 };
}

static void traffic_nothing(struct source *s)
{
	(void)s;
}

static const struct source_ops traffic_ops = {
	.next_batch = traffic_next_batch,
	.losses = traffic_losses,
	.interrupt = traffic_nothing,
	.close = traffic_nothing,
};

/* --- versions ----------------------------------------------------------------------------------- */

static void list(struct index_builder *b, const char *text)
{
	struct mark mark = { .kind = MARK_MALICIOUS, .scope = SCOPE_SUFFIX };
	struct dns_name name;

	if (!dns_name_parse(&name, text) || index_builder_add(b, &name, mark) != INDEX_ADDED)
		fail("cannot build the index");
}

static void add_tenant(struct policy_set *set, unsigned number)
{
	char text[32];

	snprintf(text, sizeof(text), "t%u", number);
	struct policy *p = policy_set_add(set, text);
	if (!p || !(p->select.network = calloc(1, sizeof(*p->select.network))))
		fail("out of memory");
	p->select.network_count = 1;
	snprintf(text, sizeof(text), "10.%u.0.0/16", number);
	if (!ip_net_parse(p->select.network, text))
		fail(text);
}

/* Other tenants, and in another order, in every version. */
static struct policy_set *policies_of(unsigned version, const struct policy_set *before)
{
	struct policy_set *set = policy_set_new();
	uint16_t number[TENANTS + 1];
	struct err_ctx why;

	if (!set)
		fail("out of memory");
	for (unsigned i = 1; i < TENANTS; i++) {
		unsigned tenant = 1 + (i + version) % (TENANTS - 1);
		if ((tenant + version) % 3 != 0)
			add_tenant(set, tenant);
	}
	if ((before && policy_set_follow(set, before, number, &why) != ERR_OK) ||
		tenant_map_new(&set->map, set, NULL, 0, &why) != ERR_OK)
		fail("cannot make the tenants");
	return set;
}

static struct knowledge *version_new(unsigned version, const struct knowledge *before)
{
	static char feed_name[] = "race";
	static struct knowledge_feed feed = { feed_name, NULL, MARK_MALICIOUS, SEVERITY_HIGH };
	struct index_builder *builder = index_builder_new(SEED);
	struct knowledge *k = calloc(1, sizeof(*k));

	if (!k || !builder)
		fail("out of memory");
	*k = (struct knowledge){ .feed = &feed, .feed_count = 1 };
	for (unsigned i = 0; i < version % FILLERS; i++) {
		char text[32];
		snprintf(text, sizeof(text), "f%u.v%u.example", i, version);
		list(builder, text);
	}
	list(builder, "stable.test");
	k->index = index_build(builder);
	k->providers = provider_registry_new();
	k->policies = policies_of(version, before ? before->policies : NULL);
	if (!k->index || !k->providers)
		fail("out of memory");
	return k;
}

static void version_free(const struct knowledge *old)
{
	struct knowledge *k = (struct knowledge *)(uintptr_t)old;

	index_free(k->index);
	policy_set_free(k->policies);
	provider_registry_free(k->providers);
	free(k);
}

/* --- the run --------------------------------------------------------------------------------------- */

struct run {
	struct engine engine;
	struct output *output;
	struct packet_options packet;
	struct gauge over;
	struct traffic traffic[INPUTS];
	pthread_t thread[INPUTS];
};

static void *read_input(void *arg)
{
	struct err_ctx why;

	if (input_run(arg, &why) != SOURCE_END)
		fail("a source did not end");
	return NULL;
}

static void run_open(struct run *r, const struct knowledge *first)
{
	const struct output_options output = { .sensor = "race", .version = "0" };
	struct err_ctx why;

	packet_options_init(&r->packet);
	port_set_add(&r->packet.ports, 53);
	r->output = output_new(&output);
	struct engine_options options = {
		.shard_count = SHARDS,
		.input_count = INPUTS,
		.threaded = true,
		.memory_bytes = MEMORY_BYTES,
		.seed = SEED,
		.live = true,
		.known = first,
		.packet = &r->packet,
		.output = r->output,
	};
	if (!r->output || engine_init(&r->engine, &options, &why) != ERR_OK ||
		engine_start(&r->engine, &why) != ERR_OK)
		fail("cannot start");
	for (size_t i = 0; i < INPUTS; i++) {
		r->traffic[i] = (struct traffic){
			.base = { .ops = &traffic_ops, .name = "traffic" },
			.over = &r->over,
			.next = 1 + (unsigned)i * 500,
		};
		engine_input(&r->engine, i)->source = &r->traffic[i].base;
		if (pthread_create(
			    &r->thread[i], NULL, read_input, engine_input(&r->engine, i)))
			fail("cannot start a thread");
	}
}

/* Publish, wait, free, as fast as that goes; returns the last one. */
static const struct knowledge *reload_often(struct run *r, const struct knowledge *current)
{
	for (unsigned version = 1; version <= VERSIONS; version++) {
		const struct knowledge *next = version_new(version, current);
		const struct knowledge *old = engine_publish(&r->engine, next);
		if (old != current)
			fail("another version was in force");
		if (!engine_wait_adopted(&r->engine, 30000))
			fail("somebody does not leave the old version");
		version_free(old);
		current = next;
	}
	return current;
}

static void check_books(struct run *r, const struct knowledge *last)
{
	struct account account;
	uint64_t messages = 0;

	if (!account_take(&account, &r->engine, r->output, last->policies))
		fail("out of memory for the books");
	const struct summary *s = &account.summary;
	for (size_t i = 0; i < s->tenant_count; i++)
		messages += s->tenant[i].messages;
	printf("%d versions, %llu packets, %llu judged, %llu alerts, %zu tenants\n", VERSIONS,
		(unsigned long long)s->packets.read, (unsigned long long)s->packets.dns,
		(unsigned long long)s->alerts.raised, s->tenant_count);
	if (s->packets.dns < VERSIONS)
		fail("there was hardly any traffic");
	if (s->alerts.raised != s->packets.dns)
		fail("a listed name was missed, or told of twice");
	if (messages != s->packets.dns)
		fail("a message was counted for no tenant");
	if (s->tenant_count != TENANTS)
		fail("tenants did not keep their numbers");
	account_deinit(&account);
}

int main(void)
{
	struct run *r = calloc(1, sizeof(*r));

	alarm(ALARM_S);
	if (!r)
		fail("out of memory");
	const struct knowledge *first = version_new(0, NULL);
	run_open(r, first);
	const struct knowledge *last = reload_often(r, first);
	gauge_set(&r->over, 1);
	for (size_t i = 0; i < INPUTS; i++)
		pthread_join(r->thread[i], NULL);
	engine_finish(&r->engine);
	check_books(r, last);
	engine_deinit(&r->engine);
	output_free(r->output);
	version_free(last);
	free(r);
	return 0;
}
