"""Measurements of what the product does, as ratios against simpler ways of doing the same.

One thread each, said here because numpy reads it once, when it is imported: CPU time is compared,
and idle threads of BLAS burn it.
"""

import os

for _variable in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_variable, "1")
