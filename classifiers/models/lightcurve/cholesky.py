"""Cholesky solution of small linear equations, compiled: calling a library would cost more than the work."""

from __future__ import annotations

import math

import numpy as np

from broker_adapters.kernels import compiled
from classifiers.models.lightcurve._arrays import Floats


@compiled(fastmath=False)  # see `compiled`
def solved(matrix: Floats, right: Floats) -> Floats:
    """Solve matrix (n, n) times x = right (n,); NaN where the matrix is not positive definite.

    Cholesky's decomposition is written into the lower half of the matrix.
    """
    n = len(right)
    x = np.empty(n)
    for i in range(n):
        for j in range(i):
            total = matrix[i, j]
            for k in range(j):
                total -= matrix[i, k] * matrix[j, k]
            matrix[i, j] = total / matrix[j, j]
        diagonal, known = matrix[i, i], right[i]
        for k in range(i):
            diagonal -= matrix[i, k] ** 2
            known -= matrix[i, k] * x[k]
        matrix[i, i] = math.sqrt(diagonal) if diagonal > 0 else math.nan
        x[i] = known / matrix[i, i]
    for i in range(n - 1, -1, -1):
        for k in range(i + 1, n):
            x[i] -= matrix[k, i] * x[k]
        x[i] /= matrix[i, i]
    return x
