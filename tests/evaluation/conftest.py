"""A world of pints with invented metadata, in which a model errs where a test wants it to."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from totalml.evaluation import SampleContext
from totalml.evaluation.slices.measure import measure_slices
from totalml.evaluation.slices.record import Slices
from totalml.recipe import EvaluationRecipe

AGES = np.array(["18-25", "26-40", "41-60", "61+"])


@dataclass(frozen=True)
class World:
    table: pa.Table
    light: np.ndarray
    chance: np.random.Generator

    @property
    def age(self) -> np.ndarray:
        return np.array(self.table["age_group"].to_pylist())

    @property
    def context(self) -> SampleContext:
        return SampleContext(self.table, np.arange(len(self.table)), self.light)

    def wrong(self, rate: Any) -> np.ndarray:
        """Mistakes at a rate for all, or for each."""
        return self.chance.random(len(self.table)) < rate


@pytest.fixture
def world() -> Callable[..., World]:
    def make(samples: int, seed: int = 0) -> World:
        chance = np.random.default_rng(seed)
        taste = np.where(chance.random(samples) < 0.12, np.nan, chance.normal(7, 1, samples))
        table = pa.table(
            {
                "age_group": AGES[chance.choice(4, samples, p=[0.33, 0.33, 0.24, 0.1])],
                "glass": np.array(["tulip", "new", "plastic"])[chance.choice(3, samples, p=[0.5, 0.35, 0.15])],
                "pub": [f"pub {k}" for k in chance.integers(0, 12, samples)],
                "device": [f"phone {k}" for k in chance.integers(0, 6, samples)],
                "taste": pa.array(taste, from_pandas=True),
                "temperature_c": chance.normal(6, 1, samples),
                "outside": chance.random(samples) < 0.4,
            }
        )
        return World(table, chance.random(samples), chance)

    return make


@pytest.fixture
def looked_at() -> Callable[..., Slices]:
    def look(world: World, wrong: np.ndarray, **recipe: Any) -> Slices:
        asked = EvaluationRecipe(slices={"columns": ["age_group", "glass", "light"]} | recipe)
        assert asked.slices is not None
        return measure_slices(asked, asked.slices, world.context, wrong)

    return look
