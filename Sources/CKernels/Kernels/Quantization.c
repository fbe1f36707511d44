enum { CHUNK = 64 };

void KERNEL(kernel_dequantize)(const uint8_t *codes, const float *ranges, long bits, long group, float *values,
                              long rows, long columns) {
    long bytes = (columns * bits + 7) / 8;
    double levels = (double)((1 << bits) - 1);
    for (long r = 0; r < rows; r++, codes += bytes, values += columns)
        for (long start = 0; start < columns; start += group, ranges += 2) {
            long end = start + group < columns ? start + group : columns;
            double low = ranges[0], step = ((double)ranges[1] - low) / levels;
            if (bits == 8) {
                for (long i = start; i < end; i++) values[i] = (float)((double)codes[i] * step + low);
                continue;
            }
            // Two codes to a byte, unpacked first, so that the rest is one loop over whole vectors.
            for (long i = start; i < end; i += CHUNK) {
                uint8_t unpacked[CHUNK];
                long count = end - i < CHUNK ? end - i : CHUNK;
                for (long k = 0; k < (count + 1) / 2; k++) {
                    unpacked[2 * k] = codes[i / 2 + k] & 15;
                    unpacked[2 * k + 1] = codes[i / 2 + k] >> 4;
                }
                for (long k = 0; k < count; k++) values[i + k] = (float)((double)unpacked[k] * step + low);
            }
        }
}
