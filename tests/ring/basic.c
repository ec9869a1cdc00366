// SPDX-License-Identifier: MIT
/*
 * basic: what every reader and producer relies on: geometry, entries, times, bytes.
 *
 * Also built for 32 bits: the same claims hold for a 32-bit program on a 64-bit kernel.
 */
#include <endian.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "content.h"
#include "ring.h"

#define FRAMES 1000

/* Everything but the packing of the ring. */
static void begin(struct ring *ring, uint64_t length, uint32_t align)
{
	ring_small_picture();
	must(ring_setup(AVRING_STREAM_VIDEO, length, align));
	*ring = ring_reader(AVRING_STREAM_VIDEO);
}

/* Take entry @n once it is there. */
static void take(const struct ring *ring, uint64_t n, struct avring_entry *entry)
{
	ring_wait_head(ring, n + 1);
	tap_check(ring_entry(ring, n, entry), "entry %llu: expected intact, got overtaken",
		  (unsigned long long)n);
}

/* In two steps, so that no product overflows. */
static uint64_t event_ns(const struct avring_video_format *video, uint64_t event)
{
	const uint64_t whole = event / video->rate_num, rest = event % video->rate_num;
	const uint64_t second = UINT64_C(1000000000) * video->rate_den;

	return whole * second + rest * second / video->rate_num;
}

static void expect_zero(const char *what, const uint64_t *words, size_t n)
{
	content_expect_zero(what, words, n * sizeof(*words));
}

static void expect_pattern_entry(const struct ring *ring, const struct avring_entry *entry)
{
	tap_eq(0, entry->position % ring->at.align);
	tap_eq(1, entry->count);
	tap_eq(SMALL_BYTES, entry->length);
	tap_eq(0, entry->flags);
	tap_eq(0, entry->reserved0);
	expect_zero("entry.reserved", (const uint64_t *)entry->reserved, 2);
	tap_eq(event_ns(&ring->at.format.video, entry->event), entry->time_ns);
	ring_expect_stamped(ring, entry);
}

/* @stride: from one frame to the next. */
static void test_frames(uint64_t length, uint32_t align, uint32_t stride)
{
	struct avring_entry entry, last = { 0 };
	struct ring ring;
	uint64_t n;

	begin(&ring, length, align);
	for (n = ring.at.next; n < ring.at.next + FRAMES; n++) {
		take(&ring, n, &entry);
		expect_pattern_entry(&ring, &entry);
		if (last.length) {
			tap_eq(last.position + stride, entry.position);
			tap_check(entry.time_ns > last.time_ns, "time: expected later, got %lld ns",
				  (long long)(entry.time_ns - last.time_ns));
			tap_eq(last.sequence + (entry.event - last.event), entry.sequence);
		}
		tap_check(ring_tail(&ring) <= n,
			  "entry %llu: expected intact after use, got tail %llu",
			  (unsigned long long)n, (unsigned long long)ring_tail(&ring));
		last = entry;
	}
	ring_close(&ring);
}

static void test_aligned_frames(void)
{
	test_frames(0, 0, SMALL_STRIDE);
}

/* 35 pages hold seven frames and a bit: each lap puts the wrap elsewhere. */
static void test_tight_frames(void)
{
	test_frames(35 * PAGE_BYTES, 1, SMALL_BYTES);
}

static void test_two_frames(void)
{
	test_frames(1, 64, SMALL_BYTES);
}

