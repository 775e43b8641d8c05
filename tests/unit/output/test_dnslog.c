/* SPDX-License-Identifier: BSD-2-Clause */
#include "sensor/output/dnslog.h"

#include "sensor/base/clock.h"
#include "tests/support/dns_build.h"

#include <criterion/criterion.h>
#include <jansson.h>

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#define TS_NS (INT64_C(1763818536) * NS_PER_S + 7)

static struct dns_build b;
static struct dns_message m;
static char path[] = "/tmp/test_dnslog.XXXXXX";

static struct dnslog *open_log_writing(unsigned how)
{
	int fd = mkstemp(path);
	cr_assert_neq(fd, -1);
	close(fd);
	struct dnslog *log = dnslog_open(path, how);
	cr_assert(log);
	return log;
}

static struct dnslog *open_log(void)
{
	return open_log_writing(0);
}

/* What was written; the file is removed. The caller frees. */
static char *close_and_read(struct dnslog *log)
{
	cr_assert_eq(dnslog_close(log), 0);
	FILE *file = fopen(path, "rb");
	cr_assert(file);
	cr_assert_eq(fseek(file, 0, SEEK_END), 0);
	long size = ftell(file);
	rewind(file);
	char *text = calloc(1, (size_t)size + 1);
	cr_assert(text);
	cr_assert_eq(fread(text, 1, (size_t)size, file), (size_t)size);
	fclose(file);
	unlink(path);
	return text;
}

static struct dnslog_entry entry_of(const char *sample)
{
	dns_sample_make(&b, sample);
	cr_assert_eq(dns_message_decode(&m, b.at, b.len), DNS_OK, "%s", sample);
	struct dnslog_entry e = {
		.ts_ns = TS_NS,
		.sport = 40123,
		.dport = 53,
		.tenant = "default",
		.message = &m,
	};
	cr_assert(ip_parse(&e.src, "10.1.0.5"));
	cr_assert(ip_parse(&e.dst, "2001:db8::53"));
	return e;
}

static void expect_line(struct dnslog_entry e, const char *expected)
{
	struct dnslog *log = open_log();
	dnslog_write(log, &e);
	char *text = close_and_read(log);
	cr_expect_str_eq(text, expected, "got:      %s\nexpected: %s", text, expected);
	free(text);
}

Test(dnslog, a_query)
{
	expect_line(entry_of("query"),
		"{\"ts\":\"2025-11-22T13:35:36.000000007Z\",\"src\":\"10.1.0.5\",\"sport\":"
		"40123,"
		"\"dst\":\"2001:db8::53\",\"dport\":53,\"proto\":\"udp\",\"vlan\":[],"
		"\"tenant\":\"default\",\"id\":6699,\"response\":false,\"opcode\":\"QUERY\","
		"\"rcode\":null,\"flags\":[\"RD\"],\"qname\":\"www.example.com\",\"qtype\":"
		"\"A\","
		"\"qclass\":\"IN\",\"answers\":[],\"authority\":[],\"additional\":[]}\n");
}

Test(dnslog, a_response_with_records_in_every_section)
{
	struct dnslog_entry e = entry_of("mail");
	static const uint16_t vlan[] = { 100, 7 };

	e.tcp = true;
	e.vlan = vlan;
	e.vlan_count = 2;
	build_opt(&b, 1232, 0, NULL, 0);
	cr_assert_eq(dns_message_decode(&m, b.at, b.len), DNS_OK);
	expect_line(e,
		"{\"ts\":\"2025-11-22T13:35:36.000000007Z\",\"src\":\"10.1.0.5\",\"sport\":"
		"40123,"
		"\"dst\":\"2001:db8::53\",\"dport\":53,\"proto\":\"tcp\",\"vlan\":[100,7],"
		"\"tenant\":\"default\",\"id\":19715,\"response\":true,\"opcode\":\"QUERY\","
		"\"rcode\":\"NOERROR\",\"flags\":[\"RD\",\"RA\"],\"qname\":\"example.org\","
		"\"qtype\":\"MX\",\"qclass\":\"IN\",\"answers\":[{\"name\":\"example.org\","
		"\"type\":\"MX\",\"class\":\"IN\",\"ttl\":3600,\"data\":\"10 "
		"mx1.example.org\"}],"
		"\"authority\":[{\"name\":\"example.org\",\"type\":\"NS\",\"class\":\"IN\","
		"\"ttl\":3600,\"data\":\"ns.example.net\"}],\"additional\":[{\"name\":\".\","
		"\"type\":\"OPT\",\"class\":\"CLASS1232\",\"ttl\":0,\"data\":\"\"}]}\n");
}

