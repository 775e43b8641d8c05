/* SPDX-License-Identifier: BSD-2-Clause */
#include "sensor/pipeline/logger.h"

#include <criterion/criterion.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sensor/base/clock.h"
#include "tests/support/dns_build.h"

#define START_NS (INT64_C(1763818536) * NS_PER_S)
#define INPUTS   2
#define MANY     60000 /* messages: more than a pipe, the buffers and the rings hold together */

static struct dns_build b;
static struct dns_message m;

/* A logger whose log is a file, or a pipe that is read when the test likes. */
static struct rig {
	char path[64];
	struct dnslog *log;
	struct logger *logger;
	FILE *file; /* of what was written */
} rig;

static void open_logger(struct logger_options options)
{
	rig.log = dnslog_open(rig.path, options.threaded ? DNSLOG_ASIDE : 0);
	cr_assert(rig.log);
	options.log = rig.log;
	if (!options.input_count)
		options.input_count = 1;
	rig.logger = logger_new(&options);
	cr_assert(rig.logger);
}

static void start_logger(struct logger_options options)
{
	int fd;

	snprintf(rig.path, sizeof(rig.path), "/tmp/test_logger.XXXXXX");
	fd = mkstemp(rig.path);
	cr_assert_neq(fd, -1);
	rig.file = fdopen(fd, "r");
	open_logger(options);
}

/* Nothing is read before the test does. */
static void start_logger_to_pipe(struct logger_options options)
{
	int ends[2];

	cr_assert_eq(pipe(ends), 0);
	snprintf(rig.path, sizeof(rig.path), "/proc/self/fd/%d", ends[1]);
	rig.file = fdopen(ends[0], "r");
	open_logger(options);
	close(ends[1]);
	rig.path[0] = '\0';
}

static void end(void)
{
	logger_free(rig.logger);
	if (rig.file)
		fclose(rig.file);
	if (rig.path[0])
		unlink(rig.path);
}

TestSuite(logger, .fini = end, .timeout = 60);

/* All that was taken is written. */
static void end_logger(void)
{
	logger_end(rig.logger);
	cr_assert_eq(dnslog_close(rig.log), 0);
}

static struct dnslog_entry entry_at(int64_t ts_ns)
{
	struct dnslog_entry e = {
		.ts_ns = ts_ns, .sport = 40123, .dport = 53, .tenant = "acme", .message = &m
	};

	dns_sample_make(&b, "response_three");
	cr_assert_eq(dns_message_decode(&m, b.at, b.len), DNS_OK);
	cr_assert(ip_parse(&e.src, "10.1.0.53") && ip_parse(&e.dst, "2001:db8::7"));
	return e;
}

static void take(size_t input, int64_t ts_ns)
{
	struct dnslog_entry e = entry_at(ts_ns);

	logger_take(rig.logger, input, &e);
	logger_flush(rig.logger, input);
}

static unsigned count_lines(void)
{
	char *line = NULL;
	size_t size = 0;
	unsigned count = 0;

	while (getline(&line, &size, rig.file) > 0)
		count++;
	free(line);
	return count;
}

/* The sources' ports of the lines, which tell them apart. */
static void expect_ports(const unsigned *port, unsigned count)
{
	char *line = NULL;
	size_t size = 0;

	for (unsigned i = 0; i < count; i++) {
		char want[32];
		snprintf(want, sizeof(want), "\"sport\":%u,", port[i]);
		cr_assert_gt(getline(&line, &size, rig.file), 0, "line %u", i);
		cr_expect(strstr(line, want), "%s in %s", want, line);
	}
	cr_expect_eq(count_lines(), 0);
	free(line);
}

static void take_port(size_t input, int64_t ts_ns, unsigned port)
{
	struct dnslog_entry e = entry_at(ts_ns);

	e.sport = (uint16_t)port;
	logger_take(rig.logger, input, &e);
	logger_flush(rig.logger, input);
}

Test(logger, what_the_thread_writes_is_what_is_written_at_once)
{
	static const uint16_t vlan[] = { 101, 7, 3, 4 };
	char *line[2] = { NULL, NULL };
	size_t size[2] = { 0, 0 };

	for (unsigned threaded = 0; threaded < 2; threaded++) {
		start_logger((struct logger_options){ .threaded = threaded });
		struct dnslog_entry e = entry_at(START_NS + 7);
		e.tcp = true;
		e.vlan = vlan;
		e.vlan_count = 4;
		cr_assert_eq(logger_start(rig.logger), 0);
		logger_take(rig.logger, 0, &e);
		e = (struct dnslog_entry){ .tenant = "gone afterwards" };
		memset(b.at, 0, sizeof(b.at));
		end_logger();
		cr_assert_gt(getline(&line[threaded], &size[threaded], rig.file), 0);
		if (threaded == 0)
			end();
	}
	cr_expect_str_eq(line[0], line[1]);
	cr_expect(strstr(line[1], "\"vlan\":[101,7,3,4],\"tenant\":\"acme\""), "%s", line[1]);
	free(line[0]);
	free(line[1]);
}

