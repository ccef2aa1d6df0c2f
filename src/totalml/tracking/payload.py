"""What W&B is told of a run, as plain values read from the run's folder."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from totalml.evaluation.record import Evaluation
from totalml.report.task_parts import Answer, answer_of
from totalml.runs.attempt import METRICS_FILE, RUN_FILE, TRAINING_FILE
from totalml.runs.stored import stored_values

Row = dict[str, Any]
MADE_WITH = ("code", "files", "environment", "execution")
MOST_SHOWN = 16
FIGURES = ("value", "low", "high")


@dataclass(frozen=True)
class Payload:
    """Args:
    facts, recipe, training, metrics: of the files of the same names.
    folder: of the attempt.
    """

    folder: Path
    facts: Row
    recipe: Row
    training: Row
    metrics: Row

    @classmethod
    def read(cls, folder: Path) -> Payload:
        """Raises: OSError, ValueError, StoreError: something is missing or damaged."""
        files = (folder / name for name in (RUN_FILE, TRAINING_FILE, METRICS_FILE))
        facts, training, metrics = (json.loads(file.read_text(encoding="utf-8")) for file in files)
        return cls(folder, facts, stored_values(folder), training, metrics)

    def history(self) -> list[Row]:
        return [epoch_row(epoch, self.training["score"]) for epoch in self.training["history"]]

    def summary(self) -> Row:
        """The last word on each metric, `class/<label>/<metric>` too; intervals as `<metric>_low` and `_high`."""
        told = dict(_figures("test/", self.metrics["metrics"]))
        for family in ("class", "label", "target"):
            for name, figures in self.metrics.get(f"per_{family}", {}).items():
                told |= _figures(f"{family}/{name}/", figures)
        told |= {f"seconds/{stage}": seconds for stage, seconds in self.facts["seconds"].items()}
        return told | {"best_epoch": self.training["best_epoch"], "epochs_run": self.training["epochs_run"]}

    def confusion(self) -> list[tuple[str, str, int]]:
        """(true class, predicted class, samples) of every cell; empty where the task knows no classes."""
        classes = self.metrics.get("classes", ())
        rows = zip(classes, self.metrics.get("confusion", ()), strict=True)
        return [(true, said, count) for true, row in rows for said, count in zip(classes, row, strict=True)]

    def slices(self) -> list[Row]:
        """A row for each group of test samples that was told of, declared ones first; empty if none was looked at."""
        slices = self.metrics.get("slices") or {}
        figure = slices.get("figure", "accuracy")
        return [
            {
                "group": one["name"],
                "family": family,
                "samples": one["count"],
                **dict(_figures("", {figure: one[figure], "gap": one["gap"]})),
                "chance": one["p"],
                "worse": one["worse"],
            }
            for family in ("declared", "found")
            for one in slices.get(family, ())
        ]

    def shown(self) -> list[Answer]:
        """Predictions worth looking at: half of them the worst answers, the surest first, then others evenly picked."""
        evaluation = Evaluation.load(self.folder)
        answers = [answer_of(evaluation, row) for row in evaluation.predictions.to_pylist()]
        scored = list(zip(answers, evaluation.sample_scores().tolist(), strict=True))
        wrong = sorted((each for each in scored if not each[0].right), key=lambda each: (each[1], each[0].order))
        worst = [answer for answer, _ in wrong][: MOST_SHOWN // 2]
        right = [answer for answer in answers if answer.right]
        count = MOST_SHOWN - len(worst)
        return worst + right[:: max(1, -(-len(right) // count))][:count]


def config_of(facts: Mapping[str, Any], recipe: Mapping[str, Any]) -> Row:
    """The recipe with a key such as `training/epochs` for each value, and what else names the run."""
    named = {key: facts[key] for key in ("run_id", "config_hash", "data_hash", "attempt")}
    digests = {part: facts[part]["digest"] for part in MADE_WITH if part in facts}
    git = facts.get("git") or {}
    commit = {f"git/{key}": git[key] for key in ("commit", "dirty") if key in git}
    return {**dict(flattened(recipe)), **{f"totalml/{key}": each for key, each in (named | digests | commit).items()}}


def flattened(values: Any, key: str = "") -> Iterator[tuple[str, Any]]:
    """A list is numbered only where it holds more than plain values."""
    if isinstance(values, Mapping) and values:
        for name, each in values.items():
            yield from flattened(each, f"{key}/{name}" if key else str(name))
    elif isinstance(values, list) and any(isinstance(each, Mapping | list) for each in values):
        for number, each in enumerate(values):
            yield from flattened(each, f"{key}/{number}")
    else:
        yield key, values


def epoch_row(epoch: Mapping[str, Any], score: str) -> Row:
    """One point of each curve."""
    return {
        "epoch": epoch["epoch"],
        "train/loss": epoch["train_loss"],
        "validation/loss": epoch["validation_loss"],
        f"validation/{score}": epoch["validation_score"],
        "learning_rate": epoch["learning_rate"],
        "seconds/epoch": epoch["seconds"],
    }


def _figures(prefix: str, metrics: Mapping[str, Any]) -> Iterator[tuple[str, float]]:
    for name, metric in metrics.items():
        parts = metric if isinstance(metric, Mapping) else {"value": metric}
        for part in FIGURES:
            if parts.get(part) is not None:
                yield f"{prefix}{name}{'' if part == 'value' else f'_{part}'}", parts[part]
