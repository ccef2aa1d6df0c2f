"""Names of the parts of a feature, as its definition lists them."""

from typing import Annotated, TypeVar

from pydantic import AfterValidator

from totalml.component import Items

T = TypeVar("T", bound=str)


def _each_once(parts: tuple[T, ...]) -> tuple[T, ...]:
    if twice := [part for place, part in enumerate(parts) if part in parts[:place]]:
        raise ValueError(f"{twice[0]!r} is named twice; leave one out")
    return parts


Parts = Annotated[Items[T], AfterValidator(_each_once)]
