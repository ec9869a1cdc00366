// SPDX-License-Identifier: MIT
/*
 * B12: a frame that lies across the wrap. In a linear view it is a frame like any
 * other; without one it is copied together first, or handled in two pieces.
 */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <avring/avring.h>

#include "bench.h"
#include "camera.h"
#include "counter.h"

/* No whole number of frames, so that one of them lies across. */
#define RING_FRAMES 5.5

/**
 * struct place - where a frame is, and how it is read
 * @first: its first part
 * @first_bytes: of it
 * @second: the rest, if there is no linear view
 * @second_bytes: of it
 * @bounce: copied together here first, or NULL
 */
struct place {
	const char *first;
	size_t first_bytes;
	const char *second;
	size_t second_bytes;
	char *bounce;
};

/* The same code for all, whatever the compiler thinks of each. */
static __attribute__((noinline)) uint64_t checksum(const char *data, size_t bytes)
{
	const uint64_t *words = (const uint64_t *)data;
	uint64_t sum = 0;

	for (size_t i = 0; i < bytes / sizeof(*words); i++) {
		sum += words[i];
		/* Word by word, as code does that the compiler does not understand. */
		asm volatile("" : "+r"(sum));
	}
	return sum;
}

static uint64_t read_frame(const struct place *place)
{
	size_t bytes = place->first_bytes + place->second_bytes;

	if (!place->bounce)
		return checksum(place->first, place->first_bytes) +
		       checksum(place->second, place->second_bytes);
	memcpy(place->bounce, place->first, place->first_bytes);
	memcpy(place->bounce + place->first_bytes, place->second, place->second_bytes);
	return checksum(place->bounce, bytes);
}

/* Once more than is counted: page faults are another benchmark's. */
static void measure(struct bench *bench, const struct place *place, const char *who)
{
	uint64_t least = UINT64_MAX;

	for (int i = 0; i < BENCH_REPEATS + 1; i++) {
		uint64_t start = counter_now();
		uint64_t sum = read_frame(place);
		uint64_t cost = counter_now() - start;

		asm volatile("" : : "r"(sum));
		if (i && cost < least)
			least = cost;
	}
	bench_value(bench, "read a frame across the wrap", "*/frame", who, least);
}

static void measure_all(struct bench *bench, const struct avring_geometry *ring, char *bounce)
{
	size_t frame = camera_frame_bytes(&camera_720p), half = frame / 2;
	const char *start = ring->data, *end = start + ring->length;
	const struct place linear = { .first = end - half, .first_bytes = frame };
	const struct place inside = { .first = start, .first_bytes = frame };
	const struct place pieces = { end - half, half, start, frame - half, NULL };
	const struct place copied = { end - half, half, start, frame - half, bounce };

	measure(bench, &linear, BENCH_AVRING);
	measure(bench, &inside, "a frame not across");
	measure(bench, &pieces, "in two pieces");
	measure(bench, &copied, "copied together first");
}

static int open_ring(const struct bench *bench, struct avring_reader **reader)
{
	struct avring_options options = { .size = sizeof(options), .align = 1 };

	options.ring_bytes = RING_FRAMES * camera_frame_bytes(&camera_720p);
	options.video.pixelformat = V4L2_PIX_FMT_YUYV;
	options.video.width = camera_720p.width;
	options.video.height = camera_720p.height;
	return avring_reader_open(reader, bench->card, &options);
}

int bench_wrap(struct bench *bench)
{
	char *bounce = malloc(camera_frame_bytes(&camera_720p));
	struct avring_geometry ring;
	struct avring_reader *reader;
	int err = bounce ? open_ring(bench, &reader) : -ENOMEM;

	if (err) {
		bench_missing(bench, "read a frame across the wrap", "*/frame", BENCH_AVRING, "%s",
			      strerror(-err));
	} else {
		avring_reader_geometry(reader, &ring);
		measure_all(bench, &ring, bounce);
		avring_reader_close(reader);
	}
	free(bounce);
	return err;
}
