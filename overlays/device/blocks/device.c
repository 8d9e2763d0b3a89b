#define _GNU_SOURCE
#include "blocks.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

/* What is in the page cache may differ from what is on the medium: it is written out, then forgotten. */
static void forget_cached(int device)
{
	(void)fdatasync(device);
	(void)posix_fadvise(device, 0, 0, POSIX_FADV_DONTNEED);
}

int open_device(const char *path, int flags)
{
	int device = open(path, flags | O_DIRECT | O_CLOEXEC);

	if (device >= 0 || errno != EINVAL)
		return device;
	device = open(path, flags | O_CLOEXEC);
	if (device >= 0)
		forget_cached(device);
	return device;
}

/* Some file systems take O_DIRECT when a file is opened and refuse it when it is used: it is tried once more without. */
static int is_passing(int device, int *is_plain)
{
	int flags;

	if (errno != EINVAL || *is_plain)
		return errno == EINTR;
	flags = fcntl(device, F_GETFL);
	*is_plain = flags >= 0 && fcntl(device, F_SETFL, flags & ~O_DIRECT) == 0;
	if (*is_plain && (flags & O_DIRECT))
		forget_cached(device);
	return *is_plain;
}

/* 0 where all of the blocks were read. The bytes have to be aligned as blocks are. */
int read_blocks(int device, struct range blocks, uint8_t *bytes)
{
	size_t size = (size_t)blocks.count * BLOCK, done = 0;
	int is_plain = 0;

	while (done < size) {
		ssize_t more = pread(device, bytes + done, size - done, (off_t)(blocks.first * BLOCK + done));
		if (more == 0)
			errno = ENODATA;
		if (more == 0 || (more < 0 && !is_passing(device, &is_plain)))
			return -1;
		if (more > 0)
			done += (size_t)more;
	}
	return 0;
}

int write_blocks(int device, struct range blocks, const uint8_t *bytes)
{
	size_t size = (size_t)blocks.count * BLOCK, done = 0;
	int is_plain = 0;

	while (done < size) {
		ssize_t more = pwrite(device, bytes + done, size - done, (off_t)(blocks.first * BLOCK + done));
		if (more < 0 && !is_passing(device, &is_plain))
			return -1;
		if (more > 0)
			done += (size_t)more;
	}
	return 0;
}
