// SPDX-License-Identifier: MIT
/*
 * The faults of the PCI card: each property does what it says, and nothing when it is off.
 * tests/card/ctl sets them while the card runs.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "board.h"
#include "tap.h"

#define FAULTS_PAGE 4096
#define FAULTS_FRAME 2048
#define FAULTS_GUARD 0xa5

static void faults_ctl(const char *format, ...)
{
	char command[200] = "tests/card/ctl ";
	size_t used = strlen(command);
	va_list args;
	int status;

	va_start(args, format);
	vsnprintf(command + used, sizeof(command) - used, format, args);
	va_end(args);
	status = system(command);
	tap_check(!status, "%s: status %#x", command, status);
}

static void faults_set(const char *property, int value)
{
	faults_ctl("set card0 %s %d", property, value);
}

static void faults_flag(const char *property, bool value)
{
	faults_ctl("set card0 %s %s", property, value ? "true" : "false");
}

static long faults_get(const char *property)
{
	char command[100], line[100] = "";
	FILE *pipe;

	snprintf(command, sizeof(command), "tests/card/ctl get card0 %s", property);
	pipe = popen(command, "r");
	tap_check(pipe && fgets(line, sizeof(line), pipe) && !pclose(pipe), "%s failed", command);
	return strtol(line, NULL, 10);
}

static void faults_clear(void)
{
	board_quiet();
	if (system("tests/card/ctl set card0 clear-faults true"))
		tap_note("the faults stay");
}

/* Whose clock it is. */
/* Card time of the last right frame; at first, of RUN. */
static uint64_t faults_last_ns;

/* A channel with one page as the buffer of all frames. */
struct faults_fixture {
	struct board board;
	struct board_channel channel;
	struct board_memory memory;
};

static void faults_begin(struct faults_fixture *fixture, uint32_t ctrl)
{
	board_open(&fixture->board);
	fixture->memory = board_alloc(FAULTS_PAGE);
	memset(fixture->memory.data, FAULTS_GUARD, FAULTS_PAGE);
	board_setup(&fixture->channel, &fixture->board, AVRING_PCI_VIDEO,
		    ctrl & AVRING_PCI_CTRL_CYCLIC ? 1 : 64, 8);
	board_set(&fixture->channel, AVRING_PCI_REG_PATTERN, AVRING_PCI_PATTERN_REG_WORDS);
	if (ctrl & AVRING_PCI_CTRL_CYCLIC)
		board_describe(&fixture->channel, fixture->memory.data, FAULTS_PAGE, 0, 0);
	faults_last_ns = board_time(&fixture->board);
	board_set(&fixture->channel, AVRING_PCI_REG_CTRL, AVRING_PCI_CTRL_RUN | ctrl);
}

/* Give one more frame its place; its cookie is the number of the frame. */
static void faults_give(struct faults_fixture *fixture)
{
	struct board_channel *channel = &fixture->channel;
	uint32_t given = channel->given;

	board_describe(channel, fixture->memory.data, FAULTS_PAGE, AVRING_PCI_DESC_LAST, given);
	board_set(channel, AVRING_PCI_REG_TAIL, channel->given);
}

static void faults_frame(struct faults_fixture *fixture, struct board_done *done)
{
	faults_give(fixture);
	board_wait(&fixture->channel, done);
	board_release(&fixture->channel);
}

/* Eight frames with every fourth one spoilt: is it each fourth, and only that? */
static void faults_every(const char *property, uint32_t ctrl,
			 bool (*is_spoilt)(const struct board_done *done, unsigned int i))
{
	struct faults_fixture fixture;
	struct board_done done;
	unsigned int i, spoilt = 0;

	faults_set(property, 4);
	faults_begin(&fixture, ctrl);
	for (i = 0; i < 8; i++) {
		if (ctrl & AVRING_PCI_CTRL_CYCLIC) {
			board_set(&fixture.channel, AVRING_PCI_REG_TAIL, i + 1);
			board_wait(&fixture.channel, &done);
			board_release(&fixture.channel);
		} else {
			faults_frame(&fixture, &done);
		}
		spoilt += is_spoilt(&done, i);
	}
	board_stop(&fixture.channel);
	tap_eq(2, spoilt);
}

