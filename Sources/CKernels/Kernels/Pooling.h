// Adaptive average pooling along one direction: region `index` of `count` over `length` places, as PyTorch cuts it.
#pragma once

#define REGION_START(index, count, length) ((index) * (length) / (count))
#define REGION_END(index, count, length) ((((index) + 1) * (length) + (count)-1) / (count))
