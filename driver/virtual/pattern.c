// SPDX-License-Identifier: GPL-2.0-only
/*
 * avring: test pictures. See virtual/pattern.h.
 */
#include <linux/crc32.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <media/tpg/v4l2-tpg.h>
#include <uapi/linux/avring.h>

#include "clock.h"
#include "video/format.h"
#include "virtual/pattern.h"

#define AVRING_TEXT_LINE	16	/* height of the font in pixels */
#define AVRING_TEXT_COLUMN	8	/* and its width */

/**
 * struct avring_pattern - state of the generator
 * @tpg: the kernel's generator
 * @picture: the picture that is chosen; flashes and loss of signal replace it
 * @stamp: write struct avring_frame_stamp over the first bytes
 * @size: bytes of a frame
 * @width: of a frame in pixels
 * @height: of a frame in pixels
 */
struct avring_pattern {
	struct tpg_data tpg;
	enum tpg_pattern picture;
	bool stamp;
	size_t size;
	int width;
	int height;
};

/**
 * avring_pattern_new() - make a generator
 *
 * Return: a generator in the default format, or ERR_PTR(-ENOMEM).
 */
struct avring_pattern *avring_pattern_new(void)
{
	struct avring_pattern *pattern = kvzalloc(sizeof(*pattern), GFP_KERNEL);
	struct v4l2_pix_format pix;

	if (!pattern)
		return ERR_PTR(-ENOMEM);
	tpg_init(&pattern->tpg, AVRING_MAX_WIDTH, AVRING_MAX_HEIGHT);
	if (tpg_alloc(&pattern->tpg, AVRING_MAX_WIDTH)) {
		kvfree(pattern);
		return ERR_PTR(-ENOMEM);
	}
	tpg_s_alpha_component(&pattern->tpg, 255);
	pattern->stamp = true;
	avring_format_default(&pix);
	avring_pattern_format(pattern, &pix);
	return pattern;
}

/**
 * avring_pattern_free() - undo avring_pattern_new()
 * @pattern: the generator
 */
void avring_pattern_free(struct avring_pattern *pattern)
{
	tpg_free(&pattern->tpg);
	kvfree(pattern);
}

/**
 * avring_pattern_set() - change one value, from the next frame on
 * @pattern: the generator
 * @value: which
 * @to: the new value, in the units of the V4L2 control of the same name
 */
void avring_pattern_set(struct avring_pattern *pattern, enum avring_pattern_value value, s32 to)
{
	switch (value) {
	case AVRING_PATTERN_BRIGHTNESS:
		tpg_s_brightness(&pattern->tpg, to);
		break;
	case AVRING_PATTERN_CONTRAST:
		tpg_s_contrast(&pattern->tpg, to);
		break;
	case AVRING_PATTERN_SATURATION:
		tpg_s_saturation(&pattern->tpg, to);
		break;
	case AVRING_PATTERN_HUE:
		tpg_s_hue(&pattern->tpg, to);
		break;
	case AVRING_PATTERN_PICTURE:
		pattern->picture = to;
		break;
	case AVRING_PATTERN_STAMP:
		pattern->stamp = to;
		break;
	}
}

/**
 * avring_pattern_format() - set the format of the frames to come
 * @pattern: the generator
 * @pix: a format that went through avring_format_try()
 */
void avring_pattern_format(struct avring_pattern *pattern, const struct v4l2_pix_format *pix)
{
	const struct v4l2_rect whole = { .width = pix->width, .height = pix->height };
	struct tpg_data *tpg = &pattern->tpg;

	tpg_s_fourcc(tpg, pix->pixelformat);
	tpg_reset_source(tpg, pix->width, pix->height, pix->field);
	tpg_s_buf_height(tpg, pix->height);
	tpg_s_bytesperline(tpg, 0, pix->bytesperline);
	tpg_s_crop_compose(tpg, &whole, &whole);
	tpg_s_field(tpg, pix->field, false);
	tpg_s_colorspace(tpg, pix->colorspace);
	tpg_s_ycbcr_enc(tpg, pix->ycbcr_enc);
	tpg_s_quantization(tpg, pix->quantization);
	tpg_s_xfer_func(tpg, pix->xfer_func);
	pattern->size = pix->sizeimage;
	pattern->width = pix->width;
	pattern->height = pix->height;
}