static bool faults_is_short(const struct board_done *done, unsigned int i)
{
	(void)i;
	tap_eq(done->flags & AVRING_PCI_DONE_SHORT ? FAULTS_FRAME / 2 : FAULTS_FRAME, done->bytes);
	return done->flags & AVRING_PCI_DONE_SHORT;
}

static bool faults_is_wrong_cookie(const struct board_done *done, unsigned int i)
{
	return done->where != i;
}

static bool faults_is_wrong_position(const struct board_done *done, unsigned int i)
{
	return done->where != (uint64_t)i * FAULTS_FRAME;
}

static bool faults_is_wrong_size(const struct board_done *done, unsigned int i)
{
	(void)i;
	return done->bytes != FAULTS_FRAME;
}

/* Unsigned: what goes back is far ahead. No frame is awaited for five seconds. */
static bool faults_is_wrong_time(const struct board_done *done, unsigned int i)
{
	(void)i;
	if (done->time_ns - faults_last_ns > 5000000000ULL)
		return true;
	faults_last_ns = done->time_ns;
	return false;
}

static bool faults_is_jump(const struct board_done *done, unsigned int i)
{
	static uint32_t next;
	bool is_jump = i && done->sequence - next >= 1000;

	next = done->sequence;
	return is_jump || (!i && done->sequence >= 1000);
}

static void faults_short(void)
{
	faults_every("short-frame", 0, faults_is_short);
}

static void faults_cookie(void)
{
	faults_every("bad-cookie", 0, faults_is_wrong_cookie);
}

static void faults_position(void)
{
	faults_every("bad-position", AVRING_PCI_CTRL_CYCLIC, faults_is_wrong_position);
}

static void faults_bytes(void)
{
	faults_every("bad-bytes", 0, faults_is_wrong_size);
}

static void faults_time(void)
{
	faults_every("bad-time", 0, faults_is_wrong_time);
}

static void faults_old(void)
{
	struct faults_fixture fixture;
	struct board_done done;
	unsigned int i;

	faults_set("old-first-frame", 1);
	faults_begin(&fixture, 0);
	for (i = 0; i < 3; i++) {
		faults_frame(&fixture, &done);
		tap_eq(!i, faults_is_wrong_time(&done, i));
	}
	board_stop(&fixture.channel);
}

/* Without the fault the last of them is not there before its time. */
static void faults_flood(void)
{
	struct faults_fixture fixture;
	struct board_done done;
	unsigned int i;

	faults_flag("completion-flood", true);
	faults_begin(&fixture, 0);
	board_stop(&fixture.channel);
	board_set(&fixture.channel, AVRING_PCI_REG_RATE_NUM, 1);
	board_set(&fixture.channel, AVRING_PCI_REG_CTRL, AVRING_PCI_CTRL_RUN);
	for (i = 0; i < 8; i++)
		faults_give(&fixture);
	for (i = 0; i < 8; i++)
		board_wait(&fixture.channel, &done);
	tap_check(done.time_ns > board_time(&fixture.board), "the last frame: %llu ns late",
		  (unsigned long long)(board_time(&fixture.board) - done.time_ns));
	board_stop(&fixture.channel);
}

static void faults_jump(void)
{
	faults_every("seq-jump", 0, faults_is_jump);
}

/* The same buffer once more, so the one that was given stays for the next frame. */
static void faults_loop(void)
{
	struct faults_fixture fixture;
	struct board_done done;
	unsigned int i, twice = 0;
	uint64_t last = ~0ULL;

	faults_set("desc-loop", 4);
	faults_begin(&fixture, 0);
	for (i = 0; i < 8; i++) {
		faults_frame(&fixture, &done);
		twice += done.where == last;
		last = done.where;
	}
	board_stop(&fixture.channel);
	tap_check(twice == 2 || twice == 1, "%u of 8 frames came twice", twice);
}

