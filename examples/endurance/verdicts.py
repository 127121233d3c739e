"""What the scripts of this folder share: a sheet of rows that hold or do not, and the exit code."""

import argparse
import sys
from pathlib import Path

from reservoir.evaluation._machine import machine, versions


class Sheet:
    """Lines that are printed as they come and written at the end.

    Parameters
    ----------
    title : str
    """

    def __init__(self, title):
        self.failures = []
        self._lines = []
        self.say(f"# {title}", "")

    def say(self, *lines):
        """Print lines and keep them for the file."""
        for line in lines:
            print(line, flush=True)
        self._lines += lines

    def row(self, *cells, wrong=""):
        """A row of a table; `wrong` says why it fails, where it does."""
        verdict = f"**{wrong}**" if wrong else "holds"
        self.say("| " + " | ".join([*map(str, cells), verdict]) + " |")
        if wrong:
            self.failures.append(f"{cells[0]}: {wrong}")

    def head(self, *columns):
        """The head of a table, the verdict's column included."""
        self.say("| " + " | ".join([*columns, ""]) + " |", "|---" * (len(columns) + 1) + "|")

    def finish(self, out=None):
        """Say what failed and what was measured with; write the file; give the exit code."""
        n = len(self.failures)
        self.say("", f"{n} failed: {'; '.join(self.failures)}." if n else "All hold.", "")
        self.say("; ".join(f"{name} {value}" for name, value in (machine() | versions()).items()))
        if out is not None:
            out.write_text("\n".join(self._lines) + "\n", encoding="utf-8")
        return min(n, 1)


def arguments(about, **options):
    """Parse the command line: ``--quick``, ``--out`` and whole numbers by name."""
    parser = argparse.ArgumentParser(description=about.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="a small run, for the tests")
    parser.add_argument("--out", type=Path, help="also write the sheet to this file")
    for name, (value, about_it) in options.items():
        parser.add_argument(f"--{name}", type=int, default=value, help=about_it)
    return parser.parse_args()


def run(main):
    """Run a script's `main` and leave with its exit code."""
    sys.exit(main())
