#include <math.h>

/// Σ (values - centre)^power over a run, `power` 1 or 2: floats within a piece of 1,024, doubles beyond.
INLINE double sum_of_differences(const float *values, long count, float centre, const int power) {
    double total = 0;
    long i = 0;
    while (i < count) {
        long end = i + 1024 < count ? i + 1024 : count;
        floats16 sums[4] = {ZERO16, ZERO16, ZERO16, ZERO16};
        for (; i + 64 <= end; i += 64)
            for (int k = 0; k < 4; k++) {
                floats16 difference = LOAD16(values + i + 16 * k) - centre;
                sums[k] += power == 1 ? difference : difference * difference;
            }
        float tail = 0;
        for (; i < end; i++) {
            float difference = values[i] - centre;
            tail += power == 1 ? difference : difference * difference;
        }
        floats16 sum = (sums[0] + sums[1]) + (sums[2] + sums[3]);
        total += (double)(sum16(&sum) + tail);
    }
    return total;
}

void KERNEL(kernel_group_norm)(const float *input, const float *gain, const float *offset, float epsilon, float *output,
                              float *mean, float *inverse_deviation, long samples, long rows, long columns) {
    const long count = rows * columns;
    for (long s = 0; s < samples; s++) {
        const float *in = input + s * count;
        float *out = output + s * count;
        // Around the first element, so that a constant sample gives exactly its constant.
        const float average = (float)((double)in[0] + sum_of_differences(in, count, in[0], 1) / (double)count);
        const double variance = sum_of_differences(in, count, average, 2) / (double)count;
        const float inverse = (float)(1.0 / sqrt(variance + (double)epsilon));
        for (long r = 0; r < rows; r++)
            for (long c = 0; c < columns; c++)
                out[r * columns + c] = (in[r * columns + c] - average) * inverse * gain[c] + offset[c];
        mean[s] = average;
        inverse_deviation[s] = inverse;
    }
}

void KERNEL(kernel_group_norm_backward)(const float *output_gradient, const float *input, const float *mean,
                                       const float *inverse_deviation, const float *gain, float *input_gradient,
                                       float *gain_gradient, float *offset_gradient, float *workspace, long samples,
                                       long rows, long columns) {
    float *restrict gains = workspace, *restrict offsets = workspace + columns;
    for (long c = 0; c < columns; c++) gain_gradient[c] = 0, offset_gradient[c] = 0;
    for (long s = 0; s < samples; s++) {
        const float *dy = output_gradient + s * rows * columns, *x = input + s * rows * columns;
        float *dx = input_gradient + s * rows * columns;
        const float average = mean[s], inverse = inverse_deviation[s];
        for (long c = 0; c < columns; c++) gains[c] = 0, offsets[c] = 0;
        for (long r = 0; r < rows; r++)
            for (long c = 0; c < columns; c++) {
                float gradient = dy[r * columns + c];
                offsets[c] += gradient;
                gains[c] += gradient * ((x[r * columns + c] - average) * inverse);
            }
        double first = 0, second = 0;
        for (long c = 0; c < columns; c++) {
            first += (double)gain[c] * (double)offsets[c];
            second += (double)gain[c] * (double)gains[c];
            gain_gradient[c] += gains[c];
            offset_gradient[c] += offsets[c];
        }
        const float level = (float)(first / (double)(rows * columns)), slope = (float)(second / (double)(rows * columns));
        for (long r = 0; r < rows; r++)
            for (long c = 0; c < columns; c++) {
                float normal = (x[r * columns + c] - average) * inverse;
                dx[r * columns + c] += inverse * (dy[r * columns + c] * gain[c] - level - normal * slope);
            }
    }
}

void KERNEL(kernel_scaled_residual)(const float *residual, float *values, const float *bias, const float *scale,
                                   float *output, long rows, long columns) {
    for (long r = 0; r < rows; r++)
        for (long c = 0; c < columns; c++) {
            float value = values[r * columns + c] + bias[c];
            values[r * columns + c] = value;
            output[r * columns + c] = residual[r * columns + c] + scale[c] * value;
        }
}

void KERNEL(kernel_scaled_residual_backward)(const float *output_gradient, const float *values, const float *scale,
                                            float *values_gradient, float *scale_gradient, long rows, long columns) {
    for (long c = 0; c < columns; c++) scale_gradient[c] = 0;
    for (long r = 0; r < rows; r++) {
        const float *dy = output_gradient + r * columns, *v = values + r * columns;
        float *restrict dv = values_gradient + r * columns, *restrict ds = scale_gradient;
        for (long c = 0; c < columns; c++) {
            ds[c] += dy[c] * v[c];
            dv[c] = dy[c] * scale[c];
        }
    }
}

void KERNEL(kernel_column_sums)(const float *values, long stride, float *sums, long rows, long columns) {
    for (long c = 0; c < columns; c++) sums[c] = 0;
    for (long r = 0; r < rows; r++)
        for (long c = 0; c < columns; c++) sums[c] += values[r * stride + c];
}

void KERNEL(kernel_add_moments)(const float *values, const double *centre, int power, double *sums, long rows,
                               long columns) {
    for (long r = 0; r < rows; r++)
        for (long c = 0; c < columns; c++) {
            double difference = (double)values[r * columns + c] - centre[c];
            sums[c] += power == 1 ? difference : difference * difference;
        }
}
