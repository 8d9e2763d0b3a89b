/*
 * Feeds mutated streams to `write_records` and to a simpler reference parser. Both must return the same result, and the
 * device must have the same blocks and no change outside of the allowed range.
 * Arguments: the first seed and the count of seeds.
 */
#define _GNU_SOURCE
#include "blocks.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define DEVICE_BLOCKS 64u
#define ROOM (1u << 20)
#define UNTOUCHED 0xa5
/* Count of blocks that the program may write beyond the allowed range. With 1, this test must fail (negative control). */
#ifndef TOO_MANY
#define TOO_MANY 0
#endif

static const struct range ALLOWED = {8, 40};
static const struct range GIVEN = {8, 40 + TOO_MANY};
static uint64_t state;

static uint32_t random_below(uint32_t bound)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (uint32_t)(state >> 32) % bound;
}

static void put(uint8_t *at, uint32_t value)
{
	for (int i = 0; i < 4; i++)
		at[i] = (uint8_t)(value >> (24 - 8 * i));
}

static size_t put_header(uint8_t *at, uint32_t first, uint32_t count)
{
	memcpy(at, "HGB1", 4);
	put(at + 4, first);
	put(at + 8, count);
	return 12;
}

static size_t valid_stream(uint8_t *bytes)
{
	size_t size = 0;

	for (uint32_t records = random_below(6); records > 0; records--) {
		uint32_t count = 1 + random_below(8);
		uint32_t first = (uint32_t)ALLOWED.first + random_below((uint32_t)ALLOWED.count - count + 1);

		size += put_header(bytes + size, first, count);
		memset(bytes + size, (int)random_below(256), count * BLOCK);
		size += count * BLOCK;
	}
	return size + put_header(bytes + size, 0xffffffff, 0);
}

/* Returns the offset of a random header: mutations of headers find the most errors. */
static size_t some_header(const uint8_t *bytes, size_t size)
{
	size_t at = 0;

	while (at + 12 <= size && memcmp(bytes + at, "HGB1", 4) == 0 && random_below(3) > 0) {
		uint32_t count = (uint32_t)bytes[at + 10] << 8 | bytes[at + 11];
		if (at + 12 + count * BLOCK >= size)
			break;
		at += 12 + count * BLOCK;
	}
	return at;
}

static size_t mutate(uint8_t *bytes, size_t size)
{
	static const uint32_t edges[] = {0, 1, 7, 8, 39, 40, 47, 48, 4096, 4097, 0x7fffffff, 0x80000000, 0xfffffffe, 0xffffffff};
	size_t at = some_header(bytes, size);

	switch (random_below(7)) {
	case 0:
		return random_below((uint32_t)size + 1);
	case 1:
		bytes[random_below((uint32_t)size)] ^= (uint8_t)(1 << random_below(8));
		return size;
	case 2:
	case 3:
		if (at + 12 <= size)
			put(bytes + at + 4 + 4 * random_below(2), edges[random_below(sizeof(edges) / sizeof(*edges))]);
		return size;
	case 4:
		if (at + 12 <= size)
			bytes[at + random_below(12)] = (uint8_t)random_below(256);
		return size;
	case 5: {
		size_t more = 1 + random_below(2 * BLOCK);
		for (size_t i = 0; i < more; i++)
			bytes[size + i] = (uint8_t)random_below(256);
		return size + more;
	}
	default:
		return size;
	}
}

/* The reference parser. Returns the count of written blocks, or -1. Writes `device` up to the first error. */
static int64_t reference(const uint8_t *bytes, size_t size, uint8_t *device)
{
	int64_t written = 0;

	for (size_t at = 0; at + 12 <= size && memcmp(bytes + at, "HGB1", 4) == 0;) {
		uint64_t first = 0, count = 0;
		for (int i = 0; i < 4; i++) {
			first = first * 256 + bytes[at + 4 + (size_t)i];
			count = count * 256 + bytes[at + 8 + (size_t)i];
		}
		at += 12;
		if (first == 0xffffffff && count == 0)
			return at == size ? written : -1;
		if (count < 1 || count > 4096 || first < ALLOWED.first || first + count > ALLOWED.first + ALLOWED.count)
			return -1;
		if (size - at < count * BLOCK)
			return -1;
		memcpy(device + first * BLOCK, bytes + at, count * BLOCK);
		at += count * BLOCK;
		written += (int64_t)count;
	}
	return -1;
}

static void fault(uint64_t seed, const char *what)
{
	fprintf(stderr, "seed %llu: %s\n", (unsigned long long)seed, what);
	abort();
}

static int is_untouched(const uint8_t *bytes, size_t size)
{
	for (size_t at = 0; at < size; at++)
		if (bytes[at] != UNTOUCHED)
			return 0;
	return 1;
}

static int try_seed(uint64_t seed, int input, int device)
{
	static uint8_t stream[ROOM], wanted[DEVICE_BLOCKS * BLOCK], found[DEVICE_BLOCKS * BLOCK];
	size_t end = (ALLOWED.first + ALLOWED.count) * BLOCK;
	uint64_t written = 0;

	state = seed * 0x9e3779b97f4a7c15u + 1;
	size_t size = mutate(stream, valid_stream(stream));
	memset(wanted, UNTOUCHED, sizeof(wanted));
	if (pwrite(device, wanted, sizeof(wanted), 0) != sizeof(wanted) || ftruncate(input, 0) < 0 ||
	    pwrite(input, stream, size, 0) != (ssize_t)size || lseek(input, 0, SEEK_SET) != 0)
		fault(seed, "cannot be laid out");
	int64_t expected = reference(stream, size, wanted);
	enum outcome outcome = write_records(input, device, GIVEN, &written);
	if (lseek(device, 0, SEEK_END) != sizeof(found) || pread(device, found, sizeof(found), 0) != sizeof(found))
		fault(seed, "the device has another size");
	if (outcome != (expected < 0 ? BAD_STREAM : DONE))
		fault(seed, "another verdict");
	if (expected >= 0 && (written != (uint64_t)expected || memcmp(wanted, found, sizeof(found)) != 0))
		fault(seed, "other blocks");
	if (!is_untouched(found, ALLOWED.first * BLOCK) || !is_untouched(found + end, sizeof(found) - end))
		fault(seed, "written outside of what is allowed");
	return outcome == DONE;
}

int main(int count, char **words)
{
	int input = memfd_create("input", 0), device = memfd_create("device", 0);
	uint64_t first = strtoull(count > 1 ? words[1] : "1", NULL, 10);
	uint64_t seeds = strtoull(count > 2 ? words[2] : "1000", NULL, 10), whole = 0;

	for (uint64_t seed = first; seed < first + seeds; seed++)
		whole += (uint64_t)try_seed(seed, input, device);
	printf("%llu whole, %llu refused\n", (unsigned long long)whole, (unsigned long long)(seeds - whole));
	return 0;
}
