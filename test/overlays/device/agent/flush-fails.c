/* Wraps `fdatasync`: the first flush during the writes fails, and no other one. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdatomic.h>
#include <unistd.h>

int __real_fdatasync(int file);
int __wrap_fdatasync(int file);

int __wrap_fdatasync(int file)
{
	static atomic_flag has_failed = ATOMIC_FLAG_INIT;

	/* The main thread calls the last flush. */
	if (gettid() == getpid() || atomic_flag_test_and_set(&has_failed))
		return __real_fdatasync(file);
	errno = EIO;
	return -1;
}
