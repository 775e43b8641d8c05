/* SPDX-License-Identifier: BSD-2-Clause */
#include "tools/mkpcap/name.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "sensor/base/attribute.h"

/* How fast popularity falls with rank, as measured at resolvers of enterprises. */
#define ZIPF_EXPONENT 0.9
#define CDN_SHARE     0.4
/* One ordinary name of so many is malicious; the first of them is rank FEED_FIRST. */
#define FEED_STRIDE 20000
#define FEED_FIRST  1007

static void append(struct name *n, const char *label, size_t len)
{
	n->wire[n->wire_len++] = (uint8_t)len;
	memcpy(n->wire + n->wire_len, label, len);
	n->wire_len = (uint8_t)(n->wire_len + len);
}

static void append_text(struct name *n, const char *text)
{
	while (*text) {
		size_t len = strcspn(text, ".");
		append(n, text, len);
		text += len + (text[len] == '.');
	}
}

size_t name_word(uint64_t number, char out[16])
{
	static const char consonants[] = "bcdfghklmnprstvw", vowels[] = "aeiou";
	size_t len = 0;
	do {
		out[len++] = consonants[number % 16];
		out[len++] = vowels[number / 16 % 5];
		number /= 80;
	} while (number && len < 14);
	return len;
}

static void make_ordinary(struct name *n, uint64_t rank, struct draw *d)
{
	static const char *const top[] = { "com", "net", "org", "de", "io", "example",
		"co.uk" };
	static const char *const host[] = { "www", "api", "cdn", "mail", "static", "login" };
	char label[16];

	n->kind = draw_unit(d) < CDN_SHARE ? NAME_CDN : NAME_HOST;
	n->ttl = (uint16_t)(30 + rank * 7919 % 3570);
	append_text(n, host[rank % ARRAY_LEN(host)]);
	append(n, label, name_word(rank * 2654435761u % 100000007u, label));
	append_text(n, top[rank % ARRAY_LEN(top)]);
}

static void make_dynamic(struct name *n, uint64_t rank, struct draw *d)
{
	static const char *const provider[] = { "duckdns.org", "ddns.net", "hopto.org",
		"dynv6.net", "no-ip.org", "zapto.org" };
	char label[16];

	(void)d;
	n->kind = NAME_DYNAMIC;
	n->ttl = 60;
	append(n, label, name_word(rank * 2654435761u % 100000007u, label));
	append_text(n, provider[rank % ARRAY_LEN(provider)]);
}

static bool pool_new(struct name_pool *p, uint64_t count,
	void (*make)(struct name *, uint64_t, struct draw *))
{
	struct draw d = { .state = 0 };
	double sum = 0;

	*p = (struct name_pool){ .count = count };
	p->at = calloc(count, sizeof(*p->at));
	p->weight = calloc(count, sizeof(*p->weight));
	if (!p->at || !p->weight)
		return false;
	for (uint64_t i = 0; i < count; i++) {
		make(&p->at[i], i, &d);
		sum += pow((double)(i + 1), -ZIPF_EXPONENT);
		p->weight[i] = sum;
	}
	return true;
}

bool names_new(struct names *n, uint64_t count, double dynamic_share)
{
	uint64_t dynamic = (uint64_t)((double)count * dynamic_share);

	*n = (struct names){ 0 };
	if (pool_new(&n->ordinary, count, make_ordinary) &&
		pool_new(&n->dynamic, dynamic > 0 ? dynamic : 1, make_dynamic))
		return true;
	names_free(n);
	return false;
}

static void pool_free(struct name_pool *p)
{
	free(p->at);
	free(p->weight);
}

void names_free(struct names *n)
{
	pool_free(&n->ordinary);
	pool_free(&n->dynamic);
	*n = (struct names){ 0 };
}

const struct name *name_pool_draw(const struct name_pool *p, struct draw *d, uint64_t *rank)
{
	double want = draw_unit(d) * p->weight[p->count - 1];
	uint64_t low = 0, high = p->count - 1;

	while (low < high) {
		uint64_t middle = (low + high) / 2;
		if (p->weight[middle] < want)
			low = middle + 1;
		else
			high = middle;
	}
	if (rank)
		*rank = low;
	return &p->at[low];
}

void name_make_missing(struct name *n, const struct names *all, struct draw *d)
{
	const struct name *real = &all->ordinary.at[draw_below(d, all->ordinary.count)];
	char label[16];

	*n = (struct name){ .kind = NAME_MISSING };
	if (draw_unit(d) < 0.7) {
		memcpy(n->wire, real->wire, real->wire_len);
		n->wire_len = real->wire_len;
		append_text(n, "corp.example");
		return;
	}
	append_text(n, "update");
	append(n, label, name_word(50000000 + draw_below(d, 40), label));
	append_text(n, "com");
}

void name_make_flood(struct name *n, struct draw *d)
{
	char label[12];
	uint64_t bits = draw_u64(d);

	*n = (struct name){ .kind = NAME_MISSING };
	for (size_t i = 0; i < sizeof(label); i++)
		label[i] = (char)('a' + (bits >> (5 * i)) % 26);
	append(n, label, sizeof(label));
	append_text(n, "victim.example");
}

void name_make_zone(struct name *n)
{
	*n = (struct name){ .kind = NAME_ZONE };
	append_text(n, "corp.example");
}

static void write_text(FILE *f, const struct name *n)
{
	for (size_t i = 0; i < n->wire_len; i += 1 + (size_t)n->wire[i])
		fprintf(f, "%s%.*s", i > 0 ? "." : "", n->wire[i],
			(const char *)n->wire + i + 1);
	putc('\n', f);
}

bool names_write_feed(const struct names *n, const char *path, uint64_t count)
{
	FILE *f = fopen(path, "w");

	if (!f)
		return false;
	for (uint64_t i = FEED_FIRST; i < n->ordinary.count; i += FEED_STRIDE)
		write_text(f, &n->ordinary.at[i]);
	for (uint64_t i = 0; i < count; i++) {
		char label[16];
		size_t len = name_word(i * 2654435761u % 1000000007u, label);
		fprintf(f, "c2-%.*s%llu.%s\n", (int)len, label, (unsigned long long)i,
			i % 3 ? "example.net" : "bad-hosts.org");
	}
	return fclose(f) == 0;
}
