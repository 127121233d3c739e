"""What the scripts that set models against each other on one task share: the table and a verdict.

A model enters with a function that fits and scores it once; the contest notes the scores of all
seeds, how many numbers training set and the CPU seconds it took, and says who won and by how much.
"""

import time

import numpy as np
from sheet import measured_on


class Contest:
    """A sheet of tables, one a task, models in rows, printed as they come and written at the end.

    Parameters
    ----------
    title : str
    metric : str
        The formula every figure of the sheet follows.
    dtype : str, default="float64"
        What was computed in, for the last line.
    """

    def __init__(self, title, metric, dtype="float64"):
        self._dtype = dtype
        self._wall, self._cpu = time.perf_counter(), time.process_time()
        self._lines, self._entries, self._seeds = [], {}, []
        self.say(f"# {title}", "", f"Metric: {metric}.", "")

    def say(self, *lines):
        """Print lines and keep them for the file."""
        for line in lines:
            print(line, flush=True)
        self._lines += lines

    def enter(self, name, play, seeds=(0,)):
        """Note what ``play(seed) -> (scores, model)`` answers and takes, seed by seed.

        `scores` is a number, or a dict of them where one model has several tables. `model` is what
        was fitted, for the count of its numbers, or that count. Returns the last.
        """
        found, seconds = {}, []
        for seed in seeds:
            start = time.process_time()
            scores, model = play(seed)
            seconds.append(time.process_time() - start)
            for table, score in (scores if isinstance(scores, dict) else {None: scores}).items():
                found.setdefault(table, []).append(float(score))
        size = model if isinstance(model, int) else n_trained(model)
        for table, scores in found.items():
            entry = (float(np.median(scores)), scores, size, float(np.median(seconds)))
            self._entries.setdefault(table, {})[name] = entry
            print(f"{name}: {' '.join(f'{score:.4g}' for score in scores)}", flush=True)
        return model

    def close(self, task, table=None, *, lower_wins=True):
        """Print what was entered with scores of the name `table`, and who won; forget them."""
        entries = self._entries.pop(table)
        self.say(f"## {task}", "", "| model | median | min | max | trained numbers | CPU s |")
        self.say("|---|---|---|---|---|---|")
        for name, (median, scores, size, seconds) in entries.items():
            figures = " | ".join(f"{value:#.4g}" for value in (median, min(scores), max(scores)))
            self.say(f"| {name} | {figures} | {size} | {seconds:#.2g} |")
            each = " ".join(f"{value:#.4g}" for value in scores)
            self._seeds.append(f"- {task}, {name}: {each}")
        self.say("", verdict(entries, 1 if lower_wins else -1), "")

    def finish(self, out=None):
        """Print every seed, the time taken and where; write all to `out`."""
        self.say("Seed by seed:", "", *self._seeds, "")
        wall, cpu = time.perf_counter() - self._wall, time.process_time() - self._cpu
        self.say(
            f"{cpu:.0f} s of CPU time, {wall:.0f} s by the clock, {self._dtype}. {measured_on()}"
        )
        if out is not None:
            out.write_text("\n".join(self._lines) + "\n", encoding="utf-8")


def verdict(entries, sign=1):
    """A sentence: the best median, the distance to every other and what it cost.

    Parameters
    ----------
    entries : dict
        ``name: (median, scores, size, seconds)``.
    sign : {1, -1}
        1 where lower is better.
    """
    ranked = sorted(entries, key=lambda name: sign * entries[name][0])
    first = ranked[0]
    best, scores, size, seconds = entries[first]
    worst = max(sign * score for score in scores)
    parts = []
    for name in ranked[1:]:
        median, others, other_size, other_seconds = entries[name]
        tie = " (seeds overlap)" if min(sign * score for score in others) <= worst else ""
        parts.append(
            f"{name} {median:#.4g}{tie} with {_times(other_size, size)} the numbers and "
            f"{_times(other_seconds, seconds)} the seconds"
        )
    return f"First: {first}, {best:#.4g}. Then {'; '.join(parts)}."


def _times(other, own):
    return f"{other / own:.2g}x" if own > 0 else "-"


def n_trained(model):
    """How many numbers training set: weights and biases of a fitted model, or of its readout."""
    if hasattr(model, "estimator_"):  # a forecaster
        return n_trained(model.estimator_)
    if hasattr(model, "steps"):  # a pipeline
        return n_trained(model[-1])
    if getattr(model, "readout_", None) is not None:
        return n_trained(model.readout_)
    names = ("weights_", "head_weights_", "head_biases_", "output_weights_", "output_bias_")
    names += ("coef_", "intercept_", "coefs_", "intercepts_")
    return sum(_size(getattr(model, name)) for name in names if hasattr(model, name))


def _size(part):
    if isinstance(part, dict):
        return sum(_size(value) for value in part.values())
    if isinstance(part, list | tuple):
        return sum(_size(value) for value in part)
    return int(np.size(part))


def fetched(load):
    """``load()``, or the end of the program with what to do about the missing data."""
    try:
        return load()
    except FileNotFoundError as error:
        raise SystemExit(f"This script needs data that are fetched once.\n{error}") from error
