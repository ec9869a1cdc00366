// SPDX-License-Identifier: MIT
/*
 * vgem: dma-bufs of another device.
 *
 * The calls are those of the kernel's include/uapi/drm/{drm,drm_mode,vgem_drm}.h, which no
 * package of ours has whole.
 */
#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "tap.h"
#include "vgem.h"

struct vgem_version {
	int version[3];
	size_t name_length;
	char *name;
	size_t date_length;
	char *date;
	size_t description_length;
	char *description;
};

struct vgem_dumb {
	uint32_t height;
	uint32_t width;
	uint32_t bits;
	uint32_t flags;
	uint32_t handle;
	uint32_t pitch;
	uint64_t size;
};

struct vgem_prime {
	uint32_t handle;
	uint32_t flags;
	int32_t fd;
};

struct vgem_attach {
	uint32_t handle;
	uint32_t flags;
	uint32_t fence;
	uint32_t pad;
};

struct vgem_signal {
	uint32_t fence;
	uint32_t flags;
};

struct vgem_map {
	uint32_t handle;
	uint32_t pad;
	uint64_t offset;
};

#define VGEM_VERSION _IOWR('d', 0x00, struct vgem_version)
#define VGEM_CREATE_DUMB _IOWR('d', 0xb2, struct vgem_dumb)
#define VGEM_HANDLE_TO_FD _IOWR('d', 0x2d, struct vgem_prime)
#define VGEM_FD_TO_HANDLE _IOWR('d', 0x2e, struct vgem_prime)
#define VGEM_MAP_DUMB _IOWR('d', 0xb3, struct vgem_map)
#define VGEM_ATTACH _IOWR('d', 0x41, struct vgem_attach)
#define VGEM_SIGNAL _IOW('d', 0x42, struct vgem_signal)
#define VGEM_WRITES 1

static bool is_vgem(int fd)
{
	char name[16] = "";
	struct vgem_version version = { .name = name, .name_length = sizeof(name) - 1 };

	return !ioctl(fd, VGEM_VERSION, &version) && !strcmp(name, "vgem");
}

/* Return: a file descriptor, or -1. */
static int find(void)
{
	DIR *dir = opendir("/dev/dri");
	const struct dirent *entry;
	int fd = -1;

	while (dir && fd < 0 && (entry = readdir(dir))) {
		if (strncmp(entry->d_name, "card", 4))
			continue;
		fd = openat(dirfd(dir), entry->d_name, O_RDWR | O_CLOEXEC);
		if (fd >= 0 && !is_vgem(fd)) {
			close(fd);
			fd = -1;
		}
	}
	if (dir)
		closedir(dir);
	return fd;
}

int vgem_open(void)
{
	int fd = find();

	if (fd < 0 && !system("modprobe -q vgem"))
		fd = find();
	if (fd < 0)
		tap_skip("no vgem in this kernel");
	return fd;
}

struct vgem_buffer vgem_buffer_new(int vgem, size_t bytes)
{
	struct vgem_dumb dumb = { .width = bytes, .height = 1, .bits = 8 };
	struct vgem_prime prime = { .flags = O_RDWR | O_CLOEXEC };

	must(sys(ioctl(vgem, VGEM_CREATE_DUMB, &dumb)));
	prime.handle = dumb.handle;
	must(sys(ioctl(vgem, VGEM_HANDLE_TO_FD, &prime)));
	return (struct vgem_buffer){ .handle = dumb.handle, .dmabuf = prime.fd };
}

void vgem_begin(int vgem, struct vgem_buffer *buffer)
{
	struct vgem_attach attach = { .handle = buffer->handle, .flags = VGEM_WRITES };

	must(sys(ioctl(vgem, VGEM_ATTACH, &attach)));
	buffer->fence = attach.fence;
}

int vgem_end(int vgem, struct vgem_buffer *buffer)
{
	struct vgem_signal signal = { .fence = buffer->fence };

	buffer->fence = 0;
	return sys(ioctl(vgem, VGEM_SIGNAL, &signal));
}

/* Somebody writes as long as it cannot be read. */
bool vgem_is_at_work(const struct vgem_buffer *buffer)
{
	struct pollfd readable = { .fd = buffer->dmabuf, .events = POLLIN };

	return !must(sys(poll(&readable, 1, 0)));
}

int vgem_import(int vgem, int dmabuf)
{
	struct vgem_prime prime = { .fd = dmabuf };
	int error = sys(ioctl(vgem, VGEM_FD_TO_HANDLE, &prime));

	return error ? error : (int)prime.handle;
}

int vgem_map(int vgem, uint32_t handle)
{
	struct vgem_map map = { .handle = handle };

	return sys(ioctl(vgem, VGEM_MAP_DUMB, &map));
}
