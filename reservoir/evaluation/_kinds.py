"""How each kind of task is scaled, split, trained, predicted and kept for the plots."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from scipy.signal import welch
from sklearn.model_selection import StratifiedKFold
from sklearn.preprocessing import StandardScaler

from filters.timeseries import DivergenceError, WarmTimeSeriesSplit

from ._specs import Problem, Task

Arrays = dict[str, np.ndarray]
Back = Callable[[Any], Any]

_PLOT_ROWS = 150
_PLOT_SECONDS = 2.0
_FREE_RUN_ROWS = 50  # what a model without `forecast` sees before each step of its free run
_CLIP = 10.0  # a forecast is clipped to the mean plus or minus that many standard deviations


class Regression:
    """A target a row, learned and predicted row by row; frozen in the test part."""

    def scaled(self, problem: Problem) -> tuple[Problem, Back]:
        """Standardise on the training part; return the way back for a prediction, too."""
        X = StandardScaler().fit(problem.X_train)
        y = StandardScaler().fit(_column(problem.y_train))
        scaled = replace(
            problem,
            X_train=X.transform(problem.X_train),
            X_test=X.transform(problem.X_test),
            y_train=y.transform(_column(problem.y_train))[:, 0],
            y_test=y.transform(_column(problem.y_test))[:, 0],
        )
        return scaled, lambda answer: y.inverse_transform(_column(answer))[:, 0]

    def folds(self, problem: Problem, task: Task) -> list[Problem]:
        """Smaller problems inside the training part; the rows before a fold are its context."""
        splitter = WarmTimeSeriesSplit(task.folds, test_size=task.validation_rows)
        return [self._fold(problem, train, test) for train, test in splitter.split(problem.X_train)]

    def _fold(self, problem: Problem, train: np.ndarray, test: np.ndarray) -> Problem:
        return replace(
            problem,
            X_train=problem.X_train[train],
            y_train=problem.y_train[train],
            X_test=problem.X_train[: test[-1] + 1],
            y_test=problem.y_train[test],
            context=train.size,
        )

    def tiny(self, problem: Problem, n_rows: int) -> Problem:
        """The first rows only, to compile what will be timed."""
        return replace(
            problem,
            X_train=problem.X_train[:n_rows],
            y_train=problem.y_train[:n_rows],
            X_test=problem.X_test[:n_rows],
            y_test=problem.y_test[:n_rows],
            context=0,
        )

    def fit(self, estimator: Any, problem: Problem) -> None:
        """Train on the training part."""
        estimator.fit(problem.X_train, problem.y_train)

    def predict(self, estimator: Any, problem: Problem) -> Any:
        """Answer the test part."""
        return np.asarray(estimator.predict(problem.X_test))[problem.context :]

    def details(self, task: Task, problem: Problem, prediction: Any) -> Arrays:
        """The first rows of the test part, for the plots."""
        rows = slice(0, _PLOT_ROWS)
        time = task.origin + task.step * np.arange(problem.y_test.size)
        return {"time": time[rows], "truth": problem.y_test[rows], "prediction": prediction[rows]}


class Cancellation(Regression):
    """Regression whose error is the answer; a filter that can adapt goes on adapting."""

    def _fold(self, problem: Problem, train: np.ndarray, test: np.ndarray) -> Problem:
        clean = problem.extra["clean_train"]
        fold = super()._fold(problem, train, test)
        return replace(fold, extra={**problem.extra, "clean": clean[test]})

    def predict(self, estimator: Any, problem: Problem) -> Any:
        """Answer the test part: online where the model can, a-priori outputs only."""
        if not hasattr(estimator, "adapt"):
            return super().predict(estimator, problem)
        return estimator.adapt(problem.X_test[problem.context :], problem.y_test).output

    def details(self, task: Task, problem: Problem, prediction: Any) -> Arrays:
        """Two seconds in the middle of the test part and the spectra of all of it."""
        fs, clean = problem.extra["fs"], problem.extra["clean"]
        signals = {"before": problem.y_test, "truth": clean, "after": problem.y_test - prediction}
        start, n_rows = clean.size // 2, int(_PLOT_SECONDS * fs)
        window = slice(start, start + n_rows)
        n_segment = min(4 * int(fs), clean.size)
        arrays = {"time": task.origin + (start + np.arange(clean[window].size)) / fs}
        for name, signal in signals.items():
            arrays["frequency"], density = welch(signal, fs, nperseg=n_segment)
            arrays |= {name: signal[window], f"psd_{name}": density}
        return arrays


class Forecasting:
    """Learn the next row, then run on its own output from every origin."""

    def scaled(self, problem: Problem) -> tuple[Problem, Back]:
        """Standardise on the training part; return the way back for a prediction, too."""
        X = StandardScaler().fit(problem.X_train)
        scaled = replace(
            problem,
            X_train=X.transform(problem.X_train),
            X_test=_panel(X.transform, problem.X_test),
            y_test=_panel(X.transform, problem.y_test),
        )

        def back(answer: Any) -> np.ndarray:
            finite = np.nan_to_num(answer, nan=_CLIP, posinf=_CLIP, neginf=-_CLIP)
            return _panel(X.inverse_transform, np.clip(finite, -_CLIP, _CLIP))

        return scaled, back

    def folds(self, problem: Problem, task: Task) -> list[Problem]:
        """Origins in the last rows of the training part, their context being warm."""
        n_context, n_steps = problem.X_test.shape[1], problem.y_test.shape[1]
        splitter = WarmTimeSeriesSplit(task.folds, test_size=task.validation_rows)
        folds = []
        for train, test in splitter.split(problem.X_train):
            steps = min(n_steps, test.size // 2)
            origins = np.linspace(test[0], test[-1] + 1 - steps, _N_VALIDATION_ORIGINS).astype(int)
            seen, free = cut_origins(problem.X_train, origins, min(n_context, train.size), steps)
            folds.append(replace(problem, X_train=problem.X_train[train], X_test=seen, y_test=free))
        return folds

    def tiny(self, problem: Problem, n_rows: int) -> Problem:
        """The first rows and two steps only, to compile what will be timed."""
        return replace(
            problem,
            X_train=problem.X_train[:n_rows],
            X_test=problem.X_test[:2, -20:],
            y_test=problem.y_test[:2, :2],
        )

    def fit(self, estimator: Any, problem: Problem) -> None:
        """Train on one step ahead."""
        estimator.fit(problem.X_train[:-1], problem.X_train[1:])

    def predict(self, estimator: Any, problem: Problem) -> Any:
        """Run freely from every origin, all origins side by side."""
        n_steps = problem.y_test.shape[1]
        with np.errstate(all="ignore"):  # a run that diverges is scored, not reported
            if hasattr(estimator, "forecast"):
                return forecast_all(estimator, problem.X_test, n_steps)
            return free_run(estimator, problem.X_test, n_steps)

    def details(self, task: Task, problem: Problem, prediction: Any) -> Arrays:
        """The first origin, and how the error of all of them grows."""
        n_steps = problem.y_test.shape[1]
        error = (prediction - problem.y_test) / problem.extra["sigma"]
        return {
            "time": task.step * np.arange(1, n_steps + 1),
            "truth": problem.y_test[0, :, 0],
            "prediction": prediction[0, :, 0],
            "error": np.sqrt(np.mean(error**2, axis=2)),
        }


_N_VALIDATION_ORIGINS = 8


class Classification:
    """A label a sequence."""

    def scaled(self, problem: Problem) -> tuple[Problem, Back]:
        """Standardise the features over all training rows; labels stay as they are."""
        X = StandardScaler().fit(np.concatenate(problem.X_train))
        scaled = replace(
            problem,
            X_train=[X.transform(x) for x in problem.X_train],
            X_test=[X.transform(x) for x in problem.X_test],
        )
        return scaled, lambda answer: answer

    def folds(self, problem: Problem, task: Task) -> list[Problem]:
        """Stratified folds of the training cases, in their order."""
        labels = np.asarray(problem.y_train)
        folds = []
        for train, test in StratifiedKFold(max(task.folds, 2)).split(labels, labels):
            folds.append(
                Problem(
                    [problem.X_train[i] for i in train],
                    labels[train],
                    [problem.X_train[i] for i in test],
                    labels[test],
                    extra=problem.extra,
                )
            )
        return folds

    def tiny(self, problem: Problem, n_rows: int) -> Problem:
        """Two cases of every class only, to compile what will be timed."""
        labels = np.asarray(problem.y_train)
        few = np.concatenate([np.flatnonzero(labels == c)[:2] for c in np.unique(labels)])
        return Problem(
            [problem.X_train[i] for i in few],
            labels[few],
            problem.X_test[:2],
            problem.y_test[:2],
            extra=problem.extra,
        )

    def fit(self, estimator: Any, problem: Problem) -> None:
        """Train on the training cases."""
        estimator.fit(problem.X_train, problem.y_train)

    def predict(self, estimator: Any, problem: Problem) -> Any:
        """Label the test cases."""
        return np.asarray(estimator.predict(problem.X_test))

    def details(self, task: Task, problem: Problem, prediction: Any) -> Arrays:
        """Share of every class that is found."""
        labels = np.unique(problem.y_test)
        found = np.asarray(prediction) == problem.y_test
        return {
            "labels": labels,
            "recall": np.array([found[problem.y_test == label].mean() for label in labels]),
        }


class Speed(Regression):
    """Work to be timed: what counts is how many rows a second the fit gets through."""

    repeats = 3

    def fit(self, estimator: Any, problem: Problem) -> None:
        """Do the work once."""
        estimator.fit(problem.X_train, problem.y_train)

    def predict(self, estimator: Any, problem: Problem) -> Any:
        """Nothing is asked."""
        return np.empty(0)

    def scaled(self, problem: Problem) -> tuple[Problem, Back]:
        """The signals are made at unit scale."""
        return problem, lambda answer: answer

    def tiny(self, problem: Problem, n_rows: int) -> Problem:
        """The first rows only, to compile what will be timed."""
        rows = problem.X_train[:n_rows]
        return replace(problem, X_train=rows, y_train=problem.y_train[:n_rows])

    def details(self, task: Task, problem: Problem, prediction: Any) -> Arrays:
        """Nothing to draw besides the figures themselves."""
        return {}


KINDS: dict[str, Any] = {
    "speed": Speed(),
    "regression": Regression(),
    "cancellation": Cancellation(),
    "forecasting": Forecasting(),
    "classification": Classification(),
}


def forecast_all(estimator: Any, contexts: np.ndarray, n_steps: int) -> np.ndarray:
    """Forecast from every origin; a run that diverges is kept up to there, then NaN.

    Parameters
    ----------
    estimator : object
        With ``forecast(n_steps, context=list)``.
    contexts : ndarray of shape (n_origins, n_context, n_features)
    n_steps : int

    Returns
    -------
    ndarray of shape (n_origins, n_steps, n_features)
    """
    shape = (contexts.shape[0], n_steps, contexts.shape[2])
    try:
        return np.reshape(estimator.forecast(n_steps, context=list(contexts)), shape)
    except DivergenceError:
        answer = np.full(shape, np.nan)
    for rows, context in zip(answer, contexts, strict=True):
        length = n_steps
        while length > 0:
            try:
                run = estimator.forecast(length, context=[context])[0]
            except DivergenceError as error:
                length = min(error.step, length - 1)
            else:
                rows[:length] = np.reshape(run, (length, -1))
                break
    return answer


def free_run(estimator: Any, contexts: np.ndarray, n_steps: int) -> np.ndarray:
    """Forecast with any one-step model by predicting the last 50 rows again and again.

    Parameters
    ----------
    estimator : object
        With ``predict(list of 2-D arrays)``, row t being the prediction of row t + 1.
    contexts : ndarray of shape (n_origins, n_context, n_features)
    n_steps : int

    Returns
    -------
    ndarray of shape (n_origins, n_steps, n_features)
        NaN from where an origin's run left the finite numbers.
    """
    n_origins, _, n_features = contexts.shape
    seen = contexts[:, -_FREE_RUN_ROWS:]
    n_seen = seen.shape[1]
    rows = np.concatenate([seen, np.full((n_origins, n_steps, n_features), np.nan)], axis=1)
    going = np.arange(n_origins)
    for k in range(n_steps):
        answers = estimator.predict(list(rows[going, k : k + n_seen]))
        last = np.stack([np.reshape(answer, (n_seen, -1))[-1] for answer in answers])
        keep = np.isfinite(last).all(axis=1) & (np.abs(last) < 1e6).all(axis=1)
        going = going[keep]
        if going.size == 0:
            break
        rows[going, k + n_seen] = last[keep]
    return rows[:, n_seen:]


def cut_origins(
    series: np.ndarray, origins: Sequence[int] | np.ndarray, n_context: int, n_steps: int
) -> tuple[np.ndarray, np.ndarray]:
    """Rows before and after each origin: two 3-D arrays, one series an origin."""
    before = np.stack([series[i - n_context : i] for i in origins])
    after = np.stack([series[i : i + n_steps] for i in origins])
    return before, after


def _column(values: Any) -> np.ndarray:
    return np.asarray(values, dtype=float).reshape(-1, 1)


def _panel(transform: Callable[[np.ndarray], np.ndarray], panel: np.ndarray) -> np.ndarray:
    return transform(panel.reshape(-1, panel.shape[-1])).reshape(panel.shape)
