"""Linear adaptive filters with scikit-learn manners."""

from ._tap_delay import TapDelay

__all__ = ["TapDelay"]
