"""What the recurrent_*.py scripts share: their arguments, and who does how well at what cost."""

import argparse
import time
from pathlib import Path
from typing import NamedTuple

import numpy as np
from joblib import Parallel, delayed
from sheet import measured_on
from threadpoolctl import threadpool_limits

HEAD = (
    "| what | median | mean | min | max | published | gate | |\n|---|---|---|---|---|---|---|---|"
)


class Run(NamedTuple):
    """One model with one seed.

    Attributes
    ----------
    scores : dict
        Figure by name; the first is the one models are compared by.
    seen : int
        Sequences learned from, each time it is shown counted.
    seconds : float
        Processor time of learning.
    n_parameters : int
        Learned, not drawn.
    """

    scores: dict
    seen: int
    seconds: float
    n_parameters: int


class Stopwatch:
    """Processor time inside ``with`` blocks, on one BLAS thread."""

    def __init__(self):
        self.seconds = 0.0

    def __enter__(self):
        self._limits = threadpool_limits(1)
        self._start = time.process_time()
        return self

    def __exit__(self, *_):
        self.seconds += time.process_time() - self._start
        self._limits.restore_original_limits()


class Contest:
    """Run models seed by seed and write who did how well, after how much, at what cost.

    Parameters
    ----------
    title : str
    metric : str
        The formula of the figures.
    jobs : int, default=1
        Seeds at a time, each a process.
    """

    def __init__(self, title, metric, jobs=1):
        self._jobs = jobs
        self._lines, self._rows, self._lists, self._costs = [], [], [], []
        self.say(f"# {title}", "", f"Metric: {metric}.", "")

    def say(self, *lines):
        """Print lines and keep them for the file."""
        for line in lines:
            print(line, flush=True)
        self._lines += lines

    def run(self, name, measure, seeds, gates=None):
        """Call ``measure(seed)``, a `Run`, for all seeds.

        Parameters
        ----------
        name : str
        measure : callable
        seeds : iterable of int
        gates : dict, optional
            Name of a score -> (published, gate, met), the last a function of the seeds' values.

        Returns
        -------
        dict
            The values of each score, one a seed.
        """
        runs = Parallel(self._jobs)(delayed(measure)(seed) for seed in seeds)
        found = {key: np.array([run.scores[key] for run in runs]) for key in runs[0].scores}
        for key, values in found.items():
            published, gate, met = (gates or {}).get(key, ("-", "-", None))
            verdict = None if met is None else met(values)
            self._add(f"{name}: {key}", values, published, gate, verdict)
        first = next(iter(found.values()))
        seen, seconds = (np.median([getattr(r, key) for r in runs]) for key in ("seen", "seconds"))
        self._costs.append(
            f"| {name} | {np.median(first):#.3g} | {seen:,.0f} | {seconds:#.3g} | "
            f"{runs[0].n_parameters:,} |"
        )
        return found

    def _add(self, name, values, published, gate, met):
        shown = [np.median(values), values.mean(), values.min(), values.max()]
        middle = " | ".join(f"{value:#.3g}" for value in shown)
        verdict = "" if met is None else "MET" if met else "**NOT MET**"
        self._rows.append(f"| {name} | {middle} | {published} | {gate} | {verdict} |")
        self._lists.append(f"- {name}: {' '.join(f'{value:#.3g}' for value in values)}")
        print(f"{name}: median {shown[0]:#.3g}  {verdict}", flush=True)

    def finish(self, score, out=None):
        """Write the costs, the figures and every seed; `score` is what models are compared by."""
        self.say(
            "",
            f"| medians | {score} | sequences seen | seconds of processor time | parameters |",
            "|---|---|---|---|---|",
            *self._costs,
            "",
        )
        self.say(*HEAD.splitlines(), *self._rows, "", "Seed by seed:", "", *self._lists, "")
        self.say(f"Seconds are those of one thread, data and tests not counted. {measured_on()}")
        if out is not None:
            out.parent.mkdir(parents=True, exist_ok=True)
            out.write_text("\n".join(self._lines) + "\n", encoding="utf-8")


def arguments(description, *, budget, budget_help, n_seeds):
    """The arguments ``--budget N``, ``--seeds N``, ``--jobs N`` and ``--out FILE.md``."""
    parser = argparse.ArgumentParser(description=description.splitlines()[0])
    parser.add_argument("--budget", type=int, default=budget, help=f"{budget_help} ({budget})")
    parser.add_argument("--seeds", type=int, default=n_seeds, help=f"seeds 0, 1, ... ({n_seeds})")
    parser.add_argument("--jobs", type=int, default=1, help="seeds at a time (1)")
    parser.add_argument("--out", type=Path, help="also write the sheet to this file")
    return parser.parse_args()
