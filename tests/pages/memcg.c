// SPDX-License-Identifier: MIT
/*
 * memcg: buffers are charged to the memory cgroup of who asked for them.
 *
 * Each test runs in a group of its own, made below a private mount of cgroup2.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "buffers.h"
#include "tap.h"

#define ROOT "/tmp/cgroup"
#define GROUP ROOT "/avring-test"
#define MIB (1024LL * 1024)

static int write_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	ssize_t done;

	if (fd < 0)
		return -errno;
	done = write(fd, text, strlen(text));
	close(fd);
	return done == (ssize_t)strlen(text) ? 0 : -EIO;
}

static long long read_number(const char *path)
{
	long long number = -1;
	FILE *file = fopen(path, "r");

	if (file && fscanf(file, "%lld", &number) != 1)
		number = -1;
	if (file)
		fclose(file);
	return number;
}

static const char *memcg_missing(void)
{
	const char *missing = card_missing();

	if (missing)
		return missing;
	mkdir(ROOT, 0755);
	if (mount("none", ROOT, "cgroup2", 0, NULL) && errno != EBUSY)
		return "no cgroup2";
	if (write_text(ROOT "/cgroup.subtree_control", "+memory"))
		return "no memory controller";
	return NULL;
}

static void enter_group(long long limit_bytes)
{
	char text[32];

	tap_check(!mkdir(GROUP, 0755) || errno == EEXIST, "mkdir %s: %s", GROUP, strerror(errno));
	snprintf(text, sizeof(text), "%lld", limit_bytes);
	must(write_text(GROUP "/memory.max", text));
	must(write_text(GROUP "/cgroup.procs", "0"));
}

/* 8 MiB a frame. Charges are batched, so a few pages are counted elsewhere. */
static void test_charged(const void *max_order)
{
	long long before, with;
	struct video video;

	enter_group(200 * MIB);
	before = read_number(GROUP "/memory.current");
	buffers_begin(&video, *(const long *)max_order, 2048, 2048, 8);
	with = read_number(GROUP "/memory.current");
	tap_check(with - before > 63 * MIB && with - before < 68 * MIB,
		  "memory.current: expected 64 MiB more, got %lld KiB", (with - before) / 1024);
	video_close(&video);
}

/* Of what the pattern generator shows; the ring comes with its first reader. */
static int ring_of(uint64_t bytes)
{
	struct avring_setup setup = { .stream = AVRING_STREAM_VIDEO, .length = bytes };
	struct avring_attach attach = { .role = AVRING_ROLE_READER,
					.format.stream = AVRING_STREAM_VIDEO };
	int fd = must(sys(open("/dev/avring0", O_RDWR | O_CLOEXEC)));

	must(sys(ioctl(fd, AVRING_IOC_SET_SETUP, &setup)));
	must(sys(ioctl(fd, AVRING_IOC_ATTACH, &attach)));
	tap_eq(bytes, attach.length);
	return fd;
}

static void test_ring_charged(const void *max_order)
{
	long long before, with;
	int fd;

	must(card_parameter_set("max_order", *(const long *)max_order));
	enter_group(200 * MIB);
	before = read_number(GROUP "/memory.current");
	fd = ring_of(64 * MIB);
	with = read_number(GROUP "/memory.current");
	tap_check(with - before > 63 * MIB && with - before < 68 * MIB,
		  "memory.current: expected 64 MiB more, got %lld KiB", (with - before) / 1024);
	close(fd);
}

/* The limit is an error, not the OOM killer: that would end the test. */
static void test_limited(const void *max_order)
{
	struct v4l2_requestbuffers request = { .count = 8,
					       .type = V4L2_BUF_TYPE_VIDEO_CAPTURE,
					       .memory = V4L2_MEMORY_MMAP };
	struct card card = buffers_card();
	struct video video;

	must(card_parameter_set("max_order", *(const long *)max_order));
	must(video_open(&video, card.capture));
	must(video_set_format(&video, V4L2_PIX_FMT_YUYV, 2048, 2048));
	enter_group(32 * MIB);
	if (!video_ioctl(video.fd, VIDIOC_REQBUFS, &request))
		tap_check(request.count < 4,
			  "32 MiB: expected less than 4 buffers of 8 MiB, got %u", request.count);
	tap_check(read_number(GROUP "/memory.current") <= 32 * MIB, "the limit was passed");
	video_close(&video);
}

static const struct tap_test tests[] = {
	BUFFERS_BOTH("64 MiB of buffers are charged to the group that asked", test_charged),
	BUFFERS_BOTH("a ring of 64 MiB is charged to the group of its first reader",
		     test_ring_charged),
	BUFFERS_BOTH("a group gets no more buffers than its limit", test_limited),
};

static void memcg_after(void)
{
	write_text(ROOT "/cgroup.procs", "0");
	rmdir(GROUP);
	card_parameter_set("max_order", 9);
}

int main(int argc, char **argv)
{
	static const struct tap_suite suite = {
		.tests = tests,
		.n_tests = TAP_COUNT(tests),
		.missing = memcg_missing,
		.residue = card_live_stores,
		.after = memcg_after,
	};

	return tap_main(&suite, argc, argv);
}
