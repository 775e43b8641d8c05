/* SPDX-License-Identifier: BSD-2-Clause */
#include "rules/pattern.h"

#include "sensor/base/clock.h"

#define RETURN_RATIO_POOL 0.5
#define RETURN_RATIO_DDNS 0.3
#define RENEWALS_FLUX     3

bool pattern_is_pool(const struct moves *m, const struct moves_features *f)
{
	double return_ratio = moves_return_ratio(m);

	return return_ratio >= RETURN_RATIO_POOL &&
	       (m->set_size_max >= 2 || f->networks <= 2 || return_ratio >= 0.6);
}

/* Of the highest ever seen. */
static bool has_ttl_of(const struct moves *m, union rule_value max)
{
	return m->ttl_max_s <= (uint32_t)(max.ns / NS_PER_S);
}

bool pattern_may_be_flux(const union rule_value *option, const struct moves *m)
{
	return m->count >= option[OPTION_CHURN_FAST_FLUX_min_addresses].count &&
	       has_ttl_of(m, option[OPTION_CHURN_FAST_FLUX_max_ttl]) &&
	       m->renewals >= RENEWALS_FLUX &&
	       moves_return_ratio(m) < option[OPTION_CHURN_FAST_FLUX_max_return_ratio].number &&
	       moves_growth(m) >= GROWTH_FLUX;
}

bool pattern_may_be_churning(
	const union rule_value *option, const struct moves *m, bool has_asn)
{
	if (m->count < 2 || m->set_size_max > 1)
		return false;
	if (!has_ttl_of(m, option[OPTION_CHURN_DDNS_max_ttl]) ||
		moves_return_ratio(m) >= RETURN_RATIO_DDNS)
		return false;
	return has_asn || (m->count >= option[OPTION_CHURN_DDNS_min_addresses].count &&
				  m->count >= option[OPTION_CHURN_DDNS_min_networks].count);
}

bool pattern_is_flux(const union rule_value *option, const struct moves_features *f)
{
	return f->addresses >= option[OPTION_CHURN_FAST_FLUX_min_addresses].count &&
	       f->networks >= option[OPTION_CHURN_FAST_FLUX_min_networks].count;
}

bool pattern_is_churning(const union rule_value *option, const struct moves_features *f,
	bool listed, bool has_asn)
{
	bool many = f->addresses >= option[OPTION_CHURN_DDNS_min_addresses].count;
	bool wide = f->networks >= option[OPTION_CHURN_DDNS_min_networks].count;

	if (!has_asn)
		return listed && many && wide;
	if (!listed)
		return many && wide;
	return many || wide || f->countries >= COUNTRIES_CHURN;
}
