"""ForecastDisplay: a forecast beside the truth, and how long it held."""

from __future__ import annotations

from typing import Any, ClassVar, Self

import numpy as np

from filters.displays._panels import (
    AFTER,
    BEFORE,
    INK,
    LARGEST_DRAWN,
    Display,
    curves_of,
    panels_of,
)
from filters.timeseries import valid_prediction_time
from filters.timeseries._extras import require_report_extra
from filters.timeseries._numbers import as_numbers
from filters.timeseries._sklearn_private import (
    HasMethods,
    checked,
    non_negative,
    positive,
    positive_int,
)

from ..diagnostics._driving import check_one_series


class ForecastDisplay(Display):
    """Show a forecast, the truth and the moment their distance crossed a threshold.

    Make one by `from_predictions` or `from_estimator`; all parameters become attributes.

    Parameters
    ----------
    y_true, y_pred : array-like of shape (n_timesteps,) or (n_timesteps, n_outputs)
        Truth and forecast from the same first step.
    threshold : float, default=0.4
        Of the error that `valid_prediction_time` defines.
    dt : float, default=1.0
        Time between rows.
    lyapunov_time : float, default=None
        One over the largest Lyapunov exponent; time is then in its multiples.
    scale : float or array-like of shape (n_outputs,), default=None
        Standard deviations of the outputs; None takes those of `y_true`.

    Attributes
    ----------
    valid_time_ : float
        Time of the crossing, as drawn; the end of the window if there is none.
    axes_ : ndarray of matplotlib Axes
        One an output.
    ax_ : matplotlib Axes
        The first of them.
    figure_ : matplotlib Figure

    Raises
    ------
    ImportError
        When drawn without matplotlib.

    Examples
    --------
    >>> import numpy as np
    >>> from reservoir import ForecastDisplay
    >>> truth = np.sin(0.1 * np.arange(100))
    >>> ForecastDisplay.from_predictions(truth, truth * (np.arange(100) < 60)).valid_time_
    60.0
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "threshold": [non_negative()],
        "dt": [positive()],
        "lyapunov_time": [positive(), None],
    }

    def __init__(
        self,
        *,
        y_true: Any,
        y_pred: Any,
        threshold: float = 0.4,
        dt: float = 1.0,
        lyapunov_time: float | None = None,
        scale: Any = None,
    ) -> None:
        self.y_true = y_true
        self.y_pred = y_pred
        self.threshold = threshold
        self.dt = dt
        self.lyapunov_time = lyapunov_time
        self.scale = scale

    @classmethod
    def from_predictions(
        cls,
        y_true: Any,
        y_pred: Any,
        *,
        threshold: float = 0.4,
        dt: float = 1.0,
        lyapunov_time: float | None = None,
        scale: Any = None,
        ax: Any = None,
    ) -> Self:
        """Draw a forecast that was made.

        Parameters
        ----------
        y_true, y_pred, threshold, dt, lyapunov_time, scale, ax
            As in the constructor and `plot`.

        Returns
        -------
        ForecastDisplay
        """
        display = cls(
            y_true=y_true,
            y_pred=y_pred,
            threshold=threshold,
            dt=dt,
            lyapunov_time=lyapunov_time,
            scale=scale,
        )
        return display.plot(ax)

    @classmethod
    @checked(model=[HasMethods("forecast")], n_steps=[positive_int()])
    def from_estimator(
        cls,
        model: Any,
        X: Any,
        n_steps: int,
        *,
        threshold: float = 0.4,
        dt: float = 1.0,
        lyapunov_time: float | None = None,
        scale: Any = None,
        ax: Any = None,
    ) -> Self:
        """Forecast the last `n_steps` rows of a series from the rows before them, and draw.

        Parameters
        ----------
        model : fitted estimator with `forecast`
            ESNForecaster, or a regressor fitted to predict the next row.
        X : array-like of shape (n_timesteps, n_features)
            Rows the model has not learned from, context first.
        n_steps : int
            Less than n_timesteps.
        threshold, dt, lyapunov_time, scale, ax
            As in the constructor and `plot`; `scale` None takes the deviations of all of `X`.

        Returns
        -------
        ForecastDisplay

        Raises
        ------
        ValueError
            For `n_steps` below 1 or not below the rows of `X`.
        """
        require_report_extra(f"{cls.__name__}.from_estimator", "matplotlib")
        rows = check_one_series(X)
        if n_steps >= len(rows):
            raise ValueError(f"n_steps must be from 1 to {len(rows) - 1}, got {n_steps}.")
        X = X if hasattr(X, "index") or hasattr(X, "dtype") else rows
        y_pred = model.forecast(n_steps, context=X[:-n_steps])
        return cls.from_predictions(
            X[-n_steps:],
            y_pred,
            threshold=threshold,
            dt=dt,
            lyapunov_time=lyapunov_time,
            scale=np.std(rows, axis=0) if scale is None else scale,
            ax=ax,
        )

    def plot(self, ax: Any = None) -> Self:
        """Draw.

        Parameters
        ----------
        ax : matplotlib Axes or array of them, default=None
            As many as there are outputs, or one for the first output; None makes a figure.

        Returns
        -------
        self

        Raises
        ------
        ImportError
            Without matplotlib.
        ValueError
            As `filters.timeseries.valid_prediction_time`, and for axes that do not fit.
        """
        self._check_drawable()
        unit = 1.0 if self.lyapunov_time is None else self.lyapunov_time
        true, pred = curves_of(self.y_true, "y_true"), as_numbers(self.y_pred, "y_pred")
        self.valid_time_ = valid_prediction_time(
            true, pred, threshold=self.threshold, scale=self.scale, dt=self.dt, lyapunov_time=unit
        )
        pred = pred.reshape(true.shape).astype(np.float64)
        pred = np.clip(pred, -LARGEST_DRAWN, LARGEST_DRAWN)
        times = np.arange(len(true)) * self.dt / unit
        self.axes_ = panels_of(ax, true.shape[1])
        for i, axes in enumerate(self.axes_):
            axes.plot(times, true[:, i], color=BEFORE, lw=2, label="truth")
            axes.plot(times, pred[:, i], color=AFTER, lw=1.2, label="forecast")
            # A forecast that ran away would press the truth flat.
            low, high = true[:, i].min(), true[:, i].max()
            margin = 0.25 * (high - low) or 1.0
            axes.set_ylim(low - margin, high + margin)
            if self.valid_time_ <= times[-1]:
                label = f"error above {self.threshold:g} from {self.valid_time_:.3g}"
                axes.axvline(self.valid_time_, color=INK, lw=1, ls=":", label=label)
            axes.set_ylabel("value" if true.shape[1] == 1 else f"output {i}")
        self.axes_[0].legend(loc="upper right", frameon=False)
        steps = "steps" if self.dt == 1 else "time"
        self.axes_[-1].set_xlabel(steps if self.lyapunov_time is None else "Lyapunov times")
        self.ax_, self.figure_ = self.axes_[0], self.axes_[0].figure
        return self
