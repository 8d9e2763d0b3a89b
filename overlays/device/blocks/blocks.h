/* Shared by the parts of `blocks`, the program that writes and verifies the blocks of an image on the host. */
#ifndef HANGAR_BLOCKS_H
#define HANGAR_BLOCKS_H

#include <stddef.h>
#include <stdint.h>

#define BLOCK 4096u
#define LEAF 32u
/* A record names its first block with 32 bits. The highest value ends the stream. */
#define MAX_BLOCKS 0xffffffffu

/* Result of a function, and exit status of the program. */
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

/* device.c: reads and writes that bypass the page cache, if the file system supports that. */
int open_device(const char *path, int flags);
int read_blocks(int device, struct range blocks, uint8_t *bytes);
int write_blocks(int device, struct range blocks, const uint8_t *bytes);

/* tree.c: a hash tree on disk. `start` is its first block in the file. */
struct tree {
	int file;
	uint64_t start;
	uint64_t data_blocks;
};

enum outcome verify_tree(const struct tree *tree, const uint8_t root[LEAF]);
int read_leaves(const struct tree *tree, struct range blocks, uint8_t *leaves);

/* missing.c */
enum outcome print_missing(int device, const struct tree *tree);

/* writer.c: pieces of adjacent blocks. Threads write and flush them while the next ones are read. */
#define PIECE_BLOCKS 512u
struct piece {
	struct range blocks;
	_Alignas(BLOCK) uint8_t bytes[PIECE_BLOCKS * BLOCK];
};
struct piece *start_writer(int device);
struct piece *submit_piece(void);
enum outcome finish_writer(void);

/* records.c */
enum outcome write_records(int input, int device, struct range allowed, uint64_t *written);

/* text.c: printf itself would need parts of libgcc. */
#define REPORT(...) report_error((const char *[]){__VA_ARGS__, NULL})
void report_error(const char *const *words);
const char *last_error(void);
#define DIGITS 21
const char *decimal(uint64_t number, char text[DIGITS]);
int parse_number(const char *text, uint64_t most, uint64_t *number);
int parse_digest(const char *text, uint8_t digest[LEAF]);
int write_all(int file, const char *bytes, size_t size);

#endif
