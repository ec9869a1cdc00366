// SPDX-License-Identifier: MIT
/*
 * walk: from entry to entry, and what was lost between them.
 *
 * What a view says is checked before it is used: a ring in memory is written by
 * another process, which may be broken.
 */
#include "internal.h"

/* An overtaken reader looks again; a writer that is faster than that is not waited for. */
#define AVRING_WALK_TRIES 16

/*
 * When overtaken, go on this part of the ring behind the oldest entry: going on with
 * the oldest would lose again at once.
 */
#define AVRING_WALK_DISTANCE 8

/* Copy an entry that has been published; false if it is no longer there. */
static bool avring_walk_copy(const struct avring_view *view, uint64_t number,
			     struct avring_entry *entry)
{
	const uint64_t *from = (const void *)&view->index[number & (view->entries - 1)];
	uint64_t words[sizeof(*entry) / sizeof(uint64_t)];

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		words[i] = avring_load(&from[i]);
	memcpy(entry, words, sizeof(words));
	/* A: pairs with the writer's, between moving tail and overwriting. */
	avring_read_barrier();
	return number >= avring_load(&view->control->tail_entry);
}

static void avring_walk_jump(struct avring_reader *reader)
{
	const struct avring_control *control = reader->view->control;
	uint64_t tail = avring_load_acquire(&control->tail_entry);
	uint64_t intact = avring_load_acquire(&control->head_entry) - tail;
	uint64_t distance = (intact + AVRING_WALK_DISTANCE - 1) / AVRING_WALK_DISTANCE;

	/* The newest entry can always be had. */
	if (distance && distance == intact)
		distance--;
	reader->skipped += tail + distance - reader->next;
	reader->next = tail + distance;
}

static int avring_walk_end(uint32_t state)
{
	if (state & AVRING_STATE_GONE)
		return -ENODEV;
	return state & AVRING_STATE_STALE ? -ESTALE : -EAGAIN;
}

int avring_walk_peek(struct avring_reader *reader, struct avring_entry *entry)
{
	const struct avring_view *view = reader->view;

	for (int i = 0; i < AVRING_WALK_TRIES; i++) {
		/* In this order: behind a set state nothing is published any more. */
		uint32_t state = avring_load_acquire(&view->control->state) | reader->gone;
		uint64_t head = avring_load_acquire(&view->control->head_entry);

		if (reader->next == head)
			return avring_walk_end(state);
		if ((int64_t)(head - reader->next) < 0)
			return -EPROTO;
		if (avring_walk_copy(view, reader->next, entry))
			return entry->length > view->length ? -EPROTO : 0;
		avring_walk_jump(reader);
	}
	return -EAGAIN;
}

/* What is missing in front of an entry. */
static uint64_t avring_walk_gap(const struct avring_reader *reader,
				const struct avring_entry *entry)
{
	if (!reader->follows)
		return reader->skipped * entry->count;
	return entry->sequence > reader->expected ? entry->sequence - reader->expected : 0;
}

/* Does the entry continue a run of which it would be the last? */
static bool avring_walk_joins(const struct avring_span *span, const struct avring_entry *last,
			      const struct avring_entry *entry)
{
	uint64_t stride = entry->position - last->position;

	if (entry->sequence != last->sequence + last->count || entry->flags != span->flags ||
	    entry->length != last->length || entry->count != last->count)
		return false;
	if (span->entries == 1)
		return stride >= entry->length && stride <= UINT32_MAX;
	return stride == span->stride;
}

static void avring_walk_extend(const struct avring_reader *reader, struct avring_span *span,
			       struct avring_entry last, uint64_t max_bytes)
{
	const struct avring_view *view = reader->view;
	uint64_t head = avring_load_acquire(&view->control->head_entry);
	struct avring_entry entry;

	max_bytes = avring_min(max_bytes, view->length);
	while (span->entry + span->entries < head &&
	       avring_walk_copy(view, span->entry + span->entries, &entry) &&
	       avring_walk_joins(span, &last, &entry) &&
	       entry.position - span->position <= max_bytes - entry.length) {
		span->stride = entry.position - last.position;
		span->length = entry.position - span->position + entry.length;
		span->count += entry.count;
		span->entries++;
		last = entry;
	}
}

static uint64_t *avring_walk_held(const struct avring_view *view, uint64_t number)
{
	return &view->held[number & (view->entries - 1)];
}

static void avring_walk_hold(struct avring_view *view, uint64_t number)
{
	uint64_t *held = avring_walk_held(view, number);

	view->forgotten += *held != 0;
	*held = number + 1;
}

