/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/capture/pair.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <net/if.h>
#include <netpacket/packet.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "sensor/packet/packet.h"

void pair_run(const char *command)
{
	cr_assert_eq(system(command), 0, "failed: %s", command);
}

void pair_make(void)
{
	cr_assert_eq(unshare(CLONE_NEWNET), 0,
		"no network namespace of its own (these tests need root): %s", strerror(errno));
	pair_run(PAIR_ADD);
}

void pair_send(struct frame_spec spec)
{
	static int fd = -1; /* closing a packet socket takes the kernel tens of milliseconds */
	struct sockaddr_ll to = { .sll_family = AF_PACKET,
		.sll_ifindex = (int)if_nametoindex("dw1") };
	uint8_t bytes[FRAMES_BYTES_MAX];

	spec.link = PACKET_LINK_ETHERNET;
	size_t len = frames_build(bytes, &spec);
	if (fd == -1)
		fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
	cr_assert_neq(fd, -1);
	ssize_t sent = sendto(fd, bytes, len, 0, (const struct sockaddr *)&to, sizeof(to));
	cr_assert_eq(sent, (ssize_t)len, "%s", strerror(errno));
}
