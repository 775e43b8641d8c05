/* SPDX-License-Identifier: BSD-2-Clause */
#include "sensor/packet/fingerprint.h"

static void add_payload(
	struct fingerprint *f, const uint8_t *bytes, size_t bytes_len, const uint64_t key[2])
{
	const uint8_t *end = bytes + bytes_len;

	if (bytes_len < FINGERPRINT_STEP / 2) {
		f->two ^= hash_bytes(key[0], bytes, bytes_len);
		return;
	}
	size_t first = fingerprint_first(bytes_len);
	fingerprint_add_first(f, bytes, first, key);
	for (bytes += first; bytes < end; bytes += FINGERPRINT_STEP)
		fingerprint_add(f, bytes, bytes + FINGERPRINT_STEP / 2, key);
}

static struct fingerprint start(const struct packet *p, uint64_t ends, const uint64_t key[2])
{
	uint8_t both[8];

	if (!ip_is_v4(&p->src) || !ip_is_v4(&p->dst))
		return fingerprint_start_v6(p->src.bytes, p->dst.bytes, ends, key);
	memcpy(both, p->src.bytes + 12, 4);
	memcpy(both + 4, p->dst.bytes + 12, 4);
	return fingerprint_start_v4(word_at(both), ends, key);
}

uint64_t fingerprint_of(const struct packet *p, const uint64_t key[2])
{
	uint32_t ports = (uint32_t)p->sport << 16 | p->dport;
	uint64_t ends = fingerprint_ends(ports, p->protocol, p->tcp_flags, p->ip_id);
	uint64_t lengths = (uint64_t)p->payload_missing << 32 | p->payload_len;
	uint64_t numbers = (uint64_t)p->tcp_seq << 32 | p->tcp_ack;
	struct fingerprint f = start(p, ends, key);

	add_payload(&f, p->payload, p->payload_len, key);
	return fingerprint_end(&f, lengths, numbers, key);
}
