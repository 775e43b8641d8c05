/* SPDX-License-Identifier: BSD-2-Clause */
#include "feeds/geo.h"

#include <criterion/criterion.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/feeds/feed_rig.h"
#include "tests/support/mmdb_build.h"

static char dir[] = "/tmp/dynwatch-geo-XXXXXX";
static char path[300];

static void setup(void)
{
	cr_assert(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/test.mmdb", dir);
}

static void teardown(void)
{
	unlink(path);
	rmdir(dir);
}

TestSuite(geo, .init = setup, .fini = teardown);

static void write_file(const void *bytes, size_t len)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	cr_assert_neq(fd, -1);
	cr_assert_eq(write(fd, bytes, len), (ssize_t)len);
	close(fd);
}

static struct geo_facts lookup(const struct geo *geo, const char *text)
{
	struct ip ip;

	cr_assert(ip_parse(&ip, text), "%s", text);
	return geo_lookup(geo, &ip);
}

static void expect_refused(const char *file, const char *said)
{
	struct geo *geo = (struct geo *)&geo;
	struct err_ctx why = { 0 };

	cr_expect_eq(geo_open(&geo, file, NULL, &why), ERR_USAGE, "%s", file);
	cr_expect_null(geo);
	cr_expect(strstr(why.text, file), "%s", why.text);
	cr_expect(strstr(why.text, said), "%s: not '%s'", why.text, said);
}

Test(geo, no_path_is_a_feature_that_is_off)
{
	struct geo *geo;
	struct err_ctx why;

	cr_expect_eq(geo_open(&geo, NULL, NULL, &why), ERR_OK);
	cr_expect_null(geo);
	cr_expect_eq(lookup(geo, "192.0.2.1").asn, 0);
	cr_expect_str_eq(lookup(geo, "192.0.2.1").country, "");
	cr_expect_not(geo_has_asn(geo));
	geo_close(geo);
}

Test(geo, a_tiny_database_answers)
{
	static const unsigned sizes[] = { 24, 28, 32 };

	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		struct mmdb_build db;
		struct geo *geo;
		struct err_ctx why;
		mmdb_build(&db, sizes[i], mmdb_build_record, mmdb_build_record_len);
		write_file(db.bytes, db.len);
		cr_assert_eq(geo_open(&geo, path, path, &why), ERR_OK, "%s", why.text);
		cr_expect(geo_has_asn(geo));
		cr_expect_str_eq(lookup(geo, "192.0.2.77").country, "NL", "%u", sizes[i]);
		cr_expect_eq(lookup(geo, "192.0.2.77").asn, 64500, "%u", sizes[i]);
		cr_expect_str_eq(lookup(geo, "192.0.3.1").country, "", "%u", sizes[i]);
		cr_expect_eq(lookup(geo, "2001:db8::1").asn, 0, "IPv6 in an IPv4 database");
		geo_close(geo);
	}
}

Test(geo, a_file_that_changes_after_opening_changes_nothing)
{
	struct mmdb_build db;
	struct geo *geo;
	struct err_ctx why;

	mmdb_build(&db, 24, mmdb_build_record, mmdb_build_record_len);
	write_file(db.bytes, db.len);
	cr_assert_eq(geo_open(&geo, path, NULL, &why), ERR_OK, "%s", why.text);
	cr_expect_not(geo_has_asn(geo));
	cr_assert_eq(truncate(path, 0), 0);
	cr_expect_str_eq(lookup(geo, "192.0.2.1").country, "NL");
	cr_expect_eq(lookup(geo, "192.0.2.1").asn, 0, "no ASN database was given");
	geo_close(geo);
}

Test(geo, records_without_what_is_asked_or_of_other_types_are_not_known)
{
	/* {"country": {"iso_code": "NLD"}, ...}: three letters are no alpha-2 code */
	static const uint8_t data[] = "\xe1\x47"
				      "country\xe1\x48iso_code\x43NLD";
	struct mmdb_build db;
	struct geo *geo;
	struct err_ctx why;

	mmdb_build(&db, 24, data, sizeof(data) - 1);
	write_file(db.bytes, db.len);
	cr_assert_eq(geo_open(&geo, path, NULL, &why), ERR_OK, "%s", why.text);
	cr_expect_str_eq(lookup(geo, "192.0.2.1").country, "");
	geo_close(geo);
	expect_refused("/nonexistent/asn.mmdb", "No such file");
}

