// Products of many rows with one matrix. Every element is one chain of fused multiplications and additions over k, so that a
// row's bits depend neither on the rows beside it nor on the instruction set, as long as that has fused arithmetic.
#include "CKernels.h"
#include "Dispatch.h"
#include "Transpose.h"
#include <string.h>

/// A panel of the right matrix, [depth, columns of a tile], stays in the second cache while `PANEL_ROWS` rows pass.
#define PANEL_DEPTH 768
#define PANEL_ROWS 960

/// target = sourceᵀ: [columns, rows].
INLINE void transpose_rows(const float *source, long source_stride, float *target, long target_stride, long rows,
                           long columns) {
    const long square_rows = rows / 16 * 16, square_columns = columns / 16 * 16;
    for (long r = 0; r < square_rows; r += 16)
        for (long c = 0; c < square_columns; c += 16)
            transpose16(source + r * source_stride + c, source_stride, target + c * target_stride + r, target_stride);
    for (long r = 0; r < rows; r++)
        for (long c = r < square_rows ? square_columns : 0; c < columns; c++)
            target[c * target_stride + r] = source[r * source_stride + c];
}

/// Copies `columns` columns of the right matrix, or rows if it is transposed, into a panel of `width` columns; the rest is 0.
INLINE void pack(float *panel, long width, const float *b, long b_stride, int transposed, long columns, long depth) {
    if (columns < width) memset(panel, 0, depth * width * sizeof(float));
    if (!transposed) {
        for (long k = 0; k < depth; k++) memcpy(panel + k * width, b + k * b_stride, columns * sizeof(float));
        return;
    }
    transpose_rows(b, b_stride, panel, width, columns, depth);
}

KERNEL void kernel_transpose(const float *source, long source_stride, float *target, long target_stride, long rows,
                             long columns) {
    transpose_rows(source, source_stride, target, target_stride, rows, columns);
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
