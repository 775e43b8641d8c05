/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_differential.c -- the decoder against libldns: what is accepted, names, types, classes,
 * TTLs and RDATA. Where they differ, a row of the table below must say why; a row that explains
 * nothing fails too. tests/golden/DNS-DIFFERENCES.md tells the same in words.
 */
#include "sensor/dns/message.h"
#include "sensor/dns/rdata.h"

#include "tests/support/dns_build.h"
#include "tests/unit/dns/captures.h"
#include "tests/unit/dns/oracle.h"

#include <criterion/criterion.h>

#include <string.h>

#define MUTATIONS 30000

/* One way in which the two differ about one message. */
struct difference {
	enum {
		WE_REFUSE,
		LDNS_REFUSES,
		FIELD_DIFFERS,
	} kind;
	enum dns_error error; /* why we refuse */
	const struct dns_message *ours;
	const struct oracle *theirs;
	size_t index;      /* of the record concerned, questions counted */
	uint16_t type;     /* of that record, 0 when there is none */
	const char *field; /* that differs */
};

struct row {
	const char *name;
	bool (*explains)(const struct difference *d);
	void (*example)(struct dns_build *b);
};

static bool ldns_is_lost(const struct difference *d)
{
	return d->theirs->lost_at != SIZE_MAX;
}

/* --- we refuse, libldns accepts ------------------------------------------------------------- */

static bool rdata_length(const struct difference *d)
{
	return d->kind == WE_REFUSE && d->error == DNS_RDATA_LENGTH;
}

static void rdata_length_example(struct dns_build *b)
{
	build_start(b, 1, 0x8180);
	build_question(b, "a.example", 1, 1);
	build_record(b, BUILD_ANSWER, NULL, 1, 1, 1); /* an address of no octets */
	build_record_end(b);
}

static bool rdata_name(const struct difference *d)
{
	return d->kind == WE_REFUSE && d->error == DNS_RDATA_NAME;
}

static void rdata_name_example(struct dns_build *b)
{
	build_start(b, 1, 0x8180);
	build_question(b, "a.example", 5, 1);
	build_record(b, BUILD_ANSWER, NULL, 5, 1, 1);
	build_labels(b, "target");
	build_record_end(b);
	build_u8(b, 0); /* the name's root, behind RDATA */
}

static bool pointer_forward(const struct difference *d)
{
	return d->kind == WE_REFUSE && d->error == DNS_POINTER_FORWARD;
}

static void pointer_forward_example(struct dns_build *b)
{
	build_start(b, 1, 0x0100);
	build_pointer(b, 18); /* behind the question */
	build_u16(b, 1);
	build_u16(b, 1);
	build_name(b, "later.example");
	build_set_count(b, BUILD_QUESTION, 1);
}

static bool work_limit(const struct difference *d)
{
	return d->kind == WE_REFUSE && d->error == DNS_WORK_LIMIT;
}

static void work_limit_example(struct dns_build *b)
{
	build_start(b, 1, 0x8180);
	build_question(b, "a.example", 10, 1);
	build_record(b, BUILD_ANSWER, NULL, 10, 1, 1);
	size_t first = b->len;
	build_pointer(b, 12);
	for (unsigned i = 0; i < 200; i++)
		build_pointer(b, (unsigned)(first + 2 * i));
	build_record_end(b);
	build_pointer(b, (unsigned)(first + 400));
	build_octets(b, "\0\x0a\0\1\0\0\0\1\0\0", 10);
	build_set_count(b, BUILD_ANSWER, 2);
}

static bool opt_misplaced(const struct difference *d)
{
	return d->kind == WE_REFUSE && d->error == DNS_OPT_MISPLACED;
}

static void opt_misplaced_example(struct dns_build *b)
{
	build_start(b, 1, 0x0100);
	build_question(b, "a.example", 1, 1);
	build_opt(b, 1232, 0, NULL, 0);
	build_opt(b, 1232, 0, NULL, 0);
}

static bool opt_options(const struct difference *d)
{
	return d->kind == WE_REFUSE && d->error == DNS_OPT_OPTIONS;
}

static void opt_options_example(struct dns_build *b)
{
	build_start(b, 1, 0x0100);
	build_question(b, "a.example", 1, 1);
	build_opt(b, 1232, 0, "\0\x0a\0\x09ten", 7);
}

/* Octets of RDATA read as a record happened to be one; we read the real records and refuse. */
static bool lost_and_accepted(const struct difference *d)
{
	return d->kind == WE_REFUSE && ldns_is_lost(d);
}

