"""NVAR: the nonlinear delay line, or next-generation reservoir, a memory without a draw."""

from __future__ import annotations

from itertools import combinations_with_replacement
from typing import Any, ClassVar

import numpy as np
from sklearn.utils.validation import check_is_fitted

from filters.timeseries._errors import DivergenceError
from filters.timeseries._memory import Memory
from filters.timeseries._sklearn_private import input_names, positive_int
from filters.timeseries._windows import delay_embed, with_history


class NVAR(Memory):
    """Offer the monomials of the present and the last rows of a series as features.

    .. math:: \\phi(t) = [1, z(t), z(t) \\otimes z(t), \\ldots], \\quad
        z(t) = [x(t), x(t - s), \\ldots, x(t - (k - 1) s)]

    Each product of the outer powers is taken once (nonlinear vector autoregression).

    Parameters
    ----------
    delay : int, default=2
        k, the number of rows seen, the present one included.
    stride : int, default=1
        s, time steps between two of them.
    order : int or tuple of int, default=2
        Highest degree of a monomial; a tuple names the degrees themselves: ``(1, 3)`` is linear and
        cubic.
    include_constant : bool, default=True
        Offer the constant 1 as the first feature. A readout with an intercept does not need it:
        ridge gives it weight zero, and with ``alpha=0`` it would warn of it.

    Attributes
    ----------
    n_features_in_ : int
        Number of features of a row.

    Raises
    ------
    ValueError
        For an order that names no degrees.
    DivergenceError
        Where a monomial leaves the finite numbers.

    Notes
    -----
    With ``n = delay * n_features_in_`` there are ``C(n + d - 1, d)`` monomials of degree d, in the
    order of scikit-learn's ``PolynomialFeatures`` on the delay line. The history before a series is
    zero: the first ``(delay - 1) * stride`` rows of each see zeros, which `washout` of a model
    leaves out of the fit. The state, as `initial_state` takes it, holds as many rows, oldest first,
    flattened. Scale inputs to the order of one; monomials of large numbers are ill-conditioned.

    References
    ----------
    D. J. Gauthier, E. Bollt, A. Griffith, W. A. S. Barbosa, Next generation reservoir computing,
    Nature Communications 12 (2021), 5564, eq. 6 to 9.

    Examples
    --------
    >>> from reservoir import NVAR
    >>> NVAR(delay=2).fit_transform([[2.0], [3.0]])
    array([[1., 2., 0., 4., 0., 0.],
           [1., 3., 2., 9., 6., 4.]])
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "delay": [positive_int()],
        "stride": [positive_int()],
        "order": [positive_int(), tuple, list],
        "include_constant": ["boolean"],
    }

    def __init__(
        self,
        delay: int = 2,
        *,
        stride: int = 1,
        order: int | tuple[int, ...] = 2,
        include_constant: bool = True,
    ) -> None:
        self.delay = delay
        self.stride = stride
        self.order = order
        self.include_constant = include_constant

    def _prepare(self, n_features: int, dtype: np.dtype) -> None:
        self._n_history = (self.delay - 1) * self.stride
        # One table a degree: row j lists the factors of monomial j, columns of the delay line.
        lags = range(self.delay * n_features)
        self._factors = [
            np.array(list(combinations_with_replacement(lags, degree)), dtype=np.intp)
            for degree in self._degrees()
        ]

    def _degrees(self) -> list[int]:
        if not isinstance(self.order, tuple | list):
            return list(range(1, self.order + 1))
        whole = all(isinstance(d, int | np.integer) and d >= 1 for d in self.order)
        if not self.order or not whole or len({*self.order}) < len(self.order):
            raise ValueError(
                "order must be a positive integer or a tuple of different ones; got "
                f"{self.order!r}."
            )
        return sorted(self.order)

    @property
    def _n_state(self) -> int:
        return self._n_history * self.n_features_in_

    @property
    def _n_features_out(self) -> int:
        return int(self.include_constant) + sum(factors.shape[0] for factors in self._factors)

    def _advance(
        self,
        rows: np.ndarray,
        state: np.ndarray,
        rng: np.random.RandomState | None = None,
    ) -> tuple[np.ndarray, np.ndarray]:
        history = state.reshape(self._n_history, rows.shape[1])
        taps = delay_embed(rows, self.delay, stride=self.stride, history=history)
        features = np.ones((rows.shape[0], self._n_features_out), dtype=rows.dtype)
        stop = int(self.include_constant)
        with np.errstate(over="ignore", invalid="ignore"):  # the check below speaks
            for factors in self._factors:
                block = features[:, stop : stop + factors.shape[0]]
                for factor in factors.T:
                    block *= taps[:, factor]
                stop += factors.shape[0]
        finite = np.isfinite(features).all(axis=1)
        if not finite.all():
            step = int(np.argmin(finite))
            raise DivergenceError(
                f"a monomial of order={self.order} left the finite numbers at step {step} of the "
                f"{rows.shape[0]} rows taken at once, where the input is up to "
                f"{np.abs(taps[step]).max():.3g}. Scale the input to the order of one, or lower "
                "the order.",
                step,
            )
        return features, with_history(rows, history)[1].ravel()

    def get_feature_names_out(self, input_features: Any = None) -> np.ndarray:
        """Names as of ``PolynomialFeatures``: ``1``, ``x0``, ``x0_lag1``, ``x0^2``, ..."""
        check_is_fitted(self)
        names = input_names(self, input_features)
        lags = [j * self.stride for j in range(self.delay)]
        taps = [name if k == 0 else f"{name}_lag{k}" for k in lags for name in names]
        monomials = [
            " ".join(
                taps[i] if n == 1 else f"{taps[i]}^{n}"
                for i, n in zip(*np.unique(row, return_counts=True), strict=True)
            )
            for factors in self._factors
            for row in factors
        ]
        return np.array(["1"] * self.include_constant + monomials, dtype=object)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags
