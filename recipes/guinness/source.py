"""Samples for Total ML: pints drawn, rendered in batches and rated, with masks and what the app knows of each.

Imports of numpy and of the painters stay inside the methods, because validating a recipe imports this module.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field

from recipes.guinness.knobs import Knobs
from totalml.data.sample import Sample
from totalml.kinds import Source

if TYPE_CHECKING:
    from recipes.guinness.pint import Pints

BATCH = 64
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class PintSource(Source):
    """Rendered photos of pints, labelled `good` or `bad` by people who err at a known rate.

    The metadata column `rule` holds the label that the stated rule gives, without anybody's error.
    """

    count: Annotated[int, Field(gt=0, le=10_000_000)]
    size_px: Annotated[int, Field(ge=32, le=1024)] = 128  # side of the square photo
    seed: Annotated[int, Field(ge=0, lt=2**32)] = 0
    knobs: Knobs = Knobs()

    def samples(self) -> Iterator[Sample]:
        from recipes.guinness.pint import draw_pints

        for start in range(0, self.count, BATCH):
            yield from self._batch(draw_pints(self.seed, start, min(BATCH, self.count - start), self.knobs))

    def fingerprint(self) -> str:
        """Arguments and code alone decide the pixels, and both count anyway."""
        return "drawn"

    def watched(self) -> list[Path]:
        return []

    def _batch(self, pints: "Pints") -> Iterator[Sample]:
        from recipes.guinness.render import render
        from totalml.data.image import pgm, ppm

        renders = render(pints, self.size_px)
        columns = _columns(pints)
        taken = columns.pop("timestamp_us")
        labels = columns.pop("label")
        for row, index in enumerate(pints.index.tolist()):
            yield Sample(
                id=f"pint-{index:07d}",
                image=ppm(renders.images[row]),
                mask=pgm(renders.masks[row]),
                label=labels[row],
                timestamp=EPOCH + timedelta(microseconds=taken[row]),
                metadata={name: values[row] for name, values in columns.items()},
            )


def _columns(pints: "Pints") -> dict[str, list[Any]]:
    """Metadata as Python values, a missing score as None."""
    import numpy as np

    from recipes.guinness.metadata import metadata
    from recipes.guinness.pint import GLASSES
    from recipes.guinness.rating import is_good, labels

    columns = {name: values.tolist() for name, values in metadata(pints).items()}
    for score in ("taste", "texture"):
        columns[score] = [None if value != value else value for value in columns[score]]
    columns["glass"] = np.asarray(GLASSES)[pints.glass].tolist()
    columns["temperature_c"] = pints.temperature_c.tolist()
    columns["rule"] = np.where(is_good(pints), "good", "bad").tolist()
    columns["label"] = np.where(labels(pints) == 1, "good", "bad").tolist()
    return columns
