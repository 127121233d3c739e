"""Laws: what must hold for every public estimator, whatever the data, the sizes and the parameters.

A law is a function of a `Case`, decorated by `law`. It is tried on every public estimator that has
the methods the law speaks of; `law_families` says which these are, so that a new estimator belongs
to a family or fails, and cannot lose a method unseen. Exemptions are named with a reason, and one
that is no longer needed fails.

The examples are the same in every run. ``LAWS_EXAMPLES=500 pytest tests/test_laws_*.py`` draws more
of them, ``LAWS_SEED=1`` others.
"""

import itertools
import os
from typing import Any, NamedTuple
from zlib import crc32

import hypothesis
import law_data
import numpy as np
import pytest
from hypothesis import strategies as st
from law_families import FAMILY_OF, capabilities
from law_parameters import parameters
from public_names import ESTIMATORS, small
from sklearn.base import clone, is_classifier

from filters import FrequencyDomainFilter

N_EXAMPLES = int(os.environ.get("LAWS_EXAMPLES", "2"))
SEED = int(os.environ.get("LAWS_SEED", "0"))
# What models say about rows as few and as loud as these.
SAID = (
    "ignore:the readout has:UserWarning",
    "ignore:.*of the states are saturated:UserWarning",
    "ignore:.*is not below:RuntimeWarning",
    "ignore:the ridge:UserWarning",
)
ANSWERS = ("predict", "predict_proba", "decision_function", "transform")


class Case(NamedTuple):
    """One example: an estimator that was never fitted, and data for it."""

    name: str
    estimator: Any
    X: np.ndarray
    y: Any
    cuts: list
    lengths: list
    order: list
    dtype: str

    @property
    def model(self):
        """A fresh clone."""
        return clone(self.estimator)

    @property
    def fitted(self):
        return self.fit(self.model, self.X, self.y)

    def fit(self, model, X, y, **more):
        """`model`, fitted; forecasters and memories take no target."""
        return model.fit(X, **more) if y is None else model.fit(X, y, **more)

    def learn(self, model, X, y, **more):
        """`model` after `partial_fit`; a classifier is told of all classes at first."""
        if is_classifier(model) and not hasattr(model, "classes_"):
            more["classes"] = np.unique(self.y)
        return model.partial_fit(X, **more) if y is None else model.partial_fit(X, y, **more)

    @property
    def spans(self):
        """The rows, cut anywhere."""
        ends = [0, *self.cuts, len(self.X)]
        return [slice(a, b) for a, b in itertools.pairwise(ends)]

    @property
    def series(self):
        """The same rows as several series: X and y (None where there is none)."""
        ends = np.cumsum([0, *self.lengths])
        parts = [slice(a, b) for a, b in itertools.pairwise(ends)]
        y = None if self.y is None else [self.y[part] for part in parts]
        return [self.X[part] for part in parts], y

    @property
    def row_is_a_step(self):
        return FAMILY_OF[self.name].rows == "step"

    @property
    def tolerance(self):
        """Where sums may be taken in another order."""
        return 1e-9 if self.dtype == "float64" else 2e-4

    @property
    def tolerance_of_learning(self):
        """Between ways of learning from the same rows: none where every bit is promised."""
        # Blocks are transformed together: ragged chunks are one call up to rounding.
        parts = [self.estimator, *self.estimator.get_params(deep=False).values()]
        ragged = any(isinstance(part, FrequencyDomainFilter) for part in parts)
        return 0.0 if FAMILY_OF[self.name].exact and not ragged else self.tolerance

    @property
    def tolerance_of_answers(self):
        """Between ways of asking for the same answers."""
        return 0.0 if FAMILY_OF[self.name].exact else self.tolerance


@st.composite
def cases(draw, name, usual=()):
    """Examples for the estimator `name`; the parameters in `usual` stay as they are."""
    family = FAMILY_OF[name]
    estimator = clone(small(name)).set_params(**draw(parameters(name, usual)))
    lengths = draw(st.lists(st.integers(8, 20), min_size=2, max_size=4))
    n_rows = sum(lengths) if family.rows == "step" else draw(st.integers(10, 16))
    dtype = draw(st.sampled_from(["float64", "float64", "float32"]))
    X, y = law_data.rows_and_targets(
        name,
        estimator,
        n_rows,
        n_features=draw(st.integers(family.least_features, 3)),
        n_outputs=draw(st.sampled_from([None, 2])),
        scale=2.0 ** draw(st.integers(-6, 0)),
        seed=draw(st.integers(0, 2**32 - 1)),
        dtype=dtype,
    )
    cuts = draw(st.lists(st.integers(1, n_rows - 1), min_size=1, max_size=4, unique=True))
    order = draw(st.permutations(range(len(lengths) if family.rows == "step" else n_rows)))
    return Case(name, estimator, X, y, sorted(cuts), lengths, list(order), dtype)


