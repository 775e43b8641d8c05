/* SPDX-License-Identifier: BSD-2-Clause */
#include "sensor/capture/fanout.h"

#include <errno.h>
#include <linux/if_packet.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define MODE     (PACKET_FANOUT_HASH | PACKET_FANOUT_FLAG_DEFRAG)
#define NUMBER   0xffff
#define MODE_BIT 16

struct fanout {
	pthread_mutex_t mutex;
	bool numbered;
	unsigned number;
};

struct fanout *fanout_new(void)
{
	struct fanout *f = calloc(1, sizeof(*f));

	if (f)
		pthread_mutex_init(&f->mutex, NULL);
	return f;
}

void fanout_free(struct fanout *f)
{
	if (!f)
		return;
	pthread_mutex_destroy(&f->mutex);
	free(f);
}

static bool join(int fd, unsigned number, unsigned mode)
{
	int wanted = (int)(number | mode << MODE_BIT);

	return setsockopt(fd, SOL_PACKET, PACKET_FANOUT, &wanted, sizeof(wanted)) == 0;
}

/* A number that nobody has in this network namespace, whatever process ids others go by. */
static bool make(struct fanout *f, int fd)
{
	int made = 0;
	socklen_t size = sizeof(made);

	if (!join(fd, 0, MODE | PACKET_FANOUT_FLAG_UNIQUEID) ||
		getsockopt(fd, SOL_PACKET, PACKET_FANOUT, &made, &size) == -1)
		return false;
	f->number = (unsigned)made & NUMBER;
	f->numbered = true;
	return true;
}

enum err fanout_join(struct fanout *f, int fd, const char *interface, struct err_ctx *why)
{
	pthread_mutex_lock(&f->mutex);
	bool joined = f->numbered ? join(fd, f->number, MODE) : make(f, fd);
	int error = errno;
	pthread_mutex_unlock(&f->mutex);
	if (joined)
		return ERR_OK;
	return err_set(why, ERR_FAILED,
		"%s: the kernel does not share this interface between several inputs "
		"(PACKET_FANOUT: %s); use sensor.inputs: 1",
		interface, strerror(error));
}
