/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * plain.h -- a short way for the frames that nearly all are; not for other modules.
 *
 * Input:    untrusted.  Threads: no shared state.
 */
#ifndef SENSOR_PACKET_PLAIN_H
#define SENSOR_PACKET_PLAIN_H

#include "sensor/packet/packet.h"

/*
 * True: *out, when it is finished, is what layers_decode makes of the frame, and that is PACKET_DNS.
 * False: it takes the layers to tell, *out is in any state.
 */
bool plain_begin(struct packet *out, enum packet_rest *rest, const struct frame *frame,
	const struct port_set *ports);
void plain_finish(struct packet *out, enum packet_rest rest, const uint64_t key[2]);

#endif
