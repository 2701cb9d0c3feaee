"""Small positive definite systems: as numpy solves them."""

import numpy as np
import pytest

from classifiers.models.lightcurve.cholesky import solved


@pytest.mark.parametrize("n", [1, 3, 12])
def test_solution_is_numpys(n):
    rng = np.random.default_rng(n)
    root, right = rng.normal(size=(2 * n, n)), rng.normal(size=n)
    matrix = root.T @ root
    assert solved(matrix.copy(), right) == pytest.approx(np.linalg.solve(matrix, right), rel=1e-9)


def test_a_matrix_that_is_not_positive_definite_has_no_solution():
    assert np.isnan(solved(np.array([[1.0, 2.0], [2.0, 1.0]]), np.ones(2))).all()
