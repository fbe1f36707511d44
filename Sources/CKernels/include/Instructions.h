// The instruction sets that the kernels are compiled for.
#pragma once

/// AVX2 and AVX-512 give the same bits; `kernel_portable` has no fused arithmetic on x86-64, and gives others.
enum { kernel_portable, kernel_avx2, kernel_avx512 };

/// The best that this processor has.
int kernel_best_instructions(void);
/// What is in use: from the start the best, or what RANKWISE_INSTRUCTIONS (avx2, avx512, portable) says if that is less.
int kernel_instructions(void);
/// For tests: changes what is in use. At most the best.
void kernel_use_instructions(int level);
