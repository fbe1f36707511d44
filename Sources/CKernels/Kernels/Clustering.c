#include "Elementary.h"
#include "Pooling.h"
#include "Tile.h"
#include <math.h>

// One problem: the N points of one window and one head, assigned to M centres. Rows of points and centres have `wide`
// columns (the head's width, padded to whole vectors with zeros), rows of assignments `padded` columns.

#define PADDED(count) (((count) + 15) / 16 * 16)
#define SMALLEST_NORM 1e-12f

typedef struct {
    long points, centres, padded, wide;
    float *features, *values;             // [N, wide]
    float *feature_centres, *value_centres; // [M, wide]
    float *feature_scales, *centre_scales;  // [N], [M]: 1 / norm
    float *transposed;                    // [wide, padded]
    float *clusters;                      // C', [M, wide]
    float *weights;                       // 1 + Σ_i A_ij, [padded]
    // Backward only.
    float *output_gradient, *gathered;  // [N, wide]
    float *cluster_gradient, *summed;     // [M, wide]
    float *logits_gradient;               // [N, padded]
    float *weight_gradient;               // [padded]
} problem;

INLINE problem problem_in(const kernel_clusters *s, float *memory) {
    problem p;
    p.points = s->point_rows * s->point_columns;
    p.centres = s->centres * s->centres;
    p.padded = PADDED(p.centres);
    p.wide = PADDED(s->width);
#define TAKE(name, count) p.name = memory, memory += PADDED(count)
    TAKE(features, p.points * p.wide);
    TAKE(values, p.points * p.wide);
    TAKE(feature_centres, p.centres * p.wide);
    TAKE(value_centres, p.centres * p.wide);
    TAKE(feature_scales, p.points);
    TAKE(centre_scales, p.centres);
    TAKE(transposed, p.wide * p.padded);
    TAKE(clusters, p.centres * p.wide);
    TAKE(weights, p.padded);
    TAKE(output_gradient, p.points * p.wide);
    TAKE(gathered, p.points * p.wide);
    TAKE(cluster_gradient, p.centres * p.wide);
    TAKE(summed, p.centres * p.wide);
    TAKE(logits_gradient, p.points * p.padded);
    TAKE(weight_gradient, p.padded);
#undef TAKE
    return p;
}

long KERNEL(kernel_clusters_workspace)(const kernel_clusters *s) {
    long points = s->point_rows * s->point_columns, centres = s->centres * s->centres;
    long padded = PADDED(centres), wide = PADDED(s->width);
    return 4 * PADDED(points * wide) + 5 * PADDED(centres * wide) + PADDED(points) + PADDED(centres) +
           wide * padded + 2 * padded + PADDED(points * padded) + 16;
}

/// The first element of a window's point (y, x), for one head.
INLINE long place(const kernel_clusters *s, long window, long point, long head, long stride) {
    long wy = window / s->windows, wx = window % s->windows;
    long y = wy * s->point_rows + point / s->point_columns, x = wx * s->point_columns + point % s->point_columns;
    return (y * s->windows * s->point_columns + x) * stride + head * s->width;
}

INLINE void gather(const kernel_clusters *s, long window, long head, const float *map, long stride, float *rows,
                   long wide) {
    for (long i = 0; i < s->point_rows * s->point_columns; i++) {
        const float *source = map + place(s, window, i, head, stride);
        float *target = rows + i * wide;
        long c = 0;
        for (; c + 16 <= s->width; c += 16) STORE16(target + c, LOAD16(source + c));
        for (; c < s->width; c++) target[c] = source[c];
        for (; c < wide; c++) target[c] = 0;
    }
}

INLINE void scatter(const kernel_clusters *s, long window, long head, const float *rows, long wide, float *map,
                    long stride) {
    for (long i = 0; i < s->point_rows * s->point_columns; i++) {
        float *target = map + place(s, window, i, head, stride);
        const float *source = rows + i * wide;
        long c = 0;
        for (; c + 16 <= s->width; c += 16) STORE16(target + c, LOAD16(source + c));
        for (; c < s->width; c++) target[c] = source[c];
    }
}

/// Calls for each centre's region: rows [top, bottom), columns [left, right).
#define EACH_REGION(s, j)                                                                                              \
    for (long j = 0; j < (s)->centres * (s)->centres; j++)                                                             \
        for (long top = REGION_START(j / (s)->centres, (s)->centres, (s)->point_rows),                                 \
                  bottom = REGION_END(j / (s)->centres, (s)->centres, (s)->point_rows),                                \
                  left = REGION_START(j % (s)->centres, (s)->centres, (s)->point_columns),                             \
                  right = REGION_END(j % (s)->centres, (s)->centres, (s)->point_columns), once = 1;                    \
             once; once = 0)

