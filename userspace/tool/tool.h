/* SPDX-License-Identifier: MIT */
/*
 * The command-line tool: what every sub-command relies on.
 *
 * A command is a row of the table in commands.c: name, summary, synopsis, options and
 * a function. Help, usage messages, bash completion and the check of the man pages
 * follow from that row. Its function gets argv[0] = name of the command, and
 * returns an exit status (TOOL_*):
 *
 *	struct NAME_options options = { defaults };
 *	char **operands;
 *	int status = tool_parse(argc, argv, &options, &operands);
 *
 *	if (status != TOOL_GO_ON)
 *		return status;
 *
 * Data goes to stdout, words go to stderr (tool_error() and the like). Before a
 * command that printed returns 0 it must ask tool_flush().
 */
#ifndef AVRING_TOOL_H
#define AVRING_TOOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <avring/avring.h>
#include <jansson.h>
#include <linux/videodev2.h>

#define TOOL_NSEC_PER_SEC UINT64_C(1000000000)

/* Exit status. */
#define TOOL_OK 0
#define TOOL_FAILED 1 /* at run time; a message says what */
#define TOOL_USAGE 2 /* the command line is wrong; nothing was done */
#define TOOL_LOST 3 /* all went well, but the stream has gaps */
/* Not a status: tool_parse() has found a command line to be carried out. */
#define TOOL_GO_ON (-1)

/* Values that options take. Ranges are checked; messages name option, value, range. */
struct tool_size {
	uint32_t width;
	uint32_t height;
};

struct tool_rate {
	uint32_t num;
	uint32_t den;
};

/* All is 0 but one, or all for the default. */
struct tool_ring_length {
	uint64_t bytes;
	uint64_t time_ns;
};

/* What the word "default" is, as a value: what a new card has. */
#define TOOL_DEFAULT_SIZE \
	{ \
		640, 480 \
	}
#define TOOL_DEFAULT_RATE \
	{ \
		30, 1 \
	}
#define TOOL_DEFAULT_PIXELS v4l2_fourcc('Y', 'U', 'Y', 'V')
#define TOOL_DEFAULT_SAMPLE_RATE 48000
#define TOOL_DEFAULT_CHANNELS 2
#define TOOL_DEFAULT_PERIOD 480

struct tool_option;

/**
 * typedef tool_value_fn - read the value of an option, all of it
 * @option: its row; has the range
 * @text: the value
 * @target: where it goes
 *
 * Return: 0; a negative errno: not such a value, or out of range. It prints
 * nothing; @option.expected says what it takes.
 */
typedef int tool_value_fn(const struct tool_option *option, const char *text, void *target);

/**
 * struct tool_option - one option of a command; a table ends with a row of zeros
 * @letter: -x, or 0
 * @name: --name, exactly
 * @value: what the help calls its value; NULL: a flag, a bool becomes true
 * @help: a few words
 * @read: reads the value
 * @offset: of the target in the structure that tool_parse() fills
 * @min: smallest number
 * @max: largest number
 * @standard: what the word "default" is, as a number; 0: it is none
 * @words: for tool_read_word(): the words, separated by blanks
 */
struct tool_option {
	char letter;
	const char *name;
	const char *value;
	const char *help;
	tool_value_fn *read;
	size_t offset;
	uint64_t min;
	uint64_t max;
	uint64_t standard;
	const char *words;
};

/* Which member of which structure an option sets, for use in a row. */
#define TOOL_SETS(type, member) .offset = offsetof(type, member)

/* Readers of values, with the type of their target. */
tool_value_fn tool_read_text; /* const char * */
tool_value_fn tool_read_number; /* uint64_t: a whole number, min to max, or default */
tool_value_fn tool_read_bytes; /* uint64_t: a number with or without K, M, G (1024) */
tool_value_fn tool_read_time; /* uint64_t, ns: 10, 1.5, with or without ns, us, ms, s, min, h */
tool_value_fn tool_read_size; /* struct tool_size: 1280x720, or default */
tool_value_fn tool_read_rate; /* struct tool_rate: 25 or 30000/1001, or default */
tool_value_fn tool_read_pixel_format; /* uint32_t: V4L2_PIX_FMT_* by FOURCC or usual name */
tool_value_fn tool_read_sample_format; /* uint32_t: SNDRV_PCM_FORMAT_*: S16_LE, ..., or default */
tool_value_fn tool_read_ring_length; /* struct tool_ring_length: bytes or a time with unit */
tool_value_fn tool_read_word; /* const char *: one of @words */

