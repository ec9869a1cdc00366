/* SPDX-License-Identifier: MIT */
/*
 * soak: account for every instruction of the machine. A child of the lowest
 * class runs whenever nobody else wants to, and counts its own instructions; all
 * the others are what the machine was busy with, interrupts included. Only where
 * instructions are counted, and with one processor.
 */
#ifndef BENCH_SOAK_H
#define BENCH_SOAK_H

#include <stdint.h>

/* Start it and find out how busy the machine is without load. */
void soak_begin(void);

/* Instructions so far, less those of this process and of a machine without load. */
uint64_t soak_busy(void);
void soak_end(void);

#endif
