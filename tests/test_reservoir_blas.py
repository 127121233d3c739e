"""What is drawn from a seed does not depend on the number of BLAS threads."""

import numpy as np
import pytest
from threadpoolctl import ThreadpoolController, threadpool_limits

from reservoir.baselines import _initialization
from reservoir.topologies import _blas, _norm, _radius, orthogonal


def threads_of_blas():
    return [
        lib["num_threads"] for lib in ThreadpoolController().info() if lib["user_api"] == "blas"
    ]


def drawn(n_threads):
    """What needs LAPACK, of a size whose bits depend on the number of threads."""
    with threadpool_limits(n_threads, user_api="blas"):
        matrix = _radius.check_square(np.random.RandomState(0).standard_normal((300, 300)))
        return [
            _radius._solve(matrix),
            _norm._solve(matrix),
            orthogonal(300, random_state=0),
            _initialization.orthogonal(np.random.RandomState(0), 300),
            _initialization.normalized_positive(np.random.RandomState(0), 300),
        ]


def test_weights_of_a_seed_have_the_same_bits_with_any_number_of_threads():
    for one, two in zip(drawn(1), drawn(2), strict=True):
        np.testing.assert_array_equal(one, two)


def test_inside_there_is_one_thread_and_afterwards_as_many_as_before():
    with threadpool_limits(2, user_api="blas"):
        before = threads_of_blas()
        assert set(_blas.with_one_blas_thread(threads_of_blas)()) == {1}
        assert threads_of_blas() == before
        with pytest.raises(ZeroDivisionError):
            _blas.with_one_blas_thread(lambda: 1 / 0)()
        assert threads_of_blas() == before
