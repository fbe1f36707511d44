// All kernels, for one instruction set. The file that includes this defines
//   KERNEL(name)         the name of a kernel for this instruction set,
//   TILE_ROWS, TILE_SIXTEENS, TILE_VECTORS   of a product's tile (Product.c).
#include "CKernels.h"
#include "Lanes.h"

#include "Activations.c"
#include "Attention.c"
#include "Clustering.c"
#include "Convolution.c"
#include "Dropout.c"
#include "Features.c"
#include "Gates.c"
#include "GroupNormalization.c"
#include "Narrow.c"
#include "Normalization.c"
#include "Pooling.c"
#include "Product.c"
#include "Quantization.c"
#include "Rotary.c"
#include "Rows.c"
#include "Selection.c"
#include "Spectral.c"
#include "Update.c"
