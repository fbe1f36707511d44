#include <math.h>

/// Σ over a row with sixteen accumulators; `term(c)` is an expression of the column c.
#define ROW_SUM(result, columns, term16, term1)                                                                        \
    do {                                                                                                               \
        floats16 total = ZERO16;                                                                                     \
        long c = 0;                                                                                                    \
        for (; c + 16 <= (columns); c += 16) total += (term16);                                                        \
        float tail = 0;                                                                                                \
        for (; c < (columns); c++) tail += (term1);                                                                    \
        result = sum16(&total) + tail;                                                                                  \
    } while (0)

void KERNEL(kernel_residual_layer_norm)(float *product, const float *bias, const uint8_t *mask, float keep_scale,
                                       const float *residual, const float *gain, const float *offset, float epsilon,
                                       float *output, float *mean, float *inverse_deviation, long rows, long columns) {
    for (long r = 0; r < rows; r++) {
        float *sum = product + r * columns;
        float *out = output + r * columns;
        const float *add = residual ? residual + r * columns : 0;
        if (bias)
            for (long c = 0; c < columns; c++) sum[c] += bias[c];
        if (mask) {
            const uint8_t *m = mask + r * columns;
            for (long c = 0; c < columns; c++) sum[c] = m[c] ? sum[c] * keep_scale : 0.0f;
        }
        if (add)
            for (long c = 0; c < columns; c++) sum[c] += add[c];
        float average, variance;
        ROW_SUM(average, columns, LOAD16(sum + c), sum[c]);
        average /= (float)columns;
                ROW_SUM(variance, columns, (LOAD16(sum + c) - average) * (LOAD16(sum + c) - average),
                (sum[c] - average) * (sum[c] - average));
        variance /= (float)columns;
        float inverse = 1.0f / sqrtf(variance + epsilon);
        if (offset) {
            for (long c = 0; c < columns; c++) out[c] = (sum[c] - average) * inverse * gain[c] + offset[c];
        } else {
            for (long c = 0; c < columns; c++) out[c] = (sum[c] - average) * inverse * gain[c];
        }
        mean[r] = average;
        inverse_deviation[r] = inverse;
    }
}

void KERNEL(kernel_layer_norm_gain_backward)(const float *output_gradient, const float *sum, const float *mean,
                                            const float *inverse_deviation, float *gain_gradient, long rows,
                                            long columns) {
    for (long c = 0; c < columns; c++) gain_gradient[c] = 0;
    for (long r = 0; r < rows; r++) {
        const float *dy = output_gradient + r * columns, *s = sum + r * columns;
        float average = mean[r], inverse = inverse_deviation[r];
        for (long c = 0; c < columns; c++) gain_gradient[c] += dy[c] * ((s[c] - average) * inverse);
    }
}

void KERNEL(kernel_residual_layer_norm_backward)(const float *output_gradient, const float *sum, const float *mean,
                                                const float *inverse_deviation, const float *gain, const uint8_t *mask,
                                                float keep_scale, int keep, float *sum_gradient,
                                                float *product_gradient, long rows, long columns) {
    for (long r = 0; r < rows; r++) {
        const float *dy = output_gradient + r * columns, *s = sum + r * columns;
        float *ds = sum_gradient + r * columns;
        float average = mean[r], inverse = inverse_deviation[r];
                float first, second;
        ROW_SUM(first, columns, LOAD16(dy + c) * LOAD16(gain + c), dy[c] * gain[c]);
        ROW_SUM(second, columns, LOAD16(dy + c) * LOAD16(gain + c) * ((LOAD16(s + c) - average) * inverse),
                dy[c] * gain[c] * ((s[c] - average) * inverse));
        first /= (float)columns;
        second /= (float)columns;
        for (long c = 0; c < columns; c++) {
            float part = inverse * (dy[c] * gain[c] - first - (s[c] - average) * inverse * second);
            ds[c] = keep ? ds[c] + part : part;
        }
        if (!product_gradient) continue;
        float *dp = product_gradient + r * columns;
        if (mask) {
            const uint8_t *m = mask + r * columns;
            for (long c = 0; c < columns; c++) dp[c] = m[c] ? ds[c] * keep_scale : 0.0f;
        } else {
            for (long c = 0; c < columns; c++) dp[c] = ds[c];
        }
    }
}
