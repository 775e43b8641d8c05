/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pattern.h -- what the moves of a name look like: a pool, a name on the run (churning), fast flux.
 *
 * `option`: of the tenant. `has_asn`: networks are autonomous systems and not only prefixes.
 *
 * Threads: no state.
 */
#ifndef RULES_PATTERN_H
#define RULES_PATTERN_H

#include <stdbool.h>

#include "rules/moves.h"
#include "rules/rule.h"

#define GROWTH_FLUX     0.5
#define COUNTRIES_CHURN 2

/*
 * Can the moves be flux or churning at all, in however many networks the addresses are? There are
 * never more of those than addresses. Asked first, because of pools, which bring most arrivals,
 * nearly all end here.
 */
bool pattern_may_be_flux(const union rule_value *option, const struct moves *m);
bool pattern_may_be_churning(
	const union rule_value *option, const struct moves *m, bool has_asn);

/* Several at once that come back, or few networks between which it alternates: built that way. */
bool pattern_is_pool(const struct moves *m, const struct moves_features *f);

/* What may be so: is it? `listed`: the name is on a provider's list. */
bool pattern_is_flux(const union rule_value *option, const struct moves_features *f);
bool pattern_is_churning(const union rule_value *option, const struct moves_features *f,
	bool listed, bool has_asn);

#endif
