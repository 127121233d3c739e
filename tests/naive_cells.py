"""Slow, obvious twins of the recurrent cells: one series, one step at a time, as published."""

import numpy as np


def sigmoid(a):
    return 1.0 / (1.0 + np.exp(-a))


def relu(a):
    return np.maximum(a, 0.0)


def elman(weights, X, state=None, f=np.tanh):
    """h(t) = f(W h(t-1) + U x(t) + b); returns states (n_timesteps, n_units) and the last one."""
    h = np.zeros(weights["recurrent"].shape[1]) if state is None else state[0]
    states = []
    for x in X:
        h = f(weights["recurrent"] @ h + weights["input"] @ x + weights["bias"])
        states.append(h)
    return np.array(states), (h,)


def lstm(weights, X, state=None):
    """i, f, o = sigmoid, g = tanh; c = f c + i g; h = o tanh c; row blocks i, f, g, o."""
    n_units = weights["recurrent"].shape[1]
    U, W, b = (np.split(weights[key], 4) for key in ("input", "recurrent", "bias"))
    h, c = (np.zeros(n_units), np.zeros(n_units)) if state is None else state
    states = []
    for x in X:
        i = sigmoid(W[0] @ h + U[0] @ x + b[0])
        f = sigmoid(W[1] @ h + U[1] @ x + b[1])
        g = np.tanh(W[2] @ h + U[2] @ x + b[2])
        o = sigmoid(W[3] @ h + U[3] @ x + b[3])
        c = f * c + i * g
        h = o * np.tanh(c)
        states.append(h)
    return np.array(states), (h, c)


def stack(cell, layers, X, states=None, activation="tanh"):
    """States of the top layer and the last state of each layer."""
    after = []
    for k, weights in enumerate(layers):
        before = None if states is None else states[k]
        if cell == "lstm":
            X, last = lstm(weights, X, before)
        else:
            X, last = elman(weights, X, before, relu if activation == "relu" else np.tanh)
        after.append(last)
    return X, after


def outputs(net, X, states=None):
    """Outputs (n_timesteps, n_outputs) of a fitted network, and the states after them."""
    H, after = stack(net.cell, net.weights_, X, states, net.activation)
    return H @ net.output_weights_.T + net.output_bias_, after


def central_difference(value, array, step=1e-4):
    """d value() / d array by moving each entry of `array` in place; error of order step^4."""
    gradient = np.empty(array.shape)
    for index in np.ndindex(*array.shape):
        kept, at = array[index], {}
        for shift in (-2, -1, 1, 2):
            array[index] = kept + shift * step
            at[shift] = value()
        array[index] = kept
        gradient[index] = (8.0 * (at[1] - at[-1]) - (at[2] - at[-2])) / (12.0 * step)
    return gradient
