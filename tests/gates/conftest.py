"""Evaluated attempts of invented models, without any training."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from totalml.evaluation import evaluate
from totalml.quality import QualityReport
from totalml.recipe import EvaluationRecipe
from totalml.registry import Aliases, Promotion
from totalml.store import Store

CLASSES = ("bad", "good")


class Model:
    """Says the label of `right` samples, for sure or less so."""

    def __init__(self, recipe: Path, labels: np.ndarray, right: np.ndarray, run: str, seed: int = 0) -> None:
        self.folder = recipe / run / "1"
        self.folder.mkdir(parents=True)
        said = np.where(right, labels, 1 - labels)
        sure = np.random.default_rng(seed).uniform(0.55, 0.95, len(labels))
        self.probabilities = np.where(said[:, None] == np.arange(2), sure[:, None], 1 - sure[:, None])
        self.labels = labels

    def evaluated(self, bootstrap: int = 200, ids: list[str] | None = None) -> Path:
        ids = ids or [f"s{k:05d}" for k in range(len(self.labels))]
        asked = EvaluationRecipe(bootstrap=bootstrap, slices=None, calibration=None)
        evaluate(asked, CLASSES, ids, self.labels, self.probabilities, None, 0).save(self.folder)
        QualityReport((), ()).save(self.folder)
        return self.folder


@pytest.fixture
def labels() -> np.ndarray:
    return np.arange(400) % 2


@pytest.fixture
def model(tmp_path: Path, labels: np.ndarray) -> Callable[..., Path]:
    """The folder of an evaluated model that is wrong on the samples named."""

    def make(run: str, wrong: list[int] | range, bootstrap: int = 200, seed: int = 0, **more: list[str]) -> Path:
        right = np.ones(len(labels), bool)
        right[list(wrong)] = False
        return Model(tmp_path / "runs" / "pints", labels, right, run, seed).evaluated(bootstrap, **more)

    return make


@pytest.fixture
def promote(tmp_path: Path) -> Callable[..., Promotion]:
    """Put the model of a folder in production."""

    def point(folder: Path, weights: str = "blake3:" + "a" * 64) -> Promotion:
        when = "2026-11-25T04:00:00+00:00"
        promoted = Promotion(when, "production", folder.parent.name, int(folder.name), weights, "someone")
        Aliases(Store(tmp_path / "store"), "pints").move(lambda _: promoted)
        return promoted

    return point
