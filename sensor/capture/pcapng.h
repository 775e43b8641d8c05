/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pcapng.h -- the packets of a pcapng file (draft-ietf-opsawg-pcapng) where they lie in a read buffer: sections of
 * either byte order, any number of interfaces, each with its link type, resolution and offset of times; enhanced,
 * simple and obsolete packet blocks. Every other block is passed over.
 *
 * libpcap reads pcapng as well, but gives up at a second interface of another link type or snapshot length, which
 * Wireshark's captures of several interfaces have; and it takes 410 instructions a packet more, a sixth of all (callgrind,
 * replay of the benchmark's mix).
 *
 * Packets of an interface whose link type packet/ cannot decode are delivered as they are, for the books; when the
 * first interfaces are all of that kind, opening is the error that names it.
 *
 * Owner:   pcapng_deinit frees.
 * Threads: one input thread.
 * Input:   untrusted: lengths, numbers and times may lie.
 * Limits:  PCAPNG_INTERFACES_MAX in a section, READBUF_RECORD_MAX bytes a block of those that are looked into.
 */
#ifndef SENSOR_CAPTURE_PCAPNG_H
#define SENSOR_CAPTURE_PCAPNG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sensor/capture/readbuf.h"

#define PCAPNG_INTERFACES_MAX 65536

struct pcapng_interface;

/* Zero-initialised is valid and reads nothing. */
struct pcapng {
	struct readbuf in;
	const struct source_interfaces *names;
	struct pcapng_interface *interface; /* of the section */
	size_t interface_count, interface_room;
	uint64_t left; /* octets of a block that is passed over */
	size_t wanted; /* octets of the block that is looked at, as far as is known */
	bool swapped;  /* the section is of the other byte order */
};

/* Do these octets begin a pcapng file? Four are needed. */
bool pcapng_is_start(const uint8_t *first, size_t first_len);

/*
 * Read up to the first interface that can be decoded, and what was read with it. Interfaces are numbered by
 * their names (if_name) as `interfaces` says; NULL: all are 0. `first` are the octets that have been read already.
 * ERR_INPUT: damage before it, or a link type that cannot be decoded; the text has no name of a file.
 */
NODISCARD enum err pcapng_init(struct pcapng *p, const uint8_t *first, size_t first_len,
	readbuf_read_fn *read, void *arg, const struct source_interfaces *interfaces,
	struct err_ctx *why);
void pcapng_deinit(struct pcapng *p);

static inline bool pcapng_is_used(const struct pcapng *p)
{
	return readbuf_is_used(&p->in);
}

/* As classic_next. */
enum source_status pcapng_next(struct pcapng *p, struct frame batch[SOURCE_BATCH_MAX],
	size_t *count, struct err_ctx *why);

#endif
