void KERNEL(kernel_add)(float *values, const float *other, long count) {
    for (long i = 0; i < count; i++) values[i] += other[i];
}

void KERNEL(kernel_add_biased)(float *values, const float *bias, const float *other, long rows, long columns) {
    for (long r = 0; r < rows; r++)
        for (long c = 0; c < columns; c++)
            values[r * columns + c] = values[r * columns + c] + (bias ? bias[c] : 0) + other[r * columns + c];
}

void KERNEL(kernel_add_scaled)(float *values, float factor, const float *other, long count) {
    for (long i = 0; i < count; i++) values[i] += factor * other[i];
}

void KERNEL(kernel_scale)(float *values, float factor, long count) {
    for (long i = 0; i < count; i++) values[i] *= factor;
}

/// Σ a·b with sixteen accumulators in double precision.
INLINE double dot(const float *a, const float *b, long count) {
    double totals[16] = {0};
    long i = 0;
    for (; i + 16 <= count; i += 16)
        for (int k = 0; k < 16; k++) totals[k] += (double)a[i + k] * (double)b[i + k];
    for (int k = 0; i < count; i++, k++) totals[k] += (double)a[i] * (double)b[i];
    for (int width = 8; width > 0; width /= 2)
        for (int k = 0; k < width; k++) totals[k] += totals[k + width];
    return totals[0];
}

double KERNEL(kernel_sum_of_squares)(const float *values, long count) { return dot(values, values, count); }

double KERNEL(kernel_dot)(const float *a, const float *b, long count) { return dot(a, b, count); }

double KERNEL(kernel_sum)(const float *values, long count) {
    double total = 0;
    for (long i = 0; i < count; i++) total += values[i];
    return total;
}

void KERNEL(kernel_scale_columns)(const float *values, const float *scales, long stride, float factor, float *output,
                                 long rows, long columns) {
    for (long r = 0; r < rows; r++)
        for (long c = 0; c < columns; c++)
            output[r * columns + c] = values[r * columns + c] * (scales[c * stride] * factor);
}

void KERNEL(kernel_column_products)(const float *a, const float *b, float factor, float *output, long stride, long rows,
                                   long columns) {
    for (long c = 0; c < columns; c++) {
        double total = 0;
        for (long r = 0; r < rows; r++) total += (double)a[r * columns + c] * (double)b[r * columns + c];
        output[c * stride] = (float)(factor * total);
    }
}
