"""What is predicted, numbers or labels: from targets to the loss, from outputs to answers."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from sklearn.utils import column_or_1d

from filters.timeseries._numbers import naming
from filters.timeseries._validation import (
    TargetForm,
    TargetKind,
    _label_targets,
    _numeric_targets,
)


def codes_of(labels: np.ndarray, classes: np.ndarray, name: str, among: str) -> np.ndarray:
    """Place of each label in the sorted `classes`.

    Parameters
    ----------
    labels : ndarray of shape (n_labels,)
    classes : ndarray of shape (n_classes,)
    name, among : str
        What a message calls the labels, and the classes with what to do about it.

    Returns
    -------
    ndarray of int, shape (n_labels,)

    Raises
    ------
    ValueError
        For a label that is not among `classes`.
    """
    with naming(name):
        unknown = np.setdiff1d(labels, classes)
    if unknown.size:
        raise ValueError(f"{name} has the labels {unknown}, which are not among {among}")
    return np.searchsorted(classes, labels)


def target_codes(labels: np.ndarray, classes: np.ndarray) -> np.ndarray:
    """`codes_of` labels to be learned."""
    return codes_of(
        labels,
        classes,
        "y",
        f"classes_ {classes}. Pass all of them as classes= in the first call of partial_fit, or "
        "fit anew.",
    )


class NumberTargets:
    """Numbers, learned by squared error."""

    _target_kind: ClassVar[TargetKind] = "numeric"
    _loss: str = "squared_error"
    output_weights_: np.ndarray
    output_bias_: np.ndarray

    def _case_targets(self, y: Any) -> tuple[np.ndarray, np.ndarray, TargetForm]:
        """Targets of cases, which of them are missing, and their form."""
        with naming("y"):
            y = np.asarray(y)
        targets, missing = _numeric_targets(self, y, None, True)
        return targets, missing, TargetForm(1 if y.ndim == 1 else 2)

    def _encode(
        self, targets: np.ndarray, weights: np.ndarray, reset: bool, classes: Any = None
    ) -> tuple[np.ndarray, int]:
        """Targets as the loss takes them, and the number of outputs."""
        n_outputs = targets.shape[1]
        if not reset and n_outputs != self.output_bias_.size:
            raise ValueError(
                f"y has {n_outputs} outputs, but {type(self).__name__} was fitted with "
                f"{self.output_bias_.size}."
            )
        return targets, n_outputs

    def _fed(self, targets: np.ndarray, dtype: np.dtype) -> np.ndarray:
        """What teacher forcing feeds back."""
        return targets.astype(dtype)

    def _strata(self, targets: np.ndarray) -> np.ndarray:
        """Groups of cases that are each split into training and validation."""
        return np.zeros(targets.shape[0], dtype=np.intp)


class LabelTargets:
    """Labels, learned by the negative log-likelihood of a softmax; an output a class."""

    _target_kind: ClassVar[TargetKind] = "labels"
    _loss: str = "negative_log_likelihood"
    classes_: np.ndarray

    def _case_targets(self, y: Any) -> tuple[np.ndarray, np.ndarray, TargetForm]:
        with naming("y"):
            labels, missing = _label_targets(column_or_1d(y, warn=True), True)
        return labels, missing, TargetForm(1)

    def _encode(
        self, labels: np.ndarray, weights: np.ndarray, reset: bool, classes: Any = None
    ) -> tuple[np.ndarray, int]:
        """Codes of the labels (0 where the weight is), and the number of classes."""
        labelled = weights > 0
        known = labels[labelled]
        with naming("classes"):
            given = None if classes is None else np.unique(column_or_1d(classes))
        if reset:
            self.classes_ = np.unique(known) if given is None else given
        elif given is not None and not np.array_equal(given, self.classes_):
            raise ValueError(f"classes={classes!r} differs from the first call: {self.classes_}.")
        codes = np.zeros(labels.shape[0], dtype=np.intp)
        codes[labelled] = target_codes(known, self.classes_)
        return codes, self.classes_.size

    def _fed(self, codes: np.ndarray, dtype: np.dtype) -> np.ndarray:
        return np.eye(self.classes_.size, dtype=dtype)[codes]

    def _strata(self, codes: np.ndarray) -> np.ndarray:
        return codes

    def _most_probable(self, outputs: np.ndarray) -> np.ndarray:
        return self.classes_[np.argmax(outputs, axis=1)]
