// SPDX-License-Identifier: GPL-2.0-only
/*
 * avcard: what a channel does. See avcard.h.
 */
#include "avcard.h"

/* ---------------------------------------------------------------- coming to rest */

/* Is this frame one of every n? 0 is never. */
static bool avcard_every(const struct avcard_channel *channel, int32_t n)
{
	return n && channel->frames % n == n - 1;
}

static void avcard_tell(struct avcard_channel *channel)
{
	if (!channel->untold)
		return;
	channel->untold = 0;
	avcard_interrupt(channel->card, AVRING_PCI_VECTOR_CHANNEL(channel->number));
}

/* From here on host memory is left alone. */
static void avcard_rest(struct avcard_channel *channel)
{
	struct avcard *card = channel->card;

	channel->run = AVCARD_IDLE;
	channel->regs[AVRING_PCI_REG_CTRL / 4] &= ~AVRING_PCI_CTRL_RUN;
	channel->epoch++;
	channel->hung = card->faults.hang_busy;
	avcard_tell(channel);
	channel->line.played = 0;
	channel->line.ended = false;
	avcard_update_signal(card);
	if (!card->faults.write_after_stop || !channel->segment_count)
		return;
	channel->poke_until_ns = avcard_now(card) + 50000000;
	avcard_start_poking(card);
}

static void avcard_fault(struct avcard_channel *channel, uint32_t code, uint64_t addr)
{
	struct avcard *card = channel->card;

	if (!(card->events & AVRING_PCI_EVENT_FAULT)) {
		card->fault_code = code | channel->number << 8;
		card->fault_addr = addr;
	}
	channel->fault = true;
	avcard_rest(channel);
	avcard_event(card, AVRING_PCI_EVENT_FAULT);
}

/* No more than the property says: a write that nobody expects, where it may well fault. */
bool avcard_channel_poke(struct avcard_channel *channel)
{
	struct avcard *card = channel->card;
	static const uint8_t junk[4096] = { 0xba, 0xad };
	uint32_t i;

	if (channel->run != AVCARD_IDLE || avcard_now(card) >= channel->poke_until_ns)
		return false;
	for (i = 0; i < MIN(channel->segment_count, 16); i++)
		(void)!pci_dma_write(&card->pci, channel->segments[i].addr, junk,
				     MIN(channel->segments[i].bytes, sizeof(junk)));
	return true;
}

/* ---------------------------------------------------------------- descriptors */

static bool avcard_is_cyclic(const struct avcard_channel *channel)
{
	return avcard_reg(channel, AVRING_PCI_REG_CTRL) & AVRING_PCI_CTRL_CYCLIC;
}

/*
 * avcard_read_descriptors() - read up to @want descriptors from number @from on
 *
 * Return: how many, which is less at the end of a ring or of a page's worth; 0 after a fault.
 */
static uint32_t avcard_read_descriptors(struct avcard_channel *channel, uint32_t from,
					uint32_t want, uint8_t *to, uint64_t *addr)
{
	uint32_t count = avcard_reg(channel, AVRING_PCI_REG_DESC_COUNT);
	uint32_t at = from % count;
	uint32_t n = MIN(MIN(want, count - at), 256);

	*addr = avcard_reg64(channel, AVRING_PCI_REG_DESC_BASE) +
		(uint64_t)at * AVRING_PCI_DESC_SIZE;
	if (pci_dma_read(&channel->card->pci, *addr, to, n * AVRING_PCI_DESC_SIZE) == MEMTX_OK)
		return n;
	avcard_fault(channel, AVRING_PCI_FAULT_DESCRIPTOR, *addr);
	return 0;
}

static bool avcard_add_segment(struct avcard_channel *channel, const uint8_t *desc, uint64_t addr)
{
	struct avcard_segment *segment = &channel->segments[channel->segment_count];

	segment->addr = ldq_le_p(desc);
	segment->bytes = ldl_le_p(desc + 8);
	segment->start = channel->total;
	if (!segment->bytes || segment->bytes > AVCARD_MAX_SEGMENT) {
		avcard_fault(channel, AVRING_PCI_FAULT_DESCRIPTOR, addr);
		return false;
	}
	channel->total += segment->bytes;
	channel->segment_count++;
	return true;
}

/*
 * The segments become those of the next descriptors, @want at most, up to one with LAST if
 * @is_queue. Return: false if there is no LAST among them, or after a fault.
 */
