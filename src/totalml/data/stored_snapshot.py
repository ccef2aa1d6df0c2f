"""A snapshot that stands in the store already, as the source of a recipe."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

from totalml.component import Where
from totalml.errors import SnapshotError
from totalml.kinds import Source
from totalml.recipe.bounds import Digest

if TYPE_CHECKING:
    from pathlib import Path

    from totalml.data.sample import BadSample, Ignored, Sample
    from totalml.data.snapshot import Snapshot
    from totalml.recipe import DataRecipe


class StoredSnapshot(Source):
    """Args:
    snapshot: its data hash. It names the data, which the run id does too, so the config hash leaves it out: recipes
        that differ in it alone ask the same of other data.
    """

    snapshot: Annotated[Digest, Where]

    def samples(self) -> Iterator[Sample | BadSample | Ignored]:
        raise SnapshotError(f"snapshot {self.snapshot} stands in a store; it has no source to be read from")

    def standing(self) -> str | None:
        return self.snapshot

    def fingerprint(self) -> str | None:
        return self.snapshot

    def watched(self) -> list[Path] | None:
        return []


def require_taken_whole(data: DataRecipe, snapshot: Snapshot) -> None:
    """Raises: SnapshotError: the recipe would choose from what stands, or knows not all of its labels."""
    wrong = []
    if data.where:
        told = f"data.where {data.where!r} chooses from a source, and a snapshot that stands is taken whole"
        wrong.append(f"{told}; set data.where=null")
    found = {label for label in snapshot.samples["label"].unique().to_pylist() if label is not None}
    if data.classes is not None and found and (unknown := sorted(found - {*data.classes})):
        wrong.append(f"snapshot {snapshot.data_hash} has labels that data.labels does not list: {unknown[:10]}")
    if wrong:
        raise SnapshotError("\n".join(wrong))
