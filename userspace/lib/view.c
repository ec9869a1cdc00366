// SPDX-License-Identifier: MIT
/*
 * view: the mapped regions of a ring.
 */
#include <stdlib.h>
#include <sys/mman.h>

#include "internal.h"

struct avring_view *avring_view_new(void)
{
	return calloc(1, sizeof(struct avring_view));
}

void avring_view_free(struct avring_view *view)
{
	while (view) {
		struct avring_view *older = view->older;

		while (view->n_regions) {
			struct avring_region *region = &view->regions[--view->n_regions];

			munmap(region->start, region->size);
		}
		free(view);
		view = older;
	}
}

static void avring_view_keep(struct avring_view *view, void *start, size_t size)
{
	view->regions[view->n_regions++] = (struct avring_region){ start, size };
}

int avring_view_map(struct avring_view *view, int fd, uint64_t offset, uint64_t size, int prot,
		    void **start)
{
	int flags = fd < 0 ? MAP_PRIVATE | MAP_ANONYMOUS : MAP_SHARED;

	/* mmap() would not see what it cannot be told. */
	if (size > SIZE_MAX || offset > INT64_MAX || (off_t)offset < 0)
		return -EFBIG;
	*start = mmap(NULL, size, prot, flags, fd, (off_t)offset);
	if (*start == MAP_FAILED)
		return avring_errno();
	avring_view_keep(view, *start, size);
	return 0;
}

int avring_view_mirror(struct avring_view *view, int fd, uint64_t offset, uint64_t length, int prot,
		       void **start)
{
	int error = avring_mirror_map(start, fd, offset, length, prot);

	if (!error)
		avring_view_keep(view, *start, 2 * length);
	return error;
}

int avring_view_own_index(struct avring_view *view, uint64_t entries)
{
	void *start;
	int error = avring_view_map(view, -1, 0,
				    sizeof(struct avring_control) +
					    entries * sizeof(struct avring_entry),
				    PROT_READ | PROT_WRITE, &start);

	if (error)
		return error;
	view->control = start;
	view->index = (void *)(view->control + 1);
	view->entries = entries;
	return avring_view_own_held(view);
}

int avring_view_own_held(struct avring_view *view)
{
	void *start;
	int error = avring_view_map(view, -1, 0, view->entries * sizeof(*view->held),
				    PROT_READ | PROT_WRITE, &start);

	if (!error)
		view->held = start;
	return error;
}

void avring_view_geometry(const struct avring_view *view, struct avring_geometry *geometry)
{
	*geometry = (struct avring_geometry){
		.generation = view->generation,
		.align = view->align,
		.length = view->length,
		.entries = view->entries,
		.data = view->data,
	};
}
