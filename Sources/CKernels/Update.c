#include "CKernels.h"
#include "Dispatch.h"
#include <math.h>

KERNEL void kernel_adamw(kernel_adamw_settings s, float *values, const float *gradient, float *first_moment,
                         float *second_moment, long count) {
    float decay = 1.0f - s.learning_rate * s.weight_decay;
    float step = s.learning_rate / s.first_correction;
    for (long i = 0; i < count; i++) {
        float g = gradient[i] * s.gradient_factor;
        float m = first_moment[i] + (1.0f - s.beta1) * (g - first_moment[i]);
        float v = s.beta2 * second_moment[i] + (1.0f - s.beta2) * g * g;
        first_moment[i] = m;
        second_moment[i] = v;
        float denominator = sqrtf(v) / s.second_correction + s.epsilon;
        values[i] = values[i] * decay - step * (m / denominator);
    }
}

KERNEL void kernel_importance(float beta1, float beta2, float gradient_factor, const float *values,
                              const float *gradient, float *smoothed, float *uncertainty, long count) {
    for (long i = 0; i < count; i++) {
        float sensitivity = fabsf(values[i] * (gradient[i] * gradient_factor));
        float mean = beta1 * smoothed[i] + (1.0f - beta1) * sensitivity;
        smoothed[i] = mean;
        uncertainty[i] = beta2 * uncertainty[i] + (1.0f - beta2) * fabsf(sensitivity - mean);
    }
}
