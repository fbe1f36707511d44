// Products of many rows with one matrix. Every element is one chain of fused multiplications and additions over k, so that a
// row's bits depend neither on the rows beside it nor on the instruction set, as long as that has fused arithmetic.
#include "CKernels.h"
#include "Dispatch.h"
#include <string.h>

/// A panel of the right matrix, [depth, columns of a tile], stays in the second cache while `PANEL_ROWS` rows pass.
#define PANEL_DEPTH 768
#define PANEL_ROWS 960

/// Transposes 16 × 16 floats: rows of b become columns of the panel.
INLINE void pack_square(float *panel, long width, const float *b, long b_stride) {
    floats16 rows[16];
    _Pragma("unroll") for (int i = 0; i < 16; i++) rows[i] = LOAD16(b + i * b_stride);
// Off-diagonal blocks of a size change places in every pair of rows that far apart.
#define INDICES(...) __VA_ARGS__
#define EXCHANGE(size, upper, lower)                                                          \
    _Pragma("unroll") for (int i = 0; i < 16; i++) {                                          \
        if (i & size) continue;                                                               \
        floats16 first = rows[i], second = rows[i + size];                                    \
        rows[i] = __builtin_shufflevector(first, second, INDICES upper);                      \
        rows[i + size] = __builtin_shufflevector(first, second, INDICES lower);               \
    }
    EXCHANGE(8, (0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23), (8, 9, 10, 11, 12, 13, 14, 15, 24, 25, 26, 27, 28, 29, 30, 31))
    EXCHANGE(4, (0, 1, 2, 3, 16, 17, 18, 19, 8, 9, 10, 11, 24, 25, 26, 27), (4, 5, 6, 7, 20, 21, 22, 23, 12, 13, 14, 15, 28, 29, 30, 31))
    EXCHANGE(2, (0, 1, 16, 17, 4, 5, 20, 21, 8, 9, 24, 25, 12, 13, 28, 29), (2, 3, 18, 19, 6, 7, 22, 23, 10, 11, 26, 27, 14, 15, 30, 31))
    EXCHANGE(1, (0, 16, 2, 18, 4, 20, 6, 22, 8, 24, 10, 26, 12, 28, 14, 30), (1, 17, 3, 19, 5, 21, 7, 23, 9, 25, 11, 27, 13, 29, 15, 31))
#undef EXCHANGE
#undef INDICES
    _Pragma("unroll") for (int i = 0; i < 16; i++) STORE16(panel + i * width, rows[i]);
}

/// Copies `columns` columns of the right matrix, or rows if it is transposed, into a panel of `width` columns; the rest is 0.
INLINE void pack(float *panel, long width, const float *b, long b_stride, int transposed, long columns, long depth) {
    if (columns < width) memset(panel, 0, depth * width * sizeof(float));
    if (!transposed) {
        for (long k = 0; k < depth; k++) memcpy(panel + k * width, b + k * b_stride, columns * sizeof(float));
        return;
    }
    const long square_columns = columns / 16 * 16, square_depth = depth / 16 * 16;
    for (long k = 0; k < square_depth; k += 16)
        for (long j = 0; j < square_columns; j += 16) pack_square(panel + k * width + j, width, b + j * b_stride + k, b_stride);
    for (long j = 0; j < columns; j++)
        for (long k = j < square_columns ? square_depth : 0; k < depth; k++) panel[k * width + j] = b[j * b_stride + k];
}

#if defined(__x86_64__) && defined(__ELF__)

#define SUFFIX _v4
#define TARGET __attribute__((target("arch=x86-64-v4"), min_vector_width(512)))
#define ROWS 12
#define VECTORS 2
#include "ProductTile.h"

#define SUFFIX _v3
#define TARGET __attribute__((target("arch=x86-64-v3")))
#define ROWS 6
#define VECTORS 1
#include "ProductTile.h"

#endif

#define SUFFIX _default
#define TARGET
#define ROWS 4
#define VECTORS 1
#include "ProductTile.h"

int kernel_row_product_levels(void) {
#if defined(__x86_64__) && defined(__ELF__)
    return __builtin_cpu_supports("x86-64-v4") ? 3 : __builtin_cpu_supports("x86-64-v3") ? 2 : 1;
#else
    return 1;
#endif
}

void kernel_row_product(int level, const float *a, long a_stride, const float *b, long b_stride, int transposed, float *c,
                        long c_stride, long m, long n, long k_count, int keep) {
#if defined(__x86_64__) && defined(__ELF__)
    if (level == 2) return row_product_v4(a, a_stride, b, b_stride, transposed, c, c_stride, m, n, k_count, keep);
    if (level == 1) return row_product_v3(a, a_stride, b, b_stride, transposed, c, c_stride, m, n, k_count, keep);
#endif
    row_product_default(a, a_stride, b, b_stride, transposed, c, c_stride, m, n, k_count, keep);
}
