/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * avring: what a capture node counts.
 */
#ifndef AVRING_COUNTERS_H
#define AVRING_COUNTERS_H

#include <linux/types.h>

/**
 * struct avring_counters - frames of a capture stream since STREAMON
 * @delivered: frames handed over
 * @dropped: frames missing in front of them
 * @damaged: delivered frames that are not whole
 * @no_signal: delivered frames that stand for those a lost signal did not bring
 * @losses: how often the signal was lost
 */
struct avring_counters {
	u64 delivered;
	u64 dropped;
	u64 damaged;
	u64 no_signal;
	u64 losses;
};

#endif
