/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * redis_sink -- the output of the sensor without the sensor, for tests/e2e/redis.t.
 *
 *	redis_sink FILE URL STREAM [QUEUE]    alerts go to FILE (JSON lines) and to Redis
 *
 * Does what its standard input says, a command a line, and answers each with a line:
 *
 *	alerts N       raise N alerts, each of its own key
 *	heartbeat S    with an interval of S seconds
 *	wait WHAT N    until the counter WHAT is N or more, ten seconds at most
 *	stats          all counters
 *	finish MS      closing alerts, drain for MS milliseconds at most, end
 *
 * Exits 1 when alerts were lost, like the program.
 */
#include "rules/alert.h"
#include "sensor/base/clock.h"
#include "sensor/output/jsonl.h"
#include "sensor/output/output.h"
#include "sensor/output/redis.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define WAIT_NS (10 * NS_PER_S)

static struct output *output;
static struct sink *file, *redis;
static unsigned raised;

static void fail(const char *text)
{
	printf("error %s\n", text);
	exit(2);
}

static void raise_alert(void)
{
	static const char *const tenants[] = { "acme", "beta" };
	static struct alert a;

	memset(&a, 0, offsetof(struct alert, pool));
	a.pool_len = 1;
	a.rule = RULE_LOOKUP_UNAPPROVED;
	a.severity = SEVERITY_MEDIUM;
	a.score = -1;
	a.ts_ns = a.start_ns = a.end_ns = INT64_C(1795348800000000000) + raised;
	a.suppress_ns = 3600 * NS_PER_S;
	a.count = 1;
	a.tenant = (uint16_t)(raised % 2);
	a.tenant_id = alert_put(&a, tenants[raised % 2]);
	a.key = alert_printf(&a, "lookup.unapproved|%u", raised);
	a.message = alert_printf(&a, "alert %u", raised);
	a.allow_hint = alert_put(&a, "none");
	alert_why(&a, "number", alert_number(raised), alert_none(), alert_none());
	output_accept(output, &a);
	raised++;
}

static void heartbeat(unsigned interval_s)
{
	struct redis_facts facts = { .started_ns = clock_wall_ns(),
		.last_packet_ns = INT64_C(1795348800000000000),
		.packets = 1000,
		.alerts = output_written(output),
		.dropped = 7,
		.interval_s = interval_s };

	redis_heartbeat(redis, &facts);
}

static void print_stats(void)
{
	struct redis_stats s;

	redis_stats(redis, &s);
	printf("accepted=%llu delivered=%llu refused=%llu full=%llu end=%llu connects=%llu "
	       "waiting=%zu up=%d\n",
		(unsigned long long)s.accepted, (unsigned long long)s.delivered,
		(unsigned long long)s.lost_refused, (unsigned long long)s.lost_full,
		(unsigned long long)s.lost_at_end, (unsigned long long)s.connects, s.waiting,
		s.up);
}

static uint64_t counter(const char *what)
{
	struct redis_stats s;

	redis_stats(redis, &s);
	if (strcmp(what, "delivered") == 0)
		return s.delivered;
	if (strcmp(what, "refused") == 0)
		return s.lost_refused;
	if (strcmp(what, "connects") == 0)
		return s.connects;
	if (strcmp(what, "heartbeats") == 0)
		return s.heartbeats;
	fail("no such counter");
	return 0;
}

static void wait_counter(const char *what, unsigned long long n)
{
	int64_t until_ns = clock_monotonic_ns() + WAIT_NS;

	while (counter(what) < n && clock_monotonic_ns() < until_ns)
		usleep(5000);
	file->api->flush(file); /* what has arrived there can be compared with the file */
	printf("%s\n", counter(what) >= n ? "reached" : "not reached");
}

static void finish(int timeout_ms)
{
	output_finish(output);
	uint64_t lost = output_close(output, timeout_ms);
	printf("lost=%llu\n", (unsigned long long)lost);
	output_free(output);
	exit(lost > 0);
}

static void obey(const char *line)
{
	unsigned long long n;
	char what[32];

	if (sscanf(line, "alerts %llu", &n) == 1) {
		while (n-- > 0)
			raise_alert();
		printf("raised=%u\n", raised);
	} else if (sscanf(line, "heartbeat %llu", &n) == 1) {
		heartbeat((unsigned)n);
		printf("heartbeat\n");
	} else if (sscanf(line, "wait %31s %llu", what, &n) == 2) {
		wait_counter(what, n);
	} else if (strcmp(line, "stats\n") == 0) {
		print_stats();
	} else if (sscanf(line, "finish %llu", &n) == 1) {
		finish((int)n);
	} else {
		fail("no such command");
	}
}

int main(int argc, char **argv)
{
	struct output_options options = { .sensor = "edge-1", .version = "0.1.0" };
	struct redis_options to = {
		.maxlen = 1000000, .sensor = "edge-1", .version = "0.1.0", .backoff_max_ms = 200
	};
	struct err_ctx why = { "" };
	char line[256];

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (argc < 4)
		fail("usage: redis_sink FILE URL STREAM [QUEUE]");
	to.url = argv[2];
	to.stream = argv[3];
	to.queue_max = argc > 4 ? strtoul(argv[4], NULL, 10) : 0;
	output = output_new(&options);
	if (!output || jsonl_open(&file, argv[1], JSONL_TRUNCATE, &why) != ERR_OK ||
		redis_open(&redis, &to, &why) != ERR_OK)
		fail(why.text);
	if (!output_add_sink(output, file) || !output_add_sink(output, redis))
		fail("too many sinks");
	while (fgets(line, sizeof(line), stdin))
		obey(line);
	finish(0);
}
