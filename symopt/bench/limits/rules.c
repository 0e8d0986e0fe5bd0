/* Update rules written by hand, for one purpose: how fast can this machine do it?

   Each takes pieces of arrays: piece k has lengths[k] elements, and its arrays (parameters,
   gradients, states in the order of the rule) begin at table[k * arrays]. numbers[0] is the step,
   after it come the hyperparameters in the rule's own order. Pieces go to threads in long runs, so
   that each thread walks along memory. */

#include <math.h>

#ifdef _OPENMP
#include <omp.h>
void use_threads(int count) { omp_set_num_threads(count); }
#else
void use_threads(int count) { (void)count; }
#endif

#define EACH_PIECE(arrays)                                                                        \
    _Pragma("omp parallel for schedule(static) if (count > 1)")                                   \
    for (long piece = 0; piece < count; piece++) {                                                \
        float *const *at = table + piece * (arrays);                                              \
        const long length = lengths[piece];                                                       \
        float *restrict theta = at[0];                                                            \
        const float *restrict g = at[1];

#define EACH_ELEMENT                                                                              \
    _Pragma("omp simd")                                                                           \
    for (long i = 0; i < length; i++) {

#define DONE }}

#define RULE(name)                                                                                \
    void name(float *const *table, const long *lengths, long count, const double *numbers)

RULE(sgd) {
    const float alpha = (float)numbers[1];
    EACH_PIECE(2)
        EACH_ELEMENT
            theta[i] -= alpha * g[i];
    DONE
}

RULE(momentum) {
    const float alpha = (float)numbers[1], gamma = (float)numbers[2];
    EACH_PIECE(3)
        float *restrict v = at[2];
        EACH_ELEMENT
            v[i] = gamma * v[i] + alpha * g[i];
            theta[i] -= v[i];
    DONE
}

/* the step is momentum's; where the gradient is taken is another matter */
RULE(nesterov) { momentum(table, lengths, count, numbers); }

RULE(adagrad) {
    const float alpha = (float)numbers[1], epsilon = (float)numbers[2];
    EACH_PIECE(3)
        float *restrict G = at[2];
        EACH_ELEMENT
            G[i] += g[i] * g[i];
            theta[i] -= alpha / sqrtf(G[i] + epsilon) * g[i];
    DONE
}

RULE(rmsprop) {
    const float alpha = (float)numbers[1], rest = (float)(1.0 - numbers[2]);
    const float epsilon = (float)numbers[3];
    EACH_PIECE(3)
        float *restrict G = at[2];
        EACH_ELEMENT
            G[i] += rest * (g[i] * g[i] - G[i]);
            theta[i] -= alpha / sqrtf(G[i] + epsilon) * g[i];
    DONE
}

/* t, α, β₁, β₂, ε and, for weights that decay beside the step, λ */
#define ADAM(decay)                                                                               \
    const double t = numbers[0], beta_1 = numbers[2], beta_2 = numbers[3];                        \
    const float alpha = (float)(numbers[1] / (1.0 - pow(beta_1, t)));                             \
    const float rest_1 = (float)(1.0 - beta_1), rest_2 = (float)(1.0 - beta_2);                   \
    const float scale = (float)(1.0 / (1.0 - pow(beta_2, t))), epsilon = (float)numbers[4];       \
    const float less = (float)(numbers[1] * (decay));                                             \
    EACH_PIECE(4)                                                                                 \
        float *restrict v = at[2];                                                                \
        float *restrict G = at[3];                                                                \
        EACH_ELEMENT                                                                              \
            v[i] += rest_1 * (g[i] - v[i]);                                                       \
            G[i] += rest_2 * (g[i] * g[i] - G[i]);                                                \
            theta[i] -= alpha / sqrtf(G[i] * scale + epsilon) * v[i] + less * theta[i];           \
    DONE

RULE(adam) { ADAM(0.0) }
RULE(adamw) { ADAM(numbers[5]) }

/* The least traffic that any work with so many arrays has: each of the first is read, each of the
   second read and written, each of the third written. Blocks stay in the innermost cache, so that
   what is done with them costs next to nothing. */
enum { BLOCK = 2048 };

void traffic(const float *const *read, long reads, float *const *moved, long moves,
             float *const *made, long makes, long length) {
    const long blocks = (length + BLOCK - 1) / BLOCK;
#pragma omp parallel for schedule(static) if (length > 32768)
    for (long block = 0; block < blocks; block++) {
        const long start = block * BLOCK;
        const long stop = start + BLOCK < length ? start + BLOCK : length;
        float sum[BLOCK] = {0.0f};
        for (long k = 0; k < reads; k++)
            for (long i = start; i < stop; i++) sum[i - start] += read[k][i];
        for (long k = 0; k < moves; k++)
            for (long i = start; i < stop; i++) {
                sum[i - start] = 0.5f * (sum[i - start] + moved[k][i]);
                moved[k][i] = sum[i - start];
            }
        for (long k = 0; k < makes; k++)
            for (long i = start; i < stop; i++) made[k][i] = sum[i - start];
    }
}