Test(dnslog, without_a_question_the_question_is_null)
{
	struct dnslog *log = open_log();
	struct dnslog_entry e = entry_of("no_question");

	dnslog_write(log, &e);
	char *text = close_and_read(log);
	cr_expect(strstr(text, "\"qname\":null,\"qtype\":null,\"qclass\":null,"), "%s", text);
	cr_expect(strstr(text, "\"name\":\"stray.example\""), "%s", text);
	free(text);
}

Test(dnslog, every_sample_is_one_valid_json_object_with_the_keys_in_order)
{
	static const char *const keys[] = { "ts", "src", "sport", "dst", "dport", "proto",
		"vlan", "tenant", "id", "response", "opcode", "rcode", "flags", "qname",
		"qtype", "qclass", "answers", "authority", "additional" };
	struct dnslog *log = open_log();

	for (size_t i = 0; i < dns_samples_count; i++) {
		struct dnslog_entry e = entry_of(dns_samples[i].name);
		dnslog_write(log, &e);
	}
	char *text = close_and_read(log);
	char *line = text;
	for (size_t i = 0; i < dns_samples_count; i++) {
		char *end = strchr(line, '\n');
		cr_assert(end, "%s", dns_samples[i].name);
		*end = '\0';
		json_error_t why;
		json_t *object = json_loads(line, JSON_REJECT_DUPLICATES, &why);
		cr_assert(object, "%s: %s: %s", dns_samples[i].name, why.text, line);
		cr_expect_eq(
			json_object_size(object), ARRAY_LEN(keys), "%s", dns_samples[i].name);
		void *at = json_object_iter(object);
		for (size_t k = 0; k < ARRAY_LEN(keys) && at; k++) {
			cr_expect_str_eq(
				json_object_iter_key(at), keys[k], "%s", dns_samples[i].name);
			at = json_object_iter_next(object, at);
		}
		json_decref(object);
		line = end + 1;
	}
	cr_expect_eq(*line, '\0');
	free(text);
}

Test(dnslog, quotes_and_backslashes_are_escaped)
{
	struct dnslog *log = open_log();
	struct dnslog_entry e = entry_of("odd_name");

	e.tenant = "a \"b\"\n";
	dnslog_write(log, &e);
	e = entry_of("text_strings");
	dnslog_write(log, &e);
	char *text = close_and_read(log);
	json_error_t why;
	json_t *odd = json_loads(text, JSON_DISABLE_EOF_CHECK, &why);
	cr_assert(odd, "%s: %s", why.text, text);
	cr_expect_str_eq(json_string_value(json_object_get(odd, "qname")),
		"a\\.b\\\\c\"\\001\\255.example");
	cr_expect_str_eq(json_string_value(json_object_get(odd, "tenant")), "a \"b\"\n");
	json_t *strings = json_loads(strchr(text, '\n') + 1, JSON_DISABLE_EOF_CHECK, &why);
	cr_assert(strings, "%s: %s", why.text, text);
	json_t *answer = json_array_get(json_object_get(strings, "answers"), 0);
	cr_expect_str_eq(json_string_value(json_object_get(answer, "data")),
		"\"v=spf1 \\\"a\\\" -all\" \"a\\\\\\001\\255\" \"\"");
	json_decref(odd);
	json_decref(strings);
	free(text);
}

Test(dnslog, records_that_were_not_kept_are_written_too)
{
	struct dnslog *log = open_log();
	struct dnslog_entry e = entry_of("many_records");

	dnslog_write(log, &e);
	char *text = close_and_read(log);
	json_error_t why;
	json_t *line = json_loads(text, 0, &why);
	cr_assert(line, "%s", why.text);
	cr_expect_eq(json_array_size(json_object_get(line, "answers")), 150);
	cr_expect_eq(json_array_size(json_object_get(line, "authority")), 1);
	json_t *last = json_array_get(json_object_get(line, "answers"), 149);
	cr_expect_str_eq(json_string_value(json_object_get(last, "data")), "192.0.2.149");
	json_decref(line);
	free(text);
}

