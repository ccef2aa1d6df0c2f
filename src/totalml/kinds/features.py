"""Numbers that are made of samples."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Self

from pydantic import Field, InstanceOf, model_validator

from totalml.component import Component, Items, Where
from totalml.duration import Duration
from totalml.kinds.data import Source

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

    from totalml.data.snapshot import Snapshot
    from totalml.features.image_rows import ImageRows


class Feature(Component):
    """Numbers that are made of what is known of each sample: further columns of the table."""

    @abstractmethod
    def columns(self, snapshot: Snapshot, images: ImageRows | None) -> Mapping[str, NDArray[Any]]:
        """Column name -> (N,) numbers in the order of the snapshot, NaN where missing.

        Args: images: the pictures as the model sees them, gathered by rows; None without features.image.
        """


class SharedFeature(Component):
    """Numbers that recipes use by name, defined once in conf/shared/<team>/<name>.yaml.

    Owner, description and unit are for people: what is computed does not depend on them.
    """

    # Rooms of totalml and packages that move its numbers, besides those that move any feature's.
    rooms: ClassVar[tuple[str, ...]] = ()
    packages: ClassVar[tuple[str, ...]] = ()

    owner: Annotated[str, Field(min_length=1), Where]  # who answers for it
    description: Annotated[str, Where] = ""
    unit: Annotated[str, Where] = ""
    source: InstanceOf[Source] | None = None  # None: the rows of the snapshot that a recipe has
    entity: Items[str] = ()  # columns that tell series apart; none: all rows are one series
    event_time: str | None = None  # column: when it happened; None: the sample's timestamp
    known_time: str | None = None  # column: since when it could be known; None: since it happened
    ttl: Duration | None = None  # how long after its event time a value may still be used; None: for ever

    @model_validator(mode="after")
    def _lasts_where_it_is_looked_up(self) -> Self:
        if self.ttl is not None and self.source is None and self.event_time is None and self.known_time is None:
            raise ValueError("'ttl' means nothing here: each row has a value of its own, at its own time; leave it out")
        return self

    @abstractmethod
    def columns(self, rows: pa.Table) -> pa.Table:
        """Numbers at each row, in the order of the rows; null where missing. One column for each part.

        They are made of this row and of rows of the same entity that happened, and were known, no later.

        Args: rows: columns of the metadata, with `id` and `timestamp` of the samples.
        """

    def pictures_px(self) -> int | None:
        """Side of the square in which it wants each row's picture, as a column `picture`; None: it looks at none.

        Such a column holds lists of size * size * 3 uint8, null where there is no picture. Rows then come some at a
        time, so that a value can be made of its own row alone.
        """
        return None

    def reads_now(self) -> tuple[str, ...]:
        """Columns whose value at a row goes into the numbers at that very row."""
        return ()

    def reads(self) -> tuple[str, ...] | None:
        """Columns of numbers that it is made of, besides entity and times; None: services are given it ready-made."""
        return None

    def looks_back_us(self) -> int:
        """How much time before a row, in microseconds, the rows of its entity go into its numbers; 0: none do."""
        return 0