static bool avcard_take_segments(struct avcard_channel *channel, uint32_t want, bool is_queue)
{
	uint8_t descs[256 * AVRING_PCI_DESC_SIZE];
	uint32_t from = channel->head, n, i;
	uint64_t addr;

	channel->segment_count = 0;
	channel->total = 0;
	for (; want; want -= n, from += n) {
		n = avcard_read_descriptors(channel, from, want, descs, &addr);
		if (!n)
			return false;
		for (i = 0; i < n; i++) {
			const uint8_t *desc = descs + i * AVRING_PCI_DESC_SIZE;

			if (!avcard_add_segment(channel, desc, addr + i * AVRING_PCI_DESC_SIZE))
				return false;
			channel->cookie = lduw_le_p(desc + 14);
			if (is_queue && lduw_le_p(desc + 12) & AVRING_PCI_DESC_LAST) {
				channel->head = from + i + 1;
				return true;
			}
		}
	}
	if (is_queue)
		channel->segment_count = 0;
	return !is_queue;
}

static struct avcard_segment *avcard_find_segment(struct avcard_channel *channel, uint64_t at)
{
	uint32_t low = 0, high = channel->segment_count, middle;

	while (high - low > 1) {
		middle = (low + high) / 2;
		if (channel->segments[middle].start <= at)
			low = middle;
		else
			high = middle;
	}
	return &channel->segments[low];
}

/* What may be taken: descriptors, or frames of a ring. */
static uint32_t avcard_given(const struct avcard_channel *channel)
{
	uint32_t given = avcard_reg(channel, AVRING_PCI_REG_TAIL) - channel->head;
	uint32_t untaken = channel->done - avcard_reg(channel, AVRING_PCI_REG_DONE_TAKEN);

	if (untaken >= avcard_reg(channel, AVRING_PCI_REG_DONE_COUNT) || (int32_t)given <= 0)
		return 0;
	return given;
}

/*
 * A place for the next frame: a buffer that is given completely, or a grant, and a
 * completion that is free. Nothing is taken if one of them is missing.
 */
static bool avcard_take_place(struct avcard_channel *channel)
{
	uint32_t given = avcard_given(channel);

	if (!given)
		return false;
	if (avcard_is_cyclic(channel)) {
		channel->head++;
		return true;
	}
	if (avcard_every(channel, channel->card->faults.desc_loop_every) && channel->segment_count)
		return true;
	return avcard_take_segments(channel,
				    MIN(given, avcard_reg(channel, AVRING_PCI_REG_DESC_COUNT)),
				    true);
}

/* ---------------------------------------------------------------- completions */

/* A time that was never, will be, or was: unsigned numbers go round. */
static uint64_t avcard_spoil_time(const struct avcard_channel *channel, uint64_t time_ns)
{
	const struct avcard_faults *faults = &channel->card->faults;
	const uint64_t wrong[] = { time_ns ^ 1ULL << 63, UINT64_MAX, 0, time_ns + 10000000000ULL,
				   time_ns - 3600000000000ULL };

	if (avcard_every(channel, faults->bad_time_every))
		return wrong[channel->frames / faults->bad_time_every % ARRAY_SIZE(wrong)];
	if (faults->old_first_every && !channel->done &&
	    channel->starts % faults->old_first_every == 0)
		return time_ns - 1000000000;
	return time_ns;
}

/* What the faults make of it. */
static void avcard_spoil(struct avcard_channel *channel, uint64_t *where, uint32_t *bytes)
{
	const struct avcard_faults *faults = &channel->card->faults;
	static const uint64_t wrong[] = { 1ULL << 63, ~0ULL, 4096, 12345 };
	bool is_cyclic = avcard_is_cyclic(channel);

	/* The low half of the one was given, so a driver that looks at that only is seen. */
	if (!is_cyclic && avcard_every(channel, faults->bad_cookie_every))
		*where = channel->done & 1 ? 0x0bad0000 | *where : 0xffff;
	if (is_cyclic && avcard_every(channel, faults->bad_position_every))
		*where += wrong[channel->done % ARRAY_SIZE(wrong)];
	if (avcard_every(channel, faults->bad_bytes_every))
		*bytes = channel->done & 1 ? *bytes + 1 : UINT32_MAX;
}

