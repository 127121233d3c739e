"""Pictures of filters at work, in the manner of scikit-learn's displays; matplotlib when drawn."""

from ._adaptation import FilterAdaptationDisplay
from ._spectrum import SpectrumDisplay

__all__ = ["FilterAdaptationDisplay", "SpectrumDisplay"]
