"""The sheet the published_*.py scripts print: figure by figure, published beside measured."""

import argparse
import time
from pathlib import Path

import numpy as np

from reservoir.evaluation._machine import machine, versions

HEAD = (
    "| what | median | mean | min | max | published | gate | |\n|---|---|---|---|---|---|---|---|"
)


class ScoreSheet:
    """Collect the figures of one goal, print them as they come, write them to a file at the end.

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
        self._lines = []
        self._rows, self._lists = [], []
        self.say(f"# {title}", "", f"Metric: {metric}.", "")

    def say(self, *lines):
        """Print lines and keep them for the file."""
        for line in lines:
            print(line, flush=True)
        self._lines += lines

    def add(self, name, values, *, published="-", gate="-", met=None, digits=3):
        """Add the figures of all seeds; `met` is True, False, or None where nothing is at stake."""
        values = np.asarray(values, dtype=float)
        shown = [np.median(values), values.mean(), values.min(), values.max()]
        middle = " | ".join(f"{value:#.{digits}g}" for value in shown)
        verdict = "" if met is None else "MET" if met else "**NOT MET**"
        self._rows.append(f"| {name} | {middle} | {published} | {gate} | {verdict} |")
        each = " ".join(f"{value:#.{digits}g}" for value in values)
        self._lists.append(f"- {name}: {each}")
        print(f"{name}: median {shown[0]:#.{digits}g}  {verdict}", flush=True)

    def finish(self, out=None):
        """Print the table, the list of every seed, the time taken and where; write it to `out`."""
        wall, cpu = time.perf_counter() - self._wall, time.process_time() - self._cpu
        facts = "; ".join(f"{name} {value}" for name, value in (machine() | versions()).items())
        if self._rows:
            print()
            self.say(*HEAD.splitlines(), *self._rows, "", "Seed by seed:", "", *self._lists, "")
        self.say(f"{cpu:.0f} s of CPU time, {wall:.0f} s by the clock, {self._dtype}. {facts}")
        if out is not None:
            out.parent.mkdir(parents=True, exist_ok=True)
            out.write_text("\n".join(self._lines) + "\n", encoding="utf-8")


def parse_out(description):
    """The one argument of these scripts: ``--out FILE.md``."""
    parser = argparse.ArgumentParser(description=description.splitlines()[0])
    parser.add_argument("--out", type=Path, help="also write the sheet to this file")
    return parser.parse_args().out