static bool avcard_complete(struct avcard_channel *channel, uint64_t time_ns, uint32_t sequence,
			    uint32_t bytes, uint32_t flags)
{
	uint32_t count = avcard_reg(channel, AVRING_PCI_REG_DONE_COUNT);
	uint64_t addr = avcard_reg64(channel, AVRING_PCI_REG_DONE_BASE) +
			(uint64_t)(channel->done & (count - 1)) * AVRING_PCI_DONE_SIZE;
	uint64_t where = avcard_is_cyclic(channel) ? channel->position : channel->cookie;
	uint8_t entry[AVRING_PCI_DONE_SIZE] = {};
	const uint32_t body = AVRING_PCI_DONE_SIZE - sizeof(flags);

	if (!(channel->done & count))
		flags |= AVRING_PCI_DONE_PHASE;
	avcard_spoil(channel, &where, &bytes);
	stq_le_p(entry, where);
	stq_le_p(entry + 8, avcard_spoil_time(channel, time_ns));
	stl_le_p(entry + 16, sequence);
	stl_le_p(entry + 20, bytes);
	stl_le_p(entry + body, flags);
	if (pci_dma_write(&channel->card->pci, addr, entry, body) != MEMTX_OK) {
		avcard_fault(channel, AVRING_PCI_FAULT_COMPLETION, addr);
		return false;
	}
	smp_wmb(); /* with the driver's read barrier behind its look at the flags */
	if (pci_dma_write(&channel->card->pci, addr + body, entry + body, sizeof(flags)) !=
	    MEMTX_OK) {
		avcard_fault(channel, AVRING_PCI_FAULT_COMPLETION, addr + body);
		return false;
	}
	channel->done++;
	if (++channel->untold >= avcard_reg(channel, AVRING_PCI_REG_IRQ_EVERY))
		avcard_tell(channel);
	return true;
}

/* ---------------------------------------------------------------- a frame */

/* Between two pieces others get the lock. Return: NULL if the frame was given up meanwhile. */
static const uint8_t *avcard_next_piece(struct avcard_channel *channel, uint32_t offset,
					uint32_t *bytes)
{
	struct avcard *card = channel->card;
	uint32_t epoch = channel->epoch;
	const uint8_t *piece;

	if (card->vclock)
		return avcard_source_bytes(&channel->source, offset, bytes);
	channel->at_work = true;
	qemu_mutex_unlock_iothread();
	piece = avcard_source_bytes(&channel->source, offset, bytes);
	qemu_mutex_lock_iothread();
	channel->at_work = false;
	if (channel->epoch != epoch || channel->run != AVCARD_RUNNING || card->faults.dead)
		return NULL;
	return piece;
}

static bool avcard_copy(struct avcard_channel *channel, uint64_t at, uint32_t bytes)
{
	uint32_t offset, len;

	for (offset = 0; offset < bytes; offset += len, at += len) {
		uint64_t place = at % channel->total;
		struct avcard_segment *segment = avcard_find_segment(channel, place);
		uint64_t into = place - segment->start;
		const uint8_t *piece;

		len = MIN(bytes - offset, segment->bytes - into);
		piece = avcard_next_piece(channel, offset, &len);
		if (!piece)
			return false;
		if (pci_dma_write(&channel->card->pci, segment->addr + into, piece, len) !=
		    MEMTX_OK) {
			avcard_fault(channel, AVRING_PCI_FAULT_DATA, segment->addr + into);
			return false;
		}
	}
	return true;
}

/* The rate of the pictures, also before any was set. */
static struct avcard_rate avcard_flash_rate(struct avcard *card)
{
	struct avcard_channel *video = &card->channels[AVRING_PCI_VIDEO];
	struct avcard_rate rate = { avcard_reg(video, AVRING_PCI_REG_RATE_NUM),
				    avcard_reg(video, AVRING_PCI_REG_RATE_DEN) };

	return rate.num && rate.den ? rate : (struct avcard_rate){ 1, 1 };
}

/* Return: flags of the completion. */
static uint32_t avcard_fill(struct avcard_channel *channel, uint64_t n, uint32_t sequence)
{
	struct avcard *card = channel->card;
	bool is_line = avcard_reg(channel, AVRING_PCI_REG_INPUT) == AVRING_PCI_INPUT_REG_LINE;

	if (is_line && !card->faults.no_signal &&
	    avcard_source_play(&channel->source, &channel->line))
		return 0;
	channel->source.format.flash = avcard_flash_rate(card);
	if (is_line && channel->source.format.sample_bytes)
		avcard_source_silence(&channel->source);
	else
		avcard_source_generate(&channel->source, n, sequence);
	avcard_update_signal(card);
	return is_line ? AVRING_PCI_DONE_NO_SIGNAL : 0;
}

