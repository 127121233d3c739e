"""The spiking kernel against its twin; also run without the jit and with bounds checks."""

import numpy as np
import pytest

from reservoir.kernels.liquid import N_STATES, POTENTIAL, TRACE, liquid


def naive(W, excitatory, refractory, W_in, b, U, n_steps, membrane, decays, state):
    """One unit and one step at a time: the equations of the docstring."""
    keep, gain, threshold, reset = membrane
    V, s_e, s_i, left, r = (list(row) for row in state)
    units, traces = range(len(V)), []
    for u in U:
        for _ in range(n_steps):
            fired = []
            for i in units:
                current = b + sum(W_in[i, f] * u[f] for f in range(len(u))) + s_e[i] + s_i[i]
                if left[i] > 0:
                    left[i] -= 1
                else:
                    V[i] = keep * V[i] + gain * current
                    if V[i] >= threshold:
                        fired.append(i)
            for i in units:
                s_e[i], s_i[i], r[i] = s_e[i] * decays[0], s_i[i] * decays[1], r[i] * decays[2]
            for j in fired:
                V[j], left[j] = reset, refractory[j]
                r[j] += 1
                for i in units:
                    if excitatory[j]:
                        s_e[i] += W[i, j]
                    else:
                        s_i[i] += W[i, j]
        traces.append(list(r))
    return np.array(traces), np.array([V, s_e, s_i, left, r])


def network(n=12, n_features=2, n_steps=15, seed=0, dtype=np.float64):
    rng = np.random.RandomState(seed)
    excitatory = rng.uniform(size=n) < 0.7
    W = rng.exponential(4.0, (n, n)) * (rng.uniform(size=(n, n)) < 0.4)
    W = np.where(excitatory, W, -W)
    membrane = np.array([0.95, 0.05, 15.0, 13.0])
    decays = np.array([0.7, 0.8, 0.95])
    state = np.zeros((N_STATES, n))
    state[POTENTIAL], state[TRACE] = rng.uniform(10, 15, n), rng.uniform(0, 2, n)
    W_in, U = 6 * rng.randn(n, n_features), rng.randn(n_steps, n_features)
    refractory = np.where(excitatory, 3.0, 2.0)
    parts = (refractory, W_in, U, membrane, decays, state, W)
    refractory, W_in, U, membrane, decays, state, W = (part.astype(dtype) for part in parts)
    return W, excitatory, refractory, W_in, dtype(13.5), U, membrane, decays, state


def run(W, excitatory, refractory, W_in, b, U, membrane, decays, state, n_steps=4):
    """Call the kernel; `state` is left alone."""
    n = len(W)
    columns, targets = np.nonzero(W.T)
    starts = np.searchsorted(columns, np.arange(n + 1)).astype(np.uint64)
    synapses = (W.T[columns, targets], targets.astype(np.uint64), starts)
    state, traces = state.copy(), np.empty((len(U), n), dtype=W.dtype)
    bad = liquid(
        synapses,
        excitatory,
        refractory,
        np.ascontiguousarray(W_in.T),
        b,
        U,
        n_steps,
        membrane,
        decays,
        state,
        np.empty((2, n), dtype=W.dtype),
        traces,
    )
    return bad, traces, state


@pytest.mark.parametrize("seed", range(3))
def test_liquid_is_the_naive_twin(seed):
    W, excitatory, refractory, W_in, b, U, membrane, decays, state = network(seed=seed)
    bad, traces, after = run(W, excitatory, refractory, W_in, b, U, membrane, decays, state)
    wanted, last = naive(W, excitatory, refractory, W_in, b, U, 4, membrane, decays, state)
    assert bad == -1
    assert (np.diff(traces, axis=0) > 0.5).any(axis=0).sum() > 6  # most units fire
    np.testing.assert_allclose(traces, wanted, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(after, last, rtol=1e-12, atol=1e-12)


def test_liquid_keeps_single_precision():
    _, traces, state = run(*network(dtype=np.float32))
    assert traces.dtype == state.dtype == np.float32


def test_rows_may_be_cut_anywhere():
    *network_of, U, membrane, decays, state = network(n_steps=20)
    _, whole, last = run(*network_of, U, membrane, decays, state)
    parts = []
    for part in np.split(U, (1, 7)):
        _, traces, state = run(*network_of, part, membrane, decays, state)
        parts.append(traces)
    np.testing.assert_array_equal(np.concatenate(parts), whole)
    np.testing.assert_array_equal(state, last)


@pytest.mark.filterwarnings("ignore:(overflow|invalid):RuntimeWarning")  # Python bodies
@pytest.mark.parametrize("value", [-np.inf, np.nan, -1.7e308])
def test_the_first_bad_row_is_named(value):
    *network_of, U, membrane, decays, state = network(n_steps=9)
    U[4] = value
    bad, traces, _ = run(*network_of, U, membrane, decays, state)
    assert bad == 4
    assert np.isfinite(traces[:4]).all()


def test_currents_that_died_down_are_zero_and_not_subnormal():
    *network_of, _, membrane, decays, state = network()
    network_of[-1] = 0.0  # background
    _, traces, after = run(*network_of, np.zeros((400, 2)), membrane, decays, state)
    assert traces[0].max() > 0
    assert not after[1:].any()
