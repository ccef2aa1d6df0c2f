"""Bounds that several sections share."""

import re
import unicodedata
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field

from totalml.duration import Duration as Duration
from totalml.duration import seconds_of as seconds_of
from totalml.identity import DIGEST
from totalml.url import checked

NAME = re.compile(r"[a-z][a-z0-9_]{0,63}")  # of a recipe, and so of its model; of an alias
SHARED_NAME = re.compile(rf"{NAME.pattern}/{NAME.pattern}")  # team/name of a shared feature
Name = Annotated[str, Field(pattern=f"^{NAME.pattern}$")]
Digest = Annotated[str, Field(pattern=f"^{DIGEST.pattern}$")]
Positive = Annotated[int, Field(gt=0, lt=2**53)]
Folder = Annotated[str, Field(min_length=1)]
Place = Annotated[str, Field(min_length=1), AfterValidator(checked)]  # a folder, or a URL such as s3://bucket/prefix


def _text_of_number(value: Any) -> Any:
    """YAML reads the label `1` as a number; a label that is none in the data is told when it is looked for there."""
    return str(value) if type(value) is int else value


def _one_form(text: str) -> str:
    return unicodedata.normalize("NFC", text)  # as the labels of a snapshot have


Label = Annotated[str, BeforeValidator(_text_of_number), AfterValidator(_one_form)]
Share = Annotated[float, Field(ge=0, le=1)]


def _known_zone(name: str) -> str:
    from zoneinfo import ZoneInfo

    try:
        ZoneInfo(name)
    except (OSError, ValueError, KeyError):
        if name != "UTC":  # which is known where the machine has no list of zones
            raise ValueError(f"there is no time zone {name!r}; give one such as Europe/Dublin or UTC") from None
    return name


Zone = Annotated[str, Field(min_length=1), AfterValidator(_known_zone)]
