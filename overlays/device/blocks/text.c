#include "blocks.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

/* Prints one line on standard error. */
void report_error(const char *const *words)
{
	char line[512] = "blocks: ";
	size_t size = strlen(line);

	for (; *words != NULL; words++) {
		size_t more = strlen(*words);
		if (more > sizeof(line) - 1 - size)
			more = sizeof(line) - 1 - size;
		memcpy(line + size, *words, more);
		size += more;
	}
	line[size++] = '\n';
	(void)write_all(STDERR_FILENO, line, size);
}

const char *last_error(void)
{
	return strerror(errno);
}

/* Returns a pointer into `text`, which is filled from its end. */
const char *decimal(uint64_t number, char text[DIGITS])
{
	char *at = text + DIGITS - 1;

	*at = '\0';
	do
		*--at = (char)('0' + number % 10);
	while ((number /= 10) > 0);
	return at;
}

/* Returns 0 if the text is a decimal number up to `most`. `most` is small enough that no sum overflows. */
int parse_number(const char *text, uint64_t most, uint64_t *number)
{
	*number = 0;
	if (*text == '\0')
		return -1;
	for (; *text != '\0'; text++) {
		if (*text < '0' || *text > '9')
			return -1;
		*number = *number * 10 + (uint64_t)(*text - '0');
		if (*number > most)
			return -1;
	}
	return 0;
}

static int hexadecimal(char digit)
{
	if (digit >= '0' && digit <= '9')
		return digit - '0';
	return digit >= 'a' && digit <= 'f' ? digit - 'a' + 10 : -1;
}

int parse_digest(const char *text, uint8_t digest[LEAF])
{
	if (strlen(text) != 2 * LEAF)
		return -1;
	for (size_t at = 0; at < LEAF; at++) {
		int high = hexadecimal(text[2 * at]), low = hexadecimal(text[2 * at + 1]);
		if (high < 0 || low < 0)
			return -1;
		digest[at] = (uint8_t)(high << 4 | low);
	}
	return 0;
}

int write_all(int file, const char *bytes, size_t size)
{
	while (size > 0) {
		ssize_t written = write(file, bytes, size);
		if (written < 0 && errno == EINTR)
			continue;
		if (written < 0)
			return -1;
		bytes += written;
		size -= (size_t)written;
	}
	return 0;
}
