"""From what was answered, or could not be, to rows of the prediction log."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from totalml.data.image_properties import PROPERTIES, image_properties
from totalml.errors import TotalmlError
from totalml.release.log_rows import input_hash, log_columns, metadata_columns
from totalml.release.onnx_model import IMAGE, NUMERIC
from totalml.release.signature import NUMBER
from totalml.serving.body import RefusedError
from totalml.serving.exchange import Answered

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from totalml.release.scorer import Scored
    from totalml.release.signature import Signature
    from totalml.serving.exchange import Arm, Asked

    _Run = tuple[Scored, int, int]  # what was scored, the first row of a run in it, and how many it has
    _Properties = Mapping[str, NDArray[np.float32]]
    _Asking = Callable[[Sequence["Noted"]], Sequence[_Properties]]

LONGEST_REASON = 200  # characters
NOTHING = np.zeros(0, np.float32)


@dataclass(frozen=True)
class Noted:
    """Args: ended: how; or why it has no answer."""

    when: datetime
    asked: Asked
    arm: Arm
    ended: Answered | Exception
    seconds: float

    @cached_property
    def held(self) -> int:
        """Bytes of its pictures, as they were sent and decoded."""
        return sum(map(len, self.asked.pictures or ())) + (0 if self.pixels is None else self.pixels.nbytes)

    @property
    def pixels(self) -> NDArray[np.uint8] | None:
        """(N, H, W, 3) its pictures as the model saw them; None: it saw none."""
        return self.ended.inputs.get(IMAGE) if isinstance(self.ended, Answered) else None


@dataclass(frozen=True)
class Measured:
    """What is left of an answer without its pictures.

    Args:
        error: why there is no answer; empty: there is one.
        scored: where there is no answer, that of nothing, for its form.
        place: its first row in what was scored, and how many it has there.
        hashes: of each input.
        properties: of its pictures; none where there are no pictures.
        attribution: what the model looked at, NaN where it was not asked; none where there is no answer or none tells.
    """

    when: datetime
    request_id: str
    ids: Sequence[str]
    rows: pa.Table | None
    arm: Arm
    share: float
    error: str
    scored: Scored
    place: tuple[int, int]
    seconds: float
    hashes: Sequence[str]
    properties: _Properties
    attribution: _Properties


def measured_of(some: Sequence[Noted], looked_at: _Asking | None = None) -> list[Measured | Exception]:
    """Of each what is left without its pictures, or why nothing is: whatever was asked harms no other.

    Args: looked_at: says of each what the model looked at; None: nobody asks.
    """
    try:
        properties = _properties([noted.pixels for noted in some])
        attributions: Sequence[_Properties] = [{} for _ in some] if looked_at is None else looked_at(some)
    except Exception as error:
        return [error] * len(some)
    found: list[Measured | Exception] = []
    for noted, its, attribution in zip(some, properties, attributions, strict=True):
        try:
            found.append(_measured(noted, its, attribution))
        except Exception as error:
            found.append(error)
    return found


def _properties(seen: Sequence[NDArray[np.uint8] | None]) -> list[_Properties]:
    """Those of one size are measured together, as for a small picture the calls take as long as the numbers; and those
    that two releases saw once.
    """
    alike: dict[tuple[int, ...], dict[int, NDArray[np.uint8]]] = {}
    for pixels in seen:
        if pixels is not None:
            alike.setdefault(pixels.shape[1:], {})[id(pixels)] = pixels
    found: dict[int, _Properties] = {}
    for parts in alike.values():
        values = image_properties(np.concatenate([*parts.values()]))
        first = 0
        for place, part in parts.items():
            found[place] = {name: column[first : first + len(part)] for name, column in values.items()}
            first += len(part)
    return [found.get(id(pixels), {}) for pixels in seen]


def _measured(noted: Noted, properties: _Properties, attribution: _Properties) -> Measured:
    asked, ended, known = noted.asked, noted.ended, noted.arm.loaded
    return Measured(
        when=noted.when,
        request_id=asked.request_id,
        ids=asked.ids,
        rows=_as_served(asked.rows, ended, known.scorer.signature),
        arm=noted.arm,
        share=asked.share,
        error="" if isinstance(ended, Answered) else _reason(ended),
        scored=ended.scored if isinstance(ended, Answered) else known.nothing,
        place=(ended.first, ended.count) if isinstance(ended, Answered) else (0, 0),
        seconds=noted.seconds,
        hashes=_input_hashes(asked, known.scorer.signature),
        properties=properties,
        attribution=attribution,
    )


def _as_served(rows: pa.Table | None, ended: Answered | Exception, signature: Signature) -> pa.Table | None:
    """With the columns of shared features as the model saw them, and all others that a row may have; else null."""
    if rows is None or not signature.shared:
        return rows
    seen = ended.inputs.get(NUMERIC) if isinstance(ended, Answered) else None
    given = dict(zip(rows.column_names, rows.columns, strict=True))
    made = {} if seen is None else _made(seen.astype(np.float64), signature)
    columns: dict[str, Any] = {}
    for name, kind in signature.takes.items():
        found = made.get(name, given.get(name))
        columns[name] = pa.nulls(len(rows), pa.float64() if kind == NUMBER else pa.string()) if found is None else found
    return pa.table(columns)


def _made(numeric: NDArray[np.float64], signature: Signature) -> dict[str, pa.Array]:
    """Columns of shared features. Args: numeric: (N, Dn), as the model saw them."""
    shared = {*signature.shared_columns}
    places = ((place, name) for place, name in enumerate(signature.numeric) if name in shared)
    return {name: pa.array(numeric[:, place], from_pandas=True) for place, name in places}


def _reason(error: Exception) -> str:
    """As a caller is told; of a mistake of ours its kind."""
    told = str(error) if isinstance(error, TotalmlError | RefusedError) else ""
    return told.encode(errors="replace").decode()[:LONGEST_REASON] or type(error).__name__


def table_of(measured: Sequence[Measured], release: str, replica: str) -> pa.Table:
    """Of many answers at once: a table for each would cost more than the answer.

    What could not be answered stands at the end, with nulls where the answers would be.
    """
    measured = sorted(measured, key=lambda each: each.error != "")
    counts = [len(each.ids) for each in measured]
    columns: dict[str, Any] = {
        "request_id": pa.array(_repeated([each.request_id for each in measured], counts), pa.string()),
        "id": pa.array([id_ for each in measured for id_ in each.ids], pa.string()),
        "sample": pa.array([number for count in counts for number in range(count)], pa.int32()),
        "time": pa.array(_repeated([each.when for each in measured], counts), pa.timestamp("us", "UTC")),
        "release": pa.array([release] * sum(counts), pa.string()),
        "arm": pa.array(_repeated([each.arm.name for each in measured], counts), pa.string()),
        "share": pa.array(np.repeat(np.array([each.share for each in measured], np.float64), counts)),
        "error": pa.array(_repeated([each.error or None for each in measured], counts), pa.string()),
        "replica": pa.array([replica] * sum(counts), pa.string()),
        "input": pa.array([hash_ for each in measured for hash_ in each.hashes], pa.string()),
        "seconds": pa.array(np.repeat(np.array([each.seconds for each in measured], np.float32), counts)),
    }
    answered = sum(count for each, count in zip(measured, counts, strict=True) if not each.error)
    return pa.table(columns | _answered_columns(measured, answered, sum(counts))).combine_chunks()


def _answered_columns(measured: Sequence[Measured], answered: int, count: int) -> dict[str, Any]:
    """Args: answered: rows that have an answer, the first ones; `count`: all."""
    some = [each for each in measured if not each.error] or measured[:1]
    first = some[0]
    names = first.properties or (PROPERTIES if first.arm.loaded.scorer.image else ())
    properties = {name: np.concatenate([each.properties.get(name, NOTHING) for each in some]) for name in names}
    runs = _runs(some)
    said = log_columns(
        answers=pa.concat_tables([scored.answers.slice(first, count) for scored, first, count in runs]),
        properties=properties,
        rows=None,
        embeddings=_joined(runs, [scored.embeddings for scored, *_ in runs]),
        strangeness=_joined(runs, [scored.strangeness for scored, *_ in runs]),
        attribution={name: np.concatenate([each.attribution[name] for each in some]) for name in first.attribution},
    )
    filled = {name: _filled(column, count - answered) for name, column in said.items()}
    return _metadata(measured) | filled


def _metadata(measured: Sequence[Measured]) -> dict[str, Any]:
    """Null where a caller gave none, be it that none is asked for or by mistake."""
    schema = next((each.rows.schema for each in measured if each.rows is not None), None)
    if schema is None:
        return {}
    nothing = (pa.table([pa.nulls(len(each.ids), field.type) for field in schema], schema) for each in measured)
    parts = [lacking if each.rows is None else each.rows for each, lacking in zip(measured, nothing, strict=True)]
    return metadata_columns(pa.concat_tables(parts))


def _filled(column: Any, lacking: int) -> Any:
    """With nulls at its end; an embedding holds them, as pyarrow cannot read one that is null as a whole."""
    if not lacking:
        return column
    parts, kind = column.chunks if isinstance(column, pa.ChunkedArray) else [column], column.type
    nothing = pa.nulls(lacking, kind)
    if pa.types.is_fixed_size_list(kind):
        nothing = pa.FixedSizeListArray.from_arrays(pa.nulls(lacking * kind.list_size, kind.value_type), type=kind)
    return pa.chunked_array([*parts, nothing], kind)


def _runs(some: Sequence[Measured]) -> list[_Run]:
    """Of each its rows in what was scored; of those that follow each other there, as of most of a batch, at once."""
    runs: list[_Run] = []
    for each in some:
        first, count = each.place
        if runs and runs[-1][0] is each.scored and sum(runs[-1][1:]) == first:
            _, first, before = runs.pop()
            count += before
        runs.append((each.scored, first, count))
    return runs


def _joined(runs: Sequence[_Run], values: Sequence[Any]) -> Any:
    """The rows of the runs in the values of what each is of; None if there is nothing of the kind."""
    if values[0] is None:
        return None
    places = zip(values, runs, strict=True)
    return np.concatenate([all_[first : first + count] for all_, (_, first, count) in places])


def _repeated(values: Sequence[Any], counts: Sequence[int]) -> list[Any]:
    return [value for value, count in zip(values, counts, strict=True) for _ in range(count)]


def _input_hashes(asked: Asked, signature: Signature) -> list[str]:
    rows: list[dict[str, Any]] = [{}] * len(asked.ids)
    if asked.rows is not None and signature.columns:
        rows = signature.given_rows(asked.rows)
    pictures = asked.pictures if asked.pictures is not None else [b""] * len(asked.ids)
    return [input_hash(picture, row) for picture, row in zip(pictures, rows, strict=True)]
