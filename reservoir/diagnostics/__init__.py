"""What a reservoir can do, measured: its memory, its ranks, its stability.

Every function takes a reservoir, fitted (it is measured as it is and left alone) or not (a clone is
fitted), and most take any transformer.
"""

from ._echo_states import consistency, echo_state_index, effective_spectral_radius, saturation
from ._lyapunov import lyapunov_exponent, lyapunov_spectrum
from ._memory_capacity import MemoryCapacity, memory_capacity
from ._processing_capacity import ProcessingCapacity, information_processing_capacity
from ._rank import generalization_rank, kernel_rank

__all__ = [
    "MemoryCapacity",
    "ProcessingCapacity",
    "consistency",
    "echo_state_index",
    "effective_spectral_radius",
    "generalization_rank",
    "information_processing_capacity",
    "kernel_rank",
    "lyapunov_exponent",
    "lyapunov_spectrum",
    "memory_capacity",
    "saturation",
]