static void test_geometry(void)
{
	struct ring ring;
	uint32_t entries;

	begin(&ring, 0, 0);
	entries = ring.at.entries;
	tap_eq(AVRING_ROLE_READER, ring.at.role);
	tap_eq(PAGE_BYTES, ring.at.align);
	tap_eq(SMALL_BYTES, ring.at.frame_bytes);
	tap_eq(0, ring.at.length % PAGE_BYTES);
	tap_eq(2 * ring.at.length, ring.at.data_size);
	tap_check(entries && !(entries & (entries - 1)), "entries: expected a power of two, got %u",
		  entries);
	tap_check(entries >= ring.at.length / SMALL_STRIDE,
		  "entries: expected one for each of %llu frames, got %u",
		  (unsigned long long)(ring.at.length / SMALL_STRIDE), entries);
	tap_check(ring.at.index_size >= entries * sizeof(struct avring_entry),
		  "index: expected room for %u entries, got %llu bytes", entries,
		  (unsigned long long)ring.at.index_size);
	tap_check(ring.at.control_size >= sizeof(struct avring_control),
		  "control: expected struct avring_control, got %llu bytes",
		  (unsigned long long)ring.at.control_size);
	tap_eq(0, ring.at.control_offset % PAGE_BYTES);
	tap_eq(0, ring.at.index_offset % PAGE_BYTES);
	tap_eq(0, ring.at.data_offset % PAGE_BYTES);
	expect_zero("attach.reserved", (const uint64_t *)ring.at.reserved, 8);
	ring_close(&ring);
}

static void test_format(void)
{
	const struct avring_video_format *got;
	struct ring ring;

	begin(&ring, 0, 0);
	got = &ring.at.format.video;
	tap_eq(AVRING_STREAM_VIDEO, ring.at.format.stream);
	tap_eq(0, ring.at.format.reserved);
	tap_eq(SMALL_FOURCC, got->pixelformat);
	tap_eq(SMALL_WIDTH, got->width);
	tap_eq(SMALL_HEIGHT, got->height);
	tap_eq(SMALL_WIDTH, got->bytesperline);
	tap_eq(SMALL_BYTES, got->sizeimage);
	tap_eq(SMALL_FPS, got->rate_num);
	tap_eq(1, got->rate_den);
	content_expect_zero("format.reserved", got->reserved, sizeof(got->reserved));
	tap_check(got->colorspace, "colorspace: expected one of V4L2_COLORSPACE_*, got 0");
	ring_close(&ring);
}

/* The control page says the same as ATTACH, and nothing that is not documented. */
static void test_control(void)
{
	struct avring_entry entry;
	struct ring ring;

	begin(&ring, 0, 0);
	take(&ring, ring.at.next, &entry);
	tap_eq(ring.at.generation, ring.control->generation);
	tap_eq(0, ring.control->state);
	tap_check(ring.control->head >= entry.position + entry.length,
		  "head: expected at least %llu, got %llu",
		  (unsigned long long)(entry.position + entry.length),
		  (unsigned long long)ring.control->head);
	tap_check(ring.control->tail <= entry.position, "tail: expected at most %llu, got %llu",
		  (unsigned long long)entry.position, (unsigned long long)ring.control->tail);
	expect_zero("reserved0", (const uint64_t *)ring.control->reserved0, 7);
	expect_zero("reserved1", (const uint64_t *)ring.control->reserved1, 6);
	expect_zero("reserved2", (const uint64_t *)ring.control->reserved2, 6);
	content_expect_zero("rest of the control region", ring.control + 1,
			    ring.at.control_size - sizeof(struct avring_control));
	ring_close(&ring);
}

/* What lies between frames belongs to nobody: it stays zero. */
static void test_gaps_are_zero(void)
{
	struct avring_entry entry;
	struct ring ring;
	uint64_t n;

	begin(&ring, 0, 0);
	for (n = ring.at.next; n < ring.at.next + 20; n++) {
		take(&ring, n, &entry);
		content_expect_zero("behind the frame", ring_bytes(&ring, &entry) + entry.length,
				    SMALL_STRIDE - entry.length);
	}
	ring_close(&ring);
}

static void test_next_frame(void)
{
	struct ring first, second;
	struct avring_entry entry;
	uint64_t now;

	begin(&first, 0, 0);
	ring_wait_head(&first, first.at.next + 5);
	now = now_ns();
	second = ring_reader(AVRING_STREAM_VIDEO);
	tap_eq(first.at.generation, second.at.generation);
	take(&second, second.at.next, &entry);
	tap_check(entry.time_ns + 1000000000 / SMALL_FPS > now,
		  "next frame: expected one of after ATTACH, got one %llu ns before",
		  (unsigned long long)(now - entry.time_ns));
	ring_expect_stamped(&second, &entry);
	ring_close(&first);
	ring_close(&second);
}

