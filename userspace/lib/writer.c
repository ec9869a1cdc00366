// SPDX-License-Identifier: MIT
/*
 * writer: the writing side of a control page and an index.
 */
#include "internal.h"

void avring_writer_begin(struct avring_writer *writer, const struct avring_view *view)
{
	*writer = (struct avring_writer){
		.control = (struct avring_control *)view->control,
		.index = (struct avring_entry *)view->index,
		.length = view->length,
		.entries = view->entries,
	};
	writer->control->generation = view->generation;
}

void avring_writer_give_up(struct avring_writer *writer, uint64_t tail, uint64_t new_entries)
{
	uint64_t oldest = writer->head_entry + new_entries > writer->entries ?
				  writer->head_entry + new_entries - writer->entries :
				  0;

	if (tail > writer->tail)
		writer->tail = tail;
	while (writer->tail_entry < writer->head_entry &&
	       (writer->tail_entry < oldest ||
		writer->index[writer->tail_entry % writer->entries].position < writer->tail))
		writer->tail_entry++;
	avring_store(&writer->control->tail, writer->tail);
	avring_store(&writer->control->tail_entry, writer->tail_entry);
	/* A: nothing is overwritten before that can be seen; pairs with the reader's. */
	avring_write_barrier();
}

/* Word by word, as a reader may be copying it at this moment. */
static void avring_writer_put(struct avring_entry *to, const struct avring_entry *from)
{
	uint64_t words[sizeof(*from) / sizeof(uint64_t)];
	uint64_t *target = (void *)to;

	memcpy(words, from, sizeof(words));
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		avring_store(&target[i], words[i]);
}

void avring_writer_publish(struct avring_writer *writer, const struct avring_entry *entry)
{
	avring_writer_put(&writer->index[writer->head_entry % writer->entries], entry);
	writer->head_entry++;
	writer->head = entry->position + entry->length;
	/* B: pairs with the acquire of a reader. */
	avring_store(&writer->control->head, writer->head);
	avring_store_release(&writer->control->head_entry, writer->head_entry);
}

void avring_writer_set_state(struct avring_writer *writer, uint32_t state)
{
	avring_store_release(&writer->control->state, avring_load(&writer->control->state) | state);
}
