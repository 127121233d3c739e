"""Importing this registers all tasks and models; the order here is the order of every table."""

# isort: off
from . import _tasks, _suite_tasks  # noqa: F401
from . import _models, _networks, peers, _speed  # noqa: F401