static void test_oldest_frame(void)
{
	struct avring_entry entry;
	struct ring first, second;

	begin(&first, 0, 0);
	ring_wait_head(&first, first.at.next + 5);
	must(ring_open(&second, 0));
	must(ring_read(&second, AVRING_STREAM_VIDEO, AVRING_ATTACH_OLDEST));
	must(ring_map(&second));
	tap_eq(first.at.next, second.at.next);
	tap_check(ring_entry(&second, second.at.next, &entry), "oldest: expected intact");
	ring_expect_stamped(&second, &entry);
	ring_close(&first);
	ring_close(&second);
}

/* The first picture of a ring that nobody read before comes soon, and is its first. */
static void test_first_frame(void)
{
	struct avring_entry entry;
	struct ring ring;

	begin(&ring, 0, 0);
	tap_eq(0, ring.at.next);
	take(&ring, 0, &entry);
	tap_eq(0, entry.position);
	ring_close(&ring);
}

static void expect_devnum(const char *path, const struct avring_devnum *got)
{
	struct stat stat_of;

	must(sys(stat(path, &stat_of)));
	tap_check(major(stat_of.st_rdev) == got->major && minor(stat_of.st_rdev) == got->minor,
		  "%s: expected %u:%u, got %u:%u", path, major(stat_of.st_rdev),
		  minor(stat_of.st_rdev), got->major, got->minor);
}

/* Without the ALSA library: the card whose id is "avringN". */
static int alsa_card(unsigned int number)
{
	char path[64], id[32], name[32];
	int card, found = -1;
	FILE *file;

	snprintf(name, sizeof(name), "avring%u", number);
	for (card = 0; card < 32 && found < 0; card++) {
		snprintf(path, sizeof(path), "/proc/asound/card%d/id", card);
		file = fopen(path, "re");
		if (!file)
			continue;
		if (fscanf(file, "%31s", id) == 1 && !strcmp(id, name))
			found = card;
		fclose(file);
	}
	return found;
}

static void expect_alsa_devnum(const char *format, int alsa, const struct avring_devnum *got)
{
	char path[64];

	snprintf(path, sizeof(path), format, alsa);
	expect_devnum(path, got);
}

static void test_info(const void *number)
{
	const unsigned int n = *(const unsigned int *)number;
	struct avring_info info;
	struct ring ring;
	struct card card;
	int alsa;

	if (card_find(n, &card))
		tap_skip("no card %u: load with cards=2", n);
	alsa = alsa_card(n);
	memset(&info, 0xff, sizeof(info));
	must(ring_open(&ring, n));
	must(ring_call(&ring, AVRING_IOC_INFO, &info));
	tap_eq(AVRING_FEATURE_VIDEO | AVRING_FEATURE_AUDIO | AVRING_FEATURE_PRODUCER |
		       AVRING_FEATURE_EXPORT,
	       info.features);
	tap_eq(n, info.card);
	tap_eq(alsa, info.alsa_card);
	expect_devnum(card.capture, &info.capture);
	expect_devnum(card.output, &info.output);
	expect_devnum(card.media, &info.media);
	expect_alsa_devnum("/dev/snd/pcmC%dD0c", alsa, &info.pcm_capture);
	expect_alsa_devnum("/dev/snd/pcmC%dD0p", alsa, &info.pcm_playback);
	expect_alsa_devnum("/dev/snd/controlC%d", alsa, &info.control);
	tap_eq(0, info.window_offset);
	tap_eq(0, info.window_size);
	expect_zero("info.reserved", (const uint64_t *)info.reserved, 6);
	ring_close(&ring);
}

/* The device in sysfs that a node belongs to. */
static void parent_of(unsigned int major, unsigned int minor, char *parent)
{
	char path[64];

	snprintf(path, sizeof(path), "/sys/dev/char/%u:%u/device", major, minor);
	tap_check(realpath(path, parent), "%s: expected a device, got %s", path, strerror(errno));
}

