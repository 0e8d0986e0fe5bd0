/* Normalization by hand: statistics and affine map of groups of elements, forwards and backwards.

   Three ways for groups to lie in memory. `rows`: a group is a row, gamma differs along it.
   `stripes`: a group is a row of `channels` stripes of equal length, each with its own gamma; row r
   begins at channel (r % splits) * channels. `planes`: an array (N, C, S), a group is a channel.
   Sums within a row are in float, between rows in double. */

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define EACH(index, count) _Pragma("omp parallel for schedule(static)") \
    for (long index = 0; index < (count); index++)

static float sum_of(const float *restrict x, long length) {
    float total = 0.0f;
#pragma omp simd reduction(+ : total)
    for (long i = 0; i < length; i++) total += x[i];
    return total;
}

static float spread_of(const float *restrict x, float mean, long length) {
    float total = 0.0f;
#pragma omp simd reduction(+ : total)
    for (long i = 0; i < length; i++) total += (x[i] - mean) * (x[i] - mean);
    return total;
}

static void map(const float *restrict x, float *restrict y, float scale, float shift, long length) {
#pragma omp simd
    for (long i = 0; i < length; i++) y[i] = scale * x[i] + shift;
}

static void sums_of_both(const float *restrict x, const float *restrict dy, float mean, float *plain,
                         float *weighted, long length) {
    float one = 0.0f, other = 0.0f;
#pragma omp simd reduction(+ : one, other)
    for (long i = 0; i < length; i++) {
        one += dy[i];
        other += dy[i] * (x[i] - mean);
    }
    *plain = one;
    *weighted = other;
}

/* dx = a dy + b x + c */
static void map_back(const float *restrict x, const float *restrict dy, float *restrict dx, float a,
                     float b, float c, long length) {
#pragma omp simd
    for (long i = 0; i < length; i++) dx[i] = a * dy[i] + b * x[i] + c;
}

void rows_forward(const float *x, const float *gamma, const float *beta, float *y, float *mean,
                  float *variance, float epsilon, long rows, long length) {
    EACH(r, rows) {
        const float *restrict in = x + r * length;
        float *restrict out = y + r * length;
        const float mu = mean[r] = sum_of(in, length) / (float)length;
        variance[r] = spread_of(in, mu, length) / (float)length;
        const float scale = 1.0f / sqrtf(variance[r] + epsilon);
#pragma omp simd
        for (long i = 0; i < length; i++) out[i] = (in[i] - mu) * scale * gamma[i] + beta[i];
    }
}

void rows_backward(const float *x, const float *gamma, const float *dy, const float *mean,
                   const float *variance, float *dx, float *dgamma, float *dbeta, float epsilon,
                   long rows, long length) {
    memset(dgamma, 0, (size_t)length * sizeof(float));
    memset(dbeta, 0, (size_t)length * sizeof(float));
#pragma omp parallel
    {
        float *mine = calloc((size_t)(2 * length), sizeof(float));
        float *restrict my_gamma = mine, *restrict my_beta = mine + length;
#pragma omp for schedule(static)
        for (long r = 0; r < rows; r++) {
            const float *restrict in = x + r * length, *restrict back = dy + r * length;
            float *restrict out = dx + r * length;
            const float mu = mean[r], scale = 1.0f / sqrtf(variance[r] + epsilon);
            float plain = 0.0f, weighted = 0.0f;
#pragma omp simd reduction(+ : plain, weighted)
            for (long i = 0; i < length; i++) {
                const float x_hat = (in[i] - mu) * scale, owed = back[i] * gamma[i];
                my_beta[i] += back[i];
                my_gamma[i] += back[i] * x_hat;
                plain += owed;
                weighted += owed * x_hat;
            }
            plain /= (float)length;
            weighted /= (float)length;
#pragma omp simd
            for (long i = 0; i < length; i++)
                out[i] = scale * (back[i] * gamma[i] - plain - (in[i] - mu) * scale * weighted);
        }
#pragma omp critical
        for (long i = 0; i < length; i++) {
            dgamma[i] += my_gamma[i];
            dbeta[i] += my_beta[i];
        }
        free(mine);
    }
}

