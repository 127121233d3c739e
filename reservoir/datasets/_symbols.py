"""Seeded tasks of long time lags: grammars, and numbers or symbols to be kept for long."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from sklearn.utils import check_random_state

from filters.signals import check_count
from filters.timeseries._sklearn_private import checked

REBER_SYMBOLS = "BTPSXVE"
"""Alphabet of the Reber grammars; column k of a one-hot row stands for symbol k."""

# node -> the two arcs (symbol, next node) leaving it, each taken with probability 1/2
_REBER_ARCS = (
    (("T", 1), ("P", 2)),
    (("S", 1), ("X", 3)),
    (("T", 2), ("V", 4)),
    (("X", 2), ("S", 5)),
    (("P", 3), ("V", 5)),
)
_REBER_END = 5
_TEMPORAL_SYMBOLS = "abcdXYBE"


class SymbolStrings(NamedTuple):
    """Strings of a grammar.

    Attributes
    ----------
    strings : list of str
    X : list of ndarray of shape (length, n_symbols)
        One-hot rows, a row a symbol.
    legal : list of ndarray of bool, shape (length, n_symbols)
        Row t: the symbols that may follow rows 0..t. None may follow the last one.

    Examples
    --------
    >>> from reservoir.datasets import reber
    >>> drawn = reber(2, random_state=0)
    >>> drawn.X[0].shape == (len(drawn.strings[0]), 7)
    True
    """

    strings: list[str]
    X: list[np.ndarray]
    legal: list[np.ndarray]


@checked(random_state=["random_state"])
def reber(
    n_strings: int, *, random_state: int | np.random.RandomState | None = None
) -> SymbolStrings:
    """Draw strings of the Reber grammar.

    Parameters
    ----------
    n_strings : int
    random_state : int, RandomState instance or None, default=None
        Seed of the choices; every arc is taken with probability 1/2.

    Returns
    -------
    SymbolStrings
        ``strings``, ``X`` (one-hot, columns B T P S X V E) and ``legal``; lengths differ, 8 in the
        mean and 5 at least.

    Raises
    ------
    ValueError
        For a bad argument.

    References
    ----------
    A. S. Reber, J. Verbal Learning and Verbal Behavior 6(6), 1967, pp. 855-863.
    A. Cleeremans, D. Servan-Schreiber, J. L. McClelland, Neural Computation 1(3), 1989.

    Examples
    --------
    >>> from reservoir.datasets import reber
    >>> data = reber(1, random_state=0)
    >>> data.strings[0], data.legal[0][0].astype(int)  # T or P may follow B
    ('BTXSE', array([0, 1, 1, 0, 0, 0, 0]))
    """
    rng = check_random_state(random_state)
    n = check_count("n_strings", n_strings)
    return _with_rows([_reber_string(rng) for _ in range(n)])


@checked(random_state=["random_state"])
def embedded_reber(
    n_strings: int, *, random_state: int | np.random.RandomState | None = None
) -> SymbolStrings:
    """Draw strings of the embedded Reber grammar, whose last symbol but one repeats the second.

    Parameters
    ----------
    n_strings, random_state
        As in `reber`.

    Returns
    -------
    SymbolStrings
        As `reber`; a string is B, T or P, a Reber string, the same T or P again, E: 12 symbols in
        the mean and 9 at least. Only memory of the second symbol tells the last but one.

    Raises
    ------
    ValueError
        For a bad argument.

    References
    ----------
    S. Hochreiter, J. Schmidhuber, Neural Computation 9(8), 1997, section 5.1.

    Examples
    --------
    >>> from reservoir.datasets import embedded_reber
    >>> data = embedded_reber(1, random_state=0)
    >>> data.strings[0][1] == data.strings[0][-2]
    True
    """
    rng = check_random_state(random_state)
    strings = []
    for _ in range(check_count("n_strings", n_strings)):
        outer = "TP"[rng.randint(2)]
        strings.append(f"B{outer}{_reber_string(rng)}{outer}E")
    return _with_rows(strings)


@checked(random_state=["random_state"])
def adding_problem(
    n_cases: int,
    n_timesteps: int,
    *,
    random_state: int | np.random.RandomState | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Draw the adding problem: the sum of the two numbers that are marked.

    Parameters
    ----------
    n_cases, n_timesteps : int
        `n_timesteps` is at least 2.
    random_state : int, RandomState instance or None, default=None
        Seed of the numbers and of the marks.

    Returns
    -------
    X : ndarray of shape (n_cases, n_timesteps, 2)
        Column 0: numbers uniform on [0, 1). Column 1: 1 at one step of the first half and at one
        of the rest, else 0.
    y : ndarray of shape (n_cases,)
        Sum of the two marked numbers. A constant answer has mean squared error 1/6 at best.

    Raises
    ------
    ValueError
        For a bad argument.

    Notes
    -----
    Hochreiter and Schmidhuber take numbers from [-1, 1] and the target .5 + sum / 4; this form is
    that of Le, Jaitly and Hinton.

    References
    ----------
    S. Hochreiter, J. Schmidhuber, Neural Computation 9(8), 1997, section 5.4.
    Q. V. Le, N. Jaitly, G. E. Hinton, arXiv:1504.00941, 2015.

    Examples
    --------
    >>> from reservoir.datasets import adding_problem
    >>> X, y = adding_problem(3, 50, random_state=0)
    >>> bool(abs((X[0, :, 0] * X[0, :, 1]).sum() - y[0]) < 1e-12)
    True
    """
    n = check_count("n_cases", n_cases)
    length = check_count("n_timesteps", n_timesteps, minimum=2)
    rng = check_random_state(random_state)
    X = np.zeros((n, length, 2))
    X[:, :, 0] = rng.uniform(0.0, 1.0, (n, length))
    cases, half = np.arange(n), length // 2
    first, second = rng.randint(0, half, n), rng.randint(half, length, n)
    X[cases, first, 1] = X[cases, second, 1] = 1.0
    return X, X[cases, first, 0] + X[cases, second, 0]


