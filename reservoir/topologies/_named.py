"""Topologies by name, as `Reservoir(topology=...)` takes them; those that honour `density`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from . import _deterministic as fixed
from . import _graphs as graphs
from . import _random as drawn
from . import _spectrum as spectrum

NAMED: dict[str, Callable[..., Any]] = {
    "antisymmetric": spectrum.antisymmetric,
    "block_diagonal": drawn.block_diagonal,
    "cycle_jumps": fixed.cycle_jumps,
    "cyclic_diagonals": drawn.cyclic_diagonals,
    "delay_line": fixed.delay_line,
    "delay_line_feedback": fixed.delay_line_feedback,
    "double_cycle": fixed.double_cycle,
    "forward_connection": fixed.forward_connection,
    "orthogonal": spectrum.orthogonal,
    "permutation": spectrum.permutation,
    "random": drawn.random,
    "random_dense": drawn.random_dense,
    "random_sparse": drawn.random_sparse,
    "ring": fixed.ring,
    "scale_free": graphs.scale_free,
    "self_loops": fixed.self_loops,
    "small_world": graphs.small_world,
}
WITH_DENSITY = (
    "antisymmetric",
    "cyclic_diagonals",
    "random",
    "random_dense",
    "random_sparse",
    "scale_free",
    "small_world",
)
