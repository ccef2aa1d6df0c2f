"""Keep a service from holding what no answer needs: pandas, and memory that its threads once had."""

from __future__ import annotations

import ctypes
import os
from contextlib import suppress

from totalml.spare_pandas import spare_pandas

ARENA_MAX = -8  # of mallopt, as glibc numbers it
ARENAS = 2


def spare_memory() -> None:
    """Before pyarrow is imported and threads start."""
    # Arrow's own memory keeps more of what the log once needed than the system's, and takes longer.
    os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "system")
    # Each thread would have an arena of its own, which keeps what that thread once needed. Not every system has them.
    with suppress(AttributeError, OSError, TypeError):
        ctypes.CDLL(None).mallopt(ARENA_MAX, ARENAS)
    spare_pandas()
