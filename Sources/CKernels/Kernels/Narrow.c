#include "Tile.h"

/// Dot products of up to 4 rows with up to 4 vectors.
INLINE void dots(const float *x, long x_stride, const float *v, long v_stride, float *output, long rank, long width,
                 const int rows, const int vectors) {
    floats16 total[4][4];
    for (int t = 0; t < rows; t++)
        for (int i = 0; i < vectors; i++) total[t][i] = ZERO16;
    long c = 0;
    for (; c + 16 <= width; c += 16) {
        floats16 left[4];
        for (int t = 0; t < rows; t++) left[t] = LOAD16(x + t * x_stride + c);
        for (int i = 0; i < vectors; i++) {
            floats16 right = LOAD16(v + i * v_stride + c);
            for (int t = 0; t < rows; t++) total[t][i] += left[t] * right;
        }
    }
    for (int t = 0; t < rows; t++)
        for (int i = 0; i < vectors; i++) {
            float tail = 0;
            for (long k = c; k < width; k++) tail += x[t * x_stride + k] * v[i * v_stride + k];
            output[t * rank + i] = sum16(&total[t][i]) + tail;
        }
}

INLINE void dots_of_rows(const float *x, long x_stride, const float *v, long v_stride, float *output, long rank,
                         long width, const int rows) {
    long i = 0;
    for (; i + 4 <= rank; i += 4) dots(x, x_stride, v + i * v_stride, v_stride, output + i, rank, width, rows, 4);
    for (; i < rank; i++) dots(x, x_stride, v + i * v_stride, v_stride, output + i, rank, width, rows, 1);
}

void KERNEL(kernel_dots)(const float *x, long x_stride, const float *v, long v_stride, float *output, long rows,
                        long rank, long width) {
    long t = 0;
    for (; t + 4 <= rows; t += 4)
        dots_of_rows(x + t * x_stride, x_stride, v, v_stride, output + t * rank, rank, width, 4);
    for (; t < rows; t++) dots_of_rows(x + t * x_stride, x_stride, v, v_stride, output + t * rank, rank, width, 1);
}

void KERNEL(kernel_add_combinations)(const float *factors, const float *v, long v_stride, float *output,
                                    long output_stride, long rows, long rank, long width) {
    small_product(factors, rank, 1, v, v_stride, output, output_stride, rows, width, rank, 1);
}

void KERNEL(kernel_weighted_sums)(const float *factors, const float *x, long x_stride, float *output,
                                 long output_stride, long rows, long rank, long width) {
    // A panel of the rows stays in the first cache while all factors pass.
    for (long j = 0; j < width; j += 32)
        small_product(factors, 1, rank, x + j, x_stride, output + j, output_stride, rank,
                      width - j < 32 ? width - j : 32, rows, 0);
}
