#define _GNU_SOURCE
#include "blocks.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

/* Records: `HGB1`, first block, count of blocks (u32, big-endian), then the blocks; the last is ffffffff with 0. */
#define MAGIC "HGB1"
#define HEADER 12u
#define MOST_IN_RECORD 4096u
#define PIPE_SIZE (1 << 20)

struct input {
	int file;
	size_t at, size;
	uint8_t bytes[65536];
};

struct output {
	/* Blocks that follow one another and are not handed over yet. */
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

/* How many bytes were there: fewer than asked for only at the stream's end. Large ones go where they belong at once. */
static ssize_t take(struct input *input, uint8_t *bytes, size_t size)
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

static enum outcome refuse(const char *what)
{
	COMPLAIN("refused a stream that ", what);
	return BAD_STREAM;
}

static enum outcome take_all(struct input *input, uint8_t *bytes, size_t size, const char *within)
{
	ssize_t taken = take(input, bytes, size);

	if (taken < 0) {
		COMPLAIN("cannot read the stream: ", last_error());
		return BAD_STREAM;
	}
	return (size_t)taken == size ? DONE : refuse(within);
}

/* Goes on with an empty piece that begins at a block. */
static enum outcome open_piece(struct output *output, uint64_t first)
{
	if (output->open->blocks.count > 0) {
		output->written += output->open->blocks.count;
		output->open = hand_over();
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
		uint64_t room = PIECE_BLOCKS - open->count;
		uint64_t count = blocks.count < room ? blocks.count : room;
		uint8_t *place = output->open->bytes + open->count * BLOCK;
		outcome = take_all(input, place, count * BLOCK, "ends within a record's blocks");
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

	COMPLAIN("refused ", decimal(blocks.count, count), " blocks from ", decimal(blocks.first, first),
		 ": wanted 1 to 4096 of the blocks from ", decimal(allowed.first, from), " up to ",
		 decimal(allowed.first + allowed.count, to));
	return BAD_STREAM;
}

static uint32_t big_endian(const uint8_t *bytes)
{
	return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

/* Reads up to the record that ends the stream. */
static enum outcome copy_records(struct input *input, struct output *output, struct range allowed)
{
	for (;;) {
		uint8_t header[HEADER];
		enum outcome outcome = take_all(input, header, HEADER, "ends without its last record");
		struct range blocks = {big_endian(header + 4), big_endian(header + 8)};

		if (outcome != DONE)
			return outcome;
		if (memcmp(header, MAGIC, strlen(MAGIC)) != 0)
			return refuse("has something else where a record should begin");
		if (blocks.first == MOST_BLOCKS && blocks.count == 0)
			return DONE;
		if (blocks.count == 0 || blocks.count > MOST_IN_RECORD || blocks.first < allowed.first ||
		    blocks.first + blocks.count > allowed.first + allowed.count)
			return refuse_range(blocks, allowed);
		outcome = copy_blocks(input, output, blocks);
		if (outcome != DONE)
			return outcome;
	}
}

/* Writes a stream's blocks, none outside of what is allowed; how many is counted where that succeeds. */
enum outcome write_records(int file, int device, struct range allowed, uint64_t *written)
{
	static struct input input;
	struct output output = {.open = start_writer(device)};
	enum outcome outcome, ending;
	uint8_t byte;

	input.file = file;
	input.at = input.size = 0;
	output.open->blocks = (struct range){0, 0};
	/* Fewer turns between this and the decompressor; what is no pipe has no such size. */
	(void)fcntl(file, F_SETPIPE_SZ, PIPE_SIZE);
	outcome = copy_records(&input, &output, allowed);
	if (outcome == DONE && take(&input, &byte, 1) != 0)
		outcome = refuse("goes on after its last record");
	if (outcome == DONE)
		outcome = open_piece(&output, 0);
	ending = finish_writer();
	*written = output.written;
	return outcome == DONE ? ending : outcome;
}
