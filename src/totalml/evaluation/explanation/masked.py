"""The test pictures that have a mask, and where the maps of a method lie on them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np
import pyarrow as pa

from totalml.evaluation.arrays import Ints
from totalml.evaluation.explanation.intervals import mean_intervals
from totalml.evaluation.explanation.located import OnParts, on_parts
from totalml.evaluation.explanation.methods import Maps
from totalml.evaluation.explanation.record import Located, Measured, Pointing
from totalml.evaluation.interval import Interval
from totalml.evaluation.shares import gap_bounds, wilson, z_of
from totalml.features.masks import masks_of
from totalml.recipe import ExplanationRecipe, ImageFeatures, Recipe
from totalml.recipe.evaluation import EVERYWHERE_ELSE, SUBJECT

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from totalml.store import Store

CHUNK = 64  # masks held at once
MASK_PX = 128  # side that they are looked at in, at most

NO_MASKS = "no test picture has a mask, so where it looked is shown and not measured"
NO_PARTS = "the recipe names no parts of the masks (evaluation.explanation.parts), so where it looked is not measured"


@dataclass(frozen=True)
class Masked:
    """Args:
    blobs: (N,) digest of each test picture's mask, None where it has none.
    places: (M,) of those that have one, among the test pictures; none where the recipe names no parts.
    why_not: why nothing can be measured, if so.
    """

    blobs: NDArray[np.object_]
    places: Ints
    why_not: str | None
    asked: ExplanationRecipe
    recipe: Recipe
    store: Store

    @classmethod
    def among(cls, rows: Ints, samples: pa.Table, recipe: Recipe, store: Store) -> Self:
        asked = recipe.evaluation.explanation or ExplanationRecipe()
        blobs = np.array(samples["mask"].take(pa.array(rows)).to_pylist(), object)
        places = np.flatnonzero([blob is not None for blob in blobs])
        why_not = None if len(places) and asked.parts else NO_PARTS if len(places) else NO_MASKS
        return cls(blobs, places[:0] if why_not else places, why_not, asked, recipe, store)

    def evenly(self, count: int) -> Ints:
        chosen = np.unique(np.linspace(0, len(self.places) - 1, min(count, len(self.places))).astype(np.int64))
        return self.places[chosen] if len(self.places) else self.places

    def measure(self, method: str, maps: Maps, places: Ints) -> Measured | None:
        """Args:
        maps: (n, g, g) of the test pictures at `places`; those without a mask, or where nothing speaks for the answer,
            do not count.
        """
        kept = np.isin(places, self.places) & (maps > 0).any(axis=(1, 2))
        if not kept.any():
            return None
        found = self._on_parts(maps[kept], self.blobs[places[kept]])
        return Measured(method, len(found.hit), self._located(found), self._pointing(found))

    def _on_parts(self, maps: Maps, blobs: NDArray[np.object_]) -> OnParts:
        image = self.recipe.features.image or ImageFeatures()
        image = image.model_copy(update={"size": min(image.size, MASK_PX)})
        parts = []
        for start in range(0, len(blobs), CHUNK):
            some = slice(start, start + CHUNK)
            masks = masks_of(blobs[some].tolist(), image, self.recipe.data.max_megapixels, self.store)
            parts.append(on_parts(maps[some], masks, self.asked.parts, self.asked.subject))
        return OnParts.joined(parts)

    def _located(self, found: OnParts) -> tuple[Located, ...]:
        names = [*self.asked.parts, EVERYWHERE_ELSE, *([SUBJECT] if self.asked.subject else [])]
        columns = len(names)
        values = np.concatenate(
            [part[:, :columns] for part in (found.share, found.share - found.area, found.share - found.centre)], axis=1
        )
        means = mean_intervals(values, self.recipe.evaluation, self.recipe.seed)
        area, centre = found.area.mean(axis=0).tolist(), found.centre.mean(axis=0).tolist()
        return tuple(
            Located(name, means[k], area[k], centre[k], means[columns + k], means[2 * columns + k])
            for k, name in enumerate(names)
        )

    def _pointing(self, found: OnParts) -> Pointing | None:
        if not self.asked.subject:
            return None
        z, count = z_of(self.recipe.evaluation.confidence), np.array([len(found.hit)])
        hits, centre = (np.array([part.sum()]) for part in (found.hit, found.centre_hit))
        share, middle = float(hits[0] / count[0]), float(centre[0] / count[0])
        low, high = wilson(hits, count, z)
        # As of two samples: of one sample the two are never less alike, so the interval is if anything too wide.
        least, most = gap_bounds(hits, count, centre, count, z)
        return Pointing(
            hits=Interval(share, float(low[0]), float(high[0])),
            random=float(found.area[:, -1].mean()),
            centre=middle,
            over_centre=Interval(share - middle, float(least[0]), float(most[0])),
        )
