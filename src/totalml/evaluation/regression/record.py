"""What an evaluation of predicted numbers found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from totalml.evaluation.interval import Interval
from totalml.evaluation.record import Evaluation, shares_with_chance
from totalml.evaluation.regression.columns import SAID, column
from totalml.evaluation.regression.thirds import Third
from totalml.evaluation.regression.truth import NumbersTruth

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from totalml.evaluation.arrays import Floats
    from totalml.evaluation.regression.values import Values


@dataclass(frozen=True, kw_only=True)
class RegressionEvaluation(Evaluation):
    """Args:
    metrics: mae, rmse, r2, bias, mase, coverage, interval_width; of several targets their mean, where there is a unit
        in deviations of the training truth.
    predictions: id, truth, value, lower, upper, group:<column> ...; of several targets `truth:<target>` and so on.
    targets: names of what is predicted; `units`: of those that have one.
    per_target: target -> the same figures in its own unit.
    always: target -> the middle of the training truth, which always answering is off by `always_mae` on average.
    deviation: target -> that of the training truth.
    naive: target -> mean absolute error of the seasonal naive forecast on the training split.
    promised: coverage of the intervals.
    widening: target -> how far an interval reaches beyond what the model puts out; None: it is not known.
    thirds: target -> coverage by third of what was said.
    """

    task: ClassVar[str] = "regression"
    headline: ClassVar[str] = "mae"
    headline_is_share: ClassVar[bool] = False
    lower_is_better: ClassVar[bool] = True

    targets: tuple[str, ...]
    units: dict[str, str]
    per_target: dict[str, dict[str, Interval]]
    always: dict[str, float]
    always_mae: float
    deviation: dict[str, float]
    naive: dict[str, float | None]
    promised: float
    widening: dict[str, float | None]
    thirds: dict[str, tuple[Third, ...]]

    @property
    def given_columns(self) -> tuple[str, ...]:  # type: ignore[override]
        return ("id", *(column("truth", name, self.targets) for name in self.targets))

    @property
    def several(self) -> bool:
        return len(self.targets) > 1

    @property
    def unit(self) -> str:
        """Of the figures over all targets; empty if it has none."""
        return "deviations" if self.several else self.units.get(self.targets[0], "")

    def unit_of(self, target: str) -> str:
        return self.units.get(target, "")

    def as_json(self) -> dict[str, Any]:
        return super().as_json() | {
            "targets": list(self.targets),
            "units": self.units,
            "per_target": {
                name: {key: asdict(one) for key, one in figures.items()} for name, figures in self.per_target.items()
            },
            "always": self.always,
            "always_mae": self.always_mae,
            "deviation": self.deviation,
            "naive": self.naive,
            "promised": self.promised,
            "widening": self.widening,
            "thirds": {name: [one.as_json() for one in parts] for name, parts in self.thirds.items()},
        }

    @classmethod
    def parts_from(cls, values: dict[str, Any]) -> dict[str, Any]:
        return {
            **super().parts_from(values),
            "targets": tuple(values["targets"]),
            "per_target": {
                name: {key: Interval(**one) for key, one in figures.items()}
                for name, figures in values["per_target"].items()
            },
            "thirds": {name: tuple(map(Third.from_json, parts)) for name, parts in values["thirds"].items()},
        }

    def figures(self) -> dict[str, Interval]:
        """Besides: `per_target.head_mm.mae`."""
        named = dict(self.metrics)
        for name, figures in self.per_target.items():
            named |= {f"per_target.{name}.{key}": one for key, one in figures.items()}
        shares = {name: one for name, one in named.items() if name.rpartition(".")[2] == "coverage"}
        return super().figures() | named | shares_with_chance(shares, self.count, self.confidence)

    def sample_scores(self) -> Floats:
        """Minus the absolute error; of several targets the mean in deviations."""
        return self._scores_in(self.deviation)

    def scores_of(self, other: Evaluation) -> Floats:
        # Two runs on the same test samples may have learnt from other ones, of another deviation.
        return other._scores_in(self.deviation) if isinstance(other, RegressionEvaluation) else other.sample_scores()

    def _scores_in(self, deviation: Mapping[str, float]) -> Floats:
        import numpy as np

        from totalml.evaluation.regression.values import mean_over_targets

        errors = np.abs(self.column("value") - self.column("truth"))
        return -mean_over_targets(errors, np.array([deviation[name] for name in self.targets]))

    @staticmethod
    def truth(targets: Sequence[str]) -> NumbersTruth:
        return NumbersTruth(tuple(targets))

    def asks_the_same(self, other: Evaluation) -> bool:
        return isinstance(other, RegressionEvaluation) and other.targets == self.targets

    def paired_differences(self, other: Evaluation) -> dict[str, Interval]:
        from totalml.evaluation.regression.paired_differences import paired_differences

        if not isinstance(other, RegressionEvaluation):
            return {}
        ours, theirs = (each._values(self) for each in (self, other))
        return paired_differences(self.targets, ours, theirs, self.resamples, self.confidence)

    def _values(self, ours: RegressionEvaluation) -> Values:
        """By id, so that those of two runs stand beside each other; in our deviations and seasons."""
        import numpy as np

        from totalml.evaluation.regression.values import Values

        order = np.argsort(np.array(self.predictions["id"].to_pylist(), object), kind="stable")
        truth, said, low, high = (self.column(part)[order] for part in ("truth", "value", "lower", "upper"))
        deviation = np.array([ours.deviation[name] for name in ours.targets])
        naive = np.array([np.nan if (one := ours.naive[name]) is None else one for name in ours.targets])
        return Values(truth, said, low, high, deviation, naive)

    def answers(self) -> Floats:
        import numpy as np

        return np.concatenate([self.column(part) for part in SAID], axis=1)

    def answer_columns(self, answers: NDArray[Any]) -> dict[str, Any]:
        import numpy as np
        import pyarrow as pa

        from totalml.evaluation.regression.conformal import widened

        wide = np.array([np.nan if each is None else each for each in self.widening.values()])
        parts = zip(SAID, widened(np.asarray(answers, np.float64), wide), strict=True)
        return {
            column(part, name, self.targets): pa.array(values[:, t], from_pandas=True)
            for part, values in parts
            for t, name in enumerate(self.targets)
        }

    def column(self, part: str) -> Floats:
        """(N, T) truth, value, lower or upper; NaN where missing."""
        import numpy as np

        columns = [self.predictions[column(part, name, self.targets)] for name in self.targets]
        return np.stack([each.to_numpy().astype(np.float64) for each in columns], axis=1)
