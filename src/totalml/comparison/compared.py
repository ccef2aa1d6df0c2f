"""Two sides against each other: recipe, data, code, environment, execution and metrics, as far as both have them."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from totalml.comparison.code_of_side import code_of_side
from totalml.comparison.environment import FactChange, environment_changes, execution_changes, file_changes
from totalml.comparison.figures import paired_as_json
from totalml.comparison.metrics import MetricChange, metric_changes, read_metrics
from totalml.comparison.side import Side
from totalml.comparison.sources import FileChange, code_changes
from totalml.evaluation.paired import Paired, paired, read_evaluation
from totalml.identity import short
from totalml.runs.attempt import METRICS_FILE, Attempt
from totalml.values.keys import KeyChange, key_changes

if TYPE_CHECKING:
    from totalml.data.changes import SnapshotChanges
    from totalml.project import Place
    from totalml.store import Store

Facts = tuple[FactChange, ...] | None


@dataclass(frozen=True)
class Comparison:
    """Args:
    data, files: None where it cannot be compared; `remarks` say why.
    environment, inputs, execution: None unless both sides are runs; `inputs` are files besides the data.
    metrics: empty unless both sides have a finished run.
    paired: None unless both runs predicted the same samples.
    """

    old: Side
    new: Side
    keys: tuple[KeyChange, ...]
    data: SnapshotChanges | None
    files: tuple[FileChange, ...] | None
    environment: Facts
    inputs: Facts
    execution: Facts
    metrics: tuple[MetricChange, ...]
    paired: Paired | None
    remarks: dict[str, str]

    def as_json(self) -> dict[str, Any]:
        return {
            **{side: _described(getattr(self, side)) for side in ("old", "new")},
            "keys": [change.as_json() for change in self.keys],
            "data": self.data.as_json() if self.data else None,
            "code": None if self.files is None else [asdict(change) for change in self.files],
            "environment": _facts(self.environment),
            "inputs": _facts(self.inputs),
            "execution": _facts(self.execution),
            "metrics": [change.as_json() for change in self.metrics],
            "paired": paired_as_json(self.paired) if self.paired else None,
            "remarks": self.remarks,
        }


def compare(old: Side, new: Side, place: Place) -> Comparison:
    """Raises: StoreError: something of a side is damaged in the store."""
    from totalml.store import Store

    store, remarks = Store(place.store), dict[str, str]()
    environment, inputs, execution = _surroundings(old, new)
    runs = (old.attempt, new.attempt) if old.attempt and new.attempt else None
    return Comparison(
        old,
        new,
        tuple(key_changes(old.recipe.values or {}, new.recipe.values or {}, old.recipe.what, new.recipe.what)),
        _data(old, new, store, remarks),
        _files(old, new, place, store, remarks),
        environment,
        inputs,
        execution,
        tuple(attempt_metrics(*runs)) if runs else (),
        attempt_paired(*runs) if runs else None,
        remarks,
    )


def attempt_metrics(old: Attempt, new: Attempt) -> list[MetricChange]:
    """Empty where one of them has not come as far as its evaluation."""
    files = [attempt.folder / METRICS_FILE for attempt in (old, new)]
    return metric_changes(*map(read_metrics, files)) if all(file.is_file() for file in files) else []


def attempt_paired(old: Attempt, new: Attempt) -> Paired | None:
    before, after = (read_evaluation(attempt.folder) for attempt in (old, new))
    return None if before is None or after is None else paired(before, after)


def _data(old: Side, new: Side, store: Store, remarks: dict[str, str]) -> SnapshotChanges | None:
    from totalml.data.changes import SnapshotChanges, snapshot_changes
    from totalml.data.snapshot import has_snapshot, load_snapshot

    before, after = old.data_hash, new.data_hash
    if before is None or after is None:
        which = " and ".join(side.name for side in (old, new) if side.data_hash is None)
        remarks["data"] = f"not compared: {which} has neither a pin nor a run"
        return None
    if before == after:
        remarks["data"] = f"the same, {short(before)}"
        return SnapshotChanges()
    remarks["data"] = f"{short(before)} became {short(after)}"
    if missing := [digest for digest in (before, after) if not has_snapshot(digest, store)]:
        remarks["data"] += f"; what changed cannot be told: not in the store: {', '.join(map(short, missing))}"
        return None
    return snapshot_changes(load_snapshot(before, store), load_snapshot(after, store))


def _files(old: Side, new: Side, place: Place, store: Store, remarks: dict[str, str]) -> tuple[FileChange, ...] | None:
    digests = [side.attempt.facts["code"]["digest"] if side.is_run and side.attempt else None for side in (old, new)]
    if digests[0] is not None and digests[0] == digests[1]:
        remarks["code"] = "the same"
        return ()
    told: list[str] = []
    before, after = (code_of_side(side, place, store, told) for side in (old, new))
    if before is None or after is None:
        remarks["code"] = f"not compared: {'; '.join(told)}"
        return None
    if alone := sorted(before.keys() ^ after.keys()):
        told.append(f"only one side uses {', '.join(alone)}")
    found = tuple(code_changes(before, after))
    remarks["code"] = "; ".join([*([] if found else ["the same"]), *told])
    return found


def _surroundings(old: Side, new: Side) -> tuple[Facts, Facts, Facts]:
    """Of environment, inputs and execution."""
    if not (old.is_run and new.is_run and old.attempt and new.attempt):
        return None, None, None
    before, after = old.attempt.facts, new.attempt.facts
    return (
        tuple(environment_changes(before["environment"], after["environment"])),
        tuple(file_changes(before.get("files", {}), after.get("files", {}))),
        tuple(execution_changes(before["execution"], after["execution"])),
    )


def _facts(changes: Facts) -> list[dict[str, Any]] | None:
    return None if changes is None else [change.as_json() for change in changes]


def _described(side: Side) -> dict[str, Any]:
    return {
        "name": side.name,
        "title": side.title,
        "config_hash": side.recipe.config_hash,
        "data_hash": side.data_hash,
        "run": str(side.attempt.folder) if side.attempt else None,
        "notes": list(side.notes),
    }
