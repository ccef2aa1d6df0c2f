"""The same pints with what a ruler says of them, for recipes that predict numbers.

A source of its own, so that the snapshot that recipes/guinness.yaml pins stays what it is.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from recipes.guinness.source import PintSource
from totalml.data.sample import Sample

if TYPE_CHECKING:
    from recipes.guinness.pint import Pints

MEASURES = ("head_mm", "dome_mm")
OF_RATERS = ("rule", "taste", "texture")  # they know the head


class MeasuredPintSource(PintSource):
    """Pints that nobody rates; metadata columns hold the foam's height below the glass's edge and above it."""

    def _batch(self, pints: "Pints") -> Iterator[Sample]:
        measured = {name: getattr(pints, name).tolist() for name in MEASURES}
        for row, sample in enumerate(super()._batch(pints)):
            known = {name: value for name, value in sample.metadata.items() if name not in OF_RATERS}
            yield replace(sample, label=None, metadata=known | {name: values[row] for name, values in measured.items()})
