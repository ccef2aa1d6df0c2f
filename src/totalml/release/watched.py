"""How a release is to be watched: as the recipe said when it was made, and so until another one is made."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import ValidationError

from totalml.errors import StoreError
from totalml.recipe.monitoring import MonitoringRecipe

if TYPE_CHECKING:
    from totalml.release.bundle import Bundle


def settings_of(bundle: Bundle) -> MonitoringRecipe:
    """What the recipe of a release says of watching it.

    Raises: StoreError: it is gone or changed, or a newer version wrote it.
    """
    values = bundle.recipe.get("monitoring") or {}
    try:
        return MonitoringRecipe.model_validate(values)
    except ValidationError as error:
        raise StoreError(f"release {bundle.hash} was made by a newer version ({error}); update totalml") from error
