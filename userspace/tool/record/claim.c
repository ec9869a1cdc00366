// SPDX-License-Identifier: MIT
/*
 * Files that nobody else writes to. See claim.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "claim.h"

int record_claim_open(const char *path, bool *is_new)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);

	*is_new = fd >= 0;
	if (fd < 0 && errno == EEXIST)
		fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
	return fd < 0 ? -errno : fd;
}

bool record_claim_is_same(int fd, int other)
{
	struct stat a, b;

	if (fd < 0 || other < 0 || fstat(fd, &a) || fstat(other, &b) || S_ISCHR(a.st_mode))
		return false;
	return a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

/* Where a file system has no locks, nobody is kept away. */
int record_claim_lock(int fd)
{
	struct stat stat;

	if (fd < 0 || fstat(fd, &stat) || (!S_ISREG(stat.st_mode) && !S_ISBLK(stat.st_mode)))
		return 0;
	return flock(fd, LOCK_EX | LOCK_NB) && errno == EWOULDBLOCK ? -EWOULDBLOCK : 0;
}
