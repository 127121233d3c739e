"""Other libraries behind the interface of the comparison; each is imported only when it is run."""

from . import _padasip, _reservoirpy, _torch  # noqa: F401  (they register themselves)
