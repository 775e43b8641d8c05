/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Live capture on lo, and on a veth pair in a network namespace of the test's own. These tests
 * need root (CAP_NET_RAW, CAP_SYS_ADMIN) and the program ip; without them they fail and say so.
 */
#include <criterion/criterion.h>
#include <arpa/inet.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sensor/base/attribute.h"
#include "sensor/base/clock.h"
#include "sensor/capture/source.h"
#include "tests/unit/capture/pair.h"

/* Tests run side by side, each in its process, and lo is one for all: a port for each. */
static uint16_t dns_port(void)
{
	return (uint16_t)(20000 + getpid() % 6000 * 2);
}

static struct live_options options_on(const char *interface)
{
	static uint16_t port;

	port = dns_port();
	return (struct live_options){
		.interface = interface,
		.ports = &port,
		.port_count = 1,
		.buffer_mb = 2,
		.interface_index = 3,
	};
}

static struct source *open_live(const struct live_options *options)
{
	struct err_ctx why = { 0 };
	struct source *s;
	enum err err = source_open_live(&s, options, &why);

	cr_assert_eq(err, ERR_OK, "cannot capture (these tests need root): %s", why.text);
	return s;
}

static struct source *open_lo(void)
{
	struct live_options options = options_on("lo");

	return open_live(&options);
}

/* What was seen: only frames that packet_decode takes as DNS are counted as such. */
struct seen {
	size_t frames;
	size_t dns;
	struct packet last;
	struct frame last_frame;
	uint8_t last_payload[64];
};

/* Read until so many frames were seen or the time is over. */
static void receive(struct source *s, struct seen *seen, size_t frames, int64_t within_ms)
{
	int64_t end_ns = clock_monotonic_ns() + within_ms * NS_PER_MS;
	struct frame batch[SOURCE_BATCH_MAX];
	static struct packet_options options;
	struct err_ctx why = { 0 };
	struct packet p;
	size_t count;

	packet_options_init(&options);
	port_set_add(&options.ports, dns_port());
	struct decoder *decoder = decoder_new(&options, DECODER_BYTES_MIN);
	cr_assert_not_null(decoder);
	memset(seen, 0, sizeof(*seen));
	while (seen->frames < frames && clock_monotonic_ns() < end_ns) {
		cr_assert_eq(source_next_batch(s, batch, &count, &why), SOURCE_OK);
		for (size_t i = 0; i < count; i++) {
			seen->frames++;
			if (packet_decode(&p, &batch[i], decoder) != PACKET_DNS)
				continue;
			seen->dns++;
			seen->last = p;
			seen->last_frame = batch[i];
			memcpy(seen->last_payload, p.payload,
				p.payload_len < 64 ? p.payload_len : 64);
		}
	}
	decoder_free(decoder);
}

