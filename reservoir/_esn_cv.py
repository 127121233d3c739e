"""ESNRegressorCV: an echo state network that chooses the penalty of its readout."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ClassVar, Literal, NoReturn, cast

import numpy as np
from sklearn.model_selection import BaseCrossValidator, BaseShuffleSplit, GroupKFold
from sklearn.utils.metadata_routing import get_routing_for_object

from filters.timeseries import WarmTimeSeriesSplit
from filters.timeseries._numbers import as_numbers
from filters.timeseries._sklearn_private import positive
from filters.timeseries._validation import SeriesData

from ._alpha_path import HeldOut, Judge, LeaveOneOut, LeaveOneOutOfFew
from ._esn import ESNRegressor
from ._moments import Moments, is_solvable
from ._readout import LinearReadout, Readout

_ALPHAS = tuple(np.logspace(-12, 2, 29).tolist())

_LEFT_OUT = ("alpha", "solver", "teacher_forcing")  # the path of penalties comes from moments


def _no_partial_fit(estimator: Any) -> NoReturn:
    """Missing, and says why: the choice of alpha needs all rows at once."""
    raise AttributeError(
        "ESNRegressorCV has no partial_fit: the choice of alpha needs all rows. "
        "ESNRegressor(alpha=model.alpha_) learns in parts."
    )


class ESNRegressorCV(ESNRegressor):
    """Predict a value a time step with an echo state network that chooses its own penalty.

    .. math:: \\hat\\alpha = \\arg\\min_\\alpha \\frac{1}{\\sum_t w_t} \\sum_t w_t
              \\left(y_t - \\hat y_t^{(-t)}(\\alpha)\\right)^2

    Parameters
    ----------
    n_units, spectral_radius, spectral_norm, leak_rate, residual, residual_scaling, input_scaling, \
