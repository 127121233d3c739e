"""10^8 samples through one filter stream: is it as good, and as bounded, at the end as at first?

Two channels of four taps (8 weights) see one season after another: white noise, silence, white
noise, a tone (which excites two directions), two equal channels, a constant, a jump up by 1000, a
jump down by 10^6, AR(.95) noise, and over again. What is desired is a fixed plant's output plus
noise 20 dB below; both move with the level. The excess error, mean (clean - y)^2 over the noise's
variance, must stay at the floor that theory gives for white noise in every white season, the last
as the first, and may not pass it by more than a stated factor in any other; no weight may leave a
bound.

For RLS the floor is M (1 - l) / (1 + l) to second order (`filters.theory.predicted_mse`), for NLMS
mu / (2 - mu) M / (M - 2). Affine projection and the frequency domain have no floor of their own in
closed form: they are held to what they reach in the first white season.
Run with ``python examples/endurance/long_streams.py [--quick] [--out FILE.md]``; four minutes.
"""

import time

import numpy as np
from scipy.signal import lfilter
from verdicts import Sheet, arguments, run

from filters import AffineProjectionFilter, FrequencyDomainFilter, NLMSFilter, RLSFilter
from filters.theory import predicted_mse

N_TAPS, N_CHANNELS, NOISE = 4, 2, 0.1
PLANT = np.array([[1.0, -0.5, 0.25, 2.0], [0.1, 0.7, -1.0, 0.3]])
WHITE = np.ones(N_TAPS * N_CHANNELS)
FILTERS = {  # the filter, its floor
    "RLS": (
        RLSFilter(N_TAPS, forgetting_factor=0.99),
        predicted_mse(
            1.0, np.diag(WHITE), algorithm="rls", forgetting_factor=0.99, theory="gaussian"
        ),
    ),
    "NLMS": (
        NLMSFilter(N_TAPS, step_size=0.2, regularization=0.0),
        predicted_mse(1.0, np.diag(WHITE), algorithm="nlms", step_size=0.2, theory="gaussian"),
    ),
    "affine projection": (AffineProjectionFilter(N_TAPS, order=3, step_size=0.2), None),
    "frequency domain": (FrequencyDomainFilter(N_TAPS, step_size=0.2), None),
}
SEASONS = ("white", "silence", "white", "tone", "equal", "constant", "up", "down", "AR(.95)")
LEVEL = {"up": 1e3, "down": 1e-3}
FLOOR_WITHIN = 0.1  # share by which a white season may miss its floor
ELSEWHERE = 3.0  # times the floor in seasons that are not white
BOUND = 2.0  # |w| over |plant|
N_BLOCK, N_SETTLE = 10_000, 3000


def inputs(season, n, rng):
    """Two channels of a season, at unit level."""
    x = rng.standard_normal((n, N_CHANNELS))
    if season == "silence":
        x[:] = 0.0
    elif season == "tone":
        x[:] = np.sin(0.3 * np.arange(n))[:, np.newaxis] * [1.0, 0.5]
    elif season == "equal":
        x[:, 1] = x[:, 0]
    elif season == "constant":
        x[:] = 1.0
    elif season == "AR(.95)":
        x = lfilter([np.sqrt(1 - 0.95**2)], [1.0, -0.95], x, axis=0)
    return x


def signals(season, before, n, rng, dtype):
    """Inputs, the plant's output in their dtype's numbers, and what is desired."""
    level = LEVEL.get(season, 1.0)
    x = (level * inputs(season, n, rng)).astype(dtype)
    heard = np.concatenate([before, x]).astype(np.float64)
    clean = sum(np.convolve(heard[:, c], PLANT[c])[N_TAPS - 1 :][:n] for c in range(N_CHANNELS))
    noise = level * NOISE * rng.standard_normal(n)
    return x, clean, (clean + noise).astype(dtype)


def endure(model, dtype, n_samples, n_season):
    """Excess of every season in units of the noise, by season, and the largest weight ever."""
    rng = np.random.default_rng(0)
    session = model.stream()
    before = np.zeros((N_TAPS - 1, N_CHANNELS), dtype=dtype)
    found, largest, seen = {name: [] for name in SEASONS}, 0.0, 0
    while seen < n_samples:
        for season in SEASONS:
            total, count = 0.0, 0
            for start in range(0, n_season, N_BLOCK):
                n = min(N_BLOCK, n_season - start)
                x, clean, d = signals(season, before, n, rng, dtype)
                y = session.learn_many(x, d)
                before = x[1 - N_TAPS :]
                if not np.isfinite(y).all():
                    raise FloatingPointError(f"{model} answered with NaN or infinity")
                settled = slice(max(N_SETTLE - start, 0), None)
                total += float(np.sum((clean - y.astype(np.float64))[settled] ** 2))
                count += clean[settled].size
                largest = max(largest, float(np.linalg.norm(session.state["weights"])))
            found[season].append(total / count / (LEVEL.get(season, 1.0) * NOISE) ** 2)
            seen += n_season
    assert int(session.state["n_samples_seen"]) == seen
    return found, largest / np.linalg.norm(PLANT), seen


def judge(found, largest, floor):
    """What is wrong, in a few words, or nothing."""
    white = np.array(found["white"])
    floor = floor or np.median(white[:2])
    off = np.abs(white / floor - 1)
    if off.max() > FLOOR_WITHIN:
        return f"white season {off.argmax()} at {white[off.argmax()] / floor:.2f} times its floor"
    for name in ("silence", "tone", "equal", "constant", "up", "down", "AR(.95)"):
        if max(found[name]) > ELSEWHERE * floor:
            return f"{name} at {max(found[name]) / floor:.1f} times the floor"
    return "" if largest < BOUND else f"weights grew to {largest:.1f} times the plant's"


def main():
    args = arguments(__doc__)
    n_samples, n_season = (10**8, 500_000) if not args.quick else (180_000, 20_000)
    names = list(FILTERS) if not args.quick else ["RLS", "NLMS"]
    sheet = Sheet("Long streams")
    sheet.say(
        f"One session each, {n_samples:,} samples or a little more, in seasons of {n_season:,}, "
        f"the first {N_SETTLE:,} of each left out of its mean. Excess error over the noise's "
        "variance: floor by theory, white seasons (first, last, least, most), the most in any "
        "other season; largest norm of the weights over the plant's.",
        "",
    )
    columns = ("filter", "floor", "first", "last", "least", "most", *SEASONS[3:], "silence")
    sheet.head(*columns, "weights", "samples", "s")
    for name in names:
        model, mse = FILTERS[name]
        floor = None if mse is None else mse - 1.0
        for dtype in (np.float64, np.float32):
            start = time.process_time()
            found, largest, seen = endure(model, dtype, n_samples, n_season)
            seconds = time.process_time() - start
            white = found["white"]
            shown = [white[0], white[-1], min(white), max(white)]
            shown += [max(found[season]) for season in (*SEASONS[3:], "silence")]
            sheet.row(
                f"{name}, {dtype.__name__}",
                "-" if floor is None else f"{floor:.4f}",
                *(f"{value:.3g}" for value in shown),
                f"{largest:.2f}",
                f"{seen:,}",
                f"{seconds:.0f}",
                wrong=judge(found, largest, floor),
            )
    return sheet.finish(args.out)


if __name__ == "__main__":
    run(main)
