/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Where results go; see output.h.
 */
#include <unistd.h>

#include "cmd/output.h"

int output_open(const struct io_opts *io)
{
	if (!io->output)
		return STDOUT_FILENO;
	return cmd_create(io->output, io->force & FORCE_OUTPUT);
}

int output_close(const struct io_opts *io, struct out *o)
{
	int rc = out_close(o);

	if (rc)
		cmd_message("%s: %s", io->output ? io->output : "stdout",
			    strerror(-rc));
	return rc;
}

void output_header(struct jl *j, const char *device, const uint8_t uuid[16])
{
	static const uint8_t none[16];

	jl_begin(j, "header");
	jl_str(j, "schema", "xlog");
	jl_uint(j, "version", 1);
	jl_str(j, "tool", cmd_name());
	jl_str(j, "toolversion", XLOG_VERSION);
	jl_str(j, "device", device);
	if (memcmp(uuid, none, sizeof(none)))
		jl_uuid(j, "uuid", uuid);
	else
		jl_null(j, "uuid");
	jl_end(j);
}