Test(logger, messages_of_several_inputs_are_in_order_of_capture)
{
	start_logger((struct logger_options){
		.input_count = INPUTS, .threaded = true, .live = true });
	cr_assert_eq(logger_start(rig.logger), 0);
	take_port(0, START_NS + 10, 1);
	take_port(0, START_NS + 30, 3);
	take_port(1, START_NS + 20, 2);
	take_port(1, START_NS + 40, 4);
	logger_reached(rig.logger, 0, START_NS + 30);
	logger_reached(rig.logger, 1, START_NS + 40);
	end_logger();
	expect_ports((const unsigned[]){ 1, 2, 3, 4 }, 4);
	cr_expect_eq(logger_missing(rig.logger), 0);
}

Test(logger, without_its_thread_all_is_written_at_the_end)
{
	start_logger((struct logger_options){ .threaded = true });
	take_port(0, START_NS, 1);
	take_port(0, START_NS + 1, 2);
	end_logger();
	expect_ports((const unsigned[]){ 1, 2 }, 2);
}

Test(logger, the_longest_message_there_can_be)
{
	struct dnslog_entry e = entry_at(START_NS);

	dns_sample_make(&b, "query");
	build_record(&b, BUILD_ADDITIONAL, "", 65280, 1, 0);
	while (b.len < sizeof(b.at))
		build_u8(&b, 0xab);
	build_record_end(&b);
	cr_assert_eq(dns_message_decode(&m, b.at, b.len), DNS_OK);
	start_logger((struct logger_options){ .threaded = true });
	cr_assert_eq(logger_start(rig.logger), 0);
	for (unsigned i = 0; i < 40; i++)
		logger_take(rig.logger, 0, &e);
	end_logger();
	cr_expect_eq(count_lines(), 40);
	cr_expect_eq(logger_missing(rig.logger), 0);
}

static void *read_lines(void *arg)
{
	*(unsigned *)arg = count_lines();
	return NULL;
}

Test(logger, a_replay_waits_for_a_log_that_takes_less_than_comes)
{
	unsigned lines = 0;
	pthread_t reader;

	start_logger_to_pipe((struct logger_options){ .threaded = true });
	cr_assert_eq(logger_start(rig.logger), 0);
	cr_assert_eq(pthread_create(&reader, NULL, read_lines, &lines), 0);
	for (unsigned i = 0; i < MANY; i++)
		take(0, START_NS + i);
	end_logger();
	pthread_join(reader, NULL);
	cr_expect_eq(lines, MANY);
	cr_expect_eq(logger_missing(rig.logger), 0);
}

Test(logger, a_live_sensor_does_not_and_counts_what_is_missing)
{
	unsigned lines = 0;
	pthread_t reader;

	start_logger_to_pipe(
		(struct logger_options){ .threaded = true, .live = true, .room_wait_ms = 20 });
	cr_assert_eq(logger_start(rig.logger), 0);
	for (unsigned i = 0; i < MANY; i++)
		take(0, START_NS + i);
	uint64_t missing = logger_missing(rig.logger);
	cr_assert_gt(missing, 0);
	cr_assert_lt(missing, MANY);

	cr_assert_eq(pthread_create(&reader, NULL, read_lines, &lines), 0);
	for (unsigned i = 0; i < 1000 && logger_missing(rig.logger) == missing; i++)
		usleep(100);
	take(0, START_NS + MANY);
	end_logger();
	pthread_join(reader, NULL);
	cr_expect_eq(lines + logger_missing(rig.logger), MANY + 1);
}

Test(logger, what_the_disk_does_not_take_is_missing)
{
	unsigned taken = 3 * DNSLOG_BUFFER_BYTES / 400;

	snprintf(rig.path, sizeof(rig.path), "/dev/full");
	open_logger((struct logger_options){ .threaded = true });
	rig.path[0] = '\0';
	cr_assert_eq(logger_start(rig.logger), 0);
	for (unsigned i = 0; i < taken; i++)
		take(0, START_NS + i);
	logger_end(rig.logger);
	cr_expect_gt(logger_missing(rig.logger), 0);
	cr_expect_neq(dnslog_close(rig.log), 0);
}