static uint64_t avcard_align(const struct avcard_channel *channel, uint64_t position)
{
	uint64_t align = avcard_reg(channel, AVRING_PCI_REG_ALIGN);

	return (position + align - 1) & ~(align - 1);
}

/* How far one frame is from the next, in events of the rate. */
static uint32_t avcard_step(const struct avcard_channel *channel)
{
	return channel->source.format.sample_bytes ? channel->source.format.chunk_frames : 1;
}

static void avcard_drop(struct avcard_channel *channel, uint32_t frames)
{
	channel->regs[AVRING_PCI_REG_DROPPED / 4] += frames;
}

static void avcard_frame(struct avcard_channel *channel)
{
	const struct avcard_faults *faults = &channel->card->faults;
	uint64_t n = channel->next;
	uint32_t sequence = channel->sequence, bytes = channel->source.format.frame_bytes, flags;
	uint64_t time_ns = avcard_event_ns(channel->source.format.rate, n);
	bool is_cyclic = avcard_is_cyclic(channel);

	channel->next += avcard_step(channel);
	channel->sequence += avcard_step(channel);
	if (!avcard_take_place(channel)) {
		avcard_drop(channel, 1);
		return;
	}
	if (avcard_every(channel, faults->seq_jump_every)) {
		sequence += 1000;
		channel->sequence += 1000;
	}
	flags = avcard_fill(channel, n, sequence);
	if (avcard_every(channel, faults->short_every)) {
		bytes -= bytes / 2;
		flags |= AVRING_PCI_DONE_SHORT;
	}
	if (!is_cyclic && bytes > channel->total) {
		bytes = channel->total;
		flags |= AVRING_PCI_DONE_TRUNCATED;
	}
	if (!avcard_copy(channel, is_cyclic ? channel->position : 0, bytes) ||
	    !avcard_complete(channel, time_ns, sequence, bytes, flags))
		return;
	channel->frames++;
	channel->position = avcard_align(channel,
					 channel->position + channel->source.format.frame_bytes);
}

/* ---------------------------------------------------------------- the clockwork */

static uint32_t avcard_sample_bytes(const struct avcard_channel *channel)
{
	if (channel->number != AVRING_PCI_AUDIO)
		return 0;
	return avcard_reg(channel, AVRING_PCI_REG_FORMAT) == AVRING_PCI_SAMPLE_S16_LE ? 2 : 4;
}

static struct avcard_format avcard_format(const struct avcard_channel *channel)
{
	return (struct avcard_format){
		.frame_bytes = avcard_reg(channel, AVRING_PCI_REG_FRAME_BYTES),
		.rate = { avcard_reg(channel, AVRING_PCI_REG_RATE_NUM),
			  avcard_reg(channel, AVRING_PCI_REG_RATE_DEN) },
		.format = avcard_reg(channel, AVRING_PCI_REG_FORMAT),
		.width = avcard_reg(channel, AVRING_PCI_REG_WIDTH),
		.height = avcard_reg(channel, AVRING_PCI_REG_HEIGHT),
		.bytesperline = avcard_reg(channel, AVRING_PCI_REG_BYTESPERLINE),
		.sample_bytes = avcard_sample_bytes(channel),
		.channels = avcard_reg(channel, AVRING_PCI_REG_CHANNEL_COUNT),
		.chunk_frames = avcard_reg(channel, AVRING_PCI_REG_CHUNK_FRAMES),
		.pattern = avcard_reg(channel, AVRING_PCI_REG_PATTERN),
	};
}

/* What RUN needs and does not have to have at once. */
static bool avcard_prepare(struct avcard_channel *channel)
{
	struct avcard_format format = avcard_format(channel);

	channel->segments = g_renew(struct avcard_segment, channel->segments,
				    avcard_reg(channel, AVRING_PCI_REG_DESC_COUNT));
	if (avcard_is_cyclic(channel) &&
	    !avcard_take_segments(channel, avcard_reg(channel, AVRING_PCI_REG_DESC_COUNT), false))
		return false;
	if (!avcard_source_start(&channel->source, &format) ||
	    (avcard_is_cyclic(channel) && channel->total < format.frame_bytes)) {
		avcard_fault(channel, AVRING_PCI_FAULT_SETUP, 0);
		return false;
	}
	channel->prepared = true;
	return true;
}

