"""A foreign top-level package `filters` on the path: one clear error, and never a wrong import."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


def import_reservoir(*first, code="import reservoir; print(reservoir.Reservoir.__name__)"):
    """Run `code` in a fresh interpreter whose path begins with `first`, then ours."""
    path = os.pathsep.join(map(str, [*first, ROOT]))
    environment = {**os.environ, "PYTHONPATH": path, "PYTHONSAFEPATH": "1"}
    return subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False
    )


def foreign_package(folder, name="filters"):
    package = folder / name
    package.mkdir()
    (package / "__init__.py").write_text("raise RuntimeError('never imported')\n")
    return package


def dist_info(folder, files, name="other-filters"):
    info = folder / f"{name.replace('-', '_')}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    for file, text in files.items():
        (info / file).write_text(text)


def last_line(run):
    assert run.returncode == 1
    lines = run.stderr.strip().splitlines()
    assert lines[-1].startswith("ImportError: ")
    # One error, raised in one place: nothing was imported half way before it.
    assert run.stderr.count("Traceback") == 1
    assert "never imported" not in run.stderr
    return lines[-1]


def test_our_own_filters_are_accepted():
    run = import_reservoir()
    assert run.returncode == 0, run.stderr
    assert run.stdout.strip() == "Reservoir"


def test_a_foreign_package_of_nobody_is_named_with_its_place(tmp_path):
    package = foreign_package(tmp_path)
    message = last_line(import_reservoir(tmp_path))
    assert str(package) in message
    assert "no installed distribution" in message
    assert f"move {package} away" in message
    assert "pip install --force-reinstall --no-deps reservoir-filters" in message


@pytest.mark.parametrize(
    "files",
    [
        {"top_level.txt": "filters\n"},
        {"RECORD": "filters/__init__.py,,\nother_filters-1.0.dist-info/METADATA,,\n"},
        {"top_level.txt": "filters\n", "RECORD": "filters/__init__.py,,\n"},
    ],
    ids=["top_level", "record", "both"],
)
def test_the_distribution_that_owns_it_is_named_with_the_remedy(tmp_path, files):
    package = foreign_package(tmp_path)
    dist_info(tmp_path, files)
    message = last_line(import_reservoir(tmp_path))
    assert str(package) in message
    assert "the distribution other-filters" in message
    assert "pip uninstall other-filters, then pip install --force-reinstall" in message


def test_other_distributions_are_not_accused(tmp_path):
    foreign_package(tmp_path)
    dist_info(tmp_path, {"top_level.txt": "something_else\n"})
    message = last_line(import_reservoir(tmp_path))
    assert "other-filters" not in message


def test_a_foreign_module_is_named_as_the_file_it_is(tmp_path):
    module = tmp_path / "filters.py"
    module.write_text("raise RuntimeError('never imported')\n")
    message = last_line(import_reservoir(tmp_path))
    assert f"move {module} away" in message


def test_missing_filters_ask_for_a_reinstallation(tmp_path):
    (tmp_path / "reservoir").symlink_to(ROOT / "reservoir", target_is_directory=True)
    environment = {**os.environ, "PYTHONPATH": str(tmp_path), "PYTHONSAFEPATH": "1"}
    code = (
        "import sys\n"
        "sys.meta_path = [f for f in sys.meta_path if 'editable' not in repr(f).lower()]\n"
        f"sys.path = [p for p in sys.path if p != {str(ROOT)!r}]\n"
        "import reservoir"
    )
    run = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False
    )
    message = last_line(run)
    assert "is missing" in message
    assert "pip install --force-reinstall reservoir-filters" in message
