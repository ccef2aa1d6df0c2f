"""What an evaluation of predicted numbers found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from totalml.evaluation.interval import Interval
from totalml.evaluation.record import Evaluation, shares_with_chance
from totalml.evaluation.regression.columns import BEFORE, SAID, SEASONAL_ERROR, column, drawn_together, moments
from totalml.evaluation.regression.periods import Period
from totalml.evaluation.regression.thirds import Third
from totalml.evaluation.regression.truth import NumbersTruth
from totalml.evaluation.together import taken

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from totalml.evaluation.arrays import Floats, Ints
    from totalml.evaluation.regression.values import Values
    from totalml.kinds import Reach


@dataclass(frozen=True, kw_only=True)
class RegressionEvaluation(Evaluation):
    """Args:
    metrics: mae, rmse, r2, bias, mase, skill, coverage, interval_width; of several targets their mean, where there is
        a unit in deviations of the training truth.
    predictions: id, truth, value, lower, upper, group:<column> ...; of several targets `truth:<target>` and so on;
        timestamp, series, season_before and seasonal_error where there is any such thing.
    targets: names of what is predicted; `units`: of those that have one.
    per_target: target -> the same figures in its own unit.
    always: target -> the middle of the training truth, which always answering is off by `always_mae` on average.
    deviation: target -> that of the training truth.
    promised: coverage of the intervals.
    widening: target -> how far an interval reaches beyond what the model puts out; None: it is not known.
    reach: whether that is the same for all samples, or a share of what is said.
    thirds: target -> coverage by third of what was said.
    periods: target -> error and coverage by time.
    per_series: series -> mae, bias, mase, skill and coverage of it; empty where there is one.
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
    promised: float
    widening: dict[str, float | None]
    reach: Reach
    thirds: dict[str, tuple[Third, ...]]
    periods: dict[str, tuple[Period, ...]]
    per_series: dict[str, dict[str, Interval]]

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
            "per_target": _as_json(self.per_target),
            "always": self.always,
            "always_mae": self.always_mae,
            "deviation": self.deviation,
            "promised": self.promised,
            "widening": self.widening,
            "reach": self.reach,
            "thirds": {name: [one.as_json() for one in parts] for name, parts in self.thirds.items()},
            "periods": {name: [one.as_json() for one in parts] for name, parts in self.periods.items()},
            "per_series": _as_json(self.per_series),
        }

    @classmethod
    def parts_from(cls, values: dict[str, Any]) -> dict[str, Any]:
        # An evaluation from before these has `naive` in their place.
        values.pop("naive", None)
        periods, per_series = values.pop("periods", {}), values.pop("per_series", {})
        return {
            **super().parts_from(values),
            "targets": tuple(values["targets"]),
            "reach": values.get("reach", "constant"),  # which all evaluations before it were
            "per_target": _from_json(values["per_target"]),
            "periods": {name: tuple(map(Period.from_json, parts)) for name, parts in periods.items()},
            "per_series": _from_json(per_series),
            "thirds": {name: tuple(map(Third.from_json, parts)) for name, parts in values["thirds"].items()},
        }

    def figures(self) -> dict[str, Interval]:
        """Besides: `per_target.head_mm.mae`, `per_series.Cork.mase`."""
        named = dict(self.metrics)
        for name, figures in self.per_target.items():
            named |= {f"per_target.{name}.{key}": one for key, one in figures.items()}
        shares = {name: one for name, one in named.items() if name.rpartition(".")[2] == "coverage"}
        named |= shares_with_chance(shares, self.facts, self.confidence)
        for name, figures in self.per_series.items():
            named |= {f"per_series.{name}.{key}": one for key, one in figures.items()}
        return super().figures() | named

    def sample_scores(self) -> Floats:
        """Minus the absolute error; of several targets the mean in deviations."""
        return self._scores_in(self.deviation)

    def drawn_together(self) -> Ints | None:
        """Of a panel, its moments."""
        return drawn_together(self.predictions)

    @property
    def fact(self) -> str:
        return super().fact if moments(self.predictions) is None else "period"

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
        """By id, so that those of two runs stand beside each other; in our deviations."""
        import numpy as np

        from totalml.evaluation.regression.values import Values

        order = self.by_id()
        truth, said, low, high, before, error = (
            self.column(part)[order] for part in ("truth", *SAID, BEFORE, SEASONAL_ERROR)
        )
        deviation = np.array([ours.deviation[name] for name in ours.targets])
        return Values(truth, said, low, high, deviation, before, error, taken(self.drawn_together(), order))

    def answers(self) -> Floats:
        import numpy as np

        return np.concatenate([self.column(part) for part in SAID], axis=1)

    def answer_columns(self, answers: NDArray[Any]) -> dict[str, Any]:
        import numpy as np
        import pyarrow as pa

        from totalml.evaluation.regression.conformal import widened

        wide = np.array([np.nan if each is None else each for each in self.widening.values()])
        parts = zip(SAID, widened(np.asarray(answers, np.float64), wide, self.reach), strict=True)
        return {
            column(part, name, self.targets): pa.array(values[:, t], from_pandas=True)
            for part, values in parts
            for t, name in enumerate(self.targets)
        }

    def column(self, part: str) -> Floats:
        """(N, T) truth, value, lower, upper, or what a season says; NaN where missing."""
        import numpy as np

        names = [column(part, name, self.targets) for name in self.targets]
        if part in (BEFORE, SEASONAL_ERROR) and names[0] not in self.predictions.column_names:
            return np.full((self.count, len(names)), np.nan)
        columns = [self.predictions[name] for name in names]
        return np.stack([each.to_numpy().astype(np.float64) for each in columns], axis=1)


def _as_json(figures: Mapping[str, Mapping[str, Interval]]) -> dict[str, Any]:
    return {name: {key: asdict(one) for key, one in some.items()} for name, some in figures.items()}


def _from_json(values: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, Interval]]:
    return {name: {key: Interval(**one) for key, one in some.items()} for name, some in values.items()}