/* A picture is sent when it begins; sound has to happen first. */
static uint64_t avcard_due_ns(const struct avcard_channel *channel)
{
	struct avcard_format format = avcard_format(channel);

	return avcard_event_ns(format.rate,
			       channel->next + (format.sample_bytes ? format.chunk_frames : 0));
}

/* A card that was kept from working for too long lets go what is past. */
static void avcard_catch_up(struct avcard_channel *channel, uint64_t due_ns, uint64_t now)
{
	struct avcard_rate rate = channel->source.format.rate;
	uint32_t step = avcard_step(channel);
	uint64_t late;

	if ((int64_t)(now - due_ns - AVCARD_LATE_NS) < 0)
		return;
	late = (avcard_event_at(rate, now) - avcard_event_at(rate, due_ns)) / step;
	channel->next += late * step;
	channel->sequence += late * step;
	avcard_drop(channel, late);
}

/* Return: whether a frame was due, so that there may be another one. */
static bool avcard_run(struct avcard_channel *channel)
{
	uint64_t now = avcard_now(channel->card), due_ns;

	if (channel->run == AVCARD_STOPPING)
		avcard_rest(channel);
	if (channel->run != AVCARD_RUNNING || channel->card->faults.stall_dma ||
	    (!channel->prepared && !avcard_prepare(channel)))
		return false;
	due_ns = avcard_due_ns(channel);
	if (channel->card->faults.flood ? !avcard_given(channel) : (int64_t)(due_ns - now) > 0)
		return false;
	avcard_catch_up(channel, due_ns, now);
	avcard_frame(channel);
	return true;
}

/* All that is due, and the timer for what comes next. */
void avcard_work(struct avcard *card)
{
	uint64_t next = UINT64_MAX;
	unsigned int c;
	bool more;

	do {
		more = false;
		for (c = 0; c < AVRING_PCI_CHANNELS && !card->faults.dead && !card->quit; c++)
			more |= avcard_run(&card->channels[c]);
	} while (more);
	/* A flood waits for doorbells: what is due already would have the timer fire for ever. */
	if (card->faults.dead || card->quit || card->faults.stall_dma || card->faults.flood)
		return;
	for (c = 0; c < AVRING_PCI_CHANNELS; c++)
		if (card->channels[c].run == AVCARD_RUNNING)
			next = MIN(next, avcard_due_ns(&card->channels[c]));
	if (next != UINT64_MAX)
		timer_mod_ns(&card->timer, avcard_host_time(card, next));
}

/* ---------------------------------------------------------------- registers */

static bool avcard_is_count(uint32_t count, uint32_t max, bool is_power)
{
	return count && count <= max && (!is_power || is_power_of_2(count));
}

static bool avcard_ring_fits(const struct avcard_channel *channel)
{
	uint32_t align = avcard_reg(channel, AVRING_PCI_REG_ALIGN);

	return avcard_is_count(align, 4096, true) &&
	       !(avcard_reg(channel, AVRING_PCI_REG_POSITION) & (align - 1));
}

static bool avcard_rings_fit(const struct avcard_channel *channel)
{
	bool is_cyclic = avcard_is_cyclic(channel);

	return !(avcard_reg(channel, AVRING_PCI_REG_DESC_BASE) % 64) &&
	       !(avcard_reg(channel, AVRING_PCI_REG_DONE_BASE) % 64) &&
	       avcard_is_count(avcard_reg(channel, AVRING_PCI_REG_DESC_COUNT), AVRING_PCI_MAX_COUNT,
			       !is_cyclic) &&
	       avcard_is_count(avcard_reg(channel, AVRING_PCI_REG_DONE_COUNT), AVRING_PCI_MAX_COUNT,
			       true) &&
	       (!is_cyclic || avcard_ring_fits(channel)) &&
	       avcard_is_count(avcard_reg(channel, AVRING_PCI_REG_IRQ_EVERY), 256, false);
}

static bool avcard_picture_fits(const struct avcard_format *f)
{
	return f->width && f->height && f->bytesperline &&
	       (uint64_t)f->bytesperline * f->height <= f->frame_bytes;
}

static bool avcard_sound_fits(const struct avcard_format *f)
{
	return (f->format == AVRING_PCI_SAMPLE_S16_LE || f->format == AVRING_PCI_SAMPLE_S24_LE ||
		f->format == AVRING_PCI_SAMPLE_S32_LE) &&
	       f->rate.den == 1 && avcard_is_count(f->channels, 8, false) && f->chunk_frames &&
	       (uint64_t)f->chunk_frames * f->channels * f->sample_bytes == f->frame_bytes;
}

