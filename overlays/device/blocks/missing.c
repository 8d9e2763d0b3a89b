#include "blocks.h"

#include <pthread.h>
#include <string.h>
#include <unistd.h>

/* Blocks that a worker reads at once: enough for the full speed of a disk, and a multiple of the leaves in a block. */
#define AT_ONCE 512u
/* One worker hashes while the other one waits for the disk. */
#define WORKERS 2

struct report {
	/* Adjacent missing blocks that are not printed yet. */
	struct range open;
	char text[4096];
	size_t size;
	enum outcome outcome;
};

struct survey {
	int device;
	const struct tree *tree;
	pthread_mutex_t lock;
	pthread_cond_t turn;
	/* First blocks of the next piece to check and of the next piece to report. Pieces are reported in order. */
	uint64_t taken;
	uint64_t reported;
	struct report report;
};

struct worker {
	struct survey *survey;
	_Alignas(BLOCK) uint8_t bytes[AT_ONCE * BLOCK];
	_Alignas(BLOCK) uint8_t leaves[AT_ONCE * LEAF];
	uint8_t is_missing[AT_ONCE];
};

static void flush(struct report *report)
{
	if (report->outcome == DONE && write_all(STDOUT_FILENO, report->text, report->size) < 0) {
		REPORT("cannot print the list of missing blocks: ", last_error());
		report->outcome = FAILED;
	}
	report->size = 0;
}

static void print(struct report *report, const char *text)
{
	size_t size = strlen(text);

	if (size > sizeof(report->text) - report->size)
		flush(report);
	memcpy(report->text + report->size, text, size);
	report->size += size;
}

static void close_range(struct report *report)
{
	char text[DIGITS];

	if (report->open.count == 0)
		return;
	print(report, decimal(report->open.first, text));
	print(report, " ");
	print(report, decimal(report->open.count, text));
	print(report, "\n");
	report->open.count = 0;
}

static void add_missing(struct report *report, uint64_t block)
{
	if (report->open.count == 0 || report->open.first + report->open.count != block) {
		close_range(report);
		report->open.first = block;
	}
	report->open.count++;
}

/* If a piece cannot be read at once, each of its blocks is read alone: only unreadable blocks are missing. */
static void check_piece(struct worker *worker, struct range piece, int is_read)
{
	for (uint64_t at = 0; at < piece.count; at++) {
		struct range one = {piece.first + at, 1};
		uint8_t *block = worker->bytes + at * BLOCK, digest[LEAF];

		worker->is_missing[at] = 1;
		if (!is_read && read_blocks(worker->survey->device, one, block) < 0)
			continue;
		hash_block(block, digest);
		worker->is_missing[at] = memcmp(digest, worker->leaves + at * LEAF, LEAF) != 0;
	}
}

/* Returns the next piece to check. It has no blocks if all pieces were taken or printing has failed. */
static struct range take_piece(struct survey *survey)
{
	struct range piece;

	pthread_mutex_lock(&survey->lock);
	piece.first = survey->taken;
	piece.count = survey->tree->data_blocks - piece.first;
	if (piece.count > AT_ONCE)
		piece.count = AT_ONCE;
	if (survey->report.outcome != DONE)
		piece.count = 0;
	survey->taken += piece.count;
	pthread_mutex_unlock(&survey->lock);
	return piece;
}

static void report_piece(struct worker *worker, struct range piece, enum outcome outcome)
{
	struct survey *survey = worker->survey;
	struct report *report = &survey->report;

	pthread_mutex_lock(&survey->lock);
	while (survey->reported != piece.first)
		pthread_cond_wait(&survey->turn, &survey->lock);
	if (report->outcome == DONE)
		report->outcome = outcome;
	for (uint64_t at = 0; outcome == DONE && at < piece.count; at++)
		if (worker->is_missing[at])
			add_missing(report, piece.first + at);
	survey->reported += piece.count;
	pthread_cond_broadcast(&survey->turn);
	pthread_mutex_unlock(&survey->lock);
}

static void *work(void *given)
{
	struct worker *worker = given;
	struct survey *survey = worker->survey;

	for (;;) {
		struct range piece = take_piece(survey);
		enum outcome outcome = DONE;

		if (piece.count == 0)
			return NULL;
		if (read_leaves(survey->tree, piece, worker->leaves) < 0) {
			REPORT("cannot read the hash tree again: ", last_error());
			outcome = BAD_TREE;
		} else {
			check_piece(worker, piece, read_blocks(survey->device, piece, worker->bytes) == 0);
		}
		report_piece(worker, piece, outcome);
	}
}

/* Prints a line `FIRST COUNT` for each range of blocks that do not match the tree, then `end`. */
enum outcome print_missing(int device, const struct tree *tree)
{
	static struct worker workers[WORKERS];
	struct survey survey = {.device = device, .tree = tree};
	pthread_t threads[WORKERS];
	int started = 0;

	pthread_mutex_init(&survey.lock, NULL);
	pthread_cond_init(&survey.turn, NULL);
	for (int at = 0; at < WORKERS; at++)
		workers[at].survey = &survey;
	while (started < WORKERS - 1 && pthread_create(&threads[started], NULL, work, &workers[started]) == 0)
		started++;
	/* This thread works too, alone if no other one could be started. */
	(void)work(&workers[WORKERS - 1]);
	while (started > 0)
		pthread_join(threads[--started], NULL);
	close_range(&survey.report);
	if (survey.report.outcome == DONE)
		print(&survey.report, "end\n");
	flush(&survey.report);
	return survey.report.outcome;
}
