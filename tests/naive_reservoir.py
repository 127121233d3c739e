"""Slow, obvious twins of the reservoir: one step at a time, as the formulas are published.

With them, what the tests of its models learn: rows with a target that needs the row before.
"""

import numpy as np
import pandas as pd

F = {
    "tanh": np.tanh,
    "relu": lambda a: np.maximum(a, 0.0),
    "identity": lambda a: a,
    "sigmoid": lambda a: 1.0 / (1.0 + np.exp(-a)),
}


def step(W, W_in, b, leak, f, x, u, noise=0.0):
    """x(t) = (1 - a) x(t-1) + a f(W x(t-1) + W_in u(t) + b + noise)."""
    return (1 - leak) * x + leak * F[f](W @ x + W_in @ u + b + noise)


def drive(W, W_in, b, leak, f, U, x=None, noise=None):
    """States after every row of `U`, from `x` (zeros)."""
    x = np.zeros(len(b)) if x is None else x
    noise = np.zeros((len(U), len(b))) if noise is None else noise
    states = []
    for u, v in zip(U, noise, strict=True):
        x = step(W, W_in, b, leak, f, x, u, v)
        states.append(x)
    return np.array(states)


def matrices(reservoir):
    """W, W_in, b, leak, f of a fitted `Reservoir`, dense and in float64."""
    W = reservoir.recurrent_weights_
    W = W if isinstance(W, np.ndarray) else W.toarray()
    leak = np.broadcast_to(reservoir.leak_rate, (len(W),))
    parts = (W, reservoir.input_weights_, reservoir.bias_, leak)
    return (*(np.asarray(part, dtype=float) for part in parts), reservoir.activation)


def states(reservoir, U, x=None, noise=None):
    """`Reservoir.transform` of one series without the inputs."""
    return drive(*matrices(reservoir), np.asarray(U, dtype=float), x, noise)


def ridge(X, y, alpha, weights=None, fit_intercept=True):
    """Coefficients and intercept that minimise sum w |y - c - x B|^2 + alpha |B|^2.

    Rows scaled by sqrt(w), one row sqrt(alpha) e_j a coefficient, none for the intercept, and an
    orthogonal solver: no normal equations anywhere.
    """
    root = np.sqrt(np.ones(len(X)) if weights is None else weights)[:, None]
    y = y.reshape(len(X), -1)
    n = X.shape[1]
    A = np.hstack([X, np.ones((len(X), 1))]) if fit_intercept else X
    penalty = np.sqrt(alpha) * np.eye(n, A.shape[1])
    rows = np.vstack([root * A, penalty])
    targets = np.vstack([root * y, np.zeros((n, y.shape[1]))])
    solution = np.linalg.lstsq(rows, targets, rcond=None)[0]
    intercept = solution[n] if fit_intercept else np.zeros(y.shape[1])
    return solution[:n], intercept


def moments(X, y, weights=None):
    """Weight, means and centred second moments in one pass over all rows, in long double."""
    w = np.ones(len(X)) if weights is None else np.asarray(weights, dtype=float)
    X, y, w = (np.asarray(part, dtype=np.longdouble) for part in (X, y, w))
    total = w.sum()
    mean_x, mean_y = (w @ X) / total, (w @ y) / total
    dx, dy = X - mean_x, y - mean_y
    return {
        "weight": total,
        "mean_x": mean_x,
        "mean_y": mean_y,
        "cxx": (dx * w[:, None]).T @ dx,
        "cxy": (dx * w[:, None]).T @ dy,
        "syy": w @ dy**2,
    }


def data(n=240, n_outputs=None, seed=0):
    """Rows and a target that needs the row before; further outputs are multiples of the first."""
    rng = np.random.RandomState(seed)
    X = rng.randn(n, 2)
    y = 0.6 * X[:, 0] + 0.5 * np.roll(X[:, 1], 1) + 0.1 * rng.randn(n)
    return X, y if n_outputs is None else np.stack([y * (k + 1) + k for k in range(n_outputs)], 1)


def panel_frames(n_series=8, n_timesteps=30):
    """The same as a frame and a series on a MultiIndex (id, t)."""
    X, y = data(n_series * n_timesteps)
    index = pd.MultiIndex.from_product([range(n_series), range(n_timesteps)], names=["id", "t"])
    frame = pd.DataFrame(X, index=index, columns=["u", "v"])
    return frame, pd.Series(y, index=index, name="target")
