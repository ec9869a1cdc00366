/* SPDX-License-Identifier: MIT */
/*
 * twin: a ring in memory without a card.
 *
 * A memfd holds a header, control page and index as in include/uapi/linux/avring.h,
 * and the data. It is sealed: its size stays, and only the mapping that the producer
 * made before can write, so a reader can do no harm.
 *
 * A sealed file leaves a reader no way to say that it sleeps, and no second file
 * descriptor comes with the first one. So the producer rings a bell that every holder
 * of the memfd can hear: it opens the file once more and reads a byte there at each
 * commit. Readers sleep on inotify, which poll() and epoll know. When the producer
 * dies, the kernel closes that second file: readers hear this, too, and find the lock
 * gone that was held through it.
 */
#ifndef AVRING_TWIN_H
#define AVRING_TWIN_H

#include <linux/avring.h>
#include <stdint.h>

#define AVRING_TWIN_MAGIC 0x6e697774676e7672ULL /* "rvngtwin" in memory */
#define AVRING_TWIN_VERSION 2

/**
 * struct avring_twin_header - first bytes of the file
 * @magic: AVRING_TWIN_MAGIC
 * @version: AVRING_TWIN_VERSION; another one means another layout
 * @align: frames begin at multiples of this
 * @entries: size of the index, a power of two
 * @frame_bytes: most that one entry can have
 * @length: bytes of the ring
 * @control_offset: of struct avring_control, in the file
 * @index_offset: of the index
 * @data_offset: of the data, a multiple of the page size
 * @format: what is sent
 */
struct avring_twin_header {
	uint64_t magic;
	uint32_t version;
	uint32_t align;
	uint64_t entries;
	uint64_t frame_bytes;
	uint64_t length;
	uint64_t control_offset;
	uint64_t index_offset;
	uint64_t data_offset;
	struct avring_stream_format format;
};

#define AVRING_TWIN_PATH_SIZE 32

/* Name of an open file, to open it once more. */
void avring_twin_path(int fd, char path[AVRING_TWIN_PATH_SIZE]);

#endif
