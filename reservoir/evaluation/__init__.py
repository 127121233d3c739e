"""The main job: every model on every task under one protocol, in tables and one report."""

from ._compare import Interrupted, compare
from ._results import OutputError
from ._specs import (
    MODELS,
    TASKS,
    Metric,
    Model,
    Problem,
    Task,
    UsageError,
    register_model,
    register_task,
)

__all__ = [
    "MODELS",
    "TASKS",
    "Interrupted",
    "Metric",
    "Model",
    "OutputError",
    "Problem",
    "Task",
    "UsageError",
    "compare",
    "register_model",
    "register_task",
]
