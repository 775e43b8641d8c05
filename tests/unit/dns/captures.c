/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/dns/captures.h"

#include "sensor/base/cursor.h"

#include <pcap/pcap.h>

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	ETHERTYPE_V4 = 0x0800,
	ETHERTYPE_V6 = 0x86dd,
	PROTOCOL_TCP = 6,
	PROTOCOL_UDP = 17,
	PORT_DNS = 53,
};

struct visitor {
	captures_visit *visit;
	void *context;
	const char *file;
	size_t count;
};

static void visit_message(struct visitor *v, struct cursor *c)
{
	size_t len = cursor_left(c);
	const uint8_t *wire = cursor_take(c, len);

	if (len == 0)
		return;
	v->visit(v->context, wire, len, v->file);
	v->count++;
}

static void read_transport(struct visitor *v, unsigned protocol, struct cursor *c)
{
	unsigned sport = cursor_be16(c);
	unsigned dport = cursor_be16(c);

	if (sport != PORT_DNS && dport != PORT_DNS)
		return;
	if (protocol == PROTOCOL_UDP) {
		size_t len = cursor_be16(c);
		cursor_be16(c); /* checksum */
		if (len >= 8 && cursor_left(c) >= len - 8) {
			struct cursor payload = cursor_sub(c, len - 8);
			visit_message(v, &payload);
		}
		return;
	}
	cursor_take(c, 8); /* sequence, acknowledgement */
	unsigned offset = (unsigned)cursor_u8(c) >> 4;
	if (offset < 5 || !cursor_take(c, offset * 4u - 13))
		return;
	size_t len = cursor_be16(c);
	if (!c->failed && len == cursor_left(c))
		visit_message(v, c);
}

static void read_ip(struct visitor *v, struct cursor *c)
{
	struct cursor ahead = *c;
	unsigned first = cursor_u8(&ahead);

	if (first >> 4 == 4) {
		cursor_u8(&ahead);
		size_t total = cursor_be16(&ahead);
		cursor_be16(&ahead);
		unsigned fragment = cursor_be16(&ahead);
		cursor_u8(&ahead);
		unsigned protocol = cursor_u8(&ahead);
		size_t header = (first & 0xfu) * 4;
		if ((fragment & 0x3fff) || header < 20 || total < header ||
			cursor_left(c) < total)
			return;
		struct cursor body = cursor_sub(c, total);
		cursor_take(&body, header);
		read_transport(v, protocol, &body);
	} else if (first >> 4 == 6) {
		cursor_take(&ahead, 3);
		size_t payload_len = cursor_be16(&ahead);
		unsigned next = cursor_u8(&ahead);
		cursor_take(&ahead, 33);
		struct cursor body = cursor_sub(&ahead, payload_len);
		if (!body.failed && (next == PROTOCOL_TCP || next == PROTOCOL_UDP))
			read_transport(v, next, &body);
	}
}

static void read_frame(struct visitor *v, int link, struct cursor *c)
{
	unsigned type = 0;

	switch (link) {
	case DLT_EN10MB:
		cursor_take(c, 12);
		type = cursor_be16(c);
		break;
	case DLT_LINUX_SLL:
		cursor_take(c, 14);
		type = cursor_be16(c);
		break;
	case DLT_LINUX_SLL2:
		type = cursor_be16(c);
		cursor_take(c, 18);
		break;
	case DLT_NULL:
	case DLT_LOOP:
		cursor_take(c, 4);
		type = ETHERTYPE_V4;
		break;
	case DLT_RAW:
	case DLT_IPV4:
	case DLT_IPV6:
		type = ETHERTYPE_V4;
		break;
	}
	while (type == 0x8100 || type == 0x88a8 || type == 0x9100) {
		cursor_be16(c);
		type = cursor_be16(c);
	}
	if (type == ETHERTYPE_V4 || type == ETHERTYPE_V6)
		read_ip(v, c);
}

static void read_capture(struct visitor *v, const char *path)
{
	char why[PCAP_ERRBUF_SIZE];
	struct pcap_pkthdr *header;
	const u_char *bytes;

	/* Compressed files and link types without a name are for the capture module's tests. */
	pcap_t *pcap = pcap_open_offline(path, why);
	if (!pcap)
		return;
	v->file = path;
	while (pcap_next_ex(pcap, &header, &bytes) == 1) {
		struct cursor c = cursor_init(bytes, header->caplen);
		read_frame(v, pcap_datalink(pcap), &c);
	}
	pcap_close(pcap);
}

static void each_path(
	const char *folder, void (*use)(struct visitor *, const char *), struct visitor *v)
{
	struct dirent **entry;
	int count = scandir(folder, &entry, NULL, alphasort);

	for (int i = 0; i < count; i++) {
		char path[1024];
		int len = snprintf(path, sizeof(path), "%s/%s", folder, entry[i]->d_name);
		if (entry[i]->d_name[0] != '.' && len < (int)sizeof(path))
			use(v, path);
		free(entry[i]);
	}
	if (count >= 0)
		free(entry);
}

size_t captures_each(captures_visit *visit, void *context)
{
	struct visitor v = { .visit = visit, .context = context };
	const char *shared = getenv("DYNWATCH_SHARED");
	char folder[512];

	snprintf(folder, sizeof(folder), "%s/pcaps", shared ? shared : "../shared");
	each_path(folder, read_capture, &v);
	return v.count;
}

static void read_whole(struct visitor *v, const char *path)
{
	static uint8_t bytes[65536];
	FILE *file = fopen(path, "rb");

	if (!file)
		return;
	size_t len = fread(bytes, 1, sizeof(bytes), file);
	fclose(file);
	struct cursor c = cursor_init(bytes, len);
	v->file = path;
	visit_message(v, &c);
}

size_t corpus_each(const char *folder, captures_visit *visit, void *context)
{
	struct visitor v = { .visit = visit, .context = context };

	each_path(folder, read_whole, &v);
	return v.count;
}
