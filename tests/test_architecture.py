"""The walls of the house: which room may import which."""

import ast
import re
import subprocess
import sys
import tomllib
from functools import cache
from pathlib import Path

import reservoir

ROOT = Path(__file__).resolve().parents[1]
SOURCES = sorted([*ROOT.glob("filters/**/*.py"), *ROOT.glob("reservoir/**/*.py")])


@cache
def tree_of(path):
    return ast.parse(path.read_text(encoding="utf-8"))


def module_of(path):
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {module_of(path): path for path in SOURCES}


def for_types_only(test):
    return isinstance(test, ast.Name) and test.id == "TYPE_CHECKING"


def statements(node, types):
    """The import statements below a node; those for type checkers only where `types` asks."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import | ast.ImportFrom):
            yield child
        elif types or not (isinstance(child, ast.If) and for_types_only(child.test)):
            yield from statements(child, types)


def imports_of(path, types=True):
    """Our modules that a file imports anywhere, inside functions too.

    What a lazy package imports stands in its ``__init__.py`` under TYPE_CHECKING, and is real.
    """
    is_package = path.name == "__init__.py"
    package = module_of(path).split(".")
    package = package if is_package else package[:-1]
    for node in statements(tree_of(path), types or is_package):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in MODULES)
            continue
        base = package[: len(package) - node.level + 1] if node.level else []
        home = ".".join([*base, *([node.module] if node.module else [])])
        for alias in node.names:
            inside = f"{home}.{alias.name}"
            yield from (name for name in [inside if inside in MODULES else home] if name in MODULES)


# Room -> the other rooms that it may import. A room is a folder in one of the packages; the files
# beside the folders are one room, the front door and the command line one each.
ROOMS = {
    "filters.kernels": (),
    "filters.timeseries": (),
    "filters._recordings": ("filters.timeseries",),
    "filters.signals": ("filters.timeseries",),
    "filters": ("filters.kernels", "filters.timeseries"),
    "filters.displays": ("filters.timeseries", "filters"),
    "reservoir.kernels": (),
    "reservoir.topologies": ("filters.timeseries",),
    "reservoir.datasets": ("filters.timeseries", "filters.signals", "reservoir.kernels"),
    "reservoir": (
        *("filters.timeseries", "filters", "filters.__init__"),
        *("reservoir.kernels", "reservoir.topologies"),
    ),
    "reservoir.diagnostics": (
        *("filters.timeseries", "reservoir.kernels", "reservoir.topologies", "reservoir"),
    ),
    "reservoir.baselines": (
        *("filters.timeseries", "filters"),
        *("reservoir.kernels", "reservoir.topologies", "reservoir"),
    ),
    "reservoir.displays": (
        *("filters.timeseries", "filters.displays"),
        *("reservoir.diagnostics", "reservoir.baselines"),
    ),
}
FRONT = ("filters.__init__", "reservoir.__init__", "filters.__main__", "reservoir.__main__")


def room_of(module):
    if module in ("filters", "reservoir"):
        return f"{module}.__init__"
    if module == "filters._denoise":  # what the command line does
        return "filters.__main__"
    package, first = module.split(".")[:2]
    room = f"{package}.{first}"
    return room if room in ROOMS or room in FRONT or first == "evaluation" else package


def test_imports_go_one_way():
    for module, path in MODULES.items():
        found, room = set(imports_of(path)), room_of(module)
        if ".kernels" in module:
            assert found <= {"reservoir.kernels.activations"}, module
        if module.startswith("filters"):
            assert not [name for name in found if name.startswith("reservoir")], module
        if room not in FRONT and room != "reservoir.evaluation":
            assert {room_of(name) for name in found} <= {room, *ROOMS[room]}, module


def test_imports_make_no_circle():
    """Not through a function's own imports either; a name for type checkers is no import."""
    left = {module: set(imports_of(path, types=False)) for module, path in MODULES.items()}
    while ground := {module for module, found in left.items() if not found & left.keys()}:
        left = {module: found for module, found in left.items() if module not in ground}
    assert not left, f"in a circle, or above one: {sorted(left)}"


def test_no_print_bare_except_or_loose_fastmath():
    for path in SOURCES:
        text = path.read_text(encoding="utf-8")
        assert "except:" not in text, path
        flags = set(re.findall(r"fastmath=(\S[^)\n]*)", text))
        off = "False"  # may be said aloud
        assert flags <= {'{"reassoc", "contract"}', '{"contract"}', off}, path
        calls = [n for n in ast.walk(tree_of(path)) if isinstance(n, ast.Call)]
        printed = [c for c in calls if isinstance(c.func, ast.Name) and c.func.id == "print"]
        assert not printed or path.name == "__main__.py", path


def test_private_scikit_learn_has_one_home():
    """What older libraries broke on with every release."""
    for path in SOURCES:
        private = []
        for node in ast.walk(tree_of(path)):
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and node.level == 0:
                names = [f"{node.module}.{alias.name}" for alias in node.names]
            else:
                continue
            private += [n for n in names if n.startswith("sklearn.") and "._" in n]
        assert not private or module_of(path) == "filters.timeseries._sklearn_private", path


def test_nothing_is_kept_in_files_that_run_code_when_read():
    for path in SOURCES:
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"import pickle|joblib\.(dump|load)|allow_pickle=True", text), path


KERNELS = [path for path in SOURCES if ".kernels." in module_of(path)]
ALLOCATING = {"empty", "zeros", "ones", "full", "array", "arange", "copy", "astype", "concatenate"}


def test_kernels_draw_and_raise_nothing():
    """Numba keeps a random stream of its own, which no `random_state` reaches."""
    for path in KERNELS:
        nodes = list(ast.walk(tree_of(path)))
        assert not [node for node in nodes if isinstance(node, ast.Raise | ast.Assert)], path
        attributes = {node.attr for node in nodes if isinstance(node, ast.Attribute)}
        assert not attributes & {"random", "default_rng", "RandomState"}, path


def test_kernels_allocate_nothing_in_their_loops():
    for path in KERNELS:
        loops = [node for node in ast.walk(tree_of(path)) if isinstance(node, ast.For | ast.While)]
        calls = [c.func for loop in loops for c in ast.walk(loop) if isinstance(c, ast.Call)]
        names = {f.attr for f in calls if isinstance(f, ast.Attribute)}
        assert not {n for n in names if n.removesuffix("_like") in ALLOCATING}, path


def test_compiled_functions_live_among_the_kernels():
    """At the top of a file, so that the disk cache serves them; dividing by zero raises nothing."""
    for path in SOURCES:
        names = [node for node in ast.walk(tree_of(path)) if isinstance(node, ast.Name)]
        jitted = [name for name in names if re.search("jit|prange|vectorize", name.id)]
        if path not in KERNELS:  # the integrator of a published benchmark is nobody else's
            assert not jitted or module_of(path) == "reservoir.evaluation.published._lorenz96"
            continue
        functions = [node for node in tree_of(path).body if isinstance(node, ast.FunctionDef)]
        decorators = [call for function in functions for call in function.decorator_list]
        flags = [call for call in decorators if ast.unparse(call.func) == "njit"]
        assert len(flags) == len(jitted), path
        for call in flags:
            assert not call.args, path  # no signatures: they compile when imported
            given = {key.arg: ast.unparse(key.value) for key in call.keywords}
            assert given.keys() <= {"cache", "error_model", "nogil", "forceinline", "fastmath"}
            assert (given["cache"], given["error_model"]) == ("True", "'numpy'"), path


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
