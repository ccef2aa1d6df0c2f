"""How MLflow loads a release that was exported to it; imported by `mlflow.pyfunc`, and imports nothing of it.

Pictures are looked at by the same code as those of the service, so the answers are the same.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from totalml.errors import DataError
from totalml.release.bundle import read_bundle
from totalml.release.scorer import CHUNK, Scorer

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

PICTURE = "picture"  # the column of pictures


def _load_pyfunc(path: str) -> Model:
    """What MLflow calls with the folder of the release.

    Raises: StoreError: a file is gone or changed. ModelError: the model cannot be loaded.
    """
    bundle = read_bundle(Path(path))
    bundle.verify()
    return Model(Scorer.load(bundle))


class Model:
    def __init__(self, scorer: Scorer) -> None:
        self._scorer = scorer

    def predict(self, frame: pd.DataFrame, params: dict[str, Any] | None = None) -> pd.DataFrame:
        """Args:
            frame: with the columns of the signature; others are ignored. `picture`: see `picture_of`.
            params: MLflow hands them to every model; there are none.
        Returns: a row for each of `frame`, with its index.
        Raises: DataError, FeatureError: name what is missing or cannot be used.
        """
        import pyarrow as pa

        parts = [self._answers(frame[start : start + CHUNK]) for start in range(0, max(len(frame), 1), CHUNK)]
        return pa.concat_tables(parts).to_pandas().set_axis(frame.index)

    def _answers(self, some: pd.DataFrame) -> pa.Table:
        """Of as many as are decoded at once."""
        ids = [str(label) for label in some.index]
        return self._scorer.score(self._scorer.inputs(ids, self._pictures(ids, some), self._rows(some))).answers

    def _pictures(self, ids: Sequence[str], some: pd.DataFrame) -> list[bytes | Path] | None:
        if not self._scorer.image:
            return None
        if PICTURE not in some:
            raise DataError(f"the model sees pictures; give them in a column {PICTURE!r}")
        return [picture_of(id_, value) for id_, value in zip(ids, some[PICTURE], strict=True)]

    def _rows(self, some: pd.DataFrame) -> pa.Table | None:
        """Columns that are missing stay so, to be named."""
        import pyarrow as pa

        if not (wanted := self._scorer.signature.columns):
            return None
        return pa.Table.from_pandas(some[[name for name in wanted if name in some]], preserve_index=False)


def picture_of(id_: str, value: Any) -> bytes | Path:
    """Args: value: the bytes of a file, their base64 as a text, or a `pathlib.Path`.

    A text is never a path: whoever may ask a served model could then have it read files of that machine.
    Raises: DataError: it is none of these.
    """
    if isinstance(value, bytes | Path):
        return value
    if isinstance(value, str):
        try:
            return base64.b64decode("".join(value.split()), validate=True)
        except binascii.Error as error:
            raise DataError(
                f"picture {id_!r} is no base64 ({error}); of a file give its bytes or pathlib.Path"
            ) from None
    raise DataError(f"picture {id_!r} is {type(value).__name__}; give bytes, their base64 as a text, or a pathlib.Path")
