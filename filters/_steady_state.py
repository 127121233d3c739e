"""Excess error of settled filters over the Wiener error, in units of it, per algorithm.

`values` are the eigenvalues of the input's correlation matrix; infinite: no steady state.
"""

from __future__ import annotations

from typing import Any

import numpy as np


def lms_excess(values: np.ndarray, step: Any, gaussian: bool, is_complex: bool) -> float:
    if not gaussian:
        trace = step * values.sum()
        return float(trace / (2.0 - trace)) if trace < 2 else np.inf
    # E[x_i^4] = 3 lambda_i^2 for a real Gaussian, 2 lambda_i^2 for a circular one.
    left = 2.0 - (1.0 if is_complex else 2.0) * step * values
    if (left <= 0).any():
        return np.inf
    eta = float(np.sum(step * values / left))
    return eta / (1.0 - eta) if eta < 1 else np.inf


def rls_excess(
    m: int, forgetting: Any, n_samples: int | None, gaussian: bool, is_complex: bool
) -> float:
    n = np.inf if n_samples is None else float(n_samples)
    spread = m + (0.0 if is_complex else 1.0)  # E[(x x')^2] = I + spread I for white x
    if forgetting == 1:
        # Mean of the inverse of a Wishart matrix of n samples: R^-1 / (n - spread).
        n = n - spread if gaussian else n
        return m / n if n > 0 else np.inf
    # Sums of squares and cubes of the weights l^k, scaled to sum one.
    one, two, three = ((1 - forgetting ** (n * p)) / (1 - forgetting**p) for p in (1, 2, 3))
    squares, cubes = two / one**2, three / one**3
    if not gaussian:
        return m * squares
    # R_hat = R + D inverted to second order in D: tr(R_hat^-1 S R_hat^-1), S = sum l^2k x x'.
    second = spread * (3.0 * squares**2 - 2.0 * cubes)
    return m * (squares + second) if spread * squares < 1 else np.inf


def nlms_excess(values: np.ndarray, step: Any, gaussian: bool, is_complex: bool) -> float:
    """mu / (2 - mu); Gaussian rows: steady state of k <- k - 2 mu A1 k + mu^2 (A2 k + b).

    The excess is sum lambda_i k_i. k is the weights' mean square error along the eigenvectors of
    R, A1 = diag E[x_i^2 / |x|^2], A2 = E[x_i^2 x_j^2 / |x|^4], b = E[x_i^2 / |x|^4]. With
    1 / |x|^2 = int exp(-s |x|^2) ds the moments are those of narrower Gaussians, integrated over s.
    """
    if step >= 2 or not gaussian:
        return float(step / (2.0 - step)) if step < 2 else np.inf
    values = values[values > values[-1] * np.finfo(float).eps * values.size]
    if values.size <= (1 if is_complex else 2):
        return np.inf if values.size else 0.0
    half, same = (1.0, 1.0) if is_complex else (0.5, 2.0)
    values = values / values.mean()
    # Trapezoids in u = log s converge exponentially; the integrand falls like exp(-u / 2) or
    # faster above, exp(u) below.
    u = np.arange(-45.0, 90.0 + np.log(values[-1] / values[0]), 0.1)
    s = np.exp(u)[:, np.newaxis]
    grown = 1.0 + s * values / half
    narrow = values / grown
    weight = 0.1 * s[:, 0] * np.exp(-half * np.sum(np.log(grown), axis=1))
    first = weight @ narrow
    noise = (weight * s[:, 0]) @ narrow
    fourth = narrow.T @ (narrow * (weight * s[:, 0])[:, np.newaxis])
    fourth[np.diag_indices_from(fourth)] *= 1.0 + same
    k = np.linalg.solve(2.0 * np.diag(first) - step * fourth, step * noise)
    return float(values @ k)
