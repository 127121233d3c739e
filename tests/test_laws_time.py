"""Laws of time: rows however they are cut, series however they come, sessions however they are fed.

Filters, tasks and memories keep every bit. Where a matrix product or accumulated moments stand
behind an answer, the order of the sums depends on how many rows come at once: `Case.tolerance`.
"""

import pickle

import numpy as np
import pandas as pd
from laws import answers, assert_same, flat, law, learned

EPOCHS = "fit takes many epochs, partial_fit one"
STEPS = "every chunk is a step of the optimizer"
IN_ORDER = "learns row after row, what came last counts most"
LATE = "answers `delay` rows late"
NETWORKS = ("network", "labelling network", "sequence network", "labelling sequence network")
ONE_WAY = ("bidirectional",)  # the other way a row's answer depends on the rows after it


def everything_learned(case, model):
    """What was learned, and what is answered to other rows."""
    return learned(model) | answers(model, case.X[::-1].copy())


# ---- rows cut anywhere -------------------------------------------------------------------------


@law("partial_fit", without=dict.fromkeys(NETWORKS, STEPS), usual=("delay",))
def test_learning_in_chunks_is_learning_at_once(case):
    whole, parts = case.learn(case.model, case.X, case.y), case.model
    for span in case.spans:
        case.learn(parts, case.X[span], None if case.y is None else case.y[span])
    found, wanted = everything_learned(case, parts), everything_learned(case, whole)
    assert_same(found, wanted, case.tolerance_of_learning)


@law(
    "partial_fit",
    without=dict.fromkeys((*NETWORKS, "unit", "labelling unit"), EPOCHS),
    usual=("max_iter",),
)
def test_fit_is_one_pass_of_partial_fit(case):
    found = everything_learned(case, case.learn(case.model, case.X, case.y))
    assert_same(found, everything_learned(case, case.fitted), case.tolerance_of_learning)


@law("adapt")
def test_adapting_in_chunks_is_adapting_at_once(case):
    whole, parts = case.model.adapt(case.X, case.y), case.model
    results = [parts.adapt(case.X[span], case.y[span]) for span in case.spans]
    for name in ("output", "error"):
        joined = np.concatenate([getattr(result, name) for result in results])
        assert_same(joined, getattr(whole, name), case.tolerance_of_learning, name)


@law(without={"equalizer": LATE}, usual=ONE_WAY)
def test_answers_to_the_first_rows_are_the_first_answers(case):
    model, k = case.fitted, case.cuts[0]
    first = {name: answer[:k] for name, answer in answers(model, case.X).items()}
    assert_same(answers(model, case.X[:k]), first, case.tolerance_of_answers)


@law("online")
def test_what_is_heard_while_learning_does_not_depend_on_later_rows(case):
    k, whole = case.cuts[0], case.model.fit_transform(case.X)
    assert_same(case.model.fit_transform(case.X[:k]), whole[:k], case.tolerance_of_learning)


@law("initial_state", usual=ONE_WAY)
def test_answers_in_chunks_hand_the_state_over(case):
    model = case.fitted
    for name in answers(model, case.X):
        answer = getattr(model, name)
        if name not in ("predict", "transform"):
            continue
        whole, end = answer(case.X, return_state=True)
        state, parts = None, []
        for span in case.spans:
            part, state = answer(case.X[span], initial_state=state, return_state=True)
            parts.append(part)
        assert_same(np.concatenate(parts), whole, case.tolerance_of_answers, name)
        assert_same(state, end, case.tolerance_of_answers, f"state of {name}")


# ---- several series ----------------------------------------------------------------------------


@law("groups")
def test_series_together_are_answered_as_each_alone(case):
    model, (series, _) = case.fitted, case.series
    together, alone = answers(model, series), [answers(model, x) for x in series]
    for name, parts in together.items():
        for i, part in enumerate(parts):
            assert_same(part, alone[i][name], case.tolerance_of_answers, f"{name} of series {i}")


