#include "CKernels.h"
#include <math.h>

// Points of the Lorentz model are given by their space coordinates; time is √(1/κ + ‖space‖²).

double kernel_lorentz_time(double curvature, const double *space, long width) {
    double sum = 0;
    for (long c = 0; c < width; c++) sum += space[c] * space[c];
    return sqrt(1 / curvature + sum);
}

/// sinh(a)/a.
static double sinh_ratio(double a) {
    if (a > 1e-2) return sinh(a) / a;
    double s = a * a;
    return 1 + s * (1.0 / 6 + s * (1.0 / 120 + s * (1.0 / 5040)));
}

/// (a·cosh(a) − sinh(a)) / a³.
static double slope_ratio(double a) {
    if (a > 0.3) return (a * cosh(a) - sinh(a)) / (a * a * a);
    double s = a * a;
    return 1.0 / 3 + s * (1.0 / 30 + s * (1.0 / 840 + s * (1.0 / 45360 + s * (1.0 / 3991680 + s / 518918400.0))));
}

static double norm(const double *v, long width) {
    double sum = 0;
    for (long c = 0; c < width; c++) sum += v[c] * v[c];
    return sqrt(sum);
}

void kernel_lorentz_exponential(double curvature, const double *vector, double *space, long width) {
    double factor = sinh_ratio(sqrt(curvature) * norm(vector, width));
    for (long c = 0; c < width; c++) space[c] = factor * vector[c];
}

void kernel_lorentz_exponential_backward(double curvature, const double *vector, const double *space_gradient,
                                         double *vector_gradient, long width) {
    double a = sqrt(curvature) * norm(vector, width), along = 0;
    for (long c = 0; c < width; c++) along += vector[c] * space_gradient[c];
    double factor = sinh_ratio(a), radial = curvature * slope_ratio(a) * along;
    for (long c = 0; c < width; c++) vector_gradient[c] = factor * space_gradient[c] + radial * vector[c];
}

/// Two points: their times, −κ⟨x, y⟩, and, where that is at most 2, the length of x − y.
typedef struct {
    double x_time, y_time, time_difference, product, chord;
} pair;

static pair pair_of(double curvature, const double *x, const double *y, long width) {
    double xx = 0, yy = 0, xy = 0, square = 0, product = 0;
    for (long c = 0; c < width; c++) {
        xx += x[c] * x[c], yy += y[c] * y[c], xy += x[c] * y[c];
        square += (x[c] - y[c]) * (x[c] - y[c]);
        product += (x[c] - y[c]) * (x[c] + y[c]);
    }
    pair p;
    p.x_time = sqrt(1 / curvature + xx), p.y_time = sqrt(1 / curvature + yy);
    p.time_difference = product / (p.x_time + p.y_time);
    p.product = curvature * (p.x_time * p.y_time - xy);
    // ‖x − y‖² in the Lorentz form; rounding may leave it below 0 where the points coincide.
    double chord = square - p.time_difference * p.time_difference;
    p.chord = chord > 0 ? sqrt(chord) : 0;
    return p;
}

// Where acosh's argument is near 1 it has lost the distance; κ·‖x − y‖²/2 is what it exceeds 1 by, and
// acosh(1 + 2s²) = 2·asinh(s).
#define NEAR(p) ((p).product <= 2)

static double distance_of(double curvature, const pair *p) {
    double root = sqrt(curvature);
    return NEAR(*p) ? 2 / root * asinh(root * p->chord / 2) : acosh(p->product) / root;
}

static void add_distance_gradients(double curvature, const pair *p, const double *x, const double *y, double gradient,
                                   double *x_gradient, double *y_gradient, long width) {
    if (NEAR(*p)) {
        // At the same point the distance has no direction to grow in: 0.
        if (p->chord <= 0) return;
        double factor = gradient / (p->chord * sqrt(1 + curvature * p->chord * p->chord / 4));
        for (long c = 0; c < width; c++) {
            x_gradient[c] += factor * (x[c] - y[c] - p->time_difference / p->x_time * x[c]);
            y_gradient[c] += factor * (y[c] - x[c] + p->time_difference / p->y_time * y[c]);
        }
        return;
    }
    double factor = gradient * sqrt(curvature) / sqrt((p->product - 1) * (p->product + 1));
    for (long c = 0; c < width; c++) {
        x_gradient[c] += factor * (x[c] * p->y_time / p->x_time - y[c]);
        y_gradient[c] += factor * (y[c] * p->x_time / p->y_time - x[c]);
    }
}

double kernel_lorentz_distance(double curvature, const double *x, const double *y, long width) {
    pair p = pair_of(curvature, x, y, width);
    return distance_of(curvature, &p);
}

