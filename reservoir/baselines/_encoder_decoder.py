"""Two networks, one after the other: the last state of the first is where the second begins.

The decoder is fed what came before, step by step: the target where it is forced, its own output
where not. Steps that follow a forced one need not wait for an output, so a decoder that is forced
throughout is one window; each step fed with an own output begins a new one. Gradients flow back
through the states, and through fed-back numbers (a fed-back label has no derivative).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from ._cells import State
from ._names import load
from ._network import Network
from ._windows import Window

_NOWHERE = np.empty(0, dtype=np.int64)


@dataclass(frozen=True)
class PairBatch:
    """Pairs of sequences side by side, the longest output first.

    Attributes
    ----------
    inputs : ndarray of shape (n_timesteps, n_inputs, batch)
    lengths : ndarray of int64, shape (batch,)
        Time steps of each input.
    teacher : ndarray of shape (n_steps, n_outputs, batch)
        What the decoder is fed where it is forced; entry 0 is fed always.
    forced : ndarray of bool, shape (n_steps, batch)
    n_outputs : ndarray of int64, shape (batch,)
        Steps of each output.
    """

    inputs: np.ndarray
    lengths: np.ndarray
    teacher: np.ndarray
    forced: np.ndarray
    n_steps: np.ndarray


@dataclass(frozen=True)
class _Segment:
    begin: int
    network: Network
    window: Window
    own: np.ndarray  # series whose first input is their own output


class EncoderDecoder:
    """Forward and backward of an encoder and a decoder with the same cells.

    Parameters
    ----------
    cell, hidden_sizes, n_inputs, n_outputs, dtype, relu, bidirectional, skip_connections, \
