/* SPDX-License-Identifier: BSD-2-Clause */
#include "sensor/output/summary_updates.h"

#include "sensor/base/clock.h"

static double seconds(int64_t ns)
{
	return (double)ns / NS_PER_S;
}

/* By RCODE, the successes left out. */
static void put_failures(struct json *j, const struct tally_counts *c)
{
	char text[16];

	json_object(j, "failures");
	for (uint16_t i = DNS_RCODE_NOERROR + 1; i < TALLY_RCODES; i++) {
		const char *name = i < TALLY_RCODES - 1 ? dns_rcode_name(i, text) : "other";
		if (c->rcode[i])
			json_unsigned(j, name, c->rcode[i]);
	}
	json_object_end(j);
	json_object(j, "tsig_errors");
	for (uint16_t i = 0; i < TALLY_TSIG_ERRORS; i++) {
		const char *name = i < TALLY_TSIG_ERRORS - 1
					   ? dns_tsig_error_name(TALLY_TSIG_FIRST + i, text)
					   : "other";
		if (c->tsig_error[i])
			json_unsigned(j, name, c->tsig_error[i]);
	}
	json_object_end(j);
}

static void put_unsigned(struct json *j, const struct tally_counts *c)
{
	uint64_t known = c->signed_ + c->unsigned_;

	json_unsigned(j, "unsigned", c->unsigned_);
	if (known > 0)
		json_number(j, "unsigned_share", (double)c->unsigned_ / (double)known);
	else
		json_null(j, "unsigned_share");
}

static void put_last_success(struct json *j, const struct tally_counts *c, int64_t now_ns)
{
	char ts[CLOCK_TEXT_MAX];

	if (c->has_success) {
		json_string(j, "last_success", clock_format(c->last_success_ns, ts));
		json_number(j, "since_success_s", seconds(now_ns - c->last_success_ns));
	} else {
		json_null(j, "last_success");
		json_null(j, "since_success_s");
	}
}

static void put_delay(struct json *j, const char *key, const struct ledger_delay *d)
{
	if (d->count == 0) {
		json_null(j, key);
		return;
	}
	json_object(j, key);
	json_unsigned(j, "count", d->count);
	json_number(j, "p50_s", seconds(d->p50_ns));
	json_number(j, "p95_s", seconds(d->p95_ns));
	json_number(j, "max_s", seconds(d->max_ns));
	json_object_end(j);
}

static void put_row(struct json *j, const struct tally_row *row, int64_t now_ns)
{
	static const char *const name_key[] = { [TALLY_ZONE] = "zone", [TALLY_KEY] = "key" };
	const struct tally_counts *c = &row->counts;

	json_object(j, NULL);
	if (row->others)
		json_null(j, name_key[row->kind]);
	else
		json_string(j, name_key[row->kind], row->name);
	json_unsigned(j, "updates", c->updates);
	json_unsigned(j, "accepted", c->accepted);
	json_unsigned(j, "unanswered", c->unanswered);
	put_failures(j, c);
	put_last_success(j, c, now_ns);
	if (row->kind == TALLY_ZONE) {
		put_unsigned(j, c);
		json_object(j, "propagation");
		put_delay(j, "authoritative", &c->authoritative);
		put_delay(j, "resolved", &c->resolved);
		json_object_end(j);
	}
	json_object_end(j);
}

void summary_put_updates(
	struct json *j, const struct tally_row *row, size_t count, int64_t now_ns)
{
	static const char *const list_key[] = { [TALLY_ZONE] = "zones", [TALLY_KEY] = "keys" };

	json_object(j, "updates");
	for (uint8_t kind = 0; kind < TALLY_KINDS; kind++) {
		json_array(j, list_key[kind]);
		for (size_t i = 0; i < count; i++) {
			if (row[i].kind == kind)
				put_row(j, &row[i], now_ns);
		}
		json_array_end(j);
	}
	json_object_end(j);
}