bias_scaling, density, topology, input_weights, bias, activation, noise, dtype, n_strands, \
feedback_scaling, feedback_weights, feedback_noise, fit_intercept, include_input, washout, n_jobs, \
random_state, verbose
        As in `ESNRegressor`.
    alphas : array-like of shape (n_alphas,), default=numpy.logspace(-12, 2, 29)
        Penalties to choose from, greater than zero; one is chosen for all outputs.
    cv : int, splitter or iterable of (train, test), default=None
        None takes leave-one-out errors. An int cuts one series by ``WarmTimeSeriesSplit(cv)``, and
        holds out whole series by ``GroupKFold(cv)`` where there are several. Anything else gives
        indices of rows (of all series, stacked).
    readout : None
        The ridge readout; any other is refused.

    Attributes
    ----------
    alpha_ : float
        The penalty with the best score (of equal ones the first) among those at which the normal
        equations are not singular to working precision.
    scores_ : ndarray of shape (n_alphas,)
        Minus mean squared error for each of `alphas`: over rows (by their weight) and outputs, with
        `cv` the mean over folds.
    best_score_ : float
    reservoir_, coef_, intercept_, n_features_in_
        As in `ESNRegressor`: what ``ESNRegressor(alpha=alpha_)`` has.

    Raises
    ------
    ValueError
        As `ESNRegressor`, and for folds without rows or penalties that are not positive.

    Notes
    -----
    The reservoir is driven through every series whole and in order, whatever is held out: folds and
    leave-one-out choose rows of the states. So no `context` is needed, and the one of a
    `WarmTimeSeriesSplit` is not scored. Neighbouring rows resemble each other: where noise in `y`
    is correlated in time, leave-one-out chooses too small a penalty; take folds. With feedback, the
    errors are those of single steps after a true output.

    Cost beside `ESNRegressor`: one decomposition for the whole path, and the reservoir driven a
    second time (states are not stored). An `alpha_` at an end of `alphas` is no error and gives no
    warning: compare it with the ends, and widen them.

    References
    ----------
    D. M. Allen, Technometrics 16 (1974), 125-127 (leave-one-out errors of ridge regression).

    Examples
    --------
    >>> from reservoir import ESNRegressorCV
    >>> from reservoir.datasets import narma
    >>> X, y = narma(1000, random_state=0)
    >>> model = ESNRegressorCV(100, input_scaling=0.5, random_state=0).fit(X, y)
    >>> model.scores_.shape, bool(1e-12 < model.alpha_ < 1e2)
    ((29,), True)
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **{k: v for k, v in ESNRegressor._parameter_constraints.items() if k not in _LEFT_OUT},
        "alphas": ["array-like", positive()],
        "cv": ["cv_object"],
    }

    def __init__(
        self,
        n_units: int | Sequence[int] = 100,
        *,
        spectral_radius: Any = 0.9,
        spectral_norm: Any = None,
        leak_rate: Any = 1.0,
        residual: Any = "identity",
        residual_scaling: Any = None,
        input_scaling: Any = 1.0,
        bias_scaling: Any = 0.0,
        density: Any = "auto",
        topology: Any = "random",
        input_weights: Any = "uniform",
        bias: Any = None,
        activation: Any = "tanh",
        noise: Any = 0.0,
        dtype: Literal["auto", "float32", "float64"] = "auto",
        n_strands: int | Literal["auto"] = 1,
        feedback_scaling: float = 0.0,
        feedback_weights: Any = None,
        feedback_noise: float = 0.0,
        alphas: Any = _ALPHAS,
        cv: Any = None,
        fit_intercept: bool = True,
        include_input: bool = True,
        readout: None = None,
        washout: int = 0,
        n_jobs: int | None = None,
        random_state: Any = None,
        verbose: int = 0,
    ) -> None:
        self.n_units = n_units
        self.spectral_radius = spectral_radius
        self.spectral_norm = spectral_norm
        self.leak_rate = leak_rate
        self.residual = residual
        self.residual_scaling = residual_scaling
        self.input_scaling = input_scaling
        self.bias_scaling = bias_scaling
        self.density = density
        self.topology = topology
        self.input_weights = input_weights
        self.bias = bias
        self.activation = activation
        self.noise = noise
        self.dtype = dtype
        self.n_strands = n_strands
        self.feedback_scaling = feedback_scaling
        self.feedback_weights = feedback_weights
        self.feedback_noise = feedback_noise
        self.alphas = alphas
        self.cv = cv
        self.fit_intercept = fit_intercept
        self.include_input = include_input
        self.readout = readout
        self.washout = washout
        self.n_jobs = n_jobs
        self.random_state = random_state
        self.verbose = verbose

    partial_fit: Any = property(_no_partial_fit)

    def _new_readout(self, n_columns: int, n_outputs: int) -> Readout:
        if self.readout is not None:
            raise ValueError(
                "ESNRegressorCV chooses the penalty of its own ridge readout, so readout must be "
                f"None; got {self.readout!r}. ESNRegressor takes other readouts."
            )
        return LinearReadout(n_columns, n_outputs, np.nan, self.fit_intercept)

    def _learn_rows(self, data: SeriesData, targets: np.ndarray) -> int:
        """Feed all series to the moments, choose alpha, and leave the moments as the readout."""
        readout = self._readout
        assert isinstance(readout, LinearReadout)
        moments = readout.moments
        assert isinstance(moments, Moments)
        alphas = check_alphas(self.alphas)
        n_used = self._count_rows(data)
        if n_used == 0:
            return 0
        judge = self._judge(data, targets, alphas, n_used, moments.n_columns)
        self._readout = cast(Readout, _Feed(readout.update, judge.gather))
        super()._learn_rows(data, targets)
        if judge.prepare(moments):
            self._readout = cast(Readout, _Feed(judge.judge))
            self._noise = self._noise_rng()
            self._start_series()
            super()._learn_rows(data, targets)
        self._readout = readout
        self._choose(alphas, judge.errors(), moments)
        readout.alpha = self.alpha_
        return n_used

    def _choose(self, alphas: np.ndarray, errors: np.ndarray, moments: Moments) -> None:
        if not np.isfinite(errors).any():
            raise ValueError(
                "the squared errors overflow for every alpha: features or targets are too large "
                "for the ridge readout. Scale them."
            )
        self.scores_ = -errors
        best_first = np.argsort(errors, kind="stable")
        best_first = best_first[np.isfinite(errors[best_first])]
        best = best_first[0]
        # A penalty whose weights cannot be solved for without truncation is passed over, and with
        # it all smaller ones; if that leaves none, the ridge solution warns.
        while not is_solvable(moments, alphas[best], self.fit_intercept):
            left = best_first[alphas[best_first] > alphas[best]]
            if not left.size:
                best = best_first[0]
                break
            best = left[0]
        self.alpha_, self.best_score_ = float(alphas[best]), float(self.scores_[best])

    def _count_rows(self, data: SeriesData) -> int:
        """Rows that will have weight: labelled, after the washout of their series."""
        used = np.ones(data.rows.shape[0], bool) if data.weights is None else data.weights > 0
        return sum(
            int(np.count_nonzero(used[a + self.washout : b])) for a, b in data.stacked.spans()
        )

    def _judge(
        self, data: SeriesData, targets: np.ndarray, alphas: np.ndarray, n_used: int, n_columns: int
    ) -> Judge:
        if n_used < 2:
            raise ValueError(
                "the choice of alpha needs at least two labelled rows after the washout; got "
                "n_samples=1."
            )
        if self.cv is not None:
            folds = cut_folds(self.cv, data, targets)
            return HeldOut(folds, n_columns, targets.shape[1], alphas, self.fit_intercept)
        few = n_used <= n_columns + 1
        return (LeaveOneOutOfFew if few else LeaveOneOut)(alphas, self.fit_intercept)


