"""ESNEnsemble: the same model with many seeds, their spread as uncertainty."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ClassVar, Self

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, clone, is_classifier
from sklearn.utils import check_random_state, get_tags
from sklearn.utils.metaestimators import available_if
from sklearn.utils.parallel import Parallel, delayed
from sklearn.utils.validation import check_is_fitted

from filters.timeseries._errors import DivergenceError
from filters.timeseries._numbers import real_columns
from filters.timeseries._sklearn_private import (
    HasMethods,
    negative_int,
    positive_int,
    validate_parameters,
)

from ._esn import ESNRegressor
from ._forecaster import ESNForecaster, default_network


def _members_are_classifiers(ensemble: Any) -> bool:
    return is_classifier(ensemble._template())


def _members_forecast(ensemble: Any) -> bool:
    return hasattr(ensemble._template(), "forecast")


class ESNEnsemble(BaseEstimator):
    """Fit the same model with many seeds; answer with their middle and their spread.

    Parameters
    ----------
    estimator : estimator, default=None
        `ESNRegressor`, `ESNClassifier`, `ESNForecaster`, `ESNSequenceClassifier` or any other with
        a ``random_state`` (its own or of a part), which every member gets anew; cloned. None takes
        ``ESNRegressor()``.
    n_members : int, default=10
    n_jobs : int, default=None
        Threads that fit and run members side by side (the kernels release the interpreter); the
        numbers are the same.
    random_state : int, RandomState or None, default=None
        Seeds of the members. More members leave the first ones as they are.

    Attributes
    ----------
    estimators_ : list of n_members estimators
        Each fitted; each what a clone with its `random_state` is alone, bit for bit.
    classes_ : ndarray of shape (n_classes,)
        Classifiers only.
    n_features_in_ : int

    Raises
    ------
    ValueError
        If nothing in `estimator` takes a seed, and whatever the members raise.

    Notes
    -----
    It is a classifier, a regressor or neither, as its members are. The spread comes from the random
    weights alone: it says where they matter, and leaves out the noise of the target. Cost:
    `n_members` times that of one: every member has matrices of its own, and more than half of a fit
    is its own readout's, so driving them as one batch would save little.

    References
    ----------
    B. Lakshminarayanan et al., Simple and scalable predictive uncertainty estimation using deep
    ensembles, NIPS 2017.

    Examples
    --------
    >>> from reservoir import ESNEnsemble, ESNRegressor
    >>> from reservoir.datasets import narma
    >>> X, y = narma(500, random_state=0)
    >>> model = ESNEnsemble(ESNRegressor(50, input_scaling=0.5), 5, random_state=0).fit(X, y)
    >>> mean, std = model.predict(X, return_std=True)
    >>> mean.shape, std.shape
    ((500,), (500,))
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "estimator": [HasMethods(["fit", "predict"]), None],
        "n_members": [positive_int()],
        "n_jobs": [positive_int(), negative_int(), None],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        estimator: Any = None,
        n_members: int = 10,
        *,
        n_jobs: int | None = None,
        random_state: Any = None,
    ) -> None:
        self.estimator = estimator
        self.n_members = n_members
        self.n_jobs = n_jobs
        self.random_state = random_state

    def fit(self, X: Any, y: Any = None, sample_weight: Any = None, **fit_params: Any) -> Self:
        """Fit every member on all of the data.

        Parameters
        ----------
        X, y, sample_weight
            As the members' `fit` takes them, in any of its containers.
        **fit_params
            `groups`, `exog`, ...: given to the `fit` of every member.

        Returns
        -------
        self
        """
        validate_parameters(self)
        members = self._seeded()
        if sample_weight is not None:
            fit_params["sample_weight"] = sample_weight
        self.estimators_ = self._each(lambda member: member.fit(X, y, **fit_params), members)
        first = self.estimators_[0]
        self.n_features_in_ = first.n_features_in_
        for name in ("feature_names_in_", "classes_"):
            if hasattr(first, name):
                setattr(self, name, getattr(first, name))
            elif hasattr(self, name):  # of an earlier fit
                delattr(self, name)
        return self

    def predict(self, X: Any, *, return_std: bool = False, **predict_params: Any) -> Any:
        """Predict the mean over the members; of classifiers, the class of highest probability.

        Parameters
        ----------
        X
            As the members' `predict` takes it.
        return_std : bool, default=False
            Whether to return the spread as well.
        **predict_params
            `groups`, `exog`, ...: given to the `predict` of every member.

        Returns
        -------
        y : what a member's `predict` returns
        std : container of y
            Only if `return_std`: standard deviation over the members (``ddof=0``) of the
            prediction; of classifiers, of the probability of the class given.
        """
        check_is_fitted(self, "estimators_")
        _refuse_states(predict_params)
        if not _members_are_classifiers(self):
            answers = self._each(lambda member: member.predict(X, **predict_params))
            mean = _combine(answers, lambda all_: all_.mean(axis=0))
            return (mean, _combine(answers, lambda all_: all_.std(axis=0))) if return_std else mean
        answers, probabilities = self._class_answers(X, predict_params)

        def labels(all_: np.ndarray) -> np.ndarray:
            return self.classes_[np.argmax(probabilities(all_).mean(axis=0), axis=-1)]

        def spread(all_: np.ndarray) -> np.ndarray:
            scores = probabilities(all_)
            best = np.argmax(scores.mean(axis=0), axis=-1)[..., np.newaxis]
            return np.take_along_axis(scores.std(axis=0), best, axis=-1)[..., 0]

        form = getattr(self.estimators_[0], "_target_form", None)
        name = form.names[0] if form is not None and form.is_pandas else None
        chosen = _combine(answers, labels, name)
        return (chosen, _combine(answers, spread, name)) if return_std else chosen

    @available_if(_members_are_classifiers)
    def predict_proba(self, X: Any, *, return_std: bool = False, **predict_params: Any) -> Any:
        """Mean over the members of the probability of every class.

        Parameters
        ----------
        X, return_std, **predict_params
            As in `predict`.

        Returns
        -------
        proba : what a member's `predict_proba` returns
            Columns in the order of `classes_`.
        std : container of proba
            Only if `return_std`.
        """
        check_is_fitted(self, "estimators_")
        _refuse_states(predict_params)
        answers = self._each(lambda member: member.predict_proba(X, **predict_params))
        mean = _combine(answers, lambda all_: all_.mean(axis=0))
        return (mean, _combine(answers, lambda all_: all_.std(axis=0))) if return_std else mean

    @available_if(_members_forecast)
    def forecast(
        self,
        n_steps: int,
        *,
        context: Any = None,
        return_std: bool = False,
        bands: Sequence[float] | None = None,
        **forecast_params: Any,
    ) -> Any:
        """Run every member freely; answer with the median of the runs.

        Parameters
        ----------
        n_steps, context
            As the members' `forecast` takes them.
        return_std : bool, default=False
            Whether to return the standard deviation of the runs as well.
        bands : sequence of float in [0, 1], default=None
            Quantiles of the runs to return as well: between those of ``bands=(0.1, 0.9)`` lie 80 %
            of the runs at every step.
        **forecast_params
            `exog`, ...: given to the `forecast` of every member.

        Returns
        -------
        median : what a member's `forecast` returns
            Of every step and output on its own: one member that runs away does not move it.
        std : container of median
            Only if `return_std`.
        quantiles : list of containers of median, one for each of `bands`
            Only if `bands` are given.
        """
        check_is_fitted(self, "estimators_")
        levels = [] if bands is None else real_columns(bands, "bands").ravel().tolist()
        if not all(0 <= level <= 1 for level in levels):
            raise ValueError(f"bands must be quantiles between 0 and 1, got {bands!r}.")
        runs = self._each(
            lambda member: member.forecast(n_steps, context=context, **forecast_params)
        )
        answer = [_combine(runs, lambda all_: np.median(all_, axis=0))]
        if return_std:
            answer.append(_combine(runs, lambda all_: all_.std(axis=0)))
        if bands is not None:
            answer.append([_quantile(runs, level) for level in levels])
        return tuple(answer) if len(answer) > 1 else answer[0]

    def score(self, X: Any, y: Any = None, **score_params: Any) -> float:
        """Score as a member does, with the answers of the ensemble.

        Parameters
        ----------
        X, y, **score_params
            As the members' `score` takes them.

        Returns
        -------
        float
        """
        check_is_fitted(self, "estimators_")
        return type(self.estimators_[0]).score(self, X, y, **score_params)

    @property
    def horizon(self) -> int:
        """Steps of the free runs that `score` measures, of forecasters."""
        return self._template().horizon

    # ---- the members ----------------------------------------------------------------------------

    def _template(self) -> Any:
        """The unfitted member, in which the part that takes the seed is spelled out."""
        template = ESNRegressor() if self.estimator is None else self.estimator
        if isinstance(template, ESNForecaster) and template.estimator is None:
            template = clone(template).set_params(estimator=default_network())
        return template

    def _seeded(self) -> list[Any]:
        template = self._template()
        names = sorted(
            name for name in template.get_params() if name.split("__")[-1] == "random_state"
        )
        if not names:
            raise ValueError(
                f"{type(template).__name__} has no random_state, nor has a part of it: all "
                "members would be the same."
            )
        rng = check_random_state(self.random_state)
        seeds = rng.randint(2**31 - 1, size=(self.n_members, len(names))).tolist()
        return [clone(template).set_params(**dict(zip(names, row, strict=True))) for row in seeds]

    def _each(self, task: Callable[[Any], Any], members: list[Any] | None = None) -> list[Any]:
        """The results of `task` for every member; an error says whose it is."""
        members = self.estimators_ if members is None else members

        def run(i: int) -> Any:
            try:
                return task(members[i])
            except ValueError as error:
                error.add_note(f"This was member {i} of {len(members)} of ESNEnsemble.")
                raise

        return Parallel(n_jobs=self.n_jobs, prefer="threads")(
            delayed(run)(i) for i in range(len(members))
        )

    def _class_answers(
        self, X: Any, params: dict[str, Any]
    ) -> tuple[list[Any], Callable[[np.ndarray], np.ndarray]]:
        """Answers of the members, and what turns a stack of them into probabilities."""
        try:
            return self._each(lambda member: member.predict_proba(X, **params)), lambda all_: all_
        except AttributeError:  # a readout without probabilities: the members vote
            votes = self._each(lambda member: member.predict(X, **params))
            return votes, lambda all_: (all_[..., np.newaxis] == self.classes_).astype(float)

    def __sklearn_tags__(self):
        tags, of_member = super().__sklearn_tags__(), get_tags(self._template())
        for name in (
            "estimator_type",
            "target_tags",
            "classifier_tags",
            "regressor_tags",
            "input_tags",
        ):
            setattr(tags, name, getattr(of_member, name))
        return tags


