"""ESNSearchCV: hyper-parameters of an echo state network, many configurations at a time."""

from __future__ import annotations

import warnings
from numbers import Integral
from typing import Any, ClassVar, Self

import numpy as np
from scipy.linalg import LinAlgWarning
from sklearn.base import BaseEstimator, MetaEstimatorMixin, clone
from sklearn.model_selection import ParameterGrid, ParameterSampler
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from filters.timeseries._mixins import SeriesRegressorMixin
from filters.timeseries._numbers import naming
from filters.timeseries._sklearn_private import (
    HasMethods,
    StrOptions,
    negative_int,
    positive_int,
    unit_interval,
    validate_parameters,
)
from filters.timeseries._validation import all_or_nothing, check_series

from ._esn import ESNRegressor
from ._esn_cv import ESNRegressorCV, check_alphas
from ._moments import Moments, is_solvable
from ._readout import LinearReadout
from ._search_contest import Contest
from ._search_results import SCORES, results_table
from ._search_space import usual_space

_ALPHAS = tuple(np.logspace(-10, 2, 13).tolist())


class ESNSearchCV(SeriesRegressorMixin, MetaEstimatorMixin, BaseEstimator):
    """Choose the hyper-parameters of an `ESNRegressor`, driving all configurations side by side.

    Parameters
    ----------
    estimator : ESNRegressor, default=None
        What is not searched is taken from here; None takes ``ESNRegressor()``. It must have one
        layer, the ridge readout solved from moments, no residual matrix, no noise and no feedback.
    param_distributions : dict or list of dicts, default=None
        Lists of values, or distributions with an ``rvs`` method, as in scikit-learn's
        `RandomizedSearchCV`. None takes spectral_radius from 0.1 to 1.4, leak_rate from 0.05 to 1
        and input_scaling from 0.05 to 5 (both even in the logarithm), bias_scaling from 0 to 1.
    n_iter : int or None, default=100
        Configurations to draw; None takes every combination of lists.
    n_seeds : int, default=5
        Reservoirs drawn for each configuration; configurations share them.
    survivors : float in (0, 1], default=1.0
        Share of the configurations that go on after the first seed: the best by its score. With
        0.2 and five seeds the search takes two fifths of the time.
    alphas : array-like of shape (n_alphas,), default=numpy.logspace(-10, 2, 13)
        Penalties, all of which every configuration tries. Where ``alpha`` is searched, or with
        None, the configuration's own is the only one.
    cv : int, splitter or iterable of (train, test), default=None
        None holds out the last quarter of one series, or of several the last quarter of them;
        others as in `ESNRegressorCV`.
    scoring : {"neg_mean_squared_error", "neg_root_mean_squared_error", "r2"}, \
default="neg_mean_squared_error"
        Of the held-out rows of a fold, averaged over outputs, then over folds.
    refit : bool, default=True
        Whether to fit the best configuration on all rows.
    n_jobs : int, default=None
        Threads that work on seeds side by side; the numbers are the same.
    random_state : int, RandomState or None, default=None
        Draws the configurations and the seeds. More seeds leave the first ones as they are.
    verbose : int, default=0
        1 reports the progress on standard error about every second.

    Attributes
    ----------
    cv_results_ : dict of arrays, one entry a configuration
        ``pandas.DataFrame(cv_results_)`` is a table. ``params`` (with the penalty chosen for it),
        ``param_<name>``; at that penalty ``seed0_test_score``, ..., their ``mean_test_score``,
        ``std_test_score`` and ``median_test_score``; ``rank_test_score`` (1 is best) by the median.
        Configurations that did not survive rank after the others, by their only score.
    scores_ : ndarray of shape (n_configurations, n_seeds, n_alphas)
        The score at every penalty; NaN where it is not finite or was not asked for.
    seeds_ : ndarray of shape (n_seeds,)
        `random_state` of the reservoirs.
    best_index_ : int
    best_params_ : dict
    best_score_ : float
        The median over seeds.
    best_seed_ : int
        The one of `seeds_` with the best score of its own there.
    best_estimator_ : ESNRegressor
        ``ESNRegressor(**best_params_, random_state=best_seed_)``, fitted on all rows; with `refit`.
    n_features_in_ : int

    Raises
    ------
    ValueError
        For an estimator or parameters that cannot be driven side by side, folds without rows, and
        where no configuration has a finite score.

    Notes
    -----
    Of a configuration, the penalty with the best median over seeds is chosen; of configurations,
    the one with the best median. Of the best one, penalties are passed over at which the normal
    equations of the refit are singular to working precision.

    Scores are, to rounding, what ``ESNRegressor(**params, random_state=seed)`` gives on the same
    folds, driven through every series whole and in order as by `ESNRegressorCV`. A reservoir whose
    spectral radius lets it run chaotically amplifies rounding: there, scores are equally good draws
    and not equal. Held-out rows follow the ones before them; where new rows do so too, let
    `predict` see those first (or give it their state): the first answers after a zero state can be
    far off.

    Configurations that differ in spectral_radius, leak_rate, input_scaling and bias_scaling (as
    single numbers) run side by side on one drawn matrix; every distinct setting of any other
    parameter starts a group of its own, so give those a few values and not a distribution. Cost of
    a configuration and seed: a step with all others, one product of the states with themselves,
    one decomposition for all penalties. Memory does not grow with the number of rows.

    References
    ----------
    M. Lukosevicius, A practical guide to applying echo state networks (2012), sections 3 and 4.

    Examples
    --------
    >>> from reservoir import ESNRegressor, ESNSearchCV
    >>> from reservoir.datasets import narma
    >>> X, y = narma(1500, random_state=0)
    >>> search = ESNSearchCV(ESNRegressor(50), n_iter=20, n_seeds=3, random_state=0)
    >>> bool(search.fit(X, y).best_score_ > -0.004), sorted(search.best_params_)[:2]
    (True, ['alpha', 'bias_scaling'])
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "estimator": [HasMethods(["fit", "predict"]), None],
        "param_distributions": [dict, list, None],
        "n_iter": [positive_int(), None],
        "n_seeds": [positive_int()],
        "survivors": [unit_interval()],
        "alphas": ["array-like", None],
        "cv": ["cv_object"],
        "scoring": [StrOptions(set(SCORES))],
        "refit": ["boolean"],
        "n_jobs": [positive_int(), negative_int(), None],
        "random_state": ["random_state"],
        "verbose": ["verbose"],
    }

    def __init__(
        self,
        estimator: Any = None,
        param_distributions: Any = None,
        *,
        n_iter: int | None = 100,
        n_seeds: int = 5,
        survivors: float = 1.0,
        alphas: Any = _ALPHAS,
        cv: Any = None,
        scoring: str = "neg_mean_squared_error",
        refit: bool = True,
        n_jobs: int | None = None,
        random_state: Any = None,
        verbose: int = 0,
    ) -> None:
        self.estimator = estimator
        self.param_distributions = param_distributions
        self.n_iter = n_iter
        self.n_seeds = n_seeds
        self.survivors = survivors
        self.alphas = alphas
        self.cv = cv
        self.scoring = scoring
        self.refit = refit
        self.n_jobs = n_jobs
        self.random_state = random_state
        self.verbose = verbose

    def fit(self, X: Any, y: Any, sample_weight: Any = None, *, groups: Any = None) -> Self:
        """Judge every configuration with every seed, and fit the best one on all rows.

        Parameters
        ----------
        X, y, sample_weight, groups
            As in `ESNRegressor.fit`.

        Returns
        -------
        self
        """
        with all_or_nothing(self):
            validate_parameters(self)
            data = check_series(
                self,
                X,
                y,
                reset=True,
                target="numeric",
                sample_weight=sample_weight,
                groups=groups,
                allow_unlabelled=True,
            )
            rng = check_random_state(self.random_state)
            params = self._draw(rng)
            models = [self._model(own) for own in params]
            self.seeds_ = rng.randint(2**31 - 1, size=self.n_seeds)
            contest = Contest(models, [self._penalties(model) for model in models], data, self.cv)
            self.scores_ = contest.scores(
                self.seeds_, self.survivors, self.scoring, self.n_jobs, self.verbose
            )
            self._choose(params, models, (X, y, sample_weight), groups)
        return self

    # ---- the configurations -------------------------------------------------------------------

    def _draw(self, rng: np.random.RandomState) -> list[dict[str, Any]]:
        space = usual_space() if self.param_distributions is None else self.param_distributions
        seed = rng.randint(2**31 - 1)
        grid = "n_iter=None with param_distributions"  # whose entries must be lists
        with naming(grid if self.n_iter is None else "param_distributions"):
            if self.n_iter is None:
                drawn = list(ParameterGrid(space))
            else:
                drawn = list(ParameterSampler(space, self.n_iter, random_state=seed))
        if not drawn:
            raise ValueError("param_distributions is empty: there is no configuration to judge.")
        return drawn

    def _template(self) -> ESNRegressor:
        template = ESNRegressor() if self.estimator is None else self.estimator
        if not isinstance(template, ESNRegressor) or isinstance(template, ESNRegressorCV):
            raise ValueError(
                f"ESNSearchCV drives configurations of ESNRegressor side by side; got "
                f"{type(template).__name__}. scikit-learn's RandomizedSearchCV takes any estimator."
            )
        return template

    def _model(self, params: dict[str, Any]) -> ESNRegressor:
        """The unfitted model of a configuration, its parameters checked."""
        if "random_state" in params:
            raise ValueError("random_state cannot be searched: every configuration has n_seeds.")
        model = clone(self._template()).set_params(**params)
        validate_parameters(model)
        refused = {
            "n_units": not isinstance(model.n_units, Integral),
            "noise": np.any(np.asarray(model.noise) != 0),
            "residual": not (isinstance(model.residual, str) and model.residual == "identity"),
            "feedback_scaling": model.feedback_scaling != 0,
            "readout": model.readout is not None,
            "solver": model.solver != "cholesky",
        }
        for name, is_refused in refused.items():
            if is_refused:
                raise ValueError(
                    f"ESNSearchCV cannot drive {name}={getattr(model, name)!r} side by side: it "
                    "takes one layer, the ridge readout solved from moments, no residual matrix, "
                    "no noise and no feedback. RandomizedSearchCV takes any estimator."
                )
        return model

    def _penalties(self, model: ESNRegressor) -> np.ndarray:
        searched = self.alphas is None or self._searches_alpha()
        return check_alphas([model.alpha] if searched else self.alphas)

    def _searches_alpha(self) -> bool:
        spaces = self.param_distributions or {}
        return any("alpha" in space for space in ([spaces] if isinstance(spaces, dict) else spaces))

    # ---- choosing -----------------------------------------------------------------------------

    def _choose(
        self,
        params: list[dict[str, Any]],
        models: list[ESNRegressor],
        data: tuple[Any, Any, Any],
        groups: Any,
    ) -> None:
        """Set what is best, the table of results and, with `refit`, the fitted model."""
        medians = np.median(self.scores_, axis=1)  # NaN where one seed's score is
        if np.isnan(medians).all():
            raise ValueError(
                "no configuration has a finite score with every seed: the states or the errors "
                "leave the finite numbers. Unbounded activations need spectral_radius < 1; X or y "
                "near the end of the number range needs scaling. Or every penalty is too small for "
                "rounding to leave the normal equations positive: raise alphas."
            )
        usable = np.where(np.isnan(medians), -np.inf, medians)
        every = usable.copy()
        while np.isfinite(usable).any():
            index, model = self._best_model(models, usable)
            if not self.refit:
                break
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", LinAlgWarning)
                model.fit(*data, groups=groups)
            readout = model._readout
            assert isinstance(readout, LinearReadout)
            moments = readout.moments
            assert isinstance(moments, Moments)
            if is_solvable(moments, model.alpha, model.fit_intercept):
                break
            usable[index, self._penalties(model) <= model.alpha] = -np.inf
        else:  # all of them are singular: the first choice it is, with its warning
            usable = every
            index, model = self._best_model(models, usable)
            model.fit(*data, groups=groups)
        penalties = [self._penalties(model) for model in models]
        self.cv_results_ = results_table(params, penalties, self.scores_, usable)
        self.best_index_ = index
        self.best_params_ = self.cv_results_["params"][self.best_index_]
        self.best_score_ = float(self.cv_results_["median_test_score"][self.best_index_])
        self.best_seed_ = model.random_state
        if self.refit:
            self.best_estimator_ = model

    def _best_model(
        self, models: list[ESNRegressor], usable: np.ndarray
    ) -> tuple[int, ESNRegressor]:
        """Number and unfitted model of the best configuration, its penalty and seed set."""
        index, at = (int(i) for i in np.unravel_index(np.argmax(usable), usable.shape))
        model = clone(models[index])
        seed = int(self.seeds_[np.argmax(self.scores_[index, :, at])])
        return index, model.set_params(alpha=float(self._penalties(model)[at]), random_state=seed)

    # ---- answering ----------------------------------------------------------------------------

    def _best(self) -> ESNRegressor:
        check_is_fitted(self, "scores_")
        if not hasattr(self, "best_estimator_"):
            raise AttributeError("ESNSearchCV was fitted with refit=False; best_params_ is known.")
        return self.best_estimator_

    def predict(self, X: Any, **predict_params: Any) -> Any:
        """Predict with the best estimator; see `ESNRegressor.predict`.

        Parameters
        ----------
        X, **predict_params
            As in `ESNRegressor.predict`.

        Returns
        -------
        y : container of X
        """
        return self._best().predict(X, **predict_params)

    def forecast(self, n_steps: int, *, context: Any = None) -> Any:
        """Run the best estimator freely; see `ESNRegressor.forecast`.

        Parameters
        ----------
        n_steps, context
            As in `ESNRegressor.forecast`.

        Returns
        -------
        ndarray of shape (n_steps,) or (n_steps, n_outputs), or the container of `context`
        """
        return self._best().forecast(n_steps, context=context)

    def stream(self, initial_state: Any = None) -> Any:
        """Open a session of the best estimator; see `ESNRegressor.stream`.

        Parameters
        ----------
        initial_state
            As in `ESNRegressor.stream`.

        Returns
        -------
        MemoryStream
        """
        return self._best().stream(initial_state)
