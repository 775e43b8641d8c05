/* SPDX-License-Identifier: BSD-2-Clause */
#include "sensor/capture/libpcap.h"

#include <stdlib.h>
#include <string.h>

#include "sensor/base/clock.h"

#define ALIGNMENT CACHE_LINE

enum err libpcap_batch_init(
	struct libpcap_batch *b, size_t frame_bytes_max, struct err_ctx *why)
{
	frame_bytes_max = (frame_bytes_max + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
	*b = (struct libpcap_batch){ .frame_bytes_max = frame_bytes_max };
	b->arena = malloc(SOURCE_BATCH_MAX * frame_bytes_max);
	if (!b->arena)
		return err_set(why, ERR_FAILED, "out of memory for a batch of frames");
	return ERR_OK;
}

void libpcap_batch_deinit(struct libpcap_batch *b)
{
	free(b->arena);
	*b = (struct libpcap_batch){ 0 };
}

enum err libpcap_check_link(int link, struct err_ctx *why)
{
	const char *name = pcap_datalink_val_to_name(link);
	const char *description = pcap_datalink_val_to_description(link);

	if (packet_link_supported(link))
		return ERR_OK;
	return err_set(why, ERR_INPUT, "link type %s (%d, %s) cannot be decoded",
		name ? name : "without a name", link, description ? description : "unknown");
}

enum err libpcap_batch_adopt(
	struct libpcap_batch *b, pcap_t *pcap, const char *name, struct err_ctx *why)
{
	int link = pcap_datalink(pcap);
	struct err_ctx link_why;

	if (libpcap_check_link(link, &link_why) != ERR_OK)
		return err_set(why, ERR_INPUT, "%s: %s", name, link_why.text);
	bool nanoseconds = pcap_get_tstamp_precision(pcap) == PCAP_TSTAMP_PRECISION_NANO;
	b->fraction_ns = nanoseconds ? 1 : (int)NS_PER_US;
	b->link = (uint16_t)link;
	return ERR_OK;
}

int64_t libpcap_time_ns(const struct timeval *ts, int fraction_ns)
{
	int64_t seconds = ts->tv_sec;
	int64_t fraction = ts->tv_usec;

	/* Seconds in a pcap file are unsigned (until 2106), but libpcap extends their sign. */
	if (seconds < 0)
		seconds += INT64_C(1) << 32;
	if (seconds < 0)
		seconds = 0;
	if (seconds > INT64_MAX / NS_PER_S - 1)
		seconds = INT64_MAX / NS_PER_S - 1;
	if (fraction < 0 || fraction >= NS_PER_S / fraction_ns)
		fraction = 0;
	return seconds * NS_PER_S + fraction * fraction_ns;
}

static void frame_copy(u_char *user, const struct pcap_pkthdr *header, const u_char *bytes)
{
	struct libpcap_batch *b = (struct libpcap_batch *)user;
	size_t caplen = header->caplen;

	if (caplen > b->frame_bytes_max)
		caplen = b->frame_bytes_max;
	uint8_t *copy = b->arena + b->used_bytes;
	memcpy(copy, bytes, caplen);
	b->used_bytes += (caplen + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
	b->frames[b->count++] = (struct frame){
		.bytes = copy,
		.caplen = (uint32_t)caplen,
		/* some captures claim fewer bytes on the wire than they hold */
		.wire_len = header->len > header->caplen ? header->len : header->caplen,
		.ts_ns = libpcap_time_ns(&header->ts, b->fraction_ns),
		.link = b->link,
		.interface = b->interface,
	};
}

int libpcap_read(struct libpcap_batch *b, pcap_t *pcap, struct frame batch[SOURCE_BATCH_MAX],
	size_t *count)
{
	b->frames = batch;
	b->count = 0;
	b->used_bytes = 0;
	int result = pcap_dispatch(pcap, SOURCE_BATCH_MAX, frame_copy, (u_char *)b);
	*count = b->count;
	return result;
}
