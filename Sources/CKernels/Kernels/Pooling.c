#include "Pooling.h"

void KERNEL(kernel_adaptive_pool)(const float *map, long stride, long height, long width, long columns, float *pooled,
                                 long pooled_height, long pooled_width) {
    for (long py = 0; py < pooled_height; py++)
        for (long px = 0; px < pooled_width; px++) {
            const long top = REGION_START(py, pooled_height, height), bottom = REGION_END(py, pooled_height, height);
            const long left = REGION_START(px, pooled_width, width), right = REGION_END(px, pooled_width, width);
            float *restrict target = pooled + (py * pooled_width + px) * columns;
            for (long c = 0; c < columns; c++) target[c] = 0;
            for (long y = top; y < bottom; y++)
                for (long x = left; x < right; x++) {
                    const float *restrict source = map + (y * width + x) * stride;
                    for (long c = 0; c < columns; c++) target[c] += source[c];
                }
            const float share = 1.0f / (float)((bottom - top) * (right - left));
            for (long c = 0; c < columns; c++) target[c] *= share;
        }
}

void KERNEL(kernel_adaptive_pool_backward)(const float *pooled_gradient, long pooled_height, long pooled_width,
                                          float *map_gradient, long stride, long height, long width, long columns) {
    for (long py = 0; py < pooled_height; py++)
        for (long px = 0; px < pooled_width; px++) {
            const long top = REGION_START(py, pooled_height, height), bottom = REGION_END(py, pooled_height, height);
            const long left = REGION_START(px, pooled_width, width), right = REGION_END(px, pooled_width, width);
            const float *restrict source = pooled_gradient + (py * pooled_width + px) * columns;
            const float share = 1.0f / (float)((bottom - top) * (right - left));
            for (long y = top; y < bottom; y++)
                for (long x = left; x < right; x++) {
                    float *restrict target = map_gradient + (y * width + x) * stride;
                    for (long c = 0; c < columns; c++) target[c] += share * source[c];
                }
        }
}

void KERNEL(kernel_upsample)(const float *map, long height, long width, long columns, float *output, long stride,
                            long output_height, long output_width) {
    for (long y = 0; y < output_height; y++)
        for (long x = 0; x < output_width; x++) {
            const float *source = map + (y * height / output_height * width + x * width / output_width) * columns;
            float *target = output + (y * output_width + x) * stride;
            for (long c = 0; c < columns; c++) target[c] = source[c];
        }
}

void KERNEL(kernel_upsample_backward)(const float *output_gradient, long stride, long output_height, long output_width,
                                     float *map_gradient, long height, long width, long columns) {
    for (long i = 0; i < height * width * columns; i++) map_gradient[i] = 0;
    for (long y = 0; y < output_height; y++)
        for (long x = 0; x < output_width; x++) {
            float *restrict target =
                map_gradient + (y * height / output_height * width + x * width / output_width) * columns;
            const float *restrict source = output_gradient + (y * output_width + x) * stride;
            for (long c = 0; c < columns; c++) target[c] += source[c];
        }
}
