#define _GNU_SOURCE
#include "blocks.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

/* A record is `HGB1`, its first block, its count of blocks (u32, big-endian) and the blocks. The last one is ffffffff with 0. */
#define MAGIC "HGB1"
#define HEADER 12u
#define MAX_IN_RECORD 4096u
#define PIPE_SIZE (1 << 20)

struct input {
	int file;
	size_t at, size;
	uint8_t bytes[65536];
};

struct output {
	/* Adjacent blocks that are not submitted to the writer yet. */
	struct piece *open;
	uint64_t written;
};

static ssize_t read_some(int file, uint8_t *bytes, size_t size)
{
	ssize_t more;

	do
		more = read(file, bytes, size);
	while (more < 0 && errno == EINTR);
	return more;
}

/* Returns the count of bytes, which is smaller than `size` only at the end of the stream. Large reads need no buffer. */
static ssize_t read_bytes(struct input *input, uint8_t *bytes, size_t size)
{
	size_t taken = 0;

	while (taken < size) {
		size_t ready = input->size - input->at;
		if (ready > 0) {
			size_t part = ready < size - taken ? ready : size - taken;
			memcpy(bytes + taken, input->bytes + input->at, part);
			input->at += part;
			taken += part;
			continue;
		}
		int is_large = size - taken >= sizeof(input->bytes);
		ssize_t more = is_large ? read_some(input->file, bytes + taken, size - taken)
					: read_some(input->file, input->bytes, sizeof(input->bytes));
		if (more < 0)
			return -1;
		if (more == 0)
			break;
		if (is_large) {
			taken += (size_t)more;
		} else {
			input->at = 0;
			input->size = (size_t)more;
		}
	}
	return (ssize_t)taken;
}

static enum outcome refuse(const char *reason)
{
	REPORT("refused the stream: ", reason);
	return BAD_STREAM;
}

static enum outcome read_exactly(struct input *input, uint8_t *bytes, size_t size, const char *reason)
{
	ssize_t taken = read_bytes(input, bytes, size);

	if (taken < 0) {
		REPORT("cannot read the stream: ", last_error());
		return BAD_STREAM;
	}
	return (size_t)taken == size ? DONE : refuse(reason);
}

/* Submits the open piece and opens an empty one that begins at block `first`. */
static enum outcome open_piece(struct output *output, uint64_t first)
{
	if (output->open->blocks.count > 0) {
		output->written += output->open->blocks.count;
		output->open = submit_piece();
	}
	if (output->open == NULL)
		return WRITE_FAILED;
	output->open->blocks = (struct range){first, 0};
	return DONE;
}

static enum outcome copy_blocks(struct input *input, struct output *output, struct range blocks)
{
	enum outcome outcome = DONE;

	while (blocks.count > 0 && outcome == DONE) {
		struct range *open = &output->open->blocks;

		if (open->count == PIECE_BLOCKS || open->first + open->count != blocks.first) {
			outcome = open_piece(output, blocks.first);
			continue;
		}
		uint64_t space = PIECE_BLOCKS - open->count;
		uint64_t count = blocks.count < space ? blocks.count : space;
		uint8_t *target = output->open->bytes + open->count * BLOCK;
		outcome = read_exactly(input, target, count * BLOCK, "it ends within the blocks of a record");
		if (outcome == DONE) {
			open->count += count;
			blocks.first += count;
			blocks.count -= count;
		}
	}
	return outcome;
}

static enum outcome refuse_range(struct range blocks, struct range allowed)
{
	char first[DIGITS], count[DIGITS], from[DIGITS], to[DIGITS];

	REPORT("refused ", decimal(blocks.count, count), " blocks from ", decimal(blocks.first, first),
		 ": wanted 1 to 4096 of the blocks from ", decimal(allowed.first, from), " up to ",
		 decimal(allowed.first + allowed.count, to));
	return BAD_STREAM;
}

static uint32_t big_endian(const uint8_t *bytes)
{
	return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

/* Reads all records up to the last one. */
static enum outcome copy_records(struct input *input, struct output *output, struct range allowed)
{
	for (;;) {
		uint8_t header[HEADER];
		enum outcome outcome = read_exactly(input, header, HEADER, "it ends without its last record");
		struct range blocks = {big_endian(header + 4), big_endian(header + 8)};

		if (outcome != DONE)
			return outcome;
		if (memcmp(header, MAGIC, strlen(MAGIC)) != 0)
			return refuse("a record does not begin with HGB1");
		if (blocks.first == MAX_BLOCKS && blocks.count == 0)
			return DONE;
		if (blocks.count == 0 || blocks.count > MAX_IN_RECORD || blocks.first < allowed.first ||
		    blocks.first + blocks.count > allowed.first + allowed.count)
			return refuse_range(blocks, allowed);
		outcome = copy_blocks(input, output, blocks);
		if (outcome != DONE)
			return outcome;
	}
}

/* Writes the blocks of a stream, all within `allowed`. Sets `written` to their count. */
enum outcome write_records(int file, int device, struct range allowed, uint64_t *written)
{
	static struct input input;
	struct output output = {.open = start_writer(device)};
	enum outcome outcome, ending;
	uint8_t byte;

	input.file = file;
	input.at = input.size = 0;
	output.open->blocks = (struct range){0, 0};
	/* A larger pipe needs fewer switches to the decompressor. Fails if the input is not a pipe. */
	(void)fcntl(file, F_SETPIPE_SZ, PIPE_SIZE);
	outcome = copy_records(&input, &output, allowed);
	if (outcome == DONE && read_bytes(&input, &byte, 1) != 0)
		outcome = refuse("it continues after its last record");
	if (outcome == DONE)
		outcome = open_piece(&output, 0);
	ending = finish_writer();
	*written = output.written;
	return outcome == DONE ? ending : outcome;
}
