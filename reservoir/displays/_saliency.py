"""SaliencyDisplay: which inputs an output of a network depends on."""

from __future__ import annotations

from typing import Any, ClassVar, Self

import numpy as np
import pandas as pd

from filters.displays._panels import INK, Display, curves_of, panels_of
from filters.timeseries._extras import require_report_extra
from filters.timeseries._numbers import as_numbers
from filters.timeseries._sequences import as_cases, as_series, holds_series
from filters.timeseries._sklearn_private import whole

from ..baselines._cases import CaseNetwork

_MAX_NAMED = 20  # more rows than these are numbered by the axis


class SaliencyDisplay(Display):
    """Show the derivative of one output of a network with respect to every input.

    Make one by `from_estimator`; all parameters become attributes.

    Parameters
    ----------
    saliency : array-like of shape (n_timesteps, n_features)
        d output / d X.
    feature_names : sequence of str of length n_features, default=None
    step : int, default=None
        Time step at which the output is read, marked by a line; None marks nothing.
    name : str, default="output"
        Of the output, for the colour bar.

    Attributes
    ----------
    image_ : matplotlib AxesImage
        Time runs to the right, features downwards; colours are symmetric about zero.
    step_line_ : matplotlib Line2D or None
    colorbar_ : matplotlib Colorbar
    ax_ : matplotlib Axes
    figure_ : matplotlib Figure

    Raises
    ------
    ImportError
        When drawn without matplotlib.

    Notes
    -----
    A derivative says what a small change would do: an input that holds an output at its bound has
    none. One-hot rows have a derivative at symbols that were not there too.

    Examples
    --------
    >>> import numpy as np
    >>> from reservoir import SaliencyDisplay
    >>> from reservoir.baselines import RNNSequenceClassifier
    >>> X = np.random.RandomState(0).randn(60, 5, 2)
    >>> net = RNNSequenceClassifier("gru", (8,), max_iter=5, random_state=0)
    >>> net = net.fit(X, X[:, 0, 0] > 0)
    >>> SaliencyDisplay.from_estimator(net, X, case=3, output=1).saliency.shape
    (5, 2)
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "step": [whole(), None],
        "name": [str],
    }

    def __init__(
        self,
        *,
        saliency: Any,
        feature_names: Any = None,
        step: int | None = None,
        name: str = "output",
    ) -> None:
        self.saliency = saliency
        self.feature_names = feature_names
        self.step = step
        self.name = name

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: Any,
        *,
        case: int = 0,
        output: int = 0,
        step: int = -1,
        feature_names: Any = None,
        ax: Any = None,
    ) -> Self:
        """Differentiate an output of a fitted network and draw.

        Parameters
        ----------
        estimator : network of `reservoir.baselines`
            Anything with `input_saliency`.
        X : as in its `input_saliency`
        case : int, default=0
            Which series or case of X is drawn; only that one is run.
        output, step : int, default=0, -1
            As in `input_saliency`: which output (of a classifier: which class, before softmax) and
            at which time step; of a `Seq2Seq`, which step of the answer.
        feature_names : sequence of str, default=None
            None takes those of `fit`, where it saw a frame.
        ax
            As in `plot`.

        Returns
        -------
        SaliencyDisplay

        Raises
        ------
        TypeError
            For an estimator without `input_saliency`.
        ValueError
            For a case, an output or a step that is not there.
        """
        require_report_extra(f"{cls.__name__}.from_estimator", "matplotlib")
        if not hasattr(estimator, "input_saliency"):
            raise TypeError(
                f"a network with input_saliency is needed, one of reservoir.baselines; got "
                f"{type(estimator).__name__}."
            )
        names = getattr(estimator, "feature_names_in_", None)
        rows: Any = one_case(estimator, X, case)
        if names is not None and len(names) == rows.shape[1]:
            feature_names = names if feature_names is None else feature_names
            rows = pd.DataFrame(rows, columns=names)
        saliency = np.asarray(estimator.input_saliency([rows], output=output, step=step)[0])
        classes = getattr(estimator, "classes_", None)
        name = f"output {output}" if classes is None else f"score of {classes[output]}"
        answers = hasattr(estimator, "encoder_weights_")  # its steps are not those of X
        at = None if answers else int(step) % saliency.shape[0]
        return cls(saliency=saliency, feature_names=feature_names, step=at, name=name).plot(ax)

    def plot(self, ax: Any = None, **image: Any) -> Self:
        """Draw.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            None makes a figure.
        **image
            Arguments of `matplotlib.axes.Axes.imshow`, such as ``cmap`` or ``vmax``.

        Returns
        -------
        self

        Raises
        ------
        ImportError
            Without matplotlib.
        ValueError
            For arrays that do not fit each other, or values that are not finite.
        """
        self._check_drawable()
        saliency = curves_of(self.saliency, "saliency")
        names = None if self.feature_names is None else np.asarray(self.feature_names, dtype=object)
        fit = names is None or names.shape == saliency.shape[1:]
        if np.ndim(self.saliency) != 2 or not fit:
            raise ValueError(
                "saliency must have shape (n_timesteps, n_features), one name a feature; got "
                f"{np.shape(self.saliency)} and feature_names {self.feature_names}."
            )
        (axes,) = panels_of(ax, 1)
        largest = np.abs(saliency).max(initial=0.0) or 1.0
        bound = image.pop("vmax", largest)
        # Red and blue: apart for every kind of colour vision, white is zero.
        style = {"cmap": "RdBu_r", "aspect": "auto", "interpolation": "nearest", "vmin": -bound}
        self.image_ = axes.imshow(saliency.T, **{**style, "vmax": bound, **image})
        self.colorbar_ = axes.figure.colorbar(self.image_, ax=axes, pad=0.01)
        self.colorbar_.set_label(f"d {self.name} / d input")
        self.step_line_ = None
        if self.step is not None:
            self.step_line_ = axes.axvline(self.step, color=INK, lw=0.8, ls=":")
        if names is not None and len(names) <= _MAX_NAMED:
            axes.set_yticks(np.arange(len(names)), names)
        elif saliency.shape[1] <= _MAX_NAMED:
            axes.set_yticks(np.arange(saliency.shape[1]))
        axes.set_ylabel("feature")
        axes.set_xlabel("time step")
        self.ax_, self.figure_ = axes, axes.figure
        return self


def one_case(estimator: Any, X: Any, case: int) -> np.ndarray:
    """Rows (n_timesteps, n_features) of one series or case of X."""
    table = isinstance(estimator, CaseNetwork) or hasattr(estimator, "encoder_weights_")
    stacked = as_cases(as_numbers(X, "X")) if table and not holds_series(X) else as_series(X)
    spans, rows = list(stacked.spans()), as_numbers(stacked.rows, "X")
    if not isinstance(case, int | np.integer) or not -len(spans) <= case < len(spans):
        raise ValueError(f"case={case!r} is not there: X holds {len(spans)} series.")
    if rows.ndim != 2:
        raise ValueError(f"X must have rows and columns, got shape {rows.shape}.")
    begin, end = spans[case]
    return rows[begin:end]
