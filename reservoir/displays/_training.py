"""TrainingDisplay: how a gradient-trained network learned."""

from __future__ import annotations

from typing import Any, ClassVar, Self

import numpy as np
from sklearn.utils.validation import check_is_fitted

from filters.displays._panels import AFTER, BEFORE, INK, Display, curve_of, panels_of
from filters.timeseries._extras import require_report_extra
from filters.timeseries._sklearn_private import positive

from ..baselines._inside import network_of

_VALIDATION = "#1d4f7d"


class TrainingDisplay(Display):
    """Show the losses of a network by epoch, and the gradient norm of every optimizer step.

    Make one by `from_estimator`; all parameters become attributes.

    Parameters
    ----------
    loss : array-like of shape (n_epochs,)
        Training loss, penalties included.
    validation_loss : array-like of shape (n_epochs,), default=None
        The lowest point is marked: its weights were kept.
    gradient_norms : array-like of shape (n_steps,), default=None
        Before clipping, of steps spread evenly over the epochs; None leaves the panel out.
    clip_norm : float, default=None
        Where longer gradients were cut.

    Attributes
    ----------
    loss_line_ : matplotlib Line2D
    validation_line_, best_, gradient_line_, clip_line_ : matplotlib Line2D or None
        None where there is nothing to draw; `gradient_line_` also with a single axes.
    axes_ : ndarray of matplotlib Axes
        Losses, and gradient norms below.
    ax_ : matplotlib Axes
        The first.
    figure_ : matplotlib Figure

    Raises
    ------
    ImportError
        When drawn without matplotlib.

    Examples
    --------
    >>> import numpy as np
    >>> from reservoir import TrainingDisplay
    >>> from reservoir.baselines import RNNRegressor
    >>> X = np.random.RandomState(0).randn(100, 1)
    >>> net = RNNRegressor("elman", (4,), max_iter=7, random_state=0).fit(X, X[:, 0])
    >>> len(TrainingDisplay.from_estimator(net).loss_line_.get_ydata())
    7
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "clip_norm": [positive(), None],
    }

    def __init__(
        self,
        *,
        loss: Any,
        validation_loss: Any = None,
        gradient_norms: Any = None,
        clip_norm: float | None = None,
    ) -> None:
        self.loss = loss
        self.validation_loss = validation_loss
        self.gradient_norms = gradient_norms
        self.clip_norm = clip_norm

    @classmethod
    def from_estimator(cls, estimator: Any, *, ax: Any = None) -> Self:
        """Draw the curves that training left.

        Parameters
        ----------
        estimator : fitted network of `reservoir.baselines`, or RNNForecaster
        ax
            As in `plot`.

        Returns
        -------
        TrainingDisplay

        Raises
        ------
        TypeError
            For anything else.
        NotFittedError
            Before `fit`.
        ValueError
            After a `fit` with ``max_iter=0``.
        """
        require_report_extra(f"{cls.__name__}.from_estimator", "matplotlib")
        network = network_of(estimator)
        if network is None:
            raise TypeError(
                f"a network of reservoir.baselines is needed, got {type(estimator).__name__}."
            )
        check_is_fitted(network)
        return cls(
            loss=network.loss_curve_,
            validation_loss=getattr(network, "validation_loss_curve_", None),
            gradient_norms=network.gradient_norms_ if len(network.gradient_norms_) else None,
            clip_norm=network.clip_norm,
        ).plot(ax)

    def plot(self, ax: Any = None) -> Self:
        """Draw.

        Parameters
        ----------
        ax : matplotlib Axes or pair of them, default=None
            One takes the losses alone, two take the gradient norms as well; None makes a figure.

        Returns
        -------
        self

        Raises
        ------
        ImportError
            Without matplotlib.
        ValueError
            Without a single epoch, or for curves that do not fit each other.
        """
        self._check_drawable()
        loss, norms = curve_of(self.loss, "loss"), None
        if self.gradient_norms is not None:
            norms = curve_of(self.gradient_norms, "gradient_norms")
        self.axes_ = panels_of(ax, 1 if norms is None else 2)
        self._draw_losses(self.axes_[0], loss)
        self.gradient_line_ = self.clip_line_ = None
        if norms is not None and self.axes_.size == 2:
            self._draw_norms(self.axes_[1], norms, loss.size)
        self.axes_[-1].set_xlabel("epochs")
        self.ax_, self.figure_ = self.axes_[0], self.axes_[0].figure
        return self

    def _draw_losses(self, axes: Any, loss: np.ndarray) -> None:
        epochs = np.arange(1, loss.size + 1)
        (self.loss_line_,) = axes.plot(epochs, loss, color=AFTER, lw=1.4, label="training")
        self.validation_line_ = self.best_ = None
        drawn = loss
        if self.validation_loss is not None:
            held = curve_of(self.validation_loss, "validation_loss")
            if held.shape != loss.shape:
                raise ValueError(
                    f"validation_loss must have one value an epoch, {loss.size}; got shape "
                    f"{held.shape}."
                )
            best = int(np.argmin(held))
            style = {"color": _VALIDATION, "ls": "--", "lw": 1.4, "label": "validation"}
            (self.validation_line_,) = axes.plot(epochs, held, **style)
            mark = f"best, epoch {best + 1}"
            (self.best_,) = axes.plot(
                epochs[best], held[best], "o", color=_VALIDATION, ms=6, label=mark
            )
            drawn = np.concatenate([loss, held])
            axes.legend(frameon=False, fontsize="small", loc="upper right")
        if (drawn > 0).all():
            axes.set_yscale("log")
        axes.set_ylabel("loss")

    def _draw_norms(self, axes: Any, norms: np.ndarray, n_epochs: int) -> None:
        # The first step ends 1 / n of an epoch after its beginning.
        times = np.arange(1, norms.size + 1) * (n_epochs / norms.size)
        (self.gradient_line_,) = axes.plot(times, norms, color=BEFORE, lw=0.8)
        if (norms > 0).all():
            axes.set_yscale("log")
        axes.set_ylabel("gradient norm")
        if self.clip_norm is not None:
            label = f"clipped at {self.clip_norm:g}"
            self.clip_line_ = axes.axhline(self.clip_norm, color=INK, lw=0.8, ls=":", label=label)
            axes.legend(frameon=False, fontsize="small", loc="upper right")
