"""The two errors of the project, both ``ValueError``, and where its warnings point."""

import sys


class SequenceError(ValueError):
    """The rows given do not form the time series they are said to form.

    Raised for an empty series, series of different feature counts, groups that are not
    contiguous, an index with more than two levels, and arrays whose axes are swapped.

    Examples
    --------
    >>> from filters.timeseries import SequenceError, as_series
    >>> try:
    ...     as_series([[1.0], [2.0], [3.0]], groups=[0, 1, 0])
    ... except SequenceError as error:
    ...     print(type(error).__mro__[1].__name__)
    ValueError
    """


class DivergenceError(ValueError):
    """A recursion left the finite numbers.

    Parameters
    ----------
    message : str
        What diverged, where, at which parameter value, which bound holds and what to do.
    step : int
        Index of the first bad time step, counted from the first sample ever seen by the
        model (across calls of ``partial_fit`` and ``adapt``).

    Examples
    --------
    >>> from filters.timeseries import DivergenceError
    >>> error = DivergenceError("LMSFilter diverged at time step 449.", 449)
    >>> error.step, isinstance(error, ValueError)
    (449, True)
    """

    def __init__(self, message: str, step: int = -1) -> None:
        super().__init__(message)
        self.step = step

    def __reduce__(self):
        return type(self), (self.args[0], self.step)


def caller_level() -> int:
    """`stacklevel` at which a warning points to the first caller outside the two packages."""
    ours = ("filters", "reservoir")
    level, frame = 1, sys._getframe(1)
    while frame.f_back and frame.f_globals.get("__name__", "").split(".")[0] in ours:
        level, frame = level + 1, frame.f_back
    return level
