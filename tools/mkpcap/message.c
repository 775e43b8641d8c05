/* SPDX-License-Identifier: BSD-2-Clause */
#include "tools/mkpcap/message.h"

#include "sensor/dns/message.h"

#define QNAME_AT       12 /* right behind the header */
#define POINTER        0xc000
#define OPTION_COOKIE  10
#define TSIG_MAC_BYTES 32
#define TSIG_FUDGE_S   300

struct counts {
	unsigned question, answer, authority, additional;
};

static void put_header(
	struct wire *w, const struct exchange *x, unsigned flags, struct counts count)
{
	wire_u16(w, x->id);
	wire_u16(w, flags);
	wire_u16(w, count.question);
	wire_u16(w, count.answer);
	wire_u16(w, count.authority);
	wire_u16(w, count.additional);
	wire_bytes(w, x->name->wire, x->name->wire_len);
	wire_u8(w, 0);
	wire_u16(w, x->qtype);
	wire_u16(w, DNS_CLASS_IN);
}

/* What follows an owner name; RDLENGTH and RDATA follow this. */
static void put_record(struct wire *w, unsigned type, unsigned class_, uint32_t ttl)
{
	wire_u16(w, type);
	wire_u16(w, class_);
	wire_u32(w, ttl);
}

static void put_cookie(struct wire *w, uint64_t cookie)
{
	wire_u32(w, (uint32_t)(cookie >> 32));
	wire_u32(w, (uint32_t)cookie);
}

/* With a cookie (RFC 7873) of 8 octets in a query, of 24 in its answer. */
static void put_opt(struct wire *w, const struct exchange *x, bool answer)
{
	unsigned len = answer ? 24 : 8;

	wire_u8(w, 0);
	put_record(w, DNS_TYPE_OPT, 1232, 0);
	if (!x->cookie) {
		wire_u16(w, 0);
		return;
	}
	wire_u16(w, 4 + len);
	wire_u16(w, OPTION_COOKIE);
	wire_u16(w, len);
	for (unsigned i = 0; i < len / 8; i++)
		put_cookie(w, hash_word(x->cookie, i));
}

static void put_address(struct wire *w, unsigned type, uint64_t number)
{
	if (type == DNS_TYPE_AAAA) {
		wire_u16(w, 16);
		wire_u32(w, 0x20010db8);
		wire_u32(w, (uint32_t)(number >> 32));
		wire_u32(w, 0);
		wire_u32(w, (uint32_t)number);
	} else {
		wire_u16(w, 4);
		wire_u32(w, 0x2d000000 | (uint32_t)(number & 0xffffff));
	}
}

/* Why there is no answer: the SOA of the name's zone (RFC 2308). */
static void put_soa(struct wire *w)
{
	static const uint8_t rdata[] = { 2, 'n', 's', 0xc0, 12, 4, 'r', 'o', 'o', 't', 0xc0, 12,
		0, 0, 0, 1, 0, 0, 14, 16, 0, 0, 3, 132, 0, 9, 58, 128, 0, 0, 0, 60 };
	wire_u16(w, POINTER | QNAME_AT);
	put_record(w, DNS_TYPE_SOA, DNS_CLASS_IN, 60);
	wire_u16(w, sizeof(rdata));
	wire_bytes(w, rdata, sizeof(rdata));
}

/* --- UPDATE -------------------------------------------------------------------------------- */

static void put_host_label(struct wire *w, const struct exchange *x)
{
	char label[32];
	int len = snprintf(label, sizeof(label), "pc%u-%u", x->tenant, x->host);

	wire_u8(w, (unsigned)len);
	wire_bytes(w, label, (size_t)len);
}

/* The MAC is made up: nobody who only listens has the key. */
static void put_tsig(struct wire *w, const struct exchange *x, bool response)
{
	static const uint8_t key[] = "\4host\4keys\4corp\7example";
	static const uint8_t algorithm[] = "\013hmac-sha256";
	struct draw mac = { .state = (uint64_t)response << 16 | x->id };

	wire_bytes(w, key, sizeof(key));
	put_record(w, DNS_TYPE_TSIG, DNS_CLASS_ANY, 0);
	wire_u16(w, sizeof(algorithm) + 16 + TSIG_MAC_BYTES);
	wire_bytes(w, algorithm, sizeof(algorithm));
	wire_u16(w, 0);
	wire_u32(w, x->signed_at_s);
	wire_u16(w, TSIG_FUDGE_S);
	wire_u16(w, TSIG_MAC_BYTES);
	for (size_t i = 0; i < TSIG_MAC_BYTES / 8; i++) {
		uint64_t word = draw_u64(&mac);
		wire_u32(w, (uint32_t)(word >> 32));
		wire_u32(w, (uint32_t)word);
	}
	wire_u16(w, x->id);
	wire_u16(w, 0); /* no error */
	wire_u16(w, 0); /* no other data */
}

