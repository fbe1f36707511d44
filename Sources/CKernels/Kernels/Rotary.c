void KERNEL(kernel_rotate)(float *values, long stride, const float *cosines, const float *sines, float direction,
                          long rows, long heads, long width, long pairs) {
    for (long r = 0; r < rows; r++)
        for (long h = 0; h < heads; h++) {
            float *restrict first = values + r * stride + h * width, *restrict second = first + pairs;
            const float *cosine = cosines + r * pairs, *sine = sines + r * pairs;
            for (long i = 0; i < pairs; i++) {
                float a = first[i], b = second[i], s = direction * sine[i];
                first[i] = a * cosine[i] - b * s;
                second[i] = b * cosine[i] + a * s;
            }
        }
}
