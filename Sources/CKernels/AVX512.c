// The kernels for AVX-512.
#if defined(__x86_64__)
#include <float.h>
#include <math.h>
#include <string.h>

#define KERNEL(name) name##_avx512
#define TILE_ROWS 12
#define TILE_SIXTEENS 2

#pragma clang attribute push(__attribute__((target("arch=x86-64-v4"))), apply_to = function)
// Without it the compiler takes vectors of sixteen floats apart, for processors of which some slow down.
#pragma clang attribute push(__attribute__((min_vector_width(512))), apply_to = function)
#include "Kernels/All.h"
#pragma clang attribute pop
#pragma clang attribute pop
#endif
