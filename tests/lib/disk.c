// SPDX-License-Identifier: MIT
/*
 * disk: a disk that tests may overwrite.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "disk.h"
#include "tap.h"

static const char *disk_path(void)
{
	const char *path = getenv("DISK");
	char host[64] = "";

	gethostname(host, sizeof(host) - 1);
	if (!path && !strcmp(host, "avring-vm"))
		path = "/dev/vda";
	if (!path || access(path, W_OK))
		tap_skip("no disk to overwrite: set DISK, or give the VM --disk 256M");
	return path;
}

int disk_open(void)
{
	const char *path = disk_path();
	int fd = open(path, O_RDWR | O_DIRECT | O_EXCL | O_CLOEXEC);

	tap_check(fd >= 0, "%s: expected to open, got %s", path, strerror(errno));
	return fd;
}

void disk_mount(const char *where)
{
	const char *path = disk_path();
	char command[128];

	snprintf(command, sizeof(command), "PATH=$PATH:/sbin mkfs.ext4 -q -F %s >&2", path);
	if (system(command))
		tap_skip("mkfs.ext4 %s failed", path);
	mkdir(where, 0700);
	if (mount(path, where, "ext4", 0, NULL) && system("modprobe -q ext4"))
		tap_skip("no ext4 in this kernel");
	if (mount(path, where, "ext4", 0, NULL) && errno != EBUSY)
		tap_fail("mount %s: expected success, got %s", path, strerror(errno));
}

void disk_unmount(const char *where)
{
	must(sys(umount(where)));
	rmdir(where);
}
