/// The side of the output map along one direction.
INLINE long output_side(long side, const kernel_convolution *shape) {
    return (side + 2 * shape->padding - shape->kernel) / shape->stride + 1;
}

void KERNEL(kernel_extract_patches)(const kernel_convolution *shape, const float *images, float *patches) {
    const long k = shape->kernel, channels = shape->channels;
    const long high = output_side(shape->height, shape), wide = output_side(shape->width, shape);
    for (long s = 0; s < shape->samples; s++)
        for (long y = 0; y < high; y++)
            for (long x = 0; x < wide; x++) {
                float *patch = patches + ((s * high + y) * wide + x) * channels * k * k;
                for (long dy = 0; dy < k; dy++)
                    for (long dx = 0; dx < k; dx++) {
                        const long row = y * shape->stride + dy - shape->padding;
                        const long column = x * shape->stride + dx - shape->padding;
                        float *target = patch + dy * k + dx;
                        if (row < 0 || row >= shape->height || column < 0 || column >= shape->width) {
                            for (long c = 0; c < channels; c++) target[c * k * k] = 0;
                            continue;
                        }
                        const float *pixel = images + ((s * shape->height + row) * shape->width + column) * channels;
                        for (long c = 0; c < channels; c++) target[c * k * k] = pixel[c];
                    }
            }
}

void KERNEL(kernel_add_patches)(const kernel_convolution *shape, const float *patches, float *images) {
    const long k = shape->kernel, channels = shape->channels;
    const long high = output_side(shape->height, shape), wide = output_side(shape->width, shape);
    for (long s = 0; s < shape->samples; s++)
        for (long y = 0; y < high; y++)
            for (long x = 0; x < wide; x++) {
                const float *patch = patches + ((s * high + y) * wide + x) * channels * k * k;
                for (long dy = 0; dy < k; dy++)
                    for (long dx = 0; dx < k; dx++) {
                        const long row = y * shape->stride + dy - shape->padding;
                        const long column = x * shape->stride + dx - shape->padding;
                        if (row < 0 || row >= shape->height || column < 0 || column >= shape->width) continue;
                        float *pixel = images + ((s * shape->height + row) * shape->width + column) * channels;
                        const float *source = patch + dy * k + dx;
                        for (long c = 0; c < channels; c++) pixel[c] += source[c * k * k];
                    }
            }
}
