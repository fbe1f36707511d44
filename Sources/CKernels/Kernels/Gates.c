#include "Activation.h"

INLINE void gate_rows(const int activation, const int biased, const float *values, const float *bias, float *output,
                      long rows, long columns) {
    for (long r = 0; r < rows; r++) {
        const float *u = values + r * 2 * columns, *v = u + columns;
        float *restrict o = output + r * columns;
        for (long c = 0; c < columns; c++) {
            float x = BIASED(u[c], bias, c), y = BIASED(v[c], bias, columns + c);
            o[c] = activate(activation, x).value * y;
        }
    }
}

void KERNEL(kernel_gate)(int activation, const float *values, const float *bias, float *output, long rows,
                        long columns) {
    EACH_ACTIVATION(activation, bias, gate_rows, values, bias, output, rows, columns)
}

INLINE void derive_gate_rows(const int activation, const int biased, float *values, const float *bias, float *output,
                             long rows, long columns) {
    for (long r = 0; r < rows; r++) {
        float *restrict u = values + r * 2 * columns, *restrict v = values + (r * 2 + 1) * columns;
        float *restrict o = output + r * columns;
        for (long c = 0; c < columns; c++) {
            float x = BIASED(u[c], bias, c), y = BIASED(v[c], bias, columns + c);
            activated a = activate(activation, x);
            o[c] = a.value * y;
            u[c] = y * a.slope;
            v[c] = a.value;
        }
    }
}

void KERNEL(kernel_gate_derivative)(int activation, float *values, const float *bias, float *output, long rows,
                                   long columns) {
    EACH_ACTIVATION(activation, bias, derive_gate_rows, values, bias, output, rows, columns)
}

void KERNEL(kernel_gate_backward)(const float *derivatives, const float *gradient, float *input_gradient, long rows,
                                 long columns) {
    for (long r = 0; r < rows; r++)
        for (long half = 2 * r; half < 2 * r + 2; half++) {
            const float *d = derivatives + half * columns, *g = gradient + r * columns;
            float *restrict result = input_gradient + half * columns;
            for (long c = 0; c < columns; c++) result[c] = g[c] * d[c];
        }
}
