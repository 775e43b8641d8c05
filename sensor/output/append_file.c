/* SPDX-License-Identifier: BSD-2-Clause */
#include "sensor/output/append_file.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

int append_file_open(const char *path, int flags)
{
	return open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | flags, 0640);
}

bool append_file_has_moved(int fd, const char *path)
{
	struct stat at_path, opened;

	if (stat(path, &at_path) == -1)
		return errno == ENOENT;
	return fstat(fd, &opened) == 0 &&
	       (at_path.st_dev != opened.st_dev || at_path.st_ino != opened.st_ino);
}
