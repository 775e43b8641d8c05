/* SPDX-License-Identifier: BSD-2-Clause */
#include "sensor/output/summary.h"

#include "sensor/base/clock.h"
#include "sensor/base/json.h"
#include "sensor/output/summary_updates.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* --- JSON -------------------------------------------------------------------------------- */

static void put_pairs(struct json *j, const char *key, const struct summary_pairs *pairs)
{
	json_object(j, key);
	for (size_t i = 0; i < pairs->count; i++) {
		if (pairs->pair[i].count)
			json_unsigned(j, pairs->pair[i].name, pairs->pair[i].count);
	}
	json_object_end(j);
}

static void put_packets(struct json *j, const struct summary_packets *p)
{
	json_object(j, "packets");
	json_unsigned(j, "read", p->read);
	json_unsigned(j, "bytes", p->bytes);
	json_unsigned(j, "dns", p->dns);
	json_unsigned(j, "other", p->other);
	put_pairs(j, "rejected", &p->rejected);
	json_unsigned(j, "checksum_wrong", p->checksum_wrong);
	json_unsigned(j, "dropped", p->dropped);
	json_object_end(j);
}

static void put_dns(struct json *j, const struct summary_dns *d)
{
	json_object(j, "dns");
	json_unsigned(j, "messages", d->messages);
	json_unsigned(j, "queries", d->queries);
	json_unsigned(j, "responses", d->responses);
	json_unsigned(j, "tcp", d->tcp);
	json_unsigned(j, "not_logged", d->not_logged);
	put_pairs(j, "opcodes", &d->opcodes);
	put_pairs(j, "rcodes", &d->rcodes);
	put_pairs(j, "malformed", &d->malformed);
	put_pairs(j, "update_faults", &d->update_faults);
	json_object_end(j);
}

static void put_streams(struct json *j, const struct summary_streams *t)
{
	json_object(j, "streams");
	json_unsigned(j, "gaps", t->gaps);
	json_unsigned(j, "lost_bytes", t->lost_bytes);
	json_unsigned(j, "resyncs", t->resyncs);
	json_unsigned(j, "junk", t->junk);
	json_object_end(j);
}

static void put_pairing(struct json *j, const struct summary *s)
{
	json_object(j, "pairs");
	json_unsigned(j, "matched", s->pairs.matched);
	json_unsigned(j, "unanswered", s->pairs.unanswered);
	json_unsigned(j, "unsolicited", s->pairs.unsolicited);
	json_unsigned(j, "pending", s->pairs.pending);
	json_object_end(j);
}

static void put_tables(struct json *j, const struct summary *s)
{
	json_object(j, "tables");
	for (size_t i = 0; i < s->table_count; i++) {
		json_object(j, s->table[i].name);
		json_unsigned(j, "used", s->table[i].used);
		json_unsigned(j, "capacity", s->table[i].capacity);
		json_unsigned(j, "evicted", s->table[i].evicted);
		json_object_end(j);
	}
	json_object_end(j);
}

static void put_alerts(struct json *j, const struct summary *s)
{
	json_object(j, "alerts");
	json_unsigned(j, "raised", s->alerts.raised);
	json_unsigned(j, "suppressed", s->alerts.suppressed);
	json_unsigned(j, "written", s->alerts.written);
	json_unsigned(j, "lost", s->alerts.lost);
	put_pairs(j, "by_rule", &s->alerts.by_rule);
	json_object(j, "by_tenant");
	for (size_t i = 0; i < s->tenant_count; i++) {
		if (s->tenant[i].alerts)
			json_unsigned(j, s->tenant[i].id, s->tenant[i].alerts);
	}
	json_object_end(j);
	json_object_end(j);
}

static void put_tenants(struct json *j, const struct summary *s)
{
	const struct tally_row *row = s->update, *end = s->update + s->update_count;

	json_object(j, "tenants");
	for (size_t i = 0; i < s->tenant_count; i++) {
		json_object(j, s->tenant[i].id);
		json_unsigned(j, "messages", s->tenant[i].messages);
		const struct tally_row *first = row;
		while (row < end && row->tenant == i)
			row++;
		if (row > first)
			summary_put_updates(j, first, (size_t)(row - first), s->last_ns);
		json_object_end(j);
	}
	json_object_end(j);
}

static void put_time(struct json *j, const char *key, bool known, int64_t ts_ns)
{
	char text[CLOCK_TEXT_MAX];

	if (known)
		json_string(j, key, clock_format(ts_ns, text));
	else
		json_null(j, key);
}

