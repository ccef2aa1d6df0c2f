"""What `tests/recipes` expects of a smoke recipe, committed: its composed form with hashes, and its metrics.

The golden files are pytest-regressions' own; the names and the shape of what stands in them are kept here, because the
tests write them and `totalml recipe new` and `diff` need them too.
"""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

import yaml

from totalml.evaluation.record import Interval

if TYPE_CHECKING:
    from totalml.comparison.composed import Composed

FOLDER = PurePosixPath("tests/recipes/test_recipes_golden")
RENEW = "python -m pytest tests/recipes --force-regen"


def composed_name(recipe: str) -> str:
    return f"{recipe}_composed"


def metrics_name(recipe: str) -> str:
    return f"{recipe}_metrics"


def composed_file(recipe: str) -> PurePosixPath:
    return FOLDER / f"{composed_name(recipe)}.yml"


def metrics_file(recipe: str) -> PurePosixPath:
    return FOLDER / f"{metrics_name(recipe)}.csv"


def composed_form(recipe: Composed) -> dict[str, Any]:
    """The composed recipe without where and how, under its config hash."""
    return {"config_hash": recipe.config_hash, "recipe": recipe.what}


def composed_text(recipe: Composed) -> str:
    """The golden file of the composed form, as pytest-regressions writes it."""
    return str(yaml.dump(composed_form(recipe), Dumper=_WithoutAliases, default_flow_style=False, allow_unicode=True))


def metric_columns(metrics: Mapping[str, Interval]) -> dict[str, list[float]]:
    """Metric -> its value and both bounds, NaN where there is none."""
    return {name: [_number(each.value), _number(each.low), _number(each.high)] for name, each in metrics.items()}


def read_metrics_text(text: str | None) -> dict[str, Interval]:
    """The metrics of a golden file; empty if there is none, or nothing that could be one."""
    rows = list(csv.DictReader(io.StringIO(text or "")))
    if len(rows) != 3:
        return {}
    try:
        return {name: _interval(*(row[name] for row in rows)) for name in rows[0] if name}
    except (ValueError, TypeError):
        return {}


class _WithoutAliases(yaml.SafeDumper):  # type: ignore[misc]
    def ignore_aliases(self, data: Any) -> bool:
        return True


def _number(value: float | None) -> float:
    return math.nan if value is None else value


def _interval(value: str, low: str, high: str) -> Interval:
    return Interval(_finite(value), _finite(low), _finite(high))


def _finite(text: str) -> float | None:
    number = float(text or "nan")
    return number if math.isfinite(number) else None
