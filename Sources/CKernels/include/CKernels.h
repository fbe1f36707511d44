// Element-wise kernels of the training step, in single precision.
//
// Every function in Kernels/ is compiled once for each instruction set of Instructions.h, and the machine chooses at run time.
// Matrices are row-major. What is computed for one row never depends on where the row lies or on the other rows:
// sums over a row run over a fixed number of accumulators, whatever the instruction set's width.
#pragma once
#include <stddef.h>
#include <stdint.h>
#include "Instructions.h"

// --- activations (Activations.c)

/// values += bias on every row.
void kernel_add_bias(float *values, long stride, const float *bias, long rows, long columns);
/// x·Φ(x), the same with an approximation of Φ by tanh, x/(1 + e^-x), max(x, 0).
enum { kernel_gelu, kernel_gelu_tanh, kernel_silu, kernel_relu };
/// output = f(values + bias); here and below `bias` may be NULL.
void kernel_bias_activation(int activation, const float *values, const float *bias, float *output, long rows,
                            long columns);
/// The same, and values = f'(values + bias) for the backward pass.
void kernel_bias_activation_derivative(int activation, float *values, const float *bias, float *output, long rows,
                                       long columns);
/// values *= other.
void kernel_multiply(float *values, const float *other, long count);
/// output = tanh(values + bias).
void kernel_bias_tanh(float *values, const float *bias, long rows, long columns);
/// gradient *= 1 - output², the derivative of tanh at the input that gave output.
void kernel_tanh_backward(const float *output, float *gradient, long count);

// --- gates (Gates.c): [rows, 2·columns], in each row the columns of u, then those of v

/// output = f(u)·v with (u | v) = values + bias: [rows, columns]; `bias` has 2·columns, or is NULL.
void kernel_gate(int activation, const float *values, const float *bias, float *output, long rows, long columns);
/// The same, and values = (f'(u)·v | f(u)) for the backward pass.
void kernel_gate_derivative(int activation, float *values, const float *bias, float *output, long rows, long columns);
/// input_gradient = gradient·derivatives in either half: [rows, 2·columns].
void kernel_gate_backward(const float *derivatives, const float *gradient, float *input_gradient, long rows,
                          long columns);

// --- rotary positions (Rotary.c)

/// Turns the pairs (x[i], x[i + pairs]), i < pairs, of each head of row r by the angle whose cosine and sine lie at [r][i] of
/// the tables, [rows, pairs]; `direction` is 1, or -1 to turn back. Heads are `width` columns each, one after another.
void kernel_rotate(float *values, long stride, const float *cosines, const float *sines, float direction, long rows,
                   long heads, long width, long pairs);

// --- normalisation (Normalization.c)

/// sum = dropout(product + bias) + residual; output = (sum - mean)/√(variance + epsilon)·gain + offset.
/// `mask` holds one byte for each element, or is NULL where nothing is dropped; `keep_scale` is 1/(1 - p).
/// `bias`, `residual` and `offset` may be NULL. `product` is replaced by `sum`, which the backward pass needs, with `mean` and `inverse_deviation` of each row.
void kernel_residual_layer_norm(float *product, const float *bias, const uint8_t *mask, float keep_scale,
                                const float *residual, const float *gain, const float *offset, float epsilon,
                                float *output, float *mean, float *inverse_deviation, long rows, long columns);
/// The gradient of the gain, from what the forward pass left: [columns].
void kernel_layer_norm_gain_backward(const float *output_gradient, const float *sum, const float *mean,
                                     const float *inverse_deviation, float *gain_gradient, long rows, long columns);
/// The gradient of the sum, in `sum_gradient` or, with `keep`, added to it; and of the product before dropout, in
/// `product_gradient`, which may be NULL and with `keep` must be.
void kernel_residual_layer_norm_backward(const float *output_gradient, const float *sum, const float *mean,
                                         const float *inverse_deviation, const float *gain, const uint8_t *mask,
                                         float keep_scale, int keep, float *sum_gradient, float *product_gradient,
                                         long rows, long columns);

// --- dropout (Dropout.c)

/// A place in the random sequence: Philox4x32-10's key and the upper three words of its counter.
typedef struct {
    uint32_t key[2];
    uint32_t counter[3];
} kernel_philox_place;

