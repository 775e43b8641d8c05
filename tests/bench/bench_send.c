/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bench_send -- sends the frames of a capture into an interface, as fast as the kernel takes them
 * or at a rate, for some seconds.
 *
 * Looped captures flatter every table of flows, so from the second pass on no exchange is one that
 * was there before: message ids and the clients' ports are rewritten, checksums with them. The
 * capture is in memory before the first frame goes out.
 *
 * Takes plain Ethernet, IPv4 without options and IPv6 without extension headers: what mkpcap
 * makes. Root, or CAP_NET_RAW.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "sensor/base/clock.h"
#include "sensor/base/hash.h"
#include "sensor/base/quantity.h"

#define BATCH         64
#define FILE_HEADER   24
#define RECORD_HEADER 16
#define SECONDS_MAX   60
#define RETRIES_MAX   100000 /* of a full queue, before giving up */

struct sender {
	uint8_t *bytes;
	struct iovec *frame;
	size_t count;
	int fd;
	uint64_t sent, passes;
};

static int complain(const char *what)
{
	fprintf(stderr, "bench_send: %s: %s\n", what, strerror(errno));
	return 1;
}

/* --- the capture -------------------------------------------------------------------------- */

static bool read_whole(const char *path, uint8_t **bytes, size_t *len)
{
	FILE *f = fopen(path, "rb");
	bool ok = f && fseek(f, 0, SEEK_END) == 0;
	long size = ok ? ftell(f) : -1;

	*bytes = size > 0 ? malloc((size_t)size) : NULL;
	ok = *bytes && fseek(f, 0, SEEK_SET) == 0 && fread(*bytes, (size_t)size, 1, f) == 1;
	*len = ok ? (size_t)size : 0;
	if (f)
		fclose(f);
	return ok;
}

/* Where each frame is; false when there is none. */
static bool index_frames(struct sender *s, size_t len)
{
	size_t room = len / (RECORD_HEADER + ETHER_HDR_LEN) + 1;

	s->frame = calloc(room, sizeof(*s->frame));
	for (size_t at = FILE_HEADER; s->frame && at + RECORD_HEADER <= len;) {
		uint32_t caplen;
		memcpy(&caplen, s->bytes + at + 8, sizeof(caplen));
		at += RECORD_HEADER;
		if (caplen < ETHER_HDR_LEN || caplen > len - at)
			break;
		s->frame[s->count++] = (struct iovec){ s->bytes + at, caplen };
		at += caplen;
	}
	return s->count > 0;
}

/* --- another pass ------------------------------------------------------------------------- */

static void change_word(uint8_t *at, uint8_t *checksum, uint16_t mask)
{
	uint16_t old = (uint16_t)(at[0] << 8 | at[1]), new = old ^ mask;
	uint16_t before = (uint16_t)(checksum[0] << 8 | checksum[1]);
	/* RFC 1624, equation 3 */
	uint32_t sum = (uint32_t)(uint16_t)~before + (uint16_t)~old + new;

	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	at[0] = (uint8_t)(new >> 8);
	at[1] = (uint8_t) new;
	checksum[0] = (uint8_t)(~sum >> 8);
	checksum[1] = (uint8_t)~sum;
}

/* The same change to both directions of an exchange: they still belong together. */
static void rewrite(uint8_t *frame, size_t len, uint16_t id_mask, uint16_t port_mask)
{
	bool ipv6 = frame[12] == 0x86;
	size_t transport = ETHER_HDR_LEN + (ipv6 ? 40 : 20);
	if (len < transport + 20)
		return;
	bool udp = frame[ETHER_HDR_LEN + (ipv6 ? 6 : 9)] == 17;
	uint8_t *ports = frame + transport;
	uint8_t *checksum = ports + (udp ? 6 : 16);
	bool from_server = ports[0] == 0 && ports[1] == 53;

	change_word(from_server ? ports + 2 : ports, checksum, port_mask);
	if (udp)
		change_word(ports + 8, checksum, id_mask);
}

static void rewrite_all(struct sender *s)
{
	uint64_t bits = hash_word(0, s->passes);
	uint16_t id_mask = (uint16_t)bits, port_mask = (uint16_t)(bits >> 16 & 0x3ff);

	for (size_t i = 0; i < s->count; i++)
		rewrite(s->frame[i].iov_base, s->frame[i].iov_len, id_mask, port_mask);
}

/* --- sending ------------------------------------------------------------------------------ */