/* Was it held? One whose place was taken is at least a whole index old. */
static bool avring_walk_let_go(struct avring_view *view, uint64_t number)
{
	uint64_t *held = avring_walk_held(view, number);

	if (*held == number + 1) {
		*held = 0;
		return true;
	}
	if (!view->forgotten || number >= avring_load(&view->control->tail_entry))
		return false;
	view->forgotten--;
	return true;
}

int avring_walk_take(struct avring_reader *reader, struct avring_span *span, uint64_t max_bytes)
{
	struct avring_entry entry;
	int error = avring_walk_peek(reader, &entry);

	if (error)
		return error;
	*span = (struct avring_span){
		.data = reader->view->data + entry.position % reader->view->length,
		.length = entry.length,
		.position = entry.position,
		.entry = reader->next,
		.entries = 1,
		.sequence = entry.sequence,
		.count = entry.count,
		.time_ns = entry.time_ns,
		.event = entry.event,
		.lost = avring_walk_gap(reader, &entry),
		.flags = entry.flags,
	};
	if (max_bytes > entry.length)
		avring_walk_extend(reader, span, entry, max_bytes);
	avring_walk_hold(reader->view, span->entry);
	reader->next += span->entries;
	reader->expected = span->sequence + span->count;
	reader->follows = true;
	reader->lost += span->lost;
	return 0;
}

/* Between the beginning of one entry and of another, and to the end of that. */
static bool avring_walk_enough(const struct avring_need *need, const struct avring_entry *first,
			       const struct avring_entry *last)
{
	return last->position + last->length - first->position >= need->bytes &&
	       last->time_ns - first->time_ns >= need->time_ns;
}

bool avring_walk_ready(struct avring_reader *reader, const struct avring_need *need)
{
	const struct avring_view *view = reader->view;
	uint32_t state = avring_load_acquire(&view->control->state) | reader->gone;
	uint64_t head = avring_load_acquire(&view->control->head_entry);
	struct avring_entry first, last;

	if (state || need->next < avring_load(&view->control->tail_entry))
		return true;
	if (head - need->next < need->entries)
		return false;
	if (!need->bytes && !need->time_ns)
		return true;
	return !avring_walk_copy(view, need->next, &first) ||
	       !avring_walk_copy(view, head - 1, &last) || avring_walk_enough(need, &first, &last);
}

/* The view that a span is in: of an older generation perhaps. */
static struct avring_view *avring_walk_find(const struct avring_reader *reader,
					    const struct avring_span *span)
{
	struct avring_view *view = reader->view;

	while (view && (uintptr_t)span->data - (uintptr_t)view->data >= view->length)
		view = view->older;
	return view;
}

int avring_walk_check(struct avring_reader *reader, const struct avring_span *span)
{
	struct avring_view *view = avring_walk_find(reader, span);

	if (!view || !avring_walk_let_go(view, span->entry))
		return -EINVAL;
	/* A: what was read from the span was read before this. */
	avring_read_barrier();
	if (span->entry >= avring_load(&view->control->tail_entry))
		return 0;
	reader->lost += span->count;
	return -EOVERFLOW;
}

void avring_walk_start(struct avring_reader *reader)
{
	struct avring_entry before;

	if (reader->follows || !reader->next ||
	    reader->next > avring_load_acquire(&reader->view->control->head_entry) ||
	    !avring_walk_copy(reader->view, reader->next - 1, &before))
		return;
	reader->expected = before.sequence + before.count;
	reader->follows = true;
}

uint64_t avring_walk_capacity(const struct avring_reader *reader)
{
	const struct avring_view *view = reader->view;
	uint64_t stride = avring_align(avring_max(view->frame_bytes, 1), view->align ?: 1);

	return avring_min(view->length / stride, view->entries);
}

/* A watermark that was set for a longer ring is cut to what this one can hold. */
void avring_walk_need(const struct avring_reader *reader, struct avring_need *need)
{
	const struct avring_watermark *mark = &reader->watermark;
	uint64_t half = avring_max(avring_walk_capacity(reader) / 2, 1);
	uint64_t count = reader->format.stream == AVRING_STREAM_AUDIO ?
				 half * reader->format.audio.period_frames :
				 half;

	need->next = reader->next;
	need->entries = avring_min(avring_max(mark->entries, 1), half);
	need->bytes = avring_min(mark->bytes, reader->view->length / 2);
	need->time_ns = avring_min(mark->time_ns, avring_format_time_ns(&reader->format, count));
}
