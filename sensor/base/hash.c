/* SPDX-License-Identifier: BSD-2-Clause */
#include "sensor/base/hash.h"

#include <sys/random.h>
#include <unistd.h>

#include "sensor/base/clock.h"

uint64_t hash_random_seed(void)
{
	uint64_t seed;

	if (getrandom(&seed, sizeof(seed), GRND_NONBLOCK) == sizeof(seed))
		return seed;
	seed = hash_word((uint64_t)clock_wall_ns(), (uint64_t)clock_monotonic_ns());
	return hash_word(seed, (uint64_t)getpid());
}