INLINE void pool(const kernel_clusters *s, const float *rows, long wide, float *centres) {
    EACH_REGION(s, j) {
        float share = 1.0f / (float)((bottom - top) * (right - left));
        for (long c = 0; c < wide; c += 16) {
            floats16 sum = ZERO16;
            for (long y = top; y < bottom; y++)
                for (long x = left; x < right; x++) sum += LOAD16(rows + (y * s->point_columns + x) * wide + c);
            STORE16(centres + j * wide + c, sum * share);
        }
    }
}

INLINE void add_pooled(const kernel_clusters *s, const float *centres, long wide, float *rows) {
    EACH_REGION(s, j) {
        float share = 1.0f / (float)((bottom - top) * (right - left));
        for (long y = top; y < bottom; y++)
            for (long x = left; x < right; x++)
                for (long c = 0; c < wide; c += 16) {
                    float *target = rows + (y * s->point_columns + x) * wide + c;
                    STORE16(target, LOAD16(target) + share * LOAD16(centres + j * wide + c));
                }
    }
}

INLINE float dot_of(const float *a, const float *b, long wide) {
    floats16 sum = ZERO16;
    for (long c = 0; c < wide; c += 16) sum += LOAD16(a + c) * LOAD16(b + c);
    return sum16(&sum);
}

/// Makes rows of unit norm, and keeps what they were multiplied by.
INLINE void normalize(float *rows, float *scales, long count, long wide) {
    for (long i = 0; i < count; i++) {
        float norm = sqrtf(dot_of(rows + i * wide, rows + i * wide, wide));
        scales[i] = 1.0f / (norm > SMALLEST_NORM ? norm : SMALLEST_NORM);
        for (long c = 0; c < wide; c += 16) STORE16(rows + i * wide + c, LOAD16(rows + i * wide + c) * scales[i]);
    }
}

/// The gradient of rows from that of their unit rows, times a factor, in place.
INLINE void normalize_backward(const float *units, const float *scales, float *gradient, float factor, long count,
                               long wide) {
    for (long i = 0; i < count; i++) {
        const float *unit = units + i * wide;
        float *g = gradient + i * wide;
        // Below the smallest norm, rows are only scaled.
        float along = scales[i] < 1.0f / SMALLEST_NORM ? dot_of(unit, g, wide) : 0.0f;
        float scale = scales[i] * factor;
        for (long c = 0; c < wide; c += 16) STORE16(g + c, (LOAD16(g + c) - along * LOAD16(unit + c)) * scale);
    }
}

INLINE void transpose(const float *rows, long count, long wide, float *transposed, long padded) {
    for (long c = 0; c < wide; c++)
        for (long j = 0; j < padded; j++) transposed[c * padded + j] = j < count ? rows[j * wide + c] : 0.0f;
}

/// C' = (value centres + Aᵀ·values) / (1 + ΣA).
INLINE void aggregate(const problem *p, const float *assignments) {
    for (long j = 0; j < p->padded; j += 16) {
        floats16 sum = ZERO16 + 1.0f;
        for (long i = 0; i < p->points; i++) sum += LOAD16(assignments + i * p->padded + j);
        STORE16(p->weights + j, sum);
    }
    for (long i = 0; i < p->centres * p->wide; i += 16) STORE16(p->clusters + i, LOAD16(p->value_centres + i));
    small_product(assignments, 1, p->padded, p->values, p->wide, p->clusters, p->wide, p->centres, p->wide, p->points,
                  1);
    for (long j = 0; j < p->centres; j++) {
        float share = 1.0f / p->weights[j];
        for (long c = 0; c < p->wide; c += 16)
            STORE16(p->clusters + j * p->wide + c, LOAD16(p->clusters + j * p->wide + c) * share);
    }
}

/// softmax of a row in place.
INLINE void softmax(float *row, long padded) {
    float largest = row[0];
    for (long j = 1; j < padded; j++) largest = row[j] > largest ? row[j] : largest;
    floats16 total = ZERO16;
    for (long j = 0; j < padded; j += 16) {
        for (int k = 0; k < 16; k++) row[j + k] = exponential(row[j + k] - largest);
        total += LOAD16(row + j);
    }
    float share = 1.0f / sum16(&total);
    for (long j = 0; j < padded; j += 16) STORE16(row + j, LOAD16(row + j) * share);
}