void summary_json(struct text *out, const struct summary *s)
{
	struct json j = json_start(out);

	json_object(&j, NULL);
	put_packets(&j, &s->packets);
	put_dns(&j, &s->dns);
	put_streams(&j, &s->streams);
	put_pairing(&j, s);
	put_tables(&j, s);
	put_alerts(&j, s);
	put_tenants(&j, s);
	json_unsigned(&j, "pending", s->pending);
	put_time(&j, "first_packet", s->has_packets, s->first_ns);
	put_time(&j, "last_packet", s->has_packets, s->last_ns);
	json_number(&j, "elapsed_s", s->elapsed_s);
	json_number(&j, "cpu_s", s->cpu_s);
	json_number(&j, "packets_per_s", s->packets_per_s);
	json_unsigned(&j, "peak_rss_bytes", s->peak_rss_bytes);
	json_number(&j, "load_s", s->load_s);
	json_object_end(&j);
}

/* --- file -------------------------------------------------------------------------------- */

static bool write_all(int fd, const char *bytes, size_t bytes_len)
{
	while (bytes_len > 0) {
		ssize_t n = write(fd, bytes, bytes_len);
		if (n == -1 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		bytes += n;
		bytes_len -= (size_t)n;
	}
	return true;
}

static enum err fail_write(struct err_ctx *why, const char *path)
{
	return err_set(
		why, ERR_FAILED, "%s: cannot write the summary: %s", path, strerror(errno));
}

/* Pipes, terminals and devices are written as they are. */
static enum err write_in_place(const struct text *json, const char *path, struct err_ctx *why)
{
	bool is_stdout = strcmp(path, "-") == 0;
	int fd = is_stdout ? STDOUT_FILENO : open(path, O_WRONLY | O_CLOEXEC);

	if (fd == -1)
		return fail_write(why, path);
	enum err err = write_all(fd, json->at, json->len) ? ERR_OK : fail_write(why, path);
	if (!is_stdout)
		close(fd);
	return err;
}

static enum err write_and_rename(const struct text *json, const char *path, struct err_ctx *why)
{
	struct text aside = { 0 };
	enum err err = ERR_OK;

	text_printf(&aside, "%s.new", path);
	if (aside.failed)
		return err_set(why, ERR_FAILED, "%s: out of memory", path);
	int fd = open(aside.at, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (fd == -1) {
		err = fail_write(why, path);
		goto out;
	}
	bool written = write_all(fd, json->at, json->len);
	/* close() tells what a network file system could not keep */
	if (close(fd) == -1 || !written || rename(aside.at, path) == -1) {
		err = fail_write(why, path);
		unlink(aside.at);
	}
out:
	text_deinit(&aside);
	return err;
}

enum err summary_write(const struct summary *s, const char *path, struct err_ctx *why)
{
	struct text json = { 0 };
	struct stat st;
	enum err err;

	summary_json(&json, s);
	text_putc(&json, '\n');
	if (json.failed)
		err = err_set(why, ERR_FAILED, "%s: out of memory", path);
	else if (strcmp(path, "-") == 0 || (stat(path, &st) == 0 && !S_ISREG(st.st_mode)))
		err = write_in_place(&json, path, why);
	else
		err = write_and_rename(&json, path, why);
	text_deinit(&json);
	return err;
}

/* --- for people -------------------------------------------------------------------------- */

static uint64_t sum_of(const struct summary_pairs *pairs)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < pairs->count; i++)
		sum += pairs->pair[i].count;
	return sum;
}

static const char *plural(uint64_t count)
{
	return count == 1 ? "" : "s";
}

/* 1234567 as "1,234,567". */
static const char *grouped(uint64_t number, char text[32])
{
	char digits[24];
	int len = snprintf(digits, sizeof(digits), "%llu", (unsigned long long)number);
	char *to = text;

	for (int i = 0; i < len; i++) {
		if (i > 0 && (len - i) % 3 == 0)
			*to++ = ',';
		*to++ = digits[i];
	}
	*to = '\0';
	return text;
}

static void print_pairs(FILE *to, const char *title, const struct summary_pairs *pairs)
{
	char number[32];

	if (sum_of(pairs) == 0)
		return;
	fprintf(to, "%s\n", title);
	for (size_t i = 0; i < pairs->count; i++) {
		const struct summary_pair *p = &pairs->pair[i];
		if (p->count)
			fprintf(to, "  %12s  %-26s %s\n", grouped(p->count, number), p->name,
				p->meaning ? p->meaning : "");
	}
}

