// SPDX-License-Identifier: MIT
/*
 * The registers of the PCI card, without a driver and without DMA.
 */
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "board.h"
#include "tap.h"

static void regs_identity(void)
{
	struct board board;

	board_open(&board);
	tap_eq(AVRING_PCI_ID_VALUE, board_read(&board, AVRING_PCI_REG_ID));
	tap_eq(AVRING_PCI_VERSION_VALUE, board_read(&board, AVRING_PCI_REG_VERSION));
	tap_eq(AVRING_PCI_CHANNELS,
	       AVRING_PCI_CAPS_CHANNELS(board_read(&board, AVRING_PCI_REG_CAPS)));
	tap_eq(64, AVRING_PCI_CAPS_ADDRESS_BITS(board_read(&board, AVRING_PCI_REG_CAPS)));
	tap_check(board_read(&board, AVRING_PCI_REG_MAX_SEGMENT) >= 4096, "MAX_SEGMENT is %u",
		  board_read(&board, AVRING_PCI_REG_MAX_SEGMENT));
	board_write(&board, AVRING_PCI_REG_ID, 0);
	tap_eq(AVRING_PCI_ID_VALUE, board_read(&board, AVRING_PCI_REG_ID));
}

static void regs_reset(void)
{
	struct board board;
	struct board_channel channel;
	uint64_t before;

	board_open(&board);
	board_write(&board, AVRING_PCI_REG_SCRATCH, 0x12345678);
	tap_eq(0x12345678, board_read(&board, AVRING_PCI_REG_SCRATCH));
	board_setup(&channel, &board, AVRING_PCI_VIDEO, 256, 128);
	board_set(&channel, AVRING_PCI_REG_CTRL, AVRING_PCI_CTRL_RUN);
	board_write(&board, AVRING_PCI_REG_EVENTS_ENABLE, AVRING_PCI_EVENT_FAULT);
	before = board_time(&board);
	board_write(&board, AVRING_PCI_REG_CONTROL, AVRING_PCI_CONTROL_RESET);
	while (board_read(&board, AVRING_PCI_REG_CONTROL) & AVRING_PCI_CONTROL_RESET)
		board_pause();
	tap_eq(0, board_read(&board, AVRING_PCI_REG_SCRATCH));
	tap_eq(0, board_read(&board, AVRING_PCI_REG_EVENTS_ENABLE));
	tap_eq(0, board_get(&channel, AVRING_PCI_REG_STATE));
	tap_eq(0, board_get(&channel, AVRING_PCI_REG_FRAME_BYTES));
	tap_check(board_time(&board) > before, "RESET has set the clock back");
}

static void regs_flr(void)
{
	struct board board;
	char path[128];
	uint64_t before;
	FILE *file;

	board_open(&board);
	board_write(&board, AVRING_PCI_REG_SCRATCH, 0x12345678);
	before = board_time(&board);
	snprintf(path, sizeof(path), "%s/reset_method", board.path);
	file = fopen(path, "w");
	tap_check(file && fputs("flr", file) >= 0 && !fclose(file), "no function level reset");
	snprintf(path, sizeof(path), "%s/reset", board.path);
	file = fopen(path, "w");
	tap_check(file && fputs("1", file) >= 0 && !fclose(file), "the reset failed");
	tap_eq(0, board_read(&board, AVRING_PCI_REG_SCRATCH));
	tap_check(board_time(&board) > before, "the reset has set the clock back");
}

static uint64_t regs_monotonic(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC_RAW, &ts);
	return ts.tv_sec * 1000000000ULL + ts.tv_nsec;
}

/* The guest may be stopped between two readings, so only a lower bound is exact. */
static void regs_time(void)
{
	struct board board;
	uint64_t last, now, first, start = regs_monotonic(), end;
	unsigned int i;

	board_open(&board);
	first = board_time(&board);
	for (i = 0, last = first; i < 10000; i++, last = now) {
		now = board_time(&board);
		tap_check(now >= last, "the clock went from %llu back to %llu",
			  (unsigned long long)last, (unsigned long long)now);
	}
	end = regs_monotonic();
	tap_check(last > first && last - first < (end - start) / 100 * 110 + 1000000,
		  "%llu ns passed here, %llu on the card", (unsigned long long)(end - start),
		  (unsigned long long)(last - first));
}

static bool regs_beats(void *arg)
{
	struct board *board = arg;
	static uint32_t first;

	if (!first)
		first = board_read(board, AVRING_PCI_REG_HEARTBEAT) + 1;
	return board_read(board, AVRING_PCI_REG_HEARTBEAT) + 1 != first;
}

static void regs_heartbeat(void)
{
	struct board board;

	board_open(&board);
	tap_check(tap_eventually(regs_beats, &board, 0.2), "no heartbeat");
}

