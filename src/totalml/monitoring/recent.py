"""The last rows that a test has seen, as small as they can be kept, to say since when something is as it is."""

from __future__ import annotations

import base64
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from totalml.monitoring.change_point import Change
from totalml.monitoring.observations import NO_TIME
from totalml.monitoring.table_times import iso

if TYPE_CHECKING:
    from numpy.typing import NDArray

KEPT = 2048  # rows


@dataclass(frozen=True)
class Since:
    """Args:
    rows: at, earliest and latest, counted from the start of the stream; None: nothing changed.
    times: of these, microseconds since 1970 UTC; None: nobody knows.
    """

    rows: Change | None = None
    times: Change | None = None

    @property
    def told(self) -> tuple[str | None, tuple[str, str] | None]:
        """About when, and between when and when, ISO 8601; None: nobody knows."""
        if self.times is None:
            return None, None
        at, low, high = (iso(moment) for moment in (self.times.at, self.times.low, self.times.high))
        return at, (low, high)


class Recent:
    """Args:
    kinds: name -> type and shape of what is kept of each row, beside `rows` and `times`.
    """

    def __init__(self, **kinds: tuple[str, tuple[int, ...]]) -> None:
        shapes = {"rows": ("int64", ()), "times": ("int64", ()), **kinds}
        self._kept = {name: np.zeros((0, *shape), kind) for name, (kind, shape) in shapes.items()}

    def __getitem__(self, name: str) -> NDArray[Any]:
        return self._kept[name]

    def add(self, rows: NDArray[np.int64], times: NDArray[np.int64] | None, **kept: NDArray[Any]) -> None:
        """Args: rows, times: (N,) counted from the start, and microseconds since 1970 UTC; None: nobody knows."""
        known = np.full(len(rows), NO_TIME) if times is None else times
        for name, values in {"rows": rows, "times": known, **kept}.items():
            joined = np.concatenate([self._kept[name], values[-KEPT:]])[-KEPT:]
            self._kept[name] = joined.astype(self._kept[name].dtype)

    def dated(self, change: Change | None, among: NDArray[np.intp]) -> Since:
        """Args: change: a place among those that are kept, of which only `among` were looked at."""
        if change is None:
            return Since()
        places = among[[change.at, change.low, change.high]]
        rows, times = (Change(*self._kept[name][places].tolist()) for name in ("rows", "times"))
        return Since(rows, None if NO_TIME in (times.at, times.low, times.high) else times)

    def state(self) -> dict[str, str]:
        return {name: base64.b64encode(zlib.compress(each.tobytes())).decode() for name, each in self._kept.items()}

    def restore(self, state: Mapping[str, str]) -> None:
        """What an older version did not keep of a row is zero."""
        count = len(zlib.decompress(base64.b64decode(state["rows"]))) // self._kept["rows"].itemsize
        for name, empty in self._kept.items():
            if name not in state:
                self._kept[name] = np.zeros((count, *empty.shape[1:]), empty.dtype)
                continue
            values = np.frombuffer(zlib.decompress(base64.b64decode(state[name])), empty.dtype)
            self._kept[name] = values.reshape(count, *empty.shape[1:])
