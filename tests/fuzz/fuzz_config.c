/* SPDX-License-Identifier: BSD-2-Clause */
/* Any bytes are a configuration or an error with a sentence. */
#include "sensor/config/config.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t bytes_len);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t bytes_len)
{
	struct config *c = NULL;
	struct err_ctx why = { "" };
	enum err err = config_parse(&c, (const char *)bytes, bytes_len, "fuzz/c.yaml", &why);

	if ((err == ERR_OK) != (c != NULL) || (err == ERR_OK) != (why.text[0] == '\0'))
		abort();
	config_free(c);
	return 0;
}
