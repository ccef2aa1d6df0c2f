"""Rows of a snapshot with the labels that people gave, and new ones in the same columns."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from totalml.errors import DataError
from totalml.review.learnt.cells import CLASS, Cells

if TYPE_CHECKING:
    import pyarrow as pa

    from totalml.data.sample import Row
    from totalml.data.snapshot import Snapshot
    from totalml.review.learnt.judged_samples import JudgedSample

SHARES = "label_shares"  # metadata column, by `keep`: JSON, label -> how likely it is, where people are undecided
UNDECIDED = "people are undecided"
Soft = Literal["leave-out", "keep"]


@dataclass(frozen=True)
class Change:
    """Args:
    before: None: the sample is new.
    people: who gave a label.
    """

    id: str
    before: str | None
    after: str
    people: int


class Relabelled:
    """Args: soft: of samples of which people are undecided: they go, or keep the likeliest label, and `SHARES`."""

    def __init__(self, parent: Snapshot, cells: Cells, soft: Soft) -> None:
        self._cells, self._soft = cells, soft
        self._kinds = {field.name: field.type for field in parent.metadata.schema}
        self._samples, self._metadata = parent.samples, parent.metadata
        self._places = {name: place for place, name in enumerate(parent.samples["id"].to_pylist())}
        self._gone: set[int] = set()
        self._written: dict[str, dict[int, Any]] = {}  # column -> place -> cell
        self._shares: dict[str, str] = {}
        self._rows: list[Row] = []
        self.changes: list[Change] = []
        self.left_out: list[tuple[str, str]] = []

    def take(self, sample: JudgedSample, row: Row | None = None) -> None:
        """Args: row: of a new one, without its label."""
        place = self._places.get(sample.id)
        before = {} if place is None else self._before(place)
        cells = self._cells_of(sample, before)
        if cells is None:
            self.left_out.append((sample.id, UNDECIDED))
            if place is not None:
                self._gone.add(place)
            return
        if unknown := sorted({*cells} - {CLASS, *self._kinds}):
            raise DataError(f"the parent has no column {', '.join(unknown)} for the label; name another --parent")
        if sample.together.label is None:
            self._shares[sample.id] = _as_json(sample, self._cells)
        if place is None:
            self._add(sample, row, cells)
        elif any(before[name] != cell for name, cell in cells.items()):
            shown = {name: before[name] for name in cells}
            self.changes.append(Change(sample.id, _text(shown), _text(cells), sample.together.votes))
            for name, cell in cells.items():
                self._written.setdefault(name, {})[place] = cell

    def tables(self) -> tuple[pa.Table, pa.Table]:
        """Samples and metadata, sorted by the bytes of the id."""
        import pyarrow as pa
        import pyarrow.compute as pc

        from totalml.data.columns import sample_table

        kept = pa.array([place for place in range(len(self._samples)) if place not in self._gone], pa.int64())
        old = [self._overwritten(table).take(kept) for table in (self._samples, self._metadata)]
        kinds = {field.name: field.type for field in old[1].schema}
        columns = {name: pa.array([row.metadata.get(name) for row in self._rows], kind) for name, kind in kinds.items()}
        samples = pa.concat_tables([old[0], sample_table(self._rows)])
        metadata = pa.concat_tables([old[1], pa.table(columns)]) if columns else pa.table({})
        if self._shares:
            shares = pa.array([self._shares.get(name) for name in samples["id"].to_pylist()], pa.string())
            metadata = pa.table({**{name: metadata[name] for name in metadata.column_names}, SHARES: shares})
        order = pc.sort_indices(samples["id"].cast(pa.binary()))
        samples, metadata = samples.take(order), metadata.take(order) if metadata.num_columns else metadata
        return samples.combine_chunks(), metadata.combine_chunks()

    def _before(self, place: int) -> dict[str, Any]:
        row = {name: self._metadata[name][place].as_py() for name in self._kinds}
        return {**row, CLASS: self._samples[CLASS][place].as_py()}

    def _cells_of(self, sample: JudgedSample, before: Mapping[str, Any]) -> dict[str, Any] | None:
        together = sample.together
        if together.label is not None:
            return self._cells.written(together.label)
        if self._soft == "leave-out":
            return None
        highest = max(share for _, share in together.shares)
        likeliest = [self._cells.written(label) for label, share in together.shares if share > highest - 1e-9]
        stands = [cells for cells in likeliest if all(before.get(name) == cell for name, cell in cells.items())]
        return [*stands, *likeliest][0]

    def _add(self, sample: JudgedSample, row: Row | None, cells: Mapping[str, Any]) -> None:
        if row is None:
            raise ValueError(f"sample {sample.id!r} is new and has no row")
        given = {name: _fitted(sample.facts.get(name), kind) for name, kind in self._kinds.items()}
        row.label = cells.get(CLASS)
        row.metadata = {**given, **{name: cell for name, cell in cells.items() if name != CLASS}}
        self._rows.append(row)
        self.changes.append(Change(sample.id, None, _text(cells), sample.together.votes))

    def _overwritten(self, table: pa.Table) -> pa.Table:
        """With what people said; a column of whole numbers holds fractions where they said any."""
        import pyarrow as pa

        for place, field in enumerate(table.schema):
            written = self._written.get(field.name, {})
            given = [*written.values(), *(row.metadata.get(field.name) for row in self._rows)]
            kind = pa.float64() if pa.types.is_integer(field.type) and any(map(_is_fraction, given)) else field.type
            if not written and kind == field.type:
                continue
            cells = table[field.name].to_pylist()
            for row, cell in written.items():
                cells[row] = cell
            table = table.set_column(place, field.name, pa.array(cells, kind))
        return table


def _is_fraction(value: Any) -> bool:
    return isinstance(value, float) and not value.is_integer()


def _fitted(value: Any, kind: pa.DataType) -> Any:
    """As the parent's column holds it; what the log has in another type is missing."""
    import pyarrow as pa

    if pa.types.is_integer(kind) and _is_fraction(value):  # Arrow would cut it off
        return None
    try:
        return pa.scalar(value, kind).as_py()
    except (pa.ArrowException, TypeError, ValueError, OverflowError):
        return None


def _text(cells: Mapping[str, Any]) -> str:
    return ", ".join(str(cell) if name == CLASS else f"{name} {cell}" for name, cell in cells.items())


def _as_json(sample: JudgedSample, cells: Cells) -> str:
    shares = {_text(cells.written(label)): round(share, 6) for label, share in sample.together.shares}
    return json.dumps(shares, ensure_ascii=False, sort_keys=True)
