"""A number for each sample, or several."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, Self, cast, get_args

from pydantic import Field, PlainValidator, model_validator

from totalml.component import Items, Misfit, Where
from totalml.errors import EvaluationError, TrainingError
from totalml.kinds import Direction, Loss, Reach, Task
from totalml.target import did_you_mean

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from torch import Tensor, nn

    from totalml.data.snapshot import Snapshot
    from totalml.evaluation.predicted import Predicted
    from totalml.evaluation.regression.record import RegressionEvaluation
    from totalml.features.targets import Targets
    from totalml.model.value_head import ValueHead
    from totalml.recipe import DataRecipe, EvaluationRecipe, TrainingRecipe
    from totalml.training.objective import Objective

QUANTILES = 3  # lower, middle and upper
FIGURES = ("mae", "rmse", "r2", "bias", "mase", "skill", "coverage", "interval_width")
PER_SERIES = ("mae", "bias", "mase", "skill", "coverage")
RISING = ("r2", "skill", "coverage")
NO_DIRECTION = ("bias", "coverage")  # good near a value, not at an end
OF_CLASSES = ("positive", "gold_column")
LossName = Literal["huber", "squared", "quantile"]


def _loss(value: Any) -> Any:
    # A union of its own would be told as two mistakes, one for each kind.
    names = get_args(LossName)
    if isinstance(value, Loss) or value in names:
        return value
    hint = did_you_mean(str(value), names)
    raise ValueError(f"expected one of {', '.join(names)}, or a component of kind Loss, got {value!r}{hint}")


class Regression(Task):
    """The truth stands in columns of numbers; the answer is a value of each, with an interval."""

    name: ClassVar[str] = "regression"
    metrics: ClassVar[Mapping[str, Direction]] = {
        figure: "maximize" if figure in RISING else "minimize" for figure in FIGURES
    }
    families: ClassVar[Mapping[str, tuple[str, ...] | None]] = {
        "per_target": FIGURES,
        "per_series": PER_SERIES,
        "slices": ("mae", "bias", "gap"),
        "fairness": ("mae", "bias", "gap"),
    }
    score: ClassVar[str] = "mae"
    score_is_share: ClassVar[bool] = False
    lower_is_better: ClassVar[bool] = True
    labelled: ClassVar[bool] = False
    parts: ClassVar[frozenset[str]] = frozenset({"out_of_distribution"})

    targets: Annotated[Items[str], Field(min_length=1)]  # metadata columns of numbers
    loss: Annotated[LossName | Loss, PlainValidator(_loss)] = "huber"
    huber_delta: Annotated[float, Field(gt=0)] = 1.0  # training deviations; beyond it an error counts by its size only
    coverage: Annotated[float, Field(ge=0.5, le=0.99)] = 0.9  # share of samples that an interval is to hold
    intervals: Reach = "constant"  # all as wide; or in proportion to what is said, as errors of sales and prices are
    season: Annotated[int, Field(ge=1)] | None = None  # periods from one season to the next; None: 1
    series: str | None = None  # metadata column that says of which series a sample is; None: all are of one
    units: Annotated[dict[str, str], Where] = Field(default={})  # of targets, for the report

    @model_validator(mode="after")
    def _targets_are_told_apart(self) -> Self:
        if len(set(self.targets)) < len(self.targets):
            raise Misfit(f"each target once, got {list(self.targets)}", "targets")
        for name in self.units:
            if name not in self.targets:
                hint = did_you_mean(name, self.targets) or f"; there are: {', '.join(self.targets)}"
                raise Misfit(f"{name!r} is none of the targets{hint}", "units", name)
        return self

    def columns(self) -> tuple[str, ...]:
        return self.targets

    def direction(self, figure: str) -> Direction | None:
        return None if figure in NO_DIRECTION else super().direction(figure)

    def read_targets(self, snapshot: Snapshot, data: DataRecipe) -> Targets:
        from totalml.features.number_columns import read_numbers, series_mistakes

        return read_numbers(self.targets, snapshot, series_mistakes(self.series, snapshot) if self.series else ())

    def require_learnable(self, targets: Targets, train: NDArray[np.int64]) -> None:
        values = targets.values[train]
        alike = [name for name, same in zip(targets.names, (values == values[:1]).all(axis=0), strict=True) if same]
        if alike:
            raise TrainingError(
                f"all training samples have the same {', '.join(map(repr, alike))}; there is nothing to learn. "
                "Take it out of task.targets, or add samples of other values."
            )

    def outputs(self, names: Sequence[str]) -> int:
        return len(names) * self._each

    def head(self, width: int, names: Sequence[str]) -> nn.Module:
        from totalml.model.value_head import ValueHead

        return ValueHead(width, len(names), self._each)

    def fit_head(self, head: nn.Module, targets: NDArray[Any]) -> None:
        cast("ValueHead", head).fit(targets)

    def objective(self, targets: Targets, train: NDArray[np.int64], training: TrainingRecipe) -> Objective:
        from totalml.training.value_loss import ValueLoss

        return ValueLoss(targets.values[train], self.loss, self.huber_delta, self.coverage)

    def answers(self, outputs: Tensor) -> Tensor:
        """(B, T) values, or (B, T * 3): lower, middle and upper of each; quantiles that cross are sorted."""
        # Not len(), which torch.export takes for a constant.
        return outputs.float().reshape(outputs.shape[0], -1, self._each).sort(dim=2).values.flatten(1)

    def check(self, evaluation: EvaluationRecipe, names: Sequence[str]) -> None:
        for key in OF_CLASSES:
            if (value := getattr(evaluation, key)) is not None:
                raise EvaluationError(
                    f"evaluation.{key} is {value!r}, but a regression has no classes. Set evaluation.{key}=null."
                )

    def evaluate(self, evaluation: EvaluationRecipe, predicted: Predicted) -> RegressionEvaluation:
        from totalml.evaluation.regression.measure import evaluate

        asked = (self.coverage, self.intervals, self.season or 1, self.series, self.units)
        return evaluate(evaluation, predicted, *asked)

    @property
    def _each(self) -> int:
        """Outputs of each target."""
        return QUANTILES if self.loss == "quantile" else 1
