/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * avring: the PCI card without what it is used for: its registers, its channels with
 * their descriptors and completions, its clock. See avring-pci.rst.
 *
 * Each channel has an owner (picture, sound), who starts and stops it, and gives it
 * memory. A channel says when a frame has landed. It knows nothing of V4L2 and ALSA.
 *
 * The channel's lock is inside of the owner's locks that may sleep; under it the owner may
 * take spinlocks.
 */
#ifndef AVRING_PCI_H
#define AVRING_PCI_H

#include <linux/mutex.h>
#include <linux/types.h>
#include <linux/workqueue.h>

#include "clock.h"
#include "pci/regs.h"
#include "pci/servo.h"

struct avring_dma;
struct avring_pci;
struct pci_dev;
struct sg_table;

/**
 * struct avring_pci_config - what a channel captures
 * @rate: frames (sound: sample frames) per second
 * @frame_bytes: of a picture or a chunk
 * @format: V4L2_PIX_FMT_* or AVRING_PCI_SAMPLE_*
 * @width: pixels; picture only, as are the next two
 * @height: lines
 * @bytesperline: of the first plane
 * @channels: of a sample frame; sound only, as is the next
 * @chunk_frames: sample frames of a chunk
 * @input: AVRING_PCI_INPUT_REG_*
 * @pattern: AVRING_PCI_PATTERN_REG_*
 * @align: cyclic: frames begin at multiples of this power of two, 1 to 4096
 */
struct avring_pci_config {
	struct avring_rate rate;
	u32 frame_bytes;
	u32 format;
	u32 width;
	u32 height;
	u32 bytesperline;
	u32 channels;
	u32 chunk_frames;
	u32 input;
	u32 pattern;
	u32 align;
};

/**
 * struct avring_pci_frame - a frame that has landed
 * @tag: its position (cyclic); queued: it is in the buffer that was given first
 * @mono_ns: CLOCK_MONOTONIC of its first pixel or sample; later than that of any frame before,
 *	and not in the future by more than AVRING_PCI_OFF_NS
 * @event: number of that on the card's timeline; sound counts sample frames
 * @bytes: written, at most those of the configuration
 * @flags: AVRING_PCI_DONE_*
 * @jumps: of the card's clock before it; numbers of frames that differ in this do not compare
 */
struct avring_pci_frame {
	u64 tag;
	u64 mono_ns;
	u64 event;
	u32 bytes;
	u32 flags;
	u32 jumps;
};

/**
 * struct avring_pci_count - how an owner numbers what lands
 * @begun: something has landed
 * @rate: of the numbers of the timeline
 * @origin: number on the timeline of sequence 0
 * @next: sequence of what comes next if nothing is lost
 * @next_ns: CLOCK_MONOTONIC of that
 * @jumps: of the card's clock before what landed last
 */
struct avring_pci_count {
	bool begun;
	struct avring_rate rate;
	u64 origin;
	u64 next;
	u64 next_ns;
	u32 jumps;
};

u64 avring_pci_sequence(struct avring_pci_count *count, struct avring_rate rate,
			const struct avring_pci_frame *frame, u32 units);

/**
 * struct avring_pci_channel_ops - the owner of a channel
 * @landed: a frame is in memory. -EPROTO: it is not one that was asked for; then the
 *	channel is stopped and @restart called
 * @restart: the channel does not run (after a suspend, a reset, or because it did what it
 *	must not): start it again if it is wanted. What it lost is lost. May fail
 * @failed: the channel has stopped and will not run again before its owner starts it:
 *	-EIO, or -ENODEV the card is gone
 *
 * All are required, and run in process context with the channel's lock held. They may
 * start and stop the channel; @landed may not.
 */
struct avring_pci_channel_ops {
	int (*landed)(void *data, const struct avring_pci_frame *frame);
	int (*restart)(void *data);
	void (*failed)(void *data, int err);
};

/*
 * How far the time of a frame may be before its channel's start, and in the future. No more than
 * our idea of the card's clock may be off.
 */
#define AVRING_PCI_OFF_NS	((u64)AVRING_SERVO_MAX_ERROR_NS)

/* So many buffers can be with the card at once. */
#define AVRING_PCI_MAX_GIVEN	128

/**
 * struct avring_pci_channel - a channel
 * @pci: the card
 * @index: AVRING_PCI_VIDEO or AVRING_PCI_AUDIO
 * @ops: the owner, set before the card is shown to anybody
 * @data: its argument
 * @lock: guards the rest
 * @desc: descriptors, coherent memory
 * @desc_bus: where the card sees them
 * @desc_count: how many there is room for
 * @desc_bytes: of that memory; kept from one start to the next
 * @done: completions, coherent memory
 * @done_bus: where the card sees them
 * @config: of the current start
 * @position: cyclic: of the first frame of it
 * @running: from a start to a stop or a failure
 * @cyclic: the mode
 * @tail: what was written to TAIL
 * @ends: queued: TAIL behind each buffer that was given, by its cookie
 * @given: queued: buffers given since the start; low bits: the next cookie
 * @freed: queued: descriptors that the card has done with
 * @taken: completions read since the start
 * @last_event: of the last frame; @landed_any says if there is one
 * @landed_any: a frame has landed since the start
 * @sequence: the card's, of the last frame
 * @jumps: of the card's clock before the start
 * @line: number of the servo's line by which the last frame was shown, or the start made
 * @earliest_ns: CLOCK_MONOTONIC that no frame that comes now may have been before
 * @shown_ns: that of the last frame of all
 * @shown_card_ns: card time of that
 * @progress: completions and drops when the watchdog last looked
 * @progress_ns: CLOCK_MONOTONIC when they last changed
 * @breaches: restarts because of a breach of protocol, since a frame has landed well
 * @recent: breaches within a second
 * @recent_ns: CLOCK_MONOTONIC of the first of them
 */
