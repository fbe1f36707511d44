#include "Philox.h"

void KERNEL(kernel_dropout_mask)(kernel_philox_place place, uint32_t first_block, uint32_t threshold, uint8_t *mask,
                                long count) {
    philox_mask(place, first_block, threshold, mask, count);
}

void KERNEL(kernel_apply_mask)(const float *values, const uint8_t *mask, float keep_scale, float *output, long count) {
    for (long i = 0; i < count; i++) output[i] = mask[i] ? values[i] * keep_scale : 0.0f;
}
