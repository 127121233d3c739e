"""What the kernels of overlap-save work on: planned transforms, spectra, and their layout."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import numpy as np

from ._state import State
from .kernels.frequency import add_power, forward


class Plan(NamedTuple):
    """What a transform of 2 B samples needs.

    A transform of real signals packs them into complex numbers of half as many.

    Attributes
    ----------
    radices : ndarray of int (n_passes,)
        Their product is the number N of complex numbers: B (real signals) or 2 B.
    order : ndarray of int (N,)
        Where the passes leave every frequency.
    twiddles : ndarray (n,)
        For each pass of radix r, over i < N / r: real and imaginary factors of outputs 1 to r - 1,
        then the r-th roots of one.
    half_turns : ndarray (2, B + 1)
        exp(-i pi k / B).
    work : ndarray (4, N), scratch
    """

    radices: np.ndarray
    order: np.ndarray
    twiddles: np.ndarray
    half_turns: np.ndarray
    work: np.ndarray


class Memory(NamedTuple):
    """What is carried from block to block; all arrays are updated in place.

    Attributes
    ----------
    last : ndarray (B, n_channels * parts)
        The last block of input.
    spectra : ndarray (n_partitions, n_channels, 2, n_bins)
        Ring of input spectra.
    periodograms : ndarray of float64 (n_partitions, n_bins)
        Their power, summed over channels.
    power : ndarray of float64 (n_bins,)
        Its mean over time.
    clock : ndarray of int (3,)
        Place of the newest spectrum in the ring, blocks heard, next partition to be constrained.
    weights : ndarray (n_outputs, n_taps * n_channels * parts)
        Oldest first, as in ``filters.kernels.lms``.
    bias : ndarray (n_outputs, parts)
    response : ndarray (n_outputs, n_partitions, n_channels, 2, n_bins)
        Spectra of the weights.
    loose : ndarray, as `response`, or (n_outputs, 0, n_channels, 2, n_bins)
        "alternating": the weights that learn.
    """

    last: np.ndarray
    spectra: np.ndarray
    periodograms: np.ndarray
    power: np.ndarray
    clock: np.ndarray
    weights: np.ndarray
    bias: np.ndarray
    response: np.ndarray
    loose: np.ndarray


class Rule(NamedTuple):
    """How is learned.

    Attributes
    ----------
    step, lowest : float
        At and below the norm `lowest` a frequency is silent: its step is zero.
    normalize, fit_intercept : bool
    power_memory : int
        Blocks over which the power of a frequency is a mean.
    leakage : float
        Share of the power at the nearest frequency; spread in steps of powers of two.
    turns : int
        "alternating": partitions that are constrained after a block.
    """

    step: float
    lowest: float
    normalize: bool
    fit_intercept: bool
    power_memory: int
    leakage: float
    turns: int


class Scratch(NamedTuple):
    """Room for one block.

    Attributes
    ----------
    frame : ndarray (2 B * parts,)
    spectrum, error : ndarray (2, n_bins)
    steps : ndarray of float64 (n_bins,)
    norms : ndarray of float64 (n_bins + 2 B,)
    """

    frame: np.ndarray
    spectrum: np.ndarray
    error: np.ndarray
    steps: np.ndarray
    norms: np.ndarray


def plan_transform(n_samples: int, dtype: np.dtype) -> Plan:
    """Plan the transform of `n_samples` (an even number) of a real or complex `dtype`."""
    n = n_samples if dtype.kind == "c" else n_samples // 2
    real = _real(dtype)
    radices, order, twiddles, half_turns = _tables(n, real.char)
    return Plan(radices, order, twiddles, half_turns, work=np.empty((4, n), dtype=real))


@lru_cache(maxsize=8)
def _tables(n: int, char: str) -> tuple[np.ndarray, ...]:
    """All of a plan that does not change."""
    radices = _radices(n)
    order, twiddles, m = np.zeros(1, dtype=np.uint64), [np.empty(0)], n
    for radix in radices:
        # Frequencies so far lie side by side; those of this pass come in between.
        rest = np.repeat(np.arange(m // radix), n // m)
        for j in range(1, radix):
            turn = np.exp(-2j * np.pi * (rest * j % m) / m)
            twiddles += [turn.real, turn.imag]
        roots = np.exp(-2j * np.pi * np.arange(radix) / radix)
        twiddles += [roots.real, roots.imag]
        order = np.add.outer(np.arange(radix, dtype=np.uint64), order * np.uint64(radix)).ravel()
        m //= radix
    half_turns = np.exp(-1j * np.pi * np.arange(n + 1) / n)
    return (
        np.array(radices, dtype=np.int64),
        order,
        np.concatenate(twiddles).astype(char),
        np.stack([half_turns.real, half_turns.imag]).astype(char),
    )


def _radices(n: int) -> list[int]:
    """Factors of n: fours first, then primes."""
    radices, factor = [], 4
    while n > 1:
        if n % factor == 0:
            radices.append(factor)
            n //= factor
        else:
            factor = {4: 2, 2: 3}.get(factor, factor + 2)
            factor = n if factor * factor > n and factor > 2 else factor
    return radices


def new_spectra(
    block: int, n_partitions: int, n_channels: int, n_outputs: int, dtype: np.dtype, *, loose: bool
) -> State:
    """All zero: what `Memory` holds beside weights and intercept."""
    real, n_bins = _real(dtype), 2 * block if dtype.kind == "c" else block + 1
    shape = (n_partitions, n_channels, 2, n_bins)
    return {
        "last": np.zeros((block, n_channels), dtype=dtype),
        "spectra": np.zeros(shape, dtype=real),
        "periodograms": np.zeros((n_partitions, n_bins)),
        "power": np.zeros(n_bins),
        "clock": np.zeros(3, dtype=np.int64),
        "response": np.zeros((n_outputs, *shape), dtype=real),
        "loose": np.zeros((n_outputs, n_partitions if loose else 0, *shape[1:]), dtype=real),
    }


def both_sides(state: State) -> State:
    """The state with all frequencies of its spectra, which hold those from 0 to 1/2."""
    wider = dict(state)
    for name in ("periodograms", "power"):
        wider[name] = np.concatenate([state[name], state[name][..., -2:0:-1]], axis=-1)
    for name in ("spectra", "response", "loose"):
        mirrored = state[name][..., -2:0:-1] * np.array([[1], [-1]], dtype=state[name].dtype)
        wider[name] = np.concatenate([state[name], mirrored], axis=-1)
    return wider


def tools_for(state: State) -> tuple[Memory, Plan, Scratch]:
    """What kernels need for `state`, whose arrays are contiguous from now on and shared."""
    for name in (*new_spectra(1, 1, 1, 1, np.dtype(float), loose=True), "weights", "intercept"):
        state[name] = np.ascontiguousarray(state[name])
    views = {name: state[name] for name in state.keys() & set(Memory._fields)}
    views |= {name: as_parts(state[name]) for name in ("last", "weights")}
    memory = Memory(**views, bias=as_parts(state["intercept"][:, np.newaxis]))
    n_samples, dtype = 2 * state["last"].shape[0], state["last"].dtype
    spectrum, n_bins = memory.spectra[0, 0], memory.power.size
    scratch = Scratch(
        frame=np.empty(n_samples * memory.bias.shape[1], dtype=spectrum.dtype),
        spectrum=np.empty_like(spectrum),
        error=np.empty_like(spectrum),
        steps=np.empty(n_bins),
        norms=np.empty(n_bins + n_samples),
    )
    return memory, plan_transform(n_samples, dtype), scratch


def hear_past(state: State, past: np.ndarray) -> None:
    """Make the input before the next block `past`, ``(n_partitions * B, n_channels)``."""
    memory, plan, scratch = tools_for(state)
    block, n_partitions = state["last"].shape[0], memory.spectra.shape[0]
    for end in range(2 * block, past.shape[0] + 1, block):
        place = (memory.clock[0] + 1) % n_partitions
        memory.clock[0] = place
        memory.periodograms[place] = 0
        for spectrum, signal in zip(memory.spectra[place], past.T, strict=True):
            scratch.frame[:] = as_parts(signal[end - 2 * block : end])
            forward(scratch.frame, spectrum, plan)
            add_power(spectrum, memory.periodograms[place])
    state["last"][:] = past[-block:]


def transform_weights(state: State) -> None:
    """Make the spectra "response" those of the weights."""
    _, plan, scratch = tools_for(state)
    block, n_channels = state["last"].shape
    response = state["response"]
    taps = state["weights"].reshape(response.shape[0], -1, n_channels)[:, ::-1]
    for o, p, c in np.ndindex(response.shape[:3]):
        part = as_parts(taps[o, p * block : (p + 1) * block, c])
        scratch.frame[:] = 0
        scratch.frame[: part.size] = part
        forward(scratch.frame, response[o, p, c], plan)


def as_parts(array: np.ndarray) -> np.ndarray:
    """Complex numbers as pairs along the last axis: a view where `array` is fit for kernels.

    They are compiled once for arrays that are contiguous and may be written.
    """
    array = np.require(array, requirements=["C", "W"])
    return array.view(_real(array.dtype)) if array.dtype.kind == "c" else array


def _real(dtype: np.dtype) -> np.dtype:
    return dtype.type(0).real.dtype
