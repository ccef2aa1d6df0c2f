"""The head of a model card as Hugging Face reads it: https://github.com/huggingface/hub-docs, modelcard.md."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import yaml

from totalml.recipe import Recipe
from totalml.report.content import ReportContent
from totalml.report.number_format import TITLES
from totalml.report.task_parts import parts_of

DIGITS = 4


def front_matter(content: ReportContent, recipe: Recipe) -> str:
    """Between two lines of `---`."""
    kind, names = parts_of(content).hugging_face
    task = f"{'tabular' if content.pictures is None else 'image'}-{kind}"
    values: dict[str, Any] = {"license": recipe.card.license} if recipe.card.license else {}
    values |= {
        "library_name": "totalml",
        "pipeline_tag": task,
        "tags": list(dict.fromkeys(["totalml", *recipe.card.tags])),
        "metrics": [names[name] for name in _measured(content, names)],
        "model-index": [{"name": content.name, "results": [_result(content, task, names)]}],
    }
    return f"---\n{yaml.safe_dump(values, sort_keys=False, allow_unicode=True)}---\n"


def _result(content: ReportContent, task: str, names: Mapping[str, str]) -> dict[str, Any]:
    dataset = {"type": content.name, "name": content.name, "split": "test", "revision": content.data_hash}
    metrics = [
        {"type": names[name], "name": TITLES[name], "value": round(value, DIGITS)}
        for name, value in _measured(content, names).items()
    ]
    return {"task": {"type": task, "name": task.replace("-", " ").title()}, "dataset": dataset, "metrics": metrics}


def _measured(content: ReportContent, names: Mapping[str, str]) -> dict[str, float]:
    found = {name: content.evaluation.metrics.get(name) for name in names}
    return {name: metric.value for name, metric in found.items() if metric is not None and metric.value is not None}
