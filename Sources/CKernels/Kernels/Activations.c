#include "Elementary.h"

void KERNEL(kernel_add_bias)(float *values, long stride, const float *bias, long rows, long columns) {
    for (long r = 0; r < rows; r++)
        for (long c = 0; c < columns; c++) values[r * stride + c] += bias[c];
}

/// Φ(x), the normal distribution's.
INLINE float cumulative(float x) { return 0.5f * (1.0f + error_function(x * 0.70710678118f)); }

void KERNEL(kernel_bias_gelu)(const float *values, const float *bias, float *output, long rows, long columns) {
    for (long r = 0; r < rows; r++)
        for (long c = 0; c < columns; c++) {
            float x = values[r * columns + c] + bias[c];
            output[r * columns + c] = x * cumulative(x);
        }
}

void KERNEL(kernel_bias_gelu_derivative)(float *values, const float *bias, float *output, long rows, long columns) {
    for (long r = 0; r < rows; r++) {
        float *restrict v = values + r * columns, *restrict o = output + r * columns;
        for (long c = 0; c < columns; c++) {
            float x = v[c] + bias[c], phi = cumulative(x);
            o[c] = x * phi;
            v[c] = phi + x * (0.39894228040f * exponential(-0.5f * x * x));
        }
    }
}

void KERNEL(kernel_multiply)(float *values, const float *other, long count) {
    for (long i = 0; i < count; i++) values[i] *= other[i];
}

/// tanh by its definition, and by its series where the definition would cancel.
INLINE float hyperbolic_tangent(float x) {
    float t = x < 0 ? -x : x;
    float e = exponential(-2.0f * t);
    float far = (1.0f - e) / (1.0f + e);
    float s = x * x;
    // Continued fraction of tanh to seven terms: exact to single precision below 0.6.
    float near = t * (135135.0f + s * (17325.0f + s * (378.0f + s))) /
                 (135135.0f + s * (62370.0f + s * (3150.0f + s * 28.0f)));
    float result = t < 0.6f ? near : far;
    return x < 0 ? -result : result;
}

void KERNEL(kernel_bias_tanh)(float *values, const float *bias, long rows, long columns) {
    for (long r = 0; r < rows; r++)
        for (long c = 0; c < columns; c++) {
            float *v = values + r * columns + c;
            *v = hyperbolic_tangent(*v + bias[c]);
        }
}

void KERNEL(kernel_tanh_backward)(const float *output, float *gradient, long count) {
    for (long i = 0; i < count; i++) gradient[i] *= 1.0f - output[i] * output[i];
}

void KERNEL(kernel_bias_relu)(float *values, const float *bias, long rows, long columns) {
    for (long r = 0; r < rows; r++)
        for (long c = 0; c < columns; c++) {
            float x = values[r * columns + c] + bias[c];
            values[r * columns + c] = x > 0 ? x : 0;
        }
}

void KERNEL(kernel_relu_backward)(const float *output, float *gradient, long count) {
    for (long i = 0; i < count; i++) gradient[i] = output[i] > 0 ? gradient[i] : 0;
}
