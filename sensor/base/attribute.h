/* SPDX-License-Identifier: BSD-2-Clause */
/* attribute.h -- the compiler attributes this project uses, by name. */
#ifndef SENSOR_BASE_ATTRIBUTE_H
#define SENSOR_BASE_ATTRIBUTE_H

#define NODISCARD            __attribute__((warn_unused_result))
#define PRINTF_LIKE(fmt, va) __attribute__((format(printf, fmt, va)))
#define COLD                 __attribute__((cold, noinline))
#define ALWAYS_INLINE        __attribute__((always_inline))
/* On the definition of a public function: link-time optimisation puts it into all who call it. */
#define INLINE_BY_LINKER inline __attribute__((always_inline))
#define OUT_OF_LINE      __attribute__((noinline)) /* what is seldom needed, out of hot code */
#define CACHE_LINE       64
#define LIKELY(x)        __builtin_expect(!!(x), 1)
#define UNLIKELY(x)      __builtin_expect(!!(x), 0)
/*
 * The compiler knows nothing any more of what an unsigned holds: one branch on many conditions, joined by | and &,
 * stays one, where nobody can guess the single ones.
 */
#define OPAQUE(x)    __asm__("" : "+r"(x))
#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

#endif
