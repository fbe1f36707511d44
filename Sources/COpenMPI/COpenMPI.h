// MPI's constants as functions.
//
// Open MPI defines its handles (`MPI_COMM_WORLD`, `MPI_FLOAT`, ...) as macros with casts, which Swift does not import.
// Each function below gives the value of the macro of the same name. MPI's routines are used as they are.

#ifndef COPENMPI_H
#define COPENMPI_H

// The C++ bindings were removed from the standard in MPI-3; without them the header is plain C.
#ifndef OMPI_SKIP_MPICXX
#define OMPI_SKIP_MPICXX 1
#endif
#include <mpi.h>

// Communicators, error handlers, info objects (MPI 3.1, annex A.1.1)
static inline MPI_Comm COpenMPI_COMM_WORLD(void) { return MPI_COMM_WORLD; }
static inline MPI_Comm COpenMPI_COMM_SELF(void) { return MPI_COMM_SELF; }
static inline MPI_Comm COpenMPI_COMM_NULL(void) { return MPI_COMM_NULL; }
static inline MPI_Errhandler COpenMPI_ERRORS_RETURN(void) { return MPI_ERRORS_RETURN; }
static inline MPI_Info COpenMPI_INFO_NULL(void) { return MPI_INFO_NULL; }
static inline MPI_Win COpenMPI_WIN_NULL(void) { return MPI_WIN_NULL; }
static inline int COpenMPI_COMM_TYPE_SHARED(void) { return MPI_COMM_TYPE_SHARED; }
static inline void *COpenMPI_IN_PLACE(void) { return MPI_IN_PLACE; }

// Data types
static inline MPI_Datatype COpenMPI_FLOAT(void) { return MPI_FLOAT; }
static inline MPI_Datatype COpenMPI_DOUBLE(void) { return MPI_DOUBLE; }
static inline MPI_Datatype COpenMPI_INT32_T(void) { return MPI_INT32_T; }
static inline MPI_Datatype COpenMPI_INT64_T(void) { return MPI_INT64_T; }
static inline MPI_Datatype COpenMPI_UINT8_T(void) { return MPI_UINT8_T; }
static inline MPI_Datatype COpenMPI_UINT32_T(void) { return MPI_UINT32_T; }
static inline MPI_Datatype COpenMPI_UINT64_T(void) { return MPI_UINT64_T; }

// Reductions
static inline MPI_Op COpenMPI_SUM(void) { return MPI_SUM; }
static inline MPI_Op COpenMPI_MIN(void) { return MPI_MIN; }
static inline MPI_Op COpenMPI_MAX(void) { return MPI_MAX; }
static inline MPI_Op COpenMPI_BAND(void) { return MPI_BAND; }
static inline MPI_Op COpenMPI_BOR(void) { return MPI_BOR; }

#endif