void stripes_forward(const float *x, const float *gamma, const float *beta, float *y, float *mean,
                     float *variance, float epsilon, long rows, long splits, long channels,
                     long length) {
    const long all = channels * length;
    EACH(r, rows) {
        const float *in = x + r * all;
        const float mu = mean[r] = sum_of(in, all) / (float)all;
        variance[r] = spread_of(in, mu, all) / (float)all;
        const float scale = 1.0f / sqrtf(variance[r] + epsilon);
        for (long k = 0; k < channels; k++) {
            const long c = r % splits * channels + k;
            const float a = scale * gamma[c];
            map(in + k * length, y + r * all + k * length, a, beta[c] - a * mu, length);
        }
    }
}

void stripes_backward(const float *x, const float *gamma, const float *dy, const float *mean,
                      const float *variance, float *dx, float *dgamma, float *dbeta, float epsilon,
                      long rows, long splits, long channels, long length) {
    const long all = channels * length;
    float *sums = malloc((size_t)(2 * rows * channels) * sizeof(float));
    EACH(r, rows) {
        const float *in = x + r * all, *back = dy + r * all;
        const float mu = mean[r], scale = 1.0f / sqrtf(variance[r] + epsilon);
        float plain = 0.0f, weighted = 0.0f;
        for (long k = 0; k < channels; k++) {
            float *both = sums + 2 * (r * channels + k);
            sums_of_both(in + k * length, back + k * length, mu, both, both + 1, length);
            both[1] *= scale;
            plain += gamma[r % splits * channels + k] * both[0];
            weighted += gamma[r % splits * channels + k] * both[1];
        }
        const float b = -scale * scale * weighted / (float)all;
        const float c = -scale * plain / (float)all - b * mu;
        for (long k = 0; k < channels; k++)
            map_back(in + k * length, back + k * length, dx + r * all + k * length,
                     scale * gamma[r % splits * channels + k], b, c, length);
    }
    for (long c = 0; c < splits * channels; c++) {
        double plain = 0.0, weighted = 0.0;
        for (long r = c / channels; r < rows; r += splits) {
            plain += sums[2 * (r * channels + c % channels)];
            weighted += sums[2 * (r * channels + c % channels) + 1];
        }
        dbeta[c] = (float)plain;
        dgamma[c] = (float)weighted;
    }
    free(sums);
}

void planes_forward(const float *x, const float *gamma, const float *beta, float *y, float *mean,
                    float *variance, float epsilon, long rows, long channels, long length) {
    const double count = (double)(rows * length);
    EACH(c, channels) {
        double total = 0.0;
        for (long n = 0; n < rows; n++) total += sum_of(x + (n * channels + c) * length, length);
        const float mu = mean[c] = (float)(total / count);
        total = 0.0;
        for (long n = 0; n < rows; n++)
            total += spread_of(x + (n * channels + c) * length, mu, length);
        variance[c] = (float)(total / count);
        const float a = gamma[c] / sqrtf(variance[c] + epsilon), b = beta[c] - a * mu;
        for (long n = 0; n < rows; n++)
            map(x + (n * channels + c) * length, y + (n * channels + c) * length, a, b, length);
    }
}

void planes_backward(const float *x, const float *gamma, const float *dy, const float *mean,
                     const float *variance, float *dx, float *dgamma, float *dbeta, float epsilon,
                     long rows, long channels, long length) {
    const double count = (double)(rows * length);
    EACH(c, channels) {
        double plain = 0.0, weighted = 0.0;
        for (long n = 0; n < rows; n++) {
            float one, other;
            const long at = (n * channels + c) * length;
            sums_of_both(x + at, dy + at, mean[c], &one, &other, length);
            plain += one;
            weighted += other;
        }
        const double scale = 1.0 / sqrt((double)variance[c] + epsilon);
        dbeta[c] = (float)plain;
        dgamma[c] = (float)(weighted * scale);
        const double a = gamma[c] * scale, b = -a * scale * scale * weighted / count;
        for (long n = 0; n < rows; n++) {
            const long at = (n * channels + c) * length;
            map_back(x + at, dy + at, dx + at, (float)a, (float)b,
                     (float)(-a * plain / count - b * mean[c]), length);
        }
    }
}

