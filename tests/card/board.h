/* SPDX-License-Identifier: MIT */
/*
 * board: a PCI card without a driver, by hand, through sysfs. Needs root and no IOMMU.
 */
#ifndef TEST_BOARD_H
#define TEST_BOARD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "driver/pci/regs.h"

/* A card, its registers mapped, memory and bus mastering enabled, freshly reset. */
struct board {
	char path[96]; /* in sysfs */
	volatile uint32_t *regs;
};

/* Locked memory of whole pages that lie anywhere. */
struct board_memory {
	uint8_t *data;
	size_t bytes;
};

/* A completion as it lies in memory. */
struct board_done {
	uint64_t where;
	uint64_t time_ns;
	uint32_t sequence;
	uint32_t bytes;
	uint32_t zero;
	uint32_t flags;
};

/* What a channel is given; board_setup() writes it all. */
struct board_channel {
	struct board *board;
	unsigned int number;
	struct board_memory descs;
	struct board_memory dones;
	uint32_t given; /* descriptors written */
	uint32_t taken; /* completions seen */
	uint32_t done_count;
};

const char *board_missing(void);
void board_open(struct board *board);
void board_quiet(void);
void board_master(struct board *board, bool is_on);
uint32_t board_read(const struct board *board, unsigned int reg);
void board_write(struct board *board, unsigned int reg, uint32_t value);
void board_pause(void);
uint64_t board_time(const struct board *board);
uint64_t board_event_ns(uint32_t num, uint32_t den, uint64_t n);

struct board_memory board_alloc(size_t bytes);
uint64_t board_address(const void *at);

uint32_t board_get(const struct board_channel *channel, unsigned int reg);
void board_set(struct board_channel *channel, unsigned int reg, uint32_t value);
void board_set64(struct board_channel *channel, unsigned int reg, uint64_t value);
void board_setup(struct board_channel *channel, struct board *board, unsigned int number,
		 uint32_t descs, uint32_t dones);
void board_describe(struct board_channel *channel, const void *at, uint32_t bytes, uint16_t flags,
		    uint16_t cookie);
bool board_next(struct board_channel *channel, struct board_done *done);
void board_wait(struct board_channel *channel, struct board_done *done);
void board_release(struct board_channel *channel);
void board_stop(struct board_channel *channel);

#endif
