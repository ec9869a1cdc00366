// SPDX-License-Identifier: GPL-2.0-only
/*
 * avring: the channels of the PCI card. See pci/pci.h.
 *
 * The card is not trusted. It gets the addresses of memory that is its own for the while,
 * and what it writes there is copied once and then checked: a completion for a buffer
 * that it was not given, at another position, larger than a frame, out of order, from before the
 * start or from the future is a breach. The channel is stopped then and its owner starts it
 * again; a card that does nothing else, or does that too often, is broken.
 *
 * Numbers of frames follow from their times, and these go on across restarts: so nobody can send
 * frames faster than time passes, or nearly: but for what AVRING_PCI_OFF_NS has room for on either
 * side, and what AVRING_PCI_SILENT_NS lets somebody save up who was silent.
 */
#include <linux/delay.h>
#include <linux/dma-mapping.h>
#include <linux/iopoll.h>
#include <linux/ktime.h>
#include <linux/lockdep.h>
#include <linux/math64.h>

#include "memory/dma.h"
#include "pci/pci_priv.h"

/* A frame of 35 MB in single pages, and two more such. */
#define AVRING_PCI_N_DESC	32768U

/* So long after a frame was due there was none, and none was dropped. */
#define AVRING_PCI_STALL_S	2

/* Restarts without a good frame between them, and restarts within a second. */
#define AVRING_PCI_MAX_BREACHES	16
#define AVRING_PCI_MAX_RECENT	64

/* Times of frames that follow each other are not nearer: V4L2 shows microseconds. */
#define AVRING_PCI_STEP_NS	NSEC_PER_USEC

/*
 * Where there was nothing to take, no frame follows that ended longer ago: a card that was kept
 * from its work drops what is past after 250 ms.
 */
#define AVRING_PCI_SILENT_NS	NSEC_PER_SEC

/* What a reading of a clock leaves uncertain, generously. */
#define AVRING_PCI_MARGIN_NS	NSEC_PER_MSEC

static bool avring_pci_rests(u32 state)
{
	return state == AVRING_PCI_NOBODY || !(state & AVRING_PCI_CHANNEL_BUSY);
}

/*
 * The card has come to rest or it will not: then it must not reach memory any more, and
 * is not asked to do anything again.
 */
static void avring_pci_halt(struct avring_pci_channel *ch)
{
	struct avring_pci *pci = ch->pci;
	u32 state;

	if (!ch->running)
		return;
	ch->running = false;
	avring_pci_set(ch, AVRING_PCI_REG_CTRL, 0);
	if (read_poll_timeout(avring_pci_get, state, avring_pci_rests(state), 20,
			      AVRING_PCI_STOP_US, false, ch, AVRING_PCI_REG_STATE)) {
		pci_err(pci->pdev, "channel %u does not stop, the card may write no more\n",
			ch->index);
		pci_clear_master(pci->pdev);
		avring_pci_fail(pci);
	}
	avring_pci_unuse(pci);
}

/**
 * avring_pci_end() - a channel has failed
 * @ch: the channel, its lock is held
 * @err: -EIO or -ENODEV, for its owner
 */
void avring_pci_end(struct avring_pci_channel *ch, int err)
{
	avring_pci_halt(ch);
	if (ch->ops)
		ch->ops->failed(ch->data, err);
}

static int avring_pci_room(struct avring_pci_channel *ch, u32 count)
{
	const size_t bytes = (size_t)count * AVRING_PCI_DESC_SIZE;

	if (ch->desc_bytes < bytes) {
		if (ch->desc)
			dma_free_coherent(avring_pci_dev(ch->pci), ch->desc_bytes, ch->desc,
					  ch->desc_bus);
		ch->desc_bytes = 0;
		ch->desc = dma_alloc_coherent(avring_pci_dev(ch->pci), bytes, &ch->desc_bus,
					      GFP_KERNEL);
		if (!ch->desc)
			return -ENOMEM;
		ch->desc_bytes = bytes;
	}
	ch->desc_count = count;
	return 0;
}

static void avring_pci_put_desc(struct avring_pci_channel *ch, u32 index, dma_addr_t addr,
				u32 length, u16 cookie)
{
	ch->desc[index] = (struct avring_pci_desc){
		.addr = cpu_to_le64(addr),
		.length = cpu_to_le32(length),
		.cookie = cpu_to_le16(cookie),
	};
}

/* In so many parts goes a segment. */
static u32 avring_pci_parts(const struct avring_pci *pci, size_t length)
{
	return DIV_ROUND_UP(length, pci->max_segment);
}

