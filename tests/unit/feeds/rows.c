/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/feeds/rows.h"

#include <criterion/criterion.h>
#include <stdio.h>

static unsigned address_kinds(const struct feed_rig *rig, const struct ip *ip)
{
	struct address_hit hit[ADDRESS_HITS_MAX];
	size_t count = address_set_match(rig->addresses, ip, hit);
	unsigned kinds = 0;
	size_t marks;

	for (size_t i = 0; i < count; i++) {
		const struct mark *mark =
			address_set_marks(rig->addresses, hit[i].entry, &marks);
		for (size_t k = 0; k < marks; k++)
			kinds |= 1u << mark[k].kind;
	}
	return kinds;
}

static unsigned mark_kinds(const struct feed_rig *rig, const char *text)
{
	struct ip ip;
	if (ip_parse(&ip, text))
		return address_kinds(rig, &ip);
	struct index_hit hit[INDEX_HITS_MAX];
	struct dns_name name = name_of(text);
	unsigned kinds = 0;
	size_t marks;

	size_t count = index_match_name(rig->index, &name, hit);
	for (size_t i = 0; i < count; i++) {
		const struct mark *mark = index_marks(rig->index, hit[i].entry, &marks);
		for (size_t k = 0; k < marks; k++) {
			if (mark_applies(&mark[k], hit[i].labels, name.label_count))
				kinds |= 1u << mark[k].kind;
		}
	}
	return kinds;
}

void rows_expect_reject(const struct feed_rig *rig, const struct row *row)
{
	for (int k = 0; k < FEED_REJECT_COUNT; k++)
		cr_expect_eq(rig->report.rejected[k], k == (int)row->reject,
			"'%s': %s %lu times", row->text, feed_reject_name((enum feed_reject)k),
			(unsigned long)rig->report.rejected[k]);
}

void rows_expect_framed(struct feed_spec spec, const char *before, const char *after,
	const struct row *row, size_t row_count, enum mark_kind kind)
{
	for (size_t i = 0; i < row_count; i++) {
		struct feed_rig rig;
		static char content[4 * FEED_LINE_MAX];
		snprintf(content, sizeof(content), "%s%s%s", before, row[i].text, after);
		feed_rig_init(&rig);
		feed_rig_load(&rig, spec, content);
		rows_expect_reject(&rig, &row[i]);
		cr_expect_eq(feed_report_accepted(&rig.report), row[i].reject == TAKEN, "'%s'",
			row[i].text);
		cr_expect_eq(rig.report.exceptions,
			row[i].reject == TAKEN && kind != (enum mark_kind)spec.kind, "'%s'",
			row[i].text);
		feed_rig_build(&rig);
		if (row[i].hit)
			cr_expect_eq(mark_kinds(&rig, row[i].hit), 1u << kind, "'%s': %s",
				row[i].text, row[i].hit);
		if (row[i].miss)
			cr_expect_eq(mark_kinds(&rig, row[i].miss), 0, "'%s': not %s",
				row[i].text, row[i].miss);
		feed_rig_deinit(&rig);
	}
}

void rows_expect(struct feed_spec spec, const char *before, const struct row *row,
	size_t row_count, enum mark_kind kind)
{
	rows_expect_framed(spec, before, "", row, row_count, kind);
}

struct feed_spec malicious_as(enum feed_format format)
{
	return (struct feed_spec){ .kind = MARK_MALICIOUS, .format = format };
}
