#include <math.h>
#include <string.h>

// Bits of a digit, and its values.
enum { DIGIT_BITS = 11, DIGITS = 1 << DIGIT_BITS };

/// An unsigned number that sorts as scores rank: -0 as 0, and what is not a number as -∞.
INLINE uint32_t sort_key(float score) {
    uint32_t bits;
    memcpy(&bits, &score, sizeof bits);
    uint32_t magnitude = bits & 0x7FFFFFFFu;
    bits = magnitude > 0x7F800000u ? 0xFF800000u : bits;
    bits = magnitude == 0 ? 0 : bits;
    return bits ^ ((bits >> 31) ? 0xFFFFFFFFu : 0x80000000u);
}

void KERNEL(kernel_count_digits)(const float *scores, long count, uint32_t known, int known_bits, int64_t *counts) {
    enum { CHUNK = 64, FLUSH = 1 << 20 };
    uint32_t known_mask = known_bits == 0 ? 0 : ~0u << (32 - known_bits);
    int shift = 32 - known_bits > DIGIT_BITS ? 32 - known_bits - DIGIT_BITS : 0;
    uint32_t digit_mask = ~known_mask >> shift;
    // Four tables, so that equal digits in a row do not wait for one another; the last place takes keys of another start.
    uint32_t tables[4][DIGITS + 1];
    for (long start = 0; start < count; start += FLUSH) {
        long end = count - start < FLUSH ? count : start + FLUSH;
        memset(tables, 0, sizeof tables);
        long i = start;
        for (; i + CHUNK <= end; i += CHUNK) {
            uint32_t digits[CHUNK];
            for (int k = 0; k < CHUNK; k++) {
                uint32_t key = sort_key(scores[i + k]);
                digits[k] = ((key ^ known) & known_mask) == 0 ? (key >> shift) & digit_mask : DIGITS;
            }
            for (int k = 0; k < CHUNK; k += 4)
                for (int t = 0; t < 4; t++) tables[t][digits[k + t]]++;
        }
        for (; i < end; i++) {
            uint32_t key = sort_key(scores[i]);
            if (((key ^ known) & known_mask) == 0) tables[0][(key >> shift) & digit_mask]++;
        }
        for (int d = 0; d < DIGITS; d++)
            counts[d] += (int64_t)tables[0][d] + tables[1][d] + tables[2][d] + tables[3][d];
    }
}

// Clang's vectors of truth values, which are masks of bits in memory.
typedef float scores16 __attribute__((ext_vector_type(16), aligned(4)));
typedef _Bool truths16 __attribute__((ext_vector_type(16)));

/// result = one bit for each of sixteen comparisons.
#define BITS16(result, comparison)                                        \
    do {                                                                  \
        truths16 truths = __builtin_convertvector(comparison, truths16); \
        memcpy(&(result), &truths, sizeof(result));                       \
    } while (0)

long KERNEL(kernel_split_scores)(const float *scores, long count, float low, float high, uint8_t *above, long *places,
                                float *between, long capacity, long *above_count) {
    enum { CHUNK = 64 };
    // Nothing ranks below -∞, not even NaN.
    int takes_all = low == -INFINITY;
    long found = 0, total_above = 0;
    float last[CHUNK];
    for (long start = 0; start < count; start += CHUNK) {
        const float *chunk = scores + start;
        long length = CHUNK;
        if (count - start < CHUNK) {
            // Filled up with what belongs nowhere, or is counted out below.
            length = count - start;
            for (long i = 0; i < CHUNK; i++) last[i] = i < length ? chunk[i] : -INFINITY;
            chunk = last;
        }
        uint64_t above_bits = 0, rest = 0;
        for (int k = 0; k < CHUNK; k += 16) {
            scores16 score = *(const scores16 *)(chunk + k);
            uint16_t is_above, is_not_below;
            BITS16(is_above, score > high);
            if (takes_all)
                is_not_below = 0xFFFF;
            else
                BITS16(is_not_below, score >= low);
            above_bits |= (uint64_t)is_above << k;
            rest |= (uint64_t)is_not_below << k;
        }
        if (length < CHUNK) rest &= ((uint64_t)1 << length) - 1;
        rest &= ~above_bits;
        total_above += __builtin_popcountll(above_bits);
        if (length == CHUNK)
            for (int i = 0; i < CHUNK; i++) above[start + i] = chunk[i] > high;
        else
            for (long i = 0; i < length; i++) above[start + i] = chunk[i] > high;
        long end = found + __builtin_popcountll(rest);
        for (long i = found; rest != 0 && i < capacity; i++, rest &= rest - 1) {
            int k = __builtin_ctzll(rest);
            places[i] = start + k;
            between[i] = chunk[k];
        }
        found = end;
    }
    *above_count = total_above;
    return found;
}
