#define _GNU_SOURCE
#include "blocks.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

static enum outcome usage(void)
{
	static const char text[] = "usage: blocks missing DEVICE DATA_BLOCKS ROOT [--tree FILE]\n"
				   "       blocks write DEVICE FIRST COUNT\n";

	(void)write_all(STDERR_FILENO, text, sizeof(text) - 1);
	return USAGE;
}

static enum outcome cannot_open(const char *path, enum outcome outcome)
{
	REPORT("cannot open '", path, "': ", last_error());
	return outcome;
}

/* missing DEVICE DATA_BLOCKS ROOT [--tree FILE] */
static enum outcome missing(int count, char **words)
{
	uint8_t root[LEAF];
	struct tree tree;
	int device;
	enum outcome outcome;

	if ((count != 3 && count != 5) || (count == 5 && strcmp(words[3], "--tree") != 0))
		return usage();
	if (parse_number(words[1], MAX_BLOCKS, &tree.data_blocks) < 0 || tree.data_blocks == 0)
		return usage();
	if (parse_digest(words[2], root) < 0)
		return usage();
	device = open_device(words[0], O_RDONLY);
	if (device < 0)
		return cannot_open(words[0], FAILED);
	tree.file = count == 5 ? open_device(words[4], O_RDONLY) : device;
	tree.start = count == 5 ? 0 : tree.data_blocks;
	if (tree.file < 0)
		return cannot_open(words[4], FAILED);
	outcome = verify_tree(&tree, root);
	return outcome == DONE ? print_missing(device, &tree) : outcome;
}

static enum outcome print_count(uint64_t number)
{
	char text[DIGITS];
	const char *digits = decimal(number, text);

	if (write_all(STDOUT_FILENO, digits, strlen(digits)) == 0 && write_all(STDOUT_FILENO, "\n", 1) == 0)
		return DONE;
	REPORT("cannot print the count of written blocks: ", last_error());
	return FAILED;
}

/* write DEVICE FIRST COUNT */
static enum outcome write_stream(int count, char **words)
{
	struct range allowed;
	uint64_t written;
	int device;
	enum outcome outcome;

	if (count != 3)
		return usage();
	if (parse_number(words[1], MAX_BLOCKS, &allowed.first) < 0)
		return usage();
	if (parse_number(words[2], MAX_BLOCKS, &allowed.count) < 0)
		return usage();
	device = open_device(words[0], O_WRONLY);
	if (device < 0)
		return cannot_open(words[0], WRITE_FAILED);
	outcome = write_records(STDIN_FILENO, device, allowed, &written);
	return outcome == DONE ? print_count(written) : outcome;
}

int main(int count, char **words)
{
	if (count > 1 && strcmp(words[1], "missing") == 0)
		return missing(count - 2, words + 2);
	if (count > 1 && strcmp(words[1], "write") == 0)
		return write_stream(count - 2, words + 2);
	return usage();
}
