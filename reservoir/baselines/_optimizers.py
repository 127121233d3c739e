"""Optimizers on one flat vector of parameters, updated in place.

Each is a formula and its `memory`, a dict of arrays that `warm_start` and `partial_fit` hand on.
"""

from __future__ import annotations

import numpy as np


class SGD:
    """v <- momentum v - learning_rate g;  w <- w + v, or w + momentum v - learning_rate g.

    The second form is Nesterov's (Sutskever et al. 2013, in the variables after the look-ahead).

    Parameters
    ----------
    n_parameters : int
    dtype : dtype
    momentum : float, default=0.0
    nesterov : bool, default=False
    """

    def __init__(
        self, n_parameters: int, dtype: np.dtype, momentum: float = 0.0, nesterov: bool = False
    ) -> None:
        self.momentum = momentum
        self.nesterov = nesterov
        self.memory = {"velocity": np.zeros(n_parameters, dtype=dtype)}

    def step(self, weights: np.ndarray, gradient: np.ndarray, learning_rate: float) -> None:
        """Move `weights` in place; `gradient` is left alone."""
        velocity = self.memory["velocity"]
        change = learning_rate * gradient
        velocity *= self.momentum
        velocity -= change
        if self.nesterov:
            weights += self.momentum * velocity - change
        else:
            weights += velocity


class RMSprop:
    """s <- .9 s + .1 g^2;  w <- w - learning_rate g / (sqrt(s) + 1e-8) (Tieleman, Hinton 2012)."""

    decay = 0.9
    epsilon = 1e-8

    def __init__(self, n_parameters: int, dtype: np.dtype) -> None:
        self.memory = {"square": np.zeros(n_parameters, dtype=dtype)}

    def step(self, weights: np.ndarray, gradient: np.ndarray, learning_rate: float) -> None:
        """Move `weights` in place; `gradient` is left alone."""
        square = self.memory["square"]
        square *= self.decay
        square += (1.0 - self.decay) * np.square(gradient)
        scale = np.sqrt(square)
        scale += self.epsilon
        weights -= learning_rate * gradient / scale


class Adam:
    """m <- .9 m + .1 g;  s <- .999 s + .001 g^2;  w <- w - learning_rate m^ / (sqrt(s^) + 1e-8).

    m^ and s^ are divided by 1 - .9^t and 1 - .999^t (Kingma and Ba 2015, algorithm 1).
    """

    decay = 0.9
    square_decay = 0.999
    epsilon = 1e-8

    def __init__(self, n_parameters: int, dtype: np.dtype) -> None:
        self.memory = {
            "n_steps": np.zeros((), dtype=np.int64),
            "mean": np.zeros(n_parameters, dtype=dtype),
            "square": np.zeros(n_parameters, dtype=dtype),
        }

    def step(self, weights: np.ndarray, gradient: np.ndarray, learning_rate: float) -> None:
        """Move `weights` in place; `gradient` is left alone."""
        mean, square = self.memory["mean"], self.memory["square"]
        self.memory["n_steps"] += 1
        n_steps = int(self.memory["n_steps"])
        mean *= self.decay
        mean += (1.0 - self.decay) * gradient
        square *= self.square_decay
        square += (1.0 - self.square_decay) * np.square(gradient)
        scale = np.sqrt(square / (1.0 - self.square_decay**n_steps))
        scale += self.epsilon
        weights -= learning_rate / (1.0 - self.decay**n_steps) * mean / scale


Optimizer = SGD | RMSprop | Adam

OPTIMIZERS: dict[str, type[Optimizer]] = {"sgd": SGD, "rmsprop": RMSprop, "adam": Adam}
