/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Where results go: stdout or the file that --output names.
 */
#ifndef CMD_OUTPUT_H
#define CMD_OUTPUT_H

#include "cmd/json.h"
#include "cmd/opts.h"

/* A descriptor for out_init(), or a negative errno, reported. */
int output_open(const struct io_opts *io);

/* Flush and close @o. Returns 0 or a negative errno, reported. */
int output_close(const struct io_opts *io, struct out *o);

/* The object that every JSON stream begins with; zeros: no UUID. */
void output_header(struct jl *j, const char *device, const uint8_t uuid[16]);

#endif
