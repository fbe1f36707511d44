// Which kernels run: those of the best instruction set that the processor has, or those that the environment asks for.
#include "include/Instructions.h"
#include <stdlib.h>
#include <string.h>

#if defined(__x86_64__)

// Every kernel, once. Whoever forgets one here gets an undefined symbol.
#define EACH_KERNEL(K) \
    K(kernel_add_bias) \
    K(kernel_bias_activation) \
    K(kernel_bias_activation_derivative) \
    K(kernel_multiply) \
    K(kernel_bias_tanh) \
    K(kernel_tanh_backward) \
    K(kernel_attention) \
    K(kernel_attention_backward) \
    K(kernel_attention_workspace) \
    K(kernel_distances_workspace) \
    K(kernel_add_distances) \
    K(kernel_add_distances_backward) \
    K(kernel_add_distance_bias) \
    K(kernel_add_distance_bias_backward) \
    K(kernel_cluster) \
    K(kernel_cluster_backward) \
    K(kernel_cluster_bias) \
    K(kernel_cluster_bias_backward) \
    K(kernel_clusters_workspace) \
    K(kernel_extract_patches) \
    K(kernel_add_patches) \
    K(kernel_dropout_mask) \
    K(kernel_apply_mask) \
    K(kernel_sparse_combinations) \
    K(kernel_add_sparse_products) \
    K(kernel_rectified_difference) \
    K(kernel_draw_features) \
    K(kernel_gate) \
    K(kernel_gate_derivative) \
    K(kernel_gate_backward) \
    K(kernel_group_norm) \
    K(kernel_group_norm_backward) \
    K(kernel_scaled_residual) \
    K(kernel_scaled_residual_backward) \
    K(kernel_column_sums) \
    K(kernel_add_moments) \
    K(kernel_dots) \
    K(kernel_add_combinations) \
    K(kernel_weighted_sums) \
    K(kernel_residual_layer_norm) \
    K(kernel_layer_norm_gain_backward) \
    K(kernel_residual_layer_norm_backward) \
    K(kernel_adaptive_pool) \
    K(kernel_adaptive_pool_backward) \
    K(kernel_upsample) \
    K(kernel_upsample_backward) \
    K(kernel_transpose) \
    K(kernel_row_product) \
    K(kernel_dequantize) \
    K(kernel_rotate) \
    K(kernel_add) \
    K(kernel_add_biased) \
    K(kernel_add_scaled) \
    K(kernel_scale) \
    K(kernel_sum_of_squares) \
    K(kernel_dot) \
    K(kernel_sum) \
    K(kernel_scale_columns) \
    K(kernel_column_products) \
    K(kernel_count_digits) \
    K(kernel_split_scores) \
    K(kernel_triplets_spectral_norm) \
    K(kernel_adamw) \
    K(kernel_adamw_scaled) \
    K(kernel_adam_l2) \
    K(kernel_clamp) \
    K(kernel_importance) \
    K(kernel_importance_then_adamw) \
    K(kernel_adamw_then_importance)

// A kernel is a jump to the chosen one. The arguments stay where the caller put them, so this needs no prototype.
#define JUMP(name) \
    void name##_portable(void); \
    void name##_avx2(void); \
    void name##_avx512(void); \
    __attribute__((visibility("hidden"))) void (*name##_chosen)(void) = name##_portable; \
    __attribute__((naked)) void name(void) { __asm__("jmp *" #name "_chosen(%rip)"); }
EACH_KERNEL(JUMP)

static int chosen = kernel_portable;

int kernel_best_instructions(void) {
    return __builtin_cpu_supports("x86-64-v4")   ? kernel_avx512
           : __builtin_cpu_supports("x86-64-v3") ? kernel_avx2
                                                 : kernel_portable;
}

void kernel_use_instructions(int level) {
    chosen = level;
#define CHOOSE(name) name##_chosen = level == kernel_avx512 ? name##_avx512 : level == kernel_avx2 ? name##_avx2 : name##_portable;
    EACH_KERNEL(CHOOSE)
}

int kernel_instructions(void) { return chosen; }

/// Before main: what is asked for and cannot be had is refused later, where there is someone to tell.
__attribute__((constructor)) static void choose(void) {
    __builtin_cpu_init();
    const char *name = getenv("RANKWISE_INSTRUCTIONS");
    const int best = kernel_best_instructions();
    int level = best;
    if (name && strcmp(name, "avx2") == 0) level = kernel_avx2;
    if (name && strcmp(name, "portable") == 0) level = kernel_portable;
    kernel_use_instructions(level < best ? level : best);
}

#else

int kernel_best_instructions(void) { return kernel_portable; }
void kernel_use_instructions(int level) { (void)level; }
int kernel_instructions(void) { return kernel_portable; }

#endif
