/* SPDX-License-Identifier: BSD-2-Clause */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "sensor/base/attribute.h"
#include "sensor/base/clock.h"
#include "sensor/base/log.h"
#include "sensor/capture/dnstap.h"
#include "tests/support/dnstap_build.h"

#define STALL_MS   400
#define ROUNDS_MAX 600

/* A listening source in its own directory, and what it gave. */
struct rig {
	char directory[64], path[96];
	struct source *source;
	struct err_ctx why;
	size_t frames, dns;
	int64_t last_ts_ns;
	size_t from[256]; /* frames by the last octet of the client's address */
	enum packet_result last_result;
};

static struct dnstap_options options_of(const struct rig *r)
{
	return (struct dnstap_options){ .socket_path = r->path,
		.interface_index = 7,
		.owner = (uid_t)-1,
		.group = (gid_t)-1,
		.stall_ms = STALL_MS };
}

static enum err rig_listen(struct rig *r)
{
	struct dnstap_options options = options_of(r);

	return source_open_dnstap(&r->source, &options, &r->why);
}

static struct rig *rig_new(void)
{
	struct rig *r = calloc(1, sizeof(*r));

	cr_assert_not_null(r);
	log_set_level(LOG_LEVEL_ERROR);
	snprintf(r->directory, sizeof(r->directory), "/tmp/dynwatch-test-XXXXXX");
	cr_assert_not_null(mkdtemp(r->directory));
	snprintf(r->path, sizeof(r->path), "%s/dnstap.sock", r->directory);
	return r;
}

static struct rig *rig_open(void)
{
	struct rig *r = rig_new();

	cr_assert_eq(rig_listen(r), ERR_OK, "%s", r->why.text);
	return r;
}

static void rig_free(struct rig *r)
{
	source_close(r->source);
	unlink(r->path);
	cr_assert_eq(rmdir(r->directory), 0);
	free(r);
}

static void take_batch(struct rig *r, const struct frame batch[], size_t count)
{
	for (size_t i = 0; i < count; i++) {
		r->last_result = (enum packet_result)batch[i].result;
		r->last_ts_ns = batch[i].ts_ns;
		cr_assert_not_null(batch[i].decoded);
		cr_assert_eq(batch[i].interface, 7);
		r->frames++;
		if (r->last_result != PACKET_DNS)
			continue;
		r->dns++;
		/* what a frame points to is still there when the batch is */
		cr_assert_eq(memcmp(batch[i].decoded->payload, DNSTAP_BUILD_QUERY,
				     DNSTAP_BUILD_QUERY_LEN),
			0);
		r->from[batch[i].decoded->src.bytes[15]]++;
	}
}

static void round_once(struct rig *r)
{
	struct frame batch[SOURCE_BATCH_MAX];
	size_t count;

	cr_assert_eq(source_next_batch(r->source, batch, &count, &r->why), SOURCE_OK);
	take_batch(r, batch, count);
}

/* Serve until so many frames have come. */
static void serve_until(struct rig *r, size_t frames)
{
	for (int i = 0; i < ROUNDS_MAX && r->frames < frames; i++)
		round_once(r);
	cr_assert_eq(r->frames, frames);
}

static void serve_for(struct rig *r, int ms)
{
	int64_t until_ns = clock_monotonic_ns() + ms * NS_PER_MS;

	while (clock_monotonic_ns() < until_ns)
		round_once(r);
}

/* --- clients ----------------------------------------------------------------------------------- */

static int client_connect(const struct rig *r)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	cr_assert_neq(fd, -1);
	snprintf(address.sun_path, sizeof(address.sun_path), "%s", r->path);
	cr_assert_eq(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0, "%s",
		strerror(errno));
	return fd;
}

static void client_send(int fd, const struct dnstap_build *b)
{
	cr_assert_eq(send(fd, b->at, b->len, MSG_NOSIGNAL), (ssize_t)b->len);
}

static bool is_closed(int fd)
{
	char octet;
	ssize_t got = recv(fd, &octet, 1, MSG_DONTWAIT);

	return got == 0 || (got == -1 && errno != EAGAIN);
}

static void put_frames(struct dnstap_build *b, unsigned client, size_t count)
{
	char address[32];

	snprintf(address, sizeof(address), "10.1.0.%u", client);
	for (size_t i = 0; i < count; i++)
		dnstap_build_frame(b, &(struct dnstap_spec){ .query_address = address });
}