@law("groups")
def test_series_in_any_order_get_the_same_answers(case):
    model, (series, _) = case.fitted, case.series
    there = answers(model, series)
    for name, found in answers(model, [series[i] for i in case.order]).items():
        wanted = [there[name][i] for i in case.order]
        assert_same(found, wanted, case.tolerance_of_answers, name)


@law(
    "groups",
    without=dict.fromkeys(("filter", "task", "line", "equalizer"), IN_ORDER),
    usual=("readout", *ONE_WAY),
)
def test_series_in_any_order_teach_the_same(case):
    series, targets = case.series
    there = case.fit(case.model, series, targets)
    mixed = None if targets is None else [targets[i] for i in case.order]
    back = case.fit(case.model, [series[i] for i in case.order], mixed)
    assert_same(everything_learned(case, back), everything_learned(case, there), case.tolerance)


@law("groups")
def test_every_container_of_series_is_the_same_data(case):
    n, length = len(case.lengths), min(case.lengths)
    X = case.X[: n * length]
    y = None if case.y is None else case.y[: n * length]
    ids = np.repeat(np.arange(n), length)
    index = pd.MultiIndex.from_arrays([ids, np.tile(np.arange(length), n)])

    def panel(rows):
        return None if rows is None else rows.reshape(n, length, *rows.shape[1:])

    def frame(rows):
        return None if rows is None else pd.DataFrame(rows, index)

    there = case.fit(case.model, list(panel(X)), None if y is None else list(panel(y)))
    wanted = answers(there, list(panel(X)))
    forms = {
        "panel": (panel(X), panel(y), {}),
        "groups": (X, y, {"groups": ids}),
        "frame": (frame(X), frame(y).squeeze() if y is not None and y.ndim == 1 else frame(y), {}),
    }
    for form, (rows, targets, more) in forms.items():
        model = case.fit(case.model, rows, targets, **more)
        assert_same(learned(model), learned(there), case.tolerance_of_answers, form)
        for name, found in answers(model, rows, **more).items():
            shape = flat(wanted[name]).shape
            found = np.asarray(found).reshape(shape)
            assert_same(found, flat(wanted[name]), case.tolerance_of_answers, f"{form} {name}")


@law("groups", "partial_fit", without=dict.fromkeys(NETWORKS[:2], STEPS), usual=("delay",))
def test_learning_series_one_by_one_is_learning_them_at_once(case):
    series, targets = case.series
    whole, parts = case.learn(case.model, series, targets), case.model
    for i, x in enumerate(series):
        case.learn(parts, [x], None if targets is None else [targets[i]])
    found, wanted = everything_learned(case, parts), everything_learned(case, whole)
    assert_same(found, wanted, case.tolerance_of_learning)


@law(rows=("case",))
def test_cases_do_not_see_each_other(case):
    model = case.fitted
    together = answers(model, case.X)
    for order in (case.order, case.order[:1]):
        for name, found in answers(model, case.X[order]).items():
            wanted = np.concatenate([np.ravel(together[name][i]) for i in order])
            found = np.concatenate([np.ravel(part) for part in found])
            assert_same(found, wanted, case.tolerance_of_answers, name)


# ---- sessions ----------------------------------------------------------------------------------


def fed(case, session, way, span, learn=True):
    """Answers of a session to a stretch of rows, fed row by row or as a block."""
    rows, y = case.X[span], None if not learn or case.y is None else case.y[span]
    if way == "block":
        many = session.learn_many if learn else session.predict_many
        return many(rows) if y is None else many(rows, y)
    one = session.learn_one if learn else session.predict_one
    pairs = ((x,) for x in rows) if y is None else zip(rows, y, strict=True)
    return np.array([one(*pair) for pair in pairs]).reshape(len(rows), -1)


