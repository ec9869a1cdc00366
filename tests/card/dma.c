// SPDX-License-Identifier: MIT
/*
 * What the PCI card writes, and where, without a driver.
 */
#include <endian.h>
#include <stdio.h>
#include <stdlib.h>
#include <zlib.h>

#include "board.h"
#include "linux/avring.h"
#include "tap.h"

#define DMA_PAGE 4096
#define DMA_FRAME 2048
#define DMA_GUARD 0xa5
#define DMA_RATE 1000

static void dma_start(struct board_channel *channel, uint32_t ctrl)
{
	board_set(channel, AVRING_PCI_REG_CTRL, AVRING_PCI_CTRL_RUN | ctrl);
}

/* The buffer of frame i: a piece at the end of one page, and one at the start of another. */
#define DMA_FIRST 1237
#define DMA_REST (DMA_FRAME + 100 - DMA_FIRST)

static uint8_t *dma_piece(const struct board_memory *memory, unsigned int i, bool is_rest)
{
	return memory->data + (2 * i + is_rest) * DMA_PAGE + (is_rest ? 0 : DMA_PAGE - DMA_FIRST);
}

static void dma_give(struct board_channel *channel, const struct board_memory *memory,
		     unsigned int i)
{
	board_describe(channel, dma_piece(memory, i, false), DMA_FIRST, 0, 0xbad);
	board_describe(channel, dma_piece(memory, i, true), DMA_REST, AVRING_PCI_DESC_LAST,
		       100 + i);
}

/* Bytes of buffer i in one piece, and those around them as they were. */
static void dma_collect(const struct board_memory *memory, unsigned int i, uint8_t *frame)
{
	const uint8_t *rest = dma_piece(memory, i, true);
	unsigned int at;

	memcpy(frame, dma_piece(memory, i, false), DMA_FIRST);
	memcpy(frame + DMA_FIRST, rest, DMA_FRAME - DMA_FIRST);
	for (at = DMA_FRAME - DMA_FIRST; at < DMA_PAGE; at++)
		tap_check(rest[at] == DMA_GUARD, "byte %u behind frame %u was written", at, i);
	for (at = 2 * i * DMA_PAGE; at < (2 * i + 1) * DMA_PAGE - DMA_FIRST; at++)
		tap_check(memory->data[at] == DMA_GUARD, "byte %u before frame %u was written", at,
			  i);
}

static void dma_words(const uint8_t *frame, uint32_t bytes, uint32_t sequence)
{
	uint32_t i;
	uint64_t word;

	for (i = 0; i < bytes / 8; i++) {
		memcpy(&word, frame + 8 * i, 8);
		tap_check(le64toh(word) == ((uint64_t)sequence << 32 | i),
			  "word %u of frame %u is %#llx", i, sequence, (unsigned long long)word);
	}
}

/* On the card's timeline, at the place that the sequence says. */
static void dma_time(const struct board_done *done, uint64_t *first)
{
	uint64_t n = (done->time_ns * DMA_RATE + 999999999) / 1000000000;

	if (!*first)
		*first = n - done->sequence;
	tap_eq(*first + done->sequence, n);
	tap_eq(board_event_ns(DMA_RATE, 1, n), done->time_ns);
}

#define DMA_BUFFERS 16

/* Three laps of the completions, which are eight. */
static void dma_queue(void)
{
	struct board board;
	struct board_channel channel;
	struct board_memory memory = board_alloc(2 * DMA_BUFFERS * DMA_PAGE);
	struct board_done done;
	uint8_t frame[DMA_FRAME];
	uint64_t first = 0;
	unsigned int i;

	board_open(&board);
	memset(memory.data, DMA_GUARD, memory.bytes);
	board_setup(&channel, &board, AVRING_PCI_VIDEO, 64, 8);
	board_set(&channel, AVRING_PCI_REG_PATTERN, AVRING_PCI_PATTERN_REG_WORDS);
	dma_start(&channel, 0);
	for (i = 0; i < DMA_BUFFERS; i++)
		dma_give(&channel, &memory, i);
	board_set(&channel, AVRING_PCI_REG_TAIL, channel.given);
	for (i = 0; i < DMA_BUFFERS; i++) {
		board_wait(&channel, &done);
		tap_eq(100 + i, done.where);
		tap_eq(DMA_FRAME, done.bytes);
		tap_eq(0, done.flags);
		tap_eq(0, done.zero);
		dma_time(&done, &first);
		/* Less than the low half of the clock, so the high one is right, too. */
		tap_check(board_time(&board) - done.time_ns < 4000000000,
			  "the frame is of %llu ns, it is %llu", (unsigned long long)done.time_ns,
			  (unsigned long long)board_time(&board));
		dma_collect(&memory, i, frame);
		dma_words(frame, DMA_FRAME, done.sequence);
		board_release(&channel);
	}
	board_stop(&channel);
	tap_check(!board_next(&channel, &done), "a frame more than buffers");
	tap_eq(0, board_read(&board, AVRING_PCI_REG_EVENTS) & AVRING_PCI_EVENT_FAULT);
}