static void faults_stall(void)
{
	struct faults_fixture fixture;
	struct board_done done;
	uint64_t end;

	faults_begin(&fixture, 0);
	faults_frame(&fixture, &done);
	faults_flag("stall-dma", true);
	faults_give(&fixture);
	end = board_time(&fixture.board) + 100000000;
	for (; board_time(&fixture.board) < end; board_pause())
		tap_check(!board_next(&fixture.channel, &done), "a frame came through");
	tap_eq(AVRING_PCI_CHANNEL_BUSY, board_get(&fixture.channel, AVRING_PCI_REG_STATE));
	faults_flag("stall-dma", false);
	board_wait(&fixture.channel, &done);
	board_stop(&fixture.channel);
}

static void faults_hang(void)
{
	struct faults_fixture fixture;
	uint64_t end;

	faults_flag("hang-busy", true);
	faults_begin(&fixture, 0);
	board_set(&fixture.channel, AVRING_PCI_REG_CTRL, 0);
	end = board_time(&fixture.board) + 200000000;
	for (; board_time(&fixture.board) < end; board_pause())
		tap_eq(AVRING_PCI_CHANNEL_BUSY, board_get(&fixture.channel, AVRING_PCI_REG_STATE));
	board_write(&fixture.board, AVRING_PCI_REG_CONTROL, AVRING_PCI_CONTROL_RESET);
	tap_eq(0, board_get(&fixture.channel, AVRING_PCI_REG_STATE));
}

static bool faults_is_touched(void *arg)
{
	const uint8_t *data = arg;

	return *(volatile const uint8_t *)data != FAULTS_GUARD;
}

/* Our pages are not given back before the card has left them. */
static void faults_after_stop(bool is_on)
{
	struct faults_fixture fixture;
	struct board_done done;
	uint64_t end;
	bool touched;

	faults_flag("write-after-stop", is_on);
	faults_begin(&fixture, 0);
	faults_frame(&fixture, &done);
	board_stop(&fixture.channel);
	end = board_time(&fixture.board) + 60000000;
	memset(fixture.memory.data, FAULTS_GUARD, FAULTS_PAGE);
	touched = tap_eventually(faults_is_touched, fixture.memory.data, is_on ? 5 : 0.1);
	while (board_time(&fixture.board) < end)
		board_pause();
	tap_eq(is_on, touched);
	memset(fixture.memory.data, FAULTS_GUARD, FAULTS_PAGE);
	tap_check(!faults_is_touched(fixture.memory.data), "still writing after 60 ms");
}

static void faults_write(void)
{
	faults_after_stop(false);
	faults_after_stop(true);
}

static void faults_dead(void)
{
	struct faults_fixture fixture;
	struct board_done done;
	uint64_t end;

	faults_begin(&fixture, 0);
	faults_frame(&fixture, &done);
	faults_give(&fixture);
	board_wait(&fixture.channel, &done);
	end = board_time(&fixture.board);
	faults_flag("dead", true);
	tap_eq(0xffffffff, board_read(&fixture.board, AVRING_PCI_REG_ID));
	tap_eq(0xffffffff, board_get(&fixture.channel, AVRING_PCI_REG_STATE));
	board_write(&fixture.board, AVRING_PCI_REG_SCRATCH, 1);
	faults_flag("dead", false);
	tap_eq(AVRING_PCI_ID_VALUE, board_read(&fixture.board, AVRING_PCI_REG_ID));
	tap_eq(0, board_read(&fixture.board, AVRING_PCI_REG_SCRATCH));
	tap_eq(0, board_get(&fixture.channel, AVRING_PCI_REG_STATE));
	tap_check(board_time(&fixture.board) > end, "the clock went back");
}

