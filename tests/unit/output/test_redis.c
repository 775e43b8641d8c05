/* SPDX-License-Identifier: BSD-2-Clause */
#include "sensor/output/redis.h"

#include "sensor/base/clock.h"
#include "tests/support/fake_redis.h"
#include "tests/unit/output/sample.h"

#include <criterion/criterion.h>
#include <criterion/redirect.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PASSWORD "s3cr3t"

/* Every wait in this file ends by this time, and each test well before. */
#define PATIENCE_MS 5000

static struct fake_redis *server;
static struct sink *sink;
static struct redis_stats stats;

static struct redis_options options_for(const char *url)
{
	return (struct redis_options){
		.url = url,
		.stream = "dynwatch:alerts",
		.maxlen = 1000,
		.sensor = "edge-1",
		.version = "0.1.0",
		.connect_timeout_ms = 300,
		.command_timeout_ms = 300,
		.backoff_max_ms = 50,
	};
}

static void open_with(const struct redis_options *options)
{
	struct err_ctx why = { "" };

	cr_assert_eq(redis_open(&sink, options, &why), ERR_OK, "%s", why.text);
}

static void open_at_server(const char *login)
{
	char url[256];

	snprintf(url, sizeof(url), "unix://%s%s", login, fake_redis_path(server));
	struct redis_options options = options_for(url);
	open_with(&options);
}

/* A server that follows the script, and a sink that writes to it. */
static void start(const struct fake_redis_step *script, size_t step_count, const char *login)
{
	server = fake_redis_new(script, step_count);
	open_at_server(login);
}

/* The same, of which nobody can connect to the server yet. */
static void start_deaf(const struct fake_redis_step *script, size_t step_count)
{
	server = fake_redis_new(script, step_count);
	fake_redis_listen(server, false);
	open_at_server("");
}

#define START(...)                                                                             \
	const struct fake_redis_step script[] = { __VA_ARGS__ };                               \
	start(script, sizeof(script) / sizeof(script[0]), "")

static void stop(void)
{
	sink->api->free(sink);
	fake_redis_free(server);
}

static void write_as(const char *id, enum severity severity)
{
	struct alert a;
	struct sink_record record = { &a, id, "{\"n\":1}", 7 };

	sample_plain(&a, "k", SAMPLE_NOON_NS);
	a.severity = (uint8_t)severity;
	sink->api->write(sink, &record);
}

static void write_some(int from, int to)
{
	char id[16];

	for (int i = from; i < to; i++) {
		snprintf(id, sizeof(id), "%d", i);
		write_as(id, SEVERITY_MEDIUM);
	}
}

static bool delivered_at_least(uint64_t n)
{
	redis_stats(sink, &stats);
	return stats.delivered >= n;
}

/* Wait until the condition holds; false after PATIENCE_MS. */
#define EVENTUALLY(condition)                                                                  \
	({                                                                                     \
		int64_t until_ns = clock_monotonic_ns() + PATIENCE_MS * NS_PER_MS;             \
		while (!(condition) && clock_monotonic_ns() < until_ns)                        \
			usleep(5000);                                                          \
		(condition);                                                                   \
	})

static void expect_added(const char *want)
{
	char *added = fake_redis_added(server);

	cr_expect_str_eq(added, want);
	free(added);
}

static void expect_received(const char *part)
{
	char *received = fake_redis_received(server);

	cr_expect(strstr(received, part), "no \"%s\" in:\n%s", part, received);
	free(received);
}

/* Nothing is ever counted twice or forgotten. */
static void expect_books_balance(void)
{
	redis_stats(sink, &stats);
	cr_expect_eq(stats.accepted, stats.delivered + stats.lost_full + stats.lost_refused +
					     stats.lost_at_end + stats.waiting);
	cr_expect_eq(
		redis_lost(sink), stats.lost_full + stats.lost_refused + stats.lost_at_end);
}

static int64_t close_within(int timeout_ms)
{
	int64_t before_ns = clock_monotonic_ns();

	sink->api->close(sink, timeout_ms);
	return (clock_monotonic_ns() - before_ns) / NS_PER_MS;
}

/* All that the operator was told, on standard error. */
static const char *told(void)
{
	static char text[8192];
	FILE *err = cr_get_redirected_stderr();

	fflush(stderr);
	size_t n = fread(text, 1, sizeof(text) - 1, err);
	text[n] = '\0';
	return text;
}

static int count_of(const char *text, const char *word)
{
	int count = 0;

	for (; (text = strstr(text, word)); text += strlen(word))
		count++;
	return count;
}

