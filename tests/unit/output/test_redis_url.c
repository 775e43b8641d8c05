/* SPDX-License-Identifier: BSD-2-Clause */
#include "sensor/output/redis_url.h"

#include "sensor/base/attribute.h"

#include <criterion/criterion.h>
#include <string.h>

#define PASSWORD "s3cr3t"

static const struct {
	const char *url;
	const char *host, *path;
	unsigned port, database;
	const char *user, *password;
	bool tls;
	const char *shown;
} good[] = {
	{ "redis://127.0.0.1:6379/0", "127.0.0.1", "", 6379, 0, "", "", false,
		"redis://127.0.0.1:6379/0" },
	{ "redis://cache.example", "cache.example", "", 6379, 0, "", "", false,
		"redis://cache.example:6379/0" },
	{ "redis://", "localhost", "", 6379, 0, "", "", false, "redis://localhost:6379/0" },
	{ "REDIS://h/", "h", "", 6379, 0, "", "", false, "redis://h:6379/0" },
	{ "redis://:" PASSWORD "@h:7000/3", "h", "", 7000, 3, "", PASSWORD, false,
		"redis://:***@h:7000/3" },
	{ "redis://" PASSWORD "@h", "h", "", 6379, 0, "", PASSWORD, false,
		"redis://:***@h:6379/0" },
	{ "redis://bob:" PASSWORD "@h?db=5", "h", "", 6379, 5, "bob", PASSWORD, false,
		"redis://bob:***@h:6379/5" },
	{ "redis://b%40b:p%2fq%3A@h", "h", "", 6379, 0, "b@b", "p/q:", false,
		"redis://b@b:***@h:6379/0" },
	{ "redis://u:p@ss:w@h", "h", "", 6379, 0, "u", "p@ss:w", false,
		"redis://u:***@h:6379/0" },
	{ "redis://[2001:db8::1]:7001/2", "2001:db8::1", "", 7001, 2, "", "", false,
		"redis://[2001:db8::1]:7001/2" },
	{ "redis://:" PASSWORD "@[::1]", "::1", "", 6379, 0, "", PASSWORD, false,
		"redis://:***@[::1]:6379/0" },
	{ "rediss://h:6380", "h", "", 6380, 0, "", "", true, "rediss://h:6380/0" },
	{ "unix:///run/redis.sock", "", "/run/redis.sock", 0, 0, "", "", false,
		"unix:///run/redis.sock?db=0" },
	{ "unix:///run/a%20b.sock?db=4", "", "/run/a b.sock", 0, 4, "", "", false,
		"unix:///run/a b.sock?db=4" },
	{ "redis+unix://bob:" PASSWORD "@/r.sock", "", "/r.sock", 0, 0, "bob", PASSWORD, false,
		"unix://bob:***@/r.sock?db=0" },
};

Test(redis_url, reads_every_form)
{
	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		struct redis_url u;
		struct err_ctx why = { "" };
		const char *url = good[i].url;

		cr_assert_eq(redis_url_parse(&u, url, &why), ERR_OK, "%s: %s", url, why.text);
		cr_expect_str_eq(u.host, good[i].host, "%s", url);
		cr_expect_str_eq(u.path, good[i].path, "%s", url);
		cr_expect_eq(u.port, good[i].port, "%s", url);
		cr_expect_eq(u.database, good[i].database, "%s", url);
		cr_expect_str_eq(u.user, good[i].user, "%s", url);
		cr_expect_str_eq(u.password, good[i].password, "%s", url);
		cr_expect_eq(u.has_password, good[i].password[0] != '\0', "%s", url);
		cr_expect_eq(u.tls, good[i].tls, "%s", url);
		cr_expect_str_eq(u.shown, good[i].shown, "%s", url);
	}
}

static const struct {
	const char *url, *says;
} bad[] = {
	{ "", "begin with" },
	{ "http://" PASSWORD "@h", "begin with" },
	{ "127.0.0.1:6379", "begin with" },
	{ "redis:/h", "begin with" },
	{ "redis://:" PASSWORD "/x@h", "port" }, /* a slash ends the authority */
	{ "redis://u:" PASSWORD "#x@h", "port" },
	{ "redis://h:0", "port" },
	{ "redis://h:65536", "port" },
	{ "redis://h:99999999999999999999", "port" },
	{ "redis://h:", "port" },
	{ "redis://h:-1", "port" },
	{ "redis://h/x" PASSWORD, "database" },
	{ "redis://h/-1", "database" },
	{ "redis://h/0/1", "database" },
	{ "redis://h?db=", "database" },
	{ "redis://h?password=" PASSWORD, "may follow" },
	{ "redis://h/0#" PASSWORD, "may follow" },
	{ "redis://[::1", "bracket" },
	{ "redis://[::1]x", "after the address" },
	{ "redis://:" PASSWORD "%zz@h", "password" },
	{ "redis://:" PASSWORD "%4@h", "password" },
	{ "redis://:" PASSWORD "%00@h", "password" },
	{ "redis://bob:@h", "without a password" },
	{ "redis://%:" PASSWORD "@h", "user" },
	{ "redis://:" PASSWORD "@h%2", "host" },
	{ "unix://", "absolute path" },
	{ "unix://run/redis.sock", "absolute path" },
	{ "unix:///r?x=" PASSWORD, "may follow" },
};

Test(redis_url, says_what_is_wrong_and_never_any_part_of_a_password)
{
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct redis_url u;
		struct err_ctx why = { "" };

		cr_expect_eq(
			redis_url_parse(&u, bad[i].url, &why), ERR_USAGE, "%s", bad[i].url);
		cr_expect(strstr(why.text, bad[i].says), "%s: %s", bad[i].url, why.text);
		cr_expect(!strstr(why.text, "s3c"), "%s: %s", bad[i].url, why.text);
	}
}

Test(redis_url, limits_are_exact)
{
	static const struct {
		const char *name;
		size_t len;
		bool fits;
	} rows[] = { { "one less", 106, true }, { "longest", 107, true },
		{ "too long", 108, false } };
	char url[256];
	struct redis_url u;
	struct err_ctx why;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		memset(url, 'a', sizeof(url));
		memcpy(url, "unix:///", 8);
		url[7 + rows[i].len] = '\0';
		cr_expect_eq(redis_url_parse(&u, url, &why) == ERR_OK, rows[i].fits, "%s",
			rows[i].name);
	}
	static char huge[REDIS_URL_MAX + 16];
	memset(huge, 'a', sizeof(huge) - 1);
	memcpy(huge, "redis://:", 9);
	huge[sizeof(huge) - 3] = '@';
	cr_expect_eq(redis_url_parse(&u, huge, &why), ERR_USAGE);
}
