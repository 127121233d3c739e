"""Recurrent matrices without a draw: cycles, delay lines and what is added to them."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
from scipy import sparse

from filters.timeseries._sklearn_private import checked, finite, positive_int


@checked(made=True, n_units=[positive_int()], weight=[finite()])
def ring(n_units: int, *, weight: float = 1.0, random_state: Any = None) -> sparse.csr_array:
    """Simple cycle: unit i hears unit i - 1, unit 0 the last one, all with one weight.

    Parameters
    ----------
    n_units : int
    weight : float, default=1.0
    random_state : ignored
        Present as in every topology; nothing here is random.

    Returns
    -------
    scipy.sparse.csr_array of shape (n_units, n_units)

    References
    ----------
    A. Rodan, P. Tino, Minimum complexity echo state network, IEEE TNN 22 (2011) (SCR).

    Examples
    --------
    >>> from reservoir.topologies import ring
    >>> ring(3, weight=0.5).toarray()
    array([[0. , 0. , 0.5],
           [0.5, 0. , 0. ],
           [0. , 0.5, 0. ]])
    """
    columns = np.arange(-1, n_units - 1) % n_units
    shape = (n_units, n_units)
    return sparse.csr_array(
        (np.full(n_units, float(weight)), (np.arange(n_units), columns)), shape=shape
    )


@checked(made=True, n_units=[positive_int()], weight=[finite()])
def delay_line(n_units: int, *, weight: float = 1.0, random_state: Any = None) -> sparse.csr_array:
    """Delay line: unit i hears unit i - 1. Nilpotent: its spectral radius is 0 and stays so.

    Parameters
    ----------
    n_units : int
    weight : float, default=1.0
    random_state : ignored

    Returns
    -------
    scipy.sparse.csr_array of shape (n_units, n_units)

    References
    ----------
    A. Rodan, P. Tino, Minimum complexity echo state network, IEEE TNN 22 (2011) (DLR).

    Examples
    --------
    >>> from reservoir.topologies import delay_line
    >>> delay_line(3).toarray()
    array([[0., 0., 0.],
           [1., 0., 0.],
           [0., 1., 0.]])
    """
    return sparse.csr_array(sparse.diags_array([np.full(n_units - 1, float(weight))], offsets=[-1]))


@checked(made=True, n_units=[positive_int()], weight=[finite()], feedback_weight=[finite()])
def delay_line_feedback(
    n_units: int, *, weight: float = 1.0, feedback_weight: float = 0.25, random_state: Any = None
) -> sparse.csr_array:
    """Delay line whose units also hear the next one: a chain in both directions.

    Parameters
    ----------
    n_units : int
    weight : float, default=1.0
        Of unit i - 1 to unit i.
    feedback_weight : float, default=0.25
        Of unit i + 1 to unit i.
    random_state : ignored

    Returns
    -------
    scipy.sparse.csr_array of shape (n_units, n_units)

    Notes
    -----
    The eigenvalues are ``2 sqrt(weight * feedback_weight) cos(k pi / (n_units + 1))``, so the
    radius comes near 1 with the defaults. Without feedback, or with one unit, it is nilpotent.

    References
    ----------
    A. Rodan, P. Tino, Minimum complexity echo state network, IEEE TNN 22 (2011) (DLRB).

    Examples
    --------
    >>> from reservoir.topologies import delay_line_feedback
    >>> delay_line_feedback(3).toarray()
    array([[0.  , 0.25, 0.  ],
           [1.  , 0.  , 0.25],
           [0.  , 1.  , 0.  ]])
    """
    there, back = (np.full(n_units - 1, float(value)) for value in (weight, feedback_weight))
    chain = sparse.diags_array([there, back], offsets=[-1, 1], shape=(n_units, n_units))
    return _stored_in_order(chain)


@checked(made=True, n_units=[positive_int()], weight=[finite()], second_weight=[finite()])
def double_cycle(
    n_units: int, *, weight: float = 1.0, second_weight: float = 0.5, random_state: Any = None
) -> sparse.csr_array:
    """Two simple cycles in opposite directions, each with one weight.

    Parameters
    ----------
    n_units : int
    weight : float, default=1.0
        Of unit i - 1 to unit i.
    second_weight : float, default=0.5
        Of unit i + 1 to unit i.
    random_state : ignored

    Returns
    -------
    scipy.sparse.csr_array of shape (n_units, n_units)
        With one or two units both cycles take the same connections; their weights add up.

    References
    ----------
    J. Fu et al., A double-cycle echo state network topology for time series prediction, Chaos 33
    (2023); each cycle as in A. Rodan, P. Tino, IEEE TNN 22 (2011).

    Examples
    --------
    >>> from reservoir.topologies import double_cycle
    >>> double_cycle(4).toarray()
    array([[0. , 0.5, 0. , 1. ],
           [1. , 0. , 0.5, 0. ],
           [0. , 1. , 0. , 0.5],
           [0.5, 0. , 1. , 0. ]])
    """
    return _stored_in_order(ring(n_units, weight=weight) + ring(n_units, weight=second_weight).T)


@checked(made=True, n_units=[positive_int()], weight=[finite()], loop_weight=[finite()])
def self_loops(
    n_units: int, *, weight: float = 1.0, loop_weight: float = 0.5, random_state: Any = None
) -> sparse.csr_array:
    """Simple cycle whose units also hear themselves.

    Parameters
    ----------
    n_units : int
    weight : float, default=1.0
        Of unit i - 1 to unit i.
    loop_weight : float, default=0.5
        Of every unit to itself.
    random_state : ignored

    Returns
    -------
    scipy.sparse.csr_array of shape (n_units, n_units)

    Notes
    -----
    The eigenvalues lie on a circle of radius `weight` around `loop_weight`.

    References
    ----------
    D. Elsarraj et al., Demystifying echo state network with deterministic simple topologies, Int.
    J. Computational Science and Engineering 19 (2019), 407-417 (TP1).

    Examples
    --------
    >>> from reservoir.topologies import self_loops
    >>> self_loops(3).toarray()
    array([[0.5, 0. , 1. ],
           [1. , 0.5, 0. ],
           [0. , 1. , 0.5]])
    """
    loops = sparse.diags_array(np.full(n_units, float(loop_weight)))
    return _stored_in_order(ring(n_units, weight=weight) + loops)


@checked(made=True, n_units=[positive_int()], weight=[finite()])
def forward_connection(
    n_units: int, *, weight: float = 1.0, random_state: Any = None
) -> sparse.csr_array:
    """Unit i hears unit i - 2. Nilpotent: its spectral radius is 0 and stays so.

    Parameters
    ----------
    n_units : int
    weight : float, default=1.0
    random_state : ignored

    Returns
    -------
    scipy.sparse.csr_array of shape (n_units, n_units)

    References
    ----------
    D. Elsarraj et al., Demystifying echo state network with deterministic simple topologies, Int.
    J. Computational Science and Engineering 19 (2019), 407-417 (TP4, without its self-loops).

    Examples
    --------
    >>> from reservoir.topologies import forward_connection
    >>> forward_connection(4).toarray()
    array([[0., 0., 0., 0.],
           [0., 0., 0., 0.],
           [1., 0., 0., 0.],
           [0., 1., 0., 0.]])
    """
    shape = (n_units, n_units)
    if n_units < 3:
        return sparse.csr_array(shape)
    values = np.full(n_units - 2, float(weight))
    return sparse.csr_array(sparse.diags_array([values], offsets=[-2], shape=shape))


@checked(
    made=True,
    n_units=[positive_int()],
    weight=[finite()],
    jump_weight=[finite()],
    jump_size=[positive_int(0)],
)
def cycle_jumps(
    n_units: int,
    *,
    weight: float = 1.0,
    jump_weight: float = 0.5,
    jump_size: int = 3,
    random_state: Any = None,
) -> sparse.csr_array:
    """Simple cycle with jumps: every `jump_size`-th unit also hears the ones a jump away.

    Parameters
    ----------
    n_units : int
    weight : float, default=1.0
        Of unit i - 1 to unit i.
    jump_weight : float, default=0.5
        Of the jumps, which go both ways: between units 0 and l, l and 2 l, ...
    jump_size : int, default=3
        The l above, from 2 to n_units - 2. Where l divides n_units, the last jump ends in unit 0;
        where not, it ends in the last multiple of l below n_units.
    random_state : ignored

    Returns
    -------
    scipy.sparse.csr_array of shape (n_units, n_units)

    Raises
    ------
    ValueError
        For a jump that is too short or too long.

    References
    ----------
    A. Rodan, P. Tino, Simple deterministically constructed cycle reservoirs with regular jumps,
    Neural Computation 24 (2012), 1822-1852, section 3 (CRJ).

    Examples
    --------
    >>> from reservoir.topologies import cycle_jumps
    >>> cycle_jumps(5).toarray()
    array([[0. , 0. , 0. , 0.5, 1. ],
           [1. , 0. , 0. , 0. , 0. ],
           [0. , 1. , 0. , 0. , 0. ],
           [0.5, 0. , 1. , 0. , 0. ],
           [0. , 0. , 0. , 1. , 0. ]])
    """
    if not 2 <= jump_size <= n_units - 2:
        raise ValueError(
            f"jump_size={jump_size} must be from 2 to n_units - 2 = {n_units - 2}: shorter and "
            "longer ones are the cycle itself."
        )
    ends = np.arange(0, n_units + 1, jump_size)  # in a full circle the last one is unit 0
    jumps = {(int(i) % n_units, int(j) % n_units) for i, j in pairwise(ends)}
    jumps |= {(j, i) for i, j in jumps}  # with two jumps a circle, there and back is the same pair
    rows, columns = np.array(sorted(jumps)).T
    shape = (n_units, n_units)
    added = sparse.csr_array((np.full(rows.size, float(jump_weight)), (rows, columns)), shape=shape)
    return _stored_in_order(ring(n_units, weight=weight) + added)


def _stored_in_order(matrix: Any) -> sparse.csr_array:
    """Compressed rows with sorted columns, each entry stored once."""
    rows = sparse.csr_array(matrix)
    rows.sum_duplicates()
    return rows