TestSuite(redis, .init = cr_redirect_stderr, .timeout = 20);

Test(redis, adds_alerts_with_all_fields_and_drains_when_closed)
{
	START({ 0, FAKE_ANSWER, NULL });
	write_some(0, 3);
	cr_expect_lt(close_within(2000), 1500);
	expect_added("0 1 2 ");
	expect_received("XADD dynwatch:alerts MAXLEN ~ 1000 * id 0 tenant acme rule "
			"lookup.unapproved severity medium json {\"n\":1}\n");
	redis_stats(sink, &stats);
	cr_expect_eq(stats.delivered, 3);
	cr_expect_eq(stats.connects, 1);
	cr_expect_eq(redis_lost(sink), 0);
	expect_books_balance();
	stop();
	cr_expect_str_empty(told(), "all went well");
}

Test(redis, keeps_order_over_many_batches)
{
	char want[8192] = "", id[16];

	START({ 0, FAKE_ANSWER, NULL });
	write_some(0, 1000);
	for (int i = 0; i < 1000; i++) {
		snprintf(id, sizeof(id), "%d ", i);
		strcat(want, id);
	}
	close_within(PATIENCE_MS);
	expect_added(want);
	expect_books_balance();
	stop();
}

Test(redis, an_untrimmed_stream_has_no_maxlen)
{
	char url[256];

	server = fake_redis_new(NULL, 0);
	snprintf(url, sizeof(url), "unix://%s", fake_redis_path(server));
	struct redis_options options = options_for(url);
	options.maxlen = 0;
	options.stream = "a:{tenant}";
	open_with(&options);
	write_some(0, 1);
	close_within(2000);
	expect_received("XADD a:acme * id 0 tenant");
	stop();
}

Test(redis, logs_in_and_selects_the_database_before_anything_else)
{
	server = fake_redis_new(NULL, 0);
	char url[256];
	snprintf(url, sizeof(url), "unix://bob:" PASSWORD "@%s?db=3", fake_redis_path(server));
	struct redis_options options = options_for(url);
	open_with(&options);
	write_some(0, 1);
	close_within(2000);
	static const char greeting[] = "AUTH bob " PASSWORD "\nSELECT 3\nPING\nXADD ";
	char *received = fake_redis_received(server);
	cr_expect_eq(strncmp(received, greeting, strlen(greeting)), 0, "%s", received);
	free(received);
	stop();
}

Test(redis, waits_for_a_server_that_is_not_there_yet)
{
	start_deaf(NULL, 0);
	write_some(0, 5);
	usleep(400000);
	cr_expect_not(delivered_at_least(1));
	cr_expect_eq(stats.waiting, 5);
	fake_redis_listen(server, true);
	cr_expect(EVENTUALLY(delivered_at_least(5)));
	expect_added("0 1 2 3 4 ");
	expect_books_balance();
	cr_expect_eq(stats.resent, 0, "nothing was sent before");
	stop();
	cr_expect_eq(count_of(told(), "wait in the queue"), 1, "said once, not per try");
}

Test(redis, gives_up_at_the_deadline_and_says_how_many_are_missing)
{
	start_deaf(NULL, 0);
	write_some(0, 5);
	int64_t took_ms = close_within(300);
	cr_expect_geq(took_ms, 250);
	cr_expect_lt(took_ms, 1500);
	cr_expect_eq(redis_lost(sink), 5);
	expect_books_balance();
	cr_expect_eq(stats.lost_at_end, 5);
	stop();
	cr_expect(strstr(told(), "5 alerts could not be delivered"));
}

Test(redis, a_server_that_stalls_is_left_after_the_timeout)
{
	START({ 1, FAKE_ANSWER, NULL }, { 1, FAKE_STALL, NULL });
	write_some(0, 2);
	cr_expect(EVENTUALLY(delivered_at_least(2)));
	expect_added("0 1 ");
	cr_expect_eq(fake_redis_connections(server), 2);
	cr_expect_geq(stats.resent, 1, "it may have arrived");
	expect_books_balance();
	stop();
}