Test(geo, what_is_no_database_is_an_error_that_says_so)
{
	struct mmdb_build db;
	char target[320];

	expect_refused(path, "No such file");
	expect_refused(dir, "not a regular file");
	write_file("", 0);
	expect_refused(path, "empty");
	write_file("not a database", 14);
	expect_refused(path, "no MaxMind database");
	mmdb_build(&db, 24, "\xe0", 1);
	write_file(db.bytes, db.len);
	expect_refused(path, "wrong database");
	unlink(path);
	snprintf(target, sizeof(target), "%s/nowhere", dir);
	cr_assert_eq(symlink(target, path), 0);
	expect_refused(path, "No such file");
	unlink(path);
	cr_assert_eq(mkfifo(path, 0600), 0);
	expect_refused(path, "not a regular file");
}

Test(geo, truncations_are_errors_at_every_length)
{
	struct mmdb_build db;

	mmdb_build(&db, 24, mmdb_build_record, mmdb_build_record_len);
	for (size_t len = 1; len < db.len; len++) {
		write_file(db.bytes, len);
		expect_refused(path, "damaged");
	}
}

/* What the checker lets pass, the library must survive. */
Test(geo, flipped_bits_never_crash_a_lookup)
{
	struct mmdb_build db;
	size_t opened = 0;

	mmdb_build(&db, 24, mmdb_build_record, mmdb_build_record_len);
	for (size_t bit = 0; bit < db.len * 8; bit++) {
		struct geo *geo;
		struct err_ctx why;
		db.bytes[bit / 8] ^= (uint8_t)(1u << (bit % 8));
		write_file(db.bytes, db.len);
		if (geo_open(&geo, path, path, &why) == ERR_OK) {
			opened++;
			cr_expect_leq(strlen(lookup(geo, "192.0.2.1").country), 2);
			lookup(geo, "0.0.0.0");
			lookup(geo, "2001:db8::1");
			geo_close(geo);
		}
		db.bytes[bit / 8] ^= (uint8_t)(1u << (bit % 8));
	}
	cr_expect_gt(opened, 0);
	cr_expect_lt(opened, db.len * 8);
}

/* --- with the databases of the shared folder, where it is there ---------------------------- */

Test(geo, published_databases_answer)
{
	char country[512];
	char asn[512];
	struct geo *geo;
	struct err_ctx why;

	strcpy(country, shared_path("data/mmdb/GeoLite2-Country-Test.mmdb"));
	strcpy(asn, shared_path("data/mmdb/GeoLite2-ASN-Test.mmdb"));
	if (access(country, R_OK) == -1)
		return; /* a_tiny_database_answers is the same without the folder */
	cr_assert_eq(geo_open(&geo, country, asn, &why), ERR_OK, "%s", why.text);
	cr_expect_str_eq(lookup(geo, "81.2.69.160").country, "GB");
	cr_expect_str_eq(lookup(geo, "2001:218::1").country, "JP");
	cr_expect_eq(lookup(geo, "1.128.0.1").asn, 1221);
	cr_expect_eq(lookup(geo, "10.0.0.1").asn, 0);
	geo_close(geo);
	strcpy(country, shared_path("data/mmdb/GeoLite2-City-Test.mmdb"));
	cr_assert_eq(geo_open(&geo, country, NULL, &why), ERR_OK, "%s", why.text);
	cr_expect_str_eq(lookup(geo, "81.2.69.160").country, "GB");
	geo_close(geo);
	expect_refused(asn, "wrong database");
}

Test(geo, published_damaged_databases_are_refused_or_survived)
{
	struct dirent *entry;
	DIR *folder = opendir(shared_path("data/mmdb"));
	size_t refused = 0;

	if (!folder)
		return; /* test_mmdb.c has the same damages */
	while ((entry = readdir(folder)) != NULL) {
		char file[300];
		struct geo *geo;
		struct err_ctx why;
		if (strncmp(entry->d_name, "bad-", 4) && !strstr(entry->d_name, "broken") &&
			!strstr(entry->d_name, "Invalid"))
			continue;
		snprintf(file, sizeof(file), "data/mmdb/%.200s", entry->d_name);
		enum err err = geo_open(&geo, shared_path(file), NULL, &why);
		cr_expect_eq(err, ERR_USAGE, "%s was taken", entry->d_name);
		refused += err == ERR_USAGE;
		geo_close(geo);
	}
	closedir(folder);
	cr_expect_geq(refused, 8);
}
