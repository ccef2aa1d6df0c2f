"""Suites of deepchecks over the metadata table.

deepchecks is AGPL and pins old packages, so it is an extra, imported only when a recipe asks for it.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Literal

from totalml.component import Items
from totalml.errors import MissingExtraError, QualityError
from totalml.kinds import Check
from totalml.quality.report import Finding
from totalml.target import closest

if TYPE_CHECKING:
    from totalml.data.snapshot import Snapshot
    from totalml.data.split import Splits


class Deepchecks(Check):
    """A failed condition is a finding of `level`; a condition that only warns, or cannot be judged, warns.

    Where the extra is not installed the run goes on and says so, unless `level` is `stop`.
    `data_integrity` looks at the whole table, `train_test_validation` at what differs between train and test.
    """

    suite: Literal["data_integrity", "train_test_validation"]
    skip: Items[str] = ()  # names of deepchecks' checks to leave out, e.g. ConflictingLabels
    by_time: bool = False  # also ask whether test samples are younger than all of train
    level: Literal["warn", "stop"] = "warn"

    def findings(self, snapshot: Snapshot, splits: Splits) -> Iterator[Finding]:
        try:
            deepchecks = _import_deepchecks(f"the quality check Deepchecks ({self.suite})")
        except MissingExtraError as error:
            if self.level == "stop":  # whoever lets it stop a run does not want to go on without it
                raise
            yield self._finding("warn", f"not run: {error}")
            return
        if not snapshot.metadata.column_names:
            yield self._finding("warn", "not run: the snapshot has no metadata columns to look at")
            return
        import numpy as np

        everything = np.arange(snapshot.samples.num_rows)
        parts = [everything] if self.suite == "data_integrity" else [splits.train, splits.test]
        with _quiet():
            suite = self._chosen(getattr(deepchecks.suites, self.suite)())
            datasets = [_dataset(deepchecks.Dataset, snapshot, rows, self.by_time) for rows in parts]
            results = suite.run(*datasets, with_display=False).results
        yield from self._failed(results)
        yield from self._not_run(results)

    def _chosen(self, suite: Any) -> Any:
        names = {type(check).__name__: index for index, check in suite.checks.items()}
        for name in self.skip:
            if name not in names:
                close = closest(name, names)
                mend = f"did you mean {close!r}?" if close else f"its checks are {sorted(names)}."
                raise QualityError(f"Deepchecks.skip: the suite {self.suite} has no check {name!r}; {mend}")
        timed = () if self.by_time else tuple(name for name in names if name.startswith("DateTrainTest"))
        for name in {*self.skip, *timed}:
            suite.remove(names[name])
        return suite

    def _failed(self, results: list[Any]) -> Iterator[Finding]:
        for result in results:
            for condition in getattr(result, "conditions_results", ()):
                category = condition.category.name
                if category != "PASS":
                    level = self.level if category == "FAIL" else "warn"
                    yield self._finding(level, f"{result.get_header()}: {condition.details} ({condition.name})")

    def _not_run(self, results: list[Any]) -> Iterator[Finding]:
        reasons = [
            f"{result.header}: {result.exception}" for result in results if not hasattr(result, "conditions_results")
        ]
        if reasons:
            yield self._finding("warn", f"{len(reasons)} checks could not run: {'; '.join(reasons)}")

    def _finding(self, level: Literal["warn", "stop"], message: str) -> Finding:
        return Finding("Deepchecks", level, f"{self.suite}: {' '.join(message.split())}")


def _import_deepchecks(wanted_by: str) -> Any:
    # Without this, importing deepchecks reports to its maker over the network.
    os.environ.setdefault("DISABLE_DEEPCHECKS_ANONYMOUS_TELEMETRY", "True")
    try:
        with _quiet():
            import deepchecks.tabular
            import deepchecks.tabular.suites
    except ImportError as error:
        raise MissingExtraError("deepchecks", "deepchecks", wanted_by) from error
    import logging

    # At this level it draws no progress bars.
    deepchecks.set_verbosity(logging.WARNING)
    return deepchecks.tabular


def _quiet() -> Any:
    """deepchecks uses deprecated parts of pandas, numpy, scikit-learn and setuptools; no one here can mend that."""
    import warnings

    return warnings.catch_warnings(action="ignore")


def _dataset(dataset: Any, snapshot: Snapshot, rows: Any, by_time: bool) -> Any:
    """The metadata of the labelled samples among `rows`, with id, label and time under names of their own."""
    import pyarrow as pa
    import pyarrow.compute as pc

    samples, metadata = snapshot.samples.take(rows), snapshot.metadata.take(rows)
    features = [name for name in metadata.column_names if not pa.types.is_timestamp(metadata[name].type)]
    metadata = metadata.select(features)
    own = {key: _free_name(key, features) for key in ("id", "label", *(("timestamp",) if by_time else ()))}
    for key, name in own.items():
        metadata = metadata.append_column(name, samples[key])
    categorical = [name for name in features if not pa.types.is_floating(metadata[name].type)]
    categorical = [name for name in categorical if not pa.types.is_integer(metadata[name].type)]
    return dataset(
        metadata.filter(pc.is_valid(samples["label"])).to_pandas(),
        label=own["label"],
        features=features,
        cat_features=categorical,
        index_name=own["id"],
        datetime_name=own.get("timestamp"),
        convert_datetime=False,
        label_type="multiclass",
    )


def _free_name(name: str, taken: list[str]) -> str:
    while name in taken:
        name += "_"
    return name
