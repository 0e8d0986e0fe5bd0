/* Softmax cross-entropy and dropout by hand.

   The exponential is a polynomial of degree 6 after taking powers of 2 out, good to 1e-7. */

#include <math.h>
#include <stdint.h>
#include <string.h>

static inline float exponential(float x) {
    const float low = -87.0f, clipped = x < low ? low : x;
    const float whole = nearbyintf(clipped * 1.44269504f);
    const float r = (clipped - whole * 0.693359375f) + whole * 2.12194440e-4f;
    float p = 1.3981999e-3f;
    p = p * r + 8.3334519e-3f;
    p = p * r + 4.1665795e-2f;
    p = p * r + 1.6666665e-1f;
    p = p * r + 5.0e-1f;
    p = p * r * r + r + 1.0f;
    const int32_t bits = ((int32_t)whole + 127) << 23;
    float power;
    memcpy(&power, &bits, sizeof power);
    return p * power;
}

/* loss and dz of each row at once; a target is `high` at the label, `low` elsewhere */
void smoothed(const float *z, const int64_t *labels, float *loss, float *dz, float high, float low,
              long rows, long classes) {
#pragma omp parallel for schedule(static)
    for (long n = 0; n < rows; n++) {
        const float *restrict in = z + n * classes;
        float *restrict out = dz + n * classes;
        float largest = in[0];
#pragma omp simd reduction(max : largest)
        for (long k = 0; k < classes; k++) largest = in[k] > largest ? in[k] : largest;
        float total = 0.0f, plain = 0.0f;
#pragma omp simd reduction(+ : total, plain)
        for (long k = 0; k < classes; k++) {
            const float shifted = in[k] - largest;
            out[k] = exponential(shifted);
            total += out[k];
            plain += shifted;
        }
        const float logarithm = logf(total);
        const float right = in[labels[n]] - largest;
        loss[n] = -(low * (plain - (float)classes * logarithm) + (high - low) * (right - logarithm));
        const float scale = 1.0f / (total * (float)rows), less = low / (float)rows;
#pragma omp simd
        for (long k = 0; k < classes; k++) out[k] = out[k] * scale - less;
        out[labels[n]] -= (high - low) / (float)rows;
    }
}

/* Philox 4x32-10 (Salmon et al., 2011) decides which of four elements each stay */
void left_out(const float *x, float *y, float p, uint32_t seed, uint32_t step, long length) {
    const float scale = 1.0f / (1.0f - p);
    const uint32_t below = (uint32_t)((1.0 - (double)p) * 4294967295.0);
#pragma omp parallel for schedule(static)
    for (long block = 0; block < (length + 1023) / 1024; block++) {
        float kept[1024];
#pragma omp simd
        for (int i = 0; i < 256; i++) {
            uint32_t a = (uint32_t)(block * 256 + i), b = 0, c = step, d = 0;
            uint32_t k = seed, l = 0;
            for (int round = 0; round < 10; round++) {
                const uint64_t m = (uint64_t)0xD2511F53u * a, n = (uint64_t)0xCD9E8D57u * c;
                a = (uint32_t)(n >> 32) ^ b ^ k;
                b = (uint32_t)n;
                c = (uint32_t)(m >> 32) ^ d ^ l;
                d = (uint32_t)m;
                k += 0x9E3779B9u;
                l += 0xBB67AE85u;
            }
            kept[i] = a < below ? scale : 0.0f;
            kept[i + 256] = b < below ? scale : 0.0f;
            kept[i + 512] = c < below ? scale : 0.0f;
            kept[i + 768] = d < below ? scale : 0.0f;
        }
        const long start = block * 1024, many = length - start < 1024 ? length - start : 1024;
#pragma omp simd
        for (long i = 0; i < many; i++) y[start + i] = x[start + i] * kept[i];
    }
}
