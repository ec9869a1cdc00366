/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * avcard: the card of Documentation/driver-api/media/drivers/avring-pci.rst as a device of QEMU.
 *
 * avcard.c		the PCI function: configuration, registers, events, properties
 * avcard_check.c	refuses another QEMU than it was built for
 * avcard_clock.c	its clock
 * avcard_channel.c	what a channel does: descriptors, frames, completions
 * avcard_source.c	what is in a frame
 *
 * The lock of everything is QEMU's big one. A thread of the card's own does the work, so
 * that the processors of the guest go on meanwhile; it drops the lock between two pieces
 * of a frame, and looks at channel->epoch when it has it again. With vclock=on there is
 * no thread: the timer does the work, each frame at one instant of the guest's clock.
 */
#ifndef AVCARD_H
#define AVCARD_H

#include "qemu/osdep.h"
#include "qemu/main-loop.h"
#include "qemu/thread.h"
#include "qemu/timer.h"
#include "hw/pci/pci.h"

#include "driver/pci/regs.h"
#include "avcard_source.h"

#define AVCARD_MAX_SEGMENT 0x100000
#define AVCARD_MAX_FRAME 0x4000000
#define AVCARD_CHANNEL_REGS (0x80 / 4)
#define AVCARD_LATE_NS 250000000ULL /* what the card lets itself be late */

/* One descriptor; start is its place in the buffer or ring. */
struct avcard_segment {
	uint64_t addr;
	uint64_t start;
	uint32_t bytes;
};

enum avcard_run { AVCARD_IDLE, AVCARD_RUNNING, AVCARD_STOPPING };

struct avcard_channel {
	struct avcard *card;
	unsigned int number;
	uint32_t regs[AVCARD_CHANNEL_REGS]; /* as written; do not change while it runs */
	enum avcard_run run;
	bool prepared; /* descriptors of a ring, pictures: done at the first look after RUN */
	bool at_work; /* the thread is in the middle of a frame */
	bool fault;
	bool hung; /* STATE.BUSY stays, see hang_busy */
	uint32_t epoch; /* changes whenever the work at hand is void */

	uint64_t next; /* event number of the next frame; of a chunk's first sample frame */
	uint32_t sequence;
	uint32_t head; /* descriptors taken, or frames written to a ring */
	uint32_t done; /* completions written */
	uint32_t untold; /* of these since the last interrupt */
	uint32_t cookie;
	uint32_t starts; /* since power-on */
	uint64_t position;

	struct avcard_segment *segments;
	uint32_t segment_count;
	uint64_t total; /* their bytes */

	struct avcard_source source;
	struct avcard_line line;
	char *path;
	int frames; /* written since power-on, for the count of every fault and for tests */
	uint64_t poke_until_ns;
};

/* What a property makes go wrong; 0 is right. "Every" counts the frames of a channel. */
struct avcard_faults {
	bool clear; /* makes all the others 0 */
	bool dead;
	bool stall_dma;
	bool no_signal;
	bool hang_busy;
	bool write_after_stop;
	bool dup_irq;
	bool flood;
	bool time_stop;
	int32_t drop_irq_every;
	int32_t spurious_irq_hz;
	int32_t short_every;
	int32_t bad_cookie_every;
	int32_t bad_position_every;
	int32_t bad_bytes_every;
	int32_t desc_loop_every;
	int32_t seq_jump_every;
	int32_t bad_time_every;
	int32_t old_first_every;
	int32_t clock_ppm;
	int32_t clock_jump_ms;
};

struct avcard {
	PCIDevice pci;
	MemoryRegion regs;
	MemoryRegion window; /* BAR 2: the memory, and all ones over it when dead */
	MemoryRegion memory;
	MemoryRegion ones[2];

	/* given when it is made */
	bool vclock;
	bool loop;
	uint32_t address_bits;
	uint64_t window_size;
	uint64_t clock_start;

	struct avcard_faults faults;
	struct avcard_channel channels[AVRING_PCI_CHANNELS];

	/* The clock: card_ns of the card is host_ns of QEMU_CLOCK_VIRTUAL. */
	uint64_t card_ns;
	uint64_t host_ns;
	int32_t ppm;
	uint32_t time_hi;
	uint64_t stopped_ns; /* what TIME shows, see time_stop */

	bool signal;
	uint32_t events;
	uint32_t events_enable;
	uint32_t fault_code;
	uint64_t fault_addr;
	uint32_t scratch;
	int32_t interrupts; /* sent since power-on */
	uint32_t drop_count;

	QEMUTimer timer; /* the next frame */
	QEMUTimer poke_timer; /* of the faults that need one */
	QemuThread thread;
	QemuSemaphore wake;
	bool quit;
};

/* avcard.c */
void avcard_interrupt(struct avcard *card, unsigned int vector);
void avcard_event(struct avcard *card, uint32_t event);
void avcard_update_signal(struct avcard *card);
void avcard_start_poking(struct avcard *card);

/* avcard_check.c */
void avcard_check_qemu(void);

/* avcard_clock.c */
uint64_t avcard_now(struct avcard *card);
uint64_t avcard_shown_time(struct avcard *card);
int64_t avcard_host_time(struct avcard *card, uint64_t card_ns);
void avcard_kick(struct avcard *card);
void avcard_set_ppm(struct avcard *card);
void avcard_jump(struct avcard *card);
void avcard_stop_time(struct avcard *card);

/* avcard_channel.c */
uint32_t avcard_channel_read(struct avcard_channel *channel, unsigned int reg);
void avcard_channel_write(struct avcard_channel *channel, unsigned int reg, uint32_t value);
void avcard_channel_reset(struct avcard_channel *channel);
bool avcard_channel_poke(struct avcard_channel *channel);
void avcard_work(struct avcard *card);

static inline uint32_t avcard_reg(const struct avcard_channel *channel, unsigned int reg)
{
	return channel->regs[reg / 4];
}

static inline uint64_t avcard_reg64(const struct avcard_channel *channel, unsigned int reg)
{
	return channel->regs[reg / 4] | (uint64_t)channel->regs[reg / 4 + 1] << 32;
}

#endif
