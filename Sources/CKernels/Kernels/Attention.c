#include "Elementary.h"
#include "Philox.h"
#include "Tile.h"
#include "Transpose.h"
#include <float.h>
#include <math.h>
#include <string.h>

INLINE long padded(long n) { return (n + 15) / 16 * 16; }

/// Rows of one head, as a product reads or writes them: in place if their width is whole vectors, else padded with zeros.
typedef struct {
    float *rows;
    long stride;
} head_rows;

INLINE head_rows reading(const kernel_attention_head *h, long rows, const float *source, float *space) {
    long width = padded(h->width);
    if (width == h->width) return (head_rows){(float *)source, h->stride};
    for (long r = 0; r < rows; r++) {
        for (long c = 0; c < h->width; c++) space[r * width + c] = source[r * h->stride + c];
        for (long c = h->width; c < width; c++) space[r * width + c] = 0;
    }
    return (head_rows){space, width};
}

INLINE head_rows writing(const kernel_attention_head *h, float *target, float *space) {
    long width = padded(h->width);
    return width == h->width ? (head_rows){target, h->stride} : (head_rows){space, width};
}

/// Brings rows that were not written in place to where they belong.
INLINE void finish(const kernel_attention_head *h, long rows, head_rows written, float *target) {
    if (written.rows == target) return;
    for (long r = 0; r < rows; r++)
        for (long c = 0; c < h->width; c++) target[r * h->stride + c] = written.rows[r * written.stride + c];
}

/// The transpose of the rows of one head: `width` rows of `length` padded to a multiple of 16 with zeros.
INLINE void pack_transposed(const kernel_attention_head *h, const float *source, float *target) {
    long length = padded(h->length), squares = h->width % 16 ? 0 : h->length / 16 * 16;
    for (long r = 0; r < squares; r += 16)
        for (long c = 0; c < h->width; c += 16) transpose16(source + r * h->stride + c, h->stride, target + c * length + r, length);
    for (long c = 0; c < h->width; c++) {
        for (long r = squares; r < h->length; r++) target[c * length + r] = source[r * h->stride + c];
        for (long r = h->length; r < length; r++) target[c * length + r] = 0;
    }
}

/// The head as its output lies.
INLINE kernel_attention_head output_of(const kernel_attention_head *h) {
    kernel_attention_head output = *h;
    output.stride = h->output_stride;
    return output;
}

/// result = factors · rows, for rows that lie as `from` says and a result as `to` does; factors[i][k] lie at i·row + k·column.
INLINE void multiply(const kernel_attention_head *from, const kernel_attention_head *to, const float *factors, long row,
                     long column, long inner, const float *rows, long count, float *result, float *rows_space,
                     float *result_space) {
    head_rows right = reading(from, inner, rows, rows_space), target = writing(to, result, result_space);
    small_product(factors, row, column, right.rows, right.stride, target.rows, target.stride, count, padded(to->width),
                  inner, 0);
    finish(to, count, target, result);
}

/// With a window, queries and keys come in blocks, and no score is computed where a block of queries sees nothing of a block of
/// keys. Without one, all are one block.
enum { window_block = 16 };

INLINE long block_of(const kernel_attention_head *h) {
    return h->window < h->length - window_block ? window_block : padded(h->length);
}

typedef struct {
    long first, end;
} span;

/// Which of `count` keys the block of queries from `first` on may see, or which queries see a block of keys: whole blocks, and
/// mutual.
INLINE span seen(const kernel_attention_head *h, long first, long count) {
    long block = block_of(h), reach = (h->window + block - 1) / block * block, end = first + block + reach;
    long start = first > reach ? first - reach : 0;
    return (span){start < count ? start : count, end < count ? end : count};
}

/// The keys of a span that are a sequence's, and no padding.
INLINE long real_count(const kernel_attention_head *h, span keys) {
    return (h->length < keys.end ? h->length : keys.end) - keys.first;
}