head_sizes
        As `Network`; the head is the decoder's, the two directions are the encoder's. A layer of
        the decoder has the units of both directions, forward before backward.
    feeds_labels : bool
        Whether the decoder is fed the one-hot row of its largest output, or the output itself.

    Attributes
    ----------
    parameters, gradient, penalised : ndarray of shape (n_parameters,)
        Of the encoder, then of the decoder.
    """

    def __init__(
        self,
        cell: str,
        hidden_sizes: Sequence[int],
        n_inputs: int,
        n_outputs: int,
        dtype: np.dtype,
        *,
        relu: bool,
        bidirectional: bool,
        skip_connections: bool,
        head_sizes: Sequence[int],
        feeds_labels: bool,
    ) -> None:
        wide = [n_units * (1 + bidirectional) for n_units in hidden_sizes]
        make = partial(Network, cell, dtype=dtype, relu=relu, skip_connections=skip_connections)
        make_decoder = partial(make, wide, n_outputs, n_outputs, head_sizes=head_sizes)

        self.dtype = np.dtype(dtype)
        self.n_outputs = n_outputs
        self.feeds_labels = feeds_labels
        self.encoder = make(hidden_sizes, n_inputs, 0, bidirectional=bidirectional)
        self.decoder = make_decoder()
        self._make_decoder: Callable[[], Network] = make_decoder
        self._decoders = [self.decoder]
        n = self.encoder.parameters.size
        parts = (self.encoder, self.decoder)
        self.penalised = np.concatenate([part.penalised for part in parts])
        self.parameters = np.zeros(n + self.decoder.parameters.size, dtype=dtype)
        self.gradient = np.zeros_like(self.parameters)
        self.encoder.parameters, self.decoder.parameters = np.split(self.parameters, [n])
        self.encoder.gradient, self.decoder.gradient = np.split(self.gradient, [n])

    def draw(self, rng: np.random.RandomState, *how: Any) -> None:
        """Set the first weights, as `Network.draw`."""
        self.encoder.draw(rng, *how)
        self.decoder.draw(rng, *how)

    def public(self, flat: np.ndarray, *, copy: bool = True) -> dict[str, Any]:
        """Parts of a flat vector under the names users know, as copies or as views."""
        own, other = np.split(flat, [self.encoder.parameters.size])
        encoder = self.encoder.public(own, copy=copy)["weights"]
        return {"encoder_weights": encoder, **self.decoder.public(other, copy=copy)}

    def load(self, given: Mapping[str, Any], name: str = "initial_weights") -> None:
        """Take parameters in the form `public` gives them."""
        load(self.public(self.parameters, copy=False), given, name)

    def encode(self, inputs: np.ndarray, lengths: np.ndarray) -> list[State]:
        """What the decoder begins with: the state of each series after its last step."""
        self._encoded = Window(inputs, lengths, _NOWHERE, _NOWHERE, _NOWHERE)
        states = self.encoder.forward(self._encoded, None)
        return _joined(states) if self.encoder.bidirectional else states

    def forward(self, batch: PairBatch) -> np.ndarray:
        """Outputs of all steps, (n_steps, batch, n_outputs); nothing stands behind a series."""
        states = self.encode(batch.inputs, batch.lengths)
        n_steps, _, n_batch = batch.teacher.shape
        outputs = np.zeros((n_steps, n_batch, self.n_outputs), dtype=self.dtype)
        time = np.arange(n_steps)[:, np.newaxis]
        own = ~batch.forced & (time < batch.n_steps)
        own[0] = False
        begins = np.flatnonzero(own.any(axis=1) | (time[:, 0] == 0))
        self._segments: list[_Segment] = []
        for k, (begin, end) in enumerate(zip(begins, [*begins[1:], n_steps], strict=True)):
            n_active = int(np.count_nonzero(batch.n_steps > begin))
            inputs = np.array(batch.teacher[begin:end, :, :n_active], dtype=self.dtype)
            free = np.flatnonzero(own[begin, :n_active])
            if free.size:
                inputs[0][:, free] = self.fed(outputs[begin - 1, free]).T
            lengths = np.minimum(batch.n_steps[:n_active], end) - begin
            steps, series = np.nonzero(time[: end - begin] < lengths)
            window = Window(inputs, lengths, steps, series, steps)
            network = self._decoder(k)
            states = network.forward(window, states)
            outputs[begin + steps, series] = network.read(window)
            self._segments.append(_Segment(int(begin), network, window, free))
        return outputs

    def backward(self, errors: np.ndarray, *, to_inputs: bool = False) -> np.ndarray | None:
        """Add to `gradient` what `errors`, dL/doutputs, makes of it; comes once after `forward`.

        Parameters
        ----------
        errors : ndarray of shape (n_steps, batch, n_outputs)
            Overwritten: fed-back outputs get the gradient of the steps behind them.
        to_inputs : bool, default=False

        Returns
        -------
        dL/dinputs of the encoder, or None
        """
        beyond: list[State] | None = None
        for segment in reversed(self._segments):
            window, n_active = segment.window, segment.window.lengths.size
            feeds = bool(segment.own.size) and not self.feeds_labels
            beyond, back = segment.network.backward(
                window,
                errors[segment.begin + window.steps, window.series],
                beyond=None if beyond is None else _widened(beyond, n_active),
                to_inputs=feeds,
            )
            if back is not None:
                errors[segment.begin - 1, segment.own] += back[0][:, segment.own].T
        if beyond is not None and self.encoder.bidirectional:
            beyond = _parted(beyond)
        nothing = np.empty((0, 0), dtype=self.dtype)
        return self.encoder.backward(self._encoded, nothing, beyond=beyond, to_inputs=to_inputs)[1]

    def decode(
        self, states: list[State], first: np.ndarray, n_steps: np.ndarray, end: int | None
    ) -> tuple[np.ndarray, np.ndarray]:
        """Run the decoder on its own outputs.

        Parameters
        ----------
        states : of a batch
        first : ndarray of shape (n_outputs,)
            Fed first.
        n_steps : ndarray of int, shape (batch,)
            Steps at most.
        end : int or None
            The output whose being largest ends a series.

        Returns
        -------
        outputs : ndarray of shape (n_steps.max(), batch, n_outputs)
            Zero behind the end of a series.
        lengths : ndarray of int, shape (batch,)
            Steps of each, the one that ended it included.
        """
        n_batch, longest = n_steps.size, int(n_steps.max())
        outputs = np.zeros((longest, n_batch, self.n_outputs), dtype=self.dtype)
        lengths = n_steps.astype(np.int64)
        inputs = np.broadcast_to(first[:, np.newaxis], (self.n_outputs, n_batch))
        ones, series = np.ones(n_batch, dtype=np.int64), np.arange(n_batch)
        for s in range(longest):
            window = Window(inputs[np.newaxis], ones, ones - 1, series, series)
            states = self.decoder.forward(window, states)
            outputs[s] = self.decoder.read(window)
            if end is not None:
                ends = (outputs[s].argmax(axis=1) == end) & (s < lengths)
                lengths[ends] = s + 1
            if (lengths <= s + 1).all():
                break
            inputs = self.fed(outputs[s]).T
        outputs[np.arange(longest)[:, np.newaxis] >= lengths] = 0.0
        return outputs, lengths

    def fed(self, outputs: np.ndarray) -> np.ndarray:
        """What the decoder is fed after `outputs (n, n_outputs)`."""
        if not self.feeds_labels:
            return outputs
        return np.eye(self.n_outputs, dtype=self.dtype)[outputs.argmax(axis=1)]

    def _decoder(self, k: int) -> Network:
        """The k-th decoder: the same weights, a workspace of its own."""
        if k == len(self._decoders):
            self._decoders.append(self._make_decoder())
        network = self._decoders[k]
        network.parameters, network.gradient = self.decoder.parameters, self.decoder.gradient
        return network


def _joined(states: list[State]) -> list[State]:
    """States of both directions of a layer as one, forward before backward."""
    pairs = zip(states[::2], states[1::2], strict=True)
    return [tuple(np.concatenate(parts) for parts in zip(*pair, strict=True)) for pair in pairs]


def _parted(states: list[State]) -> list[State]:
    """The inverse of `_joined`."""
    halves = [[np.split(part, 2) for part in state] for state in states]
    return [tuple(half[k] for half in state) for state in halves for k in (0, 1)]


def _widened(states: list[State], n_batch: int) -> list[State]:
    """Zeros for the series that ended before, behind the others."""

    def wide(part: np.ndarray) -> np.ndarray:
        return np.pad(part, ((0, 0), (0, n_batch - part.shape[1])))

    return [tuple(wide(part) for part in state) for state in states]
