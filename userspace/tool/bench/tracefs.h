/* SPDX-License-Identifier: MIT */
/* tracefs: files below the folder where the kernel's tracing is. */
#ifndef BENCH_TRACEFS_H
#define BENCH_TRACEFS_H

#include <stdio.h>

/* Open a file for reading, by its path there. NULL and errno if there is none. */
FILE *tracefs_open(const char *path);

#endif