struct avring_pci_channel {
	struct avring_pci *pci;
	unsigned int index;
	const struct avring_pci_channel_ops *ops;
	void *data;

	struct mutex lock;
	struct avring_pci_desc *desc;
	dma_addr_t desc_bus;
	u32 desc_count;
	size_t desc_bytes;
	struct avring_pci_done *done;
	dma_addr_t done_bus;
	struct avring_pci_config config;
	u64 position;
	bool running;
	bool cyclic;
	u32 tail;
	u32 ends[AVRING_PCI_MAX_GIVEN];
	u32 given;
	u32 freed;
	u32 taken;
	u64 last_event;
	bool landed_any;
	u32 sequence;
	u32 jumps;
	u32 line;
	u64 earliest_ns;
	u64 shown_ns;
	u64 shown_card_ns;
	u64 progress;
	u64 progress_ns;
	unsigned int breaches;
	unsigned int recent;
	u64 recent_ns;
};

/**
 * enum avring_pci_state - may channels run?
 * @AVRING_PCI_UP: they may
 * @AVRING_PCI_PAUSED: not now; a start is accepted, and a restart follows
 * @AVRING_PCI_BROKEN: no; -EIO
 * @AVRING_PCI_GONE: never again; -ENODEV
 */
enum avring_pci_state {
	AVRING_PCI_UP,
	AVRING_PCI_PAUSED,
	AVRING_PCI_BROKEN,
	AVRING_PCI_GONE,
};

/**
 * struct avring_pci - the card
 * @pdev: its function
 * @regs: BAR 0
 * @servo: the card's clock
 * @clock_ns: CLOCK_MONOTONIC when that was last read
 * @jumps: how often it has jumped, less one for each minute
 * @forgiven_ns: CLOCK_MONOTONIC from which on the present minute counts
 * @channels: by AVRING_PCI_VIDEO, AVRING_PCI_AUDIO
 * @watchdog: looks at the card while a channel runs
 * @lock: guards @users, changes of @state, and readings of the clock with what is known of it
 * @users: running channels
 * @unused_ns: CLOCK_MONOTONIC when there was last one
 * @irqs: vectors that have their handlers; probe and remove
 * @max_segment: bytes of a descriptor
 * @state: changes under @lock; who changes it then takes each channel's lock, and who looks
 *	holds one. GONE stays
 * @signal_changed: the line has got or lost its signal; process context. Set before
 *	avring_pci_enable(), as are the next two
 * @vanished: the card does not answer any more; called once, from the watchdog
 * @data: their argument
 */
struct avring_pci {
	struct pci_dev *pdev;
	void __iomem *regs;
	struct avring_servo servo;
	u64 clock_ns;
	unsigned int jumps;
	u64 forgiven_ns;
	struct avring_pci_channel channels[AVRING_PCI_CHANNELS];
	struct delayed_work watchdog;
	struct mutex lock;
	unsigned int users;
	u64 unused_ns;
	unsigned int irqs;
	u32 max_segment;
	enum avring_pci_state state;
	void (*signal_changed)(void *data);
	void (*vanished)(void *data);
	void *data;
};

extern struct workqueue_struct *avring_pci_queue;

int avring_pci_init(struct avring_pci *pci, struct pci_dev *pdev);
int avring_pci_enable(struct avring_pci *pci);
void avring_pci_disable(struct avring_pci *pci);
void avring_pci_exit(struct avring_pci *pci);
void avring_pci_pause(struct avring_pci *pci);
bool avring_pci_break(struct avring_pci *pci, enum avring_pci_state state);
int avring_pci_resume(struct avring_pci *pci);
int avring_pci_reset(struct avring_pci *pci);

int avring_pci_start_queued(struct avring_pci_channel *ch, const struct avring_pci_config *config);
int avring_pci_start_cyclic(struct avring_pci_channel *ch, const struct avring_pci_config *config,
			    const struct avring_dma *memory, u64 position);
void avring_pci_stop(struct avring_pci_channel *ch);
void avring_pci_orphan(struct avring_pci_channel *ch);
int avring_pci_give(struct avring_pci_channel *ch, const struct sg_table *sgt, size_t length);
void avring_pci_grant(struct avring_pci_channel *ch, u32 frames);
bool avring_pci_signal(struct avring_pci *pci);

#endif