static uint32_t dma_crc(const uint8_t *frame)
{
	const size_t at = offsetof(struct avring_frame_stamp, crc);
	uint32_t crc = crc32(0, frame, at);

	return crc32(crc, frame + at + 4, DMA_FRAME - at - 4);
}

static void dma_check_stamp(const uint8_t *frame, const struct board_done *done)
{
	const struct avring_frame_stamp *stamp = (const void *)frame;
	uint64_t n = le64toh(stamp->frame);
	bool is_flash = n % DMA_RATE == 0;

	tap_eq(AVRING_FRAME_STAMP_MAGIC, le32toh(stamp->magic));
	tap_eq((uint32_t)n, le32toh(stamp->sequence));
	tap_eq(done->time_ns, le64toh(stamp->time_ns));
	tap_eq(board_event_ns(DMA_RATE, 1, n), done->time_ns);
	tap_eq(is_flash ? AVRING_FRAME_STAMP_FLASH : 0, le32toh(stamp->flags));
	tap_eq(dma_crc(frame), le32toh(stamp->crc));
	/* Luma of the third bar, cyan at three quarters. */
	tap_eq(is_flash ? 255 : 131, frame[sizeof(*stamp)]);
}

/* More than a second, so there is a flash among them. */
static void dma_stamp(void)
{
	struct board board;
	struct board_channel channel;
	struct board_memory memory = board_alloc(2 * DMA_BUFFERS * DMA_PAGE);
	struct board_done done;
	uint8_t frame[DMA_FRAME];
	unsigned int i, flashes = 0;
	uint64_t first = 0, end;

	board_open(&board);
	memset(memory.data, DMA_GUARD, memory.bytes);
	board_setup(&channel, &board, AVRING_PCI_VIDEO, 2 * DMA_BUFFERS, 8);
	dma_start(&channel, 0);
	for (i = 0; i < DMA_BUFFERS; i++)
		dma_give(&channel, &memory, i);
	board_set(&channel, AVRING_PCI_REG_TAIL, channel.given);
	end = board_time(&board) + 3000000000;
	for (i = 0; !flashes && board_time(&board) < end; i++) {
		board_wait(&channel, &done);
		tap_eq(100 + i % DMA_BUFFERS, done.where);
		dma_time(&done, &first);
		dma_collect(&memory, i % DMA_BUFFERS, frame);
		dma_check_stamp(frame, &done);
		flashes += frame[DMA_FRAME - 1] == 255;
		dma_give(&channel, &memory, i % DMA_BUFFERS);
		board_set(&channel, AVRING_PCI_REG_TAIL, channel.given);
		board_release(&channel);
	}
	tap_check(flashes, "no flash in %u frames", i);
	board_stop(&channel);
}

#define DMA_RING_PAGES 5
#define DMA_RING (DMA_RING_PAGES * DMA_PAGE)

static void dma_ring_setup(struct board_channel *channel, struct board *board,
			   struct board_memory *memory, uint32_t frame_bytes)
{
	unsigned int i;

	*memory = board_alloc(DMA_RING);
	memset(memory->data, DMA_GUARD, DMA_RING);
	board_setup(channel, board, AVRING_PCI_VIDEO, DMA_RING_PAGES, 8);
	board_set(channel, AVRING_PCI_REG_PATTERN, AVRING_PCI_PATTERN_REG_WORDS);
	board_set(channel, AVRING_PCI_REG_FRAME_BYTES, frame_bytes);
	for (i = 0; i < DMA_RING_PAGES; i++)
		board_describe(channel, memory->data + i * DMA_PAGE, DMA_PAGE, 0, 0);
}

