// SPDX-License-Identifier: MIT
/*
 * explain: what kind of thing a device is, who may open it, and what there is instead.
 */
#include <alsa/asoundlib.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "explain.h"
#include "explain-nodes.h"

/* A list that is longer is not read any more. */
#define AVRING_EXPLAIN_ITEMS 16

static const char avring_no_sound_memory[] =
	"has no memory of a sound card that could be mapped, as a plugin has not";
static const char avring_no_picture_memory[] =
	"takes no buffers of user space: neither USERPTR, nor DMABUF of /dev/udmabuf";

void avring_explain_say(struct avring_refusal *refusal, const char *format, ...)
{
	size_t used = strlen(refusal->text);
	va_list words;

	va_start(words, format);
	vsnprintf(refusal->text + used, sizeof(refusal->text) - used, format, words);
	va_end(words);
}

void avring_explain_item(struct avring_refusal *refusal, unsigned int *n, const char *format, ...)
{
	char item[96];
	va_list words;

	va_start(words, format);
	vsnprintf(item, sizeof(item), format, words);
	va_end(words);
	if (*n < AVRING_EXPLAIN_ITEMS)
		avring_explain_say(refusal, "%s%s", *n ? ", " : "", item);
	else if (*n == AVRING_EXPLAIN_ITEMS)
		avring_explain_say(refusal, ", ...");
	++*n;
}

void avring_explain_member(struct avring_refusal *refusal, const char *member)
{
	snprintf(refusal->member, sizeof(refusal->member), "%s", member);
}

/* ---------------------------------------------------------------- wishes */

static bool avring_explain_stray(struct avring_refusal *refusal, const struct avring_nodes *nodes,
				 const struct avring_options *options)
{
	const char *carried = nodes->stream == AVRING_STREAM_VIDEO ? "pictures" : "sound";
	const char *other = nodes->stream == AVRING_STREAM_VIDEO ? "audio" : "video";

	if (options->stream && options->stream != nodes->stream) {
		avring_explain_member(refusal, "stream");
		avring_explain_say(refusal, "stream %u: the device carries %s only",
				   options->stream, carried);
	} else if (avring_options_stray(options, nodes->stream)) {
		avring_explain_member(refusal, other);
		avring_explain_say(refusal, "wishes about %s: %s read", other,
				   nodes->stream == AVRING_STREAM_VIDEO ? "pictures are" :
									  "sound is");
	} else {
		return false;
	}
	return true;
}

/* What struct avring_setup says, and what ALSA counts in; others say it by what they give. */
static uint64_t avring_explain_ring_max(const struct avring_nodes *nodes)
{
	switch (nodes->kind) {
	case AVRING_NODES_RING:
		return 16ULL << 30;
	case AVRING_NODES_SOUND:
		return INT32_MAX;
	default:
		return UINT64_MAX;
	}
}

static bool avring_explain_ring(struct avring_refusal *refusal, const struct avring_nodes *nodes,
				const struct avring_options *options)
{
	const unsigned long long most = avring_explain_ring_max(nodes);

	if (options->ring_bytes <= most)
		return false;
	avring_explain_member(refusal, "ring_bytes");
	avring_explain_say(refusal,
			   "a ring of %llu bytes: not possible, nearest is %llu; possible: %zu to %llu",
			   (unsigned long long)options->ring_bytes, most, avring_page_size(), most);
	refusal->nearest.ring_bytes = most;
	return true;
}

static bool avring_explain_wishes(struct avring_refusal *refusal, const struct avring_nodes *nodes,
				  const struct avring_options *options)
{
	if (avring_explain_stray(refusal, nodes, options))
		return true;
	if (options->keep_setup)
		return false;
	if (nodes->stream == AVRING_STREAM_VIDEO)
		return avring_explain_picture(refusal, nodes->picture, &options->video) ||
		       avring_explain_ring(refusal, nodes, options);
	return avring_explain_sound(refusal, nodes->pcm, &options->audio) ||
	       avring_explain_ring(refusal, nodes, options);
}

