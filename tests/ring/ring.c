// SPDX-License-Identifier: MIT
/*
 * ring: the ring node as a program sees it that knows the kernel's header only.
 */
#include <endian.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "content.h"
#include "ring.h"

int ring_call(const struct ring *ring, unsigned long request, void *arg)
{
	return ioctl(ring->fd, request, arg) < 0 ? -errno : 0;
}

/* Of every file that this process opens from now on. */
static struct avring_setup ring_wishes[AVRING_STREAMS] = {
	{ .stream = AVRING_STREAM_VIDEO },
	{ .stream = AVRING_STREAM_AUDIO },
};

int ring_wish(const struct ring *ring)
{
	struct avring_setup wish;
	unsigned int i;
	int error = 0;

	for (i = 0; i < AVRING_STREAMS && !error; i++) {
		wish = ring_wishes[i];
		error = ring_call(ring, AVRING_IOC_SET_SETUP, &wish);
	}
	return error;
}

int ring_open(struct ring *ring, unsigned int card)
{
	char path[32];
	int error;

	memset(ring, 0, sizeof(*ring));
	snprintf(path, sizeof(path), "/dev/avring%u", card);
	ring->fd = open(path, O_RDWR | O_CLOEXEC);
	if (ring->fd < 0)
		return -errno;
	error = ring_wish(ring);
	if (error)
		ring_close(ring);
	return error;
}

void ring_close(struct ring *ring)
{
	ring_unmap(ring);
	if (ring->fd >= 0)
		close(ring->fd);
	ring->fd = -1;
}

int ring_read(struct ring *ring, uint32_t stream, uint32_t flags)
{
	memset(&ring->at, 0, sizeof(ring->at));
	ring->at.role = AVRING_ROLE_READER;
	ring->at.flags = flags;
	ring->at.format.stream = stream;
	return ring_call(ring, AVRING_IOC_ATTACH, &ring->at);
}

int ring_produce_at(struct ring *ring, uint32_t fourcc, uint32_t width, uint32_t height,
		    uint32_t fps)
{
	struct avring_video_format *video = &ring->at.format.video;

	memset(&ring->at, 0, sizeof(ring->at));
	ring->at.role = AVRING_ROLE_PRODUCER;
	ring->at.format.stream = AVRING_STREAM_VIDEO;
	video->pixelformat = fourcc;
	video->width = width;
	video->height = height;
	video->rate_num = fps;
	video->rate_den = 1;
	return ring_call(ring, AVRING_IOC_ATTACH, &ring->at);
}

int ring_produce(struct ring *ring, uint32_t fourcc, uint32_t width, uint32_t height)
{
	return ring_produce_at(ring, fourcc, width, height, 30);
}

static int map_region(const struct ring *ring, uint64_t offset, uint64_t size, int prot,
		      void *region)
{
	void *start = mmap(NULL, size, prot, MAP_SHARED, ring->fd, offset);

	if (start == MAP_FAILED)
		return -errno;
	*(void **)region = start;
	return 0;
}

int ring_map(struct ring *ring)
{
	const struct avring_attach *at = &ring->at;
	int prot = PROT_READ, error;

	if (at->role == AVRING_ROLE_PRODUCER)
		prot |= PROT_WRITE;
	error = map_region(ring, at->control_offset, at->control_size, PROT_READ, &ring->control);
	if (!error)
		error = map_region(ring, at->index_offset, at->index_size, PROT_READ, &ring->index);
	if (!error)
		error = map_region(ring, at->data_offset, at->data_size, prot, &ring->data);
	return error;
}

void ring_unmap(struct ring *ring)
{
	if (ring->control)
		munmap((void *)ring->control, ring->at.control_size);
	if (ring->index)
		munmap((void *)ring->index, ring->at.index_size);
	if (ring->data)
		munmap(ring->data, ring->at.data_size);
	ring->control = NULL;
	ring->index = NULL;
	ring->data = NULL;
}

struct ring ring_reader(uint32_t stream)
{
	struct ring ring;

	must(ring_open(&ring, 0));
	must(ring_read(&ring, stream, 0));
	must(ring_map(&ring));
	return ring;
}

struct ring ring_producer(uint32_t fourcc, uint32_t width, uint32_t height)
{
	struct ring ring;

	ring_input(CARD_INPUT_LOOPBACK);
	must(ring_open(&ring, 0));
	must(ring_produce(&ring, fourcc, width, height));
	must(ring_map(&ring));
	return ring;
}

/* The producer goes, and with him the last who could write; his ring stays. */
struct ring ring_frozen(uint64_t length, long max_order)
{
	struct ring producer, reader;

	must(ring_setup(AVRING_STREAM_VIDEO, length, 0));
	must(card_parameter_set("max_order", max_order));
	producer = ring_producer(SMALL_FOURCC, SMALL_WIDTH, SMALL_HEIGHT);
	tap_eq(length, producer.at.length);
	content_fill(producer.data, length, 0);
	reader = ring_reader(AVRING_STREAM_VIDEO);
	tap_eq(producer.at.generation, reader.at.generation);
	ring_close(&producer);
	tap_eq(AVRING_STATE_STALE, ring_state(&reader));
	return reader;
}

int ring_export(const struct ring *ring, uint64_t offset, uint64_t length)
{
	struct avring_export export = { .offset = offset, .length = length, .flags = O_CLOEXEC };
	int error = ring_call(ring, AVRING_IOC_EXPORT, &export);

	return error ? error : export.fd;
}