/// mask[i] = 1 where the i-th 16-bit number at `place` is at least `threshold`, otherwise 0; the numbers are those of the blocks
/// `first_block`, `first_block` + 1, …, eight to a block, low half of each word first.
void kernel_dropout_mask(kernel_philox_place place, uint32_t first_block, uint32_t threshold, uint8_t *mask, long count);
/// output = mask ? keep_scale·values : 0; may work in place.
void kernel_apply_mask(const float *values, const uint8_t *mask, float keep_scale, float *output, long count);

// --- attention (Attention.c)

/// One head of one sequence: `length` keys and values and `queries` queries of `width` columns, read with `stride`; the
/// output and its gradient have `output_stride`.
typedef struct {
    long length, queries, width, stride, output_stride;
    // Query i sees key j where |i - j| ≤ window.
    long window;
    // What is added to the scaled scores, [queries, length up to a multiple of 16], or NULL; and where its gradient goes.
    const float *added;
    float *added_gradient;
    float scale;
    // Dropout of the attention probabilities: threshold 0 drops nothing. Row i of the probabilities starts at block
    // first_block + i·⌈length/8⌉.
    kernel_philox_place place;
    uint32_t first_block, threshold;
    float keep_scale;
} kernel_attention_head;

/// Floats that the workspace of an attention call must hold.
long kernel_attention_workspace(long length, long width);
/// output = dropout(softmax(scale·Q·Kᵀ))·V; log_sums[i] = log Σ_j exp(scale·q_i·k_j), for the backward pass.
void kernel_attention(const kernel_attention_head *head, const float *query, const float *key, const float *value,
                      float *output, float *log_sums, float *workspace);
/// The gradients of query, key and value; the probabilities are computed anew.
void kernel_attention_backward(const kernel_attention_head *head, const float *query, const float *key,
                               const float *value, const float *output_gradient, const float *log_sums,
                               float *query_gradient, float *key_gradient, float *value_gradient, float *workspace);

// --- distances in attention (RelativeAttention.c)

/// The distances of a sequence's tokens: those of i and j have the row rows[i - j] of `count`, which lie `stride` apart.
typedef struct {
    const int32_t *rows;
    long count, stride;
} kernel_distances;

/// Floats that the workspace of these calls must hold.
long kernel_distances_workspace(long length, long width, long count);
/// added[i][j] = scale·(q_i·pk[row] + k_j·pq[row]), row = rows[i - j]; position keys or queries may be NULL.
void kernel_add_distances(const kernel_attention_head *head, const kernel_distances *distances, const float *query,
                          const float *key, const float *position_keys, const float *position_queries, float *added,
                          float *workspace);
/// Adds to the gradients of all that it read, where there are any.
void kernel_add_distances_backward(const kernel_attention_head *head, const kernel_distances *distances,
                                   const float *query, const float *key, const float *position_keys,
                                   const float *position_queries, const float *added_gradient, float *query_gradient,
                                   float *key_gradient, float *position_keys_gradient,
                                   float *position_queries_gradient, float *workspace);
/// added[i][j] = bias[rows[i - j]·stride].
void kernel_add_distance_bias(const kernel_attention_head *head, const kernel_distances *distances, const float *bias,
                              float *added);
/// Adds to the gradient of the bias.
void kernel_add_distance_bias_backward(const kernel_attention_head *head, const kernel_distances *distances,
                                       const float *added_gradient, float *bias_gradient);

// --- selection (Selection.c)

/// Adds to counts[d] (2048 of them) the number of scores whose key goes on with the digit d after its upper `known_bits`
/// bits, which are those of `known`. Keys are 32 bits and sort as the scores, -0 as 0, NaN as -∞; a digit has 11
/// bits, or what is left.
void kernel_count_digits(const float *scores, long count, uint32_t known, int known_bits, int64_t *counts);
/// above[i] = scores[i] > high, and `above_count` their number; `places` and `between` receive the first `capacity` of the
/// scores from `low` to `high`, in order, where NaN ranks as -∞. Returns how many such scores there are.
long kernel_split_scores(const float *scores, long count, float low, float high, uint8_t *above, long *places,
                         float *between, long capacity, long *above_count);

// --- rows (Rows.c)

