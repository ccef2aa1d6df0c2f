"""How a model is reviewed: as its recipe says now; where there is none, as it said when the release was made."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from totalml.errors import RecipeError, StoreError
from totalml.recipe.review import ReviewRecipe
from totalml.target import did_you_mean

if TYPE_CHECKING:
    from totalml.project import Place
    from totalml.release.bundle import Bundle
    from totalml.release.signature import Signature


def review_settings(model: str, bundle: Bundle, place: Place) -> ReviewRecipe:
    """Raises: RecipeError: the recipe of the project has mistakes. StoreError: the release's is of a newer version."""
    if (place.project / "recipes" / f"{model}.yaml").is_file():
        return ReviewRecipe.model_validate(_now(model, place) or {})
    values = bundle.recipe.get("review") or {}
    try:
        return ReviewRecipe.model_validate(values)
    except ValidationError as error:
        raise StoreError(f"release {bundle.hash} was made by a newer version ({error}); update totalml") from error


def doubts_of(settings: ReviewRecipe, signature: Signature) -> list[str]:
    """What of the recipe does not go with the release, in sentences.

    Labels that it does not have, whose buttons say the label itself; numbers on which nobody would ever agree.
    """
    there, told = [*signature.targets], []
    for key in ("words", "tolerance"):
        for name in getattr(settings, key):
            if name not in there:
                hint = did_you_mean(name, there) or f"; there are {', '.join(there)}"
                told.append(f"review.{key} of the recipe names {name!r}, which the release does not say{hint}")
    if signature.task == "regression" and settings.overlap > 1:
        told += [
            f"review.tolerance of the recipe names no {name}, so that of several people only equal numbers agree"
            for name in there
            if name not in settings.tolerance
        ]
    return told


def _now(model: str, place: Place) -> Any:
    from totalml.comparison.composed import compose_one, real_mistakes

    composed = compose_one(place.project, model)
    if composed.values is None:
        raise RecipeError(*real_mistakes(composed.mistakes))
    return composed.values["review"]
