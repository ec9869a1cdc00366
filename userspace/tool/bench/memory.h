/* SPDX-License-Identifier: MIT */
/*
 * memory: pages made by avring or by somebody else, of which mapping, touching,
 * handing out and unmapping have a price.
 */
#ifndef BENCH_MEMORY_H
#define BENCH_MEMORY_H

#include <stddef.h>
#include <sys/types.h>

#include "camera.h"
#include "ring.h"

struct bench;
struct memory;

/**
 * struct memory_maker - who makes memory
 * @who: name in the results
 * @missing: what it means if @make says -ENODEV
 * @make: get pages, @bytes if possible, and say where they are in @memory; map
 *	nothing. 0 or a negative errno
 * @release: undo @make
 */
struct memory_maker {
	const char *who;
	const char *missing;
	int (*make)(struct memory *memory, const struct bench *bench, size_t bytes);
	void (*release)(struct memory *memory);
};

#define MEMORY_PIECES 32

/**
 * struct memory_piece - what one mmap() maps
 * @start: where it is, NULL if it is not mapped
 * @bytes: how much
 * @offset: in the file
 */
struct memory_piece {
	char *start;
	size_t bytes;
	off_t offset;
};

/**
 * struct memory - see above
 * @fd: what is mapped, -1: anonymous memory
 * @prot: PROT_* of a mapping
 * @flags: MAP_* of a mapping
 * @n_pieces: how many
 * @pieces: each
 * @twice: the one piece is mapped again behind itself (MAP_FIXED)
 * @camera: of a maker that is one
 * @ring: of a maker that is one
 */
struct memory {
	int fd;
	int prot;
	int flags;
	size_t n_pieces;
	struct memory_piece pieces[MEMORY_PIECES];
	bool twice;
	struct camera camera;
	struct ring ring;
};

extern const struct memory_maker memory_ring; /* one image of a ring */
extern const struct memory_maker memory_ring_linear; /* both images, in one mmap() */
extern const struct memory_maker memory_vivid; /* MMAP buffers of vivid */
extern const struct memory_maker memory_twins; /* a memfd, twice by MAP_FIXED */
extern const struct memory_maker memory_anonymous; /* with huge pages where possible */

int memory_map(struct memory *memory);
void memory_unmap(struct memory *memory);

/* Read a byte of each page. */
void memory_touch(const struct memory *memory);

/* Bytes of address space of the mapping. */
size_t memory_mapped(const struct memory *memory);

#endif
