#include <math.h>

/// product = a·b, [n, n] each.
INLINE void square_product(const double *a, const double *b, double *product, long n) {
    for (long i = 0; i < n; i++) {
        double *row = product + i * n;
        for (long j = 0; j < n; j++) row[j] = 0;
        for (long k = 0; k < n; k++)
            for (long j = 0; j < n; j++) row[j] += a[i * n + k] * b[k * n + j];
    }
}

INLINE double trace(const double *a, long n) {
    double sum = 0;
    for (long i = 0; i < n; i++) sum += a[i * n + i];
    return sum;
}

enum { SQUARINGS = 24 };

double KERNEL(kernel_triplets_spectral_norm)(const float *rows, long stride, long outputs, long inputs, long count,
                                            double *workspace) {
    double *a = workspace, *b = a + count * count, *power = b + count * count, *roots = power + count * count;
    // Unit vectors with their magnitudes shared between both sides: the spectrum of PΛQ(PΛQ)ᵀ is that of
    // (D·cos(P_i, P_j)·D)·(D·cos(Q_i, Q_j)·D), D² = |λ|·‖P‖·‖Q‖.
    long n = 0;
    for (long i = 0; i < count; i++) {
        const float *row = rows + i * stride;
        double squares = KERNEL(kernel_sum_of_squares)(row, outputs) * KERNEL(kernel_sum_of_squares)(row + outputs + 1, inputs);
        if (row[outputs] != 0 && squares > 0) roots[n++] = i;
    }
    for (long i = 0; i < n; i++)
        for (long j = 0; j <= i; j++) {
            const float *one = rows + (long)roots[i] * stride, *other = rows + (long)roots[j] * stride;
            double left = KERNEL(kernel_dot)(one, other, outputs), right = KERNEL(kernel_dot)(one + outputs + 1, other + outputs + 1, inputs);
            if ((one[outputs] < 0) != (other[outputs] < 0)) right = -right;
            a[i * n + j] = a[j * n + i] = left;
            b[i * n + j] = b[j * n + i] = right;
        }
    for (long i = 0; i < n; i++) {
        double left = sqrt(a[i * n + i]), right = sqrt(b[i * n + i]);
        double root = sqrt(fabs((double)rows[(long)roots[i] * stride + outputs]) * left * right);
        roots[i] = root;
        for (long j = 0; j < n; j++) {
            a[i * n + j] *= root / left, a[j * n + i] *= j == i ? 1 : root / left;
            b[i * n + j] *= root / right, b[j * n + i] *= j == i ? 1 : root / right;
        }
        a[i * n + i] = root * root;
        b[i * n + i] = root * root;
    }
    square_product(a, b, power, n);
    double sum = trace(power, n), logarithm = 0, share = 1;
    for (int squaring = 0; squaring < SQUARINGS; squaring++, share /= 2) {
        double largest = 0;
        for (long i = 0; i < n * n; i++) largest = fmax(largest, fabs(power[i]));
        if (!(largest > 0)) return 0;
        for (long i = 0; i < n * n; i++) a[i] = power[i] / largest;
        logarithm += share * log(largest);
        square_product(a, a, power, n);
    }
    double last = trace(power, n);
    // Only of vectors as good as parallel may rounding leave no trace; the Frobenius norm is a bound, too.
    return last > 0 && isfinite(last) ? exp((logarithm + share * log(last)) / 2) : sqrt(sum);
}
