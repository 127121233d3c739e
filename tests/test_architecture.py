"""The walls of the house: which room may import which."""

import ast
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import reservoir

ROOT = Path(__file__).resolve().parents[1]
SOURCES = sorted([*ROOT.glob("filters/**/*.py"), *ROOT.glob("reservoir/**/*.py")])


def module_of(path):
    return ".".join(path.relative_to(ROOT).with_suffix("").parts)


def imports_of(path):
    """Absolute names of the modules of ours that a file imports anywhere."""
    package = module_of(path).split(".")[:-1]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            names = [".".join([*base, *([node.module] if node.module else [])])]
        else:
            continue
        yield from (name for name in names if name.split(".")[0] in ("filters", "reservoir"))


def ids(paths):
    return [module_of(path) for path in paths]


@pytest.mark.parametrize("path", SOURCES, ids=ids(SOURCES))
def test_imports_go_one_way(path):
    module, found = module_of(path), list(imports_of(path))
    if module.startswith("filters"):
        assert not [name for name in found if name.startswith("reservoir")]
    if ".kernels" in module:
        assert set(found) <= {"reservoir.kernels.activations"}
    if not module.startswith(("reservoir.evaluation", "reservoir.__main__")):
        assert not [name for name in found if name.startswith("reservoir.evaluation")]


@pytest.mark.parametrize("path", SOURCES, ids=ids(SOURCES))
def test_no_print_bare_except_or_loose_fastmath(path):
    text = path.read_text(encoding="utf-8")
    assert "except:" not in text
    flags = set(re.findall(r"fastmath=(\S[^)\n]*)", text))
    assert flags <= {'{"reassoc", "contract"}', '{"contract"}', "False"}  # off may be said aloud
    calls = [n for n in ast.walk(ast.parse(text)) if isinstance(n, ast.Call)]
    printed = [c for c in calls if isinstance(c.func, ast.Name) and c.func.id == "print"]
    assert not printed or path.name == "__main__.py"


@pytest.mark.parametrize("path", SOURCES, ids=ids(SOURCES))
def test_private_scikit_learn_has_one_home(path):
    """What older libraries broke on with every release."""
    private = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        else:
            continue
        private += [n for n in names if n.startswith("sklearn.") and "._" in n]
    assert not private or module_of(path) == "filters.timeseries._sklearn_private"


KERNELS = [path for path in SOURCES if ".kernels." in module_of(path)]


@pytest.mark.parametrize("path", KERNELS, ids=ids(KERNELS))
def test_kernels_draw_and_raise_nothing(path):
    """Numba keeps a random stream of its own, which no `random_state` reaches."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    assert not [node for node in ast.walk(tree) if isinstance(node, (ast.Raise, ast.Assert))]
    attributes = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    assert not attributes & {"random", "default_rng", "RandomState"}


def test_version_has_one_value():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert reservoir.__version__ == project["version"]


def test_optional_dependencies_are_imported_where_used():
    missing = "import sys; sys.modules.update(dict.fromkeys(('matplotlib', 'jinja2')));"
    rooms = "filters, reservoir, reservoir.baselines, reservoir.datasets, reservoir.evaluation"
    done = subprocess.run(
        [sys.executable, "-c", f"{missing} import {rooms}"], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
