"""What a finished run reached, read off its folder without torch."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from totalml.runs.attempt import METRICS_FILE, RUN_FILE, TRAINING_FILE


def run_facts(folder: Path) -> dict[str, Any]:
    """`run.json` of an attempt; empty where it cannot be read."""
    return _read(folder / RUN_FILE)


def metric_of(folder: Path, metric: str) -> float | None:
    """The value that jobs are compared by; None where the run does not have it.

    Args:
        metric: `validation_loss` and `validation_<score of the task>` of the best epoch, or one of `metrics.json`.
    """
    if metric.startswith("validation_"):
        training = _read(folder / TRAINING_FILE)
        best = [epoch for epoch in training.get("history", []) if epoch["epoch"] == training["best_epoch"]]
        key = "validation_score" if metric == f"validation_{training.get('score')}" else metric
        value = best[0].get(key) if best else None
    else:
        value = _read(folder / METRICS_FILE).get("metrics", {}).get(metric, {}).get("value")
    return float(value) if isinstance(value, int | float) else None


def seconds_of(facts: dict[str, Any]) -> float | None:
    """Wall time of all stages of a run."""
    seconds = facts.get("seconds")
    return round(sum(seconds.values()), 3) if seconds else None


def _read(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
