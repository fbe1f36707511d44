#include "Activation.h"

void KERNEL(kernel_add_bias)(float *values, long stride, const float *bias, long rows, long columns) {
    for (long r = 0; r < rows; r++)
        for (long c = 0; c < columns; c++) values[r * stride + c] += bias[c];
}

INLINE void activate_rows(const int activation, const int biased, const float *values, const float *bias,
                          float *output, long rows, long columns) {
    for (long r = 0; r < rows; r++)
        for (long c = 0; c < columns; c++) {
            float x = BIASED(values[r * columns + c], bias, c);
            output[r * columns + c] = activate(activation, x).value;
        }
}

void KERNEL(kernel_bias_activation)(int activation, const float *values, const float *bias, float *output, long rows,
                                   long columns) {
    EACH_ACTIVATION(activation, bias, activate_rows, values, bias, output, rows, columns)
}

INLINE void derive_rows(const int activation, const int biased, float *values, const float *bias, float *output,
                        long rows, long columns) {
    for (long r = 0; r < rows; r++) {
        float *restrict v = values + r * columns, *restrict o = output + r * columns;
        for (long c = 0; c < columns; c++) {
            activated a = activate(activation, BIASED(v[c], bias, c));
            o[c] = a.value;
            v[c] = a.slope;
        }
    }
}

void KERNEL(kernel_bias_activation_derivative)(int activation, float *values, const float *bias, float *output,
                                              long rows, long columns) {
    EACH_ACTIVATION(activation, bias, derive_rows, values, bias, output, rows, columns)
}

void KERNEL(kernel_multiply)(float *values, const float *other, long count) {
    for (long i = 0; i < count; i++) values[i] *= other[i];
}

INLINE void tanh_rows(const int biased, float *values, const float *bias, long rows, long columns) {
    for (long r = 0; r < rows; r++)
        for (long c = 0; c < columns; c++) {
            float *v = values + r * columns + c;
            *v = hyperbolic_tangent(BIASED(*v, bias, c));
        }
}

void KERNEL(kernel_bias_tanh)(float *values, const float *bias, long rows, long columns) {
    if (bias)
        tanh_rows(1, values, bias, rows, columns);
    else
        tanh_rows(0, values, bias, rows, columns);
}

void KERNEL(kernel_tanh_backward)(const float *output, float *gradient, long count) {
    for (long i = 0; i < count; i++) gradient[i] *= 1.0f - output[i] * output[i];
}
