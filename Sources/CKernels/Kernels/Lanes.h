// What all kernels are written in.
#pragma once

#define INLINE static inline __attribute__((always_inline))

/// Sixteen floats: one register with AVX-512, two with AVX2, four with SSE2 or NEON. Sums that run over a row use
/// these sixteen accumulators on every machine.
typedef float floats16 __attribute__((vector_size(64), aligned(4)));

// Macros, because a vector that is passed by value would be part of the calling convention.
#define LOAD16(pointer) (*(const floats16 *)(pointer))
#define STORE16(pointer, value) (*(floats16 *)(pointer) = (value))
#define ZERO16 ((floats16){0})

/// The sum of sixteen floats, by halves.
INLINE float sum16(const floats16 *vector) {
    float v[16], h[8], q[4];
    STORE16(v, *vector);
    for (int i = 0; i < 8; i++) h[i] = v[i] + v[i + 8];
    for (int i = 0; i < 4; i++) q[i] = h[i] + h[i + 4];
    return (q[0] + q[2]) + (q[1] + q[3]);
}