def _refuse_states(params: dict[str, Any]) -> None:
    if params.keys() & {"initial_state", "return_state"}:
        raise ValueError(
            "every member has a state of its own: give initial_state and return_state to the "
            "members in estimators_."
        )


def _quantile(runs: list[Any], level: float) -> Any:
    return _combine(runs, lambda all_: np.quantile(all_, level, axis=0).astype(all_.dtype))


def _combine(
    answers: list[Any], function: Callable[[np.ndarray], np.ndarray], name: Any = None
) -> Any:
    """Apply `function` to the stacked answers of the members, in the container of one of them.

    A frame that becomes one column is a series called `name`.
    """
    first = answers[0]
    if isinstance(first, list):
        return [_combine(list(parts), function) for parts in zip(*answers, strict=True)]
    stacked = np.stack([np.asarray(answer) for answer in answers])
    with np.errstate(over="ignore", invalid="ignore"):
        values = function(stacked)
    if values.dtype.kind == "f" and not np.isfinite(values).all():
        raise DivergenceError("the answers of the members are too large to be averaged: scale X.")
    if isinstance(first, pd.DataFrame) and values.ndim == 2:
        return pd.DataFrame(values, index=first.index, columns=first.columns)
    if isinstance(first, pd.DataFrame):
        return pd.Series(values, index=first.index, name=name)
    if isinstance(first, pd.Series):
        return pd.Series(values, index=first.index, name=first.name)
    return values
