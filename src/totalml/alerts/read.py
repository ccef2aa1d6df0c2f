"""What a file says of alerts: a deployment, a recipe, or a file of nothing else.

Only its part `monitoring: alerts:`, or `alerts:` at its top, is looked at.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import ValidationError

from totalml.compose.section_file import interpolated, read_values, with_lines
from totalml.recipe.alerting import AlertingRecipe
from totalml.recipe.bounds import NAME
from totalml.validate import Mistake, explain

PARTS = (("monitoring", "alerts"), ("alerts",))
SAYS_NOTHING = "it says nothing of alerts; write `monitoring: {alerts: {channels: [...]}}`"
OF_MODEL = ("model", "name")  # of a deployment, and of a recipe


def read_alerting(file: Path, name: str) -> tuple[str, AlertingRecipe]:
    """Args:
        name: the file as shown.
    Returns: the model, and what is said of its alerts.
    Raises: RecipeError: the file is not there, or says nothing of alerts; all mistakes at once.
    """
    values = read_values(file, name, "file")
    model = next((values[key] for key in OF_MODEL if isinstance(values.get(key), str)), "")
    path = next((path for path in PARTS if _at(values, path) is not None), ())
    mistakes = interpolated(_at(values, path), path) if path else [Mistake((), SAYS_NOTHING)]
    if not NAME.fullmatch(model):
        mistakes.append(Mistake(("model",), "say which model: `model: guinness`; a recipe says it by its name"))
    if not mistakes:
        try:
            return model, AlertingRecipe.model_validate(_at(values, path))
        except ValidationError as error:
            mistakes = explain(error, AlertingRecipe, path)
    raise with_lines(mistakes, file, name)


def _at(values: Any, path: tuple[str, ...]) -> Any:
    for key in path:
        values = values.get(key) if isinstance(values, dict) else None
    return values
