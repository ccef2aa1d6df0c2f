"""What was found about what a model looks at, as plain values and as small maps of every test picture."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from totalml.errors import StoreError
from totalml.evaluation.interval import Interval
from totalml.runs.attempt import EXPLANATION_FILE, MAPS_FILE
from totalml.store.atomic import write_atomically, write_json

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

GRAD_CAM, INTEGRATED, SMOOTHGRAD = "grad_cam", "integrated_gradients", "smoothgrad_squared"


@dataclass(frozen=True)
class Located:
    """How much of what speaks for the answers lies on one part; means over pictures.

    Args:
        part: its name, `outside` of all parts, or the `subject`.
        share: of what speaks for the answer, in [0, 1].
        area: of the picture: what attribution strewn at random would come to.
        centre: what a look at the middle alone would come to.
        over_area, over_centre: share less each control.
    """

    part: str
    share: Interval
    area: float
    centre: float
    over_area: Interval
    over_centre: Interval


@dataclass(frozen=True)
class Pointing:
    """How often the strongest place lies on the subject.

    Args:
        random, centre: how often a random place and the middle of the picture do.
        over_centre: hits less centre.
    """

    hits: Interval
    random: float
    centre: float
    over_centre: Interval


@dataclass(frozen=True)
class Measured:
    """Where the maps of one method lie.

    Args:
        count: test pictures with a mask, and with something that speaks for the answer.
        located: each part, `outside`, and where the recipe names a subject also `subject`.
        pointing: None without a subject.
    """

    method: str
    count: int
    located: tuple[Located, ...]
    pointing: Pointing | None

    def of(self, part: str) -> Located:
        """Raises: StopIteration: there is no such part."""
        return next(one for one in self.located if one.part == part)


@dataclass(frozen=True)
class Explanation:
    """Args:
    layer: of the network that Grad-CAM looks at; None if it has none.
    count: test pictures.
    subject: the parts that the model ought to look at.
    measured: by Grad-CAM on all masked pictures, then by integrated gradients on some of them; empty without masks.
    randomised_similarity: of the maps with those of a network whose later half is random, 0 to 1; None without maps.
    notes: what could not be done, and why.
    shown: places among the test samples of the pictures that the report shows.
    maps: `grad_cam`, (N, g, g) uint8 of all test pictures, and `shown.<method>`, (n, f, f) uint8; each map is scaled
        to its own strongest place, and only what speaks for the answer is kept.
    """

    layer: str | None
    count: int
    subject: tuple[str, ...]
    measured: tuple[Measured, ...]
    randomised_similarity: Interval | None
    confidence: float
    notes: tuple[str, ...]
    shown: tuple[int, ...]
    maps: Mapping[str, NDArray[np.uint8]] = field(compare=False, repr=False)

    def figures(self) -> dict[str, Interval]:
        """Every figure that a gate can name: Grad-CAM's as `explanation.share.<part>`, others with their method."""
        found: dict[str, Interval] = {}
        for one in self.measured:
            name = "explanation" if one.method == GRAD_CAM else f"explanation.{one.method}"
            found |= {f"{name}.share.{located.part}": located.share for located in one.located}
            if one.pointing:
                found[f"{name}.pointing"] = one.pointing.hits
                found[f"{name}.pointing_over_centre"] = one.pointing.over_centre
        if self.randomised_similarity:
            found["explanation.randomised_similarity"] = self.randomised_similarity
        return found

    def as_json(self) -> dict[str, Any]:
        """Everything but the maps, as values that JSON knows."""
        return asdict(replace(self, maps={})) | {"maps": {name: list(one.shape) for name, one in self.maps.items()}}

    def save(self, folder: Path) -> None:
        from safetensors.numpy import save

        write_json(folder / EXPLANATION_FILE, self.as_json())
        write_atomically(folder / MAPS_FILE, save(dict(self.maps)))

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Raises: StoreError: a file is missing or damaged."""
        from safetensors import SafetensorError
        from safetensors.numpy import load

        try:
            values = json.loads((folder / EXPLANATION_FILE).read_text(encoding="utf-8"))
            return cls.from_json(values, load((folder / MAPS_FILE).read_bytes()))
        except (OSError, ValueError, KeyError, TypeError, RecursionError, SafetensorError) as error:
            raise StoreError(f"the explanation in {folder} cannot be read: {error}. Run the recipe again.") from error

    @classmethod
    def from_json(cls, values: Mapping[str, Any], maps: Mapping[str, NDArray[np.uint8]]) -> Self:
        similarity = values["randomised_similarity"]
        read = {
            "measured": tuple(_measured(one) for one in values["measured"]),
            "randomised_similarity": Interval(**similarity) if similarity else None,
            **{name: tuple(values[name]) for name in ("subject", "notes", "shown")},
        }
        return cls(**{**values, **read, "maps": maps})


def _measured(values: Mapping[str, Any]) -> Measured:
    located = tuple(_read(Located, one) for one in values["located"])
    pointing = _read(Pointing, values["pointing"]) if values["pointing"] else None
    return Measured(values["method"], values["count"], located, pointing)


def _read(kind: type[Any], values: Mapping[str, Any]) -> Any:
    """A record of ours whose intervals are dicts."""
    return kind(**{name: Interval(**value) if isinstance(value, dict) else value for name, value in values.items()})