static void send_udp(uint16_t port, const char *payload)
{
	struct sockaddr_in to = { .sin_family = AF_INET,
		.sin_port = htons(port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	cr_assert_neq(fd, -1);
	ssize_t sent = sendto(
		fd, payload, strlen(payload), 0, (const struct sockaddr *)&to, sizeof(to));
	cr_assert_eq(sent, (ssize_t)strlen(payload), "%s", strerror(errno));
	close(fd);
}

Test(live, datagrams_on_lo_arrive_within_a_second_and_other_ports_do_not)
{
	struct source *s = open_lo();
	struct source_losses losses;
	struct seen seen;

	int64_t sent_ns = clock_wall_ns();
	for (unsigned i = 0; i < 100; i++) {
		send_udp(dns_port(), "a question");
		send_udp(dns_port() + 1, "something else");
	}
	receive(s, &seen, 100, 1000);
	cr_assert_eq(seen.dns, 100, "%zu of 100", seen.dns);
	cr_assert_eq(seen.frames, 100, "other ports came through the filter");
	cr_assert_eq(seen.last.dport, dns_port());
	cr_assert_eq(seen.last.payload_len, strlen("a question"));
	cr_assert_eq(memcmp(seen.last_payload, "a question", 10), 0);
	cr_assert_eq(seen.last_frame.interface, 3);
	cr_assert_eq(seen.last_frame.link, PACKET_LINK_ETHERNET);
	cr_assert_geq(seen.last_frame.ts_ns, sent_ns - NS_PER_S);
	cr_assert_leq(seen.last_frame.ts_ns, clock_wall_ns());
	source_losses(s, &losses);
	cr_assert_geq(losses.received, 100);
	cr_assert_eq(losses.dropped_kernel, 0);
	cr_assert_eq(s->size_bytes, 0);
	cr_assert_str_eq(s->name, "lo");
	source_close(s);
}

Test(live, snapshot_length_cuts_and_the_wire_length_tells)
{
	struct live_options options = options_on("lo");
	struct frame batch[SOURCE_BATCH_MAX];
	struct err_ctx why = { 0 };
	size_t count = 0;

	options.snaplen = 60;
	struct source *s = open_live(&options);
	send_udp(dns_port(), "a question that is longer than the snapshot length");
	for (unsigned tries = 0; count == 0 && tries < 20; tries++)
		cr_assert_eq(source_next_batch(s, batch, &count, &why), SOURCE_OK);
	cr_assert_eq(count, 1);
	cr_assert_eq(batch[0].caplen, 60);
	cr_assert_eq(batch[0].wire_len, 14 + 20 + 8 + 50);
	source_close(s);
}

Test(live, the_interface_any_gives_cooked_frames)
{
	struct live_options options = options_on("lo");
	struct seen seen;

	options.interface = "any";
	struct source *s = open_live(&options);
	send_udp(dns_port(), "a question");
	receive(s, &seen, 1, 5000);
	cr_assert_geq(seen.dns, 1);
	cr_assert_neq(seen.last_frame.link, PACKET_LINK_ETHERNET);
	source_close(s);
}

static double cpu_seconds(void)
{
	struct rusage used;

	getrusage(RUSAGE_SELF, &used);
	return (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
	       (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6;
}

Test(live, waiting_takes_less_than_a_hundredth_of_a_core)
{
	struct source *s = open_lo();
	struct seen seen;

	receive(s, &seen, 1, 300); /* past what opening costs */
	double before = cpu_seconds();
	receive(s, &seen, 1, 2000);
	double used = cpu_seconds() - before;
	cr_assert_eq(seen.frames, 0);
	cr_assert_lt(used, 0.02, "%.3f s of CPU in 2 s", used);
	source_close(s);
}

/* --- interruption ---------------------------------------------------------------------------- */

static struct source *interrupted_source;

static void interrupt_from_handler(int number)
{
	(void)number;
	source_interrupt(interrupted_source);
}

Test(live, a_signal_handler_ends_the_source_for_good, .timeout = 60)
{
	struct frame batch[SOURCE_BATCH_MAX];
	struct err_ctx why = { 0 };
	enum source_status status;
	size_t count;

	interrupted_source = open_lo();
	signal(SIGALRM, interrupt_from_handler);
	setitimer(ITIMER_REAL, &(struct itimerval){ .it_value.tv_usec = 150000 }, NULL);
	do {
		status = source_next_batch(interrupted_source, batch, &count, &why);
	} while (status == SOURCE_OK);
	cr_assert_eq(status, SOURCE_END);
	send_udp(dns_port(), "too late");
	for (unsigned i = 0; i < 3; i++)
		cr_assert_eq(
			source_next_batch(interrupted_source, batch, &count, &why), SOURCE_END);
	source_close(interrupted_source);
}

/* More than the source takes before it asks the kernel, and whoever interrupts, again. */
Test(live, an_interrupt_among_many_frames_that_wait_ends_the_source_behind_them)
{
	enum { SENT = 40 * SOURCE_BATCH_MAX };
	struct frame batch[SOURCE_BATCH_MAX];
	struct err_ctx why = { 0 };
	enum source_status status;
	size_t count = 0, total = 0;

	struct source *s = open_lo();
	for (unsigned i = 0; i < SENT; i++)
		send_udp(dns_port(), "a question");
	while (count < SOURCE_BATCH_MAX) {
		cr_assert_eq(source_next_batch(s, batch, &count, &why), SOURCE_OK);
		total += count;
	}
	source_interrupt(s);
	while ((status = source_next_batch(s, batch, &count, &why)) == SOURCE_OK)
		total += count;
	cr_assert_eq(status, SOURCE_END);
	cr_assert_eq(total, SENT);
	source_close(s);
}

/* --- errors ---------------------------------------------------------------------------------- */

Test(live, a_wrong_name_is_an_error_that_lists_the_right_ones)
{
	struct live_options options = options_on("lo");
	struct err_ctx why = { 0 };
	struct source *s;

	options.interface = "eth99";
	cr_assert_eq(source_open_live(&s, &options, &why), ERR_USAGE, "%s", why.text);
	cr_assert_null(s);
	cr_assert_not_null(strstr(why.text, "eth99"), "%s", why.text);
	cr_assert_not_null(strstr(why.text, "lo"), "%s", why.text);
	options.interface = "a-name-longer-than-any-interface-may-have";
	cr_assert_eq(source_open_live(&s, &options, &why), ERR_USAGE, "%s", why.text);
}

Test(live, a_wrong_filter_is_an_error_that_quotes_it)
{
	static const char *const filters[] = { "prot 53", "udp) or (ip", "host" };

	for (size_t i = 0; i < ARRAY_LEN(filters); i++) {
		struct live_options options = options_on("lo");
		struct err_ctx why = { 0 };
		struct source *s;
		options.filter = filters[i];
		cr_assert_eq(source_open_live(&s, &options, &why), ERR_USAGE, "%s", filters[i]);
		cr_assert_not_null(strstr(why.text, filters[i]), "%s", why.text);
	}
}

/* Neither lo nor a veth pair has a clock of its own. */
Test(live, times_of_the_adapter_are_an_error_where_there_are_none)
{
	struct live_options options = options_on("lo");
	struct err_ctx why = { 0 };
	struct source *s;

	options.timestamps = LIVE_TIMESTAMPS_ADAPTER;
	cr_assert_eq(source_open_live(&s, &options, &why), ERR_USAGE, "%s", why.text);
	cr_assert_not_null(strstr(why.text, "timestamps"), "%s", why.text);
}

Test(live, times_are_the_hosts_when_asked_for_and_where_there_are_no_others)
{
	static const enum live_timestamps kinds[] = { LIVE_TIMESTAMPS_AUTO,
		LIVE_TIMESTAMPS_HOST };

	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		struct live_options options = options_on("lo");
		struct seen seen;
		options.timestamps = kinds[i];
		struct source *s = open_live(&options);
		int64_t sent_ns = clock_wall_ns();
		send_udp(dns_port(), "a question");
		receive(s, &seen, 1, 5000);
		cr_assert_eq(seen.dns, 1, "%zu", i);
		cr_assert_geq(seen.last_frame.ts_ns, sent_ns, "%zu", i);
		cr_assert_leq(seen.last_frame.ts_ns, clock_wall_ns(), "%zu", i);
		source_close(s);
	}
}

Test(live, the_operators_filter_narrows)
{
	struct live_options options = options_on("lo");
	struct seen seen;

	options.filter = "not host 127.0.0.1";
	struct source *s = open_live(&options);
	send_udp(dns_port(), "a question");
	receive(s, &seen, 1, 400);
	cr_assert_eq(seen.frames, 0);
	source_close(s);
}

Test(live, without_permission_the_error_names_the_capability)
{
	struct live_options options = options_on("lo");
	pid_t child = fork();

	cr_assert_neq(child, -1);
	if (child == 0) {
		struct err_ctx why = { 0 };
		struct source *s;
		if (setresuid(65534, 65534, 65534) == -1)
			_exit(10);
		enum err err = source_open_live(&s, &options, &why);
		_exit(err != ERR_FAILED ? 11 : !strstr(why.text, "CAP_NET_RAW") ? 12 : 0);
	}
	int status;
	cr_assert_eq(waitpid(child, &status, 0), child);
	cr_assert(WIFEXITED(status));
	cr_assert_eq(WEXITSTATUS(status), 0, "step %d", WEXITSTATUS(status));
}

/* --- a veth pair: tags, and an interface that comes and goes ---------------------------------- */

static struct source *open_pair(void)
{
	struct live_options options = options_on("dw0");

	options.promiscuous = true;
	return open_live(&options);
}

/* The kernel takes the outer tag off before the filter sees the frame; the ids come back. */
Test(live, tagged_frames_pass_the_filter_and_keep_their_ids)
{
	pair_make();
	pair_run(PAIR_UP);
	struct source *s = open_pair();

	for (unsigned tags = 0; tags <= 2; tags++) {
		for (unsigned v6 = 0; v6 < 2; v6++) {
			struct frame_spec spec = { .v6 = v6,
				.tag_count = (uint8_t)tags,
				.tag = {
					{ tags == 2 ? 0x88a8 : 0x8100, 101 }, { 0x8100, 7 } } };
			struct seen seen;
			spec.dport = 123;
			pair_send(spec);
			spec.dport = dns_port();
			pair_send(spec);
			receive(s, &seen, 1, 5000);
			cr_assert_eq(seen.dns, 1, "%u tags, v6 %u", tags, v6);
			cr_assert_eq(seen.frames, 1, "%u tags, v6 %u", tags, v6);
			cr_assert_eq(seen.last.vlan_count, tags);
			for (unsigned i = 0; i < tags; i++)
				cr_assert_eq(seen.last.vlan[i], spec.tag[i].vid);
		}
	}
	source_close(s);
}

/* Standard error goes into a file from here on. */
static FILE *log_catch(void)
{
	FILE *log = tmpfile();

	cr_assert_not_null(log);
	cr_assert_eq(dup2(fileno(log), STDERR_FILENO), STDERR_FILENO);
	return log;
}

static unsigned log_count(FILE *log, const char *needle)
{
	char line[1024];
	unsigned found = 0;

	rewind(log);
	while (fgets(line, sizeof(line), log))
		found += strstr(line, needle) != NULL;
	return found;
}

/* Send until something comes, for as long as reopening may take. */
static void expect_frames(struct source *s, const char *when)
{
	struct seen seen = { 0 };

	for (unsigned tries = 0; seen.dns == 0 && tries < 25; tries++) {
		pair_send((struct frame_spec){ .dport = dns_port() });
		receive(s, &seen, 1, 200);
	}
	cr_assert_gt(seen.dns, 0, "%s", when);
}

Test(live, an_interface_that_goes_down_is_waited_for)
{
	struct seen seen;

	pair_make();
	pair_run(PAIR_UP);
	FILE *log = log_catch();
	struct source *s = open_pair();
	expect_frames(s, "up");
	pair_run("ip link set dw0 down");
	double before = cpu_seconds();
	receive(s, &seen, 1, 2500);
	cr_assert_lt(cpu_seconds() - before, 0.1, "it spins while the interface is down");
	pair_run(PAIR_UP);
	expect_frames(s, "up again");
	receive(s, &seen, 100, 1500);
	cr_assert_eq(log_count(log, "down"), 1);
	cr_assert_eq(log_count(log, "dw0"), 2, "one line on each change");
	source_close(s);
}

Test(live, an_interface_that_is_deleted_and_made_anew_is_opened_anew)
{
	struct source_losses before, after;
	struct seen seen;

	pair_make();
	pair_run(PAIR_UP);
	FILE *log = log_catch();
	struct source *s = open_pair();
	expect_frames(s, "up");
	receive(s, &seen, 100, 1200);
	source_losses(s, &before);
	cr_assert_gt(before.received, 0);
	pair_run("ip link del dw0");
	double cpu = cpu_seconds();
	receive(s, &seen, 1, 2500);
	cr_assert_lt(cpu_seconds() - cpu, 0.1, "it spins while the interface is gone");
	pair_run(PAIR_ADD " && " PAIR_UP);
	expect_frames(s, "made anew");
	source_losses(s, &after);
	cr_assert_gt(after.received, before.received, "the totals stay");
	cr_assert_eq(log_count(log, "dw0"), 2, "one line on each change");
	source_close(s);
}

Test(live, an_interface_that_is_down_at_the_start_is_waited_for)
{
	struct live_options options = options_on("lo");
	struct err_ctx why = { 0 };
	struct source *bad;
	struct seen seen;

	pair_make();
	FILE *log = log_catch();
	struct source *s = open_pair();
	receive(s, &seen, 1, 300);
	cr_assert_eq(seen.frames, 0);
	options.interface = "dw0";
	options.filter = "prot 53";
	cr_assert_eq(source_open_live(&bad, &options, &why), ERR_USAGE, "%s", why.text);
	pair_run(PAIR_UP);
	expect_frames(s, "up");
	cr_assert_eq(log_count(log, "down"), 1);
	source_close(s);
}

static void *interrupt_from_thread(void *argument)
{
	usleep(300000);
	source_interrupt(argument);
	return NULL;
}

Test(live, a_source_that_waits_for_its_interface_can_be_interrupted)
{
	struct frame batch[SOURCE_BATCH_MAX];
	struct err_ctx why = { 0 };
	enum source_status status;
	pthread_t thread;
	size_t count;

	pair_make();
	struct source *s = open_pair();
	cr_assert_eq(pthread_create(&thread, NULL, interrupt_from_thread, s), 0);
	do {
		status = source_next_batch(s, batch, &count, &why);
	} while (status == SOURCE_OK);
	cr_assert_eq(status, SOURCE_END);
	cr_assert_eq(pthread_join(thread, NULL), 0);
	source_close(s);
}