static void test_parent(void)
{
	char own[PATH_MAX], video[PATH_MAX];
	struct avring_info info;
	struct stat stat_of;
	struct ring ring;

	must(ring_open(&ring, 0));
	must(ring_call(&ring, AVRING_IOC_INFO, &info));
	must(sys(fstat(ring.fd, &stat_of)));
	parent_of(major(stat_of.st_rdev), minor(stat_of.st_rdev), own);
	parent_of(info.capture.major, info.capture.minor, video);
	tap_check(!strcmp(own, video), "parent: expected %s, got %s", video, own);
	ring_close(&ring);
}

/* A reader follows a producer frame by frame, over several laps. */
static void test_producer(void)
{
	struct avring_entry entry;
	struct ring producer, reader;
	uint64_t n, sequence = 0;

	must(ring_setup(AVRING_STREAM_VIDEO, 1, 0));
	producer = ring_producer(SMALL_FOURCC, SMALL_WIDTH, SMALL_HEIGHT);
	reader = ring_reader(AVRING_STREAM_VIDEO);
	for (n = reader.at.next; n < reader.at.next + 100; n++) {
		sequence = ring_send(&producer, n, SMALL_BYTES);
		take(&reader, n, &entry);
		tap_eq(sequence, entry.sequence);
		tap_eq(SMALL_BYTES, entry.length);
		tap_eq(0, entry.flags);
		content_expect("frame", ring_bytes(&reader, &entry), SMALL_BYTES, n, 0);
	}
	ring_close(&reader);
	ring_close(&producer);
}

/* Positions go beyond what 32 bits hold; where they lie does not depend on it. */
static void test_large_positions(void)
{
	struct avring_begin begin = { .length = CHUNK_BYTES };
	struct avring_commit commit = { .length = CHUNK_BYTES };
	struct avring_entry entry;
	struct ring ring;
	uint64_t n, length;

	must(ring_setup(AVRING_STREAM_VIDEO, 2 * CHUNK_BYTES + PAGE_BYTES, 0));
	ring = ring_producer(CHUNK_FOURCC, CHUNK_WIDTH, CHUNK_HEIGHT);
	length = ring.at.length;
	for (n = 0; n < 4200; n++) {
		must(ring_call(&ring, AVRING_IOC_BEGIN, &begin));
		tap_eq(n * CHUNK_BYTES, begin.position);
		must(ring_call(&ring, AVRING_IOC_COMMIT, &commit));
	}
	ring_send(&ring, n, CHUNK_BYTES);
	take(&ring, n, &entry);
	tap_eq(n * CHUNK_BYTES, entry.position);
	tap_eq((n + 1) * CHUNK_BYTES, ring.control->head);
	content_expect("frame", ring.data + entry.position % length, CHUNK_BYTES, n, 0);
	ring_close(&ring);
}

static const unsigned int card_0, card_1 = 1;

static const struct tap_test tests[] = {
	{ "INFO tells features and the numbers of the card's nodes", .run_with = test_info,
	  .arg = &card_0 },
	{ "INFO of the second card tells its own nodes", .run_with = test_info, .arg = &card_1 },
	{ "the ring node has the same parent in sysfs as the video nodes", .run = test_parent },
	{ "ATTACH tells a geometry that fits together", .run = test_geometry },
	{ "ATTACH tells the format of the capture node", .run = test_format },
	{ "the control page agrees, and the rest of it is zero", .run = test_control },
	{ "the first frame of a new ring is entry 0 at position 0", .run = test_first_frame },
	{ "a reader begins with the next frame", .run = test_next_frame },
	{ "a reader with AVRING_ATTACH_OLDEST begins with the oldest", .run = test_oldest_frame },
	{ "1000 page-aligned frames: bytes, times, sequence and entries are right",
	  .run = test_aligned_frames },
	{ "1000 tight frames, seven in a ring: the same", .run = test_tight_frames },
	{ "1000 frames at multiples of 64, two in a ring: the same", .run = test_two_frames },
	{ "what lies between frames is zero", .run = test_gaps_are_zero },
	{ "100 frames of a producer in a ring of two arrive as they were written",
	  .run = test_producer },
	{ "positions beyond 8 GiB are right", .run = test_large_positions },
};

int main(int argc, char **argv)
{
	return ring_main(tests, TAP_COUNT(tests), argc, argv);
}