/// values += other.
void kernel_add(float *values, const float *other, long count);
/// values += bias + other: [rows, columns]; `bias` has one number for each column, or is NULL.
void kernel_add_biased(float *values, const float *bias, const float *other, long rows, long columns);
/// values += factor·other.
void kernel_add_scaled(float *values, float factor, const float *other, long count);
/// values *= factor.
void kernel_scale(float *values, float factor, long count);
/// Σ values², in double precision.
double kernel_sum_of_squares(const float *values, long count);
/// Σ a·b, in double precision.
double kernel_dot(const float *a, const float *b, long count);
/// Σ values, in double precision.
double kernel_sum(const float *values, long count);
/// Columns of `output` = columns of `values` times scales[column · stride]·factor.
void kernel_scale_columns(const float *values, const float *scales, long stride, float factor, float *output,
                          long rows, long columns);
/// output[column · stride] = factor·Σ_row a[row][column]·b[row][column], in double precision over the rows.
void kernel_column_products(const float *a, const float *b, float factor, float *output, long stride, long rows,
                            long columns);

// --- quantised matrices (Quantization.c)

/// values = code·(high − low)/(2^bits − 1) + low in double precision, rounded: [rows, columns].
///
/// `codes` are [rows, ⌈columns·bits/8⌉ bytes] of 8 or 4 bits, of 4 the lower half of a byte first; `ranges` are the low and the high
/// of every `group` of columns, an even number: [rows, ⌈columns/group⌉, 2].
void kernel_dequantize(const uint8_t *codes, const float *ranges, long bits, long group, float *values, long rows,
                       long columns);

// --- spectral norm of triplets (Spectral.c)

/// The largest singular value of Σ_i P_i·λ_i·Q_i for rows [P_i | λ_i | Q_i]: from above, by less than a millionth of it.
/// `workspace` holds 3·count² + count doubles.
///
/// Power iteration with all vectors at once: trace(B^p)^(1/p) with p = 2^24, reached by squaring, for the count × count matrix
/// B that has the squares of the singular values as its eigenvalues. Close singular values do not slow it down.
double kernel_triplets_spectral_norm(const float *rows, long stride, long outputs, long inputs, long count,
                                     double *workspace);

// --- products with a few vectors (Narrow.c)

/// c = keep·c + a·b for any shapes, keep 0 or 1: a [m, k_count], b [k_count, n], or [n, k_count] if it is transposed, c [m, n].
/// An element is one chain over k.
void kernel_row_product(const float *a, long a_stride, const float *b, long b_stride, int transposed, float *c,
                        long c_stride, long m, long n, long k_count, int keep);
/// target = sourceᵀ: [columns, rows].
void kernel_transpose(const float *source, long source_stride, float *target, long target_stride, long rows, long columns);
/// output[t][i] = Σ_c x[t][c]·v[i][c]: [rows, rank], contiguous.
void kernel_dots(const float *x, long x_stride, const float *v, long v_stride, float *output, long rows, long rank,
                 long width);
/// output[t] += Σ_i factors[t][i]·v[i]: [rows, width]; factors [rows, rank], contiguous.
void kernel_add_combinations(const float *factors, const float *v, long v_stride, float *output, long output_stride,
                             long rows, long rank, long width);
/// output[i] = Σ_t factors[t][i]·x[t]: [rank, width]; factors [rows, rank], contiguous.
void kernel_weighted_sums(const float *factors, const float *x, long x_stride, float *output, long output_stride,
                          long rows, long rank, long width);

// --- maps (Convolution.c, Pooling.c): [samples, height, width, channels], channels together

/// A convolution with a square kernel on square-strided, zero-padded maps.
typedef struct {
    long samples, height, width, channels;
    long kernel, stride, padding;
} kernel_convolution;

/// One row for each place of the output map: [samples·out height·out width, channels·kernel·kernel], in the order of PyTorch's
/// weights; zero beyond the edge.
void kernel_extract_patches(const kernel_convolution *shape, const float *images, float *patches);
/// The adjoint: images += patches.
void kernel_add_patches(const kernel_convolution *shape, const float *patches, float *images);
/// The means of the regions that PyTorch's adaptive average pooling cuts a map into. Rows of the map are `stride` apart.
void kernel_adaptive_pool(const float *map, long stride, long height, long width, long columns, float *pooled,
                          long pooled_height, long pooled_width);
/// The adjoint: map_gradient += what the regions' means had of it.
void kernel_adaptive_pool_backward(const float *pooled_gradient, long pooled_height, long pooled_width,
                                   float *map_gradient, long stride, long height, long width, long columns);
/// Each place of the output takes the nearest of the map; rows of the output are `stride` apart.
void kernel_upsample(const float *map, long height, long width, long columns, float *output, long stride,
                     long output_height, long output_width);
