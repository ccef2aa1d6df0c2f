"""The whole shape of a file in `deployments/`."""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import AfterValidator, Field

from totalml.component import Section
from totalml.prediction_log.settings import LogSettings
from totalml.recipe.bounds import Name, Positive

FULL_HASH = re.compile(r"blake3:[0-9a-f]{64}")


def _is_release(text: str) -> str:
    if not FULL_HASH.fullmatch(text) and not re.fullmatch(r"[a-z][a-z0-9_]{0,63}", text):
        raise ValueError(f"expected an alias such as production, or a whole bundle hash blake3:..., got {text!r}")
    return text


class LimitsRecipe(Section):
    """What a replica takes; more is refused before it is read."""

    body_megabytes: Annotated[float, Field(gt=0, le=1024)] = 32.0
    samples: Positive = 64  # in a request
    requests_at_once: Positive = 256
    body_seconds: Annotated[float, Field(gt=0, le=600)] = 20.0  # that a client may take to send a request


class Deployment(Section):
    """Args:
    release: an alias, which is followed; or a bundle hash, which stays.
    token_variable: environment variable that holds the token callers must show; the token itself is never written here.
    """

    model: Name
    release: Annotated[str, AfterValidator(_is_release)] = "production"
    log: LogSettings = LogSettings()
    token_variable: Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9_]{0,56}_TOKEN$")] = "TOTALML_TOKEN"  # noqa: S105
    limits: LimitsRecipe = LimitsRecipe()

    def follows_alias(self) -> bool:
        return not FULL_HASH.fullmatch(self.release)

    def as_json(self) -> dict[str, Any]:
        return self.model_dump(mode="json")
