#include <math.h>

/// One entry's step; `decay` and `step` follow from the settings.
INLINE void adamw(const kernel_adamw_settings *s, float decay, float step, float g, float *value, float *first_moment,
                  float *second_moment) {
    float m = *first_moment + (1.0f - s->beta1) * (g - *first_moment);
    float v = s->beta2 * *second_moment + (1.0f - s->beta2) * g * g;
    *first_moment = m;
    *second_moment = v;
    float denominator = sqrtf(v) / s->second_correction + s->epsilon;
    *value = *value * decay - step * (m / denominator);
}

INLINE void importance(float beta1, float beta2, float value, float g, float *smoothed, float *uncertainty) {
    float sensitivity = fabsf(value * g);
    float mean = beta1 * *smoothed + (1.0f - beta1) * sensitivity;
    *smoothed = mean;
    *uncertainty = beta2 * *uncertainty + (1.0f - beta2) * fabsf(sensitivity - mean);
}

void KERNEL(kernel_adamw)(kernel_adamw_settings s, float *values, const float *gradient, float *first_moment,
                         float *second_moment, long count) {
    float decay = 1.0f - s.learning_rate * s.weight_decay, step = s.learning_rate / s.first_correction;
    for (long i = 0; i < count; i++)
        adamw(&s, decay, step, gradient[i] * s.gradient_factor, values + i, first_moment + i, second_moment + i);
}

void KERNEL(kernel_adamw_scaled)(kernel_adamw_settings s, float factor, float *values, const float *gradient,
                                float *first_moment, float *second_moment, long count) {
    float step = s.learning_rate / s.first_correction;
    for (long i = 0; i < count; i++)
        adamw(&s, factor, step, gradient[i] * s.gradient_factor, values + i, first_moment + i, second_moment + i);
}

void KERNEL(kernel_adam_l2)(kernel_adamw_settings s, float *values, const float *gradient, float *first_moment,
                           float *second_moment, long count) {
    float step = s.learning_rate / s.first_correction;
    for (long i = 0; i < count; i++)
        adamw(&s, 1.0f, step, gradient[i] * s.gradient_factor + s.weight_decay * values[i], values + i,
              first_moment + i, second_moment + i);
}

void KERNEL(kernel_clamp)(float *values, float limit, long count) {
    for (long i = 0; i < count; i++) {
        float value = values[i] > limit ? limit : values[i];
        values[i] = value < -limit ? -limit : value;
    }
}

void KERNEL(kernel_importance)(float beta1, float beta2, float gradient_factor, const float *values,
                              const float *gradient, float *smoothed, float *uncertainty, long count) {
    for (long i = 0; i < count; i++)
        importance(beta1, beta2, values[i], gradient[i] * gradient_factor, smoothed + i, uncertainty + i);
}

void KERNEL(kernel_importance_then_adamw)(kernel_adamw_settings s, float beta1, float beta2, float *restrict values,
                                         const float *restrict gradient, float *restrict first_moment,
                                         float *restrict second_moment, float *restrict smoothed,
                                         float *restrict uncertainty, long count) {
    float decay = 1.0f - s.learning_rate * s.weight_decay, step = s.learning_rate / s.first_correction;
    for (long i = 0; i < count; i++) {
        float g = gradient[i] * s.gradient_factor;
        importance(beta1, beta2, values[i], g, smoothed + i, uncertainty + i);
        adamw(&s, decay, step, g, values + i, first_moment + i, second_moment + i);
    }
}

void KERNEL(kernel_adamw_then_importance)(kernel_adamw_settings s, float beta1, float beta2, float *restrict values,
                                         const float *restrict gradient, float *restrict first_moment,
                                         float *restrict second_moment, float *restrict smoothed,
                                         float *restrict uncertainty, long count) {
    float decay = 1.0f - s.learning_rate * s.weight_decay, step = s.learning_rate / s.first_correction;
    for (long i = 0; i < count; i++) {
        float g = gradient[i] * s.gradient_factor;
        adamw(&s, decay, step, g, values + i, first_moment + i, second_moment + i);
        importance(beta1, beta2, values[i], g, smoothed + i, uncertainty + i);
    }
}