/// Sets the scores of query i that it does not see, in a row of those of its block.
INLINE void fill_unseen(const kernel_attention_head *h, long i, span keys, float *row, float value) {
    long first = i - h->window - keys.first, end = (h->length - i > h->window ? i + h->window + 1 : h->length) - keys.first;
    for (long j = 0; j < first; j++) row[j] = value;
    for (long j = end; j < keys.end - keys.first; j++) row[j] = value;
}

/// scores = rows · packed, block by block: those of the queries with all that they may see.
INLINE void multiply_seen(const kernel_attention_head *h, const float *rows, long stride, const float *packed,
                          float *scores) {
    long l = padded(h->length), block = block_of(h);
    for (long i = 0; i < h->queries; i += block) {
        span keys = seen(h, i, l);
        long count = h->queries - i < block ? h->queries - i : block;
        small_product(rows + i * stride, stride, 1, packed + keys.first, l, scores + i * l + keys.first, l, count,
                      keys.end - keys.first, h->width, 0);
    }
}

/// result = scores · rows for the queries, or with `transposed` scoresᵀ · rows for the keys.
INLINE void combine_seen(const kernel_attention_head *from, const kernel_attention_head *to, const float *scores,
                         const int transposed, const float *rows, float *result, float *rows_space,
                         float *result_space) {
    long l = padded(from->length), block = block_of(from);
    long row = transposed ? 1 : l, column = transposed ? l : 1;
    long outer = transposed ? from->length : from->queries, inner = transposed ? from->queries : from->length;
    for (long i = 0; i < outer; i += block) {
        span others = seen(from, i, inner);
        multiply(from, to, scores + i * row + others.first * column, row, column, others.end - others.first,
                 rows + others.first * from->stride, outer - i < block ? outer - i : block, result + i * to->stride,
                 rows_space, result_space);
    }
}

/// The columns of a padded row, sixteen at a time: what lies behind the last column is computed, and never read.
#define EACH16(j, length)                                                                                              \
    for (long block = 0; block < (length); block += 16)                                                                \
        for (long j = block; j < block + 16; j++)

/// The largest element of a padded row.
INLINE float largest_of(const float *values, long padded_length) {
    typedef int ints16 __attribute__((vector_size(64), aligned(4)));
    floats16 most = LOAD16(values);
    for (long j = 16; j < padded_length; j += 16) {
        floats16 next = LOAD16(values + j);
        ints16 larger = next > most;
        most = (floats16)(((ints16)next & larger) | ((ints16)most & ~larger));
    }
    float v[16], result = -FLT_MAX;
    STORE16(v, most);
    for (int k = 0; k < 16; k++) result = v[k] > result ? v[k] : result;
    return result;
}

/// Bytes from one row of a head's mask to the next: eight numbers to a block of random numbers.
INLINE long mask_stride(long length) { return (length + 7) / 8 * 8; }

/// The masks of all rows of a head: their random numbers follow each other.
INLINE void fill_masks(const kernel_attention_head *h, uint8_t *masks) {
    if (h->threshold)
        philox_mask(h->place, h->first_block, h->threshold, masks, h->queries * mask_stride(h->length));
}

/// Drops and rescales a row of probabilities, or of their gradients.
INLINE void drop_row(float *restrict values, const uint8_t *restrict mask, float keep_scale, long padded_length) {
    EACH16(j, padded_length) values[j] = mask[j] ? values[j] * keep_scale : 0.0f;
}

long KERNEL(kernel_attention_workspace)(long length, long width) {
    long l = padded(length), w = padded(width);
    // Two packed operands and an output of either shape, two matrices of scores, and the masks of all rows.
    return 3 * (l * w + 16) + 2 * length * l + (length * l + 3) / 4 + 64;
}