def law(*having, without=None, usual=(), rows=("step", "case")):
    """Make a test of a law: a function of a case becomes one test an estimator.

    `having` are the capabilities or parameters an estimator needs for the law to speak of it;
    `without` maps the name of an estimator or of a family to the reason why the law does not hold;
    parameters in `usual` are not varied; `rows` says what a row may be.
    """
    reasons = dict(without or {})

    def decorate(check):
        tests = []
        for name in ESTIMATORS:
            family = FAMILY_OF.get(name)
            can = capabilities(name) | small(name).get_params(deep=False).keys()
            if family is None or family.rows not in rows or not set(having) <= can:
                continue
            reason = reasons.get(name, reasons.get(family.name))
            marks = [pytest.mark.filterwarnings(*SAID)]
            if reason is not None:
                broken = (AssertionError, ValueError)
                marks.append(pytest.mark.xfail(strict=True, raises=broken, reason=reason))
            tests.append(pytest.param(name, reason is not None, id=name, marks=marks))
        bound = {test.id for test in tests} | {FAMILY_OF[test.id].name for test in tests}
        assert set(reasons) <= bound, f"{check.__name__} exempts {set(reasons) - bound}"

        def test(name, exempt):
            # One counterexample is enough to need an exemption.
            obey(check, name, 20 if exempt else N_EXAMPLES, usual=usual, shrink=not exempt)

        test.__name__, test.__doc__ = check.__name__, check.__doc__
        return pytest.mark.parametrize(("name", "exempt"), tests)(test)

    return decorate


def obey(check, name, n_examples, *, usual=(), shrink=True):
    """Try `check` on that many cases of the estimator, the same ones in every run."""
    phases = [hypothesis.Phase.generate] + [hypothesis.Phase.shrink] * shrink
    settings = hypothesis.settings(
        max_examples=n_examples,
        deadline=None,
        database=None,
        phases=phases,
        report_multiple_bugs=False,
        suppress_health_check=list(hypothesis.HealthCheck),
    )
    seed = hypothesis.seed(crc32(f"{check.__name__} {name} {SEED}".encode()))
    seed(settings(hypothesis.given(cases(name, usual))(check)))()


# ---- comparing ---------------------------------------------------------------------------------


def answers(model, X, **more):
    """Name -> everything the fitted `model` says about the rows of X."""
    return {name: getattr(model, name)(X, **more) for name in ANSWERS if hasattr(model, name)}


def flat(answer):
    """The answer, whatever it came in, as one array."""
    if isinstance(answer, list):
        return np.concatenate([np.asarray(part) for part in answer])
    return np.asarray(answer)


def assert_same(found, wanted, tolerance=0.0, what=""):
    """Arrays, or dicts or lists of them, are the same: bits, or up to a share of the largest."""
    if isinstance(wanted, dict):
        assert found.keys() == wanted.keys(), what
        for key in wanted:
            assert_same(found[key], wanted[key], tolerance, f"{what} {key}")
        return
    if isinstance(wanted, list | tuple):
        assert len(found) == len(wanted), what
        for one, other in zip(found, wanted, strict=True):
            assert_same(one, other, tolerance, what)
        return
    found, wanted = np.asarray(found), np.asarray(wanted)
    if tolerance == 0.0 or wanted.dtype.kind not in "fc":
        np.testing.assert_array_equal(found, wanted, err_msg=what)
        return
    assert found.shape == wanted.shape, what
    scale = float(np.abs(wanted).max(initial=0.0))
    np.testing.assert_allclose(found, wanted, rtol=0, atol=tolerance * scale, err_msg=what)


def learned(model):
    """What a linear model has learned, by name."""
    names = ("coef_", "intercept_", "classes_", "alpha_", "delay_")
    return {name: getattr(model, name) for name in names if hasattr(model, name)}