/* HINFO with octets after its two strings. libldns reads those as the second record. */
static void hinfo_with_rest(struct dns_build *b)
{
	build_start(b, 1, 0x8180);
	build_question(b, "a.example", 13, 1);
	build_record(b, BUILD_ANSWER, NULL, 13, 1, 1);
	build_octets(b, "\1a\1b", 4);
	build_octets(b, "\0\0\x0a\0\1\0\0\0\1\0\0", 11);
	build_record_end(b);
}

static void lost_and_accepted_example(struct dns_build *b)
{
	hinfo_with_rest(b);
	build_u8(b, 0x80); /* where the second record should be */
	build_set_count(b, BUILD_ANSWER, 2);
}

/* --- libldns refuses, we accept ------------------------------------------------------------- */

static bool pointer_to_zero(const struct difference *d)
{
	return d->kind == LDNS_REFUSES && d->theirs->status == LDNS_STATUS_INVALID_POINTER &&
	       !ldns_is_lost(d);
}

static void pointer_to_zero_example(struct dns_build *b)
{
	build_start(b, 0, 0x0100); /* id 0: its first octet is a root */
	build_pointer(b, 0);
	build_u16(b, 1);
	build_u16(b, 1);
	build_set_count(b, BUILD_QUESTION, 1);
}

static bool opaque_refused(const struct difference *d)
{
	return d->kind == LDNS_REFUSES && d->type && dns_shape_of(d->type) == SHAPE_OPAQUE;
}

static void opaque_refused_example(struct dns_build *b)
{
	build_start(b, 1, 0x8180);
	build_question(b, "a.example", 43, 1);
	build_record(b, BUILD_ANSWER, NULL, 43, 1, 1);
	build_u8(b, 7); /* half a key tag */
	build_record_end(b);
}

static bool lost_and_refused(const struct difference *d)
{
	return d->kind == LDNS_REFUSES && ldns_is_lost(d);
}

static void lost_and_refused_example(struct dns_build *b)
{
	build_start(b, 1, 0x8180);
	build_question(b, "a.example", 13, 1);
	build_record(b, BUILD_ANSWER, NULL, 13, 1, 1);
	build_octets(b, "\1a\1b\xff\xff\xff", 7);
	build_record_end(b);
	build_record(b, BUILD_ANSWER, NULL, 1, 1, 1);
	build_u32(b, 0x0a000001);
	build_record_end(b);
}

/* --- both accept, a field differs ----------------------------------------------------------- */

static bool lost_and_different(const struct difference *d)
{
	return d->kind == FIELD_DIFFERS && d->index >= d->theirs->lost_at;
}

static void lost_and_different_example(struct dns_build *b)
{
	hinfo_with_rest(b);
	build_record(b, BUILD_ANSWER, NULL, 1, 1, 1);
	build_u32(b, 0x0a000001);
	build_record_end(b);
}

static bool opaque_expanded(const struct difference *d)
{
	return d->kind == FIELD_DIFFERS && strcmp(d->field, "rdata") == 0 &&
	       dns_shape_of(d->type) == SHAPE_OPAQUE;
}

static void opaque_expanded_example(struct dns_build *b)
{
	build_start(b, 1, 0x8180);
	build_question(b, "a.example", 17, 1);
	build_record(b, BUILD_ANSWER, NULL, 17, 1, 1);
	build_pointer(b, 12);
	build_pointer(b, 14);
	build_record_end(b);
}

static const struct row rows[] = {
	{ "rdata_length", rdata_length, rdata_length_example },
	{ "rdata_name", rdata_name, rdata_name_example },
	{ "pointer_forward", pointer_forward, pointer_forward_example },
	{ "work_limit", work_limit, work_limit_example },
	{ "opt_misplaced", opt_misplaced, opt_misplaced_example },
	{ "opt_options", opt_options, opt_options_example },
	{ "lost_and_accepted", lost_and_accepted, lost_and_accepted_example },
	{ "pointer_to_zero", pointer_to_zero, pointer_to_zero_example },
	{ "lost_and_refused", lost_and_refused, lost_and_refused_example },
	{ "opaque_refused", opaque_refused, opaque_refused_example },
	{ "lost_and_different", lost_and_different, lost_and_different_example },
	{ "opaque_expanded", opaque_expanded, opaque_expanded_example },
};

/* What was compared so far. */
struct tally {
	size_t messages;
	size_t accepted; /* by both, all fields equal */
	size_t refused;  /* by both */
	size_t explained[ARRAY_LEN(rows)];
};

static const struct row *explanation(struct tally *t, const struct difference *d)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		if (rows[i].explains(d)) {
			t->explained[i]++;
			return &rows[i];
		}
	}
	return NULL;
}

static void explain(struct tally *t, const struct difference *d, const char *from)
{
	static const char *const kind[] = { "we refuse", "libldns refuses", "a field differs" };
	const struct row *row = explanation(t, d);

	cr_assert(row,
		"%s: no row explains: %s (%s; libldns: %s) at record %zu, type %u, field %s",
		from, kind[d->kind], dns_error_name(d->error),
		ldns_get_errorstr_by_id(d->theirs->status), d->index, d->type,
		d->field ? d->field : "-");
}

