"""The whole shape of a recipe.

What is marked `Where` says where and how; all the rest is the *what* and counts for the config hash.
"""

from typing import Annotated, Any, Self

from pydantic import Field, InstanceOf, ValidationInfo, field_validator, model_validator

from totalml.component import Items, Misfit, Section, Where, plain
from totalml.kinds import Task
from totalml.recipe.bounds import Name
from totalml.recipe.card import CardRecipe
from totalml.recipe.data import DataRecipe, FeaturesRecipe, QualityRecipe
from totalml.recipe.drill import DrillRecipe
from totalml.recipe.evaluation import EvaluationRecipe
from totalml.recipe.gates import GateRecipe
from totalml.recipe.learning import ModelRecipe, TrainingRecipe
from totalml.recipe.monitoring import MonitoringRecipe
from totalml.recipe.plan import PlanRecipe
from totalml.recipe.review import ReviewRecipe
from totalml.recipe.where import RegistryRecipe, RuntimeRecipe, SweepRecipe, Tolerance, TrackingRecipe
from totalml.target import component_class, did_you_mean

DEFAULT_TASK = "totalml.task.Classification"


class Recipe(Section):
    name: Name
    question: Annotated[str, Where] = ""  # what the experiment asks, in one sentence for the report
    seed: Annotated[int, Field(ge=0, lt=2**32)] = 0
    data: DataRecipe
    quality: QualityRecipe = QualityRecipe()
    features: FeaturesRecipe = FeaturesRecipe()
    task: InstanceOf[Task]
    model: ModelRecipe
    training: TrainingRecipe
    evaluation: EvaluationRecipe = EvaluationRecipe()
    plan: PlanRecipe | None = None  # of levers, by what the model says would come of them
    gates: Items[GateRecipe] = ()
    drill: DrillRecipe | None = None  # traffic of known truth, for what watches the model to be judged by
    registry: Annotated[RegistryRecipe | None, Where] = RegistryRecipe()
    monitoring: Annotated[MonitoringRecipe, Where] = MonitoringRecipe()
    review: Annotated[ReviewRecipe, Where] = ReviewRecipe()
    card: Annotated[CardRecipe, Where] = CardRecipe()
    tolerance: Annotated[Tolerance, Where] = Tolerance()
    smoke: Annotated[bool, Where] = False  # small enough to be run by `totalml recipe check` and by the tests
    runtime: Annotated[RuntimeRecipe, Where] = RuntimeRecipe()
    tracking: Annotated[TrackingRecipe, Where] = TrackingRecipe()
    sweep: Annotated[SweepRecipe | None, Where] = None

    @model_validator(mode="before")
    @classmethod
    def _classifies_unless_told(cls, values: Any) -> Any:
        if isinstance(values, dict) and "task" not in values:
            return {**values, "task": component_class(DEFAULT_TASK)()}
        return values

    @field_validator("training")
    @classmethod
    def _fits_the_task(cls, training: TrainingRecipe, info: ValidationInfo) -> TrainingRecipe:
        task, stopping = info.data.get("task"), training.early_stopping
        if task is None:
            return training
        if stopping and stopping.metric not in ("loss", task.score):
            names = f"'loss' or {task.score!r}"
            raise Misfit(f"expected {names}, got {stopping.metric!r}", "early_stopping", "metric")
        if not task.labelled and training.balance_classes:
            raise Misfit(f"{type(task).__name__} has no classes to balance; set it to false", "balance_classes")
        own = bool((model := info.data.get("model")) and model.module)
        if not own and training.optimizer is None:
            raise Misfit("name an optimizer, such as torch.optim.AdamW", "optimizer")
        if not own and training.callbacks:
            raise Misfit("callbacks go with a LightningModule of your own as model", "callbacks")
        if own:  # it brings these itself
            unused = {"optimizer": None, "scheduler": None, "schedule_every": "epoch", "balance_classes": False}
            training = training.model_copy(update={**unused, "label_smoothing": 0.0})
        # What means nothing to the task does not count for the config hash either.
        return training if task.labelled else training.model_copy(update={"label_smoothing": 0.0})

    @field_validator("training")
    @classmethod
    def _embeddings_stay(cls, training: TrainingRecipe, info: ValidationInfo) -> TrainingRecipe:
        model = info.data.get("model")
        if model and model.freeze and training.augment:
            raise Misfit(
                "pictures cannot change from epoch to epoch where model.freeze computes their embeddings once; "
                "set training.augment=[] or training=head, or model.freeze=false",
                "augment",
            )
        return training

    @field_validator("gates")
    @classmethod
    def _gates_have_figures(cls, gates: tuple[GateRecipe, ...], info: ValidationInfo) -> tuple[GateRecipe, ...]:
        evaluation = info.data.get("evaluation")
        titles = [gate.title for gate in gates]
        for place, gate in enumerate(gates):
            if titles.index(gate.title) != place:
                raise Misfit(f"two gates are called {gate.title!r}; give one of them a name", place)
            task = info.data.get("task")
            if task and task.metrics.get(gate.metric) == "minimize" and gate.rule == "at least":
                raise Misfit(f"{gate.metric!r} is better the lower it is; ask for at_most", place, "at_least")
            part = gate.family
            if part == "plan" and "plan" in info.data and info.data["plan"] is None:
                raise Misfit(f"there is no plan, so there is no {gate.metric!r}; add the key 'plan'", place, "metric")
            if evaluation and part in type(evaluation).model_fields and getattr(evaluation, part) is None:
                lacks = f"evaluation.{part} is off, so there is no {gate.metric!r}"
                raise Misfit(f"{lacks}; turn it on, or lift all gates with gates=[]", place, "metric")
        return gates

    @field_validator("plan")
    @classmethod
    def _plans_one_number(cls, plan: PlanRecipe | None, info: ValidationInfo) -> PlanRecipe | None:
        task = info.data.get("task")
        if plan and task and not (task.name == "regression" and len(task.columns()) == 1):
            raise Misfit("a plan adds up one number that is predicted; set task=regression with one target")
        return plan

    @field_validator("sweep")
    @classmethod
    def _sweeps_what_is_there(cls, sweep: SweepRecipe | None) -> SweepRecipe | None:
        known = [key for key in cls.model_fields if key != "sweep"]
        for key in sweep.parameters if sweep else ():
            if (first := key.partition(".")[0]) not in known:
                hint = did_you_mean(first, known) or f"; known keys: {', '.join(known)}"
                raise Misfit(f"unknown key {first!r}{hint}", "parameters", key)
        return sweep

    @model_validator(mode="after")
    def _truth_is_no_feature(self) -> Self:
        table = self.features.table
        for name in (*table.numeric, *table.categorical) if table else ():
            if name in self.task.columns():
                raise ValueError(f"features.table: {name!r} is what is to be predicted; take it out of the features")
        for place, shared in enumerate(self.features.shared):
            feature = shared.feature
            own_rows = feature.source in (None, self.data.source) and feature.known_time is None
            if told := [name for name in feature.reads_now() if own_rows and name in self.task.columns()]:
                raise Misfit(
                    f"{shared.name!r} holds {told[0]!r} of the row itself, which is to be predicted; let it begin with "
                    "an earlier row, such as 'first: 1', or name the column since when it is known as 'known_time'",
                    *("features", "shared", place),
                )
        return self

    @model_validator(mode="after")
    def _levers_are_numbers(self) -> Self:
        words = self.features.table.categorical if self.features.table else ()
        for place, name in enumerate(self.monitoring.levers):
            if name in words:
                told = f"{name!r} holds words, and a lever is a number that stays where people set it; take it out"
                raise Misfit(told, "monitoring", "levers", place)
        return self

    @model_validator(mode="after")
    def _futures_are_of_series(self) -> Self:
        if self.drill is not None and self.drill.futures and getattr(self.task, "series", None) is None:
            raise Misfit(
                "futures are of series; name the column that tells them apart as task.series", "drill", "futures"
            )
        return self

    @model_validator(mode="after")
    def _model_fits_features(self) -> Self:
        own = self.model.module is not None
        if own and self.runtime.strategy != "single":
            raise ValueError("a LightningModule of your own trains in one process; set runtime.strategy=single")
        if own and getattr(self.task, "loss", None) not in (None, type(self.task).model_fields["loss"].default):
            raise ValueError("task.loss is not used: a LightningModule of your own brings its loss; leave it out")
        if not own and self.model.image is None and self.model.table is None:
            raise ValueError("model needs 'image', 'table' or both")
        split = self.data.split
        if split.by != "column" and not (split.train and split.validation and split.test):
            raise ValueError("data.split: train, validation and test must each be more than 0")
        for kind in ("image", "table"):
            wanted, given = getattr(self.model, kind) is not None, getattr(self.features, kind) is not None
            given = given or (kind == "table" and bool(self.features.own or self.features.shared))
            if wanted and not given:
                raise ValueError(f"model.{kind} is set but features.{kind} is not")
            if given and not wanted and not own:
                raise ValueError(f"features.{kind} is set but no model.{kind} uses it; set one or the other to null")
        return self


def what(recipe: Recipe) -> dict[str, Any]:
    """The part of a recipe that decides what is computed, as plain values: what the config hash is made of."""
    return dict(plain(recipe, where=False))
