/* Shared by the parts of `blocks`, the program that moves and checks an image's bytes on the device. */
#ifndef HANGAR_BLOCKS_H
#define HANGAR_BLOCKS_H

#include <stddef.h>
#include <stdint.h>

#define BLOCK 4096u
#define LEAF 32u
/* The most that a record can name: its first block has 32 bits, of which the last value ends the stream. */
#define MOST_BLOCKS 0xffffffffu

/* Which is also the status that the program ends with. */
enum outcome {
	DONE = 0,
	FAILED = 1,
	USAGE = 2,
	BAD_TREE = 3,
	BAD_STREAM = 4,
	WRITE_FAILED = 5,
};

struct range {
	uint64_t first;
	uint64_t count;
};

/* sha256.c */
void hash_block(const uint8_t block[BLOCK], uint8_t digest[LEAF]);

/* device.c: descriptors whose reads and writes go around the page cache where that can be had. */
int open_device(const char *path, int flags);
int read_blocks(int device, struct range blocks, uint8_t *bytes);
int write_blocks(int device, struct range blocks, const uint8_t *bytes);

/* tree.c: a hash tree as it lies on disk, and how far into its file it begins. */
struct tree {
	int file;
	uint64_t start;
	uint64_t data_blocks;
};

enum outcome verify_tree(const struct tree *tree, const uint8_t root[LEAF]);
int read_leaves(const struct tree *tree, struct range blocks, uint8_t *leaves);

/* missing.c */
enum outcome print_missing(int device, const struct tree *tree);

/* writer.c: neighbouring blocks, written and flushed by threads of their own while the next ones are read. */
#define PIECE_BLOCKS 512u
struct piece {
	struct range blocks;
	_Alignas(BLOCK) uint8_t bytes[PIECE_BLOCKS * BLOCK];
};
struct piece *start_writer(int device);
struct piece *hand_over(void);
enum outcome finish_writer(void);

/* records.c */
enum outcome write_records(int input, int device, struct range allowed, uint64_t *written);

/* text.c: what little of printf is wanted; with all of it comes half of libgcc. */
#define COMPLAIN(...) complain((const char *[]){__VA_ARGS__, NULL})
void complain(const char *const *words);
const char *last_error(void);
#define DIGITS 21
const char *decimal(uint64_t number, char text[DIGITS]);
int parse_number(const char *text, uint64_t most, uint64_t *number);
int parse_digest(const char *text, uint8_t digest[LEAF]);
int write_all(int file, const char *bytes, size_t size);

#endif
