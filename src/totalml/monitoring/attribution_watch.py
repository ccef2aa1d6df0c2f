"""Whether a model looks elsewhere than it did, of the few rows of which the log says what it looked at.

They are so few that those of several windows are gathered until there are enough. The test is then asked once for all
of these windows, so it may alarm as often by chance as one that was asked in each of them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import pyarrow as pa

from totalml.monitoring.attribution import AttributionTest
from totalml.monitoring.observations import TIMES, as_numbers, observe
from totalml.monitoring.once_per_unit import once_per_unit
from totalml.monitoring.states import whole_number
from totalml.monitoring.verdict import OF_ATTRIBUTION, Evidence
from totalml.monitoring.window_evidence import MOST_ROWS
from totalml.release.attribution import ENTROPY, MIDDLE, SUBJECT
from totalml.release.log_rows import ATTRIBUTION, METADATA

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from totalml.monitoring.moves import Move, WindowResult

MOMENT = pa.timestamp("us", "UTC")
PLACES = {SUBJECT: "where the subject usually is", MIDDLE: "in the middle quarter of the picture"}


class AttributionWatch:
    """See `fit`."""

    def __init__(
        self,
        names: Sequence[str],
        unit: str | None,
        test: AttributionTest,
        level: float,
        least: int,
        seed: int,
        season: str = "",
    ) -> None:
        self._names, self._unit, self._test, self._level = tuple(names), unit, test, level
        self._least, self._seed, self._season = least, seed, season
        self._gathered, self._windows = _none(self._names), 0

    @classmethod
    def fit(
        cls,
        reference: pa.Table,
        columns: Sequence[str],
        *,
        unit: str | None = None,
        level: float = 0.01,
        least: int = 50,
        seed: int = 0,
        season: str = "",
    ) -> Self | None:
        """Args:
            columns: that are compared; those that do not tell what the model looked at are left alone.
            unit: column of which equal values come together; of each one a day one row counts. None: all do.
            level: chance of an alarm for each window that is like the reference.
            least: rows that tell, to ask.
            season: of the one before, which the reference is of; empty: of ordinary days.
        Returns: None: the reference does not tell.
        """
        names = [name for name in columns if name.startswith(ATTRIBUTION) and name in reference.column_names]
        unit = next((each for each in (f"{METADATA}{unit}", unit) if unit and each in reference.column_names), None)
        told = _telling(reference, names, unit)
        if not names or not len(told):
            return None
        known = _numbers(_once(told, unit, seed), names)
        return cls(names, unit, AttributionTest.fit(known), level, least, seed, season)

    def look(self, rows: pa.Table, together: pa.Table) -> Evidence:
        """Args:
        rows: that are new in this window.
        together: all that are looked at as one, of which those are named that show it most.
        """
        told = _telling(rows, self._names, self._unit)
        gathered = pa.concat_tables([self._gathered, told], promote_options="permissive")
        self._gathered = _once(gathered, self._unit, self._seed)
        self._windows += 1
        if lacking := max(self._least - len(self._gathered), 0):
            what = f"{lacking:,} more rows that say what it looked at are wanted"
            return Evidence(OF_ATTRIBUTION, False, what, level=self._level, more=lacking)
        numbers, level = _numbers(self._gathered, self._names), min(self._windows * self._level, 0.5)
        self._gathered, self._windows = _none(self._names), 0
        return self._evidence(self._test.test(numbers), level, together)

    def state(self) -> dict[str, Any]:
        times = {name: self._gathered[name].cast(pa.int64()) for name in TIMES if name in self._gathered.column_names}
        plain = {name: times.get(name, self._gathered[name]).to_pylist() for name in self._gathered.column_names}
        return {"windows": self._windows, "rows": plain}

    def restore(self, state: Mapping[str, Any]) -> None:
        """What is of other columns begins anew."""
        rows = dict(state["rows"])
        if not {*self._names} <= rows.keys():
            return
        times = {name: pa.array(rows.pop(name), MOMENT) for name in TIMES if name in rows}
        numbers = {name: pa.array(rows.pop(name), pa.float64()) for name in self._names}
        units = {name: pa.array(values, pa.string()) for name, values in rows.items() if name == self._unit}
        self._gathered, self._windows = pa.table(numbers | units | times), whole_number(state["windows"])

    def _evidence(self, result: WindowResult, level: float, together: pa.Table) -> Evidence:
        moves = [move for move in result.moves if move.p <= level]
        looks = "the model looks elsewhere" + (f" than in the {self._season} before" if self._season else "")
        return Evidence(
            detector=OF_ATTRIBUTION,
            alarm=bool(moves),
            told=f"{looks}: {'; '.join(map(_words, moves))}" if moves else "it looks where it did",
            value=result.p,
            level=level,
            moved=tuple(move.name for move in moves),
            rows=_oddest(moves[0], together) if moves else (),
            facts={"moves": [vars(move) for move in result.moves], "season": self._season},
        )


def _telling(rows: pa.Table, names: Sequence[str], unit: str | None) -> pa.Table:
    """Those that say what the model looked at, with their times and units."""
    if not names or not {*names} <= {*rows.column_names}:
        return _none(names)
    there = np.isfinite(np.stack([as_numbers(rows[name]) for name in names])).all(axis=0)
    columns = {name: rows[name].cast(pa.float64()) for name in names}
    columns |= {unit: rows[unit].cast(pa.string())} if unit and unit in rows.column_names else {}
    columns |= {name: rows[name].cast(MOMENT) for name in TIMES if name in rows.column_names and _is_time(rows, name)}
    return pa.table(columns).filter(pa.array(there))


def _once(rows: pa.Table, unit: str | None, seed: int) -> pa.Table:
    """Of rows that come together one a day."""
    if unit not in rows.column_names:
        return rows
    return rows.take(pa.array(once_per_unit(observe(rows, unit), np.random.default_rng(seed))))


def _numbers(rows: pa.Table, names: Sequence[str]) -> dict[str, NDArray[np.float64]]:
    return {name: as_numbers(rows[name]) for name in names}


def _none(names: Sequence[str]) -> pa.Table:
    return pa.table({name: pa.array([], pa.float64()) for name in names})


def _is_time(rows: pa.Table, name: str) -> bool:
    return bool(pa.types.is_timestamp(rows[name].type))


def _oddest(move: Move, together: pa.Table) -> tuple[int, ...]:
    """Those that are furthest to the side to which this column moved."""
    if move.name not in together.column_names:
        return ()
    values = as_numbers(together[move.name])
    side = 1 if (move.now or 0.0) < (move.before or 0.0) else -1
    order = np.argsort(side * values, kind="stable")  # NaN last
    return tuple(order[: min(int(np.isfinite(values).sum()), MOST_ROWS)].tolist())


def _words(move: Move) -> str:
    before, now = move.before or 0.0, move.now or 0.0
    name = move.name.removeprefix(ATTRIBUTION)
    if name == ENTROPY:
        wide = "more" if now > before else "less"
        return f"at {wide} of the picture (entropy {now:.2f}, {before:.2f} before)"
    return f"{now:.0%} of what decides lies {PLACES.get(name, f'on {name}')}, {before:.0%} before"
