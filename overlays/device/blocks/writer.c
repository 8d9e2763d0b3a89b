#include "blocks.h"

#include <pthread.h>
#include <unistd.h>

#define PIECES 3u
/* Pieces (16 MiB) between two flushes: the disk empties its own cache while the next pieces arrive. */
#define PIECES_IN_FLUSH 8u

/*
 * Three threads fill, write and flush pieces at the same time, so that the flush at the end takes little time.
 * Piece number N is in pieces[N % PIECES].
 */
static struct {
	pthread_mutex_t lock;
	pthread_cond_t turn;
	pthread_t threads[2];
	/* Count of threads that could be started: the first one writes, the second one flushes. */
	unsigned running;
	int device;
	/* Counts of pieces since the start. */
	uint64_t submitted, written, flushed;
	int is_ending;
	/* The kernel reports a failed flush only once, so the first failure is kept. */
	enum outcome outcome;
} writer = {.lock = PTHREAD_MUTEX_INITIALIZER, .turn = PTHREAD_COND_INITIALIZER};

static struct piece pieces[PIECES];

static enum outcome write_piece(const struct piece *piece)
{
	char text[DIGITS];

	if (write_blocks(writer.device, piece->blocks, piece->bytes) == 0)
		return DONE;
	REPORT("cannot write at block ", decimal(piece->blocks.first, text), ": ", last_error());
	return WRITE_FAILED;
}

static enum outcome flush(void)
{
	if (fdatasync(writer.device) == 0)
		return DONE;
	REPORT("cannot flush the device: ", last_error());
	return WRITE_FAILED;
}

/* Called with the lock held. Keeps the first failure. */
static void note_outcome(enum outcome outcome)
{
	if (writer.outcome == DONE)
		writer.outcome = outcome;
	pthread_cond_broadcast(&writer.turn);
}

static void wait_for_turn(void)
{
	pthread_cond_wait(&writer.turn, &writer.lock);
}

/* Called with the lock held, which is released during the write. */
static void write_next(void)
{
	const struct piece *piece = &pieces[writer.written % PIECES];

	pthread_mutex_unlock(&writer.lock);
	enum outcome outcome = write_piece(piece);
	pthread_mutex_lock(&writer.lock);
	writer.written++;
	note_outcome(outcome);
}

static void *write_pieces(void *nothing)
{
	pthread_mutex_lock(&writer.lock);
	while (writer.outcome == DONE && (writer.written < writer.submitted || !writer.is_ending)) {
		if (writer.written < writer.submitted)
			write_next();
		else
			wait_for_turn();
	}
	pthread_mutex_unlock(&writer.lock);
	return nothing;
}

static void *flush_pieces(void *nothing)
{
	pthread_mutex_lock(&writer.lock);
	while (writer.outcome == DONE && !writer.is_ending) {
		uint64_t written = writer.written;

		if (written - writer.flushed < PIECES_IN_FLUSH) {
			wait_for_turn();
			continue;
		}
		pthread_mutex_unlock(&writer.lock);
		enum outcome outcome = flush();
		pthread_mutex_lock(&writer.lock);
		writer.flushed = written;
		note_outcome(outcome);
	}
	pthread_mutex_unlock(&writer.lock);
	return nothing;
}

/* Returns the first piece to fill. Without a thread that writes, submit_piece() writes. */
struct piece *start_writer(int device)
{
	static void *(*const works[])(void *) = {write_pieces, flush_pieces};

	writer.device = device;
	writer.submitted = writer.written = writer.flushed = 0;
	writer.is_ending = 0;
	writer.outcome = DONE;
	for (writer.running = 0; writer.running < 2; writer.running++)
		if (pthread_create(&writer.threads[writer.running], NULL, works[writer.running], NULL) != 0)
			break;
	return &pieces[0];
}

/* Submits the filled piece. Returns the next one to fill, or NULL after a failed write, which was reported. */
struct piece *submit_piece(void)
{
	struct piece *next;

	pthread_mutex_lock(&writer.lock);
	writer.submitted++;
	pthread_cond_broadcast(&writer.turn);
	if (writer.running == 0)
		write_next();
	while (writer.outcome == DONE && writer.submitted - writer.written == PIECES)
		wait_for_turn();
	next = writer.outcome == DONE ? &pieces[writer.submitted % PIECES] : NULL;
	pthread_mutex_unlock(&writer.lock);
	return next;
}

/* Waits until all submitted pieces are written and flushed. */
enum outcome finish_writer(void)
{
	pthread_mutex_lock(&writer.lock);
	writer.is_ending = 1;
	pthread_cond_broadcast(&writer.turn);
	pthread_mutex_unlock(&writer.lock);
	while (writer.running > 0)
		pthread_join(writer.threads[--writer.running], NULL);
	return writer.outcome == DONE ? flush() : writer.outcome;
}
