#include "Philox.h"

typedef int32_t ints16 __attribute__((vector_size(64), aligned(4)));

// One copy for all processors, of operations that round in one way: every machine draws the same.
long KERNEL(kernel_draw_features)(kernel_philox_place place, const double *survival, long count, int32_t *features,
                          float *values) {
    long found = 0;
    for (long next = 0; next < count; next++) {
        uint32_t words[4];
        philox_words(place, (uint32_t)found, words);
        double u = ((double)(((uint64_t)words[1] << 32 | words[0]) >> 12) + 0.5) * 0x1p-52;
        // No feature from `next` to j is active with probability survival[j + 1]/survival[next].
        double limit = u * survival[next];
        if (survival[count] > limit) break;
        const double *base = survival + next + 1;
        for (long length = count - next; length > 1;) {
            long half = length / 2;
            base = base[half - 1] > limit ? base + half : base;
            length -= half;
        }
        next = base - survival - 1;
        features[found] = (int32_t)next;
        values[found] = ((float)(words[2] >> 9) + 0.5f) * 0x1p-22f;
        found++;
    }
    return found;
}

void KERNEL(kernel_sparse_combinations)(kernel_sparse_rows x, const float *v, float *output, long width) {
    for (long r = 0; r < x.rows; r++) {
        float *restrict o = output + r * width;
        for (long c = 0; c < width; c++) o[c] = 0;
        for (long k = x.starts[r]; k < x.starts[r + 1]; k++) {
            const float *row = v + x.features[k] * width;
            float value = x.values[k];
            for (long c = 0; c < width; c++) o[c] += value * row[c];
        }
    }
}

void KERNEL(kernel_add_sparse_products)(kernel_sparse_rows x, float factor, const float *rows, float *v, long width) {
    for (long r = 0; r < x.rows; r++)
        for (long k = x.starts[r]; k < x.starts[r + 1]; k++) {
            float *restrict target = v + x.features[k] * width;
            float value = factor * x.values[k];
            for (long c = 0; c < width; c++) target[c] += value * rows[r * width + c];
        }
}

double KERNEL(kernel_rectified_difference)(kernel_sparse_rows x, float *z, const float *bias, float *sums,
                                          long columns) {
    double total = 0;
    for (long r = 0; r < x.rows; r++, z += columns) {
        // As if all of x were 0; a row has few others.
        floats16 squares = ZERO16;
        long c = 0;
        for (; c + 16 <= columns; c += 16) {
            floats16 y = LOAD16(z + c) + LOAD16(bias + c);
            // Written so that NaN stays.
            y = (floats16)((ints16)y & ~(ints16)(y <= 0.0f));
            STORE16(z + c, y);
            STORE16(sums + c, LOAD16(sums + c) + y);
            squares += y * y;
        }
        float square = sum16(&squares);
        for (; c < columns; c++) {
            float y = z[c] + bias[c];
            y = y <= 0 ? 0 : y;
            z[c] = y;
            sums[c] += y;
            square += y * y;
        }
        total += square;
        for (long k = x.starts[r]; k < x.starts[r + 1]; k++) {
            int32_t feature = x.features[k];
            float value = x.values[k], y = z[feature];
            total += (double)value * ((double)value - 2 * (double)y);
            if (y > 0) {
                z[feature] = y - value;
                sums[feature] -= value;
            }
        }
    }
    return total;
}