static u32 avring_pci_pieces(const struct avring_pci *pci, const struct sg_table *sgt,
			     size_t length)
{
	struct scatterlist *sg;
	u32 count = 0;
	size_t part;
	int i;

	for_each_sgtable_dma_sg(sgt, sg, i) {
		part = min_t(size_t, length, sg_dma_len(sg));
		count += avring_pci_parts(pci, part);
		length -= part;
	}
	return length ? 0 : count;
}

/* Return: the number of the descriptor behind the last. */
static u32 avring_pci_fill(struct avring_pci_channel *ch, const struct sg_table *sgt,
			   size_t length, u32 number, u16 cookie)
{
	struct scatterlist *sg;
	size_t rest, part;
	dma_addr_t addr;
	int i;

	for_each_sgtable_dma_sg(sgt, sg, i) {
		addr = sg_dma_address(sg);
		rest = min_t(size_t, length, sg_dma_len(sg));
		length -= rest;
		for (; rest; rest -= part, addr += part) {
			part = min_t(size_t, rest, ch->pci->max_segment);
			avring_pci_put_desc(ch, number++ % ch->desc_count, addr, part, cookie);
		}
	}
	return number;
}

static void avring_pci_write_config(struct avring_pci_channel *ch)
{
	const struct avring_pci_config *config = &ch->config;

	avring_pci_set64(ch, AVRING_PCI_REG_DESC_BASE, ch->desc_bus);
	avring_pci_set(ch, AVRING_PCI_REG_DESC_COUNT, ch->desc_count);
	avring_pci_set64(ch, AVRING_PCI_REG_DONE_BASE, ch->done_bus);
	avring_pci_set(ch, AVRING_PCI_REG_DONE_COUNT, AVRING_PCI_N_DONE);
	avring_pci_set64(ch, AVRING_PCI_REG_POSITION, ch->position);
	avring_pci_set(ch, AVRING_PCI_REG_ALIGN, config->align);
	avring_pci_set(ch, AVRING_PCI_REG_IRQ_EVERY, 1);
	avring_pci_set(ch, AVRING_PCI_REG_FRAME_BYTES, config->frame_bytes);
	avring_pci_set(ch, AVRING_PCI_REG_RATE_NUM, config->rate.num);
	avring_pci_set(ch, AVRING_PCI_REG_RATE_DEN, config->rate.den);
	avring_pci_set(ch, AVRING_PCI_REG_FORMAT, config->format);
	avring_pci_set(ch, AVRING_PCI_REG_WIDTH, config->width);
	avring_pci_set(ch, AVRING_PCI_REG_HEIGHT, config->height);
	avring_pci_set(ch, AVRING_PCI_REG_BYTESPERLINE, config->bytesperline);
	avring_pci_set(ch, AVRING_PCI_REG_CHANNEL_COUNT, config->channels);
	avring_pci_set(ch, AVRING_PCI_REG_CHUNK_FRAMES, config->chunk_frames);
	avring_pci_set(ch, AVRING_PCI_REG_INPUT, config->input);
	avring_pci_set(ch, AVRING_PCI_REG_PATTERN, config->pattern);
}

static void avring_pci_forget(struct avring_pci_channel *ch)
{
	memset(ch->done, 0, AVRING_PCI_N_DONE * sizeof(*ch->done));
	ch->tail = 0;
	ch->given = 0;
	ch->freed = 0;
	ch->taken = 0;
	ch->landed_any = false;
	ch->progress = 0;
	ch->progress_ns = ktime_get_ns();
}

/*
 * If the clock was ahead on the line of before, times on the new one would go back. So what happens
 * until then is not begun with; a bend is not waited for, and nobody is made wait twice.
 */
static void avring_pci_catch_up(struct avring_pci_channel *ch)
{
	const struct avring_servo_line line = avring_servo_line(&ch->pci->servo);
	const s64 ahead = ch->shown_ns - ktime_get_ns();

	if (line.number != ch->line && ahead > -(s64)AVRING_PCI_MARGIN_NS)
		fsleep(div_u64(min_t(u64, ahead + AVRING_PCI_MARGIN_NS, 2 * AVRING_PCI_OFF_NS),
			       NSEC_PER_USEC));
	ch->jumps = line.jumps;
	ch->line = line.number;
}

