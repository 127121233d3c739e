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


def peephole_lstm(weights, X, state=None):
    """As `lstm`; i and f also see p c(t-1), o sees p c(t); p in the order i, f, o."""
    n_units = weights["recurrent"].shape[1]
    U, W, b = (np.split(weights[key], 4) for key in ("input", "recurrent", "bias"))
    p_i, p_f, p_o = np.split(weights["peephole"], 3)
    h, c = (np.zeros(n_units), np.zeros(n_units)) if state is None else state
    states = []
    for x in X:
        i = sigmoid(W[0] @ h + U[0] @ x + b[0] + p_i * c)
        f = sigmoid(W[1] @ h + U[1] @ x + b[1] + p_f * c)
        g = np.tanh(W[2] @ h + U[2] @ x + b[2])
        c = f * c + i * g
        o = sigmoid(W[3] @ h + U[3] @ x + b[3] + p_o * c)
        h = o * np.tanh(c)
        states.append(h)
    return np.array(states), (h, c)


def gru(weights, X, state=None):
    """z, r = sigmoid; h~ = tanh(W [r h, x]); h = (1 - z) h + z h~; row blocks z, r, h."""
    U, W, b = (np.split(weights[key], 3) for key in ("input", "recurrent", "bias"))
    h = np.zeros(weights["recurrent"].shape[1]) if state is None else state[0]
    states = []
    for x in X:
        z = sigmoid(W[0] @ h + U[0] @ x + b[0])
        r = sigmoid(W[1] @ h + U[1] @ x + b[1])
        candidate = np.tanh(W[2] @ (r * h) + U[2] @ x + b[2])
        h = (1 - z) * h + z * candidate
        states.append(h)
    return np.array(states), (h,)


def softmax(a):
    e = np.exp(a - a.max())
    return e / e.sum()


def jordan(net, X, state=None, forced=None):
    """h(t) = f(W y(t-1) + U x(t) + b), y the output (its softmax in a classifier), or `forced`."""
    (weights,) = net.weights_
    f = relu if net.activation == "relu" else np.tanh
    y = np.zeros(weights["recurrent"].shape[1]) if state is None else state[0]
    states = []
    for t, x in enumerate(X):
        h = f(weights["recurrent"] @ y + weights["input"] @ x + weights["bias"])
        y = head(net, h)
        if hasattr(net, "classes_"):
            y = softmax(y)
        if forced is not None and not np.isnan(forced[t]).any():
            y = forced[t]
        states.append(h)
    return np.array(states), (y,)


def head(net, h):
    """Dense ReLU layers, then a linear one."""
    for weights, bias in zip(
        getattr(net, "head_weights_", []), getattr(net, "head_biases_", []), strict=True
    ):
        h = relu(weights @ h + bias)
    return net.output_weights_ @ h + net.output_bias_


def one(net, weights, X, state=None, forced=None):
    """One cell of `net` over a series: states and the last one."""
    if net.cell == "jordan":
        return jordan(net, X, state, forced)
    if net.cell == "elman":
        return elman(weights, X, state, relu if net.activation == "relu" else np.tanh)
    return {"lstm": lstm, "peephole_lstm": peephole_lstm, "gru": gru}[net.cell](weights, X, state)


def columns(net, X, states=None, *, last=False, forced=None):
    """What the head of a fitted network sees, row for row, and the state after it.

    With `last` one row: each direction's own last state.
    """
    inputs, seen, after = X, [], []
    states = iter(states) if states is not None else iter(lambda: None, 0)
    for weights in net.weights_:
        if net.bidirectional:
            ahead, end_ahead = one(net, weights[0], inputs, next(states))
            back, end_back = one(net, weights[1], inputs[::-1], next(states))
            below = np.hstack([ahead, back[::-1]])
            row = np.concatenate([ahead[-1], back[-1]])
            after += [end_ahead, end_back]
        else:
            below, end = one(net, weights, inputs, next(states), forced)
            row = below[-1]
            after.append(end)
        seen = seen if net.skip_connections else []
        seen = [*seen, row[np.newaxis] if last else below]
        inputs = np.hstack([below, X]) if net.skip_connections else below
    return np.hstack(seen), after


def outputs(net, X, states=None, *, last=False, forced=None):
    """Outputs (n_timesteps, n_outputs) of a fitted network, and the states after them."""
    H, after = columns(net, X, states, last=last, forced=forced)
    return np.array([head(net, h) for h in H]), after


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
