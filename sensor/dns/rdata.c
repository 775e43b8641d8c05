/* SPDX-License-Identifier: BSD-2-Clause */
#include "sensor/dns/rdata.h"

/* Type numbers from 0 to the highest in types.def. */
static const uint8_t shape_of[] = {
#define RRTYPE(mnemonic, number, rdata) [number] = SHAPE_##rdata,
#include "sensor/dns/types.def"
#undef RRTYPE
};

enum dns_shape dns_shape_of(uint16_t type)
{
	return type < ARRAY_LEN(shape_of) ? shape_of[type] : SHAPE_OPAQUE;
}

/* A name in RDATA. Whatever is wrong with it, the reason says where it was. */
static enum dns_error check_name(struct dns_walk *w, struct cursor *c)
{
	enum dns_error error = dns_walk_name(w, c);
	if (LIKELY(!error) || error == DNS_WORK_LIMIT)
		return error;
	return DNS_RDATA_NAME;
}

/* `fixed_len` octets and then one name that fills the rest. */
static enum dns_error check_target(
	struct dns_walk *w, struct dns_record *r, struct cursor *c, unsigned fixed_len)
{
	if (UNLIKELY(!cursor_take(c, fixed_len)))
		return DNS_RDATA_LENGTH;
	r->target_at = (uint16_t)(r->rdata_at + fixed_len);
	enum dns_error error = check_name(w, c);
	if (UNLIKELY(error))
		return error;
	dns_walk_target(w, r->target_at);
	return cursor_left(c) == 0 ? DNS_OK : DNS_RDATA_NAME;
}

static enum dns_error check_soa(struct dns_walk *w, struct dns_record *r, struct cursor *c)
{
	r->target_at = r->rdata_at;
	enum dns_error error = check_name(w, c);
	if (LIKELY(!error))
		error = check_name(w, c);
	if (UNLIKELY(error))
		return error;
	return cursor_left(c) == 20 ? DNS_OK : DNS_RDATA_LENGTH;
}

/* Type-length-value items that fill `c`: SvcParams (RFC 9460 2.2) and EDNS options (RFC
 * 6891 6.1.2). */
static bool items_fill(struct cursor *c)
{
	while (cursor_left(c) > 0) {
		cursor_be16(c);
		size_t len = cursor_be16(c);
		if (!cursor_take(c, len))
			return false;
	}
	return true;
}

static enum dns_error check_svcb(struct dns_walk *w, struct dns_record *r, struct cursor *c)
{
	if (UNLIKELY(!cursor_take(c, 2)))
		return DNS_RDATA_LENGTH;
	r->target_at = (uint16_t)(r->rdata_at + 2);
	enum dns_error error = check_name(w, c);
	if (UNLIKELY(error))
		return error;
	return items_fill(c) ? DNS_OK : DNS_RDATA_LENGTH;
}

/* One or more character strings (RFC 1035 3.3.14). */
static enum dns_error check_txt(struct cursor *c)
{
	do {
		size_t len = cursor_u8(c);
		if (UNLIKELY(!cursor_take(c, len)))
			return DNS_RDATA_LENGTH;
	} while (cursor_left(c) > 0);
	return DNS_OK;
}

enum dns_error dns_rdata_check(struct dns_walk *w, struct dns_record *r, struct cursor *c)
{
	switch (dns_shape_of(r->type)) {
	case SHAPE_OPAQUE:
		return DNS_OK;
	case SHAPE_A:
		return LIKELY(r->rdata_len == 4) ? DNS_OK : DNS_RDATA_LENGTH;
	case SHAPE_AAAA:
		return LIKELY(r->rdata_len == 16) ? DNS_OK : DNS_RDATA_LENGTH;
	case SHAPE_NAME:
		return check_target(w, r, c, 0);
	case SHAPE_MX:
		return check_target(w, r, c, 2);
	case SHAPE_SRV:
		return check_target(w, r, c, 6);
	case SHAPE_SOA:
		return check_soa(w, r, c);
	case SHAPE_SVCB:
		return check_svcb(w, r, c);
	case SHAPE_TXT:
		return check_txt(c);
	case SHAPE_OPT:
		return items_fill(c) ? DNS_OK : DNS_OPT_OPTIONS;
	}
	return DNS_OK;
}