static int avring_pci_run(struct avring_pci_channel *ch, u32 ctrl)
{
	u32 state;

	avring_pci_write_config(ch);
	avring_pci_catch_up(ch);
	ch->earliest_ns = ktime_get_ns() - AVRING_PCI_OFF_NS;
	avring_pci_set(ch, AVRING_PCI_REG_CTRL, AVRING_PCI_CTRL_RUN | ctrl);
	ch->running = true;
	state = avring_pci_get(ch, AVRING_PCI_REG_STATE);
	if (!(state & AVRING_PCI_CHANNEL_FAULT))
		return 0;
	if (state == AVRING_PCI_NOBODY)
		avring_pci_look(ch->pci);
	else
		pci_err(ch->pci->pdev, "channel %u refuses its setup\n", ch->index);
	avring_pci_write(ch->pci, AVRING_PCI_REG_EVENTS, AVRING_PCI_EVENT_FAULT);
	avring_pci_halt(ch);
	return state == AVRING_PCI_NOBODY ? -ENODEV : -EIO;
}

/* Return: 0 to go on; 1 the card is paused, and the owner's restart will be called. */
static int avring_pci_begin(struct avring_pci_channel *ch, const struct avring_pci_config *config)
{
	int err = avring_pci_state_error(ch->pci);

	lockdep_assert_held(&ch->lock);
	if (err)
		return err;
	if (WARN_ON(ch->running))
		return -EBUSY;
	if (ch->pci->state == AVRING_PCI_PAUSED)
		return 1;
	ch->config = *config;
	avring_pci_forget(ch);
	return 0;
}

static int avring_pci_go(struct avring_pci_channel *ch, u32 ctrl)
{
	int err = avring_pci_use(ch->pci);

	if (err)
		return err;
	ch->cyclic = ctrl & AVRING_PCI_CTRL_CYCLIC;
	return avring_pci_run(ch, ctrl);
}

/**
 * avring_pci_start_queued() - let a channel write to buffers that are given to it
 * @ch: a channel that does not run, its lock is held
 * @config: what it captures
 *
 * While the card is paused nothing happens; avring_pci_channel_ops.restart will come.
 *
 * Return: 0, -EIO, -ENOMEM, -ENODEV.
 */
int avring_pci_start_queued(struct avring_pci_channel *ch, const struct avring_pci_config *config)
{
	int err = avring_pci_begin(ch, config);

	if (!err)
		err = avring_pci_room(ch, AVRING_PCI_N_DESC);
	if (err)
		return min(err, 0);
	return avring_pci_go(ch, 0);
}

/**
 * avring_pci_start_cyclic() - let a channel write a memory round and round
 * @ch: a channel that does not run, its lock is held
 * @config: what it captures
 * @memory: mapped for the card; stays until the channel is stopped
 * @position: of the first frame
 *
 * It begins when it is granted a frame, see avring_pci_grant(). While the card is paused
 * nothing happens, as in avring_pci_start_queued().
 *
 * Return: 0, -EIO, -ENOMEM, -ENODEV; -EINVAL the memory is in too many pieces.
 */
int avring_pci_start_cyclic(struct avring_pci_channel *ch, const struct avring_pci_config *config,
			    const struct avring_dma *memory, u64 position)
{
	struct scatterlist *sg;
	size_t length = 0;
	u32 count;
	int err = avring_pci_begin(ch, config);
	int i;

	if (err)
		return min(err, 0);
	for_each_sgtable_dma_sg(&memory->sgt, sg, i)
		length += sg_dma_len(sg);
	count = avring_pci_pieces(ch->pci, &memory->sgt, length);
	if (count > AVRING_PCI_MAX_COUNT)
		return -EINVAL;
	err = avring_pci_room(ch, count);
	if (err)
		return err;
	avring_pci_fill(ch, &memory->sgt, length, 0, 0);
	ch->position = position;
	return avring_pci_go(ch, AVRING_PCI_CTRL_CYCLIC);
}

/**
 * avring_pci_orphan() - stop a channel for good, its owner goes
 * @ch: the channel
 */
void avring_pci_orphan(struct avring_pci_channel *ch)
{
	mutex_lock(&ch->lock);
	avring_pci_halt(ch);
	ch->ops = NULL;
	mutex_unlock(&ch->lock);
}

/* Where a clock has jumped the other one knows what is missing, nearly. */
static u64 avring_pci_missing(const struct avring_pci_count *count, struct avring_rate rate,
			      const struct avring_pci_frame *frame)
{
	if (count->jumps == frame->jumps || frame->mono_ns <= count->next_ns)
		return 0;
	return avring_clock_event_at(rate, frame->mono_ns - count->next_ns);
}

