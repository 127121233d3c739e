"""`reservoir compare` killed at random moments and resumed: is anything lost, or half written?

The process group is killed (SIGKILL) after a random share of the time a whole run takes, then the
same command is given again, until a folder is finished; then a new folder begins, until there were
so many kills, with one process and with two. After every kill the folder's files must be whole and
all rows in them final; a finished folder must hold the rows, the parameters and the predictions of
an uninterrupted run, all but the seconds, and neither a lock nor a half file. No process of a
killed group may live on.
Run with ``python examples/endurance/killed.py [--quick] [--kills N] [--out FILE.md]``; about ten
minutes.
"""

import os
import random
import signal
import subprocess
import sys
import tempfile
import time
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pandas as pd
from verdicts import Sheet, arguments, run

WORDS = "compare --quick --tasks {} --models {} --seeds {}"
LONG = "sunspots,narma10", "persistence,linear,nlms,rls", "0,1"
SHORT = "sunspots", "persistence,linear", "0"
SECONDS = ["fit_seconds", "predict_seconds", "search_seconds"]
KEY = ["task", "model", "seed"]
GONE_WITHIN = 30.0  # seconds a killed group may take to vanish


def start(folder, words, jobs):
    """The command in a process group of its own."""
    command = [sys.executable, "-m", "reservoir", *words.split()]
    command += ["--jobs", str(jobs), "--out", str(folder)]
    pipes = {"stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE}
    return subprocess.Popen(command, start_new_session=True, text=True, **pipes)


def finish(folder, words, jobs):
    """Run to the end; the seconds it took."""
    begin = time.perf_counter()
    with start(folder, words, jobs) as process:
        said = process.communicate()[1]
    if process.returncode != 0:
        raise RuntimeError(f"exit code {process.returncode}: {said}")
    return time.perf_counter() - begin


def kill(process):
    """Kill the whole group; what is wrong, if one of it lives on."""
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    deadline = time.perf_counter() + GONE_WITHIN
    while time.perf_counter() < deadline:
        try:
            os.killpg(process.pid, 0)
        except ProcessLookupError:
            return ""
        time.sleep(0.01)
    return "a process of the killed group lives on"


def rows_of(folder):
    """The rows as text, without what a clock wrote."""
    frame = pd.read_csv(folder / "results.csv", dtype=str, keep_default_na=False)
    return frame.drop(columns=SECONDS).set_index(KEY)


def readable(path):
    """Whether an archive can be read to its end."""
    try:
        with open(path, "rb") as file, np.load(file) as archive:
            return all(archive[name].size >= 0 for name in archive.files)
    except (zipfile.BadZipFile, ValueError, EOFError):
        return False


def torn(folder, whole):
    """What is wrong with the files of a killed run, or nothing."""
    if (folder / "results.csv").exists():
        rows = rows_of(folder)
        if not rows.equals(whole.loc[rows.index]):
            return "a row differs after a kill"
    for path in folder.glob("predictions/*.npz"):
        if not readable(path):
            return f"{path.name} is not whole"
    for name, end in (("report.html", "</html>"), ("report.md", "")):
        path = folder / name
        if path.exists() and not path.read_text("utf-8").rstrip().endswith(end):
            return f"{name} is not whole"
    return ""


def differs(folder, reference):
    """What a finished folder has that an uninterrupted run has not, or nothing."""
    if not rows_of(folder).equals(rows_of(reference)):
        return "the final rows differ"
    names = [{p.relative_to(f) for f in [d] for p in d.rglob("*")} for d in (folder, reference)]
    if names[0] != names[1]:
        return f"files left or missing: {sorted(map(str, names[0] ^ names[1]))}"
    for path in reference.glob("predictions/*.npz"):
        with np.load(path) as ours, np.load(folder / "predictions" / path.name) as theirs:
            if any(ours[name].tobytes() != theirs[name].tobytes() for name in ours.files):
                return f"{path.name} differs"
    return ""


def uninterrupted(root, words, jobs):
    """A finished folder, the seconds a run takes with everything compiled, and what is wrong."""
    reference, again = root / f"whole-{jobs}", root / f"again-{jobs}"
    finish(reference, words, jobs)
    seconds = finish(again, words, jobs)
    return reference, seconds, differs(again, reference)


def endure(root, words, jobs, seconds, reference, n_kills, seed):
    """Folders finished, rows found after each kill, and what went wrong."""
    rng, whole, wrong = random.Random(seed), rows_of(reference), ""
    folders, kept = 0, []
    while len(kept) < n_kills and not wrong:
        folder = root / f"{jobs}-{seed}-{folders}"
        while len(kept) < n_kills and not wrong:
            with start(folder, words, jobs) as process:
                try:
                    process.communicate(timeout=rng.uniform(0, seconds))
                    break  # it was faster
                except subprocess.TimeoutExpired:
                    wrong = kill(process) or torn(folder, whole)
            kept.append(len(rows_of(folder)) if (folder / "results.csv").exists() else 0)
        if not wrong:
            finish(folder, words, jobs)
            wrong = differs(folder, reference)
            folders += 1
    return folders, kept, wrong


def main():
    about = {"kills": (25, "kills with each number of processes"), "at_once": (2, "runs at a time")}
    args = arguments(__doc__, **about)
    words = WORDS.format(*(SHORT if args.quick else LONG))
    n_kills, jobs = (1, (1,)) if args.quick else (args.kills, (1, 2))
    sheet = Sheet("A comparison that is killed")
    sheet.say(f"`reservoir {words}`, killed at random moments and resumed.", "")
    sheet.head("processes", "kills", "finished after kills", "rows found after each kill", "run, s")
    shares = [n_kills // args.at_once + (k < n_kills % args.at_once) for k in range(args.at_once)]
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(args.at_once) as pool:
        root = Path(folder)
        for n_jobs in jobs:
            reference, seconds, wrong = uninterrupted(root, words, n_jobs)
            told = (root, words, n_jobs, seconds, reference)
            work = [pool.submit(endure, *told, share, seed) for seed, share in enumerate(shares)]
            finished, kept, wrongs = zip(*(one.result() for one in work), strict=True)
            kept = [n for part in kept for n in part]
            sheet.row(
                n_jobs,
                len(kept),
                sum(finished),
                f"of {len(rows_of(reference))}: {' '.join(map(str, kept))}",
                f"{seconds:.1f}",
                wrong="; ".join(filter(None, [wrong, *wrongs])),
            )
    return sheet.finish(args.out)


if __name__ == "__main__":
    run(main)