@checked(random_state=["random_state"])
def temporal_order(
    n_cases: int,
    n_timesteps: int = 100,
    *,
    random_state: int | np.random.RandomState | None = None,
) -> tuple[list[np.ndarray], np.ndarray]:
    """Draw the temporal order problem: which of X and Y came first and second.

    Parameters
    ----------
    n_cases : int
    n_timesteps : int, default=100
        Shortest length, at least 10. Lengths go up to 1.1 times that; the first symbol that counts
        stands between .1 and .2 of it, the second between .5 and .6.
    random_state : int, RandomState instance or None, default=None
        Seed of lengths, places and symbols.

    Returns
    -------
    X : list of ndarray of shape (length, 8)
        One-hot rows, columns a b c d X Y B E: B first, E last, X or Y at the two places, else one
        of the distractors a, b, c, d.
    y : ndarray of str, shape (n_cases,)
        "XX", "XY", "YX" or "YY", equally likely.

    Raises
    ------
    ValueError
        For a bad argument.

    References
    ----------
    S. Hochreiter, J. Schmidhuber, Neural Computation 9(8), 1997, task 6a.

    Examples
    --------
    >>> from reservoir.datasets import temporal_order
    >>> X, y = temporal_order(4, random_state=0)
    >>> X[0].shape, str(y[0])
    ((105, 8), 'YY')
    """
    n = check_count("n_cases", n_cases)
    shortest = check_count("n_timesteps", n_timesteps, minimum=10)
    rng = check_random_state(random_state)
    tenth = shortest // 10
    X, labels = [], []
    for _ in range(n):
        length = rng.randint(shortest, shortest + tenth + 1)
        codes = rng.randint(0, 4, length)
        codes[0], codes[-1] = _TEMPORAL_SYMBOLS.index("B"), _TEMPORAL_SYMBOLS.index("E")
        label = rng.choice(["XX", "XY", "YX", "YY"])
        for begin, symbol in zip((tenth, 5 * tenth), label, strict=True):
            codes[rng.randint(begin, begin + tenth + 1)] = _TEMPORAL_SYMBOLS.index(symbol)
        X.append(np.eye(len(_TEMPORAL_SYMBOLS))[codes])
        labels.append(label)
    return X, np.array(labels)


def _reber_string(rng: np.random.RandomState) -> str:
    symbols, node = ["B"], 0
    while node != _REBER_END:
        symbol, node = _REBER_ARCS[node][rng.randint(2)]
        symbols.append(symbol)
    return "".join([*symbols, "E"])


def _legal_symbols(string: str) -> list[str]:
    """After each symbol of a Reber string, those that may come next."""
    answer, node = ["TP"], 0
    for symbol in string[1:-1]:
        node = dict(_REBER_ARCS[node])[symbol]
        next_symbols = [arc[0] for arc in _REBER_ARCS[node]] if node != _REBER_END else ["E"]
        answer.append("".join(next_symbols))
    return [*answer, ""]


def _with_rows(strings: list[str]) -> SymbolStrings:
    X, legal = [], []
    for string in strings:
        if string[1] in "TP" and string[2] == "B":  # embedded: the inner one ends in the outer T, P
            outer = string[1]
            after = ["TP", "B", *_legal_symbols(string[2:-2])[:-1], outer, "E", ""]
        else:
            after = _legal_symbols(string)
        codes = [REBER_SYMBOLS.index(symbol) for symbol in string]
        X.append(np.eye(len(REBER_SYMBOLS))[codes])
        legal.append(np.array([[s in may for s in REBER_SYMBOLS] for may in after]))
    return SymbolStrings(strings, X, legal)
