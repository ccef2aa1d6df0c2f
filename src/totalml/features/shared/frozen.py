"""Shared features as a release holds them: their columns, made of the rows of a request.

The code of the definition itself runs on the rows of the request and the history that was frozen with the release; of a
source of its own, the values that were frozen are looked up as of each row's time. That needs no code of a recipe.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from totalml.duration import us_of
from totalml.errors import FeatureError, StoreError
from totalml.features.latest import open_latest
from totalml.features.shared.columns import named_columns, values_of
from totalml.features.shared.materialised import VALUE
from totalml.features.shared.past import TIMESTAMP, column_of, entities, numbers, times
from totalml.kinds import SharedFeature
from totalml.validate import InvalidRecipe, component_of

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

    from totalml.features.latest import Latest

OURS = "totalml."  # a file of a release never chooses other code to import


@dataclass(frozen=True)
class Frozen:
    """Args:
    name: `team/name`.
    columns: of the model, that it makes.
    numbers: columns of numbers that a request brings for it, besides `timestamp` and the entity.
    entity: columns that tell series apart.
    definition: its plain values.
    file: of the release, with the history or the values; None: its numbers are made of the row alone.
    since_us: microseconds since 1970; of times before, what is frozen does not tell what was known then.
    """

    name: str
    columns: tuple[str, ...]
    numbers: tuple[str, ...]
    entity: tuple[str, ...]
    definition: Mapping[str, Any]
    file: str | None
    since_us: int

    @property
    def needs(self) -> tuple[str, ...]:
        """Columns that a request brings for it."""
        return (TIMESTAMP, *self.entity, *self.numbers)

    @property
    def ttl_us(self) -> int | None:
        ttl = self.definition["ttl"]
        return None if ttl is None else us_of(ttl)

    @cached_property
    def feature(self) -> SharedFeature | None:
        """What makes the numbers of rows; None: they are looked up.

        Raises: StoreError: today's code does not take the definition.
        """
        if self.definition["source"]:
            return None
        try:
            if not str(self.definition["_target_"]).startswith(OURS):
                raise InvalidRecipe([])
            return component_of(dict(self.definition), SharedFeature)  # type: ignore[type-abstract]
        except InvalidRecipe as error:
            told = "; ".join(mistake.message for mistake in error.mistakes) or "its code is no part of totalml"
            raise StoreError(f"shared feature {self.name!r} cannot be made: {told}. Release the run again.") from error

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Self:
        """Raises: TypeError, KeyError: they are none."""
        return cls(**{**values, **{name: tuple(values[name]) for name in ("columns", "numbers", "entity")}})


class Maker:
    """Makes the columns of one feature; any number of threads may use it at once.

    Args: file: with its history or values; None: there is none.
    Raises: StoreError: the file or the definition cannot be read.
    """

    def __init__(self, frozen: Frozen, file: Path | None) -> None:
        self.frozen, self._feature = frozen, frozen.feature
        self._latest: Latest | None = None if file is None else open_latest(file)

    def early(self, rows: pa.Table) -> NDArray[np.int64]:
        """Numbers of the rows that are of a time before what is frozen."""
        return np.flatnonzero(times(rows, TIMESTAMP) < self.frozen.since_us)

    @property
    def too_early(self) -> str:
        """Why such rows cannot be answered."""
        since = np.datetime64(self.frozen.since_us, "us").item()
        return f"it is of before {since:%Y-%m-%d %H:%M} UTC, when the history of the release begins"

    def columns(self, rows: pa.Table) -> dict[str, NDArray[np.float32]]:
        """(N,) each, NaN where missing.

        Args: rows: with the columns that it needs; no two of an entity are of one time. What they say of an entity and
            time counts, and not what was frozen of these. Of rows that are `early` not all that goes in is known.
        Raises: FeatureError: columns are missing or do not fit.
        """
        frozen = self.frozen
        if missing := [name for name in frozen.needs if name not in rows.column_names]:
            made_of, lacking = ", ".join(frozen.needs), ", ".join(missing)
            raise FeatureError(
                f"shared feature {frozen.name!r} is made of {made_of}; without {lacking} it cannot be. Give what is "
                f"missing, or {_some(frozen.columns)} ready-made"
            )
        try:
            seen = self._typed(rows)
            made = self._of_rows(self._feature, seen) if self._feature else self._looked_up(seen)
        except FeatureError as error:
            raise FeatureError(f"shared feature {frozen.name!r}: {error}") from error
        return named_columns(frozen.name, made)

    def _typed(self, rows: pa.Table) -> pa.Table:
        """The columns that it needs, times as microseconds and entities as they were frozen."""
        import pyarrow as pa

        moments = pa.array(times(rows, TIMESTAMP)).cast(pa.timestamp("us", "UTC"))
        columns: dict[str, Any] = {TIMESTAMP: moments}
        for name in self.frozen.entity:
            columns[name] = _cast(rows, name, self._latest.kind(name) if self._latest else None)
        return pa.table(columns | {name: pa.array(numbers(rows, name)) for name in self.frozen.numbers})

    def _of_rows(self, feature: SharedFeature, rows: pa.Table) -> pa.Table:
        if self._latest is None:
            return values_of(feature, rows, None)
        import pyarrow as pa

        whole = pa.concat_tables([rows, self._history(rows, self._latest)])
        return values_of(feature, whole, None).slice(0, len(rows))

    def _history(self, rows: pa.Table, latest: Latest) -> pa.Table:
        """What is frozen of the entities of the rows, but for what the rows say themselves."""
        import pyarrow as pa

        entity, time = entities(rows, self.frozen.entity), times(rows, TIMESTAMP)
        order = np.lexsort((time, entity))
        last = order[np.append(np.diff(entity[order]) != 0, True)[: len(order)]]
        found = latest.history(rows.take(pa.array(last)), TIMESTAMP, None)[1]
        found = found.select(rows.column_names)
        found = found if found.schema == rows.schema else found.cast(rows.schema)
        named = [TIMESTAMP, *self.frozen.entity]
        both = pa.concat_tables([rows.select(named), found.select(named)])
        moment = np.unique(times(both, TIMESTAMP), return_inverse=True)[1]
        keyed = entities(both, self.frozen.entity) * len(both) + moment
        again = np.isin(keyed[len(rows) :], keyed[: len(rows)])
        return found.filter(pa.array(~again))

    def _looked_up(self, rows: pa.Table) -> pa.Table:
        assert self._latest is not None  # noqa: S101
        found = self._latest.lookup(rows, TIMESTAMP, self.frozen.ttl_us)
        return found.rename_columns([name.removeprefix(VALUE) for name in found.column_names])


def with_made(rows: pa.Table, makers: Sequence[Maker]) -> pa.Table:
    """The rows, and the columns of each feature of which they bring none ready-made.

    Raises: FeatureError: of each feature that cannot be made; all at once.
    """
    import pyarrow as pa

    if not makers:
        return rows
    wrong, given = [], {*rows.column_names}
    columns: dict[str, Any] = dict(zip(rows.column_names, rows.columns, strict=True))
    for maker in makers:
        there = {*maker.frozen.columns} & given
        try:
            made = {} if there else maker.columns(rows)
            if made and len(early := maker.early(rows)):
                raise FeatureError(f"shared feature {maker.frozen.name!r}, row {early[0] + 1}: {maker.too_early}")
        except FeatureError as error:
            wrong.append(str(error))
            continue
        for name in maker.frozen.columns:
            if name not in there:
                lacking = name not in made
                columns[name] = pa.nulls(len(rows), pa.float32()) if lacking else pa.array(made[name], from_pandas=True)
    if wrong:
        raise FeatureError("\n".join(wrong))
    return pa.table(columns)


def _cast(rows: pa.Table, name: str, kind: pa.DataType | None) -> pa.Array:
    import pyarrow as pa

    column = column_of(rows, name)
    try:
        return column if kind is None else column.cast(kind)
    except pa.ArrowInvalid as error:
        raise FeatureError(f"{name!r} holds a value that is no {kind}: {error}") from error


def _some(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{names[0]} ... {names[-1]}"