/* --- comparing ------------------------------------------------------------------------------ */

struct octets {
	uint8_t at[65535 + 3 * DNS_NAME_MAX];
	size_t len;
};

static void add(struct octets *o, const uint8_t *octets, size_t len)
{
	if (len)
		memcpy(o->at + o->len, octets, len);
	o->len += len;
}

static void add_folded(struct octets *o, const uint8_t *octets, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		uint8_t octet = octets[i];
		o->at[o->len++] = octet >= 'A' && octet <= 'Z' ? octet + 32 : octet;
	}
}

/* RDATA with the names expanded that its shape promises. */
static void expand_ours(
	struct octets *o, const struct dns_message *m, const struct dns_record *r)
{
	static const struct {
		uint8_t before, names;
	} layout[] = {
		[SHAPE_NAME] = { 0, 1 },
		[SHAPE_SOA] = { 0, 2 },
		[SHAPE_MX] = { 2, 1 },
		[SHAPE_SRV] = { 6, 1 },
		[SHAPE_OPT] = { 0, 0 },
	};
	struct cursor c = cursor_init(m->wire + r->rdata_at, r->rdata_len);
	enum dns_shape shape = dns_shape_of(r->type);
	struct dns_name name;
	size_t len;

	o->len = 0;
	if (r->rdata_len == 0)
		return;
	len = layout[shape].before;
	/* libldns as Debian builds it has no SVCB: it keeps that RDATA as it is. */
	if (shape == SHAPE_SVCB && ldns_rr_descript(r->type)->_maximum == 3)
		len = 2;
	add(o, cursor_take(&c, len), len);
	for (int i = 0; i < (len == 2 && shape == SHAPE_SVCB ? 1 : layout[shape].names); i++) {
		cr_assert_eq(dns_name_decode(&name, &c, m->wire), DNS_OK);
		add(o, name.wire, name.wire_len);
	}
	len = cursor_left(&c);
	add(o, cursor_take(&c, len), len);
}

static void expand_theirs(struct octets *o, const ldns_rr *rr)
{
	o->len = 0;
	for (size_t i = 0; i < ldns_rr_rd_count(rr); i++) {
		const ldns_rdf *rdf = ldns_rr_rdf(rr, i);
		if (ldns_rdf_get_type(rdf) == LDNS_RDF_TYPE_DNAME)
			add_folded(o, ldns_rdf_data(rdf), ldns_rdf_size(rdf));
		else
			add(o, ldns_rdf_data(rdf), ldns_rdf_size(rdf));
	}
}

static bool same_owner(const struct dns_name *ours, const ldns_rdf *theirs)
{
	static struct octets folded;

	folded.len = 0;
	add_folded(&folded, ldns_rdf_data(theirs), ldns_rdf_size(theirs));
	return folded.len == ours->wire_len && memcmp(folded.at, ours->wire, folded.len) == 0;
}

/* The first field that differs, or NULL. */
static const char *differing_field(
	const struct dns_message *m, const struct dns_record *r, const ldns_rr *rr)
{
	static struct octets ours;
	static struct octets theirs;
	struct dns_name owner;

	dns_message_name(m, r->owner_at, &owner);
	if (!same_owner(&owner, ldns_rr_owner(rr)))
		return "owner";
	if (r->type != (uint16_t)ldns_rr_get_type(rr))
		return "type";
	if (r->class != (uint16_t)ldns_rr_get_class(rr))
		return "class";
	if (r->ttl != ldns_rr_ttl(rr))
		return "ttl";
	expand_ours(&ours, m, r);
	expand_theirs(&theirs, rr);
	if (ours.len != theirs.len || memcmp(ours.at, theirs.at, ours.len) != 0)
		return "rdata";
	return NULL;
}

static bool compare_fields(struct tally *t, struct difference *d, const char *from)
{
	const struct dns_message *m = d->ours;
	const struct oracle *theirs = d->theirs;
	struct dns_records it = dns_records_start(m);
	const struct dns_record *r;
	bool same = true;

	cr_assert_eq(theirs->count, (size_t)m->count[0] + m->record_count + m->records_omitted,
		"%s: number of records", from);
	if (m->has_question) {
		const ldns_rr *q = theirs->rr[0];
		cr_assert(same_owner(&m->qname, ldns_rr_owner(q)), "%s: qname", from);
		cr_assert_eq(m->qtype, (uint16_t)ldns_rr_get_type(q), "%s: qtype", from);
		cr_assert_eq(m->qclass, (uint16_t)ldns_rr_get_class(q), "%s: qclass", from);
	}
	d->kind = FIELD_DIFFERS;
	for (d->index = m->count[0]; (r = dns_records_next(&it)); d->index++) {
		d->field = differing_field(m, r, theirs->rr[d->index]);
		d->type = r->type;
		if (d->field) {
			explain(t, d, from);
			same = false;
		}
	}
	return same;
}

