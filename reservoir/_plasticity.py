"""Intrinsic plasticity: units learn their own gain and bias from what drives them."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import sparse
from scipy.special import expit
from sklearn.base import clone

from filters.timeseries._errors import DivergenceError
from filters.timeseries._sklearn_private import between, checked, finite, positive, positive_int
from filters.timeseries._validation import check_series

from ._reservoir import Reservoir


@checked(
    mean=[finite(), None],
    std=[between(0, 1e100, closed="right"), None],
    learning_rate=[positive()],
    n_epochs=[positive_int()],
    batch_size=[positive_int()],
)
def intrinsic_plasticity(
    reservoir: Reservoir,
    X: Any,
    *,
    mean: float | None = None,
    std: float | None = None,
    learning_rate: float = 5e-4,
    n_epochs: int = 5,
    batch_size: int = 20,
    groups: Any = None,
) -> Reservoir:
    """Adapt gain and bias of every unit so that its outputs follow a distribution.

    With net input n and output ``y = f(g n + b)``, gain g and bias b go down the gradient of the
    Kullback-Leibler divergence of y from a Gaussian (tanh units) or exponential (sigmoid units)
    distribution:

    .. math:: \\Delta b = -\\eta \\left( 2 y + \\frac{(y - \\mu)(1 - y^2)}{\\sigma^2} \\right)
        \\text{ or } \\eta \\left( 1 - (2 + 1 / \\mu)\\, y + y^2 / \\mu \\right), \\quad
        \\Delta g = \\frac{\\eta}{g} + n\\, \\Delta b

    Parameters
    ----------
    reservoir : Reservoir
        With tanh or sigmoid units; a clone of it is fitted, it stays as it is.
    X : array-like of shape (n_timesteps, n_features), list, panel or MultiIndex frame
        What drives the units; no target is needed.
    mean : float, default=None
        Target mean mu of the outputs. None is 0 for tanh units, 0.2 for sigmoid units, whose mean
        must be positive.
    std : float, default=None
        Target standard deviation sigma of tanh units; None is 0.2. Refused for sigmoid units: an
        exponential distribution has that of its mean.
    learning_rate : float, default=5e-4
        The eta, for one row.
    n_epochs : int, default=5
        Passes through X.
    batch_size : int, default=20
        Rows driven with the same gains; their updates are added up. 1 is the published rule, 20
        comes to the same gains 20 times sooner; large ones overshoot.
    groups : array-like of shape (n_timesteps,), default=None
        Series of each row; each starts from a zero state.

    Returns
    -------
    Reservoir
        Not fitted; recurrent and input weights multiplied by the gains and the new biases are its
        `topology`, `input_weights` and `bias`, its ``spectral_radius`` is None. Its `fit` needs as
        many features as X has.

    Raises
    ------
    ValueError
        For another activation or a parameter out of range.
    DivergenceError
        If a gain does not stay positive.

    Notes
    -----
    Gains change the spectral radius: ``topologies.spectral_radius(answer.topology)`` may end above
    1. Leaky units adapt f, before the leak. Cost: `n_epochs` drives of X and as many products.

    References
    ----------
    B. Schrauwen et al., Improving reservoirs using intrinsic plasticity, Neurocomputing 71 (2008),
    1159-1171 (Gaussian); J. Triesch, A gradient rule for the plasticity of a neuron's intrinsic
    excitability, ICANN 2005 (exponential).

    Examples
    --------
    >>> import numpy as np
    >>> from reservoir import Reservoir, intrinsic_plasticity
    >>> X = np.random.default_rng(0).uniform(-1, 1, (1000, 1))
    >>> adapted = intrinsic_plasticity(Reservoir(50, random_state=0), X, std=0.2)
    >>> bool(abs(adapted.fit_transform(X)[100:].std() - 0.2) < 0.02)
    True
    """
    mean, std = _checked_target(reservoir, mean, std)
    _check_numbers(learning_rate, n_epochs, batch_size)
    drawn = clone(reservoir).set_params(include_input=False).fit(X, groups=groups)
    data = check_series(drawn, X, reset=False, groups=groups)
    rows = data.rows.astype(np.float64)
    weights = drawn.recurrent_weights_.astype(np.float64)
    inputs, offset = drawn.input_weights_.astype(np.float64), drawn.bias_.astype(np.float64)
    residual = drawn.residual_weights_ if drawn._parts[1] else "identity"
    gain, bias = np.ones(drawn.n_units), np.zeros(drawn.n_units)

    def with_gains() -> Reservoir:
        scaling = sparse.diags_array(gain) if sparse.issparse(weights) else np.diag(gain)
        return clone(reservoir).set_params(
            topology=scaling @ weights,
            spectral_radius=None,
            spectral_norm=None,
            residual=residual,
            density="auto",
            input_weights=gain[:, np.newaxis] * inputs,
            input_scaling=1.0,
            bias=gain * offset + bias,
        )

    for _ in range(n_epochs):
        for first, last in data.stacked.spans():
            state = np.zeros(drawn.n_units)
            for start in range(first, last, batch_size):
                part = rows[start : min(start + batch_size, last)]
                adapted = with_gains().set_params(include_input=False, dtype="float64").fit(part)
                states = adapted.transform(part, initial_state=state)
                before = np.concatenate([state[np.newaxis], states[:-1]])
                net = (weights @ before.T).T + part @ inputs.T + offset
                steps = learning_rate * _bias_steps(gain * net + bias, drawn.activation, mean, std)
                bias = bias + steps.sum(axis=0)
                gain = gain + (learning_rate / gain + net * steps).sum(axis=0)
                if not (np.isfinite(gain) & (gain > 0)).all():
                    raise DivergenceError(
                        f"intrinsic plasticity drove a gain to {gain.min():.3g} at row {start} "
                        f"with learning_rate={learning_rate}. Lower it, or batch_size.",
                        start,
                    )
                state = states[-1]
    return with_gains()


def _bias_steps(pre: np.ndarray, activation: str, mean: float, std: float) -> np.ndarray:
    """Minus the slope of the divergence in the bias, a row and unit."""
    if activation == "tanh":
        y = np.tanh(pre)
        return -(2 * y + (y - mean) * (1 - y**2) / std**2)
    y = expit(pre)
    return 1 - (2 + 1 / mean) * y + y**2 / mean


def _checked_target(
    reservoir: Reservoir, mean: float | None, std: float | None
) -> tuple[float, float]:
    """Mean and standard deviation asked for; an error for what is out of range."""
    if not isinstance(reservoir, Reservoir):
        raise TypeError(f"reservoir must be a Reservoir, got {type(reservoir).__name__}.")
    if reservoir.activation not in ("tanh", "sigmoid"):
        raise ValueError(
            f'intrinsic plasticity has a rule for "tanh" and "sigmoid" units; the reservoir\'s are '
            f'"{reservoir.activation}".'
        )
    bounded = reservoir.activation == "sigmoid"
    if bounded and std is not None:
        raise ValueError(f"std={std} cannot be honoured: sigmoid units have the mean only to set.")
    target = (0.2 if bounded else 0.0) if mean is None else float(mean)
    if not (0 if bounded else -1) < target < 1:
        allowed = "(0, 1) for sigmoid" if bounded else "(-1, 1) for tanh"
        raise ValueError(f"mean must be in {allowed} units, got {mean}.")
    spread = 0.2 if std is None else float(std)
    if not 0 < spread < np.inf:
        raise ValueError(f"std must be positive, got {std}.")
    return target, spread


def _check_numbers(learning_rate: float, n_epochs: int, batch_size: int) -> None:
    if not 0 < learning_rate < np.inf:
        raise ValueError(f"learning_rate must be positive, got {learning_rate}.")
    for name, count in (("n_epochs", n_epochs), ("batch_size", batch_size)):
        if isinstance(count, bool) or not isinstance(count, int | np.integer) or count < 1:
            raise ValueError(f"{name} must be a positive integer, got {count!r}.")