/* Of three sent together one was turned away for now; of the two behind it nobody knows. */
Test(redis, only_what_may_have_arrived_counts_as_sent_again)
{
	const struct fake_redis_step script[] = {
		{ 1, FAKE_ANSWER, NULL },
		{ 1, FAKE_SAY, "-READONLY You can't write against a read only replica.\r\n" },
		{ 1, FAKE_HANGUP, NULL },
	};
	start_deaf(script, sizeof(script) / sizeof(script[0]));
	write_some(0, 3);
	usleep(200000); /* they wait, and go out in one batch */
	fake_redis_listen(server, true);
	cr_expect(EVENTUALLY(delivered_at_least(3)));
	expect_added("0 1 2 ");
	cr_expect_eq(stats.resent, 2, "%llu", (unsigned long long)stats.resent);
	expect_books_balance();
	stop();
}

Test(redis, closing_does_not_wait_for_a_stalled_server_beyond_its_deadline)
{
	server = fake_redis_new(
		(const struct fake_redis_step[]){ { 1000, FAKE_STALL, NULL } }, 1);
	char url[256];
	snprintf(url, sizeof(url), "unix://%s", fake_redis_path(server));
	struct redis_options options = options_for(url);
	options.command_timeout_ms = 60000;
	open_with(&options);
	write_some(0, 1);
	usleep(100000);
	cr_expect_lt(close_within(300), 1500);
	cr_expect_eq(redis_lost(sink), 1);
	expect_books_balance();
	stop();
}

Test(redis, a_server_that_drips_bytes_is_left_after_the_timeout)
{
	START({ 1, FAKE_ANSWER, NULL }, { 1, FAKE_DRIP, "-ERRRRR" });
	write_some(0, 1);
	cr_expect(EVENTUALLY(delivered_at_least(1)));
	expect_added("0 ");
	expect_books_balance();
	stop();
}

Test(redis, sends_again_what_was_not_acknowledged_when_the_connection_breaks)
{
	START({ 4, FAKE_ANSWER, NULL }, { 1, FAKE_HANGUP, NULL });
	write_some(0, 10);
	cr_expect(EVENTUALLY(delivered_at_least(10)));
	expect_added("0 1 2 3 4 5 6 7 8 9 ");
	cr_expect_geq(stats.connects, 2);
	expect_books_balance();
	cr_expect_eq(stats.lost_refused + stats.lost_full, 0);
	stop();
}

Test(redis, half_a_reply_is_no_acknowledgement)
{
	START({ 1, FAKE_ANSWER, NULL }, { 1, FAKE_SAY, "$5\r\n1-" }, { 1, FAKE_HANGUP, NULL });
	write_some(0, 2);
	cr_expect(EVENTUALLY(delivered_at_least(2)));
	expect_added("0 1 ");
	expect_books_balance();
	stop();
}

/* Errors that pass: the alert is tried again until it is taken. */
static const char *const passing[] = {
	"-OOM command not allowed when used memory > 'maxmemory'.\r\n",
	"-LOADING Redis is loading the dataset in memory\r\n",
	"-READONLY You can't write against a read only replica.\r\n",
	"-MISCONF Redis is configured to save RDB snapshots\r\n",
	"-NOAUTH Authentication required.\r\n",
	"-MASTERDOWN Link with MASTER is down\r\n",
	"-BUSY Redis is busy running a script\r\n",
	"-SOMETHING nobody has heard of\r\n",
	"-ERR max number of clients reached\r\n",
	"$-1\r\n",
};

Test(redis, errors_that_pass_keep_the_alert)
{
	for (size_t i = 0; i < ARRAY_LEN(passing); i++) {
		START({ 1, FAKE_ANSWER, NULL }, { 3, FAKE_SAY, passing[i] });
		write_some(0, 1);
		cr_expect(EVENTUALLY(delivered_at_least(1)), "%s", passing[i]);
		expect_added("0 ");
		expect_books_balance();
		cr_expect_eq(redis_lost(sink), 0, "%s", passing[i]);
		stop();
	}
}

/* It can again in the middle of what would be sent at once: what it refused must not come last. */
Test(redis, a_server_that_comes_round_in_between_gets_them_in_order)
{
	START({ 1, FAKE_HANGUP, NULL }, { 1, FAKE_ANSWER, NULL },
		{ 4, FAKE_SAY, "-READONLY You can't write against a read only replica.\r\n" });
	write_some(0, 3);
	cr_expect(EVENTUALLY(delivered_at_least(3)));
	expect_added("0 1 2 ");
	expect_books_balance();
	cr_expect_eq(redis_lost(sink), 0);
	stop();
}

/* Errors that do not: the alert is lost, counted, and the next one is none the worse. */
static const char *const lasting[] = {
	"-WRONGTYPE Operation against a key holding the wrong kind of value\r\n",
	"-NOPERM this user has no permissions to access one of the keys\r\n",
	"-MOVED 3999 127.0.0.1:6381\r\n",
	"-NOSCRIPT No matching script.\r\n",
	"-ERR unknown command 'XADD'\r\n",
};

Test(redis, errors_that_last_lose_the_alert_and_count_it)
{
	for (size_t i = 0; i < ARRAY_LEN(lasting); i++) {
		START({ 1, FAKE_ANSWER, NULL }, { 3, FAKE_SAY, lasting[i] });
		write_some(0, 4);
		cr_expect(EVENTUALLY(delivered_at_least(1)), "%s", lasting[i]);
		expect_added("3 ");
		expect_books_balance();
		cr_expect_eq(stats.lost_refused, 3, "%s", lasting[i]);
		cr_expect_eq(stats.connects, 1, "%s", lasting[i]);
		stop();
	}
	cr_expect_eq(count_of(told(), "alerts are lost"), ARRAY_LEN(lasting), "once each");
}

/* What answers but is no Redis: never a crash, never an acknowledgement. */
static const char *const nonsense[] = {
	"HTTP/1.1 400 Bad Request\r\n\r\n",
	"*2147483647\r\n",
	"*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n:1\r\n",
	"$99999999999999999999\r\n",
	"$536870912\r\n",
	"*-5\r\n",
	":\r\n",
	"\r\n\r\n",
	"+PONG\r\n+PONG\r\n+PONG\r\n",
	"$4\r\nPONG\r\n",
};

Test(redis, nonsense_is_no_acknowledgement)
{
	for (size_t i = 0; i < ARRAY_LEN(nonsense); i++) {
		START({ 1, FAKE_SAY, nonsense[i] });
		write_some(0, 1);
		cr_expect(EVENTUALLY(delivered_at_least(1)), "%s", nonsense[i]);
		expect_added("0 ");
		expect_books_balance();
		stop();
	}
}

Test(redis, a_full_queue_gives_up_the_least_severe_and_says_so_once)
{
	server = fake_redis_new(NULL, 0);
	fake_redis_listen(server, false);
	char url[256];
	snprintf(url, sizeof(url), "unix://%s", fake_redis_path(server));
	struct redis_options options = options_for(url);
	options.queue_max = 4;
	open_with(&options);
	write_as("high", SEVERITY_HIGH);
	write_some(0, 10);
	write_as("critical", SEVERITY_CRITICAL);
	expect_books_balance();
	cr_expect_eq(stats.lost_full, 8);
	fake_redis_listen(server, true);
	cr_expect(EVENTUALLY(delivered_at_least(4)));
	expect_added("high 8 9 critical ");
	stop();
	cr_expect_eq(count_of(told(), "queue is full"), 1);
}

Test(redis, a_write_that_may_wait_for_room_loses_nothing)
{
	char url[256];

	server = fake_redis_new(NULL, 0);
	snprintf(url, sizeof(url), "unix://%s", fake_redis_path(server));
	struct redis_options options = options_for(url);
	options.queue_max = 4;
	options.room_timeout_ms = PATIENCE_MS;
	open_with(&options);
	write_some(0, 500);
	close_within(PATIENCE_MS);
	expect_books_balance();
	cr_expect_eq(stats.delivered, 500);
	stop();
}

Test(redis, a_wait_for_room_in_vain_is_not_made_again)
{
	char url[256];

	server = fake_redis_new(NULL, 0);
	fake_redis_listen(server, false);
	snprintf(url, sizeof(url), "unix://%s", fake_redis_path(server));
	struct redis_options options = options_for(url);
	options.queue_max = 4;
	options.room_timeout_ms = 200;
	open_with(&options);
	int64_t before_ns = clock_monotonic_ns();
	write_some(0, 50);
	int64_t took_ms = (clock_monotonic_ns() - before_ns) / NS_PER_MS;
	cr_expect_geq(took_ms, 190);
	cr_expect_lt(took_ms, 1000);
	fake_redis_listen(server, true);
	cr_expect(EVENTUALLY(delivered_at_least(4)));
	expect_books_balance();
	cr_expect_eq(stats.lost_full, 46);
	write_some(50, 100); /* the queue moves again, so it is waited for */
	close_within(PATIENCE_MS);
	expect_books_balance();
	cr_expect_eq(stats.delivered, 54);
	stop();
}