/* Frames of 3000 bytes, 64 bytes aligned, in a ring of 20480 that begins at 64. */
static void dma_ring(void)
{
	struct board board;
	struct board_channel channel;
	struct board_memory memory;
	struct board_done done;
	uint8_t frame[3000];
	uint64_t position = 64, first = 0;
	unsigned int i, at;

	board_open(&board);
	dma_ring_setup(&channel, &board, &memory, sizeof(frame));
	board_set64(&channel, AVRING_PCI_REG_POSITION, position);
	dma_start(&channel, AVRING_PCI_CTRL_CYCLIC);
	for (i = 0; i < 40; i++) {
		board_set(&channel, AVRING_PCI_REG_TAIL, i + 1);
		board_wait(&channel, &done);
		tap_eq(position, done.where);
		dma_time(&done, &first);
		for (at = 0; at < sizeof(frame); at++)
			frame[at] = memory.data[(position + at) % DMA_RING];
		dma_words(frame, sizeof(frame), done.sequence);
		tap_check(i || memory.data[0] == DMA_GUARD, "written before POSITION");
		position += (sizeof(frame) + 63) & ~63;
		board_release(&channel);
	}
	board_stop(&channel);
	/* The rest of what was dropped in between, and no frame that was not granted. */
	tap_check(!board_next(&channel, &done), "a frame that was not granted");
	tap_check(board_get(&channel, AVRING_PCI_REG_DROPPED) >= done.sequence + 1 - 40,
		  "%u dropped, %u written, sequence %u",
		  board_get(&channel, AVRING_PCI_REG_DROPPED), i, done.sequence);
}

static void dma_ring_small(void)
{
	struct board board;
	struct board_channel channel;
	struct board_memory memory;
	uint64_t end;

	board_open(&board);
	dma_ring_setup(&channel, &board, &memory, DMA_RING + 1);
	dma_start(&channel, AVRING_PCI_CTRL_CYCLIC);
	end = board_time(&board) + 1000000000;
	while (board_get(&channel, AVRING_PCI_REG_STATE) != AVRING_PCI_CHANNEL_FAULT) {
		tap_check(board_time(&board) < end, "a frame larger than the ring is no fault");
		board_pause();
	}
	tap_eq(AVRING_PCI_FAULT_SETUP, board_read(&board, AVRING_PCI_REG_FAULT_CODE));
}

struct dma_drops {
	const struct board_channel *channel;
	uint32_t before;
};

static bool dma_has_dropped(void *arg)
{
	const struct dma_drops *drops = arg;

	return board_get(drops->channel, AVRING_PCI_REG_DROPPED) - drops->before > 5;
}

/* Until more frames were dropped from now on. */
static void dma_wait_drops(const struct board_channel *channel)
{
	struct dma_drops drops = { channel, board_get(channel, AVRING_PCI_REG_DROPPED) };

	tap_check(tap_eventually(dma_has_dropped, &drops, 10), "nothing is dropped");
}

/* Two completions are free, and more buffers. */
static void dma_completions(void)
{
	struct board board;
	struct board_channel channel;
	struct board_memory memory = board_alloc(2 * DMA_BUFFERS * DMA_PAGE);
	struct board_done done;
	unsigned int i;

	board_open(&board);
	board_setup(&channel, &board, AVRING_PCI_VIDEO, 64, 2);
	dma_start(&channel, 0);
	for (i = 0; i < DMA_BUFFERS; i++)
		dma_give(&channel, &memory, i);
	board_set(&channel, AVRING_PCI_REG_TAIL, channel.given);
	dma_wait_drops(&channel);
	board_wait(&channel, &done);
	board_wait(&channel, &done);
	tap_eq(101, done.where);
	tap_check(!board_next(&channel, &done), "more completions than there were free");
	board_release(&channel);
	board_wait(&channel, &done);
	tap_eq(102, done.where);
	tap_check(done.sequence > 6, "sequence %u in spite of the lost ones", done.sequence);
	board_stop(&channel);
}

static void dma_truncated(void)
{
	struct board board;
	struct board_channel channel;
	struct board_memory memory = board_alloc(DMA_PAGE);
	struct board_done done;

	board_open(&board);
	memset(memory.data, DMA_GUARD, DMA_PAGE);
	board_setup(&channel, &board, AVRING_PCI_VIDEO, 64, 8);
	board_set(&channel, AVRING_PCI_REG_PATTERN, AVRING_PCI_PATTERN_REG_WORDS);
	dma_start(&channel, 0);
	board_describe(&channel, memory.data, 1000, AVRING_PCI_DESC_LAST, 1);
	board_set(&channel, AVRING_PCI_REG_TAIL, 1);
	board_wait(&channel, &done);
	tap_eq(AVRING_PCI_DONE_TRUNCATED, done.flags);
	tap_eq(1000, done.bytes);
	dma_words(memory.data, 1000, done.sequence);
	tap_eq(DMA_GUARD, memory.data[1000]);
	board_stop(&channel);
}

