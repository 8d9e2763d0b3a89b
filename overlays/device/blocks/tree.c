#include "blocks.h"

#include <string.h>

/* dm-verity's tree, format 1, SHA-256, without salt: the top level first, the leaves last, each level padded to blocks. */
#define PER_BLOCK (BLOCK / LEAF)
#define MAX_LEVELS 8
/* Blocks of a level that are verified at once, against two blocks of the level above. */
#define AT_ONCE (2 * PER_BLOCK)

/* Sets the position of each level in the tree's file, in blocks. The leaves are level 0. */
static int levels_of(const struct tree *tree, struct range levels[MAX_LEVELS])
{
	uint64_t start = tree->start;
	uint64_t count = tree->data_blocks;
	int depth = 0;

	do {
		count = (count + PER_BLOCK - 1) / PER_BLOCK;
		levels[depth++].count = count;
	} while (count > 1);
	for (int level = depth - 1; level >= 0; level--) {
		levels[level].first = start;
		start += levels[level].count;
	}
	return depth;
}

static enum outcome report_mismatch(uint64_t block)
{
	char text[DIGITS];

	REPORT("block ", decimal(block, text), " of the hash tree's file does not match the root hash");
	return BAD_TREE;
}

static enum outcome report_unreadable(void)
{
	REPORT("cannot read the hash tree: ", last_error());
	return BAD_TREE;
}

/* Verifies each block of a level against its hash in the level above, which was verified before. */
static enum outcome verify_level(int file, struct range above, struct range level)
{
	static _Alignas(BLOCK) uint8_t bytes[AT_ONCE * BLOCK], wanted[AT_ONCE * LEAF];

	for (uint64_t done = 0; done < level.count; done += AT_ONCE) {
		uint64_t count = level.count - done < AT_ONCE ? level.count - done : AT_ONCE;
		struct range parents = {above.first + done / PER_BLOCK, (count + PER_BLOCK - 1) / PER_BLOCK};
		struct range children = {level.first + done, count};

		if (read_blocks(file, parents, wanted) < 0 || read_blocks(file, children, bytes) < 0)
			return report_unreadable();
		for (uint64_t at = 0; at < count; at++) {
			uint8_t digest[LEAF];
			hash_block(bytes + at * BLOCK, digest);
			if (memcmp(digest, wanted + at * LEAF, LEAF) != 0)
				return report_mismatch(children.first + at);
		}
	}
	return DONE;
}

enum outcome verify_tree(const struct tree *tree, const uint8_t root[LEAF])
{
	static _Alignas(BLOCK) uint8_t top[BLOCK];
	struct range levels[MAX_LEVELS];
	int depth = levels_of(tree, levels);
	enum outcome outcome = DONE;
	uint8_t digest[LEAF];

	if (read_blocks(tree->file, levels[depth - 1], top) < 0)
		return report_unreadable();
	hash_block(top, digest);
	if (memcmp(digest, root, LEAF) != 0)
		return report_mismatch(levels[depth - 1].first);
	for (int level = depth - 2; level >= 0 && outcome == DONE; level--)
		outcome = verify_level(tree->file, levels[level + 1], levels[level]);
	return outcome;
}

/* Reads the leaves of a range that begins at a block of leaves. `leaves` has space for whole blocks. */
int read_leaves(const struct tree *tree, struct range blocks, uint8_t *leaves)
{
	struct range levels[MAX_LEVELS];
	(void)levels_of(tree, levels);
	struct range wanted = {levels[0].first + blocks.first / PER_BLOCK, (blocks.count + PER_BLOCK - 1) / PER_BLOCK};

	return read_blocks(tree->file, wanted, leaves);
}
