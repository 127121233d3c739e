"""RNNRegressor: one row is one time step."""

from __future__ import annotations

from typing import Any, Self

import numpy as np

from filters.timeseries._mixins import SeriesRegressorMixin

from .._free_run import FreeRunner
from ._rows import RowNetwork
from ._running import close_loop
from ._targets import NumberTargets


class RNNRegressor(SeriesRegressorMixin, NumberTargets, RowNetwork, FreeRunner):
    """Learn a sequence-to-sequence map with a recurrent network trained through time.

    .. math:: h(t) = \\mathrm{cell}(h(t-1), x(t)), \\quad \\hat y(t) = V h(t) + b_y

    minimises ``mean((y_hat - y)^2)`` over outputs and labelled rows, plus
    ``l1 |w| + l2 / 2 |w|^2`` over all weights but biases. Elman cell:
    ``h(t) = f(W h(t-1) + U x(t) + b)``. LSTM cell: ``i, f, o = sigmoid(.)``, ``g = tanh(.)``,
    ``c(t) = f c(t-1) + i g``, ``h(t) = o tanh c(t)``.

    Parameters
    ----------
    cell : {"elman", "jordan", "lstm", "peephole_lstm", "gru"}, default="lstm"
        Recurrent unit. What recurs in "jordan" is the output of the network, zeros first; it has
        one layer and one direction.
    hidden_sizes : sequence of int, default=(100,)
        Units of each layer, lowest first.
    head_sizes : sequence of int, default=()
        Units of dense ReLU layers between the recurrent layers and the output.
    bidirectional : bool, default=False
        Whether each layer also has a direction that runs backwards, from each series' own end.
    skip_connections : bool, default=False
        Whether layers after the first see [layer below, X], and the output sees all layers.
    activation : {"tanh", "relu"}, default="tanh"
        f of the Elman and Jordan cells.
    recurrent_init : str or callable, default="orthogonal"
        First W, gate block by gate block: "orthogonal", "identity", "np" (positive definite,
        largest eigenvalue 1), a name of `reservoir.topologies` or a callable
        ``(n_units, *, random_state)``. Input weights are Glorot uniform, biases 0 but the forget
        gate's, peepholes uniform on +-1 / sqrt(hidden).
    spectral_radius : float >= 0, default=None
        What each drawn W is scaled to; None leaves it as drawn.
    forget_bias : float or "chrono", default=1.0
        First bias of the forget gate of the LSTM cells. "chrono" draws log U[1, T - 1] and gives
        the input gate the opposite, so that units start with memories of 1 to T steps, T the
        longest training series of the first call or `bptt_steps` if that is less: for long lags.
        In a GRU, whose gate z is both, it draws -log U[1, T - 1] for z; a number is not for it.
    optimizer : {"adam", "rmsprop", "sgd"}, default="adam"
        Adam (.9, .999, 1e-8) and RMSprop (.9, 1e-8) add epsilon after the root.
    learning_rate : float > 0, default=1e-3
        Step of the optimizer.
    learning_rate_schedule : {"constant", "step", "exponential", "cosine"} or callable, \
            default="constant"
        How the learning rate goes down over `max_iter` epochs: "exponential" and "cosine" (half a
        wave) end at `learning_rate_decay` times the first, "step" multiplies by it halfway and
        again at three quarters. A function of the epoch (0, 1, ...) gives the factor itself.
        Epochs count on through `partial_fit` and a warm start.
    learning_rate_decay : float > 0, default=0.1
        See there.
    momentum : float in [0, 1), default=0.0
        Of "sgd".
    nesterov : bool, default=False
        Nesterov's form of momentum.
    batch_size : int, default=32
        Series trained side by side, each with all its strands.
    bptt_steps : int, default=None
        Length in rows of a training window: the state is carried on, the gradient is cut there,
        and each window is one optimizer step. None: the whole series.
    bptt_stride : int, default=None
        None: windows follow each other and carry the state. A number: a window of `bptt_steps`
        begins every that many rows of a series, each from the zero state, and `batch_size` of them,
        shuffled by `fit`, make a step. Rows in several windows count as often.
    n_strands : int, default=1
        Contiguous pieces each series is cut into in training; they run side by side as a batch,
        and each starts from the zero state.
    teacher_forcing : bool, float in [0, 1] or callable, default=False
        Of the Jordan cell: share of the rows of an epoch, drawn anew in each, whose target and not
        whose output is fed back in training. A function of the epoch (0, 1, ...) gives the share.
    clip_norm : float > 0, default=1.0
        Largest norm of the gradient over all arrays; a longer one is scaled down. None: off.
    l1, l2 : float >= 0, default=0.0
        Penalties.
    max_iter : int, default=200
        Epochs at most; 0 only initialises.
    tol : float >= 0, default=1e-4
        Training stops when the loss (the validation loss with `early_stopping`) did not get
        better by `tol` in more than `n_iter_no_change` epochs in a row. None: never.
    early_stopping : bool, default=False
        Keep the last part of every series for validation, and the weights that did best on it.
    validation_fraction : float in (0, 1), default=0.1
        Share of every series, at its end.
    n_iter_no_change : int, default=10
        See `tol`.
    warm_start : bool, default=False
        Whether `fit` goes on where it stopped, optimizer included.
    initial_weights : dict, default=None
        ``{"weights": [...], "output_weights": ..., "output_bias": ...}`` to start from, laid out
        as the attributes; with `head_sizes` also "head_weights" and "head_biases".
    random_state : int, RandomState or None, default=None
        Draws the first weights and shuffles series into batches.
    verbose : int, default=0
        1: progress about every second on standard error; 2: every epoch.

    Attributes
    ----------
    weights_ : list of dict, one a layer
        "input" (gates * hidden, n_in), "recurrent" (gates * hidden, hidden), "bias"
        (gates * hidden,); the row blocks of the LSTM are i, f, g, o, those of the GRU z, r, h.
        "peephole" (3 * hidden,), of i, f, o, where there are any; "recurrent" (hidden, n_outputs)
        in a Jordan cell. With `bidirectional` a pair (forward, backward) of dicts a layer.
    head_weights_, head_biases_ : list of ndarray
        Only with `head_sizes`.
    output_weights_ : ndarray of shape (n_outputs, n_columns)
        Columns are the last layer (all layers, first first, with skip connections), forward
        before backward; or the last dense layer of the head.
    output_bias_ : ndarray of shape (n_outputs,)
    loss_curve_ : list of float
        Mean training loss of each epoch, penalties included.
    validation_loss_curve_ : list of float
        Only with `early_stopping`; without penalties.
    gradient_norms_ : list of float
        One an optimizer step, before clipping.
    n_iter_ : int
        Epochs finished, those before a warm start included.
    n_features_in_ : int

    Notes
    -----
    Inputs and targets are taken as they are: scale them to about unit size first. float32 data
    are trained in float32 and answered in it. Memory of training grows with ``bptt_steps *
    n_strands * batch_size`` (the rows of a series where `bptt_steps` is None), that of answers only
    with the answer; with `bidirectional` both hold `batch_size` whole series. `loss_and_gradients`
    holds a window of all series, `input_saliency` one whole series. Training uses one BLAS thread,
    so that results do not depend on their number. Ctrl-C in `fit` keeps the best weights so far.

    References
    ----------
    J. Elman, Finding structure in time, Cognitive Science 14 (1990).
    S. Hochreiter, J. Schmidhuber, Long short-term memory, Neural Computation 9 (1997).
    F. Gers, J. Schmidhuber, F. Cummins, Learning to forget, Neural Computation 12 (2000).
    C. Tallec, Y. Ollivier, Can recurrent neural networks warp time?, ICLR (2018), section 3
    ("chrono").
    R. Pascanu, T. Mikolov, Y. Bengio, On the difficulty of training recurrent neural networks,
    ICML (2013), algorithm 1 (clipping).

    Examples
    --------
    >>> import numpy as np
    >>> from reservoir.baselines import RNNRegressor
    >>> X = np.random.RandomState(0).randn(400, 1)
    >>> net = RNNRegressor("elman", (8,), learning_rate=0.02, bptt_steps=20, random_state=0)
    >>> net.fit(X, np.roll(X[:, 0], 1)).score(X, np.roll(X[:, 0], 1)) > 0.9  # last input again
    True
    """

    _remedy = "Train with a smaller learning rate or an l2 penalty, or forecast fewer steps."

    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None, *, groups: Any = None) -> Self:
        """Train for one epoch, series in order, optimizer state continued.

        Plain rows (no list, panel, MultiIndex or `groups`) go on with the running series where
        the last call ended, if ``n_strands=1``; otherwise every series starts from zero.

        Parameters
        ----------
        X, y, sample_weight, groups
            As in `fit`.

        Returns
        -------
        self
        """
        return self._partial_fit(X, y, sample_weight, groups)

    def predict(
        self, X: Any, *, groups: Any = None, initial_state: Any = None, return_state: bool = False
    ) -> Any:
        """Outputs of every row; every series starts from `initial_state`.

        Parameters
        ----------
        X : array-like of shape (n_timesteps, n_features), list, panel or MultiIndex frame
        groups : array-like of shape (n_timesteps,), default=None
        initial_state : ndarray of shape (n_state,) or (n_series, n_state), default=None
            State before the first row, zeros when None: layer by layer h, and behind it c where
            the cell has one (in a Jordan cell the output takes the place of h).
        return_state : bool, default=False
            Whether to return the state after the last row as well.

        Returns
        -------
        y : container of X, (n_timesteps,) or (n_timesteps, n_outputs) a series
        state : ndarray of shape (n_state,) or (n_series, n_state)
            Only if `return_state`.

        Raises
        ------
        ValueError
            For a state of another shape, or with `bidirectional`.
        DivergenceError
            For rows so large that the answer is not finite.
        """
        outputs, states, data = self._answer(X, groups, initial_state)
        answer = self._target_form.restore(data.stacked, outputs)
        return self._with_state(answer, states, data, return_state)

    def _as_answer(self, outputs: np.ndarray) -> np.ndarray:
        return outputs[:, 0] if self._target_form.ndim == 1 else outputs

    def _close_loop(self, outputs: np.ndarray, state: np.ndarray, exog: np.ndarray) -> int:
        network = self._current_network(self.n_features_in_, outputs.dtype)
        return close_loop(network, outputs, state, exog)