static void print_traffic(FILE *to, const struct summary *s)
{
	char a[32], b[32], c[32], first[CLOCK_TEXT_MAX], last[CLOCK_TEXT_MAX];

	fprintf(to, "Packets   %s read: %s DNS, %s other", grouped(s->packets.read, a),
		grouped(s->packets.dns, b), grouped(s->packets.other, c));
	fprintf(to, ", %s not decoded", grouped(sum_of(&s->packets.rejected), a));
	if (s->packets.dropped)
		fprintf(to, "; %s dropped before they could be read",
			grouped(s->packets.dropped, a));
	fprintf(to, "\nDNS       %s message%s: %s quer%s", grouped(s->dns.messages, a),
		plural(s->dns.messages), grouped(s->dns.queries, b),
		s->dns.queries == 1 ? "y" : "ies");
	fprintf(to, ", %s response%s", grouped(s->dns.responses, a), plural(s->dns.responses));
	if (sum_of(&s->dns.malformed))
		fprintf(to, "; %s malformed", grouped(sum_of(&s->dns.malformed), a));
	if (s->dns.not_logged)
		fprintf(to, "; %s NOT in the DNS log", grouped(s->dns.not_logged, a));
	fprintf(to, "\n");
	if (s->has_packets)
		fprintf(to, "Time      %.19sZ to %.19sZ\n", clock_format(s->first_ns, first),
			clock_format(s->last_ns, last));
	fprintf(to, "Speed     %s packets/s, %.2f s\n",
		grouped((uint64_t)(s->packets_per_s > 0 ? s->packets_per_s : 0), a),
		s->elapsed_s);
}

static void print_alerts(FILE *to, const struct summary *s)
{
	char a[32], b[32];

	fprintf(to, "Alerts    %s written", grouped(s->alerts.written, a));
	if (s->alerts.suppressed)
		fprintf(to, ", %s repeat%s held back and counted",
			grouped(s->alerts.suppressed, b), plural(s->alerts.suppressed));
	if (s->alerts.lost)
		fprintf(to, ", %s LOST on the way out", grouped(s->alerts.lost, b));
	fprintf(to, "\n");
	print_pairs(to, "Alerts by rule", &s->alerts.by_rule);
	if (s->alerts.written == 0)
		return;
	fprintf(to, "Alerts by tenant\n");
	for (size_t i = 0; i < s->tenant_count; i++) {
		if (s->tenant[i].alerts)
			fprintf(to, "  %12s  %s\n", grouped(s->tenant[i].alerts, a),
				s->tenant[i].id);
	}
}

static uint64_t messages_of(const struct summary *s, const char *id)
{
	for (size_t i = 0; id && i < s->tenant_count; i++) {
		if (strcmp(s->tenant[i].id, id) == 0)
			return s->tenant[i].messages;
	}
	return 0;
}

/* Each line only where the figures call for it. */
static void print_next(FILE *to, const struct summary *s)
{
	uint64_t unmapped = messages_of(s, s->unmapped_id);
	bool to_file = s->alerts_path && strcmp(s->alerts_path, "-") != 0;
	char a[32];

	fprintf(to, "Where to look next\n");
	if (s->alerts.written > 0 && to_file)
		fprintf(to,
			"  jq -r '[.\"@timestamp\", .dynwatch.severity, .message] | @tsv' %s\n",
			s->alerts_path);
	if (s->alerts.written > 0)
		fprintf(to,
			"  dynwatch rules: what each rule means; an alert's dynwatch.why says what made it,\n"
			"  its dynwatch.allow_hint how to silence it\n");
	if (s->packets.read > 0 && s->packets.dns == 0)
		fprintf(to, "  no packet went to or from a DNS port: is `ports` right, and "
			    "does the capture see the resolvers?\n");
	if (unmapped > 0)
		fprintf(to,
			"  %s message%s of no tenant: add the clients' networks to `tenants`\n",
			grouped(unmapped, a), unmapped == 1 ? " is" : "s are");
	if (s->packets.dropped > 0)
		fprintf(to, "  packets were dropped: a larger capture.buffer_mb or more "
			    "sensor.inputs helps\n");
	if (s->alerts.written == 0 && s->dns.messages > 0)
		fprintf(to, "  nothing was found; dynwatch lookup NAME says what it would make "
			    "of a name\n");
	if (s->summary_path && strcmp(s->summary_path, "-") != 0)
		fprintf(to, "  all figures: %s\n", s->summary_path);
}

void summary_print(FILE *to, const struct summary *s)
{
	print_traffic(to, s);
	print_pairs(to, "Not decoded", &s->packets.rejected);
	print_pairs(to, "Malformed DNS", &s->dns.malformed);
	print_pairs(to, "Faulty UPDATEs", &s->dns.update_faults);
	print_alerts(to, s);
	print_next(to, s);
	fflush(to);
}
