#include "blocks.h"

#include <pthread.h>
#include <unistd.h>

/* One piece is filled while the other is written: neither the network nor the disk waits for the other. */
static struct {
	pthread_mutex_t lock;
	pthread_cond_t turn;
	pthread_t thread;
	int is_alone;
	int device;
	/* What is to be written; NULL once it is. */
	const struct piece *pending;
	int is_ending;
	enum outcome outcome;
} writer = {.lock = PTHREAD_MUTEX_INITIALIZER, .turn = PTHREAD_COND_INITIALIZER};

static struct piece pieces[2];

static enum outcome write_piece(const struct piece *piece)
{
	char text[DIGITS];

	if (write_blocks(writer.device, piece->blocks, piece->bytes) == 0)
		return DONE;
	COMPLAIN("cannot write at block ", decimal(piece->blocks.first, text), ": ", last_error());
	return WRITE_FAILED;
}

static void *work(void *nothing)
{
	pthread_mutex_lock(&writer.lock);
	while (writer.pending != NULL || !writer.is_ending) {
		const struct piece *piece = writer.pending;

		if (piece == NULL) {
			pthread_cond_wait(&writer.turn, &writer.lock);
			continue;
		}
		pthread_mutex_unlock(&writer.lock);
		enum outcome outcome = write_piece(piece);
		pthread_mutex_lock(&writer.lock);
		writer.outcome = outcome;
		writer.pending = NULL;
		writer.is_ending |= outcome != DONE;
		pthread_cond_signal(&writer.turn);
	}
	pthread_mutex_unlock(&writer.lock);
	return nothing;
}

/* The first piece to fill. Where no thread can be had, pieces are written as they are handed over. */
struct piece *start_writer(int device)
{
	writer.device = device;
	writer.pending = NULL;
	writer.is_ending = 0;
	writer.outcome = DONE;
	writer.is_alone = pthread_create(&writer.thread, NULL, work, NULL) != 0;
	return &pieces[0];
}

/* The next piece to fill, or NULL where writing has failed, which was said. */
struct piece *hand_over(struct piece *piece)
{
	enum outcome outcome;

	if (writer.is_alone) {
		writer.outcome = write_piece(piece);
		return writer.outcome == DONE ? piece : NULL;
	}
	pthread_mutex_lock(&writer.lock);
	while (writer.pending != NULL)
		pthread_cond_wait(&writer.turn, &writer.lock);
	outcome = writer.outcome;
	if (outcome == DONE)
		writer.pending = piece;
	pthread_cond_signal(&writer.turn);
	pthread_mutex_unlock(&writer.lock);
	return outcome == DONE ? &pieces[piece == &pieces[0]] : NULL;
}

/* Waits until everything that was handed over is on the medium, as far as that can be said. */
enum outcome finish_writer(void)
{
	if (!writer.is_alone) {
		pthread_mutex_lock(&writer.lock);
		writer.is_ending = 1;
		pthread_cond_signal(&writer.turn);
		pthread_mutex_unlock(&writer.lock);
		pthread_join(writer.thread, NULL);
	}
	if (writer.outcome == DONE && fdatasync(writer.device) < 0) {
		COMPLAIN("cannot write everything out: ", last_error());
		writer.outcome = WRITE_FAILED;
	}
	return writer.outcome;
}
