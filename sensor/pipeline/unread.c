/* SPDX-License-Identifier: BSD-2-Clause */
#include "sensor/pipeline/unread.h"

#include <assert.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

/*
 * The record: an observation of which only what the packet tells is set, with its ends in order of source
 * and destination, as who is the client is not known yet; then this, and the payload.
 */
struct unread {
	struct observation head; /* OBSERVATION_UNREAD; wire_len_message: of the payload */
	uint32_t vni;
	uint16_t interface;
	uint8_t vlan_count;
	uint8_t unused;
	uint16_t vlan[PACKET_VLANS_MAX];
};
static_assert(UNREAD_PAYLOAD_MAX <= UINT16_MAX, "wire_len_message");

/* What of a frame and a packet the record has; the rest is zero. */
struct unread_item {
	struct frame frame;
	struct packet packet;
	struct reading reading;
};

struct unread_batch {
	struct observer observer;
	struct reading_tally tally;
	struct reading_counters *counters;
	size_t max, used_bytes, block_bytes;
	char *block; /* the observations */
	struct unread_item item[];
};

bool unread_fits(const struct frame *frame, const struct packet *p)
{
	return p->protocol == IPPROTO_UDP && p->payload_len <= UNREAD_PAYLOAD_MAX &&
	       p->payload_missing == 0 && !frame->decoded;
}

size_t unread_bytes(const struct packet *p)
{
	return sizeof(struct unread) + ((p->payload_len + 3u) & ~3u);
}

void unread_write(struct observation *record, const struct frame *frame, const struct packet *p)
{
	struct unread *u = (struct unread *)record;

	/* Not all of it is read on the other side, and what is not written is not fetched. */
	record->ts_ns = frame->ts_ns;
	record->client = p->src;
	record->server = p->dst;
	record->client_port = p->sport;
	record->server_port = p->dport;
	record->wire_len_message = (uint16_t)p->payload_len;
	record->size = unread_bytes(p) & 0x3ffff;
	record->kind = OBSERVATION_UNREAD;
	u->vni = p->vni;
	u->interface = frame->interface;
	u->vlan_count = p->vlan_count;
	memcpy(u->vlan, p->vlan, sizeof(u->vlan));
	memcpy(u + 1, p->payload, p->payload_len);
}

struct unread_batch *unread_new(size_t max, const struct port_set *ports,
	const struct knowledge *known, struct reading_counters *counters)
{
	struct unread_batch *u = calloc(1, sizeof(*u) + max * sizeof(u->item[0]));

	if (!u)
		return NULL;
	u->max = max;
	u->counters = counters;
	u->block_bytes = max * (OBSERVE_BLOCK_MAX + UNREAD_PAYLOAD_MAX + CACHE_LINE);
	u->block_bytes = u->block_bytes / CACHE_LINE * CACHE_LINE;
	u->block = aligned_alloc(CACHE_LINE, u->block_bytes);
	u->observer = (struct observer){
		.known = known,
		.ports = ports,
		.tenants = tenant_cache_new(),
	};
	if (u->block && u->observer.tenants)
		return u;
	unread_free(u);
	return NULL;
}

void unread_free(struct unread_batch *u)
{
	if (!u)
		return;
	tenant_cache_free(u->observer.tenants);
	free(u->block);
	free(u);
}

void unread_adopt(struct unread_batch *u, const struct knowledge *known)
{
	observer_adopt(&u->observer, known);
}

void unread_prepare(struct unread_batch *u, size_t at, const struct observation *record)
{
	const struct unread *from = (const struct unread *)record;
	struct unread_item *item = &u->item[at];
	struct packet *p = &item->packet;

	assert(at < u->max && record->kind == OBSERVATION_UNREAD);
	item->frame.ts_ns = record->ts_ns;
	item->frame.interface = from->interface;
	p->src = record->client;
	p->dst = record->server;
	p->sport = record->client_port;
	p->dport = record->server_port;
	p->protocol = IPPROTO_UDP;
	p->vni = from->vni;
	p->vlan_count = from->vlan_count;
	memcpy(p->vlan, from->vlan, sizeof(p->vlan));
	p->payload = (const uint8_t *)(from + 1);
	p->payload_len = record->wire_len_message;
	reading_prepare(&item->reading, &u->observer, &item->frame, p);
}

const struct observation *unread_read(
	struct unread_batch *u, size_t at, const struct observation *record)
{
	struct unread_item *item = &u->item[at];
	const struct dns_message *m = &item->reading.message;
	struct observation *o = (struct observation *)(u->block + u->used_bytes);

	if (UNLIKELY(item->reading.error != DNS_OK)) {
		gauge_add(&u->counters->malformed[item->reading.error], 1);
		return NULL;
	}
	assert(u->used_bytes + observe_bound(&item->reading.who, m) <= u->block_bytes);
	observe_tenant(&u->observer, &item->reading.who, &item->frame, &item->packet);
	observe_build(&u->observer, o, &item->frame, &item->packet, &item->reading.who, m);
	o->seq = record->seq;
	u->used_bytes += (o->size + CACHE_LINE - 1) / CACHE_LINE * CACHE_LINE;
	reading_count(&u->tally, &item->packet, m);
	return o;
}

void unread_clear(struct unread_batch *u)
{
	u->used_bytes = 0;
}

void unread_publish(struct unread_batch *u)
{
	reading_publish(u->counters, &u->tally);
}
