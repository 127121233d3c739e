"""The main job: every model on every task under one protocol, in tables and one report."""

from ._compare import Interrupted, compare, contents
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
from ._suites import SUITES

__all__ = [
    "MODELS",
    "SUITES",
    "TASKS",
    "Interrupted",
    "Metric",
    "Model",
    "OutputError",
    "Problem",
    "Task",
    "UsageError",
    "compare",
    "contents",
    "register_model",
    "register_task",
]