/**
 * avring_pci_sequence() - number what has landed
 * @count: of the stream
 * @rate: of the numbers of the timeline
 * @frame: that has landed
 * @units: how many it counts for
 *
 * What is missing on the timeline is missing in the sequence. Where the timeline is
 * another one (of another rate, or of a clock that was switched off) nobody knows what is
 * missing, and the sequence goes on. After a jump of the clock as much is missing as
 * CLOCK_MONOTONIC says.
 *
 * Return: the sequence.
 */
u64 avring_pci_sequence(struct avring_pci_count *count, struct avring_rate rate,
			const struct avring_pci_frame *frame, u32 units)
{
	u64 sequence;

	if (!count->begun)
		count->origin = frame->event - count->next;
	else if (rate.num != count->rate.num || rate.den != count->rate.den ||
		 count->jumps != frame->jumps ||
		 (s64)(frame->event - count->origin - count->next) < 0)
		count->origin = frame->event - count->next -
				avring_pci_missing(count, rate, frame);
	count->begun = true;
	count->rate = rate;
	count->jumps = frame->jumps;
	sequence = frame->event - count->origin;
	count->next = sequence + units;
	count->next_ns = frame->mono_ns + avring_clock_event_ns(rate, units);
	return sequence;
}

/**
 * avring_pci_stop() - stop a channel
 * @ch: the channel, its lock is held; need not run
 *
 * When it returns the card writes no more.
 */
void avring_pci_stop(struct avring_pci_channel *ch)
{
	lockdep_assert_held(&ch->lock);
	avring_pci_halt(ch);
}

/**
 * avring_pci_give() - give a channel a buffer
 * @ch: runs in queued mode, its lock is held
 * @sgt: the buffer, mapped for the card
 * @length: bytes of it that may be written
 *
 * Buffers are filled in the order in which they are given.
 *
 * Return: 0; -ENOSPC there is no room until a frame has landed; -EINVAL the buffer is
 * shorter than @length.
 */
int avring_pci_give(struct avring_pci_channel *ch, const struct sg_table *sgt, size_t length)
{
	const u32 count = avring_pci_pieces(ch->pci, sgt, length);

	if (!count || count > ch->desc_count)
		return -EINVAL;
	if (count > ch->desc_count - (ch->tail - ch->freed) ||
	    ch->given - ch->taken >= AVRING_PCI_MAX_GIVEN)
		return -ENOSPC;
	ch->tail = avring_pci_fill(ch, sgt, length, ch->tail, ch->given);
	ch->desc[(ch->tail - 1) % ch->desc_count].flags = cpu_to_le16(AVRING_PCI_DESC_LAST);
	ch->ends[ch->given++ % AVRING_PCI_MAX_GIVEN] = ch->tail;
	/* After the descriptors: writel(). */
	avring_pci_set(ch, AVRING_PCI_REG_TAIL, ch->tail);
	return 0;
}

/**
 * avring_pci_grant() - allow a channel to write frames
 * @ch: its lock is held; if it does not run in cyclic mode nothing happens
 * @frames: so many since its start; never fewer than before
 *
 * What readers may see of the memory they go to has been given up before.
 */
void avring_pci_grant(struct avring_pci_channel *ch, u32 frames)
{
	if (!ch->running || !ch->cyclic || ch->tail == frames)
		return;
	ch->tail = frames;
	/* After the tails of rings: writel(). */
	avring_pci_set(ch, AVRING_PCI_REG_TAIL, frames);
}

static u32 avring_pci_unit(const struct avring_pci_channel *ch)
{
	return ch->index == AVRING_PCI_AUDIO ? ch->config.chunk_frames : 1;
}

/* What the card may say of a frame at all. Return: NULL, or what is wrong. */
static const char *avring_pci_judge(const struct avring_pci_channel *ch,
				    const struct avring_pci_frame *frame, u32 sequence)
{
	const u64 latest_ns = ktime_get_ns() + AVRING_PCI_OFF_NS;

	if (frame->bytes > ch->config.frame_bytes)
		return "more bytes than a frame has";
	if (!ch->cyclic && (ch->given == ch->taken || frame->tag != (u16)ch->taken))
		return "a buffer that was not its turn";
	if (ch->cyclic && ch->taken == ch->tail)
		return "a frame that was not granted";
	/* Unsigned, from the start on: so nothing is too far away to be seen as that. */
	if (frame->mono_ns - ch->earliest_ns > latest_ns - ch->earliest_ns)
		return "a time before its start or in the future";
	if (frame->mono_ns < ch->shown_ns + AVRING_PCI_STEP_NS)
		return "a time before that of the last frame";
	if (!ch->landed_any)
		return NULL;
	if (frame->event < ch->last_event + avring_pci_unit(ch))
		return "a frame from the past";
	if (sequence - ch->sequence != (u32)(frame->event - ch->last_event))
		return "a sequence that does not fit the time";
	return NULL;
}

