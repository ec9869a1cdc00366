// SPDX-License-Identifier: MIT
/*
 * userptr: frames into the caller's own memory.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "buffers.h"
#include "content.h"
#include "disk.h"
#include "pageinfo.h"

#define WIDTH 640
#define HEIGHT 480
#define BYTES (WIDTH * HEIGHT * 2ul) /* 150 pages */
#define BUFFERS 3

static uint8_t *map_memory(size_t bytes, int prot)
{
	void *start = mmap(NULL, bytes, prot, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	tap_check(start != MAP_FAILED, "anonymous mmap: expected success, got %s", strerror(errno));
	return start;
}

static uint8_t *memory(size_t bytes)
{
	return map_memory(bytes, PROT_READ | PROT_WRITE);
}

/* USERPTR buffers requested, none queued. */
static void begin(struct video *video)
{
	struct v4l2_requestbuffers request = { .count = BUFFERS, .memory = V4L2_MEMORY_USERPTR };
	struct card card = buffers_card();

	must(video_open(video, card.capture));
	must(video_set_format(video, V4L2_PIX_FMT_YUYV, WIDTH, HEIGHT));
	request.type = video->type;
	must(video_ioctl(video->fd, VIDIOC_REQBUFS, &request));
	video->n_buffers = request.count;
}

static void release(struct video *video)
{
	struct v4l2_requestbuffers request = { .memory = V4L2_MEMORY_USERPTR, .type = video->type };

	must(video_stop(video));
	must(video_ioctl(video->fd, VIDIOC_REQBUFS, &request));
	video->n_buffers = 0;
}

static int queue(struct video *video, unsigned int index, const void *start, size_t bytes)
{
	struct v4l2_buffer buffer = {
		.index = index, .type = video->type, .memory = V4L2_MEMORY_USERPTR, .length = bytes
	};

	buffer.m.userptr = (unsigned long)start;
	return video_ioctl(video->fd, VIDIOC_QBUF, &buffer);
}

/* Stream with the target as buffer 0 and spare memory behind it, until it is filled. */
static void capture_queued(struct video *video)
{
	struct v4l2_buffer buffer = { .type = video->type, .memory = V4L2_MEMORY_USERPTR };
	unsigned int i;

	for (i = 1; i < video->n_buffers; i++)
		must(queue(video, i, memory(BYTES), BYTES));
	must(video_start(video));
	must(video_ioctl(video->fd, VIDIOC_DQBUF, &buffer));
	tap_eq(0, buffer.index);
	tap_eq(BYTES, buffer.bytesused);
}

static void capture_into(struct video *video, const void *start)
{
	must(queue(video, 0, start, BYTES));
	capture_queued(video);
}

static void test_anonymous(void)
{
	uint8_t *start = memory(BYTES);
	struct video video;

	begin(&video);
	capture_into(&video, start);
	must(frame_check(start, BYTES, NULL));
	release(&video);
	video_close(&video);
}

/* Not at a page, and nothing around it is touched. */
static void test_unaligned(void)
{
	uint8_t *room = memory(BYTES + 4 * 4096), *start = room + 4096 + 64;
	struct video video;

	memset(room, 0x5a, BYTES + 4 * 4096);
	begin(&video);
	capture_into(&video, start);
	must(frame_check(start, BYTES, NULL));
	release(&video);
	tap_eq(0x5a, start[-1]);
	tap_eq(0x5a, start[BYTES]);
	tap_check(!memcmp(room, room + BYTES + 4096 + 64, 4096 + 64 - 1),
		  "bytes around the frame: expected 5a, got others");
	video_close(&video);
}

/* Three neighbours of different kinds: anonymous, a shared file, anonymous again. */
static uint8_t *mixed_memory(void)
{
	const size_t from = 50 * 4096, bytes = 40 * 4096;
	uint8_t *start = memory(BYTES);
	int fd = must(sys(memfd_create("avring", MFD_CLOEXEC)));

	must(sys(ftruncate(fd, bytes)));
	tap_check(mmap(start + from, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, fd,
		       0) == start + from,
		  "mmap of a file: expected success, got %s", strerror(errno));
	close(fd);
	return start;
}

static void test_several_vmas(void)
{
	uint8_t *start = mixed_memory();
	struct video video;

	begin(&video);
	capture_into(&video, start);
	must(frame_check(start, BYTES, NULL));
	release(&video);
	video_close(&video);
}

/* Into an MMAP buffer of the output node: memory of the driver itself. */
static void test_own_buffer(const void *max_order)
{
	struct card card = buffers_card();
	struct video video, owner;

	must(card_parameter_set("max_order", *(const long *)max_order));
	must(video_begin(&owner, card.output, V4L2_PIX_FMT_YUYV, WIDTH, HEIGHT, 1));
	begin(&video);
	capture_into(&video, owner.buffers[0].start);
	must(frame_check(owner.buffers[0].start, BYTES, NULL));
	release(&video);
	video_close(&video);
	video_close(&owner);
}

static long pinned(void)
{
	long acquired = vmstat("nr_foll_pin_acquired");

	return acquired < 0 ? -1 : acquired - vmstat("nr_foll_pin_released");
}

static long pinned_or_skip(void)
{
	long now = pinned();

	if (now < 0)
		tap_skip("this kernel does not count pins");
	return now;
}

/* The counter itself: pages are pinned while the buffer is known to the queue. */
static void test_pins_are_counted(void)
{
	uint8_t *start = memory(BYTES);
	long before = pinned_or_skip();
	struct video video;

	begin(&video);
	must(queue(&video, 0, start, BYTES));
	tap_eq((long)(BYTES / 4096), pinned() - before);
	release(&video);
	tap_eq(0, pinned() - before);
	video_close(&video);
}

static void test_close_unpins(void)
{
	uint8_t *start = memory(BYTES);
	long before = pinned_or_skip();
	struct video video;

	begin(&video);
	capture_into(&video, start);
	video_close(&video);
	tap_eq(0, pinned() - before);
}

static void test_unbind_unpins(void)
{
	struct card card = buffers_card();
	uint8_t *start = memory(BYTES);
	long before = pinned_or_skip();
	struct video video;

	begin(&video);
	capture_into(&video, start);
	must(card_unbind(&card));
	must(frame_check(start, BYTES, NULL));
	video_close(&video);
	tap_eq(0, pinned() - before);
	must(card_bind(&card));
}

static void test_munmap_while_queued(void)
{
	uint8_t *start = memory(BYTES);
	long before = pinned_or_skip();
	struct video video;

	begin(&video);
	must(queue(&video, 0, start, BYTES));
	munmap(start, BYTES);
	capture_queued(&video);
	release(&video);
	tap_eq(0, pinned() - before);
	video_close(&video);
}

static void expect_refused(const void *start, size_t bytes, int error)
{
	long before = pinned();
	struct video video;

	begin(&video);
	must_refuse(error, queue(&video, 0, start, bytes));
	tap_eq(0, pinned() - before);
	capture_into(&video, memory(BYTES));
	release(&video);
	video_close(&video);
}

static void test_read_only(void)
{
	expect_refused(map_memory(BYTES, PROT_READ), BYTES, EFAULT);
}

static void test_read_only_end(void)
{
	uint8_t *start = memory(BYTES);

	must(sys(mprotect(start + BYTES - 4096, 4096, PROT_READ)));
	expect_refused(start, BYTES, EFAULT);
}

static void test_hole(void)
{
	uint8_t *start = memory(BYTES);

	memset(start, 1, BYTES);
	munmap(start + 70 * 4096, 4096);
	expect_refused(start, BYTES, EFAULT);
}

static void test_hole_in_several_vmas(void)
{
	uint8_t *start = mixed_memory();

	munmap(start + BYTES - 4096, 4096);
	expect_refused(start, BYTES, EFAULT);
}

static void test_null(void)
{
	expect_refused(NULL, BYTES, EFAULT);
}

static void test_kernel_address(void)
{
	expect_refused((void *)0xffff888000000000, BYTES, EFAULT);
}

static void test_wrapping_address(void)
{
	struct video video;
	long before = pinned();

	begin(&video);
	must_refuse(EINVAL, queue(&video, 0, (void *)(-BYTES + 4096), BYTES));
	tap_eq(0, pinned() - before);
	video_close(&video);
}

static void test_too_short(void)
{
	expect_refused(memory(BYTES), BYTES - 1, EINVAL);
}

static void test_no_length(void)
{
	expect_refused(memory(BYTES), 0, EINVAL);
}

/* VM_PFNMAP has no pages to pin. */
static void test_device_memory(void)
{
	int fd = open("/dev/mem", O_RDWR | O_CLOEXEC);
	void *start;

	if (fd < 0)
		tap_skip("no /dev/mem");
	/* Legacy video memory: the one hole that every PC has and a strict kernel allows. */
	start = mmap(NULL, 32 * 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0xa0000);
	close(fd);
	if (start == MAP_FAILED)
		tap_skip("/dev/mem cannot be mapped");
	expect_refused(start, BYTES, EFAULT);
}

/* Read @bytes of a file from the disk, past the page cache. */
static uint8_t *read_from_disk(const char *path, size_t bytes)
{
	int fd = must(sys(open(path, O_RDONLY | O_DIRECT | O_CLOEXEC)));
	uint8_t *copy = memory(bytes);
	size_t got;
	ssize_t n;

	for (got = 0; got < bytes; got += n) {
		n = read(fd, copy + got, bytes - got);
		tap_check(n > 0, "O_DIRECT read: expected bytes, got %zd (%s)", n, strerror(errno));
	}
	close(fd);
	return copy;
}

static void drop_caches(void)
{
	int fd = must(sys(open("/proc/sys/vm/drop_caches", O_WRONLY | O_CLOEXEC)));

	tap_eq(1, write(fd, "1", 1));
	close(fd);
}

/*
 * The frame goes into the page cache of a file behind the kernel's back: between
 * pin and release the file is written to the disk and its pages are clean, so
 * only the release can make them dirty. Without that the frame would be lost.
 */
static void capture_into_file(const char *path, bool long_pins_allowed)
{
	int fd = must(sys(open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600)));
	struct video video;
	uint8_t *start;

	must(sys(posix_fallocate(fd, 0, BYTES) ? -1 : 0));
	start = mmap(NULL, BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	tap_check(start != MAP_FAILED, "mmap of a file: expected success, got %s", strerror(errno));
	begin(&video);
	if (!long_pins_allowed) {
		must_refuse(EFAULT, queue(&video, 0, start, BYTES));
	} else {
		must(queue(&video, 0, start, BYTES));
		must(sys(fsync(fd)));
		capture_queued(&video);
		release(&video);
	}
	munmap(start, BYTES);
	must(sys(fsync(fd)));
	close(fd);
	video_close(&video);
}

/*
 * Since 6.5 nobody may pin pages of such a file for long for writing ("mm/gup:
 * disallow FOLL_LONGTERM GUP-nonfast writing to file-backed mappings").
 */
static bool kernel_allows_long_pins(void)
{
	int major = 0, minor = 0;
	FILE *file = fopen("/proc/sys/kernel/osrelease", "re");

	tap_check(file && fscanf(file, "%d.%d", &major, &minor) == 2,
		  "osrelease: expected a version, got none");
	fclose(file);
	return major < 6 || (major == 6 && minor < 5);
}

static void test_file_on_disk(void)
{
	const bool allowed = kernel_allows_long_pins();
	uint8_t *copy;

	disk_mount("/tmp/avring-disk");
	capture_into_file("/tmp/avring-disk/frame", allowed);
	if (allowed) {
		drop_caches();
		copy = read_from_disk("/tmp/avring-disk/frame", BYTES);
		must(frame_check(copy, BYTES, NULL));
	}
	disk_unmount("/tmp/avring-disk");
}

/* Through another file descriptor, as anybody would read it. */
static void test_file_in_memory(void)
{
	uint8_t *copy = memory(BYTES), *start;
	int fd = must(sys(memfd_create("avring", MFD_CLOEXEC)));
	struct video video;

	must(sys(ftruncate(fd, BYTES)));
	start = mmap(NULL, BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	begin(&video);
	capture_into(&video, start);
	release(&video);
	munmap(start, BYTES);
	tap_eq(BYTES, pread(fd, copy, BYTES, 0));
	must(frame_check(copy, BYTES, NULL));
	close(fd);
	video_close(&video);
}

static uint64_t dirty_pages(const uint8_t *start)
{
	uint64_t n = 0;
	size_t at;

	for (at = 0; at < BYTES; at += 4096)
		n += page_flags(page_frame(start + at)) >> 4 & 1; /* KPF_DIRTY */
	return n;
}

/* All pages of an anonymous range are dirty once a device has written to them. */
static void test_release_marks_dirty(void)
{
	uint8_t *start = memory(BYTES);
	struct video video;

	memset(start, 0, BYTES);
	begin(&video);
	capture_into(&video, start);
	release(&video);
	tap_eq(BYTES / 4096, dirty_pages(start));
	video_close(&video);
}

static const struct tap_test tests[] = {
	{ "a frame is captured into anonymous memory", .run = test_anonymous },
	{ "a frame is captured to an address off the page, and nothing around it is touched",
	  .run = test_unaligned },
	{ "a frame is captured into a range of several mappings", .run = test_several_vmas },
	BUFFERS_BOTH("a frame is captured into another buffer of the driver", test_own_buffer),
	{ "pages are pinned from QBUF to REQBUFS 0", .run = test_pins_are_counted },
	{ "close unpins", .run = test_close_unpins },
	{ "unbind and close unpin, and the frame stays", .run = test_unbind_unpins },
	{ "a range that is unmapped while queued is captured to and unpinned",
	  .run = test_munmap_while_queued },
	{ "a read-only range gives EFAULT and pins nothing", .run = test_read_only },
	{ "a range that ends read-only gives EFAULT and pins nothing", .run = test_read_only_end },
	{ "a range with a hole gives EFAULT and pins nothing", .run = test_hole },
	{ "a range of several mappings with a hole gives EFAULT and pins nothing",
	  .run = test_hole_in_several_vmas },
	{ "NULL gives EFAULT", .run = test_null },
	{ "a kernel address gives EFAULT", .run = test_kernel_address },
	{ "a range that wraps gives EINVAL", .run = test_wrapping_address },
	{ "a range shorter than the picture gives EINVAL", .run = test_too_short },
	{ "a range of no length gives EINVAL", .run = test_no_length },
	{ "device memory gives EFAULT", .run = test_device_memory },
	{ "a frame captured into a file in memory is read through another descriptor",
	  .run = test_file_in_memory },
	{ "pages are dirty after release", .run = test_release_marks_dirty },
	{ "a frame captured into a file is on the disk after fsync (EFAULT since Linux 6.5)",
	  .run = test_file_on_disk },
};

int main(int argc, char **argv)
{
	return buffers_main(tests, TAP_COUNT(tests), argc, argv);
}
