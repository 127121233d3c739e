"""Threads that share one fitted estimator: does each get what it would get alone, bit for bit?

For every public estimator (found by walking the public names, as the tests do), several threads
wait for one another and then ask one fitted object, over and over, each with rows of its own:
predict, transform, predict_proba, decision_function, score, forecast, and a session of
``stream()`` each. Kernels let go of the interpreter, so the calls do overlap. Every answer is
compared with the one a single thread had before, and the estimator afterwards with a pickle of it
before.
Run with ``python examples/endurance/threads.py [--quick] [--out FILE.md]``; about two minutes.
"""

import inspect
import pickle
import sys
import threading
import warnings
from pathlib import Path

import numpy as np
from verdicts import Sheet, arguments, run

# The estimators in small and what their methods take have their home in the tests.
sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tests"))
from hostile_estimators import fitted, good_target
from public_names import ESTIMATORS, small

ANSWERS = ("predict", "transform", "predict_proba", "decision_function", "input_saliency")
LEARNED = 20  # rows that sessions learn from: some solve for their weights after each
N_ROWS = {True: 40, False: 600}  # where a row is a whole sequence, where it is a time step


def rows_for(name, thread, quick):
    """Rows of a thread, of the width the estimator was fitted to."""
    width = pickle.loads(fitted(name)).n_features_in_
    n = N_ROWS["Sequence" in name or "Features" in name or "Seq2Seq" in name]
    n = min(n, 100) if quick else n
    return np.random.default_rng(thread).standard_normal((n, width))


def target_for(model, X):
    """Something that fits the rows, for a score and for a session that learns."""
    target = good_target(model, X)
    if target is None:
        return None
    if hasattr(model, "classes_"):
        return np.resize(model.classes_, len(X))
    return np.roll(X, -1, axis=0) if hasattr(model, "forecast") else target


def calls(model, X):
    """Name -> a call without arguments, for everything that does not change the estimator."""
    found = {m: lambda m=m: getattr(model, m)(X) for m in ANSWERS if hasattr(model, m)}
    y = target_for(model, X)
    if y is not None and hasattr(model, "score"):
        found["score"] = lambda: model.score(X, y)
    if hasattr(model, "forecast"):
        found["forecast"] = lambda: model.forecast(50, context=X)
    if hasattr(model, "stream"):
        found["stream"] = lambda: follow(model.stream(), X, y)
    return found


def follow(session, X, y):
    """What a session answers to some rows; from others it learns, where it can."""
    said = [session.predict_many(X[LEARNED:])] if hasattr(session, "predict_many") else []
    for method in ("learn_many", "filter_many", "transform_many"):
        if hasattr(session, method):
            takes_y = "y" in inspect.signature(getattr(session, method)).parameters
            rest = (X[:LEARNED], y[:LEARNED]) if takes_y and y is not None else (X[:LEARNED],)
            if not takes_y or y is not None:
                said.append(getattr(session, method)(*rest))
    return said


def bits(answer):
    """Anything an estimator answers, as bytes; an error by its words."""
    if isinstance(answer, np.ndarray) and answer.dtype != object:
        return answer.tobytes()
    return pickle.dumps(np.asarray(answer, dtype=object).tolist())


def said(call):
    """Bits of the answer, or the error; both must be the same for every thread."""
    try:
        return bits(call())
    except (AttributeError, ValueError) as error:
        return f"{type(error).__name__}: {error}"


def together(model, name, n_threads, n_rounds, quick):
    """Answers that differ from those of one thread alone, and how many were compared."""
    work = [calls(model, rows_for(name, k, quick)) for k in range(n_threads)]
    alone = [{method: said(call) for method, call in each.items()} for each in work]
    gate, wrong = threading.Barrier(n_threads), []

    def ask(k):
        gate.wait()
        for _ in range(n_rounds):
            for method, call in work[k].items():
                if said(call) != alone[k][method]:
                    wrong.append(method)

    threads = [threading.Thread(target=ask, args=(k,)) for k in range(n_threads)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    refused = sorted({m for each in alone for m, b in each.items() if isinstance(b, str)})
    return wrong, n_threads * n_rounds * len(work[0]), list(work[0]), refused


def main():
    args = arguments(__doc__)
    warnings.simplefilter("ignore")  # small fits of noise
    sys.setswitchinterval(1e-4)  # let go of the interpreter 50 times as often as usual
    n_rounds, crowds = (1, (2, 3)) if args.quick else (10, (2, 8))
    sheet = Sheet("Threads that share one fitted estimator")
    sheet.say("Answers of several threads at once against those of one.", "")
    sheet.head("estimator", "methods", *(f"answers of {n} threads" for n in crowds))
    for name in ESTIMATORS:
        model = pickle.loads(fitted(name, forecasts=hasattr(small(name), "forecast")))
        before = pickle.dumps(model)
        found = {n: together(model, name, n, n_rounds, args.quick) for n in crowds}
        wrong = sorted({method for each in found.values() for method in each[0]})
        changed = pickle.dumps(model) != before
        refused = found[2][3]
        sheet.row(
            name,
            ", ".join(m + " (refused alike)" * (m in refused) for m in found[2][2]),
            *(f"{each[1]}, {len(each[0])} differ" for each in found.values()),
            wrong=f"differs: {', '.join(wrong)}" if wrong else "estimator changed" * changed,
        )
    return sheet.finish(args.out)


if __name__ == "__main__":
    run(main)