/* A descriptor without LAST is no buffer yet. */
static void dma_incomplete(void)
{
	struct board board;
	struct board_channel channel;
	struct board_memory memory = board_alloc(2 * DMA_PAGE);
	struct board_done done;

	board_open(&board);
	board_setup(&channel, &board, AVRING_PCI_VIDEO, 64, 8);
	dma_start(&channel, 0);
	dma_give(&channel, &memory, 0);
	board_set(&channel, AVRING_PCI_REG_TAIL, 1);
	dma_wait_drops(&channel);
	tap_check(!board_next(&channel, &done), "half a buffer was written to");
	board_set(&channel, AVRING_PCI_REG_TAIL, 2);
	board_wait(&channel, &done);
	tap_eq(100, done.where);
	board_stop(&channel);
}

static void dma_wait_fault(struct board_channel *channel, uint32_t code, uint64_t address)
{
	struct board *board = channel->board;
	uint64_t end = board_time(board) + 1000000000;

	while (board_get(channel, AVRING_PCI_REG_STATE) != AVRING_PCI_CHANNEL_FAULT) {
		tap_check(board_time(board) < end, "no fault");
		board_pause();
	}
	tap_eq(code, board_read(board, AVRING_PCI_REG_FAULT_CODE));
	tap_eq(address, board_read(board, AVRING_PCI_REG_FAULT_ADDR) |
				(uint64_t)board_read(board, AVRING_PCI_REG_FAULT_ADDR + 4) << 32);
	board_write(board, AVRING_PCI_REG_EVENTS, AVRING_PCI_EVENT_FAULT);
}

static void dma_master(void)
{
	struct board board;
	struct board_channel channel;
	struct board_memory memory = board_alloc(2 * DMA_PAGE);

	board_open(&board);
	board_setup(&channel, &board, AVRING_PCI_VIDEO, 64, 8);
	dma_start(&channel, 0);
	dma_give(&channel, &memory, 0);
	board_master(&board, false);
	board_set(&channel, AVRING_PCI_REG_TAIL, channel.given);
	dma_wait_fault(&channel, AVRING_PCI_FAULT_DESCRIPTOR, board_address(channel.descs.data));
	board_master(&board, true);
}

/* Where there is no memory: faults with their code and address, and the guest lives. */
static void dma_nowhere(void)
{
	struct board board;
	struct board_channel channel;
	struct board_memory memory = board_alloc(2 * DMA_PAGE);
	const uint64_t nowhere = 1ULL << 38;

	board_open(&board);
	board_setup(&channel, &board, AVRING_PCI_VIDEO, 64, 8);
	dma_start(&channel, 0);
	dma_give(&channel, &memory, 0);
	memcpy(channel.descs.data, &nowhere, 8);
	board_set(&channel, AVRING_PCI_REG_TAIL, channel.given);
	dma_wait_fault(&channel, AVRING_PCI_FAULT_DATA, nowhere);

	board_set64(&channel, AVRING_PCI_REG_DONE_BASE, nowhere);
	channel.given = 0;
	dma_start(&channel, 0);
	dma_give(&channel, &memory, 0);
	board_set(&channel, AVRING_PCI_REG_TAIL, channel.given);
	dma_wait_fault(&channel, AVRING_PCI_FAULT_COMPLETION, nowhere);

	channel.given = 0;
	dma_start(&channel, 0);
	dma_give(&channel, &memory, 0);
	memset(channel.descs.data + 8, 0, 4);
	board_set(&channel, AVRING_PCI_REG_TAIL, channel.given);
	dma_wait_fault(&channel, AVRING_PCI_FAULT_DESCRIPTOR, board_address(channel.descs.data));
}

/*
 * Two seconds of sound in chunks of 48: where the beeps begin and what is between them. Who is late
 * misses chunks, and maybe the one with the beep: then more.
 */
