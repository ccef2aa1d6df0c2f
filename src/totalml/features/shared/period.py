"""How far apart the rows of an entity are, and how far back to look."""

from typing import Annotated

from pydantic import AfterValidator

from totalml.duration import Duration, us_of

LONGEST = "36525d"  # so that a thousand of them, in microseconds, fit into an int64


def _some_time(text: str) -> str:
    if us_of(text) < 1:
        raise ValueError(f"expected more than no time, got {text!r}")
    if us_of(text) > us_of(LONGEST):
        raise ValueError(f"expected a hundred years at most, got {text!r}")
    return text


Period = Annotated[Duration, AfterValidator(_some_time)]
