/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * avring: the PCI card as its driver sees it: registers, descriptors, completions.
 *
 * avring-pci.rst says what each of them does; this header gives the numbers. It is
 * shared by the driver and by the card that stands in for a board (tests/card), and
 * needs nothing but integer constants.
 */
#ifndef AVRING_PCI_REGS_H
#define AVRING_PCI_REGS_H

/* Configuration space. */
#define AVRING_PCI_VENDOR		0x1234
#define AVRING_PCI_DEVICE		0xacad
#define AVRING_PCI_CLASS		0x040000	/* multimedia, video */

#define AVRING_PCI_BAR_REGS		0
#define AVRING_PCI_BAR_MSIX		1
#define AVRING_PCI_BAR_WINDOW		2
#define AVRING_PCI_REGS_SIZE		0x10000

/* MSI-X vectors. */
#define AVRING_PCI_VECTOR_EVENT		0
#define AVRING_PCI_VECTOR_CHANNEL(c)	(1 + (c))
#define AVRING_PCI_VECTORS		3

#define AVRING_PCI_VIDEO		0
#define AVRING_PCI_AUDIO		1
#define AVRING_PCI_CHANNELS		2

/* Global registers: 32 bits each, little-endian; a LO is followed by its HI. */
#define AVRING_PCI_REG_ID		0x0000
#define AVRING_PCI_ID_VALUE		0x47525641	/* "AVRG" in memory */
#define AVRING_PCI_REG_VERSION		0x0004
#define AVRING_PCI_VERSION_MAJOR(v)	((v) >> 16)
#define AVRING_PCI_VERSION_VALUE	0x00010000
#define AVRING_PCI_REG_CAPS		0x0008
#define AVRING_PCI_CAPS_CHANNELS(v)	((v) & 0xff)
#define AVRING_PCI_CAPS_ADDRESS_BITS(v)	((v) >> 8 & 0xff)
#define AVRING_PCI_REG_MAX_SEGMENT	0x000c		/* bytes of the largest descriptor */
#define AVRING_PCI_REG_CONTROL		0x0010
#define AVRING_PCI_CONTROL_RESET	0x00000001
#define AVRING_PCI_REG_STATUS		0x0014
#define AVRING_PCI_STATUS_SIGNAL	0x00000001
#define AVRING_PCI_REG_EVENTS		0x0018		/* write 1 to clear */
#define AVRING_PCI_REG_EVENTS_ENABLE	0x001c
#define AVRING_PCI_EVENT_SIGNAL		0x00000001
#define AVRING_PCI_EVENT_FAULT		0x00000002
#define AVRING_PCI_REG_FAULT_ADDR	0x0020
#define AVRING_PCI_REG_FAULT_CODE	0x0028
#define AVRING_PCI_FAULT_NONE		0
#define AVRING_PCI_FAULT_DESCRIPTOR	1		/* descriptor could not be read */
#define AVRING_PCI_FAULT_DATA		2		/* data could not be written */
#define AVRING_PCI_FAULT_COMPLETION	3		/* completion could not be written */
#define AVRING_PCI_FAULT_SETUP		4		/* RUN with registers out of range */
#define AVRING_PCI_REG_SCRATCH		0x002c
#define AVRING_PCI_REG_TIME		0x0030		/* read of LO latches HI */
#define AVRING_PCI_REG_HEARTBEAT	0x0038

/* Channel registers. */
#define AVRING_PCI_REG_CHANNEL(c)	(0x1000 + 0x1000 * (c))
#define AVRING_PCI_REG_CTRL		0x00
#define AVRING_PCI_CTRL_RUN		0x00000001
#define AVRING_PCI_CTRL_CYCLIC		0x00000002
#define AVRING_PCI_REG_STATE		0x04
#define AVRING_PCI_CHANNEL_BUSY		0x00000001
#define AVRING_PCI_CHANNEL_FAULT	0x00000002
#define AVRING_PCI_REG_DESC_BASE	0x10		/* multiple of 64 */
#define AVRING_PCI_REG_DESC_COUNT	0x18
#define AVRING_PCI_REG_TAIL		0x1c		/* doorbell */
#define AVRING_PCI_REG_DONE_BASE	0x20		/* multiple of 64 */
#define AVRING_PCI_REG_DONE_COUNT	0x28
#define AVRING_PCI_REG_DONE_TAKEN	0x2c		/* doorbell */
#define AVRING_PCI_REG_ALIGN		0x30		/* cyclic: power of two, 1 to 4096 */
#define AVRING_PCI_REG_IRQ_EVERY	0x34		/* completions for an interrupt, 1 to 256 */
#define AVRING_PCI_REG_POSITION		0x38		/* cyclic: of the first frame */
#define AVRING_PCI_REG_FRAME_BYTES	0x40
#define AVRING_PCI_REG_RATE_NUM		0x44
#define AVRING_PCI_REG_RATE_DEN		0x48
#define AVRING_PCI_REG_FORMAT		0x4c		/* V4L2 fourcc, or AVRING_PCI_SAMPLE_* */
#define AVRING_PCI_SAMPLE_S16_LE	2
#define AVRING_PCI_SAMPLE_S24_LE	6
#define AVRING_PCI_SAMPLE_S32_LE	10
#define AVRING_PCI_REG_WIDTH		0x50
#define AVRING_PCI_REG_HEIGHT		0x54
#define AVRING_PCI_REG_BYTESPERLINE	0x58
#define AVRING_PCI_REG_CHANNEL_COUNT	0x5c		/* audio */
#define AVRING_PCI_REG_CHUNK_FRAMES	0x60		/* audio */
#define AVRING_PCI_REG_INPUT		0x64
#define AVRING_PCI_INPUT_REG_GENERATOR	0
#define AVRING_PCI_INPUT_REG_LINE	1
#define AVRING_PCI_REG_PATTERN		0x68
#define AVRING_PCI_PATTERN_REG_STAMPED	0		/* struct avring_frame_stamp, CRC */
#define AVRING_PCI_PATTERN_REG_WORDS	1		/* sequence << 32 | index, 64 bits each */
#define AVRING_PCI_REG_DROPPED		0x70		/* since RUN */

#define AVRING_PCI_MAX_COUNT		65536		/* DESC_COUNT, DONE_COUNT */

/*
 * Descriptor, 16 bytes, in host memory, little-endian:
 *
 *	 0	64	bus address
 *	 8	32	bytes, 1 to MAX_SEGMENT
 *	12	16	flags
 *	14	16	cookie
 */
#define AVRING_PCI_DESC_SIZE		16
#define AVRING_PCI_DESC_LAST		0x0001		/* the buffer ends here */

/*
 * Completion, 32 bytes, in host memory, little-endian:
 *
 *	 0	64	cyclic: position of the frame; else the cookie of its buffer
 *	 8	64	card time of the frame, ns
 *	16	32	sequence
 *	20	32	bytes written
 *	24	32	zero
 *	28	32	flags; written after all else
 */
#define AVRING_PCI_DONE_SIZE		32
#define AVRING_PCI_DONE_TRUNCATED	0x00000001	/* the buffer was too small */
#define AVRING_PCI_DONE_SHORT		0x00000002	/* the source gave less than a frame */
#define AVRING_PCI_DONE_NO_SIGNAL	0x00000004
#define AVRING_PCI_DONE_PHASE		0x80000000

#endif
