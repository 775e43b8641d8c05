/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * generated.h -- does a label look computed rather than chosen by a person?
 *
 * Judged by its pairs of letters: words of European languages, and what people make of them, use
 * less than half of the 676 pairs; random letters use all alike. Letters and digits in turn count
 * as unusual pairs. Short labels say nothing. Word-list generators are not recognised here (their
 * NXDOMAINs still are, as a spike).
 *
 * Threads: no state.
 */
#ifndef RULES_GENERATED_H
#define RULES_GENERATED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define GENERATED_LEN_MIN 7

/* `label`: octets of one label, folded, without its length octet. A-labels (xn--) are never. */
bool generated_label(const uint8_t *label, size_t label_len);

/* Share of unusual pairs, 0..1; 0 for labels shorter than two. */
double generated_share(const uint8_t *label, size_t label_len);

#endif
