// SPDX-License-Identifier: MIT
/*
 * board: a PCI card without a driver. See board.h.
 */
#include <fcntl.h>
#include <glob.h>
#include <stdio.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "board.h"
#include "tap.h"

#define BOARD_ROOT "/sys/bus/pci/devices/0000:00:10.0/0000:*:00.0"
#define BOARD_COMMAND 4 /* in configuration space */
#define BOARD_MEMORY 2
#define BOARD_MASTER 4
#define BOARD_PAGE 4096

/* ---------------------------------------------------------------- the function */

const char *board_missing(void)
{
	glob_t found;
	int rc = glob(BOARD_ROOT, 0, NULL, &found);

	if (!rc)
		globfree(&found);
	return rc ? "no PCI card here" : NULL;
}

static int board_file(const struct board *board, const char *name)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/%s", board->path, name);
	return must(sys(open(path, O_RDWR | O_SYNC | O_CLOEXEC)));
}

void board_master(struct board *board, bool is_on)
{
	uint16_t command = BOARD_MEMORY | (is_on ? BOARD_MASTER : 0);
	int fd = board_file(board, "config");

	tap_eq(2, sys(pwrite(fd, &command, 2, BOARD_COMMAND)));
	close(fd);
}

void board_open(struct board *board)
{
	glob_t found;
	void *regs;
	int fd;

	tap_eq(0, glob(BOARD_ROOT, 0, NULL, &found));
	snprintf(board->path, sizeof(board->path), "%s", found.gl_pathv[0]);
	globfree(&found);
	board_master(board, true);
	fd = board_file(board, "resource0");
	regs = mmap(NULL, AVRING_PCI_REGS_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	tap_check(regs != MAP_FAILED, "resource0 cannot be mapped: %s", strerror(errno));
	close(fd);
	board->regs = regs;
	board_write(board, AVRING_PCI_REG_CONTROL, AVRING_PCI_CONTROL_RESET);
	while (board_read(board, AVRING_PCI_REG_CONTROL) & AVRING_PCI_CONTROL_RESET)
		board_pause();
}

/* After a test that failed in the middle: its memory is no longer its own. */
void board_quiet(void)
{
	struct board board;

	board_open(&board);
	munmap((void *)board.regs, AVRING_PCI_REGS_SIZE);
}

uint32_t board_read(const struct board *board, unsigned int reg)
{
	return board->regs[reg / 4];
}

void board_write(struct board *board, unsigned int reg, uint32_t value)
{
	board->regs[reg / 4] = value;
}

/*
 * Between two looks at the card: where instructions are counted, a look costs much time and few
 * instructions.
 */
void board_pause(void)
{
	const struct timespec ts = { .tv_nsec = 50000 };

	nanosleep(&ts, NULL);
}

uint64_t board_time(const struct board *board)
{
	uint32_t low = board_read(board, AVRING_PCI_REG_TIME);

	return low | (uint64_t)board_read(board, AVRING_PCI_REG_TIME + 4) << 32;
}

uint64_t board_event_ns(uint32_t num, uint32_t den, uint64_t n)
{
	return (unsigned __int128)n * den * 1000000000 / num;
}

/* ---------------------------------------------------------------- memory */

/* Compaction would move pages while the card writes to them. */
static void board_keep_pages(void)
{
	int fd = open("/proc/sys/vm/compact_unevictable_allowed", O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return;
	tap_eq(1, sys(write(fd, "0", 1)));
	close(fd);
}

struct board_memory board_alloc(size_t bytes)
{
	struct board_memory memory = { .bytes = (bytes + BOARD_PAGE - 1) & -(size_t)BOARD_PAGE };

	board_keep_pages();
	memory.data = mmap(NULL, memory.bytes, PROT_READ | PROT_WRITE,
			   MAP_SHARED | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	tap_check(memory.data != MAP_FAILED, "no memory: %s", strerror(errno));
	must(sys(mlock(memory.data, memory.bytes)));
	return memory;
}

/* Good to the end of the page. */
uint64_t board_address(const void *at)
{
	uint64_t entry, page = (uintptr_t)at / BOARD_PAGE;
	int fd = must(sys(open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC)));

	tap_eq(8, sys(pread(fd, &entry, 8, page * 8)));
	close(fd);
	entry &= (1ULL << 55) - 1;
	tap_check(entry, "no physical address of %p: not root?", at);
	return entry * BOARD_PAGE + (uintptr_t)at % BOARD_PAGE;
}

/* ---------------------------------------------------------------- a channel */

uint32_t board_get(const struct board_channel *channel, unsigned int reg)
{
	return board_read(channel->board, AVRING_PCI_REG_CHANNEL(channel->number) + reg);
}

void board_set(struct board_channel *channel, unsigned int reg, uint32_t value)
{
	board_write(channel->board, AVRING_PCI_REG_CHANNEL(channel->number) + reg, value);
}

void board_set64(struct board_channel *channel, unsigned int reg, uint64_t value)
{
	board_set(channel, reg, value);
	board_set(channel, reg + 4, value >> 32);
}

/* 1000 frames a second of 64 x 16 YUYV, or chunks of 48 samples: all that RUN needs. */
static const struct {
	unsigned int reg;
	uint32_t video;
	uint32_t audio;
} board_defaults[] = {
	{ AVRING_PCI_REG_ALIGN, 64, 64 },
	{ AVRING_PCI_REG_IRQ_EVERY, 1, 1 },
	{ AVRING_PCI_REG_FRAME_BYTES, 2048, 192 },
	{ AVRING_PCI_REG_RATE_NUM, 1000, 48000 },
	{ AVRING_PCI_REG_RATE_DEN, 1, 1 },
	{ AVRING_PCI_REG_FORMAT, 0x56595559, AVRING_PCI_SAMPLE_S16_LE },
	{ AVRING_PCI_REG_WIDTH, 64, 0 },
	{ AVRING_PCI_REG_HEIGHT, 16, 0 },
	{ AVRING_PCI_REG_BYTESPERLINE, 128, 0 },
	{ AVRING_PCI_REG_CHANNEL_COUNT, 0, 2 },
	{ AVRING_PCI_REG_CHUNK_FRAMES, 0, 48 },
};

/* One page each for descriptors and completions: up to 256 and 128. */
void board_setup(struct board_channel *channel, struct board *board, unsigned int number,
		 uint32_t descs, uint32_t dones)
{
	unsigned int i;

	*channel = (struct board_channel){
		.board = board,
		.number = number,
		.descs = board_alloc(BOARD_PAGE),
		.dones = board_alloc(BOARD_PAGE),
		.done_count = dones,
	};
	for (i = 0; i < TAP_COUNT(board_defaults); i++)
		board_set(channel, board_defaults[i].reg,
			  number ? board_defaults[i].audio : board_defaults[i].video);
	board_set64(channel, AVRING_PCI_REG_DESC_BASE, board_address(channel->descs.data));
	board_set(channel, AVRING_PCI_REG_DESC_COUNT, descs);
	board_set64(channel, AVRING_PCI_REG_DONE_BASE, board_address(channel->dones.data));
	board_set(channel, AVRING_PCI_REG_DONE_COUNT, dones);
}

/* The next descriptor, which does not cross a page; TAIL is the caller's. */
void board_describe(struct board_channel *channel, const void *at, uint32_t bytes, uint16_t flags,
		    uint16_t cookie)
{
	uint32_t count = board_get(channel, AVRING_PCI_REG_DESC_COUNT);
	uint8_t *desc = channel->descs.data + channel->given++ % count * AVRING_PCI_DESC_SIZE;
	uint64_t address = board_address(at);

	memcpy(desc, &address, 8);
	memcpy(desc + 8, &bytes, 4);
	memcpy(desc + 12, &flags, 2);
	memcpy(desc + 14, &cookie, 2);
	__sync_synchronize();
}

bool board_next(struct board_channel *channel, struct board_done *done)
{
	const struct board_done *entry = (struct board_done *)channel->dones.data +
					 channel->taken % channel->done_count;
	uint32_t phase = channel->taken / channel->done_count % 2 ? 0 : AVRING_PCI_DONE_PHASE;
	uint32_t flags = __atomic_load_n(&entry->flags, __ATOMIC_ACQUIRE);

	if ((flags & AVRING_PCI_DONE_PHASE) != phase)
		return false;
	*done = *entry;
	done->flags &= ~AVRING_PCI_DONE_PHASE;
	channel->taken++;
	return true;
}

/* A completion within five seconds of the card's clock. */
void board_wait(struct board_channel *channel, struct board_done *done)
{
	uint64_t end = board_time(channel->board) + 5000000000ULL;

	while (!board_next(channel, done)) {
		tap_check(board_time(channel->board) < end,
			  "no completion %u within 5 s, state %#x, fault %#x", channel->taken,
			  board_get(channel, AVRING_PCI_REG_STATE),
			  board_read(channel->board, AVRING_PCI_REG_FAULT_CODE));
		board_pause();
	}
}

/* All completions that were seen are free again. */
void board_release(struct board_channel *channel)
{
	board_set(channel, AVRING_PCI_REG_DONE_TAKEN, channel->taken);
}

void board_stop(struct board_channel *channel)
{
	uint64_t end = board_time(channel->board) + 100000000;

	board_set(channel, AVRING_PCI_REG_CTRL, 0);
	while (board_get(channel, AVRING_PCI_REG_STATE) & AVRING_PCI_CHANNEL_BUSY) {
		tap_check(board_time(channel->board) < end, "BUSY for more than 100 ms");
		board_pause();
	}
}