def columns(parts):
    return np.concatenate([np.asarray(part).reshape(len(part), -1) for part in parts])


def assert_pieces_are_one(case, learn):
    model = case.fitted
    session, whole, parts = model.stream(), model.stream(), []
    wanted = fed(case, whole, "block", slice(None), learn)
    for i, span in enumerate(case.spans):
        parts.append(fed(case, session, ("one", "block")[i % 2], span, learn))
        if i % 3 == 0:
            session = model.stream(initial_state=session.state)
        elif i % 3 == 1:
            session = pickle.loads(pickle.dumps(session))
    assert_same(columns(parts), columns([wanted]), case.tolerance_of_learning)
    assert_same(session.state, whole.state, case.tolerance_of_learning, "state")


@law("stream", "partial_fit", usual=ONE_WAY)
def test_a_learning_session_in_any_pieces_is_one_fed_at_once(case):
    assert_pieces_are_one(case, learn=True)


@law("stream", usual=ONE_WAY)
def test_an_answering_session_in_any_pieces_is_one_fed_at_once(case):
    assert_pieces_are_one(case, learn=False)


@law(
    "stream",
    without={
        "ActiveNoiseController": "what was played while it learned is still to be heard",
        "AdaptiveNotch": "its phase goes on, that of transform starts anew",
        "equalizer": LATE,
    },
    usual=ONE_WAY,
)
def test_a_session_goes_on_where_training_ended(case):
    model, more = case.fitted, case.X[::-1]
    answer = model.predict if hasattr(model, "predict") else model.transform
    wanted = answer(np.concatenate([case.X, more]))[len(case.X) :]
    found = model.stream().predict_many(more)
    assert_same(columns([found]), columns([wanted]), case.tolerance_of_answers)


@law("stream", "partial_fit", without=dict.fromkeys(NETWORKS[:2], STEPS), usual=ONE_WAY)
def test_a_session_learns_what_partial_fit_does(case):
    model, span = case.fitted, case.spans[0]
    session = model.stream()
    fed(case, session, "one", span)
    case.learn(model, case.X[span], None if case.y is None else case.y[span])
    found, wanted = (s.predict_many(case.X) for s in (session, model.stream()))
    assert_same(columns([found]), columns([wanted]), case.tolerance_of_learning)


@law("stream", usual=ONE_WAY)
def test_a_session_and_its_model_leave_each_other_alone(case):
    model = case.fitted
    before, session = everything_learned(case, model), model.stream()
    fed(case, session, "block", slice(None), learn=hasattr(model, "partial_fit"))
    assert_same(everything_learned(case, model), before)
    end = session.state
    case.fit(model, case.X[::-1], case.y)
    if hasattr(model, "partial_fit"):
        case.learn(model, case.X, case.y)
    assert_same(session.state, end)
    session.reset()
    assert_same(session.state, case.fitted.stream().state)


# ---- forecasts ---------------------------------------------------------------------------------


@law("forecast", usual=("estimator", *ONE_WAY))
def test_a_longer_forecast_begins_with_the_shorter(case):
    model = case.fit(case.model, case.X, *forecast_target(case))
    k = 1 + case.cuts[0] % 6
    for context in (None, case.X[::-1]):
        long, short = (model.forecast(n, context=context) for n in (7, k))
        assert_same(np.asarray(short), np.asarray(long)[:k], case.tolerance_of_answers)


@law("forecast", usual=("estimator", *ONE_WAY))
def test_forecasts_of_several_series_are_those_of_each(case):
    model, (series, _) = case.fit(case.model, case.X, *forecast_target(case)), case.series
    alone = [np.asarray(model.forecast(4, context=x)) for x in series]
    assert_same(list(model.forecast(4, context=series)), alone, case.tolerance_of_answers)


def forecast_target(case):
    """The next row, for those that are told what to predict."""
    return (None,) if case.y is None else (np.roll(case.X, -1, axis=0),)
