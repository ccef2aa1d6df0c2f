"""The head of a model card as Hugging Face reads it: https://github.com/huggingface/hub-docs, modelcard.md."""

from __future__ import annotations

from typing import Any

import yaml

from totalml.recipe import Recipe
from totalml.report.content import ReportContent
from totalml.report.number_format import TITLES

# Our names -> those of Hugging Face's metrics.
METRICS = {
    "accuracy": "accuracy",
    "balanced_accuracy": "balanced_accuracy",
    "f1": "f1",
    "auroc": "roc_auc",
    "average_precision": "average_precision",
    "ece": "expected_calibration_error",
}
PICTURES = ("image-classification", "Image Classification")
TABLES = ("tabular-classification", "Tabular Classification")
DIGITS = 4


def front_matter(content: ReportContent, recipe: Recipe) -> str:
    """Between two lines of `---`."""
    task, task_name = TABLES if content.pictures is None else PICTURES
    values: dict[str, Any] = {"license": recipe.card.license} if recipe.card.license else {}
    values |= {
        "library_name": "totalml",
        "pipeline_tag": task,
        "tags": list(dict.fromkeys(["totalml", *recipe.card.tags])),
        "metrics": [METRICS[name] for name in _measured(content)],
        "model-index": [{"name": content.name, "results": [_result(content, task, task_name)]}],
    }
    return f"---\n{yaml.safe_dump(values, sort_keys=False, allow_unicode=True)}---\n"


def _result(content: ReportContent, task: str, task_name: str) -> dict[str, Any]:
    dataset = {"type": content.name, "name": content.name, "split": "test", "revision": content.data_hash}
    metrics = [
        {"type": METRICS[name], "name": TITLES[name], "value": round(value, DIGITS)}
        for name, value in _measured(content).items()
    ]
    return {"task": {"type": task, "name": task_name}, "dataset": dataset, "metrics": metrics}


def _measured(content: ReportContent) -> dict[str, float]:
    found = {name: content.evaluation.metrics.get(name) for name in METRICS}
    return {name: metric.value for name, metric in found.items() if metric is not None and metric.value is not None}
