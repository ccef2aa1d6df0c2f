"""Chance of the market: a stream of numbers for each thing and region, so that they stay when others join."""

import zlib
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from recipes.marketing.calendar import Numbers

Draw = Callable[[np.random.Generator], Numbers]


@dataclass(frozen=True)
class Chance:
    """Args:
    future: number of the streams that weeks from `since`, a number too, on come from; None: the same as others.
    """

    seed: int
    future: int | None = None
    since: int = 0

    def by_region(self, what: str, regions: int) -> Numbers:
        """(R,) normal; no future changes what a region is."""
        return Chance(self.seed).by_week(what, 1, regions)[0]

    def by_week(self, what: str, weeks: int, regions: int) -> Numbers:
        """(T, R) normal."""
        return self._each(lambda stream: stream.standard_normal(weeks), what, regions)

    def even_by_week(self, what: str, weeks: int, regions: int) -> Numbers:
        """(T, R) in [0, 1)."""
        return self._each(lambda stream: stream.random(weeks), what, regions)

    def by_day(self, what: str, weeks: int, days: int, regions: int) -> Numbers:
        """(T days, R) normal."""
        found = self._each(lambda stream: stream.standard_normal((weeks, days)), what, regions)
        return found.reshape(weeks * days, regions)

    def even(self, what: str, shape: tuple[int, int]) -> Numbers:
        """(T, days) in [0, 1), the same for all regions."""
        return self._of(lambda stream: stream.random(shape), what)

    def drift(self, what: str, weeks: int, regions: int, deviations: tuple[float, float], kept: float) -> Numbers:
        """(T, R) normal. Args: deviations: in all regions together, and in each. kept: of it, from week to week."""
        together, each = deviations
        shared = together * self._of(lambda stream: stream.standard_normal(weeks), f"{what} together")[:, None]
        fresh = shared + each * self.by_week(what, weeks, regions)
        drift = np.empty_like(fresh)
        drift[0] = fresh[0]
        for week in range(1, weeks):
            drift[week] = kept * drift[week - 1] + np.sqrt(1.0 - kept**2) * fresh[week]
        return drift

    def _each(self, draw: Draw, what: str, regions: int) -> Numbers:
        """As drawn, with an axis for the regions at the end."""
        return np.stack([self._of(draw, what, region) for region in range(1, regions + 1)], axis=-1)

    def _of(self, draw: Draw, what: str, region: int = 0) -> Numbers:
        stream = [self.seed, zlib.crc32(what.encode()), region]
        found = draw(np.random.default_rng(stream))
        if self.future is not None:
            found[self.since :] = draw(np.random.default_rng([*stream, self.future]))[self.since :]
        return found