/* Interrupts that the card sends for ten frames. */
static long faults_interrupts(uint32_t irq_every)
{
	struct faults_fixture fixture;
	struct board_done done;
	long before = faults_get("interrupts");
	unsigned int i;

	faults_begin(&fixture, 0);
	board_stop(&fixture.channel);
	board_set(&fixture.channel, AVRING_PCI_REG_IRQ_EVERY, irq_every);
	board_set(&fixture.channel, AVRING_PCI_REG_CTRL, AVRING_PCI_CTRL_RUN);
	for (i = 0; i < 10; i++)
		faults_frame(&fixture, &done);
	board_stop(&fixture.channel);
	return faults_get("interrupts") - before;
}

static void faults_irq(void)
{
	tap_eq(10, faults_interrupts(1));
	tap_eq(4, faults_interrupts(3)); /* three, and what was not told at the stop */
	faults_set("drop-irq", 2);
	tap_eq(5, faults_interrupts(1));
	faults_set("drop-irq", 1);
	tap_eq(0, faults_interrupts(1));
	faults_set("drop-irq", 0);
	faults_flag("dup-irq", true);
	tap_eq(20, faults_interrupts(1));
	faults_flag("dup-irq", false);
	faults_set("spurious-irq", 1000);
	tap_check(faults_interrupts(1) > 10, "no interrupt too many");
}

static void faults_clock(void)
{
	struct board board;
	uint64_t first, last;
	int ppm;

	board_open(&board);
	first = board_time(&board);
	for (ppm = -500; ppm <= 500; ppm += 500, first = last) {
		faults_set("clock-ppm", ppm);
		last = board_time(&board);
		tap_check(last > first, "the clock went back by %llu ns at %d ppm",
			  (unsigned long long)(first - last), ppm);
	}
}

static void faults_leap(int ms)
{
	struct board board;
	uint64_t before, leapt;

	board_open(&board);
	before = board_time(&board);
	faults_set("clock-jump", ms);
	leapt = board_time(&board) - (before + (int64_t)ms * 1000000);
	tap_check(leapt < 900000000000, "%d ms: the clock is %lld ns further", ms,
		  (long long)leapt);
}

static void faults_leaps(void)
{
	faults_leap(3600000);
	faults_leap(-3600000);
}

static void faults_time_stop(void)
{
	struct board board;
	uint64_t stopped;

	board_open(&board);
	faults_flag("time-stop", true);
	stopped = board_time(&board);
	board_pause();
	tap_eq(stopped, board_time(&board));
	faults_flag("time-stop", false);
	tap_check(board_time(&board) > stopped, "the clock has stopped for good");
}

static const struct tap_test faults_tests[] = {
	{ "short-frame makes every n-th frame short, and says so", .run = faults_short },
	{ "bad-cookie gives back what was never given", .run = faults_cookie },
	{ "bad-position names a place that is not the next one", .run = faults_position },
	{ "bad-bytes counts bytes that were not written", .run = faults_bytes },
	{ "seq-jump leaves out a thousand", .run = faults_jump },
	{ "bad-time tells of a time that is not now", .run = faults_time },
	{ "old-first-frame makes the first frame a second old, and no other", .run = faults_old },
	{ "completion-flood waits for no time", .run = faults_flood },
	{ "desc-loop writes a buffer twice", .run = faults_loop },
	{ "stall-dma keeps everything from memory until it is off", .run = faults_stall },
	{ "hang-busy keeps BUSY until RESET", .run = faults_hang },
	{ "write-after-stop goes on writing, and nothing else does", .run = faults_write },
	{ "dead reads as all ones; back to life it has forgotten", .run = faults_dead },
	{ "interrupts are counted, lost, doubled and invented", .run = faults_irq },
	{ "clock-ppm changes the speed, not the time", .run = faults_clock },
	{ "clock-jump sets the clock ahead and back", .run = faults_leaps },
	{ "time-stop shows one time, and the clock goes on", .run = faults_time_stop },
};

int main(int argc, char **argv)
{
	static const struct tap_suite suite = {
		.tests = faults_tests,
		.n_tests = TAP_COUNT(faults_tests),
		.missing = board_missing,
		.after = faults_clear,
	};

	return tap_main(&suite, argc, argv);
}
