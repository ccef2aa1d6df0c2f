"""A model of spend whose curves are known, the samples it was not trained on, and the plan of it.

The outcome of a sample is 100 plus, by lever, its effect times the root of what was spent on it; members differ in the
effects alone.
"""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import torch
from lightning.pytorch import LightningModule

from tests.evaluation.regressed import regressed
from tests.in_memory import feature_set
from totalml.component import ForeignComponent
from totalml.data import ImageFolder, Snapshot, Splits
from totalml.evaluation import Given
from totalml.features.targets import Targets
from totalml.kinds import PlanTruth
from totalml.model.inputs import Inputs
from totalml.model.saved import save_state
from totalml.recipe import (
    DataRecipe,
    FeaturesRecipe,
    LeverRecipe,
    ModelRecipe,
    PlanRecipe,
    Recipe,
    TableFeatures,
    TrainingRecipe,
)
from totalml.task import Regression
from totalml.training.history import TrainedModel

LEVERS, REGIONS, WEEKS = ("tv", "radio"), 6, 10
COLUMNS = ("shop/tv.lag0", "shop/tv.lag1", "radio", "price")
EFFECTS = np.array([[12.0, 13.0, 14.0, 15.0, 16.0], [0.9, 1.0, 1.1, 1.0, 1.0]])
WEEK_US = 7 * 86_400 * 1_000_000


class Spend(LightningModule):
    """Args: effects: lever -> by member; `meet`: how much less both bring together than each alone."""

    def __init__(self, effects: list[list[float]], meet: float = 0.0) -> None:
        super().__init__()
        self.effects, self.meet = torch.nn.Parameter(torch.tensor(effects)), meet

    def members_step(self, batch: dict[str, torch.Tensor]) -> torch.Tensor:
        numeric = batch["numeric"]
        roots = torch.stack([numeric[:, :2].mean(dim=1), numeric[:, 2]], dim=1).sqrt()
        return 100 + roots @ self.effects - self.meet * roots.prod(dim=1, keepdim=True)

    def predict_step(self, batch: dict[str, torch.Tensor], batch_idx: int) -> torch.Tensor:
        return self.members_step(batch).mean(dim=1, keepdim=True)


class Single(LightningModule):
    """The same by one member, which does not say so."""

    def __init__(self, effects: list[list[float]]) -> None:
        super().__init__()
        self.whole = Spend(effects)

    def predict_step(self, batch: dict[str, torch.Tensor], batch_idx: int) -> torch.Tensor:
        return self.whole.predict_step(batch, batch_idx)


class SpendTruth(PlanTruth):
    """By the same rule, of effects that no member has."""

    tv: float = 13.5
    radio: float = 1.0

    def outcome(self, rows: pa.Table, factors: Mapping[str, float]) -> Any:
        spent = {name: rows[f"spend_{name}"].to_numpy() * factors[name] for name in LEVERS}
        return 100 + self.tv * np.sqrt(spent["tv"]) + self.radio * np.sqrt(spent["radio"])


def plan_recipe(**given: Any) -> PlanRecipe:
    levers = {
        "tv": LeverRecipe(feature="shop/tv", cost="spend_tv", unit="EUR"),
        "radio": LeverRecipe(feature="radio", cost="spend_radio", unit="EUR"),
    }
    return PlanRecipe(**{"value": 2.0, "levers": levers, "horizon": "4w", **given})


def recipe_of(module: str = "Spend", plan: PlanRecipe | None = None, **arguments: Any) -> Recipe:
    arguments = {"effects": EFFECTS.tolist(), **arguments}
    # Not validated: a recipe may name no class of the tests.
    own = ForeignComponent(target=f"tests.plan.spend.{module}", arguments=arguments)
    return Recipe(
        name="spend",
        data=DataRecipe(source=ImageFolder(root=".")),
        features=FeaturesRecipe(image=None, table=TableFeatures(numeric=COLUMNS)),
        task=Regression(targets=("sales",), units={"sales": "pints"}, series="region"),
        model=ModelRecipe().model_copy(update={"module": own}),
        training=TrainingRecipe(epochs=1, batch_size=16, optimizer=None),
        plan=plan or plan_recipe(),
        runtime={"threads": 1},
    )


def given_of(folder: Path, module: str = "Spend", plan: PlanRecipe | None = None, **arguments: Any) -> Given:
    """A run up to its plan: 6 regions by 10 weeks, all of them test samples; nothing was trained."""
    from totalml.training.own_module import create

    recipe, rng = recipe_of(module, plan, **arguments), np.random.default_rng(5)
    count = REGIONS * WEEKS
    spends = {f"spend_{name}": rng.uniform(60, 140, count) for name in LEVERS}
    numeric = np.stack([spends["spend_tv"]] * 2 + [spends["spend_radio"], np.ones(count)], axis=1).astype(np.float32)
    times = np.repeat(np.arange(WEEKS) * WEEK_US, REGIONS)
    regions = [f"region-{k % REGIONS}" for k in range(count)]
    features = feature_set(numeric=numeric, numeric_names=COLUMNS)
    truth = (130 + rng.normal(0, 5, (count, 1))).astype(np.float32)
    features = replace(features, targets=Targets(("sales",), truth))
    samples = pa.table({"id": features.ids, "timestamp": pa.array(times, pa.timestamp("us", "UTC"))})
    metadata = pa.table({**spends, "region": regions})
    weights = folder / "model.safetensors"
    digest = save_state(create(recipe, Inputs.of(features)).state_dict(), Inputs.of(features), weights)
    trained = TrainedModel(weights, digest, "", "mae", (), 1, 1, None, "finished")
    evaluation = regressed(truth, np.full((count, 1), 130.0), names=("sales",), units={"sales": "pints"})
    rows, none = np.arange(count), np.zeros(0, np.int64)
    snapshot = Snapshot("blake3:" + "1" * 64, samples, metadata, pa.table({"id": [], "reason": []}))
    return Given(recipe, snapshot, None, features, Splits(none, none, rows), trained, evaluation)  # type: ignore[arg-type]
