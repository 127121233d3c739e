"""The two errors of the project, both ``ValueError`` so that scikit-learn code catches them."""


class SequenceError(ValueError):
    """The rows given do not form the time series they are said to form.

    Raised for an empty series, series of different feature counts, groups that are not
    contiguous, an index with more than two levels, and arrays whose axes are swapped.
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
    """

    def __init__(self, message: str, step: int = -1) -> None:
        super().__init__(message)
        self.step = step

    def __reduce__(self):
        return type(self), (self.args[0], self.step)