void kernel_lorentz_distance_backward(double curvature, const double *x, const double *y, double gradient,
                                      double *x_gradient, double *y_gradient, long width) {
    pair p = pair_of(curvature, x, y, width);
    add_distance_gradients(curvature, &p, x, y, gradient, x_gradient, y_gradient, width);
}

// --- assignment to centres in hyperbolic space

/// A row as doubles, with its norm clipped to 1; returns what it was multiplied by.
static double clipped(const float *row, double *target, long width) {
    for (long c = 0; c < width; c++) target[c] = row[c];
    double length = norm(target, width);
    if (length <= 1) return 1;
    for (long c = 0; c < width; c++) target[c] /= length;
    return 1 / length;
}

typedef struct {
    double *points, *centres;               // clipped, [P, W], [M, W]
    double *point_spaces, *centre_spaces;   // mapped
    double *point_scales, *centre_scales;   // of the clipping
    double *clusters, *weights;             // C', [M, W]; 1 + ΣA, [M]
    double *point_gradients, *centre_gradients, *cluster_gradients; // [P, W], [M, W], [M, W]
    double *row;                            // [max(M, W)]
} hyperbolic_problem;

long kernel_hyperbolic_clusters_workspace(const kernel_hyperbolic_clusters *s) {
    long larger = s->centres > s->width ? s->centres : s->width;
    return 3 * s->points * s->width + 5 * s->centres * s->width + s->points + 2 * s->centres + larger;
}

static hyperbolic_problem hyperbolic_problem_in(const kernel_hyperbolic_clusters *s, double *memory) {
    hyperbolic_problem p;
    long points = s->points * s->width, centres = s->centres * s->width;
    p.points = memory, memory += points;
    p.centres = memory, memory += centres;
    p.point_spaces = memory, memory += points;
    p.centre_spaces = memory, memory += centres;
    p.point_scales = memory, memory += s->points;
    p.centre_scales = memory, memory += s->centres;
    p.clusters = memory, memory += centres;
    p.weights = memory, memory += s->centres;
    p.point_gradients = memory, memory += points;
    p.centre_gradients = memory, memory += centres;
    p.cluster_gradients = memory, memory += centres;
    p.row = memory;
    return p;
}

static void map_rows(const kernel_hyperbolic_clusters *s, const float *rows, long count, double *vectors,
                     double *spaces, double *scales) {
    for (long i = 0; i < count; i++) {
        scales[i] = clipped(rows + i * s->stride, vectors + i * s->width, s->width);
        kernel_lorentz_exponential(s->curvature, vectors + i * s->width, spaces + i * s->width, s->width);
    }
}

static void hyperbolic_aggregate(const kernel_hyperbolic_clusters *s, const hyperbolic_problem *p,
                                 const double *assignments, const float *values, const float *value_centres) {
    for (long j = 0; j < s->centres; j++) {
        p->weights[j] = 1;
        for (long c = 0; c < s->width; c++) p->clusters[j * s->width + c] = value_centres[j * s->stride + c];
    }
    for (long i = 0; i < s->points; i++)
        for (long j = 0; j < s->centres; j++) {
            double a = assignments[i * s->centres + j];
            p->weights[j] += a;
            for (long c = 0; c < s->width; c++) p->clusters[j * s->width + c] += a * values[i * s->stride + c];
        }
    for (long j = 0; j < s->centres; j++)
        for (long c = 0; c < s->width; c++) p->clusters[j * s->width + c] /= p->weights[j];
}

void kernel_hyperbolic_cluster(const kernel_hyperbolic_clusters *s, const float *bias, const float *points,
                               const float *values, const float *centres, const float *value_centres, float *output,
                               double *assignments, double *workspace) {
    hyperbolic_problem p = hyperbolic_problem_in(s, workspace);
    map_rows(s, points, s->points, p.points, p.point_spaces, p.point_scales);
    map_rows(s, centres, s->centres, p.centres, p.centre_spaces, p.centre_scales);
    for (long i = 0; i < s->points; i++) {
        double *row = assignments + i * s->centres, largest = -INFINITY, sum = 0;
        for (long j = 0; j < s->centres; j++) {
            double distance = kernel_lorentz_distance(s->curvature, p.point_spaces + i * s->width,
                                                      p.centre_spaces + j * s->width, s->width);
            row[j] = bias[j * s->points + i] - s->alpha * distance;
            largest = row[j] > largest ? row[j] : largest;
        }
        for (long j = 0; j < s->centres; j++) sum += row[j] = exp(row[j] - largest);
        for (long j = 0; j < s->centres; j++) row[j] /= sum;
    }
    hyperbolic_aggregate(s, &p, assignments, values, value_centres);
    for (long i = 0; i < s->points; i++) {
        for (long c = 0; c < s->width; c++) p.row[c] = 0;
        for (long j = 0; j < s->centres; j++)
            for (long c = 0; c < s->width; c++)
                p.row[c] += assignments[i * s->centres + j] * p.clusters[j * s->width + c];
        for (long c = 0; c < s->width; c++) output[i * s->stride + c] = (float)p.row[c];
    }
}

