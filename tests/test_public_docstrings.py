"""Every public name says what it takes, gives and raises, and shows it once."""

import ast
import inspect
import re
import textwrap

from public_names import ESTIMATORS, public_names

# The records and errors of comparisons and the command lines have forms of their own.
OTHER_FORMS = ("reservoir.evaluation", "filters.__main__", "reservoir.__main__")
PUBLIC = {
    name: thing
    for name, thing in sorted(public_names().items())
    if callable(thing) and not thing.__module__.startswith(OTHER_FORMS)
}
# They read files that are fetched when first asked for.
NO_EXAMPLE = {
    *("load_fan_acceleration", "load_sentence_polarity", "load_tiny_shakespeare"),
    *("FanAcceleration", "SentencePolarity"),
}
# What other libraries call it; one name for one thing here.
OTHERS_NAMES = {
    *("sr", "rho", "lr", "leakage", "sigma", "sparsity", "connectivity", "spinup", "warmup"),
    *("transient", "ridge", "beta", "mu", "lam", "lambda_", "eps", "seed", "n_reservoir"),
}
# Their contract is scikit-learn's; one line says which names.
ONE_LINE = ("get_feature_names_out",)


def sections(thing):
    """Title -> lines of a numpydoc docstring."""
    text = inspect.cleandoc(thing.__doc__ or "")
    parts = re.split(r"^(\w[\w ]*)\n-{3,}\n", text, flags=re.MULTILINE)
    return {"": parts[0], **dict(zip(parts[1::2], parts[2::2], strict=True))}


def named(section):
    """The names that a section describes, grouped lines (``a, b``) too."""
    names = []
    for line in section.splitlines():
        if found := re.fullmatch(r"(\*{0,2}\w+(?:, \*{0,2}\w+)*)(?: : .*)?", line):
            names += [name.strip("* ") for name in found[1].split(",")]
    return names


def parameters(function):
    return [name for name in inspect.signature(function).parameters if name not in ("self", "cls")]


def raises(function):
    tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
    return any(isinstance(node, ast.Raise) for node in ast.walk(tree))


def public_methods(owner):
    """Those that are written in this project, once each, wherever they are inherited from."""
    for name in dir(owner):
        method = inspect.getattr_static(owner, name)
        method = getattr(method, "__func__", method)
        ours = (getattr(method, "__module__", "") or "").startswith(("filters", "reservoir"))
        public = not name.startswith("_") and name not in ONE_LINE
        if inspect.isfunction(method) and ours and public:
            yield method.__qualname__, method


FUNCTIONS = {name: thing for name, thing in PUBLIC.items() if inspect.isfunction(thing)}
CLASSES = {name: thing for name, thing in PUBLIC.items() if inspect.isclass(thing)}
METHODS = dict(pair for owner in CLASSES.values() for pair in public_methods(owner))


def test_the_walk_finds_functions_classes_and_methods():
    assert {"mackey_glass", "max_step_size"} <= FUNCTIONS.keys()
    assert {"LMSFilter", "ESNRegressor", "DivergenceError", "AdaptResult"} <= CLASSES.keys()
    assert {"AdaptiveFilter.adapt", "MemoryRegressor.fit"} <= METHODS.keys()


def test_parameters_are_those_of_the_signature():
    for name, thing in {**PUBLIC, **METHODS}.items():
        said = sections(thing)
        assert said[""].strip(), name
        documented = named(said.get("Parameters", ""))
        if fields := getattr(thing, "_fields", ()):
            assert sorted(named(said["Attributes"])) == sorted(fields), name
        elif not (inspect.isclass(thing) and issubclass(thing, Exception)):
            assert sorted(documented) == sorted(parameters(thing)), name  # each of them once
        elif "__init__" in vars(thing):
            assert documented == list(parameters(thing.__init__)), name


def test_estimators_call_things_by_the_names_of_the_project():
    for name, thing in ESTIMATORS.items():
        assert not OTHERS_NAMES & set(parameters(thing)), name


def test_what_stands_elsewhere_stands_there():
    for name, thing in CLASSES.items():
        said = sections(thing).get("Parameters", "").replace("\\\n", "")
        for line, home in re.findall(r"^(\w.*)\n +As in `(\w+)`", said, flags=re.MULTILINE):
            there = named(sections(CLASSES[home])["Parameters"])
            assert set(named(line)) <= set(there), (name, home)


def test_answers_are_described():
    for name, function in {**FUNCTIONS, **METHODS}.items():
        answer = inspect.signature(function).return_annotation
        said = answer in (None, "None", "Self") or sections(function).keys() & {"Returns", "Yields"}
        assert said, name


def test_errors_are_described():
    for name, thing in {**PUBLIC, **METHODS}.items():
        assert not raises(thing) or "Raises" in sections(thing), name


def test_examples_are_shown():
    """They run where the package's doctests run, which is with the tests."""
    for name, thing in PUBLIC.items():
        shown = ">>>" in sections(thing).get("Examples", "")
        assert shown != (name in NO_EXAMPLE), name


def test_properties_are_described():
    for name, owner in CLASSES.items():
        found = inspect.getmembers(owner, lambda member: isinstance(member, property))
        bare = [key for key, member in found if not key.startswith("_") and not member.__doc__]
        assert not bare, name
