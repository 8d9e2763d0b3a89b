#define _GNU_SOURCE
#include "blocks.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

/* The page cache may differ from the disk: writes dirty pages out, then drops the cache. */
static void drop_cache(int device)
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
		drop_cache(device);
	return device;
}

/* Some file systems accept O_DIRECT in open() but not in read() and write(): then it is switched off once. */
static int should_retry(int device, int *is_cached)
{
	int flags;

	if (errno != EINVAL || *is_cached)
		return errno == EINTR;
	flags = fcntl(device, F_GETFL);
	*is_cached = flags >= 0 && fcntl(device, F_SETFL, flags & ~O_DIRECT) == 0;
	if (*is_cached && (flags & O_DIRECT))
		drop_cache(device);
	return *is_cached;
}

/* Returns 0 if all blocks were read. `bytes` must be aligned to a block. */
int read_blocks(int device, struct range blocks, uint8_t *bytes)
{
	size_t size = (size_t)blocks.count * BLOCK, done = 0;
	int is_cached = 0;

	while (done < size) {
		ssize_t more = pread(device, bytes + done, size - done, (off_t)(blocks.first * BLOCK + done));
		if (more == 0)
			errno = ENODATA;
		if (more == 0 || (more < 0 && !should_retry(device, &is_cached)))
			return -1;
		if (more > 0)
			done += (size_t)more;
	}
	return 0;
}

int write_blocks(int device, struct range blocks, const uint8_t *bytes)
{
	size_t size = (size_t)blocks.count * BLOCK, done = 0;
	int is_cached = 0;

	while (done < size) {
		ssize_t more = pwrite(device, bytes + done, size - done, (off_t)(blocks.first * BLOCK + done));
		if (more < 0 && !should_retry(device, &is_cached))
			return -1;
		if (more > 0)
			done += (size_t)more;
	}
	return 0;
}