static void expect_no_password(const char *server_says)
{
	struct fake_redis_step script[] = { { 1000, FAKE_SAY, server_says } };

	start(script, 1, "bob:" PASSWORD "@");
	write_some(0, 1);
	usleep(150000);
	close_within(50);
	redis_stats(sink, &stats);
	cr_expect_eq(stats.delivered, 0);
	cr_expect(!strstr(stats.last_fault, PASSWORD), "%s", stats.last_fault);
	cr_expect_neq(stats.last_fault[0], '\0');
	cr_expect(!strstr(sink->name, PASSWORD));
	stop();
}

Test(redis, the_password_is_in_no_message)
{
	expect_no_password(
		"-WRONGPASS invalid username-password pair or user is disabled.\r\n");
	expect_no_password(
		"-ERR unknown command 'AUTH', with args beginning with: 'bob' '" PASSWORD
		"'\r\n");
	expect_no_password("-" PASSWORD " " PASSWORD "\r\n");
	const char *text = told();
	cr_expect(strstr(text, "wrong user or password"), "%s", text);
	cr_expect(strstr(text, "unix://bob:***@"), "%s", text);
	cr_expect(!strstr(text, PASSWORD), "%s", text);
}

Test(redis, heartbeat_is_a_hash_that_expires_after_three_intervals)
{
	struct redis_facts facts = { .started_ns = SAMPLE_NOON_NS,
		.last_packet_ns = SAMPLE_NOON_NS + SAMPLE_S,
		.packets = 12,
		.alerts = 3,
		.dropped = 1,
		.interval_s = 10 };

	START({ 0, FAKE_ANSWER, NULL });
	redis_heartbeat(sink, &facts);
	cr_expect(EVENTUALLY((redis_stats(sink, &stats), stats.heartbeats == 1)));
	expect_received("HSET dynwatch:sensor:edge-1 version 0.1.0 started "
			"2026-11-22T12:00:00.000000000Z last_packet "
			"2026-11-22T12:00:01.000000000Z packets 12 alerts 3 dropped 1\n"
			"EXPIRE dynwatch:sensor:edge-1 30\n");
	facts.packets = 0;
	redis_heartbeat(sink, &facts);
	write_some(0, 1);
	close_within(2000);
	expect_received("last_packet  packets 0 alerts");
	expect_added("0 ");
	stop();
}

Test(redis, heartbeat_that_broke_on_the_way_is_sent_again)
{
	struct redis_facts facts = { .interval_s = 10 };

	START({ 2, FAKE_ANSWER, NULL }, { 1, FAKE_HANGUP, NULL });
	redis_heartbeat(sink, &facts);
	cr_expect(EVENTUALLY((redis_stats(sink, &stats), stats.heartbeats == 1)));
	cr_expect_eq(fake_redis_connections(server), 2);
	stop();
}

Test(redis, notices_while_idle_that_the_server_went_away)
{
	START({ 0, FAKE_ANSWER, NULL });
	cr_expect(EVENTUALLY((redis_stats(sink, &stats), stats.up)));
	fake_redis_listen(server, false);
	cr_expect(EVENTUALLY((redis_stats(sink, &stats), !stats.up)));
	fake_redis_listen(server, true);
	cr_expect(EVENTUALLY((redis_stats(sink, &stats), stats.up)));
	stop();
}

Test(redis, a_refused_tcp_port_is_waited_for)
{
	static const char *const urls[] = { "redis://127.0.0.1:1", "redis://[::1]:1" };

	for (size_t i = 0; i < ARRAY_LEN(urls); i++) {
		struct redis_options options = options_for(urls[i]);
		open_with(&options);
		write_some(0, 2);
		cr_expect_lt(close_within(200), 1500, "%s", urls[i]);
		cr_expect_eq(redis_lost(sink), 2, "%s", urls[i]);
		sink->api->free(sink);
	}
}

Test(redis, what_cannot_work_is_refused_at_once)
{
	struct err_ctx why = { "" };
	struct redis_options options = options_for("redis://h:bad");

	cr_expect_eq(redis_open(&sink, &options, &why), ERR_USAGE);
	options = options_for("redis://h");
	options.stream = "";
	cr_expect_eq(redis_open(&sink, &options, &why), ERR_USAGE);
	cr_expect(strstr(why.text, "stream"), "%s", why.text);
#ifndef HAVE_HIREDIS_SSL
	options = options_for("rediss://:" PASSWORD "@h");
	cr_expect_eq(redis_open(&sink, &options, &why), ERR_USAGE);
	cr_expect(strstr(why.text, "no TLS"), "%s", why.text);
	cr_expect(!strstr(why.text, PASSWORD), "%s", why.text);
#endif
}
