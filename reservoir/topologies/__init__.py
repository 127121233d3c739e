"""Recurrent matrices by name, and the exact scaling of their spectral radius or norm.

``Reservoir(topology="cycle_jumps")`` takes a topology with its default parameters; others go
through a callable: ``Reservoir(topology=functools.partial(cycle_jumps, jump_size=7))``. In every
matrix W, row i holds the connections into unit i: ``W[i, j]`` is the weight from unit j to unit i.
"""

from ._deterministic import (
    cycle_jumps,
    delay_line,
    delay_line_feedback,
    double_cycle,
    forward_connection,
    ring,
    self_loops,
)
from ._graphs import scale_free, small_world
from ._named import NAMED, WITH_DENSITY
from ._norm import scale_spectral_norm, spectral_norm
from ._radius import scale_spectral_radius, spectral_radius
from ._random import block_diagonal, cyclic_diagonals, random, random_dense, random_sparse
from ._spectrum import antisymmetric, orthogonal, permutation

__all__ = [
    "NAMED",
    "WITH_DENSITY",
    "antisymmetric",
    "block_diagonal",
    "cycle_jumps",
    "cyclic_diagonals",
    "delay_line",
    "delay_line_feedback",
    "double_cycle",
    "forward_connection",
    "orthogonal",
    "permutation",
    "random",
    "random_dense",
    "random_sparse",
    "ring",
    "scale_free",
    "scale_spectral_norm",
    "scale_spectral_radius",
    "self_loops",
    "small_world",
    "spectral_norm",
    "spectral_radius",
]