/*
 * A bend of the line may move a frame to before the last one, nearly: it is behind that on the
 * card's own clock.
 */
static void avring_pci_straighten(const struct avring_pci_channel *ch,
				  struct avring_pci_frame *frame, u64 card_ns)
{
	if (ch->landed_any && (s64)(card_ns - ch->shown_card_ns) > 0)
		frame->mono_ns = max_t(u64, frame->mono_ns, ch->shown_ns + AVRING_PCI_STEP_NS);
}

/* What the channel works on is void; what it lost is lost. */
static void avring_pci_again(struct avring_pci_channel *ch)
{
	int err;

	avring_pci_halt(ch);
	err = ch->ops->restart(ch->data);
	if (err)
		avring_pci_end(ch, err);
}

/* A card that is stopped and started all the time would leave the processor to nobody. */
static bool avring_pci_overdoes(struct avring_pci_channel *ch)
{
	const u64 now = ktime_get_ns();

	if (now - ch->recent_ns >= NSEC_PER_SEC) {
		ch->recent_ns = now;
		ch->recent = 0;
	}
	return ch->breaches++ >= AVRING_PCI_MAX_BREACHES ||
	       ch->recent++ >= AVRING_PCI_MAX_RECENT;
}

static void avring_pci_breach(struct avring_pci_channel *ch, const char *what)
{
	dev_warn_ratelimited(avring_pci_dev(ch->pci), "channel %u: the card tells of %s\n",
			     ch->index, what);
	if (!avring_pci_overdoes(ch)) {
		avring_pci_again(ch);
		return;
	}
	pci_err(ch->pci->pdev, "channel %u: the card tells of %s, too often\n", ch->index, what);
	avring_pci_end(ch, -EIO);
}

/*
 * A completion, copied once: the card may write to it at any time.
 *
 * What everybody is shown of its time, in the ring and in buffers, is made here, and compared with
 * what was shown before: it goes on, whatever the card's clock has done.
 */
static int avring_pci_land(struct avring_pci_channel *ch, const struct avring_pci_done *done,
			   u32 flags)
{
	const struct avring_servo_line line = avring_servo_line(&ch->pci->servo);
	const u64 card_ns = le64_to_cpu(READ_ONCE(done->time_ns));
	struct avring_pci_frame frame = {
		.tag = le64_to_cpu(READ_ONCE(done->tag)),
		.mono_ns = avring_servo_mono_ns(&line, card_ns),
		.event = avring_clock_event_at(ch->config.rate, card_ns),
		.bytes = le32_to_cpu(READ_ONCE(done->bytes)),
		.flags = flags & ~AVRING_PCI_DONE_PHASE,
		.jumps = line.jumps,
	};
	const u32 sequence = le32_to_cpu(READ_ONCE(done->sequence));
	const char *wrong;

	/* Of which clock is this the time? And if a slew takes it back, that is not the card's. */
	if (line.jumps != ch->jumps ||
	    (line.number != ch->line && frame.mono_ns < ch->shown_ns + AVRING_PCI_STEP_NS)) {
		avring_pci_again(ch);
		return -EPROTO;
	}
	if (line.number == ch->line)
		avring_pci_straighten(ch, &frame, card_ns);
	wrong = avring_pci_judge(ch, &frame, sequence);
	if (!wrong) {
		if (!ch->cyclic)
			ch->freed = ch->ends[ch->taken % AVRING_PCI_MAX_GIVEN];
		ch->taken++;
		if (ch->ops->landed(ch->data, &frame))
			wrong = "a frame in the wrong place";
	}
	if (wrong) {
		avring_pci_breach(ch, wrong);
		return -EPROTO;
	}
	ch->line = line.number;
	ch->shown_ns = frame.mono_ns;
	ch->shown_card_ns = card_ns;
	ch->last_event = frame.event;
	ch->sequence = sequence;
	ch->landed_any = true;
	ch->breaches = 0;
	return 0;
}

