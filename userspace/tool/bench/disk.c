// SPDX-License-Identifier: MIT
/* Where the benchmarks write to. See disk.h. */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "disk.h"

int disk_open(const char *path, int flags)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC | flags);

	return fd < 0 ? -errno : fd;
}

int disk_sync(const char *path)
{
	int fd = disk_open(path, 0);
	int err;

	if (fd < 0)
		return fd;
	err = fsync(fd) ? -errno : 0;
	close(fd);
	return err;
}
