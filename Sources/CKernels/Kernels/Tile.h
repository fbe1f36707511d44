// Products of small or narrow matrices, row-major. Every element is one chain over k, so that it depends on its row and column
// alone, never on what else is computed with it.
#pragma once

/// c[i][j] = keep·c[i][j] + Σ_k a[i·row + k·column]·b[k][j] for `rows` rows (at most 4) and 16·`vectors` columns (at most 32).
INLINE void tile(const float *a, long row, long column, const float *b, long b_stride, float *c, long c_stride,
                 long k_count, const int keep, const int rows, const int vectors) {
    floats16 total[4][2];
    for (int i = 0; i < rows; i++)
        for (int v = 0; v < vectors; v++) total[i][v] = keep ? LOAD16(c + i * c_stride + 16 * v) : ZERO16;
    for (long k = 0; k < k_count; k++) {
        for (int v = 0; v < vectors; v++) {
            floats16 right = LOAD16(b + k * b_stride + 16 * v);
            for (int i = 0; i < rows; i++) total[i][v] += a[i * row + k * column] * right;
        }
    }
    for (int i = 0; i < rows; i++)
        for (int v = 0; v < vectors; v++) STORE16(c + i * c_stride + 16 * v, total[i][v]);
}

/// The same for up to 4 rows and any number of columns.
INLINE void tiles(const float *a, long row, long column, const float *b, long b_stride, float *c, long c_stride,
                  long n, long k_count, const int keep, const int rows) {
    long j = 0;
    for (; j + 32 <= n; j += 32) tile(a, row, column, b + j, b_stride, c + j, c_stride, k_count, keep, rows, 2);
    for (; j + 16 <= n; j += 16) tile(a, row, column, b + j, b_stride, c + j, c_stride, k_count, keep, rows, 1);
    for (; j < n; j++)
        for (int i = 0; i < rows; i++) {
            float total = keep ? c[i * c_stride + j] : 0;
            for (long k = 0; k < k_count; k++) total += a[i * row + k * column] * b[k * b_stride + j];
            c[i * c_stride + j] = total;
        }
}

/// The same for any number of rows.
INLINE void small_product(const float *a, long row, long column, const float *b, long b_stride, float *c,
                          long c_stride, long m, long n, long k_count, const int keep) {
    long i = 0;
    for (; i + 4 <= m; i += 4)
        tiles(a + i * row, row, column, b, b_stride, c + i * c_stride, c_stride, n, k_count, keep, 4);
    a += i * row, c += i * c_stride;
    if (m - i == 3) tiles(a, row, column, b, b_stride, c, c_stride, n, k_count, keep, 3);
    if (m - i == 2) tiles(a, row, column, b, b_stride, c, c_stride, n, k_count, keep, 2);
    if (m - i == 1) tiles(a, row, column, b, b_stride, c, c_stride, n, k_count, keep, 1);
}
