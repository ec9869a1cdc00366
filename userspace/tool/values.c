// SPDX-License-Identifier: MIT
/*
 * Values of options. All of the text is read: junk behind a number, an overflow, a
 * unit of another kind are errors, never a different number.
 */
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <linux/videodev2.h>
#include <sound/asound.h>

#include "../pixels.h"
#include "tool.h"
#include "values.h"

struct tool_unit {
	const char *name;
	uint64_t factor;
};

/* The first is what a number without a unit means. */
static const struct tool_unit tool_byte_units[] = {
	{ "", 1 },	    { "K", 1 << 10 }, { "KiB", 1 << 10 }, { "M", 1 << 20 },
	{ "MiB", 1 << 20 }, { "G", 1 << 30 }, { "GiB", 1 << 30 }, { NULL, 0 },
};

static const struct tool_unit tool_time_units[] = {
	{ "", TOOL_NSEC_PER_SEC },
	{ "ns", 1 },
	{ "us", 1000 },
	{ "ms", 1000000 },
	{ "s", TOOL_NSEC_PER_SEC },
	{ "min", 60 * TOOL_NSEC_PER_SEC },
	{ "h", 3600 * TOOL_NSEC_PER_SEC },
	{ NULL, 0 },
};

struct tool_name {
	const char *name;
	uint32_t value;
};

static const struct tool_name tool_sample_names[] = {
	{ "S16_LE", (uint32_t)SNDRV_PCM_FORMAT_S16_LE },
	{ "S24_LE", (uint32_t)SNDRV_PCM_FORMAT_S24_LE },
	{ "S24_3LE", (uint32_t)SNDRV_PCM_FORMAT_S24_3LE },
	{ "S32_LE", (uint32_t)SNDRV_PCM_FORMAT_S32_LE },
	{ "FLOAT_LE", (uint32_t)SNDRV_PCM_FORMAT_FLOAT_LE },
	{ NULL, 0 },
};

#define TOOL_DEFAULT_SAMPLES ((uint32_t)SNDRV_PCM_FORMAT_S16_LE)

/* Digits at *@text, which moves behind them. */
static int tool_take_digits(const char **text, uint64_t *value)
{
	if (!isdigit((unsigned char)**text))
		return -EINVAL;
	for (*value = 0; isdigit((unsigned char)**text); ++*text)
		if (__builtin_mul_overflow(*value, 10, value) ||
		    __builtin_add_overflow(*value, **text - '0', value))
			return -ERANGE;
	return 0;
}

static int tool_take_u32(const char **text, uint32_t *value)
{
	uint64_t wide;
	int error = tool_take_digits(text, &wide);

	if (error)
		return error;
	*value = wide;
	return wide > UINT32_MAX ? -ERANGE : 0;
}

static uint64_t tool_unit_factor(const struct tool_unit *units, const char *name)
{
	for (; units->name; units++)
		if (!strcmp(units->name, name))
			return units->factor;
	return 0;
}

/* ".25" of @factor; what is finer than a whole one is an error. */
static int tool_fraction(const char *digits, size_t length, uint64_t factor, uint64_t *value)
{
	size_t i;

	for (*value = 0, i = 0; i < length; i++) {
		if (factor % 10)
			return -EINVAL;
		factor /= 10;
		*value += factor * (digits[i] - '0');
	}
	return 0;
}

static int tool_read_scaled(const char *text, const struct tool_unit *units, bool fraction,
			    uint64_t *value)
{
	const char *digits = NULL;
	size_t length = 0;
	uint64_t factor, part;
	int error;

	error = tool_take_digits(&text, value);
	if (error)
		return error;
	if (fraction && *text == '.') {
		digits = ++text;
		length = strspn(text, "0123456789");
		text += length;
		if (!length)
			return -EINVAL;
	}
	factor = tool_unit_factor(units, text);
	if (!factor)
		return -EINVAL;
	error = tool_fraction(digits, length, factor, &part);
	if (error)
		return error;
	if (__builtin_mul_overflow(*value, factor, value) ||
	    __builtin_add_overflow(*value, part, value))
		return -ERANGE;
	return 0;
}

