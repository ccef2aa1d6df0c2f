"""Keep pandas out of a process that has no use for it."""

from __future__ import annotations

import sys
from typing import Any


def spare_pandas() -> None:
    """Where pandas is installed pyarrow imports it for its first array: 35 MB and 0.2 s that no answer needs.

    It asks once, and is told that there is none; whoever wants pandas later gets it.
    """
    import pyarrow as pa

    hidden = _Hidden("pandas")
    sys.meta_path.insert(0, hidden)
    try:
        pa.array([""])
    finally:
        sys.meta_path.remove(hidden)


class _Hidden:
    """A finder of modules that hides one."""

    def __init__(self, name: str) -> None:
        self._name = name

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> None:
        if name == self._name:
            raise ModuleNotFoundError(f"{name} is hidden", name=name)