/* The type of the record that libldns refused, by our own reading. */
static uint16_t refused_type(const struct dns_message *m, const struct oracle *theirs)
{
	struct dns_records it = dns_records_start(m);
	const struct dns_record *r;

	for (size_t i = m->count[0]; (r = dns_records_next(&it)); i++) {
		if (i == theirs->count)
			return r->type;
	}
	return 0;
}

static void compare(void *context, const uint8_t *wire, size_t wire_len, const char *from)
{
	static struct dns_message m;
	struct tally *t = context;
	enum dns_error error = dns_message_decode(&m, wire, wire_len);
	struct oracle theirs = oracle_read(wire, wire_len);
	struct difference d = { .error = error, .ours = &m, .theirs = &theirs };

	t->messages++;
	if (error && theirs.status != LDNS_STATUS_OK) {
		t->refused++;
	} else if (error) {
		d.kind = WE_REFUSE;
		explain(t, &d, from);
	} else if (theirs.status != LDNS_STATUS_OK) {
		d.kind = LDNS_REFUSES;
		d.index = theirs.count;
		d.type = refused_type(&m, &theirs);
		explain(t, &d, from);
	} else if (compare_fields(t, &d, from)) {
		t->accepted++;
	}
	oracle_deinit(&theirs);
}

/* --- what is compared ----------------------------------------------------------------------- */

static uint32_t next_random(uint32_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 17;
	*state ^= *state << 5;
	return *state;
}

/* A few octets changed, inserted, removed or cut off: mostly near what a decoder looks at. */
static void mutate(struct dns_build *b, uint32_t *state)
{
	static const uint8_t telling[] = { 0, 1, 3, 63, 64, 0x80, 0xc0, 0xff, 12, 41, 16 };
	unsigned changes = 1 + next_random(state) % 3;

	for (unsigned i = 0; i < changes && b->len > 0; i++) {
		size_t at = next_random(state) % b->len;
		uint8_t octet = telling[next_random(state) % sizeof(telling)];
		switch (next_random(state) % 6) {
		case 0:
			b->at[at] = (uint8_t)next_random(state);
			break;
		case 1:
			b->at[at] = octet;
			break;
		case 2:
			b->at[at] += next_random(state) % 2 ? 1 : 255;
			break;
		case 3:
			memmove(b->at + at, b->at + at + 1, b->len - at - 1);
			b->len--;
			break;
		case 4:
			memmove(b->at + at + 1, b->at + at, b->len - at);
			b->at[at] = octet;
			b->len++;
			break;
		case 5:
			if (next_random(state) % 4 == 0)
				b->len = at;
			break;
		}
	}
}

static void compare_samples(struct tally *t, struct dns_build *b)
{
	for (size_t i = 0; i < dns_samples_count; i++) {
		dns_samples[i].make(b);
		compare(t, b->at, b->len, dns_samples[i].name);
	}
	cr_assert_eq(t->accepted, dns_samples_count, "every sample is read alike by both");
}

static void compare_examples(struct tally *t, struct dns_build *b)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		size_t before = t->explained[i];
		rows[i].example(b);
		compare(t, b->at, b->len, rows[i].name);
		cr_expect_gt(t->explained[i], before, "row %s explains its own example",
			rows[i].name);
	}
}

static void compare_mutations(struct tally *t, struct dns_build *b)
{
	uint32_t state = 20261122;

	for (size_t i = 0; i < MUTATIONS; i++) {
		dns_samples[i % dns_samples_count].make(b);
		mutate(b, &state);
		compare(t, b->at, b->len, dns_samples[i % dns_samples_count].name);
	}
}

Test(differential, decoder_and_libldns_agree_but_for_the_listed_differences)
{
	static struct dns_build b;
	static struct tally t;

	compare_samples(&t, &b);
	compare_examples(&t, &b);
	compare_mutations(&t, &b);
	corpus_each("tests/fuzz/corpus/fuzz_message", compare, &t);
	corpus_each("tests/fuzz/corpus/fuzz_update", compare, &t);
	struct tally built = t;
	size_t captured = captures_each(compare, &t);
	cr_log_info("%zu messages, %zu of them captured: %zu accepted alike, %zu refused alike",
		t.messages, captured, t.accepted, t.refused);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		cr_log_info("%-20s %zu built, %zu captured", rows[i].name, built.explained[i],
			t.explained[i] - built.explained[i]);
}
