/* SPDX-License-Identifier: MIT */
/* disk: where the benchmarks write to; a block device or a file that is there. */
#ifndef BENCH_DISK_H
#define BENCH_DISK_H

/* Open for writing with more O_* flags: a descriptor or a negative errno. */
int disk_open(const char *path, int flags);

/* Wait until all that was written has reached the device. 0 or a negative errno. */
int disk_sync(const char *path);

#endif
