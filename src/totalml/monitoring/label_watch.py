"""What labels say of a release: of ordinary days, of each season by itself, and of the inputs that are new.

In a season that was expected the model may err as often as it did in the one before, and no more; so labels of that
time are held against it, and not against ordinary days. Whether the model is right on inputs that moved is told by
labels of what it answered since they did: those from before say nothing of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from totalml.deployment.sequential import share_bounds
from totalml.errors import DataError
from totalml.monitoring.label import CHANCE, LabelResult, LabelTest
from totalml.monitoring.label_evidence import label_evidence, slice_evidence
from totalml.monitoring.observations import as_categories
from totalml.monitoring.still_right import StillRight, judged_right
from totalml.monitoring.table_times import microseconds
from totalml.monitoring.traffic import LOSS
from totalml.release.log_rows import ANSWER, METADATA

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from totalml.monitoring.verdict import Evidence

    Losses = NDArray[np.float64]

LEAST_LABELLED = 30  # of a season before, to hold one against
SLICES_LEVEL = 0.01  # that any slice is ever said to be worse while none is
ALPHA = 0.05  # that it is ever said wrongly whether the model is right on inputs that moved
DAY_US = 86_400_000_000
NEVER = np.iinfo(np.int64).min
PREDICTED = ANSWER + "predicted"
MOST_ANSWERS = 8  # each costs the others a part of their evidence
# That a bound does not hold, where each answer has one of its own: for an answer alone it then is about as near as
# that of all errors is without them.
WITH_ANSWERS = 2 * CHANCE
USUAL = ""  # ordinary days, beside the names of seasons


class LabelWatch:
    """Args:
    known: rows of validation, with their losses.
    seasons: name -> rows of the season before, with theirs; those with too few labels are held against ordinary days.
    average_run: rows between two false alarms, of which some have labels.
    slices: metadata columns.
    margin: by how much more often the model may err on inputs that moved.
    rows_per_day: that are expected; None: a run is counted in labels.
    """

    def __init__(
        self,
        known: tuple[pa.Table, Losses],
        seasons: Mapping[str, tuple[pa.Table, Losses]],
        average_run: float,
        slices: tuple[str, ...],
        margin: float,
        rows_per_day: float | None = None,
    ) -> None:
        self._slices, self._margin, self._rows_per_day = slices, margin, rows_per_day
        enough = {name: each for name, each in seasons.items() if (~np.isnan(each[1])).sum() >= LEAST_LABELLED}
        self._tests = {
            name: _fitted(rows, losses, average_run, self._masks(rows))
            for name, (rows, losses) in {USUAL: known, **enough}.items()
        }
        self._results: dict[str, LabelResult] = {}
        self._until = NEVER  # labels that came by then were counted
        self._moved_since: int | None = None  # when inputs moved
        self._moved = (0, 0.0)  # labels of what was answered since, and the sum of their losses
        self._told: list[tuple[NDArray[np.int64], Losses]] = []  # of this window: when answered, how wrong

    @property
    def alarms(self) -> bool:
        """Within the window that is under way."""
        return any(each.alarm for each in self._results.values())

    def add(self, labelled: pa.Table, season_of: NDArray[np.str_]) -> None:
        """Labels of a window under way; each call may know more of them than the one before.

        Args: season_of: (N,) name of the season in which each was answered; empty: in none.
        """
        came = microseconds(labelled, "labelled")
        fresh = came > self._until
        passed = self._rows_passed(came[fresh])
        for name, test in self._tests.items():
            ours = fresh & (season_of == name)
            if name == USUAL:
                ours |= fresh & ~np.isin(season_of, [*self._tests])
            if not ours.any():
                continue
            rows = labelled.filter(pa.array(ours))
            found = test.update(
                np.asarray(rows[LOSS]),
                slices=self._masks(rows),
                times=came[ours],
                passed=None if passed is None else passed[ours[fresh]],
                answers=_answers(rows),
            )
            before = self._results.get(name)
            if before is not None and before.alarm:
                found = replace(found, alarm_row=before.alarm_row, erring=before.erring)
            self._results[name] = found
        self._told.append((microseconds(labelled, "time")[fresh], np.asarray(labelled[LOSS], np.float64)[fresh]))
        self._until = max(self._until, int(came.max(initial=self._until)))

    def _rows_passed(self, came: NDArray[np.int64]) -> NDArray[np.float64] | None:
        """(N,) rows that were expected since the label before; those of one moment share them. None: nobody knows.

        By the clock and not by the label, so that the promise is of days, however few of the rows have labels.
        """
        if self._rows_per_day is None:
            return None
        moments, which, count = np.unique(came, return_inverse=True, return_counts=True)
        passed = np.diff(moments.astype(np.float64), prepend=float(self._until)) / DAY_US * self._rows_per_day / count
        if self._until == NEVER:
            passed[:1] = 1.0  # nobody knows for how long none came
        return np.asarray(passed[which])

    def end(self, season: str, outside_quality: bool, moved_since: int | None) -> list[Evidence]:
        """Of the window that is over.

        Args:
            season: that most of its rows are in.
            outside_quality: as of `judge`.
            moved_since: when the window began, where its inputs are other than they were; microseconds since 1970 UTC.
        """
        any_told = any(len(losses) for _, losses in self._told)
        self._count_moved(moved_since)
        first = season if season in self._tests else USUAL
        results, self._results = self._results, {}
        told = []
        for name in dict.fromkeys((first, *(name for name, each in results.items() if each.alarm))):
            test = self._tests[name]
            told.append(
                label_evidence(
                    results.get(name), self._still_right(test), test.too_few, test.loss, outside_quality, name
                )
            )
        # Groups that were found worse stay so until a label says otherwise; a window without any has nothing to add.
        tests = [*self._tests.values()] if any_told else []
        worse = [each for test in tests for each in test.worse_slices(SLICES_LEVEL / len(self._tests))]
        return [*told, slice_evidence(worse)]

    def _count_moved(self, since: int | None) -> None:
        told, self._told = self._told, []
        if since is None:
            self._moved_since, self._moved = None, (0, 0.0)
            return
        self._moved_since = since if self._moved_since is None else self._moved_since
        for answered, losses in told:
            new = answered >= self._moved_since
            count, total = self._moved
            self._moved = (count + int(new.sum()), total + float(losses[new].sum()))

    def errs_more(self, labelled: pa.Table) -> bool:
        """Whether the losses of these alone are more than validation allows."""
        losses = np.asarray(labelled[LOSS], np.float64)
        low, _ = share_bounds(float(losses.sum()), len(losses), ALPHA)
        return low > self._tests[USUAL].bound

    def restart(self) -> None:
        """As if no label had come by now; after something was done about an alarm."""
        self._results, self._told = {}, []
        self._moved_since, self._moved = None, (0, 0.0)
        for test in self._tests.values():
            test.restart()

    def state(self) -> dict[str, Any]:
        return {
            "tests": {name: test.state() for name, test in self._tests.items()},
            "until": self._until,
            "moved": [self._moved_since, *self._moved],
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """What is of another validation, or of other slices, begins anew."""
        self._results, self._told = {}, []
        for name, test in self._tests.items():
            if name in state["tests"]:
                with suppress(DataError):
                    test.restore(state["tests"][name])
        self._until = int(state["until"])
        since, count, total = state["moved"]
        self._moved_since, self._moved = None if since is None else int(since), (int(count), float(total))

    def _still_right(self, test: LabelTest) -> StillRight:
        if self._moved_since is None:
            return test.still_right(self._margin)
        count, total = self._moved
        return judged_right(total, count, test.loss + self._margin, ALPHA)

    def _masks(self, rows: pa.Table) -> dict[str, NDArray[np.bool_]]:
        """`column=value` -> which rows belong to it."""
        found: dict[str, NDArray[np.bool_]] = {}
        for name in self._slices:
            column = METADATA + name
            if column in rows.column_names and not pa.types.is_null(rows[column].type):
                each = as_categories(rows[column].cast(pa.string()))
                found |= {f"{name}={value}": each.codes == code for code, value in enumerate(each.names)}
        return found


def _fitted(rows: pa.Table, losses: Losses, average_run: float, slices: dict[str, NDArray[np.bool_]]) -> LabelTest:
    answers = _answers(rows)
    chance = WITH_ANSWERS if answers else CHANCE
    return LabelTest.fit(losses, average_run, slices=slices, chance=chance, answers=answers)


def _answers(rows: pa.Table) -> dict[str, NDArray[np.bool_]]:
    """Class -> which rows were answered so; empty where an answer is none of a few classes."""
    if PREDICTED not in rows.column_names or not pa.types.is_string(rows[PREDICTED].type):
        return {}
    each = as_categories(rows[PREDICTED])
    if len(each.names) > MOST_ANSWERS:
        return {}
    return {value: each.codes == code for code, value in enumerate(each.names)}