void planes_inference(const float *x, const float *gamma, const float *beta, float *y,
                      const float *mean, const float *variance, float epsilon, long rows,
                      long channels, long length) {
    EACH(k, rows * channels) {
        const long c = k % channels;
        const float a = gamma[c] / sqrtf(variance[c] + epsilon);
        map(x + k * length, y + k * length, a, beta[c] - a * mean[c], length);
    }
}

/* (N, C): whole rows are walked, each thread over a part of them, sums by column kept aside */
void columns_forward(const float *x, const float *gamma, const float *beta, float *y, float *mean,
                     float *variance, float epsilon, long rows, long channels) {
    double *sums = calloc((size_t)channels, sizeof(double));
    for (int pass = 0; pass < 2; pass++) {
        memset(sums, 0, (size_t)channels * sizeof(double));
#pragma omp parallel
        {
            float *restrict mine = calloc((size_t)channels, sizeof(float));
#pragma omp for schedule(static)
            for (long n = 0; n < rows; n++) {
                const float *restrict in = x + n * channels;
                if (pass == 0) {
#pragma omp simd
                    for (long c = 0; c < channels; c++) mine[c] += in[c];
                } else {
#pragma omp simd
                    for (long c = 0; c < channels; c++)
                        mine[c] += (in[c] - mean[c]) * (in[c] - mean[c]);
                }
            }
#pragma omp critical
            for (long c = 0; c < channels; c++) sums[c] += mine[c];
            free(mine);
        }
        for (long c = 0; c < channels; c++)
            (pass == 0 ? mean : variance)[c] = (float)(sums[c] / (double)rows);
    }
    float *restrict a = malloc((size_t)(2 * channels) * sizeof(float)), *restrict b = a + channels;
    for (long c = 0; c < channels; c++) {
        a[c] = gamma[c] / sqrtf(variance[c] + epsilon);
        b[c] = beta[c] - a[c] * mean[c];
    }
    EACH(n, rows) {
        const float *restrict in = x + n * channels;
        float *restrict out = y + n * channels;
#pragma omp simd
        for (long c = 0; c < channels; c++) out[c] = a[c] * in[c] + b[c];
    }
    free(a);
    free(sums);
}

void columns_backward(const float *x, const float *gamma, const float *dy, const float *mean,
                      const float *variance, float *dx, float *dgamma, float *dbeta, float epsilon,
                      long rows, long channels) {
    memset(dgamma, 0, (size_t)channels * sizeof(float));
    memset(dbeta, 0, (size_t)channels * sizeof(float));
#pragma omp parallel
    {
        float *mine = calloc((size_t)(2 * channels), sizeof(float));
        float *restrict plain = mine, *restrict weighted = mine + channels;
#pragma omp for schedule(static)
        for (long n = 0; n < rows; n++) {
            const float *restrict in = x + n * channels, *restrict back = dy + n * channels;
#pragma omp simd
            for (long c = 0; c < channels; c++) {
                plain[c] += back[c];
                weighted[c] += back[c] * (in[c] - mean[c]);
            }
        }
#pragma omp critical
        for (long c = 0; c < channels; c++) {
            dbeta[c] += plain[c];
            dgamma[c] += weighted[c] / sqrtf(variance[c] + epsilon);
        }
        free(mine);
    }
    float *factors = malloc((size_t)(3 * channels) * sizeof(float));
    float *restrict a = factors, *restrict b = a + channels, *restrict s = b + channels;
    for (long c = 0; c < channels; c++) {
        const float scale = 1.0f / sqrtf(variance[c] + epsilon);
        a[c] = gamma[c] * scale;
        b[c] = -a[c] * scale * dgamma[c] / (float)rows;
        s[c] = -a[c] * dbeta[c] / (float)rows - b[c] * mean[c];
    }
    EACH(n, rows) {
        const float *restrict in = x + n * channels, *restrict back = dy + n * channels;
        float *restrict out = dx + n * channels;
#pragma omp simd
        for (long c = 0; c < channels; c++) out[c] = a[c] * back[c] + b[c] * in[c] + s[c];
    }
    free(factors);
}
