"""Suites of deepchecks before training, on the metadata table and on pictures.

deepchecks is AGPL and pins old packages, so it is an extra, imported only when a recipe asks for it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Literal

from totalml.component import Items
from totalml.errors import MissingExtraError, QualityError
from totalml.kinds import Check, PictureCheck
from totalml.quality.report import Finding
from totalml.quality.suites.record import Data, Suite
from totalml.recipe import PictureSuiteRecipe, SuiteRecipe
from totalml.target import did_you_mean

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from totalml.data.snapshot import Snapshot
    from totalml.data.splits import Splits
    from totalml.quality.pictures import Pictures

UNFIT = ("LabelPropertyOutliers",)  # of vision: labels of classification have no properties

SuiteName = Literal["data_integrity", "train_test_validation"]


class Deepchecks(SuiteRecipe, Check):
    """Asks the metadata table. A failed condition is a finding of its level; one that only warns, or cannot be judged,
    warns.

    Where the extra is not installed the run goes on and says so, unless a level is `stop`.
    `data_integrity` looks at the whole table, `train_test_validation` at what differs between train and test.
    """

    suite: SuiteName
    ignore: Items[str] = ()  # columns to leave out, such as one that holds the true label
    by_time: bool = False  # also ask whether test samples are younger than all of train

    def findings(self, snapshot: Snapshot, splits: Splits) -> Iterator[Finding | Suite]:
        return _asked(self, self.suite, "tabular", lambda library: self._run(library, snapshot, splits))

    def _run(self, library: Any, snapshot: Snapshot, splits: Splits) -> Suite:
        import numpy as np

        from totalml.quality.suites.chosen import choose
        from totalml.quality.suites.outcomes import recorded
        from totalml.quality.suites.tables import columns, dataset, own_names

        for name in self.ignore:
            if name not in snapshot.metadata.column_names:
                hint = did_you_mean(name, snapshot.metadata.column_names)
                raise QualityError(f"Deepchecks.ignore: the snapshot has no column {name!r}{hint}")
        timed = () if self.by_time else ("DateTrainTestLeakageDuplicates", "DateTrainTestLeakageOverlap")
        chosen = choose(self, library, self.suite, timed)
        features = columns(snapshot, self.ignore)
        if not features:
            return Suite(self.suite, "tabular", not_run="the snapshot has no metadata columns to look at")
        for check in chosen.suite.checks.values():
            if type(check).__name__ == "DataDuplicates":  # would take the ids for data, and no two rows for equal
                check.ignore_columns = [own_names(features)["id"]]
        parts = [np.arange(snapshot.samples.num_rows)]
        if self.suite == "train_test_validation":
            parts = [splits.train, splits.test]
        datasets = [dataset(library, snapshot, rows, self.ignore, by_time=self.by_time) for rows in parts]
        result = chosen.suite.run(*datasets, with_display=self.html)
        return recorded(self, chosen, self.suite, "tabular", result, self.skip)


class DeepchecksVision(PictureSuiteRecipe, PictureCheck):
    """Asks the pictures as the model sees them; for levels and the extra see `Deepchecks`.

    `data_integrity` looks at train and test together, `train_test_validation` at what differs between them.
    """

    suite: SuiteName

    def findings(self, snapshot: Snapshot, splits: Splits, pictures: Pictures) -> Iterator[Finding | Suite]:
        return _asked(self, self.suite, "vision", lambda library: self._run(library, snapshot, splits, pictures))

    def _run(self, library: Any, snapshot: Snapshot, splits: Splits, pictures: Pictures) -> Suite:
        import numpy as np

        from totalml.quality.suites.chosen import choose
        from totalml.quality.suites.images import Batches, drawn, labelled, vision_data
        from totalml.quality.suites.outcomes import recorded

        classes, label = labelled(snapshot)
        sides: Sequence[NDArray[np.int64]] = (splits.train, splits.test)
        parts = [np.concatenate(sides)] if self.suite == "data_integrity" else sides
        rows = [drawn(part[label[part] >= 0], self.samples) for part in parts]
        chosen = choose(self, library, self.suite, UNFIT, sum(map(len, rows)))
        if not all(map(len, rows)):
            return Suite(self.suite, "vision", not_run="there are no labelled pictures to look at")
        ids = snapshot.samples["id"]
        batches = [Batches(pictures.gather, part, ids.take(part).to_pylist(), label[part]) for part in rows]
        data = [vision_data(library, one, classes) for one in batches]
        result = chosen.suite.run(*data, with_display=self.html)
        return recorded(self, chosen, self.suite, "vision", result, self.skip, sum(map(len, rows)))


def _asked(check: SuiteRecipe, name: str, data: Data, run: Callable[[Any], Suite]) -> Iterator[Finding | Suite]:
    """The suite, and a finding for each thing that is wrong."""
    from totalml.quality.suites.chosen import UnfitSuite
    from totalml.quality.suites.library import contained, library

    title = type(check).__name__
    try:
        imported = library(data, f"the quality check {title} ({name})")
    except MissingExtraError as error:
        if may_stop(check):  # whoever lets it stop a run does not want to go on without it
            raise
        suite = Suite(name, data, not_run=str(error))
    else:
        try:
            with contained():
                suite = run(imported)
        except UnfitSuite as error:
            raise QualityError(f"{title}.{error}") from error
    yield suite
    for level, message in suite.told():
        yield Finding(title, level, message)


def may_stop(asked: SuiteRecipe) -> bool:
    return "stop" in (asked.level, *(condition.level for condition in asked.conditions))
