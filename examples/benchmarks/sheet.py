"""A sheet of results: on the screen line by line, and in a file with what it was measured on."""

import argparse
from pathlib import Path

from reservoir.evaluation._machine import machine, versions


def parse_out(description):
    """The one argument of most scripts here: ``--out FILE.md``."""
    parser = argparse.ArgumentParser(description=description.splitlines()[0])
    parser.add_argument("--out", type=Path, help="also write the sheet to this file")
    return parser.parse_args().out


def measured_on(**more):
    """Machine and versions in one line; `more` are versions of other packages and the like."""
    facts = machine() | versions() | more
    return "; ".join(f"{name} {value}" for name, value in facts.items())


def tell(lines, out=None, **more):
    """Print `lines` as they come, then `measured_on`; write all of it to `out` in the end."""
    kept = []
    for line in lines:
        print(line, flush=True)
        kept.append(line)
    kept += ["", measured_on(**more)]
    print("\n".join(kept[-2:]))
    if out is not None:
        out.write_text("\n".join(kept) + "\n", encoding="utf-8")
