/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * avring: what the files of the PCI transport share with each other and nobody else.
 *
 *   pci/pci.c		the card: clock, watchdog, events, pause and reset
 *   pci/channel.c	channels: descriptors, completions, what they may say
 *   pci/init.c		the function: BARs, masks, vectors, memory
 */
#ifndef AVRING_PCI_PRIV_H
#define AVRING_PCI_PRIV_H

#include <linux/interrupt.h>
#include <linux/io.h>
#include <linux/pci.h>

#include "pci/pci.h"

#define AVRING_PCI_N_DONE	256U

/* No register is awaited longer: the card has 100 ms. */
#define AVRING_PCI_STOP_US	(250 * USEC_PER_MSEC)

/* All ones is what the bus answers for a card that is not there. */
#define AVRING_PCI_NOBODY	U32_MAX

/**
 * struct avring_pci_desc - a descriptor, see pci/regs.h
 * @addr: bus address
 * @length: bytes
 * @flags: AVRING_PCI_DESC_*
 * @cookie: of its buffer
 */
struct avring_pci_desc {
	__le64 addr;
	__le32 length;
	__le16 flags;
	__le16 cookie;
};

/**
 * struct avring_pci_done - a completion, see pci/regs.h
 * @tag: position, or cookie
 * @time_ns: card time
 * @sequence: of the frame
 * @bytes: written
 * @zero: zero
 * @flags: AVRING_PCI_DONE_*, written last
 */
struct avring_pci_done {
	__le64 tag;
	__le64 time_ns;
	__le32 sequence;
	__le32 bytes;
	__le32 zero;
	__le32 flags;
};

static inline u32 avring_pci_read(const struct avring_pci *pci, u32 reg)
{
	return readl(pci->regs + reg);
}

static inline void avring_pci_write(const struct avring_pci *pci, u32 reg, u32 value)
{
	writel(value, pci->regs + reg);
}

static inline u32 avring_pci_get(const struct avring_pci_channel *ch, u32 reg)
{
	return avring_pci_read(ch->pci, AVRING_PCI_REG_CHANNEL(ch->index) + reg);
}

static inline void avring_pci_set(const struct avring_pci_channel *ch, u32 reg, u32 value)
{
	avring_pci_write(ch->pci, AVRING_PCI_REG_CHANNEL(ch->index) + reg, value);
}

static inline void avring_pci_set64(const struct avring_pci_channel *ch, u32 reg, u64 value)
{
	avring_pci_set(ch, reg, lower_32_bits(value));
	avring_pci_set(ch, reg + 4, upper_32_bits(value));
}

static inline struct device *avring_pci_dev(const struct avring_pci *pci)
{
	return &pci->pdev->dev;
}

static inline bool avring_pci_is_there(const struct avring_pci *pci)
{
	return avring_pci_read(pci, AVRING_PCI_REG_ID) == AVRING_PCI_ID_VALUE;
}

/* pci/pci.c */
int avring_pci_state_error(const struct avring_pci *pci);
int avring_pci_use(struct avring_pci *pci);
void avring_pci_unuse(struct avring_pci *pci);
void avring_pci_look(struct avring_pci *pci);
void avring_pci_fail(struct avring_pci *pci);
void avring_pci_watchdog(struct work_struct *work);
irqreturn_t avring_pci_event_irq(int irq, void *data);

/* pci/channel.c */
void avring_pci_end(struct avring_pci_channel *ch, int err);
void avring_pci_watch(struct avring_pci_channel *ch);
irqreturn_t avring_pci_channel_irq(int irq, void *data);

#endif
