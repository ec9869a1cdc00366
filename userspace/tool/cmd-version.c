// SPDX-License-Identifier: MIT
/*
 * avring version: what this program is and what it was built with.
 */
#include <stdio.h>

#include <sndfile.h>

#include "tool.h"

struct version_settings {
	bool json;
};

const struct tool_option version_options[] = {
	{ .letter = 'j',
	  .name = "json",
	  .help = "one JSON document",
	  TOOL_SETS(struct version_settings, json) },
	{ 0 },
};

/* What scripts may rely on; a row is never taken away while its meaning holds. */
static const char *const version_features[] = {
	"card", "v4l2", "alsa", "raw", "y4m", "wav", "o-direct", "index", "play", "verify", "bench",
};

static json_t *version_feature_list(void)
{
	json_t *list = json_array();
	size_t i;

	for (i = 0; i < sizeof(version_features) / sizeof(*version_features); i++)
		json_array_append_new(list, json_string(version_features[i]));
	return list;
}

static void version_text(json_t *features)
{
	json_t *feature;
	size_t i;

	printf("avring %s\nlibraries: jansson %s, %s\nfeatures:", AVRING_VERSION,
	       jansson_version_str(), sf_version_string());
	json_array_foreach(features, i, feature) printf(" %s", json_string_value(feature));
	putchar('\n');
}

int cmd_version(int argc, char **argv)
{
	struct version_settings settings = { 0 };
	char **operands;
	json_t *features;
	int status = tool_parse(argc, argv, &settings, &operands);

	if (status != TOOL_GO_ON)
		return status;
	features = version_feature_list();
	if (settings.json) {
		tool_print_json(json_pack("{s:s, s:{s:s, s:s}, s:o}", "version", AVRING_VERSION,
					  "libraries", "jansson", jansson_version_str(),
					  "libsndfile", sf_version_string(), "features", features),
				false);
	} else {
		version_text(features);
		json_decref(features);
	}
	return tool_flush(TOOL_OK);
}
