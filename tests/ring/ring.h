/* SPDX-License-Identifier: MIT */
/*
 * ring: the ring node as a program sees it that knows the kernel's header only.
 *
 * Nothing here uses the library: these tests judge the kernel. Functions that return
 * int return 0 or -errno; the others end the test where they fail.
 */
#ifndef TEST_RING_H
#define TEST_RING_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include <linux/avring.h>

#include "device.h"
#include "fixture.h"
#include "tap.h"

#define CHUNK_BYTES (2ul << 20)
#define PAGE_BYTES 4096ul

/* A picture that costs little: 19,200 bytes, five pages with the rest of the last. */
#define SMALL_FOURCC V4L2_PIX_FMT_GREY
#define SMALL_WIDTH 160
#define SMALL_HEIGHT 120
#define SMALL_BYTES 19200u
#define SMALL_STRIDE 20480u
#define SMALL_FPS 120

/* A picture of exactly 2 MiB. */
#define CHUNK_FOURCC V4L2_PIX_FMT_YUYV
#define CHUNK_WIDTH 1024
#define CHUNK_HEIGHT 1024

/**
 * struct ring - an open ring node
 * @fd: file descriptor; -1 when closed
 * @at: what ATTACH said last
 * @control: the control region, NULL when not mapped
 * @index: the index region
 * @data: the linear view: the ring twice in a row
 */
struct ring {
	int fd;
	struct avring_attach at;
	const struct avring_control *control;
	const struct avring_entry *index;
	uint8_t *data;
};

/* An ioctl as 0 or -errno. Not restarted: EINTR is a result. */
int ring_call(const struct ring *ring, unsigned long request, void *arg);

int ring_open(struct ring *ring, unsigned int card);
/* Unmaps, closes; may be called twice. */
void ring_close(struct ring *ring);

/* ATTACH as a reader of a stream. */
int ring_read(struct ring *ring, uint32_t stream, uint32_t flags);
/* ATTACH as the producer of pictures of this format, 30 or @fps a second. */
int ring_produce(struct ring *ring, uint32_t fourcc, uint32_t width, uint32_t height);
int ring_produce_at(struct ring *ring, uint32_t fourcc, uint32_t width, uint32_t height,
		    uint32_t fps);
/* Map all of the three regions; data as PROT_READ, for the producer writable, too. */
int ring_map(struct ring *ring);
void ring_unmap(struct ring *ring);

/* The usual beginnings, for card 0; they end the test where they fail. */
struct ring ring_reader(uint32_t stream);
struct ring ring_producer(uint32_t fourcc, uint32_t width, uint32_t height);

/*
 * A reader of a ring of this length that nobody writes any more; the first image is
 * content of seed 0. Built from chunks of at most this order.
 */
struct ring ring_frozen(uint64_t length, long max_order);

/* A range of it as a dma-buf: its descriptor, or -errno. */
int ring_export(const struct ring *ring, uint64_t offset, uint64_t length);

/* A window of the data region; MAP_FAILED and errno as mmap(). */
void *ring_window(const struct ring *ring, uint64_t offset, size_t length, int prot);

/*
 * What has been published, with everything before it; what was not yet given up
 * when everything read so far was read. See "Order of accesses" in the header.
 */
uint64_t ring_head(const struct ring *ring);
uint64_t ring_tail(const struct ring *ring);
uint32_t ring_state(const struct ring *ring);

/* Entry @n as it stands in the index; true if what it says can be relied upon. */
bool ring_entry(const struct ring *ring, uint64_t n, struct avring_entry *entry);
/* Its bytes in the linear view. */
const uint8_t *ring_bytes(const struct ring *ring, const struct avring_entry *entry);

/* WAIT for so many entries; EINTR is a result. */
int ring_wait(const struct ring *ring, uint64_t next, uint64_t entries, uint64_t deadline_ns);
/* Wait until entry @n - 1 is published. */
void ring_wait_head(const struct ring *ring, uint64_t n);

/* Producer: one frame of @length bytes that tells its seed; returns its sequence. */
uint64_t ring_send(struct ring *ring, uint64_t seed, size_t length);

uint64_t now_ns(void);
uint64_t in_ms(uint64_t ms);

/* Memory that forked children share; zero. */
void *ring_shared(size_t bytes);

/* Card 0: what the capture node is set to. */
void ring_picture(uint32_t fourcc, uint32_t width, uint32_t height, uint32_t fps);
void ring_small_picture(void);
void ring_input(int input);

/*
 * What each file that this process, or a child of it, opens from now on wishes of a ring.
 * Return: 0, or what SET_SETUP says; then all is as before.
 */
int ring_setup(uint32_t stream, uint64_t length, uint32_t align);
int ring_setup_as(const struct avring_setup *setup);
/* The same for a file that was opened otherwise. */
int ring_wish(const struct ring *ring);

/* A frame as the pattern generator drew it: magic, CRC, sequence, times. */
void ring_expect_stamped(const struct ring *ring, const struct avring_entry *entry);

/* CLOCK_MONOTONIC of children from now on is 100,000 s ahead of ours. */
void ring_enter_time_namespace(void);

/* Put back the input of card 0, if it is there. */
void ring_restore(void);

/* fixture_main() that does this after each test. */
int ring_main(const struct tap_test *tests, size_t n_tests, int argc, char **argv);

#endif