void KERNEL(kernel_attention)(const kernel_attention_head *h, const float *query, const float *key, const float *value,
                             float *output, float *log_sums, float *workspace) {
    long n = h->length, q = h->queries, l = padded(n), w = padded(h->width), block = block_of(h);
    float scale = h->scale, keep_scale = h->keep_scale;
    float *operand = workspace, *result = operand + l * w, *scores = result + l * w;
    uint8_t *masks = (uint8_t *)(scores + q * l);
    fill_masks(h, masks);
    pack_transposed(h, key, operand);
    multiply_seen(h, query, h->stride, operand, scores);
    for (long i = 0; i < q; i++) {
        span keys = seen(h, i / block * block, l);
        long m = keys.end - keys.first;
        float *s = scores + i * l + keys.first;
        EACH16(j, m) s[j] *= scale;
        if (h->added)
            for (long j = 0; j < real_count(h, keys); j++) s[j] += h->added[i * l + keys.first + j];
        fill_unseen(h, i, keys, s, -FLT_MAX);
        float largest = largest_of(s, m);
        EACH16(j, m) s[j] = exponential(s[j] - largest);
        fill_unseen(h, i, keys, s, 0);
        floats16 total = ZERO16;
        for (long j = 0; j < m; j += 16) total += LOAD16(s + j);
        float sum = sum16(&total), inverse = 1.0f / sum;
        EACH16(j, m) s[j] *= inverse;
        log_sums[i] = largest + logf(sum);
        if (h->threshold) drop_row(s, masks + i * mask_stride(n) + keys.first, keep_scale, m);
    }
    kernel_attention_head written = output_of(h);
    combine_seen(h, &written, scores, 0, value, output, operand, result);
}

void KERNEL(kernel_attention_backward)(const kernel_attention_head *h, const float *query, const float *key,
                                      const float *value, const float *output_gradient, const float *log_sums,
                                      float *query_gradient, float *key_gradient, float *value_gradient,
                                      float *workspace) {
    long n = h->length, q = h->queries, l = padded(n), w = padded(h->width), block = block_of(h);
    float scale = h->scale, keep_scale = h->keep_scale;
    float *operand = workspace, *result = operand + l * w, *probabilities = result + l * w;
    float *gradients = probabilities + q * l;
    uint8_t *masks = (uint8_t *)(gradients + q * l);
    fill_masks(h, masks);
    pack_transposed(h, key, operand);
    multiply_seen(h, query, h->stride, operand, probabilities);
    pack_transposed(h, value, operand);
    multiply_seen(h, output_gradient, h->output_stride, operand, gradients);
    for (long i = 0; i < q; i++) {
        span keys = seen(h, i / block * block, l);
        long m = keys.end - keys.first;
        float *restrict p = probabilities + i * l + keys.first, *restrict d = gradients + i * l + keys.first;
        const uint8_t *restrict mask = masks + i * mask_stride(n) + keys.first;
        float log_sum = log_sums[i];
        if (h->added) {
            const float *added = h->added + i * l + keys.first;
            for (long j = 0; j < real_count(h, keys); j++) p[j] = exponential(p[j] * scale + added[j] - log_sum);
        } else {
            EACH16(j, m) p[j] = exponential(p[j] * scale - log_sum);
        }
        fill_unseen(h, i, keys, p, 0);
        // The gradient of the probabilities is that of the dropped ones, through the same mask.
        if (h->threshold) drop_row(d, mask, keep_scale, m);
        floats16 total = ZERO16;
        for (long j = 0; j < m; j += 16) total += LOAD16(p + j) * LOAD16(d + j);
        float inner = sum16(&total);
        if (h->added_gradient)
            for (long j = 0; j < real_count(h, keys); j++)
                h->added_gradient[i * l + keys.first + j] = p[j] * (d[j] - inner);
        EACH16(j, m) d[j] = p[j] * (d[j] - inner) * scale;
        if (h->threshold) drop_row(p, mask, keep_scale, m);
    }
    kernel_attention_head written = output_of(h);
    combine_seen(&written, h, probabilities, 1, output_gradient, value_gradient, operand, result); // dV = Pᵀ·dO
    combine_seen(h, h, gradients, 0, key, query_gradient, operand, result);                        // dQ = dS·K
    combine_seen(h, h, gradients, 1, query, key_gradient, operand, result);                        // dK = dSᵀ·Q
}
