"""Where samples come from, and what may happen to them on their way."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from totalml.component import Component

if TYPE_CHECKING:
    from totalml.data.sample import BadSample, Ignored, Sample
    from totalml.data.sample_batch import SampleBatch


class Source(Component):
    """Where samples come from."""

    @abstractmethod
    def samples(self) -> Iterator[Sample | BadSample | Ignored]:
        """Yield every sample once, in a stable order; what cannot become one is yielded as `BadSample`."""

    def batches(self) -> Iterator[SampleBatch] | None:
        """The same as columns, where no sample has a picture; None: they are asked for one by one."""
        return None

    def fingerprint(self) -> str | None:
        """A text that changes whenever `samples()` would yield something else; None if only a look can tell.

        Arguments, `files()` and a recipe's own code count besides it.
        """
        return None

    def watched(self) -> list[Path] | None:
        """Folders of which the states of files, with arguments and code, decide the fingerprint alone.

        None: something else may move it, such as a file elsewhere, a server or the time.
        """
        return None

    def redrawn(self, number: int) -> Source | None:
        """The same, of which all that comes by chance comes otherwise for each number; None: nothing is drawn."""
        return None

    def standing(self) -> str | None:
        """The data hash of a snapshot that stands in the store, taken as it is; `samples` is not asked then."""
        return None

    def folder(self) -> Path | None:
        """Where the files lie, if in one place: hashes of unchanged files are remembered per folder."""
        return None


class Perturbation(Component):
    """What may happen to samples on their way to the model, for a drill to send such ones."""

    @abstractmethod
    def change(self, sample: Sample) -> Sample:
        """The sample as it would come then: decided by the sample and the arguments alone."""
