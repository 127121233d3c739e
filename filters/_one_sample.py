"""A filter of one channel in one flat array: what makes `learn_one` cheap."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from ._state import State
from .kernels import lms as layout

# Samples heard before the last window is copied back to the front.
_ROOM = 256


class OneSample(NamedTuple):
    """A kernel that learns from one sample, and all it needs besides."""

    learn: Callable[[np.ndarray, float, float], float]
    """``learn(flat, x, d)`` returns y, or NaN where it has done nothing."""

    level: str
    """Name of the entry of the state that follows the level of the input, ``(2,)``."""

    step: float
    epsilon: float
    share: float
    memory: float
    leak: float = 0.0


def flatten(state: State, rule: OneSample, fit_intercept: bool) -> np.ndarray | None:
    """The flat array of `state`, or None where it has several channels, outputs or no float64."""
    weights, history = state["weights"], state["history"]
    if weights.shape[0] != 1 or history.shape[1] != 1 or weights.dtype != np.float64:
        return None
    m = weights.shape[1]
    flat = np.zeros(layout.WEIGHTS + 3 * m + _ROOM)
    flat[layout.N_TAPS] = m
    flat[layout.INTERCEPT] = fit_intercept
    flat[layout.BIAS] = state["intercept"][0]
    flat[layout.STEP] = rule.step
    flat[layout.LEAK] = rule.leak
    flat[layout.EPSILON] = rule.epsilon
    flat[layout.SHARE] = rule.share
    flat[layout.MEMORY] = rule.memory
    flat[layout.LEVEL : layout.LEVEL + 2] = state[rule.level]
    flat[layout.WEIGHTS : layout.WEIGHTS + m] = weights[0]
    signal = layout.WEIGHTS + 2 * m
    flat[signal : signal + m - 1] = history[:, 0]
    return flat


def unflatten(flat: np.ndarray, state: State, rule: OneSample) -> State:
    """`state` moved on to where `flat` is."""
    m = int(flat[layout.N_TAPS])
    signal = layout.WEIGHTS + 2 * m + int(flat[layout.PLACE])
    return state | {
        "weights": flat[np.newaxis, layout.WEIGHTS : layout.WEIGHTS + m].copy(),
        "intercept": flat[layout.BIAS : layout.BIAS + 1].copy(),
        "history": flat[signal : signal + m - 1, np.newaxis].copy(),
        "n_samples_seen": state["n_samples_seen"] + np.int64(flat[layout.SEEN]),
        rule.level: flat[layout.LEVEL : layout.LEVEL + 2].copy(),
    }
