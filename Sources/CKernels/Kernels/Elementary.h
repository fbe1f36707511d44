// Elementary functions that the compiler can vectorise; accuracies are tested against double precision.
#pragma once

/// e^x, relative error below 1.5e-7; 0 below -87.3, capped at e^88.
INLINE float exponential(float x) {
    float low = x < -87.3f ? -87.3f : x;
    float clamped = low > 88.0f ? 88.0f : low;
    // Adding and subtracting 1.5·2^23 rounds to the nearest integer.
    float shifted = clamped * 1.44269504f + 12582912.0f;
    float n = shifted - 12582912.0f;
    float r = clamped - n * 0.693359375f;
    r = r - n * -2.12194440e-4f;
    float p = 1.989933433e-04f;
    p = p * r + 1.393368836e-03f;
    p = p * r + 8.333298411e-03f;
    p = p * r + 4.166646457e-02f;
    p = p * r + 1.666666672e-01f;
    p = p * r + 5.000000014e-01f;
    float fraction = 1.0f + (r + (r * r) * p);
    union { int i; float f; } power = {.i = ((int)n + 127) << 23};
    float result = fraction * power.f;
    return x < -87.3f ? 0.0f : result;
}

/// erf(x), absolute error below 1.2e-7: x + x·p(x²) near 0, 1 - exp(q(|x|)) beyond. Both polynomials are
/// least-squares fits on Chebyshev nodes.
INLINE float error_function(float x) {
    float t = x < 0 ? -x : x;
    float s = x * x;
    float p = 8.209796841e-05f;
    p = p * s + -8.104441949e-04f;
    p = p * s + 5.197642556e-03f;
    p = p * s + -2.685803196e-02f;
    p = p * s + 1.128367102e-01f;
    p = p * s + -3.761263217e-01f;
    p = p * s + 1.283791665e-01f;
    float near = x + x * p;
    float u = t < 3.95f ? t : 3.95f;
    float q = 1.624234834e-06f;
    q = q * u + -4.577493220e-05f;
    q = q * u + 5.941798342e-04f;
    q = q * u + -4.746152167e-03f;
    q = q * u + 2.637963729e-02f;
    q = q * u + -1.100011363e-01f;
    q = q * u + -6.319162928e-01f;
    q = q * u + -1.130176848e+00f;
    q = q * u + 3.052475625e-04f;
    float far = 1.0f - exponential(q);
    far = x < 0 ? -far : far;
    return t < 0.925f ? near : far;
}