def check_alphas(alphas: Any) -> np.ndarray:
    """A vector of positive penalties, or a ValueError."""
    given = as_numbers(alphas, "alphas")
    if np.iscomplexobj(given):
        raise ValueError("alphas are complex; penalties are real.")
    checked = given.astype(np.float64).reshape(-1)
    if given.ndim > 1 or checked.size == 0:
        raise ValueError(f"alphas must be a list of penalties; got shape {given.shape}.")
    fine = np.isfinite(checked) & (checked > 0)
    if not fine.all():
        raise ValueError(f"alphas must be positive and finite; got {checked[~fine][0]}.")
    return checked


def cut_folds(
    cv: Any, data: SeriesData, targets: np.ndarray
) -> list[tuple[np.ndarray, np.ndarray]]:
    """Masks of the training and the held-out rows of each fold; see `ESNRegressorCV`."""
    stacked = data.stacked
    n_rows = data.rows.shape[0]
    groups = None
    if stacked.n_series > 1:
        groups = np.repeat(np.arange(stacked.n_series), stacked.lengths)
    is_splitter = hasattr(cv, "split") and not isinstance(cv, str | bytes)
    if isinstance(cv, int | np.integer):
        is_splitter = True
        cv = WarmTimeSeriesSplit(int(cv)) if groups is None else GroupKFold(int(cv))
    pairs = cv
    if is_splitter:
        told = () if groups is None or not _takes_groups(cv) else (groups,)
        pairs = cv.split(data.rows, targets, *told)
    context = cv.context if isinstance(cv, WarmTimeSeriesSplit) else 0
    folds = []
    try:
        for train, test in pairs:
            masks = np.zeros((2, n_rows), dtype=bool)
            masks[0, train] = True
            masks[1, np.arange(n_rows)[test][context:]] = True
            folds.append((masks[0], masks[1]))
    except (TypeError, ValueError, IndexError) as error:
        if is_splitter:
            raise  # the splitter's own words
        raise ValueError(
            "cv must be None, a number of folds, a splitter or pairs (train, test) of row "
            f"indices; got {cv!r}: {error}"
        ) from error
    if not folds:
        raise ValueError(f"cv={cv!r} gives no folds.")
    return folds


def _takes_groups(cv: Any) -> bool:
    """Whether a splitter may be told of the series; scikit-learn's positional ones warn if so."""
    if not isinstance(cv, BaseCrossValidator | BaseShuffleSplit):
        return True
    return "groups" in get_routing_for_object(cv).split.requests


class _Feed:
    """A readout that only passes rows on."""

    def __init__(self, *updates: Callable) -> None:
        self._updates = updates

    def update(self, x: np.ndarray, y: np.ndarray, weights: np.ndarray | None) -> None:
        for update in self._updates:
            update(x, y, weights)
