"""Questions about the data."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator
from typing import TYPE_CHECKING

from totalml.component import Component

if TYPE_CHECKING:
    from totalml.data.snapshot import Snapshot
    from totalml.data.splits import Splits
    from totalml.quality.pictures import Pictures
    from totalml.quality.report import Finding
    from totalml.quality.suites.record import Suite


class QualityCheck(Component):
    """One question about the data, asked before training; one of the three kinds below."""


class Check(QualityCheck):
    """A question about the snapshot's tables."""

    @abstractmethod
    def findings(self, snapshot: Snapshot, splits: Splits) -> Iterator[Finding | Suite]:
        """Yield what is wrong; nothing if all is well. A suite also says what is right."""


class PictureCheck(QualityCheck):
    """A question about the pictures as the model sees them; it is not asked where the features hold none."""

    @abstractmethod
    def findings(self, snapshot: Snapshot, splits: Splits, pictures: Pictures) -> Iterator[Finding | Suite]:
        """Yield what is wrong; nothing if all is well. A suite also says what is right."""


class SampleCheck(QualityCheck):
    """A question about samples by what is known of them: the tables, and pictures where the features hold any."""

    @abstractmethod
    def findings(self, snapshot: Snapshot, splits: Splits, pictures: Pictures | None) -> Iterator[Finding | Suite]:
        """Yield what is wrong; nothing if all is well. A suite also says what is right."""
