// The part of BLAS and LAPACK that LinearAlgebra calls, with OpenBLAS's own controls.
#pragma once
#include <cblas.h>
#include <lapacke.h>

// Declared here because not every distribution's cblas.h declares them.
extern char *openblas_get_corename(void);
extern char *openblas_get_config(void);
extern void openblas_set_num_threads(int count);
extern int openblas_get_num_threads(void);