void KERNEL(kernel_cluster)(const kernel_clusters *s, const float *bias, const float *features, const float *values,
                           float *output, long output_stride, float *assignments, float *workspace) {
    const problem p = problem_in(s, workspace);
    const long stride = s->heads * s->width, windows = s->windows * s->windows;
    for (long head = 0; head < s->heads; head++)
        for (long window = 0; window < windows; window++) {
            const long first = (head * windows + window) * p.points * p.padded;
            float *a = assignments + first;
            const float *b = bias + first;
            gather(s, window, head, features, stride, p.features, p.wide);
            gather(s, window, head, values, stride, p.values, p.wide);
            pool(s, p.features, p.wide, p.feature_centres);
            pool(s, p.values, p.wide, p.value_centres);
            normalize(p.features, p.feature_scales, p.points, p.wide);
            normalize(p.feature_centres, p.centre_scales, p.centres, p.wide);
            transpose(p.feature_centres, p.centres, p.wide, p.transposed, p.padded);
            small_product(p.features, p.wide, 1, p.transposed, p.padded, a, p.padded, p.points, p.padded, p.wide, 0);
            for (long i = 0; i < p.points; i++) {
                float *row = a + i * p.padded;
                for (long j = 0; j < p.padded; j += 16)
                    STORE16(row + j, LOAD16(b + i * p.padded + j) + s->alpha * LOAD16(row + j));
                softmax(row, p.padded);
            }
            aggregate(&p, a);
            small_product(a, p.padded, 1, p.clusters, p.wide, p.gathered, p.wide, p.points, p.wide, p.centres, 0);
            scatter(s, window, head, p.gathered, p.wide, output, output_stride);
        }
}

double KERNEL(kernel_cluster_backward)(const kernel_clusters *s, const float *features, const float *values,
                                      const float *assignments, const float *output_gradient, long output_stride,
                                      float *features_gradient, float *values_gradient, float *bias_gradient,
                                      float *workspace) {
    const problem p = problem_in(s, workspace);
    const long stride = s->heads * s->width, windows = s->windows * s->windows;
    double alpha_gradient = 0;
    for (long head = 0; head < s->heads; head++)
        for (long window = 0; window < windows; window++) {
            const long first = (head * windows + window) * p.points * p.padded;
            const float *a = assignments + first;
            gather(s, window, head, features, stride, p.features, p.wide);
            gather(s, window, head, values, stride, p.values, p.wide);
            gather(s, window, head, output_gradient, output_stride, p.output_gradient, p.wide);
            pool(s, p.features, p.wide, p.feature_centres);
            pool(s, p.values, p.wide, p.value_centres);
            normalize(p.features, p.feature_scales, p.points, p.wide);
            normalize(p.feature_centres, p.centre_scales, p.centres, p.wide);
            aggregate(&p, a);
            // dA = dG·C'ᵀ + …
            transpose(p.clusters, p.centres, p.wide, p.transposed, p.padded);
            small_product(p.output_gradient, p.wide, 1, p.transposed, p.padded, p.logits_gradient, p.padded, p.points,
                          p.padded, p.wide, 0);
            // dC' = Aᵀ·dG; then dU = dC' / s and ds = −dC'·C' / s, s = 1 + ΣA.
            small_product(a, 1, p.padded, p.output_gradient, p.wide, p.cluster_gradient, p.wide, p.centres, p.wide,
                          p.points, 0);
            for (long j = 0; j < p.padded; j++) p.weight_gradient[j] = 0;
            for (long j = 0; j < p.centres; j++) {
                float *gradient = p.cluster_gradient + j * p.wide, share = 1.0f / p.weights[j];
                p.weight_gradient[j] = -dot_of(gradient, p.clusters + j * p.wide, p.wide) * share;
                for (long c = 0; c < p.wide; c += 16) STORE16(gradient + c, LOAD16(gradient + c) * share);
            }
            // … + V·dUᵀ + ds; dV = A·dU.
            transpose(p.cluster_gradient, p.centres, p.wide, p.transposed, p.padded);
            small_product(p.values, p.wide, 1, p.transposed, p.padded, p.logits_gradient, p.padded, p.points, p.padded,
                          p.wide, 1);
            small_product(a, p.padded, 1, p.cluster_gradient, p.wide, p.gathered, p.wide, p.points, p.wide, p.centres,
                          0);
            add_pooled(s, p.cluster_gradient, p.wide, p.gathered);
            scatter(s, window, head, p.gathered, p.wide, values_gradient, stride);
            // dL = A∘(dA − ΣA∘dA)
            for (long i = 0; i < p.points; i++) {
                float *row = p.logits_gradient + i * p.padded;
                const float *share = a + i * p.padded;
                floats16 sum = ZERO16;
                for (long j = 0; j < p.padded; j += 16) {
                    STORE16(row + j, LOAD16(row + j) + LOAD16(p.weight_gradient + j));
                    sum += LOAD16(row + j) * LOAD16(share + j);
                }
                float along = sum16(&sum);
                float *bias = bias_gradient + first + i * p.padded;
                for (long j = 0; j < p.padded; j += 16) {
                    floats16 gradient = LOAD16(share + j) * (LOAD16(row + j) - along);
                    STORE16(row + j, gradient);
                    STORE16(bias + j, LOAD16(bias + j) + gradient);
                }
            }
            // dX̂ = α·dL·Ĉ, dĈ = α·dLᵀ·X̂, dα = Σ X̂∘(dL·Ĉ)
            small_product(p.logits_gradient, p.padded, 1, p.feature_centres, p.wide, p.gathered, p.wide, p.points,
                          p.wide, p.centres, 0);
            for (long i = 0; i < p.points; i++)
                alpha_gradient += (double)dot_of(p.features + i * p.wide, p.gathered + i * p.wide, p.wide);
            small_product(p.logits_gradient, 1, p.padded, p.features, p.wide, p.summed, p.wide, p.centres, p.wide,
                          p.points, 0);
            normalize_backward(p.features, p.feature_scales, p.gathered, s->alpha, p.points, p.wide);
            normalize_backward(p.feature_centres, p.centre_scales, p.summed, s->alpha, p.centres, p.wide);
            add_pooled(s, p.summed, p.wide, p.gathered);
            scatter(s, window, head, p.gathered, p.wide, features_gradient, stride);
        }
    return alpha_gradient;
}