/**
 * struct tool_command - one sub-command
 * @name: what is typed, exactly
 * @summary: what it does, one line without a full stop
 * @operands: what follows the options, as in the man page: "DEVICE [FILE]"
 * @min_operands: how many there must be
 * @max_operands: and may be
 * @options: or NULL
 * @notes: more lines for the help, or NULL
 * @run: does it; returns an exit status
 */
struct tool_command {
	const char *name;
	const char *summary;
	const char *operands;
	int min_operands;
	int max_operands;
	const struct tool_option *options;
	const char *notes;
	int (*run)(int argc, char **argv);
};

/* The table, in the order of the help; ends with a row of zeros. */
extern const struct tool_command tool_commands[];
const struct tool_command *tool_command_find(const char *name);

/* One option table and one function per command, see cmd-NAME.c. */
extern const struct tool_option list_options[];
extern const struct tool_option info_options[];
extern const struct tool_option record_options[];
extern const struct tool_option play_options[];
extern const struct tool_option cat_options[];
extern const struct tool_option verify_options[];
extern const struct tool_option bench_options[];
extern const struct tool_option reset_options[];
extern const struct tool_option version_options[];
extern const struct tool_option help_options[];

int cmd_list(int argc, char **argv);
int cmd_info(int argc, char **argv);
int cmd_record(int argc, char **argv);
int cmd_play(int argc, char **argv);
int cmd_cat(int argc, char **argv);
int cmd_verify(int argc, char **argv);
int cmd_bench(int argc, char **argv);
int cmd_reset(int argc, char **argv);
int cmd_version(int argc, char **argv);
int cmd_help(int argc, char **argv);

/**
 * tool_parse() - read a command line by the table of its command
 * @argc: of the command
 * @argv: of the command; [0] is its name; is sorted: options first
 * @target: structure that the options set
 * @operands: the others, as many as the table allows; ends with NULL
 *
 * Knows "--", "-x VALUE", "-xVALUE", "--name VALUE", "--name=VALUE", flags in one
 * word (-qj), options behind operands, and "-" as an operand. --help is answered.
 *
 * Return: TOOL_GO_ON, or the status to end with (all words were said).
 */
int tool_parse(int argc, char **argv, void *target, char ***operands);

/* "avring COMMAND: words" on stderr. */
void tool_error(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* The same with a hint at the help. Return: TOOL_USAGE. */
int tool_usage(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* "avring COMMAND: words: strerror(error)". @error may be negative. Return: TOOL_FAILED. */
int tool_fail(int error, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* As tool_error(), but no complaint: left out after tool_set_quiet(true). */
void tool_say(const char *format, ...) __attribute__((format(printf, 1, 2)));
void tool_set_quiet(bool quiet);

/**
 * tool_print_json() - print one document, or one line, on stdout
 * @value: is released
 * @line: all on one line
 */
void tool_print_json(json_t *value, bool line);

/**
 * tool_flush() - end of stdout
 * @status: what the command would return
 *
 * Return: @status, or TOOL_FAILED if not all could be printed and @status is 0.
 */
int tool_flush(int status);

/* CLOCK_MONOTONIC in ns. */
uint64_t tool_now_ns(void);
/* When event @n of @num / @den per second happens: floor(n * den * 10^9 / num). */
uint64_t tool_event_ns(uint64_t n, uint64_t num, uint64_t den);

/* Text of a V4L2_PIX_FMT_*, "YUYV"; of a SNDRV_PCM_FORMAT_*, "S16_LE". */
struct tool_fourcc {
	char text[16];
};

struct tool_fourcc tool_fourcc(uint32_t pixelformat);
/* The names that it and tool_read_sample_format() know, for struct tool_option. */
#define TOOL_SAMPLE_FORMATS "S16_LE S24_LE S24_3LE S32_LE FLOAT_LE"
const char *tool_sample_format(uint32_t format);
/* Bytes of a sample of one channel. */
uint32_t tool_sample_bytes(uint32_t format);

/*
 * SIGINT, SIGTERM and SIGHUP ask a command to come to its end; SIGPIPE and SIGXFSZ are
 * ignored. Blocking calls return EINTR.
 */
void tool_catch_signals(void);
/* How many of them came. */
int tool_signals(void);

#define TOOL_INPUTS 2

/*
 * After such a signal, @fd is at its end: for who reads it where EINTR is not heeded. It
 * must stay open; there are TOOL_INPUTS at most.
 */
void tool_end_on_signal(int fd);

#endif
