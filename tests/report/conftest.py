from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from totalml.evaluation import SampleContext, evaluate
from totalml.quality import Finding, QualityReport
from totalml.recipe import EvaluationRecipe
from totalml.report import ReportContent


@dataclass(frozen=True)
class Epoch:
    epoch: int
    train_loss: float
    validation_loss: float
    validation_score: float


@pytest.fixture
def history_of() -> Callable[..., tuple[Epoch, ...]]:
    def make(*losses: float) -> tuple[Epoch, ...]:
        return tuple(Epoch(k, loss, loss + 0.1, 0.8) for k, loss in enumerate(losses, start=1))

    return make


@pytest.fixture
def content_of(history_of: Callable[..., tuple[Epoch, ...]]) -> Callable[..., ReportContent]:
    """Make the content of a report on `samples` test samples, of which about `right` are judged rightly."""

    def make(
        classes: tuple[str, ...] = ("bad", "good"),
        samples: int = 60,
        right: float = 0.8,
        ids: list[str] | None = None,
        gold_noise: float | None = None,
        bootstrap: int = 50,
        image_px: int | None = 32,
        beside: Callable[[np.ndarray, np.ndarray], tuple[dict[str, Any], SampleContext, Any]] | None = None,
        **changes: Any,
    ) -> ReportContent:
        generator = np.random.default_rng(0)
        labels = generator.integers(0, len(classes), samples)
        said = np.where(generator.random(samples) < right, labels, (labels + 1) % len(classes))
        strength = generator.uniform(0.5, 0.9, samples)
        probabilities = np.repeat((1 - strength)[:, None] / len(classes), len(classes), axis=1)
        probabilities[np.arange(samples), said] += strength
        gold = None
        if gold_noise is not None:
            true = np.where(generator.random(samples) < gold_noise, (labels + 1) % len(classes), labels)
            gold = [classes[k] for k in true]
        asked, stands, fitted = ({}, None, None) if beside is None else beside(labels, probabilities)
        evaluation = evaluate(
            EvaluationRecipe(bootstrap=bootstrap, **asked),
            classes,
            ids or [f"s{k:04d}" for k in range(samples)],
            labels,
            probabilities,
            gold,
            seed=0,
            context=stands,
            validation=fitted,
        )
        shape = (samples, image_px or 1, image_px or 1, 3)
        images = generator.integers(0, 256, shape, np.uint8)
        fields: dict[str, Any] = {
            "name": "pints",
            "description": "Is it a good pint?\nMeasured on 60 of them.",
            "run_id": "0123abcd-4567ef00",
            "config_hash": "blake3:" + "0123abcd" * 8,
            "data_hash": "blake3:" + "4567ef00" * 8,
            "command": "python run.py +recipe=pints",
            "recipe_yaml": "name: pints\nseed: 0\n",
            "environment": {"Python": "3.11.7"},
            "seconds": {"snapshot": 1.0, "training": 65.5},
            "split_sizes": {"train": 70 * len(classes), "validation": 15 * len(classes), "test": 15 * len(classes)},
            "split_counts": {label: {"train": 70, "validation": 15, "test": 15} for label in classes},
            "quality": QualityReport(("ClassBalance",), (Finding("ClassBalance", "warn", "too few", ("s1",)),)),
            "history": history_of(0.9, 0.5, 0.6),
            "best_epoch": 2,
            "evaluation": evaluation,
            "rows": np.arange(samples),
            "pictures": None if image_px is None else lambda rows: images[rows],
        }
        return ReportContent(**(fields | changes))

    return make
