/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dns_build.h -- DNS messages written octet by octet, well-formed or not, and named samples.
 *
 *	struct dns_build b;
 *	build_start(&b, 0x1234, 0x8180);
 *	build_question(&b, "www.example.com", 1, 1);
 *	build_record(&b, BUILD_ANSWER, NULL, 1, 1, 300);   NULL: a pointer to the question
 *	build_octets(&b, "\xc0\x00\x02\x01", 4);
 *	build_record_end(&b);
 *
 * Counts in the header follow. Nothing is checked: what a test asks for is written.
 */
#ifndef TESTS_SUPPORT_DNS_BUILD_H
#define TESTS_SUPPORT_DNS_BUILD_H

#include <stddef.h>
#include <stdint.h>

enum build_count {
	BUILD_QUESTION,
	BUILD_ANSWER,
	BUILD_AUTHORITY,
	BUILD_ADDITIONAL,
};

struct dns_build {
	uint8_t at[65535];
	size_t len;
	size_t rdlength_at; /* of the record being written */
};

void build_start(struct dns_build *b, uint16_t id, uint16_t flags);
void build_u8(struct dns_build *b, unsigned number);
void build_u16(struct dns_build *b, unsigned number);
void build_u32(struct dns_build *b, uint32_t number);
void build_octets(struct dns_build *b, const void *octets, size_t octets_len);
/* "www.example.com" with its root; no escapes. "" is the root. */
void build_name(struct dns_build *b, const char *dotted);
/* The labels without the root: a pointer is to follow. */
void build_labels(struct dns_build *b, const char *dotted);
void build_pointer(struct dns_build *b, unsigned offset);
void build_question(struct dns_build *b, const char *qname, unsigned qtype, unsigned qclass);
/* Owner, type, class, TTL; RDATA follows until build_record_end. */
void build_record(struct dns_build *b, enum build_count section, const char *owner,
	unsigned type, unsigned class_, uint32_t ttl);
void build_record_end(struct dns_build *b);
/* An OPT with these options. */
void build_opt(struct dns_build *b, unsigned udp_size, uint32_t ttl, const void *options,
	size_t options_len);
/* One count of the header, when it is to lie. */
void build_set_count(struct dns_build *b, enum build_count which, unsigned count);

/* Messages of every kind the decoder knows, all well-formed. */
struct dns_sample {
	const char *name;
	void (*make)(struct dns_build *b);
};

extern const struct dns_sample dns_samples[];
extern const size_t dns_samples_count;

/* Make the sample of that name; aborts when there is none. */
void dns_sample_make(struct dns_build *b, const char *name);

#endif