static int tool_check_range(const struct tool_option *option, uint64_t value)
{
	return value < option->min || value > option->max ? -ERANGE : 0;
}

static bool tool_is_default(const char *text)
{
	return !strcmp(text, "default");
}

int tool_read_text(const struct tool_option *option, const char *text, void *target)
{
	(void)option;
	*(const char **)target = text;
	return *text ? 0 : -EINVAL;
}

int tool_read_number(const struct tool_option *option, const char *text, void *target)
{
	uint64_t *value = target;
	int error;

	if (option->standard && tool_is_default(text)) {
		*value = option->standard;
		return 0;
	}
	error = tool_take_digits(&text, value);
	if (!error && *text)
		error = -EINVAL;
	return error ?: tool_check_range(option, *value);
}

int tool_read_bytes(const struct tool_option *option, const char *text, void *target)
{
	uint64_t *value = target;

	return tool_read_scaled(text, tool_byte_units, false, value) ?:
		       tool_check_range(option, *value);
}

int tool_read_time(const struct tool_option *option, const char *text, void *target)
{
	uint64_t *value = target;

	return tool_read_scaled(text, tool_time_units, true, value) ?:
		       tool_check_range(option, *value);
}

int tool_read_ring_length(const struct tool_option *option, const char *text, void *target)
{
	struct tool_ring_length *length = target;

	*length = (struct tool_ring_length){ 0 };
	if (tool_is_default(text))
		return 0;
	if (!tool_read_bytes(option, text, &length->bytes))
		return 0;
	length->bytes = 0;
	/* A number without unit is bytes, here. */
	if (!text[0] || isdigit((unsigned char)text[strlen(text) - 1]))
		return -ERANGE;
	return tool_read_scaled(text, tool_time_units, true, &length->time_ns) ?:
		       length->time_ns < 1000000 || length->time_ns > 60 * TOOL_NSEC_PER_SEC ?
		       -ERANGE :
		       0;
}

int tool_read_size(const struct tool_option *option, const char *text, void *target)
{
	struct tool_size *size = target;

	if (tool_is_default(text)) {
		*size = (struct tool_size)TOOL_DEFAULT_SIZE;
		return 0;
	}
	if (tool_take_u32(&text, &size->width) || *text++ != 'x' ||
	    tool_take_u32(&text, &size->height) || *text)
		return -EINVAL;
	return tool_check_range(option, size->width) ?: tool_check_range(option, size->height);
}

int tool_read_rate(const struct tool_option *option, const char *text, void *target)
{
	struct tool_rate *rate = target;

	if (tool_is_default(text)) {
		*rate = (struct tool_rate)TOOL_DEFAULT_RATE;
		return 0;
	}
	rate->den = 1;
	if (tool_take_u32(&text, &rate->num))
		return -EINVAL;
	if (*text == '/' && (text++, tool_take_u32(&text, &rate->den)))
		return -EINVAL;
	if (*text || !rate->den)
		return -EINVAL;
	return rate->num < option->min * rate->den || rate->num > option->max * rate->den ?
		       -ERANGE :
		       0;
}

static int tool_name_find(const struct tool_name *names, const char *text, uint32_t *value)
{
	for (; names->name; names++) {
		if (strcmp(names->name, text))
			continue;
		*value = names->value;
		return 0;
	}
	return -EINVAL;
}

/* Any FOURCC may be asked for; the device knows which ones it has. */
int tool_read_pixel_format(const struct tool_option *option, const char *text, void *target)
{
	uint32_t *value = target;
	size_t i;

	(void)option;
	for (i = 0; i < AVRING_N_PIXELS; i++) {
		if (strcmp(avring_pixels[i].name, text))
			continue;
		*value = avring_pixels[i].fourcc;
		return 0;
	}
	if (tool_is_default(text)) {
		*value = TOOL_DEFAULT_PIXELS;
		return 0;
	}
	if (strlen(text) < 3 || strlen(text) > 4)
		return -EINVAL;
	for (*value = 0, i = 0; i < 4; i++) {
		unsigned char c = i < strlen(text) ? text[i] : ' ';

		if (!isprint(c))
			return -EINVAL;
		*value |= (uint32_t)c << (8 * i);
	}
	return 0;
}

