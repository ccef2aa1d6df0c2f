"""A snapshot whose labels are what people say: its parent's rows, some with other labels, and samples that are new.

The same verdicts about the same parent give the same data hash.
"""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from totalml.errors import DataError
from totalml.identity import short
from totalml.review.learnt.cells import Cells
from totalml.review.learnt.judged_samples import JudgedSample, judged_samples
from totalml.review.learnt.relabelled import Change, Relabelled, Soft
from totalml.store.atomic import write_atomically

if TYPE_CHECKING:
    from totalml.data.sample import Row
    from totalml.data.snapshot import Snapshot
    from totalml.recipe.review import ReviewRecipe
    from totalml.release.bundle import Bundle
    from totalml.review.reviews import Reviews
    from totalml.store import Store

SHOWN = 20


@dataclass(frozen=True)
class ReviewedSnapshot:
    """Args:
    judged: samples that somebody gave a label, by `votes` verdicts.
    changes: labels that are not as they were, and samples that are new.
    left_out: which sample or request, and why.
    lineage: parent, the state of the reviews, and by what verdicts became labels.
    """

    snapshot: Snapshot
    judged: int
    votes: int
    changes: Sequence[Change]
    left_out: Sequence[tuple[str, str]]
    lineage: Mapping[str, Any]

    def lines(self) -> list[str]:
        """In words: the counts, the first changes, and what is left out."""
        new = sum(each.before is None for each in self.changes)
        people = f"{self.votes:,} verdicts about {self.judged:,} samples"
        rows = [f"  {each.id}: {_arrow(each)}, by {each.people}" for each in self.changes[:SHOWN]]
        more = len(self.changes) - SHOWN
        return [
            f"snapshot {self.snapshot.data_hash}",
            f"  of {self.lineage['parent']}, {people}, event {self.lineage['last_event']}, {self.lineage['policy']}",
            f"{len(self.changes) - new:,} labels changed, {new:,} samples are new",
            *rows,
            *([f"  ... and {more:,} more"] if more > 0 else []),
            *told(self.left_out),
        ]


def told(left_out: Sequence[tuple[str, str]]) -> list[str]:
    """What is left out, by reason."""
    reasons = sorted({reason for _, reason in left_out})
    named = {reason: [name for name, why in left_out if why == reason] for reason in reasons}
    return [
        f"{len(names):,} left out, {reason}: {', '.join(names[:3])}{', ...' if len(names) > 3 else ''}"
        for reason, names in named.items()
    ]


def reviewed_snapshot(
    reviews: Reviews, bundle: Bundle, parent: str, settings: ReviewRecipe, soft: Soft, store: Store
) -> ReviewedSnapshot:
    """Make it and keep it in the store.

    Args: parent: its data hash.
    Raises: DataError: nobody has judged anything that could be learnt. StoreError: the store cannot be read or written.
    """
    from totalml.data.data_hash import data_hash
    from totalml.data.snapshot import Snapshot, load_snapshot, save_snapshot, snapshot_folder
    from totalml.release.signature import Signature
    from totalml.review.figures.judgements import judgements

    reviews.look()
    before, signature = load_snapshot(parent, store), Signature.read(bundle)
    samples, left_out = judged_samples(judgements(reviews), settings, before, store, bundle)
    if not samples:
        raise DataError("\n".join([f"no verdict about {bundle.name} can be learnt from", *told(left_out)]))
    lineage = {
        "parent": parent,
        "model": bundle.name,
        "reviews": reviews.last.digest if reviews.last else None,
        "last_event": reviews.last.sequence if reviews.last else 0,
        "policy": settings.policy,
        **({"tolerance": dict(settings.tolerance)} if settings.tolerance else {}),
        "soft": soft,
    }
    with store.lock("snapshots"):
        made = Relabelled(before, Cells.of(bundle, signature.task), soft)
        rows, unusable = _stored([each for each in samples if each.is_new], store, signature.max_megapixels)
        for each in samples:
            if not each.is_new or each.id in rows:
                made.take(each, rows.get(each.id))
        tables = made.tables()
        snapshot = Snapshot(data_hash(*tables), *tables, before.skipped)
        save_snapshot(snapshot, {"review": lineage}, store)
        os.utime(snapshot_folder(snapshot.data_hash, store))  # in use: the run that will name it is not there yet
    votes = sum(each.together.votes for each in samples)
    left_out = [*left_out, *unusable, *made.left_out]
    return ReviewedSnapshot(snapshot, len(samples), votes, made.changes, left_out, lineage)


def write_changes(made: ReviewedSnapshot, store: Store) -> Path:
    """Every changed label and new sample, as a CSV. Raises: StoreError: it cannot be written."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["id", "before", "after", "people"])
    writer.writerows([each.id, each.before, each.after, each.people] for each in made.changes)
    path = store.folder("reports") / f"review-{short(made.snapshot.data_hash, 16)}.csv"
    write_atomically(path, out.getvalue().encode())
    return path


def _stored(
    samples: Sequence[JudgedSample], store: Store, max_megapixels: float
) -> tuple[dict[str, Row], list[tuple[str, str]]]:
    """Id -> row, with the picture in the store; and which cannot be used."""
    from totalml.data.ingest import Ingest
    from totalml.data.sample import Sample
    from totalml.store.stat_cache import StatCache

    given = (Sample(each.id, each.picture, None, each.group, each.time) for each in samples)
    with store.writing() as writer:
        # No file is read, so the memory of files stays empty.
        ingested = Ingest(writer, StatCache(store.root / "stat" / "review.bin"), max_megapixels).run(given)
        writer.finish()
    return {row.id: row for row in ingested.rows}, [(each.id, each.reason) for each in ingested.bad]


def _arrow(change: Change) -> str:
    return f"new, {change.after}" if change.before is None else f"{change.before} -> {change.after}"