/* A parameter of the driver; 0 if it has none of that name. */
static unsigned long avring_explain_limit(const char *parameter)
{
	unsigned long limit = 0;
	char path[96];
	FILE *file;

	snprintf(path, sizeof(path), "/sys/module/avring_core/parameters/%s", parameter);
	file = fopen(path, "re");
	if (file && fscanf(file, "%lu", &limit) != 1)
		limit = 0;
	if (file)
		fclose(file);
	return limit;
}

static bool avring_explain_memory(struct avring_refusal *refusal, const struct avring_nodes *nodes,
				  const struct avring_options *options)
{
	const unsigned long long wish = options->ring_bytes;
	const unsigned long long have = sysconf(_SC_PHYS_PAGES) * avring_page_size();
	const unsigned long limit = nodes->kind == AVRING_NODES_RING ?
					    avring_explain_limit("max_card_memory") :
					    0;

	if (!wish && !limit)
		return false;
	if (wish) {
		avring_explain_member(refusal, "ring_bytes");
		avring_explain_say(refusal, "a ring of %llu bytes: ", wish);
	}
	avring_explain_say(refusal, "there is not so much memory, of %llu", have);
	if (limit)
		avring_explain_say(refusal, "; %s %lu MiB, %s (max_card_memory)",
				   "all rings and buffers of a card may have", limit,
				   "those of a user half of it");
	return true;
}

/* EMFILE is about files, or about readers. */
static bool avring_explain_readers(struct avring_refusal *refusal, const struct avring_nodes *nodes)
{
	const unsigned long limit = nodes->kind == AVRING_NODES_RING ?
					    avring_explain_limit("max_readers") :
					    0;

	if (!limit)
		return false;
	avring_explain_say(refusal, "too many readers, or files: %s %lu readers, %s (max_readers)",
			   "a card may have", limit, "a user half of them");
	return true;
}

/* ---------------------------------------------------------------- the node */

static bool avring_explain_permission(struct avring_refusal *refusal, struct avring_nodes *nodes)
{
	struct avring_owner owner;
	unsigned int i;

	for (i = 0; i < nodes->n_needed; i++)
		if (avring_nodes_denied(nodes, i))
			break;
	if (i == nodes->n_needed || avring_nodes_owner(nodes->paths[i], &owner))
		return false;
	avring_explain_say(refusal, "no permission to open %s (owner %s, group %s, mode %04o)",
			   nodes->paths[i], owner.user, owner.group, owner.mode);
	if ((owner.mode & 0060) == 0060)
		avring_explain_say(refusal,
				   ": join the group, 'usermod -aG %s USER', and log in anew",
				   owner.group);
	return true;
}

static void avring_explain_pcms(struct avring_refusal *refusal)
{
	unsigned int card, device, n = 0;
	FILE *list = fopen("/proc/asound/pcm", "re");
	char line[256], name[64];

	while (list && fgets(line, sizeof(line), list))
		if (strstr(line, ": capture ") &&
		    sscanf(line, "%u-%u: %63[^:\n]", &card, &device, name) == 3) {
			name[strcspn(name, ":")] = '\0';
			while (*name && name[strlen(name) - 1] == ' ')
				name[strlen(name) - 1] = '\0';
			avring_explain_say(refusal, "%s", n ? "" : "; PCMs that capture: ");
			avring_explain_item(refusal, &n, "hw:%u,%u (%s)", card, device, name);
		}
	if (list)
		fclose(list);
	if (!n)
		avring_explain_say(refusal, "; there is no PCM that captures");
}

static void avring_explain_list(struct avring_refusal *refusal, const char *what,
				struct avring_nodes_list *list)
{
	unsigned int n = 0;

	if (list->n)
		avring_explain_say(refusal, "%s", what);
	for (unsigned int i = 0; i < list->n; i++)
		avring_explain_item(refusal, &n, list->rows[i].name[0] ? "%s (%s)" : "%s",
				    list->rows[i].path, list->rows[i].name);
}

