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

/// Calls a function whose first argument is the activation once for each, so that every call has a constant there.
#define EACH_ACTIVATION(activation, function, ...)                                                                     \
    switch (activation) {                                                                                              \
    case kernel_gelu_tanh: function(kernel_gelu_tanh, __VA_ARGS__); break;                                             \
    case kernel_silu: function(kernel_silu, __VA_ARGS__); break;                                                       \
    case kernel_relu: function(kernel_relu, __VA_ARGS__); break;                                                       \
    default: function(kernel_gelu, __VA_ARGS__);                                                                       \
    }
