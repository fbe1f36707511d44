#pragma once

/// Transposes 16 × 16 floats.
INLINE void transpose16(const float *source, long source_stride, float *target, long target_stride) {
    floats16 rows[16];
    _Pragma("unroll") for (int i = 0; i < 16; i++) rows[i] = LOAD16(source + i * source_stride);
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
    _Pragma("unroll") for (int i = 0; i < 16; i++) STORE16(target + i * target_stride, rows[i]);
}
