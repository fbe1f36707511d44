// Activations with their derivatives.
#pragma once
#include "Elementary.h"

typedef struct {
    float value, slope;
} activated;

/// Φ(x), the normal distribution's.
INLINE float cumulative(float x) { return 0.5f * (1.0f + error_function(x * 0.70710678118f)); }

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

INLINE activated gelu(float x) {
    float phi = cumulative(x), value = x * phi;
    float slope = phi + x * (0.39894228040f * exponential(-0.5f * x * x));
    return (activated){value, slope};
}

/// GELU with Φ(x) ≈ (1 + tanh(√(2/π)·(x + 0.044715·x³)))/2.
INLINE activated gelu_tanh(float x) {
    float s = x * x, t = hyperbolic_tangent(0.79788456080f * (x + 0.044715f * (s * x)));
    float phi = 0.5f * (1.0f + t), value = x * phi;
    float slope = phi + 0.5f * x * ((1.0f - t * t) * (0.79788456080f * (1.0f + 0.134145f * s)));
    return (activated){value, slope};
}

INLINE activated silu(float x) {
    float sigma = 1.0f / (1.0f + exponential(-x)), value = x * sigma;
    float slope = sigma * (1.0f + x * (1.0f - sigma));
    return (activated){value, slope};
}

/// What is not a number stays so.
INLINE activated relu(float x) { return (activated){x < 0 ? 0 : x, x > 0 ? 1 : 0}; }

INLINE activated activate(const int activation, float x) {
    switch (activation) {
    case kernel_gelu_tanh: return gelu_tanh(x);
    case kernel_silu: return silu(x);
    case kernel_relu: return relu(x);
    default: return gelu(x);
    }
}

/// x, with a bias if there is one; `biased` is constant, because a loop that asks at every number is not vectorised.
#define BIASED(x, bias, c) ((x) + (biased ? (bias)[c] : 0))

#define WITH_BIAS_OR_NOT(activation, bias, function, ...)                                                              \
    if (bias)                                                                                                          \
        function(activation, 1, __VA_ARGS__);                                                                          \
    else                                                                                                               \
        function(activation, 0, __VA_ARGS__);                                                                          \
    break

/// Calls a function whose first arguments are the activation and whether there is a bias, once for each, so that every call has
/// constants there.
#define EACH_ACTIVATION(activation, bias, function, ...)                                                               \
    switch (activation) {                                                                                              \
    case kernel_gelu_tanh: WITH_BIAS_OR_NOT(kernel_gelu_tanh, bias, function, __VA_ARGS__);                            \
    case kernel_silu: WITH_BIAS_OR_NOT(kernel_silu, bias, function, __VA_ARGS__);                                      \
    case kernel_relu: WITH_BIAS_OR_NOT(kernel_relu, bias, function, __VA_ARGS__);                                      \
    default: WITH_BIAS_OR_NOT(kernel_gelu, bias, function, __VA_ARGS__);                                               \
    }
