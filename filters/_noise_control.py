"""ActiveNoiseController: play what cancels a noise at a microphone."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from sklearn.base import clone

from ._filtered_x import FilteredXFilter
from ._online import OnlineTask
from ._stream import as_block
from ._task_stream import Parts, TaskStream
from .timeseries._numbers import as_numbers
from .timeseries._sklearn_private import HasMethods, validate_parameters


class ActiveNoiseController(OnlineTask):
    """Drive a loudspeaker so that noise is cancelled at an error microphone.

    .. math:: e(t) = d(t) - s * (w_t \\cdot [r(t), r(t-1), \\ldots])

    The columns of X are ``[noise, reference, ...]``: the noise d as it is at the error microphone
    without control, and the signals of reference microphones or of a tachometer that hear it
    earlier. The drive passes the secondary path s before it is heard.

    Parameters
    ----------
    filter : FilteredXFilter, default=None
        Cloned, not changed; None takes ``FilteredXFilter(n_taps=32)``.
    secondary_path : array-like of shape (n_path_taps,), default=None
        Impulse response from loudspeaker to microphone, newest sample first; put in place of that
        of `filter`. None: that of `filter`.

    Attributes
    ----------
    filter_ : FilteredXFilter
        The adapted controller.
    n_features_in_ : int
        Channels, the error microphone included.

    Raises
    ------
    ValueError
        For fewer than two columns, NaN, infinity or what is no impulse response.
    DivergenceError
        If the loop became unstable; see `FilteredXFilter`.

    Notes
    -----
    `fit_transform` simulates the loop with `secondary_path` as the plant: its answer is the
    residual that is heard while the controller adapts. `transform` is the residual with the
    controller frozen. By design the two differ, unlike other transformers'. In a real loop the
    noise alone is never heard: ``session = controller.stream()``, then for every sample
    ``play(session.drive_one(reference))`` and ``session.learn_error(residual)``; how far the path
    may be from its model is said in `FilteredXFilter`, as is how to identify it.

    Nothing can be cancelled that the reference hears later than the noise reaches the microphone
    less the delay of the path, but for what is periodic.

    References
    ----------
    S. M. Kuo, D. R. Morgan, Active noise control: a tutorial review, Proc. IEEE 87 (1999), 943-973.

    Examples
    --------
    >>> import numpy as np
    >>> from filters import ActiveNoiseController
    >>> t = np.arange(8000)
    >>> rotor, tacho = np.sin(0.1 * t + 1), np.sin(0.1 * t)
    >>> controller = ActiveNoiseController(secondary_path=[0.0, 0.0, 0.8, 0.3])
    >>> residual = controller.fit_transform(np.column_stack([rotor, tacho]))
    >>> bool(abs(residual[-1000:]).max() < 1e-3)
    True
    """

    _column = "residual"
    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "filter": [HasMethods(["adapt", "predict", "stream"]), None],
        "secondary_path": ["array-like", None],
    }

    def __init__(
        self, filter: FilteredXFilter | None = None, *, secondary_path: Any = None
    ) -> None:
        self.filter = filter
        self.secondary_path = secondary_path

    def stream(self, initial_state: dict[str, np.ndarray] | None = None) -> ControllerStream:
        """Open a session from a copy of what was learned so far: simulated, or a real loop.

        Parameters
        ----------
        initial_state : dict of arrays, default=None
            A `state` of an earlier session; None goes on where the last fit stopped, or starts
            anew if there was none.

        Returns
        -------
        ControllerStream
            The controller itself stays as it is.

        Raises
        ------
        ValueError
            For a state that is not one of this kind of task with these parameters.
        """
        validate_parameters(self)
        return ControllerStream(self, getattr(self, "_parts", None), initial_state)

    def _open(self, n_features: int, dtype: np.dtype) -> Parts:
        if n_features < 2:
            raise ValueError(
                "ActiveNoiseController needs at least two columns, [noise, reference, ...]; got "
                f"{n_features} feature(s). Without a reference there is nothing to play."
            )
        controller = FilteredXFilter(n_taps=32) if self.filter is None else clone(self.filter)
        if not isinstance(controller, FilteredXFilter):
            raise ValueError(
                "ActiveNoiseController needs a FilteredXFilter, which knows the path of what it "
                f"plays; got {controller}."
            )
        if self.secondary_path is not None:
            controller.set_params(secondary_path=self.secondary_path)
        return {"filter": controller.stream()}

    def _advance(self, parts: Parts, rows: np.ndarray, *, learn: bool) -> np.ndarray:
        noise, references = rows[:, 0], rows[:, 1:]
        if learn:
            heard = parts["filter"].learn_many(references, noise)
        else:
            heard = parts["filter"].anti_noise_many(references)
        return (noise - heard)[:, np.newaxis]

    def _publish(self, parts: Parts) -> None:
        self.filter_ = parts["filter"].to_filter()


class ControllerStream(TaskStream):
    """Session of an `ActiveNoiseController`.

    ``learn_one([noise, reference, ...])`` simulates the loop and answers with the residual. In a
    real loop the noise alone is not heard: `drive_one` says what to play, `learn_error` takes what
    the microphone hears then.

    Examples
    --------
    >>> from filters import ActiveNoiseController
    >>> session = ActiveNoiseController(secondary_path=[0.5]).stream()
    >>> session.drive_one(1.0), session.learn_error(1.0)
    (0.0, None)
    >>> session.drive_one(1.0) > 0
    True
    """

    def drive_one(self, x: Any) -> float:
        """What to play now.

        Parameters
        ----------
        x : float or array-like of shape (n_references,)
            The newest sample of every reference.

        Returns
        -------
        float or complex
        """
        row = as_block(as_numbers(x, "x").reshape(1, -1), "x")
        if self._parts is None:
            n_features = row.shape[1] + 1
            self._parts = self._parts_to_run(lambda: self._task._open(n_features, row.dtype))
            self._n_features = n_features
        return self._parts["filter"].predict_one(row)

    def learn_error(self, e: Any) -> None:
        """Learn from the residual measured after the last `drive_one` was played.

        Parameters
        ----------
        e : float
            Noise minus what really reached the microphone of all that was played.

        Raises
        ------
        ValueError
            If nothing was played since the last learning step, or for NaN or infinity.
        DivergenceError
            If the weights left the finite numbers.
        """
        if self._parts is None:
            raise ValueError("learn_error needs a drive_one before it: nothing was played yet.")
        self._parts["filter"].learn_error(e)
