// SPDX-License-Identifier: MIT
/* avring bench: the table of benchmarks and their results. See bench.h. */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>

#include "../tool.h"
#include "bench.h"
#include "counter.h"
#include "disk.h"

/**
 * struct benchmark - a row of the table
 * @id: "B1"
 * @name: one word
 * @run: measures; 0 if avring could be measured
 * @writes: to the disk
 */
struct benchmark {
	const char *id;
	const char *name;
	int (*run)(struct bench *bench);
	bool writes;
};

static const struct benchmark benchmarks[] = {
	{ "B1", "map-gib", bench_map, false },	    { "B2", "map-linear", bench_linear, false },
	{ "B3", "unmap", bench_unmap, false },	    { "B4", "pin", bench_pin, true },
	{ "B5", "rec-direct", bench_direct, true }, { "B7", "copies", bench_copies, false },
	{ "B8", "calls", bench_calls, true },	    { "B9", "switches", bench_switches, false },
	{ "B10", "wake", bench_wake, false },	    { "B11", "readers", bench_readers, false },
	{ "B12", "wrap", bench_wrap, false },
};

#define N_BENCHMARKS (sizeof(benchmarks) / sizeof(benchmarks[0]))

/**
 * struct bench_options - the command line
 * @json: one object per line
 * @card: ring node
 * @disk: is written to
 */
struct bench_options {
	bool json;
	const char *card;
	const char *disk;
};

const struct tool_option bench_options[] = {
	{ .name = "json",
	  .help = "one JSON object per figure and line",
	  TOOL_SETS(struct bench_options, json) },
	{ .name = "card",
	  .value = "NODE",
	  .help = "ring node (default /dev/avring0)",
	  .read = tool_read_text,
	  TOOL_SETS(struct bench_options, card) },
	{ .name = "disk",
	  .value = "PATH",
	  .help = "block device or file to write to, its content is lost (default /dev/nullb0)",
	  .read = tool_read_text,
	  TOOL_SETS(struct bench_options, disk) },
	{}
};

/* A "*" in a unit stands for the unit of cost. */
static void expand(char *text, size_t size, const char *unit, const char *cost)
{
	const char *star = strchr(unit, '*');

	if (star)
		snprintf(text, size, "%.*s%s%s", (int)(star - unit), unit, cost, star + 1);
	else
		snprintf(text, size, "%s", unit);
}

/* @value or @missing. */
static void tell_json(const struct bench *bench, const char *what, const char *unit,
		      const char *who, const double *value, const char *missing)
{
	json_t *row = json_pack("{s:s, s:s, s:s, s:s, s:s}", "id", bench->id, "name", bench->name,
				"what", what, "unit", unit, "who", who);

	if (value)
		json_object_set_new(row, "value", json_real(*value));
	else
		json_object_set_new(row, "missing", json_string(missing));
	tool_print_json(row, true);
}

static void tell(struct bench *bench, const char *what, const char *unit, const char *who,
		 const double *value, const char *missing)
{
	char full[40];

	expand(full, sizeof(full), unit, bench->cost);
	if (bench->json)
		tell_json(bench, what, full, who, value, missing);
	else if (value)
		printf("%-4s %-11s %-44s %-24s %12.*f %s\n", bench->id, bench->name, what, who,
		       *value < 100 ? 3 : 0, *value, full);
	else
		printf("%-4s %-11s %-44s %-24s %12s (%s)\n", bench->id, bench->name, what, who, "-",
		       missing);
	fflush(stdout);
	bench->values++;
}

void bench_value(struct bench *bench, const char *what, const char *unit, const char *who,
		 double value)
{
	tell(bench, what, unit, who, &value, NULL);
}

void bench_missing(struct bench *bench, const char *what, const char *unit, const char *who,
		   const char *reason, ...)
{
	char text[200];
	va_list args;

	va_start(args, reason);
	vsnprintf(text, sizeof(text), reason, args);
	va_end(args);
	tell(bench, what, unit, who, NULL, text);
}

static const struct benchmark *find(const char *id)
{
	for (size_t i = 0; i < N_BENCHMARKS; i++)
		if (strcmp(benchmarks[i].id, id) == 0 || strcmp(benchmarks[i].name, id) == 0)
			return &benchmarks[i];
	return NULL;
}

static int check_operands(char **operands)
{
	for (; *operands; operands++)
		if (!find(*operands))
			return tool_usage("no benchmark %s: B1 to B12 without B6, or a name",
					  *operands);
	return TOOL_GO_ON;
}

static bool is_named(const struct benchmark *benchmark, char **operands)
{
	if (!*operands)
		return true;
	for (; *operands; operands++)
		if (find(*operands) == benchmark)
			return true;
	return false;
}

/* Before anything is measured, not in the middle. */
static int check_disk(const char *disk, char **operands)
{
	bool writes = false;
	int fd;

	for (size_t i = 0; i < N_BENCHMARKS; i++)
		writes |= benchmarks[i].writes && is_named(&benchmarks[i], operands);
	if (!writes)
		return TOOL_GO_ON;
	fd = disk_open(disk, O_DIRECT);
	if (fd < 0)
		return tool_fail(fd, "--disk %s: cannot be written with O_DIRECT", disk);
	close(fd);
	return TOOL_GO_ON;
}

/* An avring that could not be measured is a failure, a peer is not. */
static int run(struct bench *bench, const struct benchmark *benchmark)
{
	int err;

	bench->id = benchmark->id;
	bench->name = benchmark->name;
	err = benchmark->run(bench);
	return err ? tool_fail(err, "%s (%s) on %s", benchmark->id, benchmark->name, bench->card) :
		     TOOL_OK;
}

int cmd_bench(int argc, char **argv)
{
	struct bench_options options = { .card = "/dev/avring0", .disk = "/dev/nullb0" };
	struct bench bench = { .cost = counter_unit() };
	char **operands;
	int status = tool_parse(argc, argv, &options, &operands);
	int result = TOOL_OK;

	if (status == TOOL_GO_ON)
		status = check_operands(operands);
	if (status == TOOL_GO_ON)
		status = check_disk(options.disk, operands);
	if (status != TOOL_GO_ON)
		return status;
	bench.card = options.card;
	bench.disk = options.disk;
	bench.json = options.json;
	if (!counter_counts_instructions())
		tool_say("this machine does not count instructions: processor time in ns");
	for (size_t i = 0; i < N_BENCHMARKS; i++)
		if (is_named(&benchmarks[i], operands) && run(&bench, &benchmarks[i]) != TOOL_OK)
			result = TOOL_FAILED;
	return tool_flush(result);
}
