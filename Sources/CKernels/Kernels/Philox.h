// Philox4x32-10 (Salmon et al. 2011), sixteen blocks at a time.
#pragma once

enum { philox_batch = 16, philox_numbers = philox_batch * 8 };

/// Fills `numbers` with the 16-bit halves of blocks first … first + 15: eight to a block, the low half of each word first.
INLINE void philox_halves(kernel_philox_place place, uint32_t first, uint16_t numbers[philox_numbers]) {
    uint32_t a[philox_batch], b[philox_batch], c[philox_batch], d[philox_batch];
    for (int i = 0; i < philox_batch; i++) {
        a[i] = first + (uint32_t)i;
        b[i] = place.counter[0];
        c[i] = place.counter[1];
        d[i] = place.counter[2];
    }
    uint32_t k0 = place.key[0], k1 = place.key[1];
    for (int round = 0; round < 10; round++) {
        for (int i = 0; i < philox_batch; i++) {
            uint64_t p = (uint64_t)0xD2511F53u * a[i];
            uint64_t q = (uint64_t)0xCD9E8D57u * c[i];
            uint32_t x = (uint32_t)(q >> 32) ^ b[i] ^ k0, z = (uint32_t)(p >> 32) ^ d[i] ^ k1;
            a[i] = x;
            b[i] = (uint32_t)q;
            c[i] = z;
            d[i] = (uint32_t)p;
        }
        k0 += 0x9E3779B9u;
        k1 += 0xBB67AE85u;
    }
    for (int i = 0; i < philox_batch; i++) {
        uint16_t *n = numbers + i * 8;
        n[0] = (uint16_t)a[i], n[1] = (uint16_t)(a[i] >> 16);
        n[2] = (uint16_t)b[i], n[3] = (uint16_t)(b[i] >> 16);
        n[4] = (uint16_t)c[i], n[5] = (uint16_t)(c[i] >> 16);
        n[6] = (uint16_t)d[i], n[7] = (uint16_t)(d[i] >> 16);
    }
}

/// The four words of one block.
INLINE void philox_words(kernel_philox_place place, uint32_t block, uint32_t words[4]) {
    uint32_t a = block, b = place.counter[0], c = place.counter[1], d = place.counter[2];
    uint32_t k0 = place.key[0], k1 = place.key[1];
    for (int round = 0; round < 10; round++) {
        uint64_t p = (uint64_t)0xD2511F53u * a;
        uint64_t q = (uint64_t)0xCD9E8D57u * c;
        a = (uint32_t)(q >> 32) ^ b ^ k0;
        c = (uint32_t)(p >> 32) ^ d ^ k1;
        b = (uint32_t)q;
        d = (uint32_t)p;
        k0 += 0x9E3779B9u;
        k1 += 0xBB67AE85u;
    }
    words[0] = a, words[1] = b, words[2] = c, words[3] = d;
}

/// See kernel_dropout_mask.
INLINE void philox_mask(kernel_philox_place place, uint32_t first_block, uint32_t threshold, uint8_t *mask,
                        long count) {
    uint16_t numbers[philox_numbers];
    for (long start = 0; start < count; start += philox_numbers) {
        philox_halves(place, first_block + (uint32_t)(start / 8), numbers);
        long n = count - start < philox_numbers ? count - start : philox_numbers;
        for (long i = 0; i < n; i++) mask[start + i] = numbers[i] >= threshold;
    }
}
