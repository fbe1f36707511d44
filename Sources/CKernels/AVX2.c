// The kernels for AVX2 with fused arithmetic.
#if defined(__x86_64__)
#include <float.h>
#include <math.h>
#include <string.h>

#define KERNEL(name) name##_avx2
#define TILE_ROWS 6
#define TILE_SIXTEENS 1

#pragma clang attribute push(__attribute__((target("arch=x86-64-v3"))), apply_to = function)
#include "Kernels/All.h"
#pragma clang attribute pop
#endif