/// Where a place of `places` falls among `side` sources with the corners aligned: source `low` and the next, and the share of the next.
typedef struct {
    long low, high;
    float share;
} between;

INLINE between between_sources(long place, long places, long side) {
    if (places <= 1 || side <= 1) return (between){0, 0, 0};
    long numerator = place * (side - 1), low = numerator / (places - 1);
    return (between){low, low + 1 < side ? low + 1 : low,
                     (float)(numerator % (places - 1)) / (float)(places - 1)};
}

void KERNEL(kernel_cluster_bias)(const kernel_clusters *s, const float *maps, long side, float *bias) {
    const long points = s->point_rows * s->point_columns, centres = s->centres * s->centres, padded = PADDED(centres);
    const long height = s->windows * s->point_rows, width = s->windows * s->point_columns;
    for (long head = 0; head < s->heads; head++)
        for (long y = 0; y < height; y++)
            for (long x = 0; x < width; x++) {
                const long window = y / s->point_rows * s->windows + x / s->point_columns;
                const long point = y % s->point_rows * s->point_columns + x % s->point_columns;
                float *row = bias + ((head * s->windows * s->windows + window) * points + point) * padded;
                const between v = between_sources(y, height, side), h = between_sources(x, width, side);
                for (long j = 0; j < centres; j++) {
                    const float *map = maps + (head * centres + j) * side * side;
                    const float *upper = map + v.low * side, *lower = map + v.high * side;
                    float top = upper[h.low] + h.share * (upper[h.high] - upper[h.low]);
                    float bottom = lower[h.low] + h.share * (lower[h.high] - lower[h.low]);
                    row[j] = top + v.share * (bottom - top);
                }
                for (long j = centres; j < padded; j++) row[j] = -1e30f;
            }
}

void KERNEL(kernel_cluster_bias_backward)(const kernel_clusters *s, const float *bias_gradient, long side,
                                         float *maps_gradient) {
    const long points = s->point_rows * s->point_columns, centres = s->centres * s->centres, padded = PADDED(centres);
    const long height = s->windows * s->point_rows, width = s->windows * s->point_columns;
    for (long i = 0; i < s->heads * centres * side * side; i++) maps_gradient[i] = 0;
    for (long head = 0; head < s->heads; head++)
        for (long y = 0; y < height; y++)
            for (long x = 0; x < width; x++) {
                const long window = y / s->point_rows * s->windows + x / s->point_columns;
                const long point = y % s->point_rows * s->point_columns + x % s->point_columns;
                const float *row = bias_gradient + ((head * s->windows * s->windows + window) * points + point) * padded;
                const between v = between_sources(y, height, side), h = between_sources(x, width, side);
                for (long j = 0; j < centres; j++) {
                    float *map = maps_gradient + (head * centres + j) * side * side;
                    map[v.low * side + h.low] += (1 - v.share) * (1 - h.share) * row[j];
                    map[v.low * side + h.high] += (1 - v.share) * h.share * row[j];
                    map[v.high * side + h.low] += v.share * (1 - h.share) * row[j];
                    map[v.high * side + h.high] += v.share * h.share * row[j];
                }
            }
}
