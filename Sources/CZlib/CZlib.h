// The part of zlib that Images calls.
#pragma once
#include <zlib.h>

// zlib's own is a macro, because it tells the library the header's version.
static inline int zlib_begin_gzip(z_stream *stream) { return inflateInit2(stream, 15 + 16); }