/// The adjoint: map_gradient = the sums over the places that took from it.
void kernel_upsample_backward(const float *output_gradient, long stride, long output_height, long output_width,
                              float *map_gradient, long height, long width, long columns);

// --- normalisation of whole samples, and residuals (GroupNormalization.c)

/// output = (input - mean)/√(variance + epsilon)·gain + offset, mean and variance over all rows and columns of a sample.
void kernel_group_norm(const float *input, const float *gain, const float *offset, float epsilon, float *output,
                       float *mean, float *inverse_deviation, long samples, long rows, long columns);
/// input_gradient += …; the gradients of gain and offset are replaced. `workspace` holds 2·columns floats.
void kernel_group_norm_backward(const float *output_gradient, const float *input, const float *mean,
                                const float *inverse_deviation, const float *gain, float *input_gradient,
                                float *gain_gradient, float *offset_gradient, float *workspace, long samples,
                                long rows, long columns);
/// values += bias; output = residual + scale·values, column by column of scale.
void kernel_scaled_residual(const float *residual, float *values, const float *bias, const float *scale,
                            float *output, long rows, long columns);
/// values_gradient = scale·output_gradient; scale_gradient = Σ over the rows of output_gradient·values.
void kernel_scaled_residual_backward(const float *output_gradient, const float *values, const float *scale,
                                     float *values_gradient, float *scale_gradient, long rows, long columns);
/// sums = Σ over the rows.
void kernel_column_sums(const float *values, long stride, float *sums, long rows, long columns);
/// sums += Σ over the rows of (values - centre)^power, power 1 or 2.
void kernel_add_moments(const float *values, const double *centre, int power, double *sums, long rows, long columns);

// --- soft assignment to cluster centres (Clustering.c)

/// One sample's map, cut into windows·windows windows of point_rows·point_columns points, with centres·centres centres in each.
typedef struct {
    long windows, point_rows, point_columns, centres, heads, width;
    float alpha;
} kernel_clusters;

/// Floats that the workspace of a clustering call must hold.
long kernel_clusters_workspace(const kernel_clusters *shape);
/// Each window and head alone: centres = pooled features and values; A = softmax over the centres of
/// (bias + alpha·cosine); C' = (value centres + Aᵀ·values)/(1 + ΣA); output = A·C'.
/// `bias` and `assignments`: [heads, windows, points, centres padded to a multiple of 16]; the padding of `bias` is so low that
/// nothing is assigned to it. Rows of features and values are heads·width apart.
void kernel_cluster(const kernel_clusters *shape, const float *bias, const float *features, const float *values,
                    float *output, long output_stride, float *assignments, float *workspace);
/// features_gradient = …, values_gradient = …, bias_gradient += …; returns the gradient of alpha.
double kernel_cluster_backward(const kernel_clusters *shape, const float *features, const float *values,
                               const float *assignments, const float *output_gradient, long output_stride,
                               float *features_gradient, float *values_gradient, float *bias_gradient,
                               float *workspace);

/// The bias of every point from maps [heads, centres, side, side], interpolated bilinearly with the corners aligned.
void kernel_cluster_bias(const kernel_clusters *shape, const float *maps, long side, float *bias);
/// The adjoint; the maps' gradient is replaced.
void kernel_cluster_bias_backward(const kernel_clusters *shape, const float *bias_gradient, long side,
                                  float *maps_gradient);

// --- hyperbolic space, in double precision (Hyperbolic.c)

/// Time of the point with these space coordinates on ⟨x, x⟩ = -1/κ.
double kernel_lorentz_time(double curvature, const double *space, long width);
/// The exponential map at the origin: space = sinh(√κ‖v‖)/(√κ‖v‖)·v.
void kernel_lorentz_exponential(double curvature, const double *vector, double *space, long width);
void kernel_lorentz_exponential_backward(double curvature, const double *vector, const double *space_gradient,
                                         double *vector_gradient, long width);
/// √(1/κ)·acosh(-κ⟨x, y⟩).
double kernel_lorentz_distance(double curvature, const double *x, const double *y, long width);
/// x_gradient += …, y_gradient += …; 0 where the points coincide.
void kernel_lorentz_distance_backward(double curvature, const double *x, const double *y, double gradient,
                                      double *x_gradient, double *y_gradient, long width);

/// One head of one sample. Rows of floats are `stride` apart.
typedef struct {
    long points, centres, width, stride;
    double alpha, curvature;
} kernel_hyperbolic_clusters;

