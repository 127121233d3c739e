"""How fast are the recurrent cells beside torch on one CPU thread? Ratios in one run.

A layer of 100 units sees a window: forward, backward and weight gradients, which is what training
does. Every figure is the least CPU time over several rounds in which both take turns, with the same
weights, inputs and gradient from above; the gradients are compared first, and a gap ends the run.
torch's GRU resets after the matrix product and ours, as published, before it, so that its gradients
are compared with torch's autograd through the published equations; a peephole LSTM torch has not.
The last rows are one series at batch 1, forward only, in a window and in a closed loop.
Run with ``python examples/benchmarks/recurrent_cells.py [--out FILE.md]``; under two minutes.
torch is needed: ``pip install torch==2.13.0``.
"""

import time
from functools import partial
from itertools import chain

import numpy as np
import torch
from sheet import parse_out, tell
from threadpoolctl import threadpool_limits

from reservoir.baselines._network import CELLS, Network

N_UNITS = 100
ROUNDS = 30
THEIRS = {"elman": torch.nn.RNN, "lstm": torch.nn.LSTM, "gru": torch.nn.GRU}
GOALS = {"elman": 3.5, "lstm": 0.95, "gru": 2.0}
LARGEST_GAP = {np.float32: 1e-6, np.float64: 1e-9}


def interleaved(*functions):
    """Least CPU time of each, in ms, the functions taking turns."""
    best = np.full(len(functions), np.inf)
    for turn in range(ROUNDS + 2):
        for i, function in enumerate(functions):
            start = time.process_time()
            function()
            taken = time.process_time() - start
            best[i] = min(best[i], taken) if turn >= 2 else best[i]
    return best * 1e3


class Ours:
    """One cell, its weights, a window and the gradient from above."""

    def __init__(self, name, n_inputs, n_timesteps, n_batch, dtype):
        rng = np.random.RandomState(0)
        self.cell = CELLS[name](N_UNITS, n_inputs)
        self.flat = rng.uniform(-0.1, 0.1, self.cell.n_parameters).astype(dtype)
        self.X = rng.randn(n_timesteps, n_inputs, n_batch).astype(dtype)
        self.above = rng.randn(n_timesteps, N_UNITS, n_batch).astype(dtype)
        self.lengths = np.full(n_batch, n_timesteps)
        self.gradient = np.zeros_like(self.flat)
        self.scratch = np.empty_like(self.above)

    def step(self):
        self.cell.forward(self.flat, [self.X], self.lengths, None)
        self.gradient[:] = 0.0
        self.scratch[:] = self.above
        self.cell.backward(self.flat, self.scratch, self.gradient)

    def forward(self):
        self.cell.forward(self.flat, [self.X], self.lengths, None)


def tensor(array):
    return torch.tensor(np.ascontiguousarray(array))


class Torch:
    """The same layer, (time, batch, feature)."""

    def __init__(self, name, ours):
        parts = ours.cell.parts(ours.flat)
        self.X, self.above = (tensor(a.transpose(0, 2, 1)) for a in (ours.X, ours.above))
        self.net = THEIRS[name](ours.X.shape[1], N_UNITS, dtype=self.X.dtype)
        values = [parts["input"], parts["recurrent"], parts["bias"], 0.0 * parts["bias"]]
        with torch.no_grad():
            for parameter, value in zip(self.net.parameters(), values, strict=True):
                parameter.copy_(tensor(value))

    def step(self):
        self.net.zero_grad()
        self.net(self.X)[0].backward(self.above)

    def forward(self):
        with torch.no_grad():
            self.net(self.X)

    def gradients(self):
        self.step()
        weights, recurrent, bias, _ = (p.grad.numpy() for p in self.net.parameters())
        return {"input": weights, "recurrent": recurrent, "bias": bias}


