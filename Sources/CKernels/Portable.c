// The kernels for any processor: on x86-64 those without fused arithmetic, whose last bits differ.
#include <float.h>
#include <math.h>
#include <string.h>

#if defined(__x86_64__)
#define KERNEL(name) name##_portable
#else
#define KERNEL(name) name
#endif
#define TILE_ROWS 4
#define TILE_SIXTEENS 1

#include "Kernels/All.h"