/* A client that has started one way and sent so many frames. */
static int client_start(struct rig *r, unsigned client, size_t count)
{
	struct dnstap_build b = { 0 };
	int fd = client_connect(r);

	dnstap_build_control(&b, 2, DNSTAP_BUILD_CONTENT);
	put_frames(&b, client, count);
	client_send(fd, &b);
	dnstap_build_deinit(&b);
	return fd;
}

static void client_more(int fd, unsigned client, size_t count)
{
	struct dnstap_build b = { 0 };

	put_frames(&b, client, count);
	client_send(fd, &b);
	dnstap_build_deinit(&b);
}

static void client_expect(int fd, unsigned type, const char *content)
{
	struct dnstap_build b = { 0 };
	uint8_t got[64];

	dnstap_build_control(&b, type, content);
	cr_assert_eq(recv(fd, got, sizeof(got), 0), (ssize_t)b.len);
	cr_assert_arr_eq(got, b.at, b.len);
	dnstap_build_deinit(&b);
}

/* --- the socket -------------------------------------------------------------------------------- */

Test(dnstap_socket, is_there_with_its_mode_while_it_is_open)
{
	struct rig *r = rig_open();
	struct stat st;

	cr_assert_eq(stat(r->path, &st), 0);
	cr_assert(S_ISSOCK(st.st_mode));
	cr_assert_eq(st.st_mode & 07777, 0660);
	cr_assert_str_eq(r->source->name, r->path);
	source_close(r->source);
	r->source = NULL;
	cr_assert_eq(stat(r->path, &st), -1);
	rig_free(r);
}