Test(dnslog, time_goes_back_and_before_1970)
{
	static const struct {
		int64_t ts_ns;
		const char *text;
	} rows[] = {
		{ 0, "1970-01-01T00:00:00.000000000Z" },
		{ 1, "1970-01-01T00:00:00.000000001Z" },
		{ -1, "1969-12-31T23:59:59.999999999Z" },
		{ INT64_C(4294967296) * NS_PER_S + 999999999,
			"2106-02-07T06:28:16.999999999Z" },
		{ 0, "1970-01-01T00:00:00.000000000Z" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct dnslog *log = open_log();
		struct dnslog_entry e = entry_of("query");
		e.ts_ns = rows[i].ts_ns;
		dnslog_write(log, &e);
		char *text = close_and_read(log);
		cr_expect(strstr(text, rows[i].text), "%s in %s", rows[i].text, text);
		free(text);
		memcpy(path, "/tmp/test_dnslog.XXXXXX", sizeof(path));
	}
}

/* More than two buffers, each line with a number of its own. */
static void write_much(struct dnslog *log)
{
	struct dnslog_entry e = entry_of("response_three");
	unsigned count = 4 * DNSLOG_BUFFER_BYTES / 400;

	for (unsigned i = 0; i < count; i++) {
		e.sport = (uint16_t)i;
		dnslog_write(log, &e);
	}
	char *text = close_and_read(log);
	const char *line = text;
	for (unsigned i = 0; i < count; i++) {
		char sport[32];
		snprintf(sport, sizeof(sport), "\"sport\":%u,", i);
		const char *end = strchr(line, '\n');
		const char *found = strstr(line, sport);
		cr_assert(end && found && found < end, "line %u", i);
		line = end + 1;
	}
	cr_expect_eq(*line, '\0');
	free(text);
}

Test(dnslog, more_than_the_buffer_is_written_whole_and_in_order)
{
	write_much(open_log());
}

Test(dnslog, a_thread_of_its_own_writes_whole_and_in_order)
{
	write_much(open_log_writing(DNSLOG_ASIDE));
}

static void fail_to_write(struct dnslog *log, unsigned lines)
{
	struct dnslog_entry e = entry_of("query");

	cr_assert(log);
	for (unsigned i = 0; i < lines; i++)
		dnslog_write(log, &e);
	cr_expect_eq(dnslog_flush(log), ENOSPC);
	dnslog_write(log, &e);
	cr_expect_eq(dnslog_flush(log), ENOSPC);
	cr_expect_eq(dnslog_close(log), ENOSPC);
}

Test(dnslog, an_error_of_the_disk_is_reported_and_stays)
{
	fail_to_write(dnslog_open("/dev/full", 0), 1);
	fail_to_write(dnslog_open("/dev/full", DNSLOG_ASIDE), 1);
	fail_to_write(dnslog_open("/dev/full", DNSLOG_ASIDE), 4 * DNSLOG_BUFFER_BYTES / 200);
	cr_expect_eq(dnslog_close(NULL), 0);
}

Test(dnslog, a_file_that_cannot_be_made)
{
	cr_expect_null(dnslog_open("/nonexistent/folder/x", DNSLOG_ASIDE));
	cr_expect_eq(errno, ENOENT);
}

/* --- a log that lasts ------------------------------------------------------------------------ */

#define LASTING (DNSLOG_ASIDE | DNSLOG_APPEND | DNSLOG_LASTING)

/* Lines of a file that are a JSON object each; others (torn) are counted in *torn, empty ones nowhere. */
static unsigned count_lines(const char *name, unsigned *torn)
{
	FILE *file = fopen(name, "r");
	char *line = NULL;
	size_t size = 0;
	unsigned count = 0;

	cr_assert(file, "%s: %s", name, strerror(errno));
	*torn = 0;
	while (getline(&line, &size, file) > 1) {
		json_t *whole = json_loads(line, 0, NULL);
		count += whole != NULL;
		*torn += whole == NULL;
		json_decref(whole);
	}
	free(line);
	fclose(file);
	return count;
}

static void expect_lines(const char *name, unsigned lines)
{
	unsigned torn;

	cr_expect_eq(count_lines(name, &torn), lines, "%s: %u lines", name,
		count_lines(name, &torn));
	cr_expect_eq(torn, 0, "%s", name);
}

/* What was written is in the file: the writing thread has no more to do. */
static void keep(struct dnslog *log)
{
	dnslog_keep(log);
	dnslog_keep(log);
	cr_assert_eq(dnslog_flush(log), 0);
}

Test(dnslog, a_log_that_lasts_is_written_each_second_and_appended_to)
{
	struct dnslog_entry e = entry_of("query");
	struct dnslog *log = open_log_writing(LASTING);

	dnslog_write(log, &e);
	keep(log);
	expect_lines(path, 1);
	cr_assert_eq(dnslog_close(log), 0);
	log = dnslog_open(path, LASTING);
	cr_assert(log);
	dnslog_write(log, &e);
	cr_assert_eq(dnslog_close(log), 0);
	expect_lines(path, 2);
	unlink(path);
}

static char moved[sizeof(path) + 4];

/* A log of one line, which somebody then gives another name. */
static struct dnslog *open_and_move(const struct dnslog_entry *e, unsigned how)
{
	struct dnslog *log = open_log_writing(how);

	snprintf(moved, sizeof(moved), "%s.old", path);
	dnslog_write(log, e);
	cr_assert_eq(rename(path, moved), 0);
	return log;
}

/* Both lines so far are in the old file; the next one, the last, comes into the new. */
static void expect_new_file(struct dnslog *log, const struct dnslog_entry *e)
{
	keep(log);
	expect_lines(moved, 2);
	expect_lines(path, 0);
	dnslog_write(log, e);
	cr_assert_eq(dnslog_close(log), 0);
	expect_lines(moved, 2);
	expect_lines(path, 1);
	unlink(path);
	unlink(moved);
}

static void move_and_say_so(unsigned how)
{
	struct dnslog_entry e = entry_of("query");
	struct dnslog *log = open_and_move(&e, how);

	dnslog_write(log, &e);
	dnslog_reopen(log);
	expect_new_file(log, &e);
}

Test(dnslog, a_log_that_was_moved_is_opened_anew_when_that_is_wanted)
{
	move_and_say_so(LASTING);
}

Test(dnslog, one_that_does_not_look_by_itself_is_opened_anew_when_that_is_wanted)
{
	move_and_say_so(DNSLOG_ASIDE | DNSLOG_APPEND);
}

/* Nobody has to say so; and where no new file can be made, the old one goes on. */
Test(dnslog, a_log_that_was_moved_is_noticed)
{
	struct dnslog_entry e = entry_of("query");
	struct dnslog *log = open_and_move(&e, LASTING);

	cr_assert_eq(mkdir(path, 0700), 0);
	keep(log);
	dnslog_write(log, &e);
	keep(log);
	expect_lines(moved, 2);
	cr_assert_eq(rmdir(path), 0);
	expect_new_file(log, &e);
}

Test(dnslog, a_log_that_lasts_goes_on_when_there_is_room_again)
{
	struct dnslog_entry e = entry_of("query");
	struct dnslog *log = open_log_writing(LASTING);
	struct rlimit before, little;
	unsigned torn;

	signal(SIGXFSZ, SIG_IGN);
	dnslog_write(log, &e);
	keep(log);
	cr_assert_eq(getrlimit(RLIMIT_FSIZE, &before), 0);
	little = (struct rlimit){ .rlim_cur = 400, .rlim_max = before.rlim_max };
	cr_assert_eq(setrlimit(RLIMIT_FSIZE, &little), 0);
	dnslog_write(log, &e);
	dnslog_write(log, &e);
	dnslog_keep(log);
	cr_expect_eq(dnslog_flush(log), EFBIG);
	for (int i = 0; i < 3; i++) {
		dnslog_write(log, &e);
		dnslog_keep(log);
	}
	cr_expect_eq(dnslog_flush(log), EFBIG);
	cr_assert_eq(setrlimit(RLIMIT_FSIZE, &before), 0);
	dnslog_keep(log);
	dnslog_write(log, &e);
	cr_assert_eq(dnslog_close(log), 0);
	cr_expect_eq(
		count_lines(path, &torn), 2, "the first, and the one after there was room");
	cr_expect_eq(torn, 1, "the line that was being written");
	unlink(path);
}