int tool_read_sample_format(const struct tool_option *option, const char *text, void *target)
{
	uint32_t *value = target;

	(void)option;
	if (!tool_is_default(text))
		return tool_name_find(tool_sample_names, text, value);
	*value = TOOL_DEFAULT_SAMPLES;
	return 0;
}

int tool_read_word(const struct tool_option *option, const char *text, void *target)
{
	const char *word = option->words;
	size_t length;

	for (; *word; word += length, word += *word == ' ') {
		length = strcspn(word, " ");
		if (length != strlen(text) || memcmp(word, text, length))
			continue;
		*(const char **)target = text;
		return 0;
	}
	return -EINVAL;
}

/* In the largest unit that divides the value. */
static void tool_print_unit(char *text, size_t size, const struct tool_unit *units, uint64_t value)
{
	const struct tool_unit *unit, *best = units;

	for (unit = units; value && unit->name; unit++)
		if (value % unit->factor == 0 &&
		    (value % best->factor || unit->factor >= best->factor))
			best = unit;
	snprintf(text, size, "%" PRIu64 "%s", value / best->factor, best->name);
}

static void tool_describe_units(const struct tool_option *option, const char *what,
				const struct tool_unit *units, char *text, size_t size)
{
	char min[32], max[32];

	tool_print_unit(min, sizeof(min), units, option->min);
	tool_print_unit(max, sizeof(max), units, option->max);
	snprintf(text, size, "%s from %s to %s", what, min, max);
}

void tool_value_describe(const struct tool_option *option, char *text, size_t size)
{
	if (option->read == tool_read_number)
		snprintf(text, size, "%sa whole number from %" PRIu64 " to %" PRIu64,
			 option->standard ? "default, or " : "", option->min, option->max);
	else if (option->read == tool_read_bytes)
		tool_describe_units(option, "bytes (K, M, G)", tool_byte_units, text, size);
	else if (option->read == tool_read_time)
		tool_describe_units(option, "a time (ns, us, ms, s, min, h)", tool_time_units, text,
				    size);
	else if (option->read == tool_read_ring_length)
		tool_describe_units(option, "default, a time from 1ms to 60s, or bytes (K, M, G)",
				    tool_byte_units, text, size);
	else if (option->read == tool_read_size)
		snprintf(text, size, "default, or WIDTHxHEIGHT, each from %" PRIu64 " to %" PRIu64,
			 option->min, option->max);
	else if (option->read == tool_read_rate)
		snprintf(text, size,
			 "default, or N or N/D frames per second from %" PRIu64 " to %" PRIu64,
			 option->min, option->max);
	else if (option->read == tool_read_pixel_format)
		snprintf(text, size,
			 "default, or a FOURCC such as YUYV, NV12, YUV420, RGB24, GREY");
	else if (option->read == tool_read_sample_format)
		snprintf(text, size, "default, or one of %s", option->words);
	else if (option->read == tool_read_word)
		snprintf(text, size, "one of %s", option->words);
	else
		snprintf(text, size, "%s, not nothing", option->value);
}

struct tool_fourcc tool_fourcc(uint32_t pixelformat)
{
	const struct avring_pixels *pixels = avring_pixels_find(pixelformat);
	struct tool_fourcc out = { "" };
	int i;

	if (pixels) {
		snprintf(out.text, sizeof(out.text), "%s", pixels->name);
		return out;
	}
	for (i = 0; i < 4; i++) {
		char c = pixelformat >> (8 * i);

		out.text[i] = isprint((unsigned char)c) ? c : '?';
	}
	for (i = 3; i > 0 && out.text[i] == ' '; i--)
		out.text[i] = '\0';
	return out;
}

uint32_t tool_sample_bytes(uint32_t format)
{
	switch (format) {
	case (uint32_t)SNDRV_PCM_FORMAT_S16_LE:
		return 2;
	case (uint32_t)SNDRV_PCM_FORMAT_S24_3LE:
		return 3;
	default:
		return 4;
	}
}

const char *tool_sample_format(uint32_t format)
{
	const struct tool_name *name;

	for (name = tool_sample_names; name->name; name++)
		if (name->value == format)
			return name->name;
	return "unknown";
}