/* HI belongs to the LO that was read last: looked at while the low half runs over. */
static void regs_latch(void)
{
	const uint32_t near = UINT32_MAX - 20000000;
	struct board board;
	uint32_t low, high;
	uint64_t start;

	board_open(&board);
	while ((low = board_read(&board, AVRING_PCI_REG_TIME)) < near)
		board_pause();
	high = board_read(&board, AVRING_PCI_REG_TIME + 4);
	for (start = regs_monotonic(); regs_monotonic() - start < 50000000;)
		board_pause();
	tap_eq(high, board_read(&board, AVRING_PCI_REG_TIME + 4));
	tap_eq(high + 1, board_time(&board) >> 32);
	tap_check(low >= near, "the low half was %u", low);
}

static void regs_fault(struct board_channel *channel, uint32_t code)
{
	struct board *board = channel->board;

	tap_eq(AVRING_PCI_CHANNEL_FAULT, board_get(channel, AVRING_PCI_REG_STATE));
	tap_eq(0, board_get(channel, AVRING_PCI_REG_CTRL) & AVRING_PCI_CTRL_RUN);
	tap_eq(AVRING_PCI_EVENT_FAULT,
	       board_read(board, AVRING_PCI_REG_EVENTS) & AVRING_PCI_EVENT_FAULT);
	tap_eq(code, board_read(board, AVRING_PCI_REG_FAULT_CODE));
	board_write(board, AVRING_PCI_REG_EVENTS, AVRING_PCI_EVENT_FAULT);
	tap_eq(0, board_read(board, AVRING_PCI_REG_EVENTS) & AVRING_PCI_EVENT_FAULT);
}

static void regs_events(void)
{
	struct board board;
	struct board_channel channels[AVRING_PCI_CHANNELS];
	unsigned int c;

	board_open(&board);
	for (c = 0; c < AVRING_PCI_CHANNELS; c++) {
		channels[c] = (struct board_channel){ .board = &board, .number = c };
		board_set(&channels[c], AVRING_PCI_REG_CTRL, AVRING_PCI_CTRL_RUN);
	}
	/* The code is that of the first one. */
	regs_fault(&channels[0], AVRING_PCI_FAULT_SETUP | AVRING_PCI_VIDEO << 8);
	tap_eq(AVRING_PCI_CHANNEL_FAULT, board_get(&channels[1], AVRING_PCI_REG_STATE));
	board_set(&channels[1], AVRING_PCI_REG_CTRL, AVRING_PCI_CTRL_RUN);
	regs_fault(&channels[1], AVRING_PCI_FAULT_SETUP | AVRING_PCI_AUDIO << 8);
}

/* One register out of range after the other, in a setup that is right otherwise. */
static const struct regs_bad {
	unsigned int channel;
	unsigned int reg;
	uint32_t value;
	uint32_t ctrl;
} regs_bad[] = {
	{ 0, AVRING_PCI_REG_DESC_BASE, 32, 0 },
	{ 0, AVRING_PCI_REG_DESC_COUNT, 0, 0 },
	{ 0, AVRING_PCI_REG_DESC_COUNT, 3, 0 },
	{ 0, AVRING_PCI_REG_DESC_COUNT, 2 * AVRING_PCI_MAX_COUNT, 0 },
	{ 0, AVRING_PCI_REG_DONE_BASE, 16, 0 },
	{ 0, AVRING_PCI_REG_DONE_COUNT, 0, 0 },
	{ 0, AVRING_PCI_REG_DONE_COUNT, 5, AVRING_PCI_CTRL_CYCLIC },
	{ 0, AVRING_PCI_REG_ALIGN, 0, AVRING_PCI_CTRL_CYCLIC },
	{ 0, AVRING_PCI_REG_ALIGN, 48, AVRING_PCI_CTRL_CYCLIC },
	{ 0, AVRING_PCI_REG_ALIGN, 8192, AVRING_PCI_CTRL_CYCLIC },
	{ 0, AVRING_PCI_REG_POSITION, 32, AVRING_PCI_CTRL_CYCLIC },
	{ 0, AVRING_PCI_REG_IRQ_EVERY, 0, 0 },
	{ 0, AVRING_PCI_REG_IRQ_EVERY, 257, 0 },
	{ 0, AVRING_PCI_REG_FRAME_BYTES, 0, 0 },
	{ 0, AVRING_PCI_REG_FRAME_BYTES, 2047, 0 },
	{ 0, AVRING_PCI_REG_FRAME_BYTES, 0x4000001, 0 },
	{ 0, AVRING_PCI_REG_RATE_NUM, 0, 0 },
	{ 0, AVRING_PCI_REG_RATE_DEN, 0, 0 },
	{ 0, AVRING_PCI_REG_INPUT, 2, 0 },
	{ 0, AVRING_PCI_REG_PATTERN, 2, 0 },
	{ 1, AVRING_PCI_REG_FRAME_BYTES, 196, 0 },
	{ 1, AVRING_PCI_REG_FORMAT, 3, 0 },
	{ 1, AVRING_PCI_REG_RATE_DEN, 2, 0 },
	{ 1, AVRING_PCI_REG_CHANNEL_COUNT, 9, 0 },
	{ 1, AVRING_PCI_REG_CHANNEL_COUNT, 0, 0 },
	{ 1, AVRING_PCI_REG_CHUNK_FRAMES, 0, 0 },
};