static void avring_pattern_fill(struct avring_pattern *pattern, void *dst, enum tpg_pattern picture)
{
	if (pattern->tpg.pattern != picture)
		tpg_s_pattern(&pattern->tpg, picture);
	tpg_fillbuffer(&pattern->tpg, 0, 0, dst);
}

static void avring_pattern_text(struct avring_pattern *pattern, void *dst, int y, int x,
				const char *text)
{
	u8 *basep[TPG_MAX_PLANES][2];
	struct tpg_data *tpg = &pattern->tpg;
	unsigned int p;

	for (p = 0; p < tpg_g_planes(tpg); p++) {
		tpg_calc_text_basep(tpg, basep, p, dst);
		dst += tpg_calc_plane_size(tpg, p);
	}
	tpg_gen_text(tpg, basep, y, x, text);
}

static void avring_pattern_label(struct avring_pattern *pattern, void *dst,
				 const struct avring_frame *frame)
{
	u64 ms = div_u64(frame->time_ns, NSEC_PER_MSEC);
	char text[40];
	u32 rest, minutes;

	minutes = div_u64_rem(ms, 60 * MSEC_PER_SEC, &rest);
	snprintf(text, sizeof(text), " %u:%02u:%02u.%03u #%u ", minutes / 60, minutes % 60,
		 rest / 1000, rest % 1000, frame->sequence);
	avring_pattern_text(pattern, dst, AVRING_TEXT_LINE, AVRING_TEXT_LINE, text);
}

/* CRC-32 as everybody's crc32(): inverted at both ends. */
static u32 avring_pattern_crc(const void *dst, size_t size)
{
	const size_t own = offsetof(struct avring_frame_stamp, crc);
	const size_t behind = sizeof(struct avring_frame_stamp);
	u32 crc = crc32_le(~0, dst, own);

	return ~crc32_le(crc, dst + behind, size - behind);
}

/**
 * avring_pattern_stamp() - write the machine-readable stamp, if it is on
 * @pattern: the generator
 * @dst: a whole frame; a stamp that is there is written over
 * @frame: which frame
 */
void avring_pattern_stamp(struct avring_pattern *pattern, void *dst,
			  const struct avring_frame *frame)
{
	struct avring_frame_stamp *stamp = dst;

	if (!pattern->stamp)
		return;
	stamp->magic = cpu_to_le32(AVRING_FRAME_STAMP_MAGIC);
	stamp->sequence = cpu_to_le32(frame->sequence);
	stamp->time_ns = cpu_to_le64(frame->time_ns);
	stamp->frame = cpu_to_le64(frame->number);
	stamp->flags = cpu_to_le32(frame->flash ? AVRING_FRAME_STAMP_FLASH : 0);
	stamp->crc = cpu_to_le32(avring_pattern_crc(dst, pattern->size));
}

/**
 * avring_pattern_draw() - draw one frame
 * @pattern: the generator
 * @dst: memory for a frame of the format that was set
 * @frame: which frame
 *
 * A flash is white from edge to edge, with the stamp as the only exception.
 */
void avring_pattern_draw(struct avring_pattern *pattern, void *dst,
			 const struct avring_frame *frame)
{
	if (frame->flash) {
		avring_pattern_fill(pattern, dst, TPG_PAT_WHITE);
	} else {
		avring_pattern_fill(pattern, dst, pattern->picture);
		avring_pattern_label(pattern, dst, frame);
	}
	avring_pattern_stamp(pattern, dst, frame);
}

/**
 * avring_pattern_draw_no_signal() - draw the picture for a missing producer
 * @pattern: the generator
 * @dst: memory for a frame of the format that was set
 */
void avring_pattern_draw_no_signal(struct avring_pattern *pattern, void *dst)
{
	static const char text[] = " NO SIGNAL ";
	int y = max((pattern->height - AVRING_TEXT_LINE) / 2, 0);
	int x = max((pattern->width - (int)strlen(text) * AVRING_TEXT_COLUMN) / 2, 0);

	avring_pattern_fill(pattern, dst, TPG_PAT_BLACK);
	avring_pattern_text(pattern, dst, y & ~1, x & ~1, text);
}
