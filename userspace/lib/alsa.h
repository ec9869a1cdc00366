/* SPDX-License-Identifier: MIT */
/*
 * alsa: libasound without its words on stderr.
 */
#ifndef AVRING_ALSA_H
#define AVRING_ALSA_H

#include <alsa/asoundlib.h>

/* Be quiet in this thread until snd_lib_error_set_local() of what this returns. */
snd_local_error_handler_t avring_alsa_quiet(void);

#endif