/// The gradient of rows before they were clipped and mapped, from that of their space coordinates.
static void unmap_rows(const kernel_hyperbolic_clusters *s, const double *vectors, const double *scales,
                       const double *space_gradients, double *row, float *gradient, long count) {
    for (long i = 0; i < count; i++) {
        const double *vector = vectors + i * s->width;
        kernel_lorentz_exponential_backward(s->curvature, vector, space_gradients + i * s->width, row, s->width);
        double along = 0;
        if (scales[i] < 1)
            for (long c = 0; c < s->width; c++) along += row[c] * vector[c];
        for (long c = 0; c < s->width; c++)
            gradient[i * s->stride + c] = (float)((row[c] - along * vector[c]) * scales[i]);
    }
}

double kernel_hyperbolic_cluster_backward(const kernel_hyperbolic_clusters *s, const float *points, const float *values,
                                          const float *centres, const float *value_centres, const double *assignments,
                                          const float *output_gradient, float *points_gradient, float *values_gradient,
                                          float *centres_gradient, float *value_centres_gradient, float *bias_gradient,
                                          double *workspace) {
    const long width = s->width;
    double alpha_gradient = 0;
    hyperbolic_problem p = hyperbolic_problem_in(s, workspace);
    map_rows(s, points, s->points, p.points, p.point_spaces, p.point_scales);
    map_rows(s, centres, s->centres, p.centres, p.centre_spaces, p.centre_scales);
    hyperbolic_aggregate(s, &p, assignments, values, value_centres);
    for (long i = 0; i < s->points * width; i++) p.point_gradients[i] = 0;
    for (long j = 0; j < s->centres * width; j++) p.centre_gradients[j] = 0, p.cluster_gradients[j] = 0;
    // dC' = Aᵀ·dG, then dU = dC' / s, s = 1 + ΣA.
    for (long i = 0; i < s->points; i++)
        for (long j = 0; j < s->centres; j++)
            for (long c = 0; c < width; c++)
                p.cluster_gradients[j * width + c] +=
                    assignments[i * s->centres + j] * output_gradient[i * s->stride + c];
    for (long j = 0; j < s->centres; j++)
        for (long c = 0; c < width; c++) {
            p.cluster_gradients[j * width + c] /= p.weights[j];
            value_centres_gradient[j * s->stride + c] = (float)p.cluster_gradients[j * width + c];
        }
    for (long i = 0; i < s->points; i++) {
        const double *a = assignments + i * s->centres;
        double *row = p.row, along = 0;
        // dA = dG·C' + V·dU − dU·C', the last term through s.
        for (long j = 0; j < s->centres; j++) {
            double sum = 0;
            for (long c = 0; c < width; c++)
                sum += output_gradient[i * s->stride + c] * p.clusters[j * width + c] +
                       (values[i * s->stride + c] - p.clusters[j * width + c]) * p.cluster_gradients[j * width + c];
            row[j] = sum;
            along += a[j] * sum;
        }
        for (long c = 0; c < width; c++) {
            double sum = 0;
            for (long j = 0; j < s->centres; j++) sum += a[j] * p.cluster_gradients[j * width + c];
            values_gradient[i * s->stride + c] = (float)sum;
        }
        for (long j = 0; j < s->centres; j++) {
            double gradient = a[j] * (row[j] - along);
            const double *x = p.point_spaces + i * width, *y = p.centre_spaces + j * width;
            if (bias_gradient) bias_gradient[j * s->points + i] += (float)gradient;
            pair between = pair_of(s->curvature, x, y, width);
            alpha_gradient -= gradient * distance_of(s->curvature, &between);
            add_distance_gradients(s->curvature, &between, x, y, -s->alpha * gradient, p.point_gradients + i * width,
                                   p.centre_gradients + j * width, width);
        }
    }
    unmap_rows(s, p.points, p.point_scales, p.point_gradients, p.row, points_gradient, s->points);
    unmap_rows(s, p.centres, p.centre_scales, p.centre_gradients, p.row, centres_gradient, s->centres);
    return alpha_gradient;
}
