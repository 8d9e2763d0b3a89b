#include "blocks.h"

#include <pthread.h>
#include <unistd.h>

#define PIECES 3u
/* Pieces: 16 MiB. A disk that keeps what it is given in its own memory writes it out while the next are on their way. */
#define PIECES_IN_FLUSH 8u

/*
 * Pieces are filled, written and flushed at the same time: nobody waits for another, and what the flush at the end finds
 * is little. The piece of a number lies at that number modulo PIECES.
 */
static struct {
	pthread_mutex_t lock;
	pthread_cond_t turn;
	pthread_t threads[2];
	/* How many of them could be had: a writer, then one that flushes. */
	unsigned running;
	int device;
	/* How many pieces, since the start. */
	uint64_t handed, written, flushed;
	int is_ending;
	/* A failed flush is told once only: it is kept, whoever asked for it. */
	enum outcome outcome;
} writer = {.lock = PTHREAD_MUTEX_INITIALIZER, .turn = PTHREAD_COND_INITIALIZER};

static struct piece pieces[PIECES];

static enum outcome write_piece(const struct piece *piece)
{
	char text[DIGITS];

	if (write_blocks(writer.device, piece->blocks, piece->bytes) == 0)
		return DONE;
	COMPLAIN("cannot write at block ", decimal(piece->blocks.first, text), ": ", last_error());
	return WRITE_FAILED;
}

static enum outcome flush(void)
{
	if (fdatasync(writer.device) == 0)
		return DONE;
	COMPLAIN("cannot write everything out: ", last_error());
	return WRITE_FAILED;
}

/* Both with the lock held. The first failure is what counts. */
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

/* With the lock held, but for the write itself. */
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
	while (writer.outcome == DONE && (writer.written < writer.handed || !writer.is_ending)) {
		if (writer.written < writer.handed)
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

/* The first piece to fill. Without a writer, pieces are written as they are handed over. */
struct piece *start_writer(int device)
{
	static void *(*const works[])(void *) = {write_pieces, flush_pieces};

	writer.device = device;
	writer.handed = writer.written = writer.flushed = 0;
	writer.is_ending = 0;
	writer.outcome = DONE;
	for (writer.running = 0; writer.running < 2; writer.running++)
		if (pthread_create(&writer.threads[writer.running], NULL, works[writer.running], NULL) != 0)
			break;
	return &pieces[0];
}

/* The piece was filled. The next one to fill, or NULL where writing has failed, which was said. */
struct piece *hand_over(void)
{
	struct piece *next;

	pthread_mutex_lock(&writer.lock);
	writer.handed++;
	pthread_cond_broadcast(&writer.turn);
	if (writer.running == 0)
		write_next();
	while (writer.outcome == DONE && writer.handed - writer.written == PIECES)
		wait_for_turn();
	next = writer.outcome == DONE ? &pieces[writer.handed % PIECES] : NULL;
	pthread_mutex_unlock(&writer.lock);
	return next;
}

/* Waits until everything that was handed over is on the medium, as far as that can be said. */
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
