"""Matrices that the tests of topologies and of their radius share."""

import numpy as np

X = np.zeros((3, 2))
NILPOTENT = {"delay_line", "forward_connection"}
WITHOUT_A_DRAW = {
    "cycle_jumps",
    "delay_line_feedback",
    "double_cycle",
    "ring",
    "self_loops",
}


def by_numpy(matrix):
    dense = matrix if isinstance(matrix, np.ndarray) else matrix.toarray()
    return np.abs(np.linalg.eigvals(dense)).max()


def random(n, seed=0):
    return np.random.RandomState(seed).uniform(-1, 1, (n, n))
