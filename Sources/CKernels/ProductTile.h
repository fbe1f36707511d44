// Row products for one instruction set. The file that includes this defines
//   SUFFIX    what the names end in,
//   TARGET    the attributes of the instruction set,
//   ROWS      rows of a tile, VECTORS its columns in sixteens: their products are what the registers hold.
#define NAME_(stem, suffix) stem##suffix
#define NAME(stem, suffix) NAME_(stem, suffix)
#define COLUMNS (16 * VECTORS)

/// c[i][j] = keep·c[i][j] + Σ_k a[i][k]·panel[k][j] for `rows` rows and all columns of a panel.
INLINE TARGET void NAME(product_tile, SUFFIX)(const float *a, long a_stride, const float *panel, float *c, long c_stride,
                                       long k_count, const int keep, const int rows) {
    floats16 total[ROWS][VECTORS];
    _Pragma("unroll") for (int i = 0; i < rows; i++)
        for (int v = 0; v < VECTORS; v++) total[i][v] = keep ? LOAD16(c + i * c_stride + 16 * v) : ZERO16;
    for (long k = 0; k < k_count; k++) {
        floats16 right[VECTORS];
        for (int v = 0; v < VECTORS; v++) right[v] = LOAD16(panel + k * COLUMNS + 16 * v);
        _Pragma("unroll") for (int i = 0; i < rows; i++)
            for (int v = 0; v < VECTORS; v++) total[i][v] += a[i * a_stride + k] * right[v];
    }
    _Pragma("unroll") for (int i = 0; i < rows; i++)
        for (int v = 0; v < VECTORS; v++) STORE16(c + i * c_stride + 16 * v, total[i][v]);
}

/// The same where only the first `columns` of the panel's columns exist in c.
INLINE TARGET void NAME(product_rows, SUFFIX)(const float *a, long a_stride, const float *panel, float *c, long c_stride,
                                       long columns, long k_count, const int keep, const int rows) {
    if (columns == COLUMNS) return NAME(product_tile, SUFFIX)(a, a_stride, panel, c, c_stride, k_count, keep, rows);
    float part[ROWS * COLUMNS];
    for (int i = 0; i < rows; i++)
        for (int j = 0; j < COLUMNS; j++) part[i * COLUMNS + j] = keep && j < columns ? c[i * c_stride + j] : 0;
    NAME(product_tile, SUFFIX)(a, a_stride, panel, part, COLUMNS, k_count, 1, rows);
    for (int i = 0; i < rows; i++)
        for (int j = 0; j < columns; j++) c[i * c_stride + j] = part[i * COLUMNS + j];
}

INLINE TARGET void NAME(product_panel, SUFFIX)(const float *a, long a_stride, const float *panel, float *c, long c_stride,
                                        long m, long columns, long k_count, const int keep) {
    long i = 0;
    for (; i + ROWS <= m; i += ROWS)
        NAME(product_rows, SUFFIX)(a + i * a_stride, a_stride, panel, c + i * c_stride, c_stride, columns, k_count, keep, ROWS);
    for (; i + 4 <= m; i += 4)
        NAME(product_rows, SUFFIX)(a + i * a_stride, a_stride, panel, c + i * c_stride, c_stride, columns, k_count, keep, 4);
    for (; i < m; i++)
        NAME(product_rows, SUFFIX)(a + i * a_stride, a_stride, panel, c + i * c_stride, c_stride, columns, k_count, keep, 1);
}

/// See kernel_row_product.
static TARGET void NAME(row_product, SUFFIX)(const float *a, long a_stride, const float *b, long b_stride, int transposed,
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
                    NAME(product_panel, SUFFIX)(left, a_stride, panel, result, c_stride, rows, columns, depth, 1);
                else
                    NAME(product_panel, SUFFIX)(left, a_stride, panel, result, c_stride, rows, columns, depth, 0);
            }
}

#undef NAME_
#undef NAME
#undef COLUMNS
#undef SUFFIX
#undef TARGET
#undef ROWS
#undef VECTORS