def published(name, ours):
    """Gradients by torch's autograd through the equations, for what torch has no layer for."""
    parts = {k: tensor(v).requires_grad_() for k, v in ours.cell.parts(ours.flat).items()}
    X, above = tensor(ours.X), tensor(ours.above)
    U, W, b = parts["input"], parts["recurrent"], parts["bias"][:, None]
    n, h, loss = N_UNITS, torch.zeros(N_UNITS, X.shape[2], dtype=X.dtype), 0.0
    c = torch.zeros_like(h)
    for t in range(X.shape[0]):
        drive = U @ X[t] + b
        if name == "gru":
            z, r = torch.sigmoid(drive[: 2 * n] + W[: 2 * n] @ h).chunk(2)
            h = (1 - z) * h + z * torch.tanh(drive[2 * n :] + W[2 * n :] @ (r * h))
        else:
            i, f, g, o = (drive + W @ h).chunk(4)
            p_i, p_f, p_o = parts["peephole"][:, None].chunk(3)
            c = torch.sigmoid(f + p_f * c) * c + torch.sigmoid(i + p_i * c) * torch.tanh(g)
            h = torch.sigmoid(o + p_o * c) * torch.tanh(c)
        loss = loss + (h * above[t]).sum()
    loss.backward()
    return {key: part.grad.numpy() for key, part in parts.items()}


def gap(name, n_inputs, n_timesteps, n_batch, dtype):
    """Largest difference of the gradients, relative to the largest entry of each array.

    Sums over a window round differently everywhere: float32 is held against float64.
    """
    ours = Ours(name, n_inputs, n_timesteps, n_batch, dtype)
    ours.step()
    exact = Ours(name, n_inputs, n_timesteps, n_batch, dtype)
    exact.cell = CELLS[name](N_UNITS, n_inputs)
    for key in ("flat", "X", "above"):
        setattr(exact, key, getattr(exact, key).astype(np.float64))
    has_layer = name in ("elman", "lstm")
    expected = Torch(name, exact).gradients() if has_layer else published(name, exact)
    own = ours.cell.parts(ours.gradient)
    found = max(np.abs(own[k] - v).max() / np.abs(v).max() for k, v in expected.items())
    if not found <= LARGEST_GAP[dtype]:
        raise SystemExit(f"gradients of {name} in {dtype.__name__} differ by {found:.1e}")
    return found


def training_rows():
    for name in ("elman", "lstm", "peephole_lstm", "gru"):
        for n_inputs in (1, 10, 100):
            shape = (n_inputs, 100, 32)
            gaps = [gap(name, *shape, dtype) for dtype in (np.float32, np.float64)]
            ours = Ours(name, *shape, np.float32)
            layer = name if name in THEIRS else "lstm"
            theirs = Torch(layer, ours)
            times = interleaved(ours.step, theirs.step)
            goal = f" (goal {GOALS[name]:g})" if name in GOALS else " of its LSTM"
            yield (
                f"| {name} | {n_inputs} | {times[0]:.2f} | {times[1]:.2f} | "
                f"{times[1] / times[0]:.2f}x{goal} | {gaps[0]:.0e} | {gaps[1]:.0e} |"
            )


def one_series_rows(n_timesteps=1000):
    for name in ("elman", "lstm", "gru"):
        ours = Ours(name, 1, n_timesteps, 1, np.float32)
        theirs = Torch(name, ours)
        net = Network(name, (N_UNITS,), 1, 1, np.dtype(np.float32))
        net.draw(np.random.RandomState(0), "orthogonal")
        # Biases, so that the loop does not die away to denormal numbers.
        net.parameters += np.random.RandomState(1).uniform(-0.1, 0.1, net.parameters.size)
        first = np.ones(1, dtype=np.float32)
        window, loop, other = interleaved(
            ours.forward, partial(net.closed_loop, None, first, n_timesteps), theirs.forward
        )
        micro = np.array([window, other, loop]) / n_timesteps * 1e3
        yield (
            f"| {name} | {micro[0]:.2f} | {micro[1]:.2f} | {micro[1] / micro[0]:.2f}x | "
            f"{micro[2]:.2f} |"
        )


def table():
    yield "| cell | inputs | ours, ms | torch, ms | torch / ours | gap float32 | gap float64 |"
    yield "|---|---|---|---|---|---|---|"
    yield from training_rows()
    yield ""
    yield "One series, forward, us a row:"
    yield ""
    yield "| cell | ours | torch | torch / ours | our closed loop |"
    yield "|---|---|---|---|---|"
    yield from one_series_rows()


def main():
    out = parse_out(__doc__)
    torch.set_num_threads(1)
    lines = [
        "# Recurrent cells",
        "",
        f"Forward, backward and weight gradients of a layer of {N_UNITS} units, batch 32, 100",
        "steps, float32, one thread: least CPU time. Gap: largest difference of our gradients, in",
        "either precision, from torch's in float64, relative to the largest entry of each array.",
        "",
    ]
    with threadpool_limits(1):
        tell(chain(lines, table()), out, torch=torch.__version__)


if __name__ == "__main__":
    main()
