"""The same pints, with what is wrong with each in a column for every fault.

A source of its own, so that the snapshot that recipes/guinness.yaml pins stays what it is.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from recipes.guinness.source import PintSource
from totalml.data.sample import Sample

if TYPE_CHECKING:
    from recipes.guinness.pint import Pints


class FaultyPintSource(PintSource):
    """Pints without a rating, in person or by the rule; columns of true and false are named by the rule's faults."""

    def _batch(self, pints: "Pints") -> Iterator[Sample]:
        from recipes.guinness.rating import faults

        flags = {name: flag.tolist() for name, flag in faults(pints).items()}
        for row, sample in enumerate(super()._batch(pints)):
            known = {name: value for name, value in sample.metadata.items() if name != "rule"}
            yield replace(sample, label=None, metadata=known | {name: values[row] for name, values in flags.items()})
