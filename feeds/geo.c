/* SPDX-License-Identifier: BSD-2-Clause */
#include "feeds/geo.h"

#include "feeds/mmdb.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <maxminddb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/*
 * libmaxminddb maps the file it is given, and a mapped file that somebody overwrites in place
 * kills the reader with SIGBUS. So each database is copied into memory of our own (a memfd),
 * checked there from end to end, and opened from there: what was checked is what is read.
 */
#define DATABASE_BYTES_MAX (INT64_C(1) << 30)
#define COPY_CHUNK         65536

struct geo {
	MMDB_s country, asn;
	bool has_country, has_asn;
};

/* Open a regular file of sensible size; -1 and *why when it is not one. */
static int open_database(const char *path, struct err_ctx *why)
{
	struct stat st;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd == -1) {
		err_set(why, ERR_USAGE, "%s: %s", path, strerror(errno));
		return -1;
	}
	if (fstat(fd, &st) == -1)
		err_set(why, ERR_USAGE, "%s: %s", path, strerror(errno));
	else if (!S_ISREG(st.st_mode))
		err_set(why, ERR_USAGE, "%s: not a regular file", path);
	else if (st.st_size == 0)
		err_set(why, ERR_USAGE, "%s: the file is empty", path);
	else if (st.st_size > DATABASE_BYTES_MAX)
		err_set(why, ERR_USAGE, "%s: larger than 1 GB", path);
	else
		return fd;
	close(fd);
	return -1;
}

static bool write_all(int fd, const char *bytes, size_t bytes_len)
{
	while (bytes_len > 0) {
		ssize_t written = write(fd, bytes, bytes_len);
		if (written == -1)
			return false;
		bytes += written;
		bytes_len -= (size_t)written;
	}
	return true;
}

/* Copy the file into anonymous memory; -1 and errno. */
static int copy_to_memory(int from, size_t *len)
{
	char chunk[COPY_CHUNK];
	ssize_t got;
	int fd = memfd_create("geoip", MFD_CLOEXEC);

	if (fd == -1)
		return -1;
	*len = 0;
	while ((got = read(from, chunk, sizeof(chunk))) > 0 && *len <= DATABASE_BYTES_MAX) {
		if (!write_all(fd, chunk, (size_t)got))
			break;
		*len += (size_t)got;
	}
	if (got == 0 && *len > 0)
		return fd;
	int saved = got == 0 ? EIO : errno;
	close(fd);
	errno = saved;
	return -1;
}

static enum err check_copy(
	int fd, size_t len, const char *path, const char *key, struct err_ctx *why)
{
	struct mmdb_facts facts;
	void *map = mmap(NULL, len, PROT_READ, MAP_PRIVATE, fd, 0);

	if (map == MAP_FAILED)
		return err_set(why, ERR_FAILED, "%s: %s", path, strerror(errno));
	bool ok = mmdb_check(&facts, map, len, key);
	munmap(map, len);
	if (!ok)
		return err_set(why, ERR_USAGE, "%s: damaged database: %s (near byte %zu)", path,
			facts.wrong, facts.wrong_at);
	if (!facts.has_key)
		return err_set(why, ERR_USAGE,
			"%s: the wrong database: no record in it has \"%s\"", path, key);
	return ERR_OK;
}

/* `key`: what a record of the right kind of database holds. */
static enum err open_checked(MMDB_s *db, const char *path, const char *key, struct err_ctx *why)
{
	char copy_path[64];
	size_t len;
	int file = open_database(path, why);

	if (file == -1)
		return ERR_USAGE;
	int copy = copy_to_memory(file, &len);
	int saved = errno;
	close(file);
	if (copy == -1)
		return err_set(why, ERR_USAGE, "%s: %s", path, strerror(saved));
	enum err err = check_copy(copy, len, path, key, why);
	if (err == ERR_OK) {
		snprintf(copy_path, sizeof(copy_path), "/proc/self/fd/%d", copy);
		int status = MMDB_open(copy_path, MMDB_MODE_MMAP, db);
		if (status != MMDB_SUCCESS)
			err = err_set(why, ERR_USAGE, "%s: %s", path, MMDB_strerror(status));
	}
	close(copy);
	return err;
}

enum err geo_open(
	struct geo **out, const char *country_path, const char *asn_path, struct err_ctx *why)
{
	enum err err;

	*out = NULL;
	if (!country_path && !asn_path)
		return ERR_OK;
	struct geo *geo = calloc(1, sizeof(*geo));
	if (!geo)
		return err_set(why, ERR_FAILED, "geoip: out of memory");
	if (country_path) {
		err = open_checked(&geo->country, country_path, "iso_code", why);
		if (err != ERR_OK)
			goto fail;
		geo->has_country = true;
	}
	if (asn_path) {
		err = open_checked(&geo->asn, asn_path, "autonomous_system_number", why);
		if (err != ERR_OK)
			goto fail;
		geo->has_asn = true;
	}
	*out = geo;
	return ERR_OK;
fail:
	geo_close(geo);
	return err;
}

void geo_close(struct geo *geo)
{
	if (!geo)
		return;
	if (geo->has_country)
		MMDB_close(&geo->country);
	if (geo->has_asn)
		MMDB_close(&geo->asn);
	free(geo);
}

/* The address in the form the library takes: its own family, since databases keep IPv4 apart.
 */
static MMDB_lookup_result_s find(const MMDB_s *db, const struct ip *ip)
{
	struct sockaddr_in v4 = { .sin_family = AF_INET };
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6 };
	int status;

	memcpy(&v4.sin_addr, ip->bytes + 12, 4);
	memcpy(&v6.sin6_addr, ip->bytes, 16);
	const struct sockaddr *address =
		ip_is_v4(ip) ? (const struct sockaddr *)&v4 : (const struct sockaddr *)&v6;
	MMDB_lookup_result_s found = MMDB_lookup_sockaddr(db, address, &status);
	if (status != MMDB_SUCCESS)
		found.found_entry = false;
	return found;
}

static void find_country(const MMDB_s *db, const struct ip *ip, struct geo_facts *facts)
{
	MMDB_entry_data_s data;
	MMDB_lookup_result_s found = find(db, ip);

	if (!found.found_entry || MMDB_get_value(&found.entry, &data, "country", "iso_code",
					  NULL) != MMDB_SUCCESS)
		return;
	if (data.has_data && data.type == MMDB_DATA_TYPE_UTF8_STRING && data.data_size == 2)
		memcpy(facts->country, data.utf8_string, 2);
}

static uint32_t find_asn(const MMDB_s *db, const struct ip *ip)
{
	MMDB_entry_data_s data;
	MMDB_lookup_result_s found = find(db, ip);

	if (!found.found_entry || MMDB_get_value(&found.entry, &data,
					  "autonomous_system_number", NULL) != MMDB_SUCCESS)
		return 0;
	return data.has_data && data.type == MMDB_DATA_TYPE_UINT32 ? data.uint32 : 0;
}

uint32_t geo_asn(const struct geo *geo, const struct ip *ip)
{
	return geo && geo->has_asn ? find_asn(&geo->asn, ip) : 0;
}

struct geo_facts geo_lookup(const struct geo *geo, const struct ip *ip)
{
	struct geo_facts facts = { .asn = geo_asn(geo, ip) };

	if (geo && geo->has_country)
		find_country(&geo->country, ip, &facts);
	return facts;
}

bool geo_has_asn(const struct geo *geo)
{
	return geo && geo->has_asn;
}