/* What a host sends to register itself: delete its A records, add the current one. */
static void put_update(struct wire *w, const struct exchange *x)
{
	put_header(w, x, 0x2800, (struct counts){ 1, 0, 2, x->signed_at_s != 0 });
	unsigned owner = (unsigned)w->len;
	put_host_label(w, x);
	wire_u16(w, POINTER | QNAME_AT);
	put_record(w, DNS_TYPE_A, DNS_CLASS_ANY, 0);
	wire_u16(w, 0);
	wire_u16(w, POINTER | owner);
	put_record(w, DNS_TYPE_A, DNS_CLASS_IN, 1200);
	put_address(w, DNS_TYPE_A, (uint64_t)x->tenant << 16 | x->host);
	if (x->signed_at_s)
		put_tsig(w, x, false);
}

/* Accepted when signed, else refused. */
static void put_update_answer(struct wire *w, const struct exchange *x)
{
	bool is_signed = x->signed_at_s != 0;

	put_header(w, x, is_signed ? 0xa800 : 0xa805, (struct counts){ 1, 0, 0, is_signed });
	if (is_signed)
		put_tsig(w, x, true);
}

/* --- QUERY --------------------------------------------------------------------------------- */

void message_put_query(struct wire *w, const struct exchange *x)
{
	if (x->name->kind == NAME_ZONE) {
		put_update(w, x);
		return;
	}
	put_header(w, x, 0x0100, (struct counts){ 1, 0, 0, x->edns });
	if (x->edns)
		put_opt(w, x, false);
}

/* One to three CNAMEs, each at the one before it: most chains are short. */
static unsigned chain_length(const struct exchange *x, uint64_t name_hash)
{
	static const uint8_t lengths[] = { 1, 1, 1, 2, 2, 2, 3, 3 };
	return x->name->kind == NAME_CDN ? lengths[name_hash >> 8 & 7] : 0;
}

/* Returns where the owner of the addresses is. */
static unsigned put_chain(struct wire *w, unsigned length, uint64_t name_hash)
{
	static const char domain[] = "\4edge\11cdn-hosts\7example"; /* with the root */
	unsigned owner = QNAME_AT, domain_at = 0;

	for (unsigned i = 0; i < length; i++) {
		char label[16];
		size_t label_len = name_word(name_hash >> (8 * i) & 0xffffff, label);
		wire_u16(w, POINTER | owner);
		put_record(w, DNS_TYPE_CNAME, DNS_CLASS_IN, 300);
		wire_u16(w, (unsigned)(1 + label_len + (domain_at ? 2 : sizeof(domain))));
		owner = (unsigned)w->len;
		wire_u8(w, (unsigned)label_len);
		wire_bytes(w, label, label_len);
		if (domain_at) {
			wire_u16(w, POINTER | domain_at);
			continue;
		}
		domain_at = (unsigned)w->len;
		wire_bytes(w, domain, sizeof(domain));
	}
	return owner;
}

void message_put_answer(struct wire *w, const struct exchange *x, unsigned records)
{
	uint64_t name_hash = hash_bytes(0, x->name->wire, x->name->wire_len);
	bool missing = x->name->kind == NAME_MISSING;
	bool nothing = missing || x->qtype == DNS_TYPE_HTTPS;
	unsigned chain = nothing ? 0 : chain_length(x, name_hash);
	unsigned addresses = nothing ? 0 : records ? records : 1 + (unsigned)(name_hash % 4);

	if (x->name->kind == NAME_ZONE) {
		put_update_answer(w, x);
		return;
	}
	put_header(w, x, missing ? 0x8183 : 0x8180,
		(struct counts){ 1, addresses + chain, nothing, x->edns });
	unsigned owner = put_chain(w, chain, name_hash);
	/* those of a content network differ from answer to answer, within one network */
	uint64_t first = chain ? (name_hash & ~UINT64_C(255)) + x->variant : name_hash;
	for (unsigned i = 0; i < addresses; i++) {
		wire_u16(w, POINTER | owner);
		put_record(w, x->qtype, DNS_CLASS_IN, x->name->ttl);
		put_address(w, x->qtype, first + i * 7);
	}
	if (nothing)
		put_soa(w);
	if (x->edns)
		put_opt(w, x, true);
}
