/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fuzz_pcapng -- a pcapng file. The first byte says in what pieces it is read; whatever they are, the same must come
 * out. And as far as libpcap reads it, every packet is as libpcap has it.
 */
#include <pcap/pcap.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sensor/base/clock.h"
#include "sensor/base/hash.h"
#include "sensor/capture/libpcap.h"
#include "sensor/capture/pcapng.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t bytes_len);

#define PACKETS_MAX 256 /* that are compared */

static void expect(bool holds)
{
	if (!holds)
		abort();
}

/* --- what is read ------------------------------------------------------------------------------------ */

struct pieces {
	const uint8_t *bytes;
	size_t left, piece;
};

static ssize_t read_piece(void *arg, void *buf, size_t size)
{
	struct pieces *p = arg;
	size_t give = p->left < p->piece ? p->left : p->piece;

	if (give > size)
		give = size;
	memcpy(buf, p->bytes, give);
	p->bytes += give;
	p->left -= give;
	return (ssize_t)give;
}

struct seen {
	bool opened;
	enum source_status end;
	char why[sizeof(((struct err_ctx *)NULL)->text)];
	size_t count;
	uint64_t hash;
	struct packet_seen {
		int64_t ts_ns;
		uint32_t caplen, wire_len, link;
		uint64_t hash;
	} packet[PACKETS_MAX];
};

static void see(struct seen *s, const struct frame *frame)
{
	struct packet_seen p = { frame->ts_ns, frame->caplen, frame->wire_len, frame->link,
		hash_bytes(1, frame->bytes, frame->caplen) };

	expect(frame->caplen <= LIBPCAP_FRAME_MAX && frame->wire_len >= frame->caplen);
	expect(frame->ts_ns >= 0);
	if (s->count < PACKETS_MAX)
		s->packet[s->count] = p;
	s->hash = hash_bytes(s->hash, &p.hash, sizeof(p.hash)) ^ (uint64_t)p.ts_ns;
	s->count++;
}

static void read_all(struct seen *s, const uint8_t *bytes, size_t bytes_len, size_t piece)
{
	size_t first = bytes_len < 24 ? bytes_len : 24, count;
	struct pieces pieces = { bytes + first, bytes_len - first, piece };
	struct frame batch[SOURCE_BATCH_MAX];
	struct err_ctx why = { { 0 } };
	struct pcapng p;

	memset(s, 0, sizeof(*s));
	s->opened = pcapng_init(&p, bytes, first, read_piece, &pieces, NULL, &why) == ERR_OK;
	while (s->opened) {
		count = 0;
		s->end = pcapng_next(&p, batch, &count, &why);
		expect(s->end == SOURCE_OK ? count > 0 && count <= SOURCE_BATCH_MAX
					   : count == 0);
		for (size_t i = 0; i < count; i++)
			see(s, &batch[i]);
		if (s->end != SOURCE_OK)
			break;
	}
	expect((s->opened && s->end == SOURCE_END) || why.text[0]);
	snprintf(s->why, sizeof(s->why), "%s", why.text);
	pcapng_deinit(&p);
}

/* --- what libpcap makes of it -------------------------------------------------------------------------- */

static void compare(const struct seen *s, const uint8_t *bytes, size_t bytes_len)
{
	char text[PCAP_ERRBUF_SIZE];
	FILE *stream = fmemopen((void *)(uintptr_t)bytes, bytes_len, "rb");
	pcap_t *pcap = stream ? pcap_fopen_offline_with_tstamp_precision(
					stream, PCAP_TSTAMP_PRECISION_NANO, text)
			      : NULL;
	struct pcap_pkthdr *header;
	const u_char *packet;

	if (!pcap) {
		if (stream)
			fclose(stream);
		return;
	}
	for (size_t i = 0;
		s->opened && i < PACKETS_MAX && pcap_next_ex(pcap, &header, &packet) == 1;
		i++) {
		const struct packet_seen *p = &s->packet[i];
		expect(i < s->count);
		expect(p->link == (uint32_t)pcap_datalink(pcap));
		expect(p->caplen == header->caplen);
		expect(p->wire_len ==
			(header->len > header->caplen ? header->len : header->caplen));
		expect(p->hash == hash_bytes(1, packet, header->caplen));
		/* Its fractions overflow with units finer than 2^-34 s, its seconds after 2106. */
		if (p->ts_ns / NS_PER_S < UINT32_MAX && header->ts.tv_sec >= 0)
			expect(p->ts_ns / NS_PER_S == header->ts.tv_sec);
	}
	pcap_close(pcap);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t bytes_len)
{
	static struct seen at_once, in_pieces;

	if (bytes_len < 5 || !pcapng_is_start(bytes + 1, bytes_len - 1))
		return 0;
	read_all(&at_once, bytes + 1, bytes_len - 1, bytes_len);
	read_all(&in_pieces, bytes + 1, bytes_len - 1, 1 + bytes[0]);
	expect(at_once.end == in_pieces.end && at_once.count == in_pieces.count &&
		at_once.hash == in_pieces.hash);
	compare(&at_once, bytes + 1, bytes_len - 1);
	return 0;
}