/* The phase is 1 in the first lap, 0 in the second, and so on. */
static bool avring_pci_is_new(const struct avring_pci_channel *ch, u32 flags)
{
	return !!(flags & AVRING_PCI_DONE_PHASE) == !(ch->taken / AVRING_PCI_N_DONE & 1);
}

static u64 avring_pci_frame_ns(const struct avring_pci_channel *ch)
{
	return avring_clock_event_ns(ch->config.rate, avring_pci_unit(ch));
}

/* There is nothing to take. So time cannot be saved up, and spent in a flood. */
static void avring_pci_silent(struct avring_pci_channel *ch)
{
	const s64 since_ns = ktime_get_ns() - ch->earliest_ns;
	const s64 most_ns = AVRING_PCI_SILENT_NS + avring_pci_frame_ns(ch);

	if (since_ns > most_ns)
		ch->earliest_ns += since_ns - most_ns;
}

/* At most a lap at once: the card could go on for ever. */
static void avring_pci_take(struct avring_pci_channel *ch)
{
	const struct avring_pci_done *done;
	unsigned int n;
	u32 flags;

	for (n = 0; n < AVRING_PCI_N_DONE && ch->running; n++) {
		done = &ch->done[ch->taken % AVRING_PCI_N_DONE];
		flags = le32_to_cpu(READ_ONCE(done->flags));
		if (!avring_pci_is_new(ch, flags)) {
			avring_pci_silent(ch);
			break;
		}
		dma_rmb();	/* the rest after the flags, which the card writes last */
		if (avring_pci_land(ch, done, flags))
			return;
	}
	if (n && ch->running)
		avring_pci_set(ch, AVRING_PCI_REG_DONE_TAKEN, ch->taken);
}

/**
 * avring_pci_channel_irq() - frames have landed, perhaps
 * @irq: unused
 * @data: the channel
 *
 * Return: IRQ_HANDLED.
 */
irqreturn_t avring_pci_channel_irq(int irq, void *data)
{
	struct avring_pci_channel *ch = data;

	mutex_lock(&ch->lock);
	avring_pci_take(ch);
	mutex_unlock(&ch->lock);
	return IRQ_HANDLED;
}

static bool avring_pci_faulted(struct avring_pci_channel *ch)
{
	struct avring_pci *pci = ch->pci;
	const u32 state = avring_pci_get(ch, AVRING_PCI_REG_STATE);
	u64 low, high;

	if (!(state & AVRING_PCI_CHANNEL_FAULT))
		return false;
	if (state == AVRING_PCI_NOBODY) {
		avring_pci_look(pci);
		return false;
	}
	low = avring_pci_read(pci, AVRING_PCI_REG_FAULT_ADDR);
	high = avring_pci_read(pci, AVRING_PCI_REG_FAULT_ADDR + 4);
	pci_err(pci->pdev, "channel %u has stopped: fault %#x at %#llx\n", ch->index,
		avring_pci_read(pci, AVRING_PCI_REG_FAULT_CODE), high << 32 | low);
	avring_pci_write(pci, AVRING_PCI_REG_EVENTS, AVRING_PCI_EVENT_FAULT);
	return true;
}

static bool avring_pci_stalled(struct avring_pci_channel *ch)
{
	const u64 progress = (u64)ch->taken << 32 | avring_pci_get(ch, AVRING_PCI_REG_DROPPED);
	const u64 now = ktime_get_ns();

	if (progress != ch->progress) {
		ch->progress = progress;
		ch->progress_ns = now;
	}
	if (now - ch->progress_ns < AVRING_PCI_STALL_S * NSEC_PER_SEC + avring_pci_frame_ns(ch))
		return false;
	pci_err(ch->pci->pdev, "channel %u sends nothing\n", ch->index);
	return true;
}

/**
 * avring_pci_watch() - look at a channel without having been told to
 * @ch: the channel
 */
void avring_pci_watch(struct avring_pci_channel *ch)
{
	int err;

	mutex_lock(&ch->lock);
	avring_pci_take(ch);
	if (ch->running && ch->jumps != avring_servo_line(&ch->pci->servo).jumps)
		avring_pci_again(ch);
	if (ch->running) {
		err = avring_pci_state_error(ch->pci);
		if (!err && (avring_pci_faulted(ch) || avring_pci_stalled(ch)))
			err = -EIO;
		if (err)
			avring_pci_end(ch, err);
	}
	mutex_unlock(&ch->lock);
}
