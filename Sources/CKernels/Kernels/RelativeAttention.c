// What attention adds to its scores for the distance of two tokens.
#include "Tile.h"

/// A head of as many rows as a sequence has distances.
INLINE kernel_attention_head of_distances(const kernel_attention_head *h, const kernel_distances *d) {
    kernel_attention_head result = *h;
    result.length = d->count, result.stride = d->stride;
    return result;
}

/// target += factors · rows, for rows and target of one head each; factors[i][k] lie at i·row + k·column.
INLINE void add_multiple(const kernel_attention_head *from, const kernel_attention_head *to, const float *factors, long row,
                         long column, long inner, const float *rows, long count, float *target, float *rows_space,
                         float *target_space) {
    head_rows right = reading(from, inner, rows, rows_space);
    long width = padded(to->width);
    if (width == to->width) {
        small_product(factors, row, column, right.rows, right.stride, target, to->stride, count, width, inner, 1);
        return;
    }
    small_product(factors, row, column, right.rows, right.stride, target_space, width, count, width, inner, 0);
    for (long r = 0; r < count; r++)
        for (long c = 0; c < to->width; c++) target[r * to->stride + c] += target_space[r * width + c];
}

long KERNEL(kernel_distances_workspace)(long length, long width, long count) {
    long longest = length > count ? length : count;
    // Products of all queries and of all keys with all distances; two operands of a product.
    return 2 * (length * padded(count) + 16) + 2 * (padded(longest) * padded(width) + 16);
}

void KERNEL(kernel_add_distances)(const kernel_attention_head *h, const kernel_distances *d, const float *query,
                                  const float *key, const float *position_keys, const float *position_queries,
                                  float *added, float *workspace) {
    long n = h->length, q = h->queries, l = padded(n), r = padded(d->count);
    kernel_attention_head positions = of_distances(h, d);
    float *asked = workspace, *heard = asked + n * r, *operand = heard + n * r;
    if (position_keys) {
        pack_transposed(&positions, position_keys, operand);
        small_product(query, h->stride, 1, operand, r, asked, r, q, r, h->width, 0);
    }
    if (position_queries) {
        pack_transposed(&positions, position_queries, operand);
        small_product(key, h->stride, 1, operand, r, heard, r, n, r, h->width, 0);
    }
    for (long i = 0; i < q; i++)
        for (long j = 0; j < n; j++) {
            long row = d->rows[i - j];
            float sum = position_keys ? asked[i * r + row] : 0;
            if (position_queries) sum += heard[j * r + row];
            added[i * l + j] = h->scale * sum;
        }
}

void KERNEL(kernel_add_distances_backward)(const kernel_attention_head *h, const kernel_distances *d, const float *query,
                                           const float *key, const float *position_keys,
                                           const float *position_queries, const float *added_gradient,
                                           float *query_gradient, float *key_gradient, float *position_keys_gradient,
                                           float *position_queries_gradient, float *workspace) {
    long n = h->length, q = h->queries, l = padded(n), r = padded(d->count), longest = n > d->count ? n : d->count;
    kernel_attention_head positions = of_distances(h, d);
    float *asked = workspace, *heard = asked + n * r;
    float *space = heard + n * r, *other = space + padded(longest) * padded(h->width);
    memset(asked, 0, q * r * sizeof(float));
    memset(heard, 0, n * r * sizeof(float));
    for (long i = 0; i < q; i++)
        for (long j = 0; j < n; j++) {
            long row = d->rows[i - j];
            float gradient = h->scale * added_gradient[i * l + j];
            asked[i * r + row] += gradient;
            heard[j * r + row] += gradient;
        }
    if (position_keys) {
        add_multiple(&positions, h, asked, r, 1, d->count, position_keys, q, query_gradient, space, other);
        if (position_keys_gradient)
            add_multiple(h, &positions, asked, 1, r, q, query, d->count, position_keys_gradient, space, other);
    }
    if (position_queries) {
        add_multiple(&positions, h, heard, r, 1, d->count, position_queries, n, key_gradient, space, other);
        if (position_queries_gradient)
            add_multiple(h, &positions, heard, 1, r, n, key, d->count, position_queries_gradient, space, other);
    }
}

void KERNEL(kernel_add_distance_bias)(const kernel_attention_head *h, const kernel_distances *d, const float *bias,
                                      float *added) {
    for (long i = 0; i < h->queries; i++)
        for (long j = 0; j < h->length; j++) added[i * padded(h->length) + j] = bias[d->rows[i - j] * d->stride];
}

void KERNEL(kernel_add_distance_bias_backward)(const kernel_attention_head *h, const kernel_distances *d,
                                               const float *added_gradient, float *bias_gradient) {
    for (long i = 0; i < h->queries; i++)
        for (long j = 0; j < h->length; j++)
            bias_gradient[d->rows[i - j] * d->stride] += added_gradient[i * padded(h->length) + j];
}