static bool open_interface(struct sender *s, const char *name)
{
	struct sockaddr_ll to = { .sll_family = AF_PACKET,
		.sll_ifindex = (int)if_nametoindex(name) };
	int bypass = 1; /* no queueing discipline: nothing of it is measured */

	s->fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
	return s->fd != -1 && to.sll_ifindex != 0 &&
	       setsockopt(s->fd, SOL_PACKET, PACKET_QDISC_BYPASS, &bypass, sizeof(bypass)) ==
		       0 &&
	       bind(s->fd, (struct sockaddr *)&to, sizeof(to)) == 0;
}

static bool send_batch(struct sender *s, size_t first, size_t count)
{
	struct mmsghdr message[BATCH];
	unsigned tries = 0;

	for (size_t i = 0; i < count; i++)
		message[i] = (struct mmsghdr){ .msg_hdr = { .msg_iov = &s->frame[first + i],
						       .msg_iovlen = 1 } };
	for (size_t done = 0; done < count;) {
		int sent = sendmmsg(s->fd, message + done, (unsigned)(count - done), 0);
		if (sent > 0) {
			done += (size_t)sent;
			s->sent += (uint64_t)sent;
		} else if ((errno != ENOBUFS && errno != EAGAIN && errno != EINTR) ||
			   ++tries > RETRIES_MAX) {
			return false;
		}
	}
	return true;
}

/* Until `due_ns`: asleep while it is far, then awake. */
static void wait_until(int64_t due_ns)
{
	int64_t left_ns;

	while ((left_ns = due_ns - clock_monotonic_ns()) > 0) {
		if (left_ns > NS_PER_MS)
			nanosleep(&(struct timespec){ .tv_nsec = NS_PER_MS / 2 }, NULL);
	}
}

/* Returns how long it took in ns, -1 when a frame could not be sent. Rewriting takes no time. */
static int64_t send_all(struct sender *s, uint64_t rate, int64_t duration_ns, uint64_t limit)
{
	int64_t start_ns = clock_monotonic_ns(), now_ns = start_ns;
	size_t at = 0;

	while (now_ns - start_ns < duration_ns && s->sent < limit) {
		size_t count = s->count - at < BATCH ? s->count - at : BATCH;
		if (count > limit - s->sent)
			count = (size_t)(limit - s->sent);
		if (rate > 0)
			wait_until(start_ns + (int64_t)((double)s->sent * 1e9 / (double)rate));
		if (!send_batch(s, at, count))
			return -1;
		at += count;
		now_ns = clock_monotonic_ns();
		if (at == s->count) {
			at = 0;
			s->passes++;
			rewrite_all(s);
			int64_t paused_ns = clock_monotonic_ns() - now_ns;
			start_ns += paused_ns;
			now_ns += paused_ns;
		}
	}
	return now_ns - start_ns;
}

/*
 * One processor for the sender and what the kernel does on its behalf; like a wire it does not wait
 * for whoever else wants that processor.
 */
static void take_last_cpu(void)
{
	cpu_set_t set;
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);

	CPU_ZERO(&set);
	CPU_SET((int)(cpus > 0 ? cpus - 1 : 0), &set);
	sched_setaffinity(0, sizeof(set), &set);
	setpriority(PRIO_PROCESS, 0, -20);
}

int main(int argc, char **argv)
{
	struct sender s = { .fd = -1 };
	uint64_t rate = 0, seconds = 0, limit = UINT64_MAX;
	size_t len;

	if ((argc != 5 && argc != 6) || !quantity_parse_count(&rate, argv[3]) ||
		!quantity_parse_count(&seconds, argv[4]) || seconds > SECONDS_MAX ||
		(argc == 6 && !quantity_parse_count(&limit, argv[5]))) {
		fprintf(stderr, "usage: bench_send CAPTURE INTERFACE RATE SECONDS [FRAMES]; "
				"RATE 0: as fast as it goes\n");
		return 2;
	}
	if (!read_whole(argv[1], &s.bytes, &len) || !index_frames(&s, len))
		return complain(argv[1]);
	if (!open_interface(&s, argv[2]))
		return complain(argv[2]);
	take_last_cpu();
	int64_t took_ns = send_all(&s, rate, (int64_t)seconds * NS_PER_S, limit);
	if (took_ns < 0)
		return complain("sendmmsg");
	printf("{\"sent\":%llu,\"elapsed_ns\":%lld,\"passes\":%llu}\n",
		(unsigned long long)s.sent, (long long)took_ns, (unsigned long long)s.passes);
	close(s.fd);
	free(s.frame);
	free(s.bytes);
	return 0;
}
