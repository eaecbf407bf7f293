/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Loop devices for unit tests: block devices as the kernel has them, for root.
 */
#ifndef TESTS_LIB_LOOPDEV_H
#define TESTS_LIB_LOOPDEV_H

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/loop.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

/*
 * Set a free loop device up over @path, from byte @start on, @len bytes (0: to
 * its end), and put its name into @node. It goes away with the descriptor,
 * however the test ends. Returns -1 if this machine will not.
 */
static inline int loop_open_at(const char *path, int how, uint64_t start,
			       uint64_t len, char *node, size_t size)
{
	struct loop_config config = {
		.info = { .lo_flags = LO_FLAGS_AUTOCLEAR, .lo_offset = start,
			  .lo_sizelimit = len },
	};
	int control = open("/dev/loop-control", O_RDWR | O_CLOEXEC);
	int fd = -1, number, tries, file;

	if (control < 0)
		return -1;
	file = open(path, how | O_CLOEXEC);
	cr_assert_geq(file, 0);
	config.fd = (uint32_t)file;
	if (how == O_RDONLY)
		config.info.lo_flags |= LO_FLAGS_READ_ONLY;
	/* Others look for a free one, too. */
	for (tries = 0; fd < 0 && tries < 100; tries++) {
		number = ioctl(control, LOOP_CTL_GET_FREE);
		if (number < 0)
			break;
		snprintf(node, size, "/dev/loop%d", number);
		fd = open(node, how | O_CLOEXEC);
		if (fd >= 0 && ioctl(fd, LOOP_CONFIGURE, &config)) {
			close(fd);
			fd = -1;
			if (errno != EBUSY)
				break;
		}
	}
	close(file);
	close(control);
	return fd;
}

static inline int loop_open(const char *path, int how, char *node,
			    size_t size)
{
	return loop_open_at(path, how, 0, 0, node, size);
}

#endif
