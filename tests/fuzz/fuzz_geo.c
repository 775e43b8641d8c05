/* SPDX-License-Identifier: BSD-2-Clause */
/* Any bytes as a MaxMind database: what is opened must answer every address without harm. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "feeds/geo.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const addresses[] = { "0.0.0.0", "192.0.2.1", "255.255.255.255",
		"::", "2001:db8::1", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff" };
	struct err_ctx why;
	struct geo *geo;
	char path[64];
	int fd = memfd_create("fuzz", MFD_CLOEXEC);

	if (fd == -1 || write(fd, data, size) != (ssize_t)size)
		abort();
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (geo_open(&geo, path, path, &why) == ERR_OK ||
		geo_open(&geo, path, NULL, &why) == ERR_OK) {
		for (size_t i = 0; i < ARRAY_LEN(addresses); i++) {
			struct ip ip;
			if (!ip_parse(&ip, addresses[i]))
				abort();
			struct geo_facts facts = geo_lookup(geo, &ip);
			if (strnlen(facts.country, sizeof(facts.country)) > 2)
				abort();
		}
	}
	geo_close(geo);
	close(fd);
	return 0;
}
