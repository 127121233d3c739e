"""Notch that cancels a tone with references it synthesises and, on request, tracks it."""

import numpy as np
from numba import njit

# Gains of the frequency loop relative to its rate (see `notch`), found by trial on white noise and
# an ECG under hum that drifts smoothly, walks at random, jumps, comes late or not at all.
_FREQUENCY_GAIN = 0.5
_SLEW_GAIN = 0.04
_SLEW_LEAK = 0.02
_BAND = 5.0
_LEVEL_DECAY = 0.1
# The band around the tone must reach neither zero nor half the sampling rate: the rate goes no
# further than that of a notch of a tenth of the distance.
_LARGEST_RATE = 0.1
# Information below which the frequency is not believed, and how fast it then goes home.
_DOUBT = 0.15
_HOMING = 0.1
# A harmonic helps to track where its amplitude is more than twice what disturbs it.
_GATE = 16.0


@njit(cache=True, error_model="numpy", nogil=True)
def notch(x, g, scale, home, track, frequency, loop, a, z, level, out, path):
    """Cancel y = sum_h Re(a_h p_h), p_h = exp(j h phase), by LMS: a_h <- a_h + g e conj(p_h).

    One cosine and one sine a sample; the harmonics are powers, p_h = p_(h-1) p_1, whose rounding
    cannot build up because p_1 is fresh in every sample. No fastmath: tracking is a feedback loop,
    and its bits must not depend on the machine.

    The a-priori error e has the gain 1 / (1 - n g / 2) at zero and at half the sampling rate, for n
    harmonics; it is written without that gain. This is the error of the mean of the amplitudes
    before and after the sample.

    Parameters
    ----------
    x : ndarray (n,)
        Signal.
    g : float
        Rate of the amplitudes; the product with the number of harmonics must be below 2.
    scale : float
        2 pi / fs: radians a sample for one unit of frequency.
    home : float
        Frequency to go back to where no tone is heard.
    track : bool
        Whether the frequency adapts.
    frequency : ndarray (1,), updated in place
    loop : ndarray (5,) = [slew, phase, phase before, last error, rows heard], updated in place
        Slew in units of frequency a sample.
    a : ndarray of complex (n_harmonics,), updated in place
        Amplitudes; zero for a harmonic at or above fs / 2, which is switched off.
    z, level : ndarray of complex (4, n_harmonics), ndarray (n_harmonics,), updated in place
        As in `_phase_error`.
    out, path : ndarray (n,), written
        Signal without the tone; frequency after every sample.

    Returns
    -------
    int
        First sample whose answer or frequency is not finite, or -1.
    """
    f, slew, phase, last, seen = frequency[0], loop[0], loop[1], loop[3], loop[4]
    before = complex(np.cos(loop[2]), np.sin(loop[2]))
    half = np.pi / scale
    rate = min(g, _LARGEST_RATE * scale * min(home, half - home))
    bad = -1
    for k in range(x.size):
        p = complex(np.cos(phase), np.sin(phase))
        power = complex(1.0, 0.0)
        y = 0.0
        n_on = 0
        for h in range(a.size):
            power *= p
            if (h + 1) * f < half:
                n_on += 1
                y += a[h].real * power.real - a[h].imag * power.imag
            else:
                a[h] = level[h] = 0.0
                z[:, h] = 0.0
        error = x[k] - y
        out[k] = (1.0 - 0.5 * n_on * g) * error
        if track and seen > 0.0:
            turn, information = _phase_error(error - last, rate, p, before, a[:n_on], z, level)
            trust = information / (information + _DOUBT)
            gain = _FREQUENCY_GAIN * rate
            step = gain * 0.5 * g / scale * turn / (information + _DOUBT)
            slew += _SLEW_GAIN * rate * (trust * step - _SLEW_LEAK * slew)
            slew -= gain * (1.0 - trust) * slew
            f += step + slew + _HOMING * gain * (1.0 - trust) ** 2 * (home - f)
            if f < 0.01 * home or f > half - 0.01 * (half - home):
                f = min(max(f, 0.01 * home), half - 0.01 * (half - home))
                slew = 0.0
        if not np.isfinite(out[k]) or not np.isfinite(f):
            bad = k
            break
        power = complex(1.0, 0.0)
        for h in range(n_on):
            power *= p
            a[h] += g * error * power.conjugate()
        path[k] = f
        before, last = p, error
        seen += 1.0
        loop[2] = phase
        phase += f * scale
        if phase > np.pi:
            phase -= 2.0 * np.pi
    frequency[0] = f
    loop[0], loop[1], loop[3], loop[4] = slew, phase, last, seen
    return bad


@njit(cache=True, error_model="numpy", nogil=True)
def _phase_error(step, rate, p, before, a, z, level):
    """Phase error of the estimate times its information, and the information.

    The *difference* of the error is compared with the difference of every reference, so that a
    constant or slow wander of the signal, however large, disturbs little. What is left in a band
    of two poles around a harmonic, z, is divided by its own upper envelope, the level, and so is
    the amplitude: the result does not depend on the scale of the signal, bursts count for little,
    and a harmonic counts as much as it is sure. The amplitude passes the same band, which takes
    out the ripple that a constant leaves in it.

    A tone off by delta leaves tan(phase error) = 2 delta / g, however large delta.
    """
    band = min(_BAND * rate, 0.5)
    turn, information = 0.0, 0.0
    power, power_before = complex(1.0, 0.0), complex(1.0, 0.0)
    for h in range(a.size):
        power *= p
        power_before *= before
        change = power - power_before
        size = change.real * change.real + change.imag * change.imag
        if size > 0.0:
            z[0, h] += band * (2.0 * step / size * change.conjugate() - z[0, h])
        z[1, h] += band * (z[0, h] - z[1, h])
        z[2, h] += band * (a[h] - z[2, h])
        z[3, h] += band * (z[2, h] - z[3, h])
        heard = np.abs(z[1, h])
        if not np.isfinite(heard):
            return np.nan, np.nan
        level[h] = max(heard, (1.0 - _LEVEL_DECAY * rate) * level[h])
        if level[h] > 0.0:
            left, tone = z[1, h] / level[h], z[3, h] / level[h]
            ratio = tone.real * tone.real + tone.imag * tone.imag
            gate = 1.0 if h == 0 else ratio * ratio / (ratio * ratio + _GATE)
            turn += (h + 1) * gate * (left * tone.conjugate()).imag
            information += (h + 1) * (h + 1) * gate * ratio
    return turn, information