static bool avcard_setup_fits(const struct avcard_channel *channel)
{
	struct avcard_format f = avcard_format(channel);

	return avcard_rings_fit(channel) && f.rate.num && f.rate.den &&
	       avcard_is_count(f.frame_bytes, AVCARD_MAX_FRAME, false) &&
	       avcard_reg(channel, AVRING_PCI_REG_INPUT) <= AVRING_PCI_INPUT_REG_LINE &&
	       f.pattern <= AVRING_PCI_PATTERN_REG_WORDS &&
	       (f.sample_bytes ? avcard_sound_fits(&f) : avcard_picture_fits(&f));
}

static void avcard_start(struct avcard_channel *channel)
{
	struct avcard *card = channel->card;

	channel->run = AVCARD_RUNNING;
	channel->starts++;
	channel->epoch++;
	channel->prepared = false;
	channel->fault = false;
	channel->hung = false;
	channel->poke_until_ns = 0;
	channel->segment_count = 0;
	channel->head = 0;
	channel->done = 0;
	channel->untold = 0;
	channel->sequence = 0;
	channel->position = avcard_reg64(channel, AVRING_PCI_REG_POSITION);
	channel->regs[AVRING_PCI_REG_TAIL / 4] = 0;
	channel->regs[AVRING_PCI_REG_DONE_TAKEN / 4] = 0;
	channel->regs[AVRING_PCI_REG_DROPPED / 4] = 0;
	if (!avcard_setup_fits(channel)) {
		avcard_fault(channel, AVRING_PCI_FAULT_SETUP, 0);
		return;
	}
	channel->next = avcard_event_after(avcard_format(channel).rate, avcard_now(card));
	timer_mod_ns(&card->timer, qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL));
}

static void avcard_stop(struct avcard_channel *channel)
{
	if (channel->run != AVCARD_RUNNING)
		return;
	if (channel->at_work)
		channel->run = AVCARD_STOPPING;
	else
		avcard_rest(channel);
}

static bool avcard_is_busy(const struct avcard_channel *channel)
{
	return channel->run != AVCARD_IDLE || channel->hung;
}

static void avcard_control(struct avcard_channel *channel, uint32_t value)
{
	if (!(value & AVRING_PCI_CTRL_RUN)) {
		avcard_stop(channel);
	} else if (channel->run == AVCARD_IDLE) {
		channel->regs[AVRING_PCI_REG_CTRL / 4] = value & (AVRING_PCI_CTRL_RUN |
								  AVRING_PCI_CTRL_CYCLIC);
		avcard_start(channel);
	}
}

static bool avcard_is_writable(unsigned int reg)
{
	return (reg >= AVRING_PCI_REG_DESC_BASE && reg <= AVRING_PCI_REG_POSITION + 4) ||
	       (reg >= AVRING_PCI_REG_FRAME_BYTES && reg <= AVRING_PCI_REG_PATTERN);
}

void avcard_channel_write(struct avcard_channel *channel, unsigned int reg, uint32_t value)
{
	bool is_doorbell = reg == AVRING_PCI_REG_TAIL || reg == AVRING_PCI_REG_DONE_TAKEN;

	if (reg == AVRING_PCI_REG_CTRL)
		avcard_control(channel, value);
	else if (avcard_is_writable(reg) && (is_doorbell || channel->run == AVCARD_IDLE))
		channel->regs[reg / 4] = value;
	if (is_doorbell && channel->card->faults.flood)
		avcard_kick(channel->card);
}

uint32_t avcard_channel_read(struct avcard_channel *channel, unsigned int reg)
{
	if (reg == AVRING_PCI_REG_STATE)
		return (avcard_is_busy(channel) ? AVRING_PCI_CHANNEL_BUSY : 0) |
		       (channel->fault ? AVRING_PCI_CHANNEL_FAULT : 0);
	return reg / 4 < AVCARD_CHANNEL_REGS ? channel->regs[reg / 4] : 0;
}

/* The thread may be in the middle of a frame: it sees the epoch before it writes again. */
void avcard_channel_reset(struct avcard_channel *channel)
{
	channel->run = AVCARD_IDLE;
	channel->epoch++;
	channel->fault = false;
	channel->hung = false;
	channel->untold = 0;
	channel->segment_count = 0;
	channel->poke_until_ns = 0;
	channel->line.played = 0;
	channel->line.ended = false;
	memset(channel->regs, 0, sizeof(channel->regs));
}
