"""Laws of state: asking changes nothing, copies are copies, parameters go in and come out."""

import copy
import pickle

import joblib
import numpy as np
from laws import answers, assert_same, law, learned
from public_names import small
from sklearn.base import clone


def everything(model):
    """A digest of all there is in `model`, arrays by content."""
    return joblib.hash(vars(model))


def small_parameters(name):
    return clone(small(name)).get_params(deep=False)


def fitted_attributes(model):
    return [name for name in vars(model) if name.endswith("_") and not name.startswith("__")]


@law()
def test_answers_twice_are_the_same_and_the_model_stays_as_it_is(case):
    model = case.fitted
    before, given = everything(model), case.X.copy()
    first = answers(model, case.X)
    assert_same(answers(model, case.X), first)
    assert everything(model) == before
    np.testing.assert_array_equal(case.X, given)


@law()
def test_an_answer_is_the_callers_to_change(case):
    model = case.fitted
    there = answers(model, case.X)
    wanted = {name: np.array(answer) for name, answer in there.items()}
    for answer in there.values():
        answer = np.asarray(answer)
        if answer.dtype.kind == "f":
            answer[...] = 7.0
    assert_same(answers(model, case.X), wanted)


@law()
def test_fit_leaves_the_parameters_and_what_is_given_alone(case):
    model = case.model
    before = joblib.hash(model.get_params())
    given = [case.X.copy(), copy.deepcopy(case.y)]
    case.fit(model, case.X, case.y)
    assert joblib.hash(model.get_params()) == before
    np.testing.assert_array_equal(case.X, given[0])
    np.testing.assert_array_equal(case.y, given[1])


@law()
def test_fit_forgets_what_was_before(case):
    model = case.fit(case.model, case.X[::-1], case.y)
    if hasattr(model, "partial_fit"):
        case.learn(model, case.X, case.y)
    case.fit(model, case.X, case.y)
    fresh = case.fitted
    assert sorted(fitted_attributes(model)) == sorted(fitted_attributes(fresh))
    found, wanted = (learned(m) | answers(m, case.X) for m in (model, fresh))
    assert_same(found, wanted)


@law()
def test_a_clone_knows_the_parameters_and_nothing_else(case):
    model = case.fitted
    again = clone(model)
    assert fitted_attributes(again) == []
    assert joblib.hash(again.get_params()) == joblib.hash(case.estimator.get_params())
    assert_same(answers(case.fit(again, case.X, case.y), case.X), answers(model, case.X))


@law()
def test_copies_answer_and_go_on_as_the_model_does(case):
    model = case.fitted
    copies = [pickle.loads(pickle.dumps(model)), copy.deepcopy(model)]
    wanted = answers(model, case.X)
    for other in copies:
        assert_same(answers(other, case.X), wanted)
    if hasattr(model, "partial_fit"):
        wanted = answers(case.learn(model, case.X, case.y), case.X)
        for other in copies:
            assert_same(answers(case.learn(other, case.X, case.y), case.X), wanted)


@law()
def test_parameters_set_one_by_one_are_those_of_the_constructor(case):
    given = case.estimator.get_params(deep=False)
    built, set_later = type(case.estimator)(**given), type(case.estimator)()
    for name, value in given.items():
        set_later.set_params(**{name: value})
    wanted = answers(case.fitted, case.X)
    for model in (built, set_later):
        there = model.get_params(deep=False)
        assert there.keys() == given.keys()
        assert all(there[name] is value for name, value in given.items())
        assert_same(answers(case.fit(clone(model), case.X, case.y), case.X), wanted)
    again = case.model
    again.set_params(**again.get_params())
    assert_same(answers(case.fit(again, case.X, case.y), case.X), wanted)


@law(usual=("estimator",))
def test_parameters_of_a_fitted_model_may_be_set_before_the_next_fit(case):
    model = type(case.estimator)(**small_parameters(case.name))
    case.fit(model, case.X, case.y)
    model.set_params(**case.estimator.get_params(deep=False))
    found = answers(case.fit(model, case.X, case.y), case.X)
    assert_same(found, answers(case.fitted, case.X))


@law()
def test_a_fit_that_fails_leaves_the_model_as_it_was(case):
    model = case.fitted
    before, broken = everything(model), case.X.copy()
    broken[case.cuts[0]] = np.nan
    calls = [lambda: case.fit(model, broken, case.y)]
    if hasattr(model, "partial_fit"):
        calls.append(lambda: case.learn(model, broken, case.y))
    for call in calls:
        try:
            call()
        except ValueError:
            assert everything(model) == before
        else:
            raise AssertionError("a NaN was taken")
