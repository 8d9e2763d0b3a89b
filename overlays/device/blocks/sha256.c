#include "blocks.h"

#include <string.h>
#ifdef __aarch64__
#include <sys/auxv.h>
#endif

/* SHA-256 (FIPS 180-4) of single blocks: all have the same size, so the padding is constant. */
#define PIECE 64u

static const uint32_t ROUND[64] __attribute__((aligned(16))) = {
	0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
	0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
	0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
	0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
	0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
	0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
	0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
	0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};

static uint32_t big_endian(const uint8_t *bytes)
{
	uint32_t word;

	memcpy(&word, bytes, sizeof(word));
	return __builtin_bswap32(word);
}

static uint32_t rotate(uint32_t word, int by)
{
	return word >> by | word << (32 - by);
}

static void compress_in_software(uint32_t state[8], const uint8_t *bytes, size_t pieces)
{
	for (; pieces > 0; pieces--, bytes += PIECE) {
		uint32_t w[64], s[8];

		for (int t = 0; t < 16; t++)
			w[t] = big_endian(bytes + 4 * t);
		for (int t = 16; t < 64; t++) {
			uint32_t early = rotate(w[t - 15], 7) ^ rotate(w[t - 15], 18) ^ w[t - 15] >> 3;
			uint32_t late = rotate(w[t - 2], 17) ^ rotate(w[t - 2], 19) ^ w[t - 2] >> 10;
			w[t] = w[t - 16] + early + w[t - 7] + late;
		}
		memcpy(s, state, sizeof(s));
/* The names rotate each round instead of the values. Unrolled, all values stay in registers. */
#define S(i) s[((i) - t) & 7]
#pragma GCC unroll 64
		for (unsigned t = 0; t < 64; t++) {
			uint32_t mixed = rotate(S(4), 6) ^ rotate(S(4), 11) ^ rotate(S(4), 25);
			uint32_t first = S(7) + mixed + ((S(4) & S(5)) ^ (~S(4) & S(6))) + ROUND[t] + w[t];
			uint32_t other = rotate(S(0), 2) ^ rotate(S(0), 13) ^ rotate(S(0), 22);
			S(3) += first;
			S(7) = first + other + ((S(0) & S(1)) ^ (S(0) & S(2)) ^ (S(1) & S(2)));
		}
#undef S
		for (int i = 0; i < 8; i++)
			state[i] += s[i];
	}
}

#ifdef __aarch64__
/* The build does not use gcc's headers (arm_neon.h), so the four instructions are written here. */
typedef uint32_t words __attribute__((vector_size(16)));

/* Four rounds. `w` holds the last sixteen words of the schedule, four in each element. */
#define FOUR_ROUNDS(abcd, efgh, wk)                                                                                  \
	do {                                                                                                         \
		words before = abcd;                                                                                 \
		__asm__("sha256h %q0, %q1, %2.4s" : "+w"(abcd) : "w"(efgh), "w"(wk));                                \
		__asm__("sha256h2 %q0, %q1, %2.4s" : "+w"(efgh) : "w"(before), "w"(wk));                             \
	} while (0)
#define SCHEDULE(w, t)                                                                                               \
	do {                                                                                                         \
		__asm__("sha256su0 %0.4s, %1.4s" : "+w"(w[(t) % 4]) : "w"(w[((t) + 1) % 4]));                         \
		__asm__("sha256su1 %0.4s, %1.4s, %2.4s"                                                              \
			: "+w"(w[(t) % 4])                                                                           \
			: "w"(w[((t) + 2) % 4]), "w"(w[((t) + 3) % 4]));                                              \
	} while (0)

__attribute__((target("+crypto"))) static void compress_in_hardware(uint32_t state[8], const uint8_t *bytes,
								     size_t pieces)
{
	const words *round = (const words *)ROUND;
	words abcd, efgh, w[4];

	memcpy(&abcd, state, 16);
	memcpy(&efgh, state + 4, 16);
	for (; pieces > 0; pieces--, bytes += PIECE) {
		words abcd_before = abcd, efgh_before = efgh;

		memcpy(w, bytes, PIECE);
		for (int i = 0; i < 4; i++)
			__asm__("rev32 %0.16b, %0.16b" : "+w"(w[i]));
#pragma GCC unroll 16
		for (int t = 0; t < 16; t++) {
			words wk = w[t % 4] + round[t];
			if (t < 12)
				SCHEDULE(w, t);
			FOUR_ROUNDS(abcd, efgh, wk);
		}
		abcd += abcd_before;
		efgh += efgh_before;
	}
	memcpy(state, &abcd, 16);
	memcpy(state + 4, &efgh, 16);
}
#endif

static void compress(uint32_t state[8], const uint8_t *bytes, size_t pieces)
{
#ifdef __aarch64__
	if (getauxval(AT_HWCAP) & HWCAP_SHA2) {
		compress_in_hardware(state, bytes, pieces);
		return;
	}
#endif
	compress_in_software(state, bytes, pieces);
}

void hash_block(const uint8_t block[BLOCK], uint8_t digest[LEAF])
{
	static const uint8_t padding[PIECE] = {[0] = 0x80, [PIECE - 2] = (BLOCK * 8) >> 8, [PIECE - 1] = (BLOCK * 8) & 0xff};
	uint32_t state[8] = {
		0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
	};

	compress(state, block, BLOCK / PIECE);
	compress(state, padding, 1);
	for (int i = 0; i < 8; i++) {
		uint32_t word = __builtin_bswap32(state[i]);
		memcpy(digest + 4 * i, &word, sizeof(word));
	}
}
