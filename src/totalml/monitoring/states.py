"""What the tests that run along had seen by the end of a window: a small file of its own, named by its digest.

It is written before the event that names it, so whoever finds the event finds the file, until a later window has
another one. Of a killed process a file may stay that nothing names.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np

from totalml.errors import StoreError
from totalml.identity import digest, short

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from totalml.store import Store

FOLDER = "monitors"  # of the store: monitors/<model>/<digest>.json
MOST_BYTES = 64 * 2**20


class States:
    """Of the monitors of one model."""

    def __init__(self, store: Store, model: str) -> None:
        self._store, self._model = store, model

    def save(self, state: Mapping[str, Any]) -> str:
        """Its digest. Raises: StoreError: it cannot be written."""
        data = json.dumps(state, sort_keys=True, allow_nan=False).encode()
        name = digest("monitor state v1", data)
        self._store.save_file(data, FOLDER, self._model, _file(name))
        return name

    def load(self, name: str) -> dict[str, Any]:
        """Raises: FileGoneError: it is not there. StoreError: it is damaged."""
        with self._store.open_file(FOLDER, self._model, _file(name)) as file:
            data = file.read(MOST_BYTES)
        if digest("monitor state v1", data) != name:
            raise StoreError(
                f"{FOLDER}/{self._model}/{_file(name)} is damaged; restore it from a backup, or remove it: what adds "
                "up from window to window then begins anew"
            )
        return dict(json.loads(data))

    def remove(self, name: str) -> None:
        self._store.remove_file(FOLDER, self._model, _file(name))


def finite(values: Any, *shape: int) -> NDArray[np.float64]:
    """What a state holds as lists. Raises: TypeError, ValueError: these are other than so many finite numbers."""
    found = np.array(values, np.float64)
    if found.shape != shape or not np.isfinite(found).all():
        raise ValueError(f"a state holds numbers of the shape {found.shape}, expected {shape}, all finite")
    return found


def whole_number(value: Any) -> int:
    """Raises: ValueError: it is no whole number of things."""
    if type(value) is not int or value < 0:
        raise ValueError(f"a state holds {value!r}, expected a whole number, 0 or more")
    return value


def _file(name: str) -> str:
    return f"{short(name, 64)}.json"