static void regs_setup(void)
{
	struct board board;
	struct board_channel channel;
	const struct regs_bad *bad;

	board_open(&board);
	for (bad = regs_bad; bad < regs_bad + TAP_COUNT(regs_bad); bad++) {
		tap_note("channel %u, register %#x = %u", bad->channel, bad->reg, bad->value);
		board_setup(&channel, &board, bad->channel, 256, 128);
		board_set(&channel, AVRING_PCI_REG_CTRL, AVRING_PCI_CTRL_RUN);
		tap_eq(AVRING_PCI_CHANNEL_BUSY, board_get(&channel, AVRING_PCI_REG_STATE));
		board_stop(&channel);
		board_set(&channel, bad->reg, bad->value);
		board_set(&channel, AVRING_PCI_REG_CTRL, AVRING_PCI_CTRL_RUN | bad->ctrl);
		regs_fault(&channel, AVRING_PCI_FAULT_SETUP | bad->channel << 8);
		board_set(&channel, AVRING_PCI_REG_INPUT, 0);
		board_set(&channel, AVRING_PCI_REG_PATTERN, 0);
		board_set(&channel, AVRING_PCI_REG_POSITION, 0);
	}
}

static bool regs_drops(void *arg)
{
	return board_get(arg, AVRING_PCI_REG_DROPPED) >= 10;
}

static void regs_running(void)
{
	struct board board;
	struct board_channel channel;

	board_open(&board);
	board_setup(&channel, &board, AVRING_PCI_VIDEO, 256, 128);
	board_set(&channel, AVRING_PCI_REG_TAIL, 7);
	board_set(&channel, AVRING_PCI_REG_CTRL, AVRING_PCI_CTRL_RUN);
	tap_eq(0, board_get(&channel, AVRING_PCI_REG_TAIL));
	board_set(&channel, AVRING_PCI_REG_FRAME_BYTES, 1);
	tap_eq(2048, board_get(&channel, AVRING_PCI_REG_FRAME_BYTES));
	board_set(&channel, AVRING_PCI_REG_DONE_TAKEN, 0);
	tap_check(tap_eventually(regs_drops, &channel, 10), "%u frames dropped",
		  board_get(&channel, AVRING_PCI_REG_DROPPED));
	board_stop(&channel);
	board_set(&channel, AVRING_PCI_REG_FRAME_BYTES, 4096);
	tap_eq(4096, board_get(&channel, AVRING_PCI_REG_FRAME_BYTES));
	tap_check(regs_drops(&channel), "DROPPED was forgotten at the stop");
}

/* Mapped, kept over RESET. */
static void regs_window(void)
{
	struct board board;
	volatile uint32_t *window;
	char path[128];
	int fd;

	board_open(&board);
	snprintf(path, sizeof(path), "%s/resource2", board.path);
	fd = must(sys(open(path, O_RDWR | O_CLOEXEC)));
	window = mmap(NULL, 0x200000, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	tap_check(window != MAP_FAILED, "resource2 cannot be mapped: %s", strerror(errno));
	close(fd);
	window[0] = 0x11223344;
	window[0x200000 / 4 - 1] = 0x55667788;
	board_write(&board, AVRING_PCI_REG_CONTROL, AVRING_PCI_CONTROL_RESET);
	tap_eq(0x11223344, window[0]);
	tap_eq(0x55667788, window[0x200000 / 4 - 1]);
}

static const struct tap_test regs_tests[] = {
	{ "ID, VERSION, CAPS and MAX_SEGMENT are what the specification says",
	  .run = regs_identity },
	{ "RESET stops and forgets, the clock goes on", .run = regs_reset },
	{ "so does a function level reset", .run = regs_flr },
	{ "TIME never goes back, nor faster than the guest's own clock", .run = regs_time },
	{ "the high half of TIME belongs to the low half that was read", .run = regs_latch },
	{ "HEARTBEAT changes", .run = regs_heartbeat },
	{ "a fault sets its event, and the first one its code; a 1 written clears it",
	  .run = regs_events },
	{ "RUN with any register out of range is a fault with code SETUP", .run = regs_setup },
	{ "while a channel runs only doorbells change, and it counts what it drops",
	  .run = regs_running },
	{ "the window keeps what is written, over RESET too", .run = regs_window },
};

int main(int argc, char **argv)
{
	static const struct tap_suite suite = {
		.tests = regs_tests,
		.n_tests = TAP_COUNT(regs_tests),
		.missing = board_missing,
		.after = board_quiet,
	};

	return tap_main(&suite, argc, argv);
}