static bool avring_explain_absent(struct avring_refusal *refusal, const struct avring_nodes *nodes)
{
	struct avring_nodes_list list = { 0 };

	switch (nodes->kind) {
	case AVRING_NODES_RING:
		avring_nodes_cards(&list);
		avring_explain_say(refusal, "there is no such card");
		if (!list.n)
			avring_explain_say(refusal, ", and no other: is the driver loaded?");
		avring_explain_list(refusal, "; cards: ", &list);
		return true;
	case AVRING_NODES_PICTURE:
		avring_nodes_captures(&list);
		avring_explain_say(refusal, "there is no such device");
		avring_explain_list(refusal, "; what captures pictures: ", &list);
		return true;
	case AVRING_NODES_SOUND:
		avring_explain_say(refusal, "there is no such PCM");
		avring_explain_pcms(refusal);
		return true;
	}
	return false;
}

/* A node of another sort, or one without memory that could be mapped. */
static bool avring_explain_unsuitable(struct avring_refusal *refusal,
				      const struct avring_nodes *nodes)
{
	struct avring_nodes_list list = { 0 };
	char what[80];

	if (nodes->kind == AVRING_NODES_SOUND) {
		avring_explain_say(refusal, "%s", avring_no_sound_memory);
		avring_explain_pcms(refusal);
		return true;
	}
	if (nodes->kind != AVRING_NODES_PICTURE)
		return false;
	if (avring_nodes_what(nodes->paths[0], what, sizeof(what))) {
		avring_explain_say(refusal, "%s", avring_no_picture_memory);
		return true;
	}
	avring_nodes_siblings(nodes->paths[0], &list);
	avring_explain_say(refusal, "is %s", what);
	avring_explain_list(refusal, "; beside it captures ", &list);
	return true;
}

/* ---------------------------------------------------------------- which it is */

static bool avring_explain_error(struct avring_refusal *refusal, struct avring_nodes *nodes,
				 const struct avring_options *options, int error)
{
	switch (error) {
	case EACCES:
	case EPERM:
		return avring_explain_permission(refusal, nodes);
	case ENOENT:
	case ENODEV:
	case ENXIO:
		return avring_explain_absent(refusal, nodes);
	case EBUSY:
		avring_explain_holders(refusal, nodes->paths, nodes->n);
		return true;
	case EINVAL:
		return avring_explain_wishes(refusal, nodes, options);
	case EFBIG:
		return avring_explain_ring(refusal, nodes, options);
	case ENOMEM:
		return avring_explain_memory(refusal, nodes, options);
	case EMFILE:
		return avring_explain_readers(refusal, nodes);
	case EOPNOTSUPP:
		return avring_explain_unsuitable(refusal, nodes);
	}
	return false;
}

static void avring_explain_any(struct avring_refusal *refusal, const char *device,
			       const struct avring_options *options, int error)
{
	struct avring_nodes nodes;

	avring_nodes_find(&nodes, device, options->stream);
	if (avring_explain_error(refusal, &nodes, options, error))
		return;
	avring_explain_say(refusal, "%s", strerror(error));
	/* A plugin that waits for a server says many things. */
	if (nodes.kind == AVRING_NODES_SOUND && !nodes.n)
		avring_explain_pcms(refusal);
}

/* Those of another release are as they are; what is beyond its end is zero. */
static void avring_explain_copy(struct avring_options *options, const struct avring_options *from)
{
	memset(options, 0, sizeof(*options));
	if (!from)
		options->size = sizeof(*options);
	else
		memcpy(options, from,
		       avring_min(avring_max(from->size, sizeof(from->size)), sizeof(*options)));
}

int avring_explain(const char *device, const struct avring_options *options, int error,
		   struct avring_refusal *refusal)
{
	struct avring_refusal own = { .size = sizeof(own) };
	size_t size = refusal ? refusal->size : 0;

	if (!device || !error || size < sizeof(size))
		return -EINVAL;
	avring_explain_copy(&own.nearest, options);
	own.nearest.size = options ? options->size : sizeof(own.nearest);
	if (!avring_explain_options(&own, &own.nearest)) {
		struct avring_options wishes = own.nearest;

		avring_explain_any(&own, device, &wishes, abs(error));
	}
	own.nearest.size = sizeof(own.nearest);
	own.size = size;
	memset(refusal, 0, size);
	memcpy(refusal, &own, avring_min(size, sizeof(own)));
	return 0;
}