/// Doubles that the workspace must hold.
long kernel_hyperbolic_clusters_workspace(const kernel_hyperbolic_clusters *shape);
/// As kernel_cluster, with A = softmax over the centres of (bias - alpha·distance) between rows clipped to norm 1 and mapped by
/// the exponential. `bias`: [centres, points]; `assignments`: [points, centres].
void kernel_hyperbolic_cluster(const kernel_hyperbolic_clusters *shape, const float *bias, const float *points,
                               const float *values, const float *centres, const float *value_centres, float *output,
                               double *assignments, double *workspace);
/// Replaces the gradients of rows, adds to that of the bias (or not, where it is NULL), returns that of alpha.
double kernel_hyperbolic_cluster_backward(const kernel_hyperbolic_clusters *shape, const float *points,
                                          const float *values, const float *centres, const float *value_centres,
                                          const double *assignments, const float *output_gradient,
                                          float *points_gradient, float *values_gradient, float *centres_gradient,
                                          float *value_centres_gradient, float *bias_gradient, double *workspace);

// --- sparse features (Features.c)

/// Draws which of `count` independent features are active in one sample, and their values.
///
/// `survival[i]`, i = 0 … count, is the probability that none of the features before i is active: 1 first, never rising. The
/// k-th active feature comes from block k of `place`: words 0 and 1 say which one it is, word 2 is its value, uniform in
/// (0, 2). Writes `features`, rising, and `values`, for which there must be room for `count`; returns how many there are.
long kernel_draw_features(kernel_philox_place place, const double *survival, long count, int32_t *features,
                          float *values);

/// Rows with few numbers that are not 0: those of row r are values[k] in column features[k], for k from starts[r] to before
/// starts[r + 1].
typedef struct {
    const int32_t *starts, *features;
    const float *values;
    long rows;
} kernel_sparse_rows;

/// output[r] = Σ_k values[k]·v[features[k]]: [rows, width].
void kernel_sparse_combinations(kernel_sparse_rows x, const float *v, float *output, long width);
/// v[features[k]] += factor·values[k]·rows[r] for all k of all rows r, in order; rows [rows, width].
void kernel_add_sparse_products(kernel_sparse_rows x, float factor, const float *rows, float *v, long width);
/// With y = max(z + bias, 0), z [rows, columns] becomes (y - x)·[y > 0], half the derivative of Σ (y - x)² at z; it is added to
/// `sums`, [columns], row after row. Returns Σ (y - x)².
double kernel_rectified_difference(kernel_sparse_rows x, float *z, const float *bias, float *sums, long columns);

// --- the update (Update.c)

/// AdamW on one run of parameters. `gradient_factor` multiplies the gradient first (clipping).
typedef struct {
    float learning_rate, beta1, beta2, epsilon, weight_decay;
    float first_correction, second_correction; // 1 - beta1^n and √(1 - beta2^n)
    float gradient_factor;
} kernel_adamw_settings;

void kernel_adamw(kernel_adamw_settings settings, float *values, const float *gradient, float *first_moment,
                  float *second_moment, long count);
/// The same with the values times `factor` before the step in place of the settings' decay.
void kernel_adamw_scaled(kernel_adamw_settings settings, float factor, float *values, const float *gradient,
                         float *first_moment, float *second_moment, long count);
/// Adam with weight_decay·value in the gradient, after `gradient_factor`.
void kernel_adam_l2(kernel_adamw_settings settings, float *values, const float *gradient, float *first_moment,
                    float *second_moment, long count);
/// Every value into [-limit, limit].
void kernel_clamp(float *values, float limit, long count);
/// I = |w·g|; smoothed = β1·smoothed + (1-β1)·I; uncertainty = β2·uncertainty + (1-β2)·|I - smoothed|.
void kernel_importance(float beta1, float beta2, float gradient_factor, const float *values, const float *gradient,
                       float *smoothed, float *uncertainty, long count);
/// Both in one pass: importance with the values before AdamW's step, or with those after it.
void kernel_importance_then_adamw(kernel_adamw_settings settings, float beta1, float beta2, float *values,
                                  const float *gradient, float *first_moment, float *second_moment, float *smoothed,
                                  float *uncertainty, long count);
void kernel_adamw_then_importance(kernel_adamw_settings settings, float beta1, float beta2, float *values,
                                  const float *gradient, float *first_moment, float *second_moment, float *smoothed,
                                  float *uncertainty, long count);
