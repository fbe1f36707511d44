// Products of many rows with one matrix. Every element is one chain of fused multiplications and additions over k, so that a
// row's bits depend neither on the rows beside it nor on the instruction set, as long as that has fused arithmetic.
#include "Transpose.h"
#include <string.h>

// A tile has TILE_ROWS rows and TILE_SIXTEENS times sixteen columns: as many sums as the registers of the instruction set hold.
#define COLUMNS (16 * TILE_SIXTEENS)

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

void KERNEL(kernel_transpose)(const float *source, long source_stride, float *target, long target_stride, long rows,
                             long columns) {
    transpose_rows(source, source_stride, target, target_stride, rows, columns);
}

/// c[i][j] = keep·c[i][j] + Σ_k a[i][k]·panel[k][j] for `rows` rows and all columns of a panel.
INLINE void product_tile(const float *a, long a_stride, const float *panel, float *c, long c_stride,
                                       long k_count, const int keep, const int rows) {
    floats16 total[TILE_ROWS][TILE_SIXTEENS];
    _Pragma("unroll") for (int i = 0; i < rows; i++)
        for (int v = 0; v < TILE_SIXTEENS; v++) total[i][v] = keep ? LOAD16(c + i * c_stride + 16 * v) : ZERO16;
    for (long k = 0; k < k_count; k++) {
        floats16 right[TILE_SIXTEENS];
        for (int v = 0; v < TILE_SIXTEENS; v++) right[v] = LOAD16(panel + k * COLUMNS + 16 * v);
        _Pragma("unroll") for (int i = 0; i < rows; i++)
            for (int v = 0; v < TILE_SIXTEENS; v++) total[i][v] += a[i * a_stride + k] * right[v];
    }
    _Pragma("unroll") for (int i = 0; i < rows; i++)
        for (int v = 0; v < TILE_SIXTEENS; v++) STORE16(c + i * c_stride + 16 * v, total[i][v]);
}

/// The same where only the first `columns` of the panel's columns exist in c.
INLINE void product_rows(const float *a, long a_stride, const float *panel, float *c, long c_stride,
                                       long columns, long k_count, const int keep, const int rows) {
    if (columns == COLUMNS) return product_tile(a, a_stride, panel, c, c_stride, k_count, keep, rows);
    float part[TILE_ROWS * COLUMNS];
    for (int i = 0; i < rows; i++)
        for (int j = 0; j < COLUMNS; j++) part[i * COLUMNS + j] = keep && j < columns ? c[i * c_stride + j] : 0;
    product_tile(a, a_stride, panel, part, COLUMNS, k_count, 1, rows);
    for (int i = 0; i < rows; i++)
        for (int j = 0; j < columns; j++) c[i * c_stride + j] = part[i * COLUMNS + j];
}

INLINE void product_panel(const float *a, long a_stride, const float *panel, float *c, long c_stride,
                                        long m, long columns, long k_count, const int keep) {
    long i = 0;
    for (; i + TILE_ROWS <= m; i += TILE_ROWS)
        product_rows(a + i * a_stride, a_stride, panel, c + i * c_stride, c_stride, columns, k_count, keep, TILE_ROWS);
    for (; i + 4 <= m; i += 4)
        product_rows(a + i * a_stride, a_stride, panel, c + i * c_stride, c_stride, columns, k_count, keep, 4);
    for (; i < m; i++)
        product_rows(a + i * a_stride, a_stride, panel, c + i * c_stride, c_stride, columns, k_count, keep, 1);
}

void KERNEL(kernel_row_product)(const float *a, long a_stride, const float *b, long b_stride, int transposed,
                                      float *c, long c_stride, long m, long n, long k_count, int keep) {
    float panel[PANEL_DEPTH * COLUMNS] __attribute__((aligned(64)));
    for (long row = 0; row < m; row += PANEL_ROWS)
        for (long j = 0; j < n; j += COLUMNS)
            for (long k = 0; k < k_count; k += PANEL_DEPTH) {
                const long rows = m - row < PANEL_ROWS ? m - row : PANEL_ROWS;
                const long columns = n - j < COLUMNS ? n - j : COLUMNS;
                const long depth = k_count - k < PANEL_DEPTH ? k_count - k : PANEL_DEPTH;
                pack(panel, COLUMNS, b + (transposed ? j * b_stride + k : k * b_stride + j), b_stride, transposed,
                     columns, depth);
                const float *left = a + row * a_stride + k;
                float *result = c + row * c_stride + j;
                if (keep || k > 0)
                    product_panel(left, a_stride, panel, result, c_stride, rows, columns, depth, 1);
                else
                    product_panel(left, a_stride, panel, result, c_stride, rows, columns, depth, 0);
            }
}