static void dma_sound(void)
{
	struct board board;
	struct board_channel channel;
	struct board_memory memory = board_alloc(DMA_PAGE);
	struct board_done done;
	unsigned int i, c, beeps = 0;
	uint64_t time_ns, n = 0;
	int16_t *sample;

	board_open(&board);
	board_setup(&channel, &board, AVRING_PCI_AUDIO, 64, 8);
	dma_start(&channel, 0);
	for (c = 0; c < 2000 || (!beeps && c < 20000); c++) {
		board_describe(&channel, memory.data, 192, AVRING_PCI_DESC_LAST, c);
		board_set(&channel, AVRING_PCI_REG_TAIL, channel.given);
		board_wait(&channel, &done);
		board_release(&channel);
		tap_eq(192, done.bytes);
		tap_eq(0, done.sequence % 48);
		n = (done.time_ns * 48000 + 999999999) / 1000000000;
		tap_eq(board_event_ns(48000, 1, n), done.time_ns);
		tap_check(board_time(&board) >= board_event_ns(48000, 1, n + 48),
			  "a chunk that has not happened yet");
		sample = (int16_t *)memory.data;
		for (i = 0; i < 48; i++, sample += 2) {
			time_ns = board_event_ns(48000, 1, n + i) % 1000000000;
			tap_eq(sample[0], sample[1]);
			tap_check(time_ns < 100000000 || !sample[0],
				  "a tone %llu ns after the flash", (unsigned long long)time_ns);
			if (time_ns < 20834) {
				tap_check(sample[0] > 16000, "the beep begins with %d", sample[0]);
				beeps++;
			}
		}
	}
	tap_check(beeps, "no beep");
	board_stop(&channel);
}

/* The file that the card was given with film=PATH, in AVRING_CARD_FILM; late on purpose. */
static void dma_line(void)
{
	const char *path = getenv("AVRING_CARD_FILM");
	struct board board;
	struct board_channel channel;
	struct board_memory memory = board_alloc(DMA_PAGE);
	struct board_done done;
	uint8_t frame[DMA_FRAME];
	unsigned int frames = 0;
	FILE *film;

	if (!path)
		tap_skip("AVRING_CARD_FILM names no film");
	film = fopen(path, "r");
	tap_check(film, "%s: %s", path, strerror(errno));
	board_open(&board);
	tap_eq(AVRING_PCI_STATUS_SIGNAL, board_read(&board, AVRING_PCI_REG_STATUS));
	board_setup(&channel, &board, AVRING_PCI_VIDEO, 64, 8);
	board_set(&channel, AVRING_PCI_REG_INPUT, AVRING_PCI_INPUT_REG_LINE);
	dma_start(&channel, 0);
	while (fread(frame, sizeof(frame), 1, film) == 1) {
		board_describe(&channel, memory.data, DMA_FRAME, AVRING_PCI_DESC_LAST, 0);
		board_set(&channel, AVRING_PCI_REG_TAIL, channel.given);
		board_wait(&channel, &done);
		tap_eq(0, done.flags);
		tap_check(!memcmp(frame, memory.data, DMA_FRAME), "frame %u is another", frames);
		board_release(&channel);
		if (++frames % 10 == 0)
			dma_wait_drops(&channel);
	}
	fclose(film);
	tap_check(frames > 10, "the film has %u frames", frames);
	tap_eq(AVRING_PCI_STATUS_SIGNAL, board_read(&board, AVRING_PCI_REG_STATUS));
	board_describe(&channel, memory.data, DMA_FRAME, AVRING_PCI_DESC_LAST, 0);
	board_set(&channel, AVRING_PCI_REG_TAIL, channel.given);
	board_wait(&channel, &done);
	tap_eq(AVRING_PCI_DONE_NO_SIGNAL, done.flags);
	dma_check_stamp(memory.data, &done);
	tap_eq(0, board_read(&board, AVRING_PCI_REG_STATUS));
	tap_eq(AVRING_PCI_EVENT_SIGNAL, board_read(&board, AVRING_PCI_REG_EVENTS));
	board_stop(&channel);
}

static const struct tap_test dma_tests[] = {
	{ "frames go into scattered buffers in order, each word right, nothing beside",
	  .run = dma_queue },
	{ "each frame has its stamp and CRC, each second a flash", .run = dma_stamp },
	{ "a ring is written round and round from POSITION on, as granted", .run = dma_ring },
	{ "a ring that is smaller than a frame is a fault", .run = dma_ring_small },
	{ "without a free completion frames are dropped and counted", .run = dma_completions },
	{ "a frame that is larger than its buffer is cut off and says so", .run = dma_truncated },
	{ "a buffer without its last descriptor is not written to", .run = dma_incomplete },
	{ "without bus mastering there is a fault", .run = dma_master },
	{ "bad addresses and descriptors are faults that name them", .run = dma_nowhere },
	{ "sound is silence, and a beep with each flash", .run = dma_sound },
	{ "the film comes frame by frame, also to a late reader, and ends", .run = dma_line },
};

int main(int argc, char **argv)
{
	static const struct tap_suite suite = {
		.tests = dma_tests,
		.n_tests = TAP_COUNT(dma_tests),
		.missing = board_missing,
		.after = board_quiet,
	};

	return tap_main(&suite, argc, argv);
}
