"""A market of another formula than the one of recipes/marketing, and a training of the model of media on it.

Spend comes in flights, and is not spent at all between them: so the data alone tell what a channel brings.
"""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from lightning.pytorch import LightningModule
from numpy.typing import NDArray

from tests.in_memory import feature_set
from totalml.component import ForeignComponent
from totalml.data import ImageFolder, Splits
from totalml.features import FeatureSet
from totalml.features.targets import Targets
from totalml.model.saved import load_state
from totalml.recipe import DataRecipe, FeaturesRecipe, ModelRecipe, Recipe, TableFeatures, TrainingRecipe
from totalml.task import Regression
from totalml.training import TrainedModel, train_model
from totalml.training.own_module import create

WEEKS, REGIONS, LAGS = 156, 16, 13
DECAY, HALF, SHAPE, MOST = {"tv": 0.6, "radio": 0.2}, {"tv": 30.0, "radio": 12.0}, 1.5, {"tv": 90.0, "radio": 60.0}
MODEL = "recipes.marketing.media_mix.MediaMix"


@dataclass(frozen=True)
class Market:
    """N = WEEKS * REGIONS rows, by week and then by region.

    Args: added: channel -> (N,) what it truly added to sales.
    """

    features: FeatureSet
    splits: Splits
    added: dict[str, NDArray[np.float64]]


def market(seed: int = 0) -> Market:
    """Sales by week and region, of which each part is known; written with loops, unlike the model."""
    random = np.random.default_rng(seed)
    week = np.arange(WEEKS)[:, None]
    day = (7 * week + 4) % 365.25
    size = random.uniform(50, 200, REGIONS)[None, :]
    price = np.where(random.random((WEEKS, REGIONS)) < 0.1, 4.4, 5.0)
    level = random.uniform(300, 500, REGIONS)
    demand = level * (1 + 0.2 * np.sin(2 * np.pi * day / 365.25)) * (price / 5.0) ** -1.2
    added = {}
    columns = {"price": price, "size": size, "day_of_year": day + 1, "trend": week * 7 / 365.25}
    for channel in DECAY:
        flights = random.random((WEEKS, REGIONS)) < 0.3
        # It chases the season, as budgets do.
        spend = flights * random.lognormal(3.2, 0.6, (WEEKS, REGIONS)) * (1 + np.sin(2 * np.pi * day / 365.25) / 2)
        added[channel] = MOST[channel] * _hill(_remembered(spend, DECAY[channel]), HALF[channel])
        for lag in range(LAGS):
            earlier = np.full((WEEKS, REGIONS), np.nan)
            earlier[lag:] = (size * spend)[: WEEKS - lag]
            columns[f"team/{channel}.lag{lag}"] = earlier
    noise = np.exp(random.normal(0, 0.03, (WEEKS, REGIONS)))
    sales = size * (demand + sum(added.values())) * noise
    numeric = np.stack([np.broadcast_to(each, sales.shape).ravel() for each in columns.values()], axis=1)
    region = np.broadcast_to(np.arange(REGIONS), sales.shape).ravel()[:, None] + 1
    features = feature_set(
        numeric=numeric.astype(np.float32),
        categorical=region.astype(np.int64),
        vocabularies=(tuple(f"region-{place:02d}" for place in range(REGIONS)),),
        numeric_names=tuple(columns),
    )
    targets = Targets(("sales",), sales.ravel()[:, None].astype(np.float32))
    of_row = np.arange(WEEKS * REGIONS) // REGIONS
    first, second = WEEKS - 26, WEEKS - 13
    return Market(
        replace(features, categorical_names=("region",), targets=targets),
        Splits(
            train=np.flatnonzero(of_row < first),
            validation=np.flatnonzero((of_row >= first) & (of_row < second)),
            test=np.flatnonzero(of_row >= second),
        ),
        {channel: (size * each).ravel() for channel, each in added.items()},
    )


def recipe(epochs: int = 40, **arguments: object) -> Recipe:
    chosen = {"channels": ["team/tv", "team/radio"], "controls": ["price"], "logs": ["price"], "members": 8}
    return Recipe(
        name="simulated",
        data=DataRecipe(source=ImageFolder(root=".")),
        features=FeaturesRecipe(image=None, table=TableFeatures(numeric=("price",), categorical=("region",))),
        task=Regression(targets=("sales",)),
        model=ModelRecipe(module=ForeignComponent(target=MODEL, arguments=chosen | arguments)),
        training=TrainingRecipe(epochs=epochs, batch_size=64, optimizer=None),
        runtime={"threads": 1, "progress": "none"},
    )


def trained(market: Market, folder: Path, epochs: int = 40, **arguments: object) -> tuple[Recipe, TrainedModel]:
    chosen = recipe(epochs, **arguments)
    return chosen, train_model(chosen, market.features, market.splits, folder)


def loaded(recipe: Recipe, trained: TrainedModel) -> LightningModule:
    state, inputs = load_state(trained.weights)
    module = create(recipe, inputs)
    module.load_state_dict(state)
    return module.eval()


def _remembered(spend: NDArray[np.float64], decay: float) -> NDArray[np.float64]:
    remembered = np.zeros_like(spend)
    for now in range(len(spend)):
        weights = [decay**lag for lag in range(min(LAGS, now + 1))]
        remembered[now] = sum(w * spend[now - lag] for lag, w in enumerate(weights)) / sum(weights)
    return remembered


def _hill(spend: NDArray[np.float64], half: float) -> NDArray[np.float64]:
    return spend**SHAPE / (spend**SHAPE + half**SHAPE)