Test(dnstap_socket, one_left_behind_is_replaced)
{
	struct rig *r = rig_new();
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	snprintf(address.sun_path, sizeof(address.sun_path), "%s", r->path);
	cr_assert_eq(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	cr_assert_eq(listen(fd, 1), 0);
	close(fd);
	cr_assert_eq(rig_listen(r), ERR_OK, "%s", r->why.text);
	fd = client_start(r, 7, 1);
	serve_until(r, 1);
	close(fd);
	rig_free(r);
}

Test(dnstap_socket, one_in_use_is_not)
{
	struct rig *r = rig_open();
	struct dnstap_options options = options_of(r);
	struct source *second;

	cr_assert_eq(source_open_dnstap(&second, &options, &r->why), ERR_FAILED);
	cr_assert_not_null(strstr(r->why.text, "somebody listens there already"));
	cr_assert_null(second);
	int fd = client_start(r, 7, 1);
	serve_until(r, 1);
	close(fd);
	rig_free(r);
}

Test(dnstap_socket, a_file_in_its_place_stays)
{
	struct rig *r = rig_new();
	int fd = open(r->path, O_CREAT | O_WRONLY, 0600);

	cr_assert_neq(fd, -1);
	close(fd);
	cr_assert_eq(rig_listen(r), ERR_USAGE);
	cr_assert_not_null(strstr(r->why.text, "something else than a socket"));
	cr_assert_eq(access(r->path, F_OK), 0);
	rig_free(r);
}

Test(dnstap_socket, says_what_is_wrong_with_its_path)
{
	struct rig *r = rig_new();
	struct dnstap_options options = options_of(r);
	char path[512];

	snprintf(path, sizeof(path), "%s/none/dnstap.sock", r->directory);
	options.socket_path = path;
	cr_assert_eq(source_open_dnstap(&r->source, &options, &r->why), ERR_USAGE);
	cr_assert_not_null(strstr(r->why.text, "directory of the socket does not exist"));
	cr_assert_not_null(strstr(r->why.text, path));

	memset(path, 'x', 200);
	path[200] = '\0';
	cr_assert_eq(source_open_dnstap(&r->source, &options, &r->why), ERR_USAGE);
	cr_assert_not_null(strstr(r->why.text, "1 to 107 characters"));
	rig_free(r);
}

Test(dnstap_socket, what_somebody_else_put_in_its_place_is_not_removed)
{
	struct rig *r = rig_open();

	cr_assert_eq(unlink(r->path), 0);
	int fd = open(r->path, O_CREAT | O_WRONLY, 0600);
	cr_assert_neq(fd, -1);
	close(fd);
	source_close(r->source);
	r->source = NULL;
	cr_assert_eq(access(r->path, F_OK), 0);
	rig_free(r);
}

/* --- conversations ----------------------------------------------------------------------------- */

Test(dnstap_socket, one_way)
{
	struct rig *r = rig_open();
	struct dnstap_build b = { 0 };
	int fd = client_start(r, 7, 3);

	dnstap_build_control(&b, 3, NULL);
	client_send(fd, &b);
	serve_until(r, 3);
	round_once(r);
	cr_assert_eq(r->dns, 3);
	cr_assert_eq(r->last_ts_ns, DNSTAP_BUILD_TIME_S * NS_PER_S + 123456789);
	cr_assert(is_closed(fd));
	close(fd);
	dnstap_build_deinit(&b);
	rig_free(r);
}

Test(dnstap_socket, both_ways)
{
	struct rig *r = rig_open();
	struct dnstap_build b = { 0 };
	int fd = client_connect(r);

	dnstap_build_control(&b, 4, DNSTAP_BUILD_CONTENT);
	client_send(fd, &b);
	round_once(r);
	round_once(r);
	client_expect(fd, 1, DNSTAP_BUILD_CONTENT);
	b.len = 0;
	dnstap_build_control(&b, 2, DNSTAP_BUILD_CONTENT);
	put_frames(&b, 7, 2);
	dnstap_build_control(&b, 3, NULL);
	client_send(fd, &b);
	serve_until(r, 2);
	round_once(r);
	client_expect(fd, 5, NULL);
	cr_assert(is_closed(fd));
	close(fd);
	dnstap_build_deinit(&b);
	rig_free(r);
}

Test(dnstap_socket, a_connection_broken_off_after_any_octet_costs_what_was_not_whole)
{
	struct rig *r = rig_open();
	struct dnstap_build b = { 0 };
	size_t start, one, expected = 0;
	int witness = client_start(r, 99, 1);

	dnstap_build_control(&b, 2, DNSTAP_BUILD_CONTENT);
	start = b.len;
	put_frames(&b, 7, 1);
	one = b.len - start;
	put_frames(&b, 7, 1);
	serve_until(r, 1);
	for (size_t len = 0; len <= b.len; len++) {
		int fd = client_connect(r);
		cr_assert_eq(send(fd, b.at, len, MSG_NOSIGNAL), (ssize_t)len);
		close(fd);
		client_more(witness, 99, 1);
		expected += 1 + (len < start ? 0 : (len - start) / one);
		serve_until(r, 1 + expected);
	}
	cr_assert_eq(r->from[99], 2 + b.len);
	cr_assert_eq(r->dns, r->frames);
	close(witness);
	dnstap_build_deinit(&b);
	rig_free(r);
}

Test(dnstap_socket, sixty_four_at_once_and_one_more_is_refused)
{
	struct rig *r = rig_open();
	int fd[DNSTAP_CONNECTIONS_MAX];

	for (unsigned i = 0; i < DNSTAP_CONNECTIONS_MAX; i++) {
		fd[i] = client_start(r, i, 20);
		round_once(r);
	}
	serve_until(r, 20 * DNSTAP_CONNECTIONS_MAX);
	for (unsigned i = 0; i < DNSTAP_CONNECTIONS_MAX; i++)
		cr_assert_eq(r->from[i], 20, "client %u", i);

	int more = client_connect(r);
	serve_for(r, 150);
	cr_assert(is_closed(more));
	close(more);
	close(fd[3]);
	serve_for(r, 150);
	fd[3] = client_start(r, 200, 5);
	serve_until(r, 20 * DNSTAP_CONNECTIONS_MAX + 5);
	for (unsigned i = 0; i < DNSTAP_CONNECTIONS_MAX; i++)
		close(fd[i]);
	rig_free(r);
}

Test(dnstap_socket, a_busy_connection_does_not_hold_up_a_quiet_one)
{
	struct rig *r = rig_open();
	int busy = client_start(r, 1, 700), quiet = client_start(r, 2, 1);

	for (int i = 0; i < 6 && r->from[2] == 0; i++)
		round_once(r);
	cr_assert_eq(r->from[2], 1);
	cr_assert_lt(r->from[1], 700);
	serve_until(r, 701);
	close(busy);
	close(quiet);
	rig_free(r);
}

/* --- trouble ----------------------------------------------------------------------------------- */

Test(dnstap_socket, garbage_ends_its_connection_alone)
{
	struct rig *r = rig_open();
	struct dnstap_build b = { 0 };
	int good = client_start(r, 1, 1), bad = client_connect(r);

	for (int i = 0; i < 1000; i++)
		dnstap_build_octets(&b, "GET / HTTP/1.0\r\n", 16);
	client_send(bad, &b);
	serve_for(r, 150);
	cr_assert(is_closed(bad));
	client_more(good, 1, 4);
	serve_until(r, 5);
	close(good);
	close(bad);
	dnstap_build_deinit(&b);
	rig_free(r);
}

Test(dnstap_socket, who_does_not_start_or_stops_inside_a_frame_is_given_up)
{
	struct rig *r = rig_open();
	struct dnstap_build half = { 0 };
	int silent = client_connect(r), within = client_start(r, 1, 1);
	int idle = client_start(r, 2, 1);

	put_frames(&half, 1, 1);
	half.len /= 2;
	client_send(within, &half);
	serve_until(r, 2);
	serve_for(r, STALL_MS / 2);
	cr_assert(!is_closed(silent));
	cr_assert(!is_closed(within));
	serve_for(r, STALL_MS);
	cr_assert(is_closed(silent));
	cr_assert(is_closed(within));
	cr_assert(!is_closed(idle), "between two frames there is all the time");
	client_more(idle, 2, 1);
	serve_until(r, 3);
	close(silent);
	close(within);
	close(idle);
	dnstap_build_deinit(&half);
	rig_free(r);
}

Test(dnstap_socket, a_handshake_that_drips_is_given_up_too)
{
	struct rig *r = rig_open();
	struct dnstap_build b = { 0 };
	int fd = client_connect(r);
	bool closed = false;

	dnstap_build_control(&b, 2, DNSTAP_BUILD_CONTENT);
	for (size_t i = 0; i < b.len - 1 && !closed; i++) {
		closed = send(fd, b.at + i, 1, MSG_NOSIGNAL) != 1;
		serve_for(r, STALL_MS / 10);
	}
	cr_assert(closed);
	close(fd);
	dnstap_build_deinit(&b);
	rig_free(r);
}

Test(dnstap_socket, a_time_to_come_is_counted_and_does_not_move_the_clock)
{
	struct rig *r = rig_open();
	struct dnstap_build b = { 0 };
	int64_t now_ns = clock_wall_ns();
	int fd = client_start(r, 1, 0);

	dnstap_build_frame(
		&b, &(struct dnstap_spec){ .query_time_s = now_ns / NS_PER_S + 3600 });
	client_send(fd, &b);
	serve_until(r, 1);
	cr_assert_eq(r->last_result, PACKET_REJECT_DNSTAP_TIME);
	cr_assert_geq(r->last_ts_ns, now_ns);
	cr_assert_lt(r->last_ts_ns, now_ns + 60 * NS_PER_S);

	b.len = 0;
	dnstap_build_frame(&b, &(struct dnstap_spec){ .query_time_s = now_ns / NS_PER_S + 30 });
	client_send(fd, &b);
	serve_until(r, 2);
	cr_assert_eq(r->last_result, PACKET_DNS);
	close(fd);
	dnstap_build_deinit(&b);
	rig_free(r);
}

Test(dnstap_socket, a_frame_that_cannot_be_used_is_counted_and_those_behind_it_are_read)
{
	struct rig *r = rig_open();
	struct dnstap_build b = { 0 };
	int fd = client_start(r, 1, 1);

	dnstap_build_u32(&b, 4);
	dnstap_build_octets(&b, "what", 4);
	client_send(fd, &b);
	serve_until(r, 2);
	cr_assert_eq(r->last_result, PACKET_REJECT_DNSTAP_MALFORMED);
	client_more(fd, 1, 1);
	serve_until(r, 3);
	cr_assert_eq(r->dns, 2);
	close(fd);
	dnstap_build_deinit(&b);
	rig_free(r);
}

Test(dnstap_socket, an_interrupt_ends_it)
{
	struct rig *r = rig_open();
	struct frame batch[SOURCE_BATCH_MAX];
	size_t count;

	source_interrupt(r->source);
	source_interrupt(r->source);
	cr_assert_eq(source_next_batch(r->source, batch, &count, &r->why), SOURCE_END);
	cr_assert_eq(count, 0);
	rig_free(r);
}