void *ring_window(const struct ring *ring, uint64_t offset, size_t length, int prot)
{
	return mmap(NULL, length, prot, MAP_SHARED, ring->fd, ring->at.data_offset + offset);
}

uint64_t ring_head(const struct ring *ring)
{
	return __atomic_load_n(&ring->control->head_entry, __ATOMIC_ACQUIRE);
}

uint64_t ring_tail(const struct ring *ring)
{
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	return __atomic_load_n(&ring->control->tail_entry, __ATOMIC_RELAXED);
}

uint32_t ring_state(const struct ring *ring)
{
	return __atomic_load_n(&ring->control->state, __ATOMIC_ACQUIRE);
}

bool ring_entry(const struct ring *ring, uint64_t n, struct avring_entry *entry)
{
	*entry = *(const volatile struct avring_entry *)&ring->index[n % ring->at.entries];
	return ring_tail(ring) <= n;
}

const uint8_t *ring_bytes(const struct ring *ring, const struct avring_entry *entry)
{
	return ring->data + entry->position % ring->at.length;
}

int ring_wait(const struct ring *ring, uint64_t next, uint64_t entries, uint64_t deadline_ns)
{
	struct avring_wait wait = { .next = next, .entries = entries, .deadline_ns = deadline_ns };

	return ring_call(ring, AVRING_IOC_WAIT, &wait);
}

void ring_wait_head(const struct ring *ring, uint64_t n)
{
	while (ring_head(ring) < n)
		must(ring_wait(ring, ring_head(ring), 1, AVRING_WAIT_FOREVER));
}

uint64_t ring_send(struct ring *ring, uint64_t seed, size_t length)
{
	struct avring_begin begin = { .length = length };
	struct avring_commit commit = { .length = length };

	must(ring_call(ring, AVRING_IOC_BEGIN, &begin));
	content_fill(ring->data + begin.position % ring->at.length, length, seed);
	must(ring_call(ring, AVRING_IOC_COMMIT, &commit));
	return commit.sequence;
}

uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * UINT64_C(1000000000) + now.tv_nsec;
}

uint64_t in_ms(uint64_t ms)
{
	return now_ns() + ms * 1000000;
}

void *ring_shared(size_t bytes)
{
	void *start = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	tap_check(start != MAP_FAILED, "%zu shared bytes: expected success, got %s", bytes,
		  strerror(errno));
	return start;
}

static struct video ring_capture_node(void)
{
	struct video video;
	struct card card;

	must(card_find(0, &card));
	must(video_open(&video, card.capture));
	return video;
}

void ring_picture(uint32_t fourcc, uint32_t width, uint32_t height, uint32_t fps)
{
	struct video video = ring_capture_node();

	must(video_set_input(&video, CARD_INPUT_PATTERN));
	must(video_set_format(&video, fourcc, width, height));
	must(video_set_rate(&video, fps, 1));
	video_close(&video);
}

void ring_small_picture(void)
{
	ring_picture(SMALL_FOURCC, SMALL_WIDTH, SMALL_HEIGHT, SMALL_FPS);
}

void ring_input(int input)
{
	struct video video = ring_capture_node();

	must(video_set_input(&video, input));
	video_close(&video);
}

int ring_setup_as(const struct avring_setup *setup)
{
	const struct avring_setup before = ring_wishes[setup->stream];
	struct ring ring;
	int error;

	ring_wishes[setup->stream] = *setup;
	error = ring_open(&ring, 0);
	if (error)
		ring_wishes[setup->stream] = before;
	else
		ring_close(&ring);
	return error;
}

int ring_setup(uint32_t stream, uint64_t length, uint32_t align)
{
	const struct avring_setup setup = { .stream = stream, .length = length, .align = align };

	return ring_setup_as(&setup);
}

void ring_expect_stamped(const struct ring *ring, const struct avring_entry *entry)
{
	struct avring_frame_stamp stamp;

	tap_check(entry->length <= ring->at.frame_bytes, "length: expected at most %u, got %u",
		  ring->at.frame_bytes, entry->length);
	must(frame_check(ring_bytes(ring, entry), entry->length, &stamp));
	tap_eq((uint32_t)entry->sequence, le32toh(stamp.sequence));
	tap_eq(entry->time_ns, le64toh(stamp.time_ns));
	tap_eq(entry->event, le64toh(stamp.frame));
}

void ring_enter_time_namespace(void)
{
	static const char offset[] = "monotonic 100000 0";
	int fd;

	if (unshare(CLONE_NEWTIME) && errno == EINVAL)
		tap_skip("no time namespaces in this kernel");
	fd = must(sys(open("/proc/self/timens_offsets", O_WRONLY | O_CLOEXEC)));
	tap_eq(strlen(offset), must(sys(write(fd, offset, strlen(offset)))));
	close(fd);
}

/* What a test may have changed; a card that is not there cannot be put back. */
void ring_restore(void)
{
	struct video video;
	struct card card;

	if (card_find(0, &card) || video_open(&video, card.capture))
		return;
	video_set_input(&video, CARD_INPUT_PATTERN);
	video_close(&video);
}

int ring_main(const struct tap_test *tests, size_t n_tests, int argc, char **argv)
{
	return fixture_main(tests, n_tests, ring_restore, argc, argv);
}
