"""Leaky integrate-and-fire units driven by data; only units that fire cost a look at W.

No fastmath at all: a spike is a threshold crossed, so one rounding more or less may move it, and
states must not depend on how rows are cut into blocks nor on the machine's vector width.
"""

import numpy as np
from numba import njit

# Rows of the state: potential, excitatory and inhibitory current received, refractory steps left,
# trace of the own spikes.
POTENTIAL, EXCITED, INHIBITED, REFRACTORY, TRACE = range(5)
N_STATES = 5
_NEGLIGIBLE = 1e-30  # decaying numbers below it become zero: subnormal ones are very slow


@njit(cache=True, error_model="numpy", nogil=True)
def liquid(
    synapses,
    excitatory,
    refractory,
    input_columns,
    background,
    inputs,
    n_steps,
    membrane,
    decays,
    state,
    work,
    traces,
):
    """Drive the units for `n_steps` steps of h a row; keep their spike traces after every row.

    A step, with I(t) = b + W_in u + s_e + s_i and p = exp(-h / tau_m)::

        refractory:  V = V_reset
        else:        V <- p V + (1 - p) I;  where V >= theta: a spike, V = V_reset, refractory
        s <- exp(-h / tau_s) s + W spikes,  r <- exp(-h / tau_r) r + spikes

    Parameters
    ----------
    synapses : tuple (weights, targets, starts)
        W by columns: unit j hands ``weights[k]`` to unit ``targets[k]`` for k in
        ``starts[j] .. starts[j + 1]``; unsigned indices.
    excitatory : ndarray of bool (n_units,)
        Which of the two currents a unit's spikes feed.
    refractory : ndarray (n_units,)
        Steps without integration after a spike.
    input_columns : ndarray (n_features, n_units)
        W_in transposed.
    background : float
        The current b.
    inputs : ndarray (n_timesteps, n_features)
    n_steps : int
    membrane : ndarray (4,)
        p, 1 - p, theta, V_reset.
    decays : ndarray (3,)
        Factors of excitatory current, inhibitory current and trace.
    state : ndarray (5, n_units), updated in place
        See the head of this file.
    work : ndarray (2, n_units)
        Work space: drive, and which units fire.
    traces : ndarray (n_timesteps, n_units), written

    Returns
    -------
    int
        First row after which a potential is not finite, or -1.
    """
    weights, targets, starts = synapses
    keep, gain, threshold, reset = membrane
    drive, fired = work
    potential, left, trace = state[POTENTIAL], state[REFRACTORY], state[TRACE]
    n_units = potential.size
    zero, one = state.dtype.type(0), state.dtype.type(1)
    for t in range(inputs.shape[0]):
        for i in range(n_units):
            drive[i] = background
        for f in range(input_columns.shape[0]):
            column, u = input_columns[f], inputs[t, f]
            for i in range(n_units):
                drive[i] += column[i] * u
        for _ in range(n_steps):
            for i in range(n_units):
                current = drive[i] + state[EXCITED, i] + state[INHIBITED, i]
                for kind in range(2):
                    state[EXCITED + kind, i] *= decays[kind]
                trace[i] *= decays[2]
                fired[i] = zero
                if left[i] > zero:
                    left[i] -= one
                    continue
                potential[i] = keep * potential[i] + gain * current
                if potential[i] >= threshold:
                    fired[i] = one
                    potential[i] = reset
                    left[i] = refractory[i]
                    trace[i] += one
            for j in range(np.uint64(n_units)):
                if fired[j] > zero:
                    received = state[EXCITED] if excitatory[j] else state[INHIBITED]
                    for k in range(starts[j], starts[j + np.uint64(1)]):
                        received[targets[k]] += weights[k]
        for i in range(n_units):
            if not np.isfinite(potential[i]):
                return t
            for kind in (EXCITED, INHIBITED, TRACE):
                if abs(state[kind, i]) < _NEGLIGIBLE:
                    state[kind, i] = zero
            traces[t, i] = trace[i]
    return -1
